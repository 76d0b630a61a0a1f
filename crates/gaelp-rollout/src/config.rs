//! What a rollout is told once, and the checks that make it trustworthy.

use std::fmt;
use std::num::NonZeroU32;

use chrono::Duration;
use gaelp_budget::TrafficProfile;
use gaelp_core::{AccountZone, Currency, Micros, Ratio, Seed};
use gaelp_guardrails::{BreakerConfig, ConfigViolations, GuardrailConfig, Policy};
use gaelp_ledger::{LedgerConfig, LedgerConfigError, Limits};
use gaelp_platform::Capabilities;
use serde::{Deserialize, Serialize};

use crate::{Budgeting, Mode, Phase};

mod validate;

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
    /// How an hour's budgets come about. Default: each ad set by itself.
    #[serde(skip_serializing_if = "Budgeting::is_classic")]
    pub budgeting: Budgeting,
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
    /// For how many seconds an ad set that no list of budgets names any more still counts at what
    /// it had. Default: three days.
    pub gone_after_secs: u32,
    /// Whether every step ends with a [`Checkpoint`](crate::Checkpoint) in the journal. Default:
    /// no, because a replay can be repeated; a live run needs it.
    pub checkpoints: bool,
    /// After how many steps in a row with an exceeded cap nothing is raised until an operator
    /// says so; in shadow mode, until the next local day. Default: 3.
    pub emergency_after: NonZeroU32,
    /// When a platform's failures stop raises.
    pub breaker: BreakerConfig,
    /// The rules that every change must pass.
    pub guardrails: GuardrailConfig,
    /// Rules on trial: they are asked about every decision beside those in force, on the same
    /// facts, and change nothing; what they would have said is [recorded](crate::TrialRecord).
    /// Default: none.
    ///
    /// What the account may still spend is split by the cap in force, also for them. Where they look
    /// further back than the rules in force, more history is read and kept, and traffic is learnt
    /// from more of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<GuardrailConfig>,
    /// What a conversion is meant to cost, for the rule on the
    /// [largest multiple](GuardrailConfig::max_cpa_multiplier) of it. Default: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_cpa: Option<Micros>,
    /// How a week's traffic falls onto its hours, for the rules on
    /// [traffic-normalised changes](GuardrailConfig::delta_max_normalised). Default: learnt, where
    /// such a rule is on, from the impressions that platforms report for hours. Those follow the
    /// budgets too; who knows the shape from visits should say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficProfile>,
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
            budgeting: Budgeting::Classic,
            reread_hours: 0,
            settle_hours: 0,
            phase: Phase::Whole,
            runner: "gaelp".to_owned(),
            send_within_secs: 300,
            request_lifetime_secs: 900,
            clock_skew_secs: 30,
            read_backs: 2,
            gone_after_secs: 72 * 3600,
            checkpoints: false,
            emergency_after: NonZeroU32::new(3).expect("three is not zero"),
            breaker: BreakerConfig::default(),
            guardrails: GuardrailConfig::default(),
            candidate: None,
            target_cpa: None,
            traffic: None,
        }
    }
}

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
            gone_after_secs: self.gone_after_secs,
        };
        config.validate().map_err(|wrong| ConfigError {
            violations: Vec::new(),
            guardrails: None,
            candidate: None,
            breaker: None,
            ledger: Some(wrong),
        })
    }

    pub(crate) fn clock_skew(&self) -> Duration {
        Duration::seconds(i64::from(self.clock_skew_secs))
    }

    /// The policy on trial.
    pub(crate) fn on_trial(&self) -> Result<Option<Policy>, ConfigViolations> {
        self.candidate.clone().map(Policy::new).transpose()
    }

    /// Checks everything and reports all that is wrong, not only the first.
    ///
    /// # Errors
    /// [`ConfigError`] lists the violations.
    pub fn validate(&self) -> Result<Policy, ConfigError> {
        let violations = validate::violations(self);
        let rules = Policy::new(self.guardrails.clone());
        let breaker = self.breaker.validate();
        match (rules, breaker, self.on_trial()) {
            (Ok(policy), Ok(_), Ok(_)) if violations.is_empty() => Ok(policy),
            (rules, breaker, candidate) => Err(ConfigError {
                violations,
                guardrails: rules.err(),
                candidate: candidate.err().map(Box::new),
                breaker: breaker.err(),
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
    /// What is wrong with the rules on trial.
    pub candidate: Option<Box<ConfigViolations>>,
    /// What is wrong with the circuit breaker.
    pub breaker: Option<ConfigViolations>,
    /// What is wrong with what the spend ledger is to be opened with.
    pub ledger: Option<LedgerConfigError>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is refused")?;
        for violation in &self.violations {
            write!(f, "\n  {violation}")?;
        }
        for inner in [&self.guardrails, &self.breaker].into_iter().flatten() {
            write!(f, "\n  {inner}")?;
        }
        if let Some(inner) = &self.candidate {
            write!(f, "\n  candidate: {inner}")?;
        }
        if let Some(inner) = &self.ledger {
            write!(f, "\n  {inner}")?;
        }
        Ok(())
    }
}
