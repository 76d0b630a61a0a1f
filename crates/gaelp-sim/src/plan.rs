//! When what goes wrong: drawn from the seed.

use gaelp_core::{Ratio, Seed};

use crate::{Dice, FaultKind, FaultSet};

/// The stream of a seed that plans are drawn from.
const PLAN: u64 = 10;
/// The hours at the beginning and at the end in which nothing is planned: a runner first finds its
/// feet, and in the end everything that is open must come to rest.
const CALM_HOURS: i64 = 3;
/// One seed in so many has no faults at all: what goes wrong then is nobody's excuse.
const CALM_SEEDS: u64 = 16;
/// The most kinds in one seed.
const MOST_KINDS: i64 = 12;

/// A fault that is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The hour, counted from the first.
    pub hour: u32,
    /// What.
    pub kind: FaultKind,
    /// For how many hours, where it lasts.
    pub lasts: u32,
    /// What the details are drawn from.
    pub details: u64,
}

/// The faults of a run, by hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    planned: Vec<Planned>,
}

impl Plan {
    /// The plan of a seed for so many hours: up to twelve kinds, each one to four times.
    ///
    /// ```
    /// use gaelp_core::Seed;
    /// use gaelp_sim::Plan;
    ///
    /// let plan = Plan::drawn(Seed::new(3), 168);
    /// assert_eq!(plan, Plan::drawn(Seed::new(3), 168));
    /// assert!(plan.faults().iter().all(|fault| fault.hour < 168));
    /// ```
    pub fn drawn(seed: Seed, hours: u32) -> Self {
        let mut dice = Dice::new(seed, PLAN);
        let last = i64::from(hours) - 2 * CALM_HOURS;
        if dice.below(CALM_SEEDS) == 0 || last <= CALM_HOURS {
            return Self::default();
        }
        let mut planned = Vec::new();
        for kind in choose(&mut dice).iter() {
            for _ in 0..dice.between(1, 4) {
                let hour = dice.between(CALM_HOURS, last);
                // Most troubles are short, some last for the better part of a day.
                let lasts = if dice.chance(Ratio::from_ppm(150_000)) {
                    dice.between(6, 18)
                } else {
                    dice.between(1, 5)
                };
                planned.push(Planned {
                    hour: u32::try_from(hour).unwrap_or(0),
                    kind,
                    lasts: u32::try_from(lasts.min(last - hour + 1)).unwrap_or(1),
                    details: dice.below(u64::MAX),
                });
            }
        }
        Self::of(planned)
    }

    /// A plan of certain faults.
    pub fn of(mut planned: Vec<Planned>) -> Self {
        planned.sort_by_key(|fault| fault.hour);
        Self { planned }
    }

    /// The faults, in the order of their hours.
    pub fn faults(&self) -> &[Planned] {
        &self.planned
    }

    /// The kinds that it has.
    pub fn kinds(&self) -> FaultSet {
        self.planned.iter().map(|fault| fault.kind).collect()
    }

    /// What begins in an hour.
    pub(crate) fn at(&self, hour: u32) -> &[Planned] {
        let from = self.planned.partition_point(|fault| fault.hour < hour);
        let to = self.planned.partition_point(|fault| fault.hour <= hour);
        &self.planned[from..to]
    }
}

/// Some kinds, every pair as likely as every other.
fn choose(dice: &mut Dice) -> FaultSet {
    let wanted = u32::try_from(dice.between(1, MOST_KINDS)).unwrap_or(1);
    let mut chosen = FaultSet::default();
    while chosen.len() < wanted {
        if let Some(kind) = dice.pick(FaultKind::ALL) {
            chosen.insert(*kind);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20,000 seeds, as the programme runs them.
    #[test]
    fn every_pair_of_kinds_is_planned_in_hundreds_of_seeds() {
        let count = FaultKind::ALL.len();
        let mut pairs = vec![0_u32; count * count];
        let mut calm = 0;
        for seed in 0..20_000 {
            let kinds: Vec<_> = Plan::drawn(Seed::new(seed), 168).kinds().iter().collect();
            calm += u32::from(kinds.is_empty());
            for (n, a) in kinds.iter().enumerate() {
                for b in &kinds[n + 1..] {
                    pairs[a.index() * count + b.index()] += 1;
                }
            }
        }
        assert!((1_000..1_500).contains(&calm), "{calm} calm seeds");
        for (a, kind) in FaultKind::ALL.iter().enumerate() {
            for (b, other) in FaultKind::ALL.iter().enumerate().skip(a + 1) {
                let seeds = pairs[a * count + b];
                assert!(seeds >= 300, "{kind} and {other} in {seeds} seeds");
            }
        }
    }

    #[test]
    fn the_first_hours_and_the_last_are_calm() {
        for seed in 0..2_000 {
            let plan = Plan::drawn(Seed::new(seed), 48);
            for fault in plan.faults() {
                assert!(
                    fault.hour >= 3 && fault.hour + fault.lasts <= 48 - 5,
                    "{fault:?}"
                );
                assert!(plan.at(fault.hour).contains(fault));
            }
        }
        assert!(Plan::drawn(Seed::new(1), 6).faults().is_empty());
    }
}
