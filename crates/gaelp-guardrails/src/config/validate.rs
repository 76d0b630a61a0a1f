//! What makes settings valid.

use gaelp_core::{Micros, Operand, Quantity, Ratio, RuleId};

use super::{GuardrailConfig, MAX_AMOUNT, OnFreeze};
use crate::{ConfigViolation, RuleProblem, Trailing, rules};

/// The longest time that a setting may name: what a record of the last hours can hold.
const MAX_HOURS: u32 = Trailing::MAX_RETAIN_HOURS;
/// The largest ROAS that a setting may name: a million.
const MAX_ROAS: Ratio = Ratio::from_ppm(1_000_000_000_000);
/// The most evaluations that may have to agree on a freeze: a week of hours.
const MAX_EVALUATIONS: u32 = 7 * 24;
/// The most edits per hour that a setting may name, and the most weeks.
const MAX_COUNT: u32 = 1_000;
/// The most conversions per hour, or expected at all, that a setting may name: a million.
const MAX_CONVERSIONS: u64 = 1_000_000_000_000;
/// The largest multiple of a usual or intended amount that a setting may name.
const MAX_MULTIPLE: Ratio = Ratio::from_ppm(1_000_000_000);
/// The smallest amount that is something.
const SOME_MONEY: Micros = Micros::new(1);
/// The smallest ratio that is something.
const SOME_RATIO: Ratio = Ratio::from_ppm(1);

/// Everything that is wrong with the settings, in their order.
pub(super) fn violations(config: &GuardrailConfig) -> Vec<ConfigViolation> {
    let mut check = Check(Vec::new());
    money(config, &mut check);
    changes(config, &mut check);
    hours(config, &mut check);
    freezes(config, &mut check);
    spikes(config, &mut check);
    data(config, &mut check);
    writes(config, &mut check);
    lists(config, &mut check);
    check.0
}

fn money(config: &GuardrailConfig, check: &mut Check) {
    check.money("daily_cap", config.daily_cap, SOME_MONEY);
    if let Some(cap) = config.ad_set_daily_cap {
        within_day(config, check, "ad_set_daily_cap", cap);
    }
    if let Some(cap) = config.campaign_daily_cap {
        within_day(config, check, "campaign_daily_cap", cap);
    }
    for &cap in config.platform_daily_caps.values() {
        within_day(config, check, "platform_daily_caps", cap);
    }
    let raises = &config.hourly_raise_caps;
    let raises = [
        raises.account,
        raises.platform,
        raises.campaign,
        raises.ad_set,
    ];
    for cap in raises.into_iter().flatten() {
        check.money("hourly_raise_caps", cap, Micros::ZERO);
    }
    if let Some(taper) = config.taper {
        let below_one = Ratio::from_ppm(Ratio::ONE.ppm() - 1);
        check.ratio("taper", taper.from, Ratio::ZERO, below_one);
        check.ratio("taper", taper.least, Ratio::ZERO, Ratio::ONE);
    }
    if let Some(cap) = config.exploration_daily_cap {
        check.money("exploration_daily_cap", cap, Micros::ZERO);
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
    for (field, bid) in [
        ("bid_floor", config.bid_floor),
        ("bid_ceiling", config.bid_ceiling),
    ] {
        if let Some(bid) = bid {
            check.money(field, bid, Micros::ZERO);
        }
    }
    if let Some((floor, ceiling)) = config.bid_floor.zip(config.bid_ceiling) {
        let (value, least) = (Operand::Money(ceiling), Operand::Money(floor));
        check.not_below(ceiling >= floor, "bid_ceiling", value, "bid_floor", least);
    }
}

/// A cap per day, which is not above the account's.
fn within_day(config: &GuardrailConfig, check: &mut Check, field: &'static str, cap: Micros) {
    check.money(field, cap, SOME_MONEY);
    let (value, most) = (Operand::Money(cap), Operand::Money(config.daily_cap));
    check.not_above(cap <= config.daily_cap, field, value, "daily_cap", most);
}

fn changes(config: &GuardrailConfig, check: &mut Check) {
    check.ratio("delta_max", config.delta_max, SOME_RATIO, Ratio::ONE);
    let day = config.delta_max_24h;
    check.ratio("delta_max_24h", day, SOME_RATIO, Ratio::ONE);
    for (field, delta) in [
        ("delta_max_normalised", config.delta_max_normalised),
        ("delta_max_24h_normalised", config.delta_max_24h_normalised),
    ] {
        if let Some(delta) = delta {
            check.ratio(field, delta, SOME_RATIO, Ratio::ONE);
        }
    }
}

fn hours(config: &GuardrailConfig, check: &mut Check) {
    if let Some(ceiling) = config.restricted_ceiling {
        check.money("restricted_ceiling", ceiling, Micros::ZERO);
    }
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
    if let Some(multiplier) = config.max_cpa_multiplier {
        check.ratio("max_cpa_multiplier", multiplier, Ratio::ONE, MAX_MULTIPLE);
    }
    if let Some(hours) = config.freeze_without_conversion_hours {
        check.hours("freeze_without_conversion_hours", hours, 1);
        // Fewer hours without a conversion than these happen by chance.
        if let Some(least) = config.dry_hours(None).filter(|&least| least > hours) {
            let least = Operand::Hours(i64::from(least));
            let field = "freeze_without_conversion_hours";
            let other = "expected_conversions_per_hour";
            check.not_below(false, field, Operand::Hours(i64::from(hours)), other, least);
        }
    }
    if let Some(rate) = config.expected_conversions_per_hour {
        check.quantity("expected_conversions_per_hour", rate);
    }
    let conversions = config.min_expected_conversions;
    check.quantity("min_expected_conversions", conversions);
    let spend = config.minimum_window_spend;
    check.money("minimum_window_spend", spend, Micros::ZERO);
    let after = config.freeze_after_evaluations;
    check.count("freeze_after_evaluations", after, 1, MAX_EVALUATIONS);
    check.hours("dwell_hours", config.dwell_hours, 0);
}

fn data(config: &GuardrailConfig, check: &mut Check) {
    check.hours("max_data_age_hours", config.max_data_age_hours, 0);
    let coverage = config.min_coverage;
    check.ratio("min_coverage", coverage, Ratio::ZERO, Ratio::ONE);
}

fn spikes(config: &GuardrailConfig, check: &mut Check) {
    if let Some(spike) = config.max_spike {
        check.ratio("max_spike", spike, Ratio::ONE, MAX_MULTIPLE);
    }
    let spend = config.spike_minimum_spend;
    check.money("spike_minimum_spend", spend, Micros::ZERO);
    check.count("spike_min_weeks", config.spike_min_weeks, 1, MAX_COUNT);
}

fn writes(config: &GuardrailConfig, check: &mut Check) {
    let hours = config.external_edit_freeze_hours;
    check.hours("external_edit_freeze_hours", hours, 0);
    if let Some(edits) = config.max_edits_per_hour {
        check.count("max_edits_per_hour", edits, 2, MAX_COUNT);
    }
}

fn lists(config: &GuardrailConfig, check: &mut Check) {
    for (field, on_freeze) in [
        ("on_freeze", config.on_freeze),
        ("on_missing_data", config.on_missing_data),
        ("on_spike", config.on_spike),
    ] {
        if let OnFreeze::StepDown(by) = on_freeze {
            check.ratio(field, by, SOME_RATIO, Ratio::ONE);
        }
    }
    for rule in &config.observe {
        let always = rules::ALWAYS_ENFORCED.contains(rule);
        check.rule(
            "observe",
            rule,
            always.then_some(RuleProblem::AlwaysEnforced),
        );
    }
    for rule in &config.require {
        let needs = rules::requirable().any(|requirable| requirable == rule);
        check.rule(
            "require",
            rule,
            (!needs).then_some(RuleProblem::NeedsNoFact),
        );
    }
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

    fn count(&mut self, field: &'static str, value: u32, least: u32, most: u32) {
        let inside = (least..=most).contains(&value);
        let count = |number: u32| Operand::Count(i64::from(number));
        self.range(inside, field, count(value), count(least), count(most));
    }

    /// A number of conversions: some, and not more than anyone has.
    fn quantity(&mut self, field: &'static str, value: Quantity) {
        let inside = (1..=MAX_CONVERSIONS).contains(&value.millionths());
        let ratio = |millionths: u64| {
            let millionths = i64::try_from(millionths).unwrap_or(i64::MAX);
            Operand::Ratio(Ratio::from_ppm(millionths))
        };
        let (least, most) = (ratio(1), ratio(MAX_CONVERSIONS));
        self.range(inside, field, ratio(value.millionths()), least, most);
    }

    fn rule(&mut self, field: &'static str, rule: &RuleId, problem: Option<RuleProblem>) {
        let known = rules::place(rule).is_some();
        let problem = if known {
            problem
        } else {
            Some(RuleProblem::Unknown)
        };
        if let Some(problem) = problem {
            let rule = rule.clone();
            self.0.push(ConfigViolation::Rule {
                field,
                rule,
                problem,
            });
        }
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
