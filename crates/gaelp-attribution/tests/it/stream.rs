//! The stream of events with its awkward cases, to the micro.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gaelp_attribution::{
    Adjustment, Attributed, Channels, Conversion, ConversionKind, Event, EventId, Interaction,
    Merge, Model, Refused, Rules, RulesConfig, Scope, Span, Timestamp, Touch, UserId, ViewPolicy,
    Weigh, attribute,
};
use gaelp_core::{Currency, Micros, Money};

use crate::shared;

/// A row of a table by column names.
pub(crate) type Row = BTreeMap<String, String>;

/// The rows of a table under `stream/`.
fn rows(name: &str) -> Vec<Row> {
    shared::rows(&PathBuf::from("stream").join(name))
}

fn number<T: std::str::FromStr>(row: &Row, column: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    row[column].parse().unwrap()
}

/// The dev stream in the order of arrival.
pub(crate) fn events() -> (Vec<Event>, Channels) {
    let mut channels = Channels::default();
    let events = rows("events_dev.csv");
    let events = events.iter().map(|row| {
        let at = || Timestamp::from_millis(number(row, "ts_ms")).unwrap();
        let id = || EventId::new(number(row, "event_id"));
        let user = || UserId::new(number(row, "user"));
        let value = || Money::new(Micros::new(number(row, "value_micros")), Currency::USD);
        match &*row["kind"] {
            "touch" => Event::Touch(Touch {
                id: id(),
                user: user(),
                at: at(),
                channel: channels.intern(&row["channel"]).unwrap(),
                interaction: match &*row["touch_kind"] {
                    "click" => Interaction::Click,
                    "view" => Interaction::View,
                    other => panic!("{other}"),
                },
            }),
            "conversion" => Event::Conversion(Conversion {
                id: id(),
                user: user(),
                at: at(),
                value: value(),
                kind: ConversionKind::Purchase,
            }),
            "adjust" => Event::Adjustment(Adjustment {
                id: id(),
                conversion: EventId::new(number(row, "conv_id")),
                at: at(),
                value: value(),
            }),
            "merge" => Event::Merge(Merge {
                from: user(),
                into: UserId::new(number(row, "into_user")),
            }),
            "advance" => Event::Advance(at()),
            other => panic!("{other}"),
        }
    });
    let events = events.collect();
    (events, channels)
}

/// The two configurations by the names of their files.
pub(crate) fn configurations() -> [(&'static str, Rules); 2] {
    let usual = RulesConfig::default();
    let other = RulesConfig {
        scope: Scope::SincePrevious,
        views: ViewPolicy::ClickFirst,
        ..usual.clone()
    };
    [
        ("default", usual.validate().unwrap()),
        ("since_prev_click_first", other.validate().unwrap()),
    ]
}

/// The six models by the names of their columns.
pub(crate) fn models() -> [(&'static str, Model); 6] {
    let half_life = Span::days(7);
    [
        ("last", Model::Last),
        ("first", Model::First),
        ("linear", Model::Linear),
        ("position", Model::POSITION),
        ("j_shape", Model::J_SHAPE),
        ("time_decay", Model::TimeDecay { half_life }),
    ]
}

/// Compares conversions and credits with the files of a configuration.
pub(crate) fn check(name: &str, attributed: &Attributed, channels: &Channels) {
    let expected = rows(&format!("expected_dev_{name}_conversions.csv"));
    assert_eq!(attributed.conversions.len(), expected.len());
    let mut pairs = BTreeMap::new();
    for (got, row) in attributed.conversions.iter().zip(&expected) {
        assert_eq!(got.id.get(), number::<u64>(row, "conv_id"));
        assert_eq!(got.user.get(), number::<u64>(row, "user"));
        let at = Timestamp::from_millis(number(row, "ts_ms")).unwrap();
        assert_eq!(got.at, at);
        assert_eq!(got.original.get(), number::<i64>(row, "original_micros"));
        assert_eq!(got.value.get(), number::<i64>(row, "final_micros"));
        assert_eq!(got.touches.len(), number::<usize>(row, "touches"));
        for (place, index) in got.touches.clone().enumerate() {
            pairs.insert((got.id.get(), place), index);
        }
    }
    let expected = rows(&format!("expected_dev_{name}_credits.csv"));
    assert_eq!(pairs.len(), expected.len());
    assert!(expected.len() > 3_000);
    for row in &expected {
        let index = pairs[&(number(row, "conv_id"), number(row, "path_index"))];
        let touch = &attributed.touches[index];
        assert_eq!(touch.id.get(), number::<u64>(row, "touch_id"));
        assert_eq!(channels.name(touch.channel), Some(&*row["channel"]));
        for (model, (column, _)) in models().iter().enumerate() {
            let credit = attributed.credits[model][index];
            assert_eq!(
                credit.get(),
                number::<i64>(row, column),
                "{column}: {row:?}"
            );
        }
    }
}

#[test]
fn the_dev_stream_agrees_to_the_micro_under_both_configurations() {
    let (events, channels) = events();
    assert_eq!(events.len(), 19_105);
    let models = models();
    let weigh: Vec<&dyn Weigh> = models
        .iter()
        .map(|(_, model)| model as &dyn Weigh)
        .collect();
    for (name, rules) in configurations() {
        let attributed = attribute(&events, &rules, &weigh).unwrap();
        check(name, &attributed, &channels);
        assert_eq!(
            attributed.refused,
            Refused {
                duplicate_touches: 281,
                duplicate_conversions: 70,
                late_touches: 355,
                late_conversions: 67,
                adjustments: 3,
                other_currency: 0,
            }
        );
    }
}
