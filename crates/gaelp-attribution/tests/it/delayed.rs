//! The machine for delayed rewards.

mod cache;
mod durable;
mod fuzz;
mod golden;
mod memory;
mod naive;
mod scenes;
mod snapshots;

use std::collections::BTreeMap;

use gaelp_attribution::delayed::{Arrival, Correction, DelayedRewards, Effect, Limits};
use gaelp_attribution::{Event, Rules, Timestamp, Weigh};

/// Credits by conversion, touch and model.
pub(crate) type Credits = BTreeMap<(u64, u64, u8), i128>;

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn signed_below(&mut self, bound: i64) -> i64 {
        (self.next() % bound.unsigned_abs()).cast_signed()
    }

    pub(crate) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            let other = usize::try_from(self.below(index as u64 + 1)).unwrap();
            items.swap(index, other);
        }
    }
}

/// Arrivals at one moment.
pub(crate) fn arrivals(events: &[Event]) -> Vec<Arrival> {
    let now = Timestamp::from_micros(1_900_000_000_000_000);
    let arrival = |&event: &Event| Arrival::new(now, event);
    events.iter().map(arrival).collect()
}

/// Adds corrections to credits; those that come to nothing are left out.
pub(crate) fn apply(credits: &mut Credits, correction: &Correction) {
    let key = (
        correction.conversion.get(),
        correction.touch.get(),
        correction.model.get(),
    );
    let credit = credits.entry(key).or_default();
    *credit += i128::from(correction.delta.get());
    if *credit == 0 {
        credits.remove(&key);
    }
}

/// The credits that events end in.
pub(crate) fn stream<W: Weigh>(
    rules: &Rules,
    models: Vec<W>,
    events: &[Event],
) -> (Credits, DelayedRewards<W>) {
    let mut machine = DelayedRewards::new(rules.clone(), models, Limits::default()).unwrap();
    let mut effects = Vec::new();
    machine.handle_batch(&arrivals(events), &mut effects);
    let mut credits = Credits::new();
    for effect in &effects {
        if let Effect::Correction(correction) = effect {
            apply(&mut credits, correction);
        }
    }
    (credits, machine)
}
