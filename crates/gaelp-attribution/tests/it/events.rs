//! Rules, and what must not depend on the order of arrival.

use gaelp_attribution::{
    Adjustment, ChannelId, Conversion, ConversionKind, DirectPolicy, Event, EventId, Interaction,
    KindRules, Merge, Model, Rules, RulesConfig, Scope, Span, Timestamp, Touch, UserId, ViewPolicy,
    Weigh, WindowTable, Windows, attribute,
};
use gaelp_core::{Currency, Micros, Money};
use proptest::prelude::*;

use crate::stream;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_micros(hours * 3_600_000_000)
}

fn touch(id: u64, user: u64, hours: i64, channel: u16, interaction: Interaction) -> Event {
    Event::Touch(Touch {
        id: EventId::new(id),
        user: UserId::new(user),
        at: at(hours),
        channel: ChannelId::new(channel),
        interaction,
    })
}

fn conversion(id: u64, user: u64, hours: i64, kind: ConversionKind, value: Money) -> Event {
    Event::Conversion(Conversion {
        id: EventId::new(id),
        user: UserId::new(user),
        at: at(hours),
        value,
        kind,
    })
}

fn dollars(micros: i64) -> Money {
    Money::new(Micros::new(micros), Currency::USD)
}

/// The ids of the touches that each conversion is credited to.
fn touched(events: &[Event], rules: &Rules) -> Vec<Vec<u64>> {
    let attributed = attribute(events, rules, &[&Model::Linear]).unwrap();
    let ids = |range: std::ops::Range<usize>| {
        let touches = attributed.touches[range].iter();
        touches.map(|touch| touch.id.get()).collect()
    };
    attributed
        .conversions
        .iter()
        .map(|one| ids(one.touches.clone()))
        .collect()
}

use ConversionKind::{Purchase, Signup};
use DirectPolicy::Yield;
use Interaction::{Click, View};
use ViewPolicy::ClickFirst;

#[test]
fn windows_differ_by_channel_interaction_and_kind() {
    let mut config = RulesConfig {
        refund_horizon: Span::days(100),
        ..RulesConfig::default()
    };
    let month = Windows {
        click: Span::days(30),
        view: Span::days(2),
    };
    config.windows.by_channel.insert(ChannelId::new(1), month);
    config.kinds.push(KindRules {
        kind: Signup,
        windows: Some(WindowTable {
            usual: Windows::B2B,
            ..WindowTable::default()
        }),
        model: Some(Model::First),
    });
    let rules = config.validate().unwrap();
    assert_eq!(rules.retention(ChannelId::new(0), View), Span::days(30));
    assert_eq!(rules.longest_window(), Span::days(90));
    assert_eq!(rules.model(Signup), &Model::First);
    assert_eq!(rules.model(Purchase), &Model::Linear);
    let day = 24;
    let events = [
        touch(1, 1, 0, 0, Click),
        touch(2, 1, 0, 1, Click),
        touch(3, 1, 24 * day, 0, Click),
        touch(4, 1, 28 * day, 1, View),
        touch(5, 1, 28 * day, 0, View),
        conversion(10, 1, 30 * day, Purchase, dollars(9)),
        conversion(11, 1, 30 * day, Signup, dollars(9)),
    ];
    // Ties stand in the order of ids; both ends of a window are included.
    assert_eq!(
        touched(&events, &rules),
        [vec![2, 3, 4], vec![1, 2, 3, 4, 5]]
    );
    let by_kind = attribute(&events, &rules, &[&rules]).unwrap();
    assert_eq!(
        by_kind.credits[0],
        [3, 3, 3, 9, 0, 0, 0, 0].map(Micros::new)
    );
}

#[test]
fn clicks_before_views_and_advertisements_before_direct_traffic() {
    let with = |views, direct_policy| {
        let direct = [ChannelId::new(9)].into_iter().collect();
        let config = RulesConfig {
            views,
            direct_policy,
            direct,
            ..RulesConfig::default()
        };
        config.validate().unwrap()
    };
    let events = [
        touch(1, 1, 0, 0, View),
        touch(2, 1, 1, 9, Click),
        conversion(10, 1, 2, Purchase, dollars(9)),
        touch(3, 2, 0, 9, View),
        touch(4, 2, 1, 9, Click),
        conversion(11, 2, 2, Purchase, dollars(9)),
    ];
    let paths = |views, direct| touched(&events, &with(views, direct));
    assert_eq!(
        paths(ViewPolicy::Equal, DirectPolicy::Equal),
        [[1, 2], [3, 4]]
    );
    assert_eq!(paths(ClickFirst, DirectPolicy::Equal), [[2], [4]]);
    assert_eq!(paths(ViewPolicy::Equal, Yield), [vec![1], vec![3, 4]]);
    assert_eq!(paths(ClickFirst, Yield), [[1], [4]]);
}

#[test]
fn a_conversion_resets_journeys_of_its_own_kind() {
    let config = RulesConfig {
        scope: Scope::SincePrevious,
        ..RulesConfig::default()
    };
    let rules = config.validate().unwrap();
    let events = [
        touch(1, 1, 0, 0, Click),
        conversion(10, 1, 1, Signup, dollars(9)),
        touch(2, 1, 2, 0, Click),
        conversion(11, 1, 3, Purchase, dollars(9)),
        conversion(12, 1, 4, Purchase, dollars(9)),
    ];
    assert_eq!(touched(&events, &rules), [vec![1], vec![1, 2], vec![]]);
    let lookback = RulesConfig::default().validate().unwrap();
    assert_eq!(
        touched(&events, &lookback),
        [vec![1], vec![1, 2], vec![1, 2]]
    );
}

#[test]
fn currencies_are_never_mixed() {
    let rules = RulesConfig::default().validate().unwrap();
    let euros = Money::new(Micros::new(5), Currency::EUR);
    let events = [
        touch(1, 1, 0, 0, Click),
        conversion(10, 1, 1, Purchase, euros),
        conversion(11, 1, 1, Purchase, dollars(7)),
        Event::Adjustment(Adjustment {
            id: EventId::new(20),
            conversion: EventId::new(11),
            at: at(2),
            value: euros,
        }),
    ];
    let attributed = attribute(&events, &rules, &[&Model::Last]).unwrap();
    assert_eq!(attributed.conversions.len(), 1);
    assert_eq!(attributed.credits[0], [Micros::new(7)]);
    assert_eq!(attributed.refused.other_currency, 2);
}

#[test]
fn rules_that_contradict_themselves_are_refused_with_all_reasons() {
    let config = RulesConfig {
        lateness: Span::days(40_000),
        model: Model::TimeDecay {
            half_life: Span::ZERO,
        },
        kinds: vec![
            KindRules {
                kind: Signup,
                windows: None,
                model: None,
            },
            KindRules {
                kind: Signup,
                windows: None,
                model: None,
            },
        ],
        ..RulesConfig::default()
    };
    let json = serde_json::to_string(&config).unwrap();
    let error = config.validate().unwrap_err();
    assert_eq!(error.violations.len(), 4, "{error}");
    assert!(serde_json::from_str::<Rules>(&json).is_err());
    let rules = RulesConfig::default().validate().unwrap();
    let json = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), rules);
}

#[test]
fn the_dev_stream_ends_alike_in_any_order_inside_the_lateness() {
    let (events, channels) = stream::events();
    // Without what was late, the order of arrival says nothing but when merges and adjustments
    // became known; these keep their places.
    let mut watermark = Timestamp::MIN;
    let (_, rules) = stream::configurations().into_iter().next().unwrap();
    let timely = |event: &&Event| match event {
        Event::Advance(to) => {
            watermark = watermark.max(*to);
            true
        }
        Event::Touch(touch) => !rules.is_late(touch.at, watermark),
        Event::Conversion(one) => !rules.is_late(one.at, watermark),
        _ => true,
    };
    let timely: Vec<Event> = events.iter().filter(timely).copied().collect();
    let models = stream::models();
    let weigh: Vec<&dyn Weigh> = models
        .iter()
        .map(|(_, model)| model as &dyn Weigh)
        .collect();
    for (name, rules) in stream::configurations() {
        let moved = |event: &Event| matches!(event, Event::Touch(_) | Event::Conversion(_));
        let (mut first, rest): (Vec<Event>, Vec<Event>) = timely.iter().copied().partition(moved);
        for turn in 0..3 {
            match turn {
                0 => first.reverse(),
                1 => first.sort_by_key(|event| match event {
                    Event::Touch(touch) => (touch.user, touch.at),
                    Event::Conversion(one) => (one.user, one.at),
                    _ => unreachable!("only these were moved"),
                }),
                _ => first.rotate_left(7_001),
            }
            let mut all = first.clone();
            all.extend(&rest);
            let attributed = attribute(&all, &rules, &weigh).unwrap();
            stream::check(name, &attributed, &channels);
        }
    }
}

/// Any event at all, about few users and ids.
fn any_event() -> impl Strategy<Value = Event> {
    let kinds = prop_oneof![
        Just(Purchase),
        Just(Signup),
        any::<u8>().prop_map(ConversionKind::Custom)
    ];
    let hours = prop_oneof![
        -3..400_i64,
        Just(i64::MIN / 3_600_000_000),
        Just(i64::MAX / 3_600_000_000)
    ];
    let value = prop_oneof![-9..99_i64, any::<i64>()].prop_map(dollars);
    (0..6_u8, 0..30_u64, 0..4_u64, hours, 0..5_u16, kinds, value).prop_map(
        |(which, id, user, hours, channel, kind, value)| match which {
            0 | 1 => touch(
                id,
                user,
                hours,
                channel,
                if which == 0 { Click } else { View },
            ),
            2 => conversion(id, user, hours, kind, value),
            3 => Event::Adjustment(Adjustment {
                id: EventId::new(id),
                conversion: EventId::new(id),
                at: at(hours),
                value,
            }),
            4 => Event::Merge(Merge {
                from: UserId::new(user),
                into: UserId::new(id % 4),
            }),
            _ => Event::Advance(at(hours)),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_events_are_taken_and_credits_sum_to_values(events in prop::collection::vec(any_event(), 0..80)) {
        for (_, rules) in stream::configurations() {
            let models: [&dyn Weigh; 3] = [&Model::Linear, &Model::TIME_DECAY, &Model::POSITION];
            let attributed = attribute(&events, &rules, &models).unwrap();
            for one in &attributed.conversions {
                for model in 0..models.len() {
                    let credits = attributed.credits_of(one, model);
                    let sum: i128 = credits.iter().map(|credit| i128::from(credit.get())).sum();
                    let expected = if one.touches.is_empty() { 0 } else { i128::from(one.value.get()) };
                    prop_assert_eq!(sum, expected);
                }
            }
        }
    }
}
