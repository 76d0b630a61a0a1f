//! The settings of the low-spend guide, by its names.

use gaelp_core::{Micros, Quantity, Ratio};
use serde::{Deserialize, Serialize};

use crate::{DailySchedule, Guide, OutOfRanges, PacingConfig, error::Ranges};

/// What the low-spend guide asks for: λ from 0.1 to 0.3, a step of 0.05, and what a day is to cost.
///
/// **Serde.** By the guide's names, `LAMBDA_SPEND`, `LAGRANGE_STEP` and `DAILY_BUDGET_TARGET`, or by
/// the fields'.
///
/// ```
/// use gaelp_budget::LowSpend;
/// use gaelp_core::Ratio;
///
/// let low: LowSpend = serde_json::from_str(
///     r#"{"LAMBDA_SPEND": 0.25, "LAGRANGE_STEP": 0.05, "DAILY_BUDGET_TARGET": 10000000}"#,
/// )?;
/// low.validate()?;
/// assert_eq!(low.schedule().rule_level(), Ratio::from_ppm(250_000));
/// assert!(LowSpend { lambda_spend: Ratio::from_ppm(900_000), ..low }.validate().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LowSpend {
    /// λ at first, from 0.1 to 0.3. Default 0.2.
    #[serde(alias = "LAMBDA_SPEND")]
    pub lambda_spend: Ratio,
    /// η, above 0 and up to 1. Default 0.05.
    #[serde(alias = "LAGRANGE_STEP")]
    pub lagrange_step: Ratio,
    /// What a day is to cost, above 0. Default 10.00.
    #[serde(alias = "DAILY_BUDGET_TARGET")]
    pub daily_budget_target: Micros,
}

impl LowSpend {
    /// The lowest λ of the guide.
    pub const LEAST: Ratio = Ratio::from_ppm(100_000);
    /// The highest λ of the guide.
    pub const MOST: Ratio = Ratio::from_ppm(300_000);

    /// Everything that the guide does not allow.
    ///
    /// # Errors
    /// [`OutOfRanges`] with all of it.
    pub fn validate(&self) -> Result<(), OutOfRanges> {
        let (least, most) = (Self::LEAST.to_f64(), Self::MOST.to_f64());
        Ranges::default()
            .check("LAMBDA_SPEND", self.lambda_spend.to_f64(), least, most)
            .check("LAGRANGE_STEP", self.lagrange_step.to_f64(), 1e-6, 1.0)
            .check(
                "DAILY_BUDGET_TARGET",
                self.daily_budget_target.to_major_f64(),
                1e-6,
                1e9,
            )
            .done()
    }

    /// The rule, with the guide's highest λ as its bound.
    pub fn guide(&self) -> Guide {
        Guide {
            step: self.lagrange_step,
            most: Self::MOST,
            ..Guide::default()
        }
    }

    /// λ once a day, raised while less than five conversions a day come.
    pub fn schedule(&self) -> DailySchedule {
        let enough = Quantity::from_millionths(5_000_000);
        DailySchedule::new(self.lambda_spend, self.guide(), Self::MOST, enough)
    }

    /// λ once an hour by the guide's rule. The default controller of [`PacingConfig`] does better;
    /// see [`Guide`].
    pub fn pacing(&self) -> PacingConfig {
        PacingConfig {
            controller: self.guide().into(),
            lambda_spend: self.lambda_spend,
            lambda_max: Self::MOST,
            ..PacingConfig::default()
        }
    }
}

impl Default for LowSpend {
    fn default() -> Self {
        Self {
            lambda_spend: Ratio::from_ppm(200_000),
            lagrange_step: Ratio::from_ppm(50_000),
            daily_budget_target: Micros::new(10_000_000),
        }
    }
}
