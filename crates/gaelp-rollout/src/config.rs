//! What a rollout is told once, and the checks that make it trustworthy.

use std::fmt;
use std::num::NonZeroU32;

use chrono::Duration;
use gaelp_core::{AccountZone, Currency, Micros, Ratio, Seed};
use gaelp_guardrails::{BreakerConfig, ConfigViolations, GuardrailConfig, Policy};
use gaelp_ledger::{LedgerConfig, LedgerConfigError, Limits};
use gaelp_platform::Capabilities;
use serde::{Deserialize, Serialize};

use crate::{Mode, Phase};

/// The configuration of a rollout: plain data, checked by [`RolloutConfig::validate`].
///
/// The defaults are those of the guide for small budgets: $10 a day, multipliers from one half to
/// five quarters, λ = 0.2.
///
/// ```
/// use gaelp_core::{Micros, Ratio};
/// use gaelp_rollout::{Rollout, RolloutConfig};
///
/// let config = RolloutConfig { daily_budget_target: Micros::ZERO, ..RolloutConfig::default() };
/// let refused = Rollout::new(config, Vec::new()).unwrap_err();
/// assert!(refused.to_string().contains("daily_budget_target"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolloutConfig {
    /// How much authority it has. Default: shadow.
    pub mode: Mode,
    /// The account's clock: what "today" and "peak hours" mean. Default: UTC.
    pub zone: AccountZone,
    /// The one currency of everything. Default: USD.
    pub currency: Currency,
    /// The seed of every draw. Default: 0.
    pub seed: Seed,
    /// The share of revenue that is left after the cost of what was sold. Default: 1, all of it,
    /// because only its owner knows a shop's margin.
    pub margin: Ratio,
    /// λ at the start, the price of money: a spent unit counts as 1 + λ. Default: 0.2.
    pub lambda_spend: Ratio,
    /// How fast λ follows the spend, once a day. Default: 0.05.
    pub lagrange_step: Ratio,
    /// The most that λ may become. Default: 10, so that a broken feed cannot wind it up for ever.
    pub lambda_max: Ratio,
    /// What the account is to spend in a local day. Default: 10.
    pub daily_budget_target: Micros,
    /// The choices: what the rate in force is multiplied by. Default: 0.5, 0.75, 1, 1.25.
    pub multipliers: Vec<Ratio>,
    /// How revenue responds to spend: spend × m brings revenue × m^elasticity. Default: 0.7,
    /// diminishing returns. It is an assumption, used where an outcome was not observed.
    pub response_elasticity: Ratio,
    /// Where revenue and conversions come from. Default: the platforms' own reports.
    pub revenue: RevenueFrom,
    /// How many hours back reports are read again, to pick up restatements. Default: 0.
    pub reread_hours: u32,
    /// How many hours after midnight a day is taken as fully reported. Default: 0.
    pub settle_hours: u32,
    /// How far the rollout has come: in pilot mode, the ad sets of the canary list are together
    /// raised up to this phase's share of the cap. Default: the whole of it.
    pub phase: Phase,
    /// The name under which this process takes the spend ledger over. Default: `gaelp`.
    pub runner: String,
    /// How many seconds after its admission a write may be sent. Default: 300.
    pub send_within_secs: u32,
    /// How many seconds after it was sent a write may still take effect. Default: 900. It is an
    /// assumption about the platforms; shadow mode is there to measure it.
    pub request_lifetime_secs: u32,
    /// How many seconds clocks may differ or run back. Default: 30.
    pub clock_skew_secs: u32,
    /// How many equal readings settle a write whose outcome is unknown. Default: 2.
    pub read_backs: u32,
    /// Whether every step ends with a [`Checkpoint`](crate::Checkpoint) in the journal. Default:
    /// no, because a replay can be repeated; a live run needs it.
    pub checkpoints: bool,
    /// After how many steps in a row with an exceeded cap nothing is raised until an operator
    /// says so. Default: 3.
    pub emergency_after: NonZeroU32,
    /// When a platform's failures stop raises.
    pub breaker: BreakerConfig,
    /// The rules that every change must pass.
    pub guardrails: GuardrailConfig,
}

/// Where revenue and conversions come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevenueFrom {
    /// What the platforms report.
    #[default]
    Platform,
    /// The shop's orders, each credited to the ad sets in proportion to what they spent in the 24
    /// hours up to it. What platforms claim is ignored, so that nothing is counted twice.
    Shop,
}

impl Default for RolloutConfig {
    fn default() -> Self {
        Self {
            mode: Mode::Shadow,
            zone: AccountZone::UTC,
            currency: Currency::USD,
            seed: Seed::new(0),
            margin: Ratio::ONE,
            lambda_spend: Ratio::from_ppm(200_000),
            lagrange_step: Ratio::from_ppm(50_000),
            lambda_max: Ratio::from_ppm(10_000_000),
            daily_budget_target: Micros::new(10_000_000),
            multipliers: [500_000, 750_000, 1_000_000, 1_250_000]
                .map(Ratio::from_ppm)
                .into(),
            response_elasticity: Ratio::from_ppm(700_000),
            revenue: RevenueFrom::Platform,
            reread_hours: 0,
            settle_hours: 0,
            phase: Phase::Whole,
            runner: "gaelp".to_owned(),
            send_within_secs: 300,
            request_lifetime_secs: 900,
            clock_skew_secs: 30,
            read_backs: 2,
            checkpoints: false,
            emergency_after: NonZeroU32::new(3).expect("three is not zero"),
            breaker: BreakerConfig::default(),
            guardrails: GuardrailConfig::default(),
        }
    }
}

/// How far back reports may be read again: what an ad set's record retains.
const MAX_REREAD_HOURS: u32 = 24 * 7;
/// The most multipliers: more would not be told apart on a small budget.
const MAX_MULTIPLIERS: usize = 16;

impl RolloutConfig {
    /// What the spend ledger of the account is to be opened with.
    ///
    /// # Errors
    /// [`ConfigError`] where a figure is not one that the ledger takes.
    pub fn limits<'a>(
        &self,
        platforms: impl IntoIterator<Item = &'a Capabilities>,
    ) -> Result<Limits, ConfigError> {
        let overdelivery = |c: &Capabilities| (c.platform.clone(), c.overdelivery);
        let config = LedgerConfig {
            zone: self.zone,
            daily_cap: self.guardrails.daily_cap,
            overdelivery: platforms.into_iter().map(overdelivery).collect(),
            request_lifetime_secs: self.request_lifetime_secs,
            clock_skew_secs: self.clock_skew_secs,
            read_backs: self.read_backs,
        };
        config.validate().map_err(|wrong| ConfigError {
            violations: Vec::new(),
            guardrails: None,
            ledger: Some(wrong),
        })
    }

    pub(crate) fn clock_skew(&self) -> Duration {
        Duration::seconds(i64::from(self.clock_skew_secs))
    }

    /// Checks everything and reports all that is wrong, not only the first.
    ///
    /// # Errors
    /// [`ConfigError`] lists the violations.
    pub fn validate(&self) -> Result<Policy, ConfigError> {
        let mut found = Vec::new();
        let mut range = |field, value: String, holds: bool, allowed| {
            if !holds {
                found.push(Violation {
                    field,
                    value,
                    allowed,
                });
            }
        };
        let ratio_in = |ratio: Ratio, low: i64, high: i64| (low..=high).contains(&ratio.ppm());
        range(
            "margin",
            self.margin.to_string(),
            ratio_in(self.margin, 1, 1_000_000),
            "above 0, at most 1",
        );
        range(
            "lambda_spend",
            self.lambda_spend.to_string(),
            !self.lambda_spend.is_negative() && self.lambda_spend <= self.lambda_max,
            "from 0 to lambda_max",
        );
        range(
            "lambda_max",
            self.lambda_max.to_string(),
            ratio_in(self.lambda_max, 0, 1_000_000_000),
            "from 0 to 1000",
        );
        range(
            "lagrange_step",
            self.lagrange_step.to_string(),
            ratio_in(self.lagrange_step, 0, 1_000_000),
            "from 0 to 1",
        );
        range(
            "daily_budget_target",
            self.daily_budget_target.to_string(),
            self.daily_budget_target > Micros::ZERO,
            "above 0",
        );
        range(
            "response_elasticity",
            self.response_elasticity.to_string(),
            ratio_in(self.response_elasticity, 1, 1_000_000),
            "above 0, at most 1",
        );
        range(
            "reread_hours",
            self.reread_hours.to_string(),
            self.reread_hours <= MAX_REREAD_HOURS,
            "at most 168",
        );
        range(
            "settle_hours",
            self.settle_hours.to_string(),
            self.settle_hours <= MAX_REREAD_HOURS,
            "at most 168",
        );
        let ascending = self.multipliers.windows(2).all(|pair| pair[0] < pair[1]);
        let sane = self.multipliers.iter().all(|&m| ratio_in(m, 0, 10_000_000));
        range(
            "multipliers",
            format!(
                "{:?}",
                self.multipliers
                    .iter()
                    .map(|m| m.to_f64())
                    .collect::<Vec<_>>()
            ),
            ascending
                && sane
                && self.multipliers.len() <= MAX_MULTIPLIERS
                && self.multipliers.contains(&Ratio::ONE),
            "ascending, from 0 to 10, at most 16 of them, 1 among them",
        );
        range(
            "send_within_secs",
            self.send_within_secs.to_string(),
            (1..=3_600).contains(&self.send_within_secs),
            "from 1 to 3600",
        );
        range(
            "runner",
            format!("{:?}", self.runner),
            !self.runner.is_empty() && self.runner.len() <= 100,
            "a name of at most 100 bytes",
        );
        range(
            "guardrails.canary",
            "none".to_owned(),
            self.mode == Mode::Shadow || self.guardrails.canary.is_some(),
            "a list of ad sets, because pilot mode changes only those that are named",
        );
        match Policy::new(self.guardrails.clone()) {
            Ok(policy) if found.is_empty() => Ok(policy),
            Ok(_) => Err(ConfigError {
                violations: found,
                guardrails: None,
                ledger: None,
            }),
            Err(inner) => Err(ConfigError {
                violations: found,
                guardrails: Some(inner),
                ledger: None,
            }),
        }
    }
}

/// A field whose value is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field.
    pub field: &'static str,
    /// Its value, as text.
    pub value: String,
    /// What would be allowed.
    pub allowed: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}; allowed is: {}",
            self.field, self.value, self.allowed
        )
    }
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct ConfigError {
    /// What is wrong with the rollout's own fields.
    pub violations: Vec<Violation>,
    /// What is wrong with the guardrails.
    pub guardrails: Option<ConfigViolations>,
    /// What is wrong with what the spend ledger is to be opened with.
    pub ledger: Option<LedgerConfigError>,
}

impl ConfigError {
    pub(crate) fn of_rules(violations: ConfigViolations) -> Self {
        Self {
            violations: Vec::new(),
            guardrails: Some(violations),
            ledger: None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is refused")?;
        for violation in &self.violations {
            write!(f, "\n  {violation}")?;
        }
        if let Some(inner) = &self.guardrails {
            write!(f, "\n  {inner}")?;
        }
        if let Some(inner) = &self.ledger {
            write!(f, "\n  {inner}")?;
        }
        Ok(())
    }
}
