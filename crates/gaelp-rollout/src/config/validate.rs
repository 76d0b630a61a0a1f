//! What makes a rollout's own fields valid.

use std::fmt;

use gaelp_core::{Micros, Ratio};

use super::{RolloutConfig, Violation};
use crate::{Budgeting, Mode};

/// How far back reports may be read again: what an ad set's record retains.
const MAX_REREAD_HOURS: u32 = 24 * 7;
/// The most multipliers: more would not be told apart on a small budget.
const MAX_MULTIPLIERS: usize = 16;
/// The longest name of a runner, in bytes.
const MAX_NAME: usize = 100;
/// The longest that a write may wait to be sent, in seconds: it is decided for one hour.
const MAX_SENDING: u32 = 3_600;

/// Everything that is wrong, in the order of the fields.
pub(super) fn violations(config: &RolloutConfig) -> Vec<Violation> {
    let mut check = Check(Vec::new());
    money(config, &mut check);
    choices(config, &mut check);
    time(config, &mut check);
    authority(config, &mut check);
    if let Budgeting::Paced(paced) = &config.budgeting {
        check.0.extend(paced.violations(config));
    }
    check.0
}

fn money(config: &RolloutConfig, check: &mut Check) {
    check.ratio("margin", config.margin, 1, 1_000_000, "above 0, at most 1");
    check.holds(
        "lambda_spend",
        config.lambda_spend,
        !config.lambda_spend.is_negative() && config.lambda_spend <= config.lambda_max,
        "from 0 to lambda_max",
    );
    check.ratio(
        "lambda_max",
        config.lambda_max,
        0,
        1_000_000_000,
        "from 0 to 1000",
    );
    check.ratio(
        "lagrange_step",
        config.lagrange_step,
        0,
        1_000_000,
        "from 0 to 1",
    );
    let target = config.daily_budget_target;
    check.holds(
        "daily_budget_target",
        target,
        target > Micros::ZERO,
        "above 0",
    );
    if let Some(meant) = config.target_cpa {
        check.holds("target_cpa", meant, meant > Micros::ZERO, "above 0");
    }
    let elasticity = config.response_elasticity;
    check.ratio(
        "response_elasticity",
        elasticity,
        1,
        1_000_000,
        "above 0, at most 1",
    );
}

fn choices(config: &RolloutConfig, check: &mut Check) {
    let multipliers = &config.multipliers;
    let ascending = multipliers.windows(2).all(|pair| pair[0] < pair[1]);
    let sane = multipliers
        .iter()
        .all(|m| (0..=10_000_000).contains(&m.ppm()));
    let shown: Vec<f64> = multipliers.iter().map(|m| m.to_f64()).collect();
    check.holds(
        "multipliers",
        format_args!("{shown:?}"),
        ascending
            && sane
            && multipliers.len() <= MAX_MULTIPLIERS
            && multipliers.contains(&Ratio::ONE),
        "ascending, from 0 to 10, at most 16 of them, 1 among them",
    );
}

fn time(config: &RolloutConfig, check: &mut Check) {
    for (field, hours) in [
        ("reread_hours", config.reread_hours),
        ("settle_hours", config.settle_hours),
    ] {
        check.holds(field, hours, hours <= MAX_REREAD_HOURS, "at most 168");
    }
    let seconds = config.send_within_secs;
    let holds = (1..=MAX_SENDING).contains(&seconds);
    check.holds("send_within_secs", seconds, holds, "from 1 to 3600");
}

fn authority(config: &RolloutConfig, check: &mut Check) {
    let runner = &config.runner;
    let named = !runner.is_empty() && runner.len() <= MAX_NAME;
    check.holds(
        "runner",
        format_args!("{runner:?}"),
        named,
        "a name of at most 100 bytes",
    );
    check.holds(
        "guardrails.canary",
        "none",
        config.mode == Mode::Shadow || config.guardrails.canary.is_some(),
        "a list of ad sets, because pilot mode changes only those that are named",
    );
}

/// Collects what is wrong.
struct Check(Vec<Violation>);

impl Check {
    fn holds(
        &mut self,
        field: &'static str,
        value: impl fmt::Display + Copy,
        holds: bool,
        allowed: &'static str,
    ) {
        if !holds {
            let value = value.to_string();
            self.0.push(Violation {
                field,
                value,
                allowed,
            });
        }
    }

    fn ratio(
        &mut self,
        field: &'static str,
        value: Ratio,
        low: i64,
        high: i64,
        allowed: &'static str,
    ) {
        let holds = (low..=high).contains(&value.ppm());
        self.holds(field, value, holds, allowed);
    }
}
