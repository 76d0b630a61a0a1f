//! Whether the reports say enough.

use gaelp_core::{Operand, Ratio};

use super::facts::known_hours;
use super::{Facts, Restriction};
use crate::{GuardrailConfig, Window, seeded};

pub(super) fn stale_data(facts: &Facts<'_>) -> Option<Restriction> {
    let context = facts.context;
    let newest = context.trailing.newest_before(context.now);
    // Daily reports come daily: their age is counted in their own length.
    let length = newest.map_or(1, |span| i64::from(span.len()));
    let limit = seeded::age_limit(i64::from(facts.config.max_data_age_hours) * length);
    let age = newest.map(|span| context.now.since(span.to));
    if age.is_some_and(|age| age <= limit) {
        return None;
    }
    let observed = age.map_or(Operand::Undefined, Operand::Hours);
    let on_missing = facts.config.on_missing_data;
    Some(facts.freeze_and(on_missing, observed, Operand::Hours(limit)))
}

pub(super) fn thin_data(facts: &Facts<'_>) -> Option<Restriction> {
    if !is_thin(facts.config, &facts.window) {
        return None;
    }
    let coverage = facts.window.coverage().unwrap_or(Ratio::ZERO);
    let least = Operand::Ratio(facts.config.min_coverage);
    let on_missing = facts.config.on_missing_data;
    Some(facts.freeze_and(on_missing, Operand::Ratio(coverage), least))
}

/// Whether too few hours of the window are reported to judge by it.
pub(super) fn is_thin(config: &GuardrailConfig, window: &Window) -> bool {
    // Compared without the rounding of a quotient.
    let covered = known_hours(window) * Ratio::ONE.ppm();
    covered < i64::from(window.asked_hours) * config.min_coverage.ppm()
}
