//! How an hour's budgets come about: the settings.

use gaelp_budget::{Controller, PacingConfig, ProfileError, TrafficProfile};
use gaelp_core::Ratio;
use serde::{Deserialize, Serialize};

use crate::{RolloutConfig, Violation};

/// How an hour's budgets come about.
///
/// ```
/// use gaelp_rollout::{Budgeting, PacedConfig, RolloutConfig};
///
/// let config = RolloutConfig {
///     budgeting: Budgeting::Paced(PacedConfig::default()),
///     ..RolloutConfig::default()
/// };
/// assert!(config.validate().is_ok());
/// assert_eq!(RolloutConfig::default().budgeting, Budgeting::Classic);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Budgeting {
    /// Each ad set by itself: the rate in force times the multiplier that its bandit chose. λ
    /// follows the account's spend once a day, by the guide's rule.
    #[default]
    Classic,
    /// The account first: a controller sets λ and what this hour may spend, an exact allocation
    /// spreads that over the ad sets, each within what the multiplier that its bandit chose
    /// permits, and the guardrails judge what comes out.
    Paced(PacedConfig),
}

impl Budgeting {
    /// Whether it is the classic one: then it is not written down, so that configurations from
    /// before this choice have the digest they had.
    pub(crate) fn is_classic(&self) -> bool {
        *self == Self::Classic
    }
}

/// How the account's money is paced and spread.
///
/// λ at the start, its bound and the day's target are those of the
/// [`RolloutConfig`](crate::RolloutConfig), as is the elasticity of the curves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PacedConfig {
    /// The rule that sets λ, every hour. Default: that of [`Controller`], which without a forecast
    /// is entropic mirror descent.
    pub controller: Controller,
    /// How many times what runs an hour may spend at worst; 1 to 10. Default 1.25.
    pub overdelivery: Ratio,
    /// How many hours in a row may pass without a decision. Default 1.
    pub unattended_hours: u32,
    /// By which share the spend of a reported hour may still grow. Default 0.
    pub grows: Ratio,
    /// How far daily budgets together may lie from the day's target, as a share of it. Default
    /// 0.25: what a day missed by more is not made up for in its last hours.
    pub band: Ratio,
    /// A change smaller than this share of a rate is not made. Default 0.02.
    pub dead_band: Ratio,
    /// How a week's spend is expected to lie on its 168 hours, from Monday midnight; `None` for
    /// evenly. Default `None`.
    pub traffic: Option<Vec<f64>>,
    /// How many weeks of reports that expectation is worth. Default 1.
    pub traffic_weeks: f64,
    /// Over how many hours spend and revenue make the curves; 24 to 672. Default 168.
    pub evidence_hours: u32,
    /// How much spend at the account's own return is added to each ad set's evidence, in days'
    /// targets; above 0. Default 1.
    pub pooled_days: Ratio,
}

impl Default for PacedConfig {
    fn default() -> Self {
        let pacing = PacingConfig::default();
        Self {
            controller: pacing.controller,
            overdelivery: pacing.overdelivery,
            unattended_hours: pacing.unattended_hours,
            grows: pacing.grows,
            band: Ratio::from_ppm(250_000),
            dead_band: Ratio::from_ppm(20_000),
            traffic: None,
            traffic_weeks: 1.0,
            evidence_hours: 168,
            pooled_days: Ratio::ONE,
        }
    }
}

impl PacedConfig {
    /// The settings of the pacing, with λ at a value.
    pub(crate) fn pacing(&self, config: &RolloutConfig, lambda: Ratio) -> PacingConfig {
        PacingConfig {
            controller: self.controller,
            lambda_spend: lambda,
            lambda_max: config.lambda_max,
            overdelivery: self.overdelivery,
            unattended_hours: self.unattended_hours,
            grows: self.grows,
            ..PacingConfig::default()
        }
    }

    /// A profile that has seen nothing.
    pub(crate) fn profile(&self) -> Result<TrafficProfile, ProfileError> {
        match &self.traffic {
            Some(week) => TrafficProfile::with_prior(week, self.traffic_weeks),
            None => TrafficProfile::flat(self.traffic_weeks),
        }
    }

    /// Everything that is wrong with it.
    pub(crate) fn violations(&self, config: &RolloutConfig) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut check = |field, value: String, holds: bool, allowed| {
            if !holds {
                found.push(Violation {
                    field,
                    value,
                    allowed,
                });
            }
        };
        let within = |ratio: Ratio, low: i64, high: i64| (low..=high).contains(&ratio.ppm());
        if let Err(wrong) = self.pacing(config, config.lambda_spend).validate() {
            let allowed = "settings of pacing within their ranges";
            check("budgeting", wrong.to_string(), false, allowed);
        }
        let shown = |ratio: Ratio| ratio.to_string();
        let (band, dead) = (self.band, self.dead_band);
        let share = "above 0, at most 1";
        check("band", shown(band), within(band, 1, 1_000_000), share);
        let below = "from 0 to 0.5";
        check("dead_band", shown(dead), within(dead, 0, 500_000), below);
        if let Err(wrong) = self.profile() {
            let allowed = "168 shares from 0 up, and from 0.01 to 1000 weeks";
            check("traffic", wrong.to_string(), false, allowed);
        }
        let hours = self.evidence_hours;
        let holds = (24..=672).contains(&hours);
        check("evidence_hours", hours.to_string(), holds, "from 24 to 672");
        let (pooled, days) = (self.pooled_days, "above 0, at most 100");
        let holds = within(pooled, 1, 100_000_000);
        check("pooled_days", shown(pooled), holds, days);
        let elasticity = config.response_elasticity;
        let holds = within(elasticity, 50_000, 950_000);
        let allowed = "from 0.05 to 0.95 where budgets are paced";
        check("response_elasticity", shown(elasticity), holds, allowed);
        found
    }
}
