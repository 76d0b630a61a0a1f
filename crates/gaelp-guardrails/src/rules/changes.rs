//! How fast rates may rise.

use gaelp_core::{Micros, Operand, Ratio};

use super::facts::{Change, at_traffic, floor, grown, is_hourly};
use super::{Facts, Restriction};
use crate::{Traffic, seeded};

pub(super) fn delta_max(facts: &Facts<'_>) -> Option<Restriction> {
    let delta = facts.config.delta_max;
    is_hourly(facts.context).then(|| raise(facts, facts.current, delta))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of all rules")]
pub(super) fn delta_max_24h(facts: &Facts<'_>) -> Option<Restriction> {
    let day_ago = facts.day_ago();
    Some(raise(facts, day_ago, facts.config.delta_max_24h))
}

/// The bound on a raise that counts from a rate.
fn raise(facts: &Facts<'_>, from: Micros, delta: Ratio) -> Restriction {
    let from = seeded::delta_base(from, facts.normalised);
    upper(facts, grown(from, delta), from)
}

pub(super) fn delta_normalised(facts: &Facts<'_>) -> Option<Restriction> {
    let delta = facts.config.delta_max_normalised?;
    is_hourly(facts.context).then(|| normalised(facts, facts.current, delta, Change::within_hour))
}

pub(super) fn delta_normalised_24h(facts: &Facts<'_>) -> Option<Restriction> {
    let delta = facts.config.delta_max_24h_normalised?;
    Some(normalised(
        facts,
        facts.day_ago(),
        delta,
        Change::within_day,
    ))
}

fn normalised(
    facts: &Facts<'_>,
    from: Micros,
    delta: Ratio,
    change: fn(Traffic) -> Change,
) -> Restriction {
    let Some(change) = facts.context.traffic.map(change) else {
        return facts.missing(Operand::Ratio(delta));
    };
    let one = Ratio::ONE.ppm();
    let worth = |factor| at_traffic(from, change, Ratio::from_ppm(factor));
    match (worth(one), worth(one + delta.ppm())) {
        (Some(worth), Some(most)) => upper(facts, most, worth),
        // Without traffic, a rate has no daily budget that it stands for.
        _ => facts.missing(Operand::Ratio(delta)),
    }
}

/// The bound on a raise.
///
/// From nothing one may start at the floor. What runs may go on: a bound on changes is no reason
/// for one.
fn upper(facts: &Facts<'_>, most: Micros, from: Micros) -> Restriction {
    let start = floor(facts.config, facts.current);
    let ceiling = most.max(start).max(facts.current);
    let asked = Operand::Money(facts.normalised);
    facts.clamp(ceiling, asked, Operand::Money(from))
}
