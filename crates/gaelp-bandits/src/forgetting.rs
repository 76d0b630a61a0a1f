//! How evidence fades.

use gaelp_core::UtcHour;
use serde::{Deserialize, Serialize};

use crate::numeric::elementary::{exp, ln};

/// How evidence fades with its age. What fades is evidence, never the prior: an arm of which
/// nothing is remembered stands at its prior again.
///
/// Evidence is kept by hour as it came, and forgetting is a way of looking at it. So undoing stays
/// exact at any age, shards merge without minding each other's clocks, and order does not matter.
///
/// **Cost**: memory and time to learn grow with the hours kept: a window's length, or until a
/// discount has fallen below a millionth.
///
/// **Source**: Garivier & Moulines (2011), On upper-confidence bound policies for switching bandit
/// problems (discounted and sliding-window UCB); Raj & Kalyani (2017), Taming non-stationary
/// bandits, algorithm 1 (posteriors that decay). There the age is counted in decisions, here in
/// hours.
///
/// ```
/// use gaelp_bandits::{Bandit, Forgetting, KlUcb, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let halved_in_a_day = Forgetting::Discount { hourly: 0.5_f64.powf(1.0 / 24.0) };
/// let mut policy = Bandit::new(KlUcb::default(), [ArmId::new(0)])?
///     .with_forgetting(halved_in_a_day)?;
/// policy.advance(UtcHour::new(0));
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// policy.update(&[Outcome::of(&chosen, UtcHour::new(0), UnitReward::SUCCESS)])?;
/// policy.advance(UtcHour::new(24));
/// for (_, seen) in policy.arms() {
///     assert!((seen.trials - 0.5).abs() < 1e-12);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Forgetting {
    /// All evidence counts alike.
    #[default]
    Never,
    /// Evidence of age h hours counts `hourly`ʰ.
    Discount {
        /// What is left after an hour, from 0.5 to 0.9999.
        hourly: f64,
    },
    /// Evidence counts until it is this old, and then not at all.
    Window {
        /// How many hours back are seen, the present one included: at least one, at most
        /// [`Forgetting::LONGEST`].
        hours: u32,
    },
}

impl Forgetting {
    /// The longest window: ten years.
    pub const LONGEST: u32 = 87_660;

    /// What a discounted weight must not fall below to be kept.
    const NEGLIGIBLE: f64 = 1e-6;

    pub(crate) fn check(self) -> Result<(), ForgettingError> {
        match self {
            Self::Discount { hourly } if !(0.5..=0.9999).contains(&hourly) => {
                Err(ForgettingError::Discount { hourly })
            }
            Self::Window { hours } if !(1..=Self::LONGEST).contains(&hours) => {
                Err(ForgettingError::Window { hours })
            }
            _ => Ok(()),
        }
    }

    /// What evidence of an hour counts now. The future counts as the present.
    pub(crate) fn weight(self, now: UtcHour, hour: UtcHour) -> f64 {
        let age = (i64::from(now.get()) - i64::from(hour.get())).max(0);
        match self {
            Self::Never => 1.0,
            Self::Window { hours } => f64::from(u8::from(age < i64::from(hours))),
            Self::Discount { hourly } => {
                #[expect(clippy::cast_precision_loss, reason = "below 2^33")]
                let weight = exp(age as f64 * ln(hourly));
                if weight < Self::NEGLIGIBLE {
                    0.0
                } else {
                    weight
                }
            }
        }
    }
}

/// Forgetting that cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ForgettingError {
    /// A discount out of range.
    #[error("{hourly} is no hourly discount: a number from 0.5 to 0.9999 is expected")]
    Discount {
        /// The discount.
        hourly: f64,
    },
    /// A window out of range.
    #[error("a window of {hours} hours: 1 to {} are expected", Forgetting::LONGEST)]
    Window {
        /// Its length.
        hours: u32,
    },
    /// A window over sums, which do not know the hours of what they are made of.
    #[error("linear models keep sums, which can be discounted, but not seen through a window")]
    Sums,
    /// There is evidence already, without its hours.
    #[error("forgetting must be chosen before the first feedback")]
    HasEvidence,
}
