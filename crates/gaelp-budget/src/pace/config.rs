//! How money is paced: the settings.

use gaelp_core::Ratio;
use serde::{Deserialize, Serialize};

use super::Controller;
use crate::{OutOfRanges, error::Ranges};

/// How money is paced.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PacingConfig {
    /// The rule that sets λ.
    pub controller: Controller,
    /// λ on the first day. Default 0.2, the middle of what the low-spend guide says.
    #[serde(alias = "LAMBDA_SPEND")]
    pub lambda_spend: Ratio,
    /// λ is never lower. Default 0.
    pub lambda_min: Ratio,
    /// λ is never higher. Default 20.
    pub lambda_max: Ratio,
    /// How many times its allowance an hour may spend at worst; 1 to 10. Default 1.25.
    ///
    /// It is an assumption about platforms, on which the cap rests.
    pub overdelivery: Ratio,
    /// How many hours in a row may pass without a decision, while the last allowance runs on; up to
    /// 24. Default 1. The cap leaves room for them.
    pub unattended_hours: u32,
    /// By which share the spend of a reported hour may still grow; 0 to 1. Default 0.
    pub grows: Ratio,
    /// By which share the allowance ÷ the hour's share of the day may change from hour to hour;
    /// `None` for any. Default `None`: guardrails have a rule for it.
    pub delta_normalised: Option<Ratio>,
}

impl Default for PacingConfig {
    fn default() -> Self {
        Self {
            controller: Controller::default(),
            lambda_spend: Ratio::from_ppm(200_000),
            lambda_min: Ratio::ZERO,
            lambda_max: Ratio::from_ppm(20_000_000),
            overdelivery: Ratio::from_ppm(1_250_000),
            unattended_hours: 1,
            grows: Ratio::ZERO,
            delta_normalised: None,
        }
    }
}

impl PacingConfig {
    /// Everything that is out of range.
    ///
    /// # Errors
    /// [`OutOfRanges`] with all of it.
    pub fn validate(&self) -> Result<(), OutOfRanges> {
        let ranges = Ranges::default()
            .check("lambda_min", self.lambda_min.to_f64(), 0.0, 1e6)
            .check(
                "lambda_max",
                self.lambda_max.to_f64(),
                self.lambda_min.to_f64(),
                1e6,
            )
            .check(
                "lambda_spend",
                self.lambda_spend.to_f64(),
                self.lambda_min.to_f64(),
                self.lambda_max.to_f64(),
            )
            .check("overdelivery", self.overdelivery.to_f64(), 1.0, 10.0)
            .check(
                "unattended_hours",
                f64::from(self.unattended_hours),
                0.0,
                24.0,
            )
            .check("grows", self.grows.to_f64(), 0.0, 1.0);
        let delta = self.delta_normalised.map_or(1.0, Ratio::to_f64);
        self.controller
            .check(ranges.check("delta_normalised", delta, 1e-6, 100.0))
            .done()
    }
}
