//! The dev stream, and agreement with the batch functions.

use gaelp_attribution::delayed::Statistics;
use gaelp_attribution::{Attributed, Event, Model, Weigh, attribute};

use super::{Credits, Random, stream};
use crate::shared;
use crate::stream::{Row, configurations, events, models};

fn number(row: &Row, column: &str) -> u64 {
    row[column].parse().unwrap()
}

/// The credits of a file, those of zero left out.
fn expected(name: &str) -> Credits {
    let file = format!("stream/expected_dev_{name}_credits.csv");
    let mut credits = Credits::new();
    for row in shared::rows(file.as_ref()) {
        for (model, (column, _)) in models().iter().enumerate() {
            let credit: i128 = row[*column].parse().unwrap();
            if credit != 0 {
                let model = u8::try_from(model).unwrap();
                let key = (number(&row, "conv_id"), number(&row, "touch_id"), model);
                credits.insert(key, credit);
            }
        }
    }
    credits
}

pub(crate) fn of_batch(attributed: &Attributed) -> Credits {
    let mut credits = Credits::new();
    for conversion in &attributed.conversions {
        for (model, all) in attributed.credits.iter().enumerate() {
            for index in conversion.touches.clone() {
                let key = (
                    conversion.id.get(),
                    attributed.touches[index].id.get(),
                    u8::try_from(model).unwrap(),
                );
                if !all[index].is_zero() {
                    credits.insert(key, all[index].get().into());
                }
            }
        }
    }
    credits
}

fn six() -> Vec<Model> {
    models().into_iter().map(|(_, model)| model).collect()
}

#[test]
fn the_dev_stream_ends_in_the_expected_credits_to_the_micro() {
    let (events, _) = events();
    for (name, rules) in configurations() {
        let (credits, machine) = stream(&rules, six(), &events);
        let expected = expected(name);
        assert!(expected.len() > 15_000);
        assert_eq!(credits, expected, "{name}");
        let counts = machine.statistics();
        let (unattributed, value) = match name {
            "default" => (165, 208_012_243_900),
            _ => (381, 187_220_740_231),
        };
        assert_eq!(
            Statistics {
                conversions: 2_292,
                attributed: 2_292 - unattributed,
                value,
                unmatched: 3,
                late_touches: 355,
                late_conversions: 67,
                duplicate_touches: 281,
                duplicate_conversions: 70,
                evicted: 0,
                conversions_evicted: 0,
                refused: 0,
                ..counts.clone()
            },
            *counts
        );
    }
}

#[test]
fn the_order_of_arrival_inside_the_lateness_does_not_matter() {
    let (events, _) = events();
    let mut random = Random(3);
    for (name, rules) in configurations() {
        let expected = expected(name);
        for _ in 0..4 {
            let mut events = events.clone();
            for block in events.split_mut(|event| matches!(event, Event::Advance(_))) {
                random.shuffle(block);
            }
            let (credits, _) = stream(&rules, six(), &events);
            assert_eq!(credits, expected, "{name}");
        }
    }
}

#[test]
fn batch_and_stream_agree_whatever_the_order() {
    let (all, _) = events();
    let mut random = Random(4);
    let models = six();
    let weigh: Vec<&dyn Weigh> = models.iter().map(|model| model as &dyn Weigh).collect();
    for (name, rules) in configurations() {
        for advances in [true, false] {
            // Without a watermark nothing is late, so that the whole stream can be shuffled; with it
            // the shuffle makes much of it late.
            let mut events: Vec<Event> = all.clone();
            events.retain(|event| advances || !matches!(event, Event::Advance(_)));
            random.shuffle(&mut events);
            let batch = attribute(&events, &rules, &weigh).unwrap();
            let (credits, _) = stream(&rules, models.clone(), &events);
            assert_eq!(credits, of_batch(&batch), "{name}, {advances}");
            assert!(advances || credits.len() > 10_000);
        }
    }
}

#[test]
fn machines_that_share_the_users_together_do_what_one_does() {
    let (mut events, _) = events();
    // Users of one merge must live together, so that the merges are left to one machine.
    events.retain(|event| !matches!(event, Event::Merge(_)));
    for (name, rules) in configurations() {
        let (whole, machine) = stream(&rules, six(), &events);
        let mut together = Credits::new();
        let mut counts = Statistics::default();
        for partition in 0..7 {
            let mut own = events.clone();
            own.retain(|event| match event {
                Event::Touch(touch) => touch.user.partition(7) == partition,
                Event::Conversion(conversion) => conversion.user.partition(7) == partition,
                _ => true,
            });
            let (credits, machine) = stream(&rules, six(), &own);
            together.extend(credits);
            counts.merge(machine.statistics());
        }
        assert_eq!(together, whole, "{name}");
        // Each machine sees every adjustment, and all but one give it up.
        counts.unmatched = machine.statistics().unmatched;
        counts.superseded = machine.statistics().superseded;
        assert_eq!(counts, *machine.statistics(), "{name}");
    }
}
