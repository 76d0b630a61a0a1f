//! S-shaped curves: nothing, or enough.

use std::fmt::Display;

use gaelp_core::Micros;

use super::bounds::{major, units_up};
use super::prepare::Prepared;
use super::{CapTree, Goal, Plan};

/// How many arms on the straight part of an envelope are tried: as good as always there is one.
const TRIED: usize = 4;

/// Gives arms that lie on the straight part of an envelope, where the curve itself lies below,
/// either nothing or enough, where that brings more.
pub(super) fn improve<K: Display>(
    tree: &CapTree<K>,
    prepared: &Prepared<'_>,
    budget: Micros,
    goals: &[Goal],
    plan: Plan,
) -> Plan {
    let quantum = prepared.quantum;
    let below = |place: &usize| {
        let (spend, low) = (plan.arms[*place].spend, prepared.bounds[*place].low);
        let bend = prepared.curves[*place].bend();
        spend.to_major_f64() < bend && spend.get() > low * quantum.get()
    };
    let partial: Vec<usize> = (0..plan.arms.len()).filter(below).take(TRIED).collect();
    if partial.is_empty() {
        return plan;
    }
    let price = |plan: &Plan| plan.certificate.value;
    let mut best = plan.clone();
    // All of them with nothing; then each in turn with enough, and the others with nothing.
    for enough in std::iter::once(None).chain(partial.iter().map(Some)) {
        let mut bounds = prepared.bounds.clone();
        for place in &partial {
            let mine = &mut bounds[*place];
            if Some(place) == enough {
                mine.low = bend_units(prepared, *place).clamp(mine.low, mine.high);
            } else {
                mine.high = mine.low;
            }
        }
        let tried = prepared
            .narrowed(tree, bounds, budget)
            .and_then(|narrowed| super::plan(tree, &narrowed, goals).ok())
            .filter(|tried| tried.given_up.len() == plan.given_up.len());
        if let Some(tried) = tried
            && price(&tried) > price(&best)
        {
            best = tried;
        }
    }
    // The bound of the whole problem, not of the narrowed one.
    best.certificate.bound = plan.certificate.bound;
    best.certificate.divisible = plan.certificate.divisible;
    best.certificate.gap = plan.certificate.gap;
    best
}

fn bend_units(prepared: &Prepared<'_>, place: usize) -> i64 {
    let bend = prepared.curves[place].bend();
    #[expect(clippy::cast_possible_truncation, reason = "curves bend below 1e13")]
    let amount = Micros::new((bend * 1e6).ceil() as i64);
    let units = units_up(amount, prepared.quantum);
    debug_assert!(
        major(units, prepared.quantum) >= bend * (1.0 - 1e-9),
        "enough is enough"
    );
    units
}
