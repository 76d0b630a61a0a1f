//! How fast, and when, rates may rise.

use gaelp_core::{Micros, Operand, Ratio};

use super::facts::{floor, is_hourly, share};
use super::{Facts, Restriction};

pub(super) fn delta_max(facts: &Facts<'_>) -> Option<Restriction> {
    is_hourly(facts.context).then(|| raise(facts, facts.current, facts.config.delta_max))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of all rules")]
pub(super) fn delta_max_24h(facts: &Facts<'_>) -> Option<Restriction> {
    let day_ago = facts.day_ago();
    Some(raise(facts, day_ago, facts.config.delta_max_24h))
}

/// The bound on a raise that counts from a rate.
///
/// From nothing one may start at the floor. What runs may go on: a bound on changes is no reason
/// for one.
fn raise(facts: &Facts<'_>, from: Micros, delta: Ratio) -> Restriction {
    let most = from.checked_add(share(from, delta)).unwrap_or(from);
    let start = floor(facts.config, facts.current);
    let ceiling = most.max(start).max(facts.current);
    let asked = Operand::Money(facts.normalised);
    facts.clamp(ceiling, asked, Operand::Money(from))
}

pub(super) fn peak_hours(facts: &Facts<'_>) -> Option<Restriction> {
    let peak = facts.config.peak_hours?;
    let hour = facts.context.local.hour;
    let outside = is_hourly(facts.context) && !peak.contains(hour);
    let (hour, start) = (i64::from(hour), i64::from(peak.start()));
    outside.then(|| facts.freeze(Operand::Hours(hour), Operand::Hours(start)))
}
