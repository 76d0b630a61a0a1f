//! What makes settings valid.

use gaelp_core::{Micros, Operand, Ratio};

use super::{GuardrailConfig, MAX_AMOUNT};
use crate::{ConfigViolation, Trailing};

/// The longest time that a setting may name: what a record of the last hours can hold.
const MAX_HOURS: u32 = Trailing::MAX_RETAIN_HOURS;
/// The largest ROAS that a setting may name: a million.
const MAX_ROAS: Ratio = Ratio::from_ppm(1_000_000_000_000);
/// The most evaluations that may have to agree on a freeze: a week of hours.
const MAX_EVALUATIONS: u32 = 7 * 24;
/// The smallest amount that is something.
const SOME_MONEY: Micros = Micros::new(1);
/// The smallest ratio that is something.
const SOME_RATIO: Ratio = Ratio::from_ppm(1);

/// Everything that is wrong with the settings, in their order.
pub(super) fn violations(config: &GuardrailConfig) -> Vec<ConfigViolation> {
    let mut check = Check(Vec::new());
    money(config, &mut check);
    changes(config, &mut check);
    freezes(config, &mut check);
    data(config, &mut check);
    check.0
}

fn money(config: &GuardrailConfig, check: &mut Check) {
    check.money("daily_cap", config.daily_cap, SOME_MONEY);
    if let Some(cap) = config.ad_set_daily_cap {
        check.money("ad_set_daily_cap", cap, SOME_MONEY);
        let (value, most) = (Operand::Money(cap), Operand::Money(config.daily_cap));
        let ordered = cap <= config.daily_cap;
        check.not_above(ordered, "ad_set_daily_cap", value, "daily_cap", most);
    }
    check.money("hourly_floor", config.hourly_floor, Micros::ZERO);
    check.money("hourly_ceiling", config.hourly_ceiling, SOME_MONEY);
    check.not_below(
        config.hourly_ceiling >= config.hourly_floor,
        "hourly_ceiling",
        Operand::Money(config.hourly_ceiling),
        "hourly_floor",
        Operand::Money(config.hourly_floor),
    );
}

fn changes(config: &GuardrailConfig, check: &mut Check) {
    check.ratio("delta_max", config.delta_max, SOME_RATIO, Ratio::ONE);
    let day = config.delta_max_24h;
    check.ratio("delta_max_24h", day, SOME_RATIO, Ratio::ONE);
}

fn freezes(config: &GuardrailConfig, check: &mut Check) {
    if let Some(bound) = config.freeze_roas_below {
        check.ratio("freeze_roas_below", bound, SOME_RATIO, MAX_ROAS);
    }
    if let Some(exit) = config.unfreeze_roas_at {
        check.ratio("unfreeze_roas_at", exit, SOME_RATIO, MAX_ROAS);
        if let Some(bound) = config.freeze_roas_below {
            let (value, least) = (Operand::Ratio(exit), Operand::Ratio(bound));
            let ordered = exit >= bound;
            check.not_below(
                ordered,
                "unfreeze_roas_at",
                value,
                "freeze_roas_below",
                least,
            );
        }
    }
    check.hours("roas_window_hours", config.roas_window_hours, 1);
    if let Some(bound) = config.freeze_cpa_above {
        check.money("freeze_cpa_above", bound, SOME_MONEY);
    }
    if let Some(exit) = config.unfreeze_cpa_at {
        check.money("unfreeze_cpa_at", exit, SOME_MONEY);
        if let Some(bound) = config.freeze_cpa_above {
            let (value, most) = (Operand::Money(exit), Operand::Money(bound));
            check.not_above(
                exit <= bound,
                "unfreeze_cpa_at",
                value,
                "freeze_cpa_above",
                most,
            );
        }
    }
    if let Some(hours) = config.freeze_without_conversion_hours {
        check.hours("freeze_without_conversion_hours", hours, 1);
    }
    let spend = config.minimum_window_spend;
    check.money("minimum_window_spend", spend, Micros::ZERO);
    let count = |number: u32| Operand::Count(i64::from(number));
    check.range(
        (1..=MAX_EVALUATIONS).contains(&config.freeze_after_evaluations),
        "freeze_after_evaluations",
        count(config.freeze_after_evaluations),
        count(1),
        count(MAX_EVALUATIONS),
    );
    check.hours("dwell_hours", config.dwell_hours, 0);
}

fn data(config: &GuardrailConfig, check: &mut Check) {
    check.hours("max_data_age_hours", config.max_data_age_hours, 0);
    let coverage = config.min_coverage;
    check.ratio("min_coverage", coverage, Ratio::ZERO, Ratio::ONE);
}

/// Collects what is wrong.
struct Check(Vec<ConfigViolation>);

impl Check {
    fn money(&mut self, field: &'static str, value: Micros, least: Micros) {
        let inside = (least..=MAX_AMOUNT).contains(&value);
        let most = Operand::Money(MAX_AMOUNT);
        let (value, least) = (Operand::Money(value), Operand::Money(least));
        self.range(inside, field, value, least, most);
    }

    fn ratio(&mut self, field: &'static str, value: Ratio, least: Ratio, most: Ratio) {
        let inside = (least..=most).contains(&value);
        let (least, most) = (Operand::Ratio(least), Operand::Ratio(most));
        self.range(inside, field, Operand::Ratio(value), least, most);
    }

    fn hours(&mut self, field: &'static str, value: u32, least: u32) {
        let inside = (least..=MAX_HOURS).contains(&value);
        let hours = |number: u32| Operand::Hours(i64::from(number));
        self.range(inside, field, hours(value), hours(least), hours(MAX_HOURS));
    }

    fn range(
        &mut self,
        inside: bool,
        field: &'static str,
        value: Operand,
        least: Operand,
        most: Operand,
    ) {
        if !inside {
            self.0.push(ConfigViolation::OutOfRange {
                field,
                value,
                least,
                most,
            });
        }
    }

    fn not_below(
        &mut self,
        ordered: bool,
        field: &'static str,
        value: Operand,
        other: &'static str,
        least: Operand,
    ) {
        if !ordered {
            self.0.push(ConfigViolation::BelowOther {
                field,
                value,
                other,
                least,
            });
        }
    }

    fn not_above(
        &mut self,
        ordered: bool,
        field: &'static str,
        value: Operand,
        other: &'static str,
        most: Operand,
    ) {
        if !ordered {
            self.0.push(ConfigViolation::AboveOther {
                field,
                value,
                other,
                most,
            });
        }
    }
}
