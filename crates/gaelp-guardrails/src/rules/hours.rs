//! When rates may rise.

use gaelp_core::{Level, Operand};

use super::facts::is_hourly;
use super::{Facts, Restriction};

pub(super) fn peak_hours(facts: &Facts<'_>) -> Option<Restriction> {
    let peak = facts.config.peak_hours?;
    let hour = facts.context.local.hour;
    let outside = is_hourly(facts.context) && !peak.contains(hour);
    let (hour, start) = (i64::from(hour), i64::from(peak.start()));
    outside.then(|| facts.freeze(Operand::Hours(hour), Operand::Hours(start)))
}

pub(super) fn restricted_hours(facts: &Facts<'_>) -> Option<Restriction> {
    let restricted = facts.config.restricted_hours?;
    let hour = facts.context.local.hour;
    if !is_hourly(facts.context) || !restricted.contains(hour) {
        return None;
    }
    let ceiling = facts.config.restricted_ceiling.unwrap_or(facts.current);
    Some(Restriction {
        ceiling: Some(ceiling.min(facts.current)),
        level: Level::Freeze,
        observed: Operand::Hours(i64::from(hour)),
        threshold: Operand::Hours(i64::from(restricted.start())),
    })
}
