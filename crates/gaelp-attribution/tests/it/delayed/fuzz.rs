//! Any sequence of events, against the naive machine.

use std::collections::BTreeMap;

use gaelp_attribution::delayed::{Arrival, DelayedRewards, Effect, Limits, Rejection, Settled};
use gaelp_attribution::{
    Adjustment, ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, KindRules,
    Merge, Model, RulesConfig, Scope, Span, Timestamp, Touch, UserId, ViewPolicy, WindowTable,
    Windows,
};
use gaelp_core::{Currency, Micros, Money};

use super::naive::{Naive, Seen};
use super::{Credits, Random, apply};

/// Events of one machine's life.
const LIFE: usize = 2_000;

fn span(micros: i64) -> Span {
    Span::from_micros(micros).unwrap()
}

fn rules(random: &mut Random) -> RulesConfig {
    let windows = |random: &mut Random| Windows {
        click: span(random.signed_below(2_000)),
        view: span(random.signed_below(700)),
    };
    let mut table = WindowTable {
        usual: windows(random),
        by_channel: BTreeMap::new(),
    };
    if random.one_in(3) {
        table.by_channel.insert(ChannelId::new(1), windows(random));
    }
    let mut kinds = Vec::new();
    if random.one_in(2) {
        let own = WindowTable {
            usual: windows(random),
            by_channel: BTreeMap::new(),
        };
        kinds.push(KindRules {
            kind: ConversionKind::Lead,
            windows: Some(own),
            model: None,
        });
    }
    RulesConfig {
        windows: table,
        kinds,
        scope: [Scope::Lookback, Scope::SincePrevious][usize::from(random.one_in(2))],
        views: [ViewPolicy::Equal, ViewPolicy::ClickFirst][usize::from(random.one_in(2))],
        lateness: span(random.signed_below(600)),
        refund_horizon: span(2_600 + random.signed_below(3_000)),
        ..RulesConfig::default()
    }
}

fn limits(random: &mut Random) -> Limits {
    if random.one_in(3) {
        return Limits::default();
    }
    Limits {
        touches: 1 + u32::try_from(random.below(50)).unwrap(),
        conversions: 1 + u32::try_from(random.below(20)).unwrap(),
        per_user: 1 + u16::try_from(random.below(20)).unwrap(),
        adjustments: u32::try_from(random.below(6)).unwrap(),
        merges: u32::try_from(random.below(4)).unwrap(),
    }
}

/// Makes events around a clock that moves on.
struct Source {
    random: Random,
    now: i64,
    past: Vec<Event>,
    users: u64,
}

impl Source {
    fn event(&mut self) -> Event {
        let event = self.fresh();
        let random = &mut self.random;
        if random.one_in(12) && !self.past.is_empty() {
            let index = usize::try_from(random.below(self.past.len() as u64)).unwrap();
            return self.past[index];
        }
        if self.past.len() < 30 {
            self.past.push(event);
        } else {
            let index = usize::try_from(random.below(30)).unwrap();
            self.past[index] = event;
        }
        event
    }

    fn fresh(&mut self) -> Event {
        let random = &mut self.random;
        self.now += random.signed_below(60);
        let at = match random.below(400) {
            // Clocks that run wild.
            0 => i64::MAX - random.signed_below(3),
            1 => i64::MIN + random.signed_below(3),
            2 => random.next().cast_signed(),
            3..=40 => self.now + random.signed_below(300),
            41..=300 => self.now - random.signed_below(400),
            _ => self.now - random.signed_below(1_500),
        };
        let at = Timestamp::from_micros(at);
        let user = UserId::new(random.below(self.users));
        let ids = if random.one_in(4) { 50 } else { 1 << 40 };
        let id = EventId::new(random.below(ids));
        let amount = match random.below(30) {
            0 => random.next().cast_signed(),
            1 => 0,
            2 => i64::MAX / 2,
            3 => -i64::MAX / 2,
            _ => random.signed_below(1_000) - 100,
        };
        let currency = if random.one_in(60) {
            Currency::EUR
        } else {
            Currency::USD
        };
        let value = Money::new(Micros::new(amount), currency);
        match random.below(100) {
            0..=59 => Event::Touch(Touch {
                id,
                user,
                at,
                channel: ChannelId::new(u16::try_from(random.below(3)).unwrap()),
                interaction: [Interaction::Click, Interaction::View][usize::from(random.one_in(2))],
            }),
            60..=79 => Event::Conversion(Conversion {
                id,
                user,
                at,
                value,
                kind: [ConversionKind::Purchase, ConversionKind::Lead]
                    [usize::from(random.one_in(3))],
            }),
            80..=89 => {
                let sales = self.past.iter().filter_map(|event| match event {
                    Event::Conversion(conversion) => Some(conversion.id),
                    _ => None,
                });
                let sales: Vec<EventId> = sales.collect();
                let conversion = match sales.len() as u64 {
                    0 => EventId::new(random.below(50)),
                    many => sales[usize::try_from(random.below(many)).unwrap()],
                };
                Event::Adjustment(Adjustment {
                    id,
                    conversion,
                    at,
                    value,
                })
            }
            90..=91 => Event::Merge(Merge {
                from: user,
                into: UserId::new(random.below(self.users)),
            }),
            _ => Event::Advance(Timestamp::from_micros(self.now - random.signed_below(300))),
        }
    }
}

/// The id and the total of a touch; for a total out of range the expected one, if that is so too.
fn total(one: &Settled, expected: &[(u64, i128)], place: usize) -> (u64, i128) {
    let total = one.total.map(|total| i128::from(total.get()));
    let beyond = expected
        .get(place)
        .map(|(_, total)| *total)
        .filter(|&total| i64::try_from(total).is_err());
    (one.touch.get(), total.or(beyond).unwrap_or_default())
}

fn models() -> Vec<Model> {
    vec![Model::Linear, Model::Last, Model::POSITION]
}

/// Lets a machine and the naive one live, and compares all that can be seen.
fn live(seed: u64) {
    let mut random = Random(seed);
    let (rules, limits) = (rules(&mut random), limits(&mut random));
    let checked = rules.clone().validate().unwrap();
    let mut machine = DelayedRewards::new(checked.clone(), models(), limits).unwrap();
    let mut naive = Naive::new(rules, limits);
    let mut source = Source {
        users: 1 + random.below(6),
        now: random.signed_below(1_000_000),
        past: Vec::new(),
        random: Random(random.next()),
    };
    let mut credits = Credits::new();
    let (mut effects, mut number) = (Vec::new(), 0);
    let mut taken = 0;
    while taken < LIFE {
        let group = if random.one_in(2) {
            1
        } else {
            1 + random.below(90)
        };
        let arrivals: Vec<Arrival> = (0..group)
            .map(|_| Arrival::new(Timestamp::from_micros(source.now), source.event()))
            .collect();
        taken += arrivals.len();
        effects.clear();
        machine.handle_batch(&arrivals, &mut effects);
        let mut expected = Seen::default();
        let mut refused: Vec<Rejection> = Vec::new();
        for arrival in &arrivals {
            refused.extend(naive.handle(&arrival.event, &mut expected).err());
        }
        let mut seen = Seen::default();
        let mut rejected = Vec::new();
        for effect in &effects {
            match effect {
                Effect::Correction(correction) => {
                    assert_eq!(correction.number, number, "seed {seed}");
                    number += 1;
                    apply(&mut credits, correction);
                }
                Effect::Matured(one) => {
                    let place = seen.matured.len();
                    seen.matured.push(total(one, &expected.matured, place));
                }
                Effect::Evicted(one) => {
                    let place = seen.evicted.len();
                    seen.evicted.push(total(one, &expected.evicted, place));
                }
                Effect::Rejected { reason, .. } => rejected.push(*reason),
                _ => {}
            }
        }
        assert_eq!(rejected, refused, "seed {seed}, {taken}");
        assert_eq!(seen, expected, "seed {seed}, {taken}");
        let counts = machine.statistics();
        assert_eq!(machine.pending(), naive.pending() as u64, "seed {seed}");
        assert_eq!(machine.adjustable(), naive.adjustable(), "seed {seed}");
        let found = (
            counts.attributed.cast_signed(),
            counts.value,
            counts.unmatched,
            counts.conversions_evicted,
        );
        let wanted = (
            naive.attributed,
            naive.value,
            naive.unmatched,
            naive.conversions_evicted,
        );
        assert_eq!(found, wanted, "seed {seed}, {taken}");
        if random.one_in(20) {
            let known = naive.credits();
            assert_eq!(credits, known, "seed {seed}, {taken}");
            let lags = naive.lags();
            let mean = lags.checked_div(i128::from(counts.attributed));
            let mean = mean.map(|mean| i64::try_from(mean).unwrap());
            let found = counts.time_to_conversion.mean().map(Span::micros);
            assert_eq!(found, mean, "seed {seed}, {taken}");
        }
        if random.one_in(60) {
            let bytes = machine.snapshot();
            machine = DelayedRewards::restore(checked.clone(), models(), limits, &bytes).unwrap();
            assert_eq!(machine.snapshot(), bytes, "seed {seed}, {taken}");
        }
    }
    assert_eq!(credits, naive.credits(), "seed {seed}");
}

#[test]
fn any_sequence_of_events_does_what_the_naive_machine_does() {
    let cases = std::env::var("GAELP_CASES").ok();
    let events: u64 = cases.map_or(5_000_000, |cases| cases.parse().unwrap());
    for seed in 0..events.div_ceil(LIFE as u64) {
        live(seed);
    }
}
