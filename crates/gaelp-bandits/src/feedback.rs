//! Rewards, and what arms remember of them.

use std::collections::BTreeMap;

use gaelp_core::ArmId;
use serde::{Deserialize, Serialize};

use crate::{FeedbackError, RewardError};

/// A reward from 0 to 1, held in millionths.
///
/// Sums of whole millionths do not depend on the order of feedback, and can be undone exactly.
///
/// ```
/// use gaelp_bandits::UnitReward;
///
/// let reward = UnitReward::new(0.25)?;
/// assert_eq!(reward.millionths(), 250_000);
/// assert!(UnitReward::new(1.01).is_err());
/// assert!(UnitReward::new(f64::NAN).is_err());
/// # Ok::<(), gaelp_bandits::RewardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct UnitReward(u32);

impl UnitReward {
    /// Nothing was won.
    pub const FAILURE: Self = Self(0);
    /// All that could be won was.
    pub const SUCCESS: Self = Self(MILLION);

    /// A reward, rounded to the nearest millionth.
    ///
    /// # Errors
    /// [`RewardError`] outside of [0, 1], and for NaN.
    pub fn new(value: f64) -> Result<Self, RewardError> {
        if !(0.0..=1.0).contains(&value) {
            return Err(RewardError { value });
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to a million by the check above"
        )]
        Ok(Self((value * f64::from(MILLION)).round() as u32))
    }

    /// A reward from its millionths.
    ///
    /// # Errors
    /// [`RewardError`] beyond a million.
    pub fn from_millionths(millionths: u32) -> Result<Self, RewardError> {
        if millionths > MILLION {
            return Err(RewardError {
                value: f64::from(millionths) / f64::from(MILLION),
            });
        }
        Ok(Self(millionths))
    }

    /// The reward in millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// The reward as a number.
    pub fn get(self) -> f64 {
        f64::from(self.0) / f64::from(MILLION)
    }
}

impl TryFrom<f64> for UnitReward {
    type Error = RewardError;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<UnitReward> for f64 {
    fn from(reward: UnitReward) -> Self {
        reward.get()
    }
}

/// A share of a whole, from 0 to 1, held in millionths.
///
/// ```
/// use gaelp_bandits::Share;
///
/// assert_eq!(Share::new(0.25)?.millionths(), 250_000);
/// assert!(Share::new(-0.1).is_err());
/// # Ok::<(), gaelp_bandits::RewardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(UnitReward);

impl Share {
    /// All of it.
    pub const FULL: Self = Self(UnitReward::SUCCESS);
    /// Nothing of it.
    pub const NONE: Self = Self(UnitReward::FAILURE);

    /// A share, rounded to the nearest millionth.
    ///
    /// # Errors
    /// [`RewardError`] outside of [0, 1], and for NaN.
    pub fn new(value: f64) -> Result<Self, RewardError> {
        UnitReward::new(value).map(Self)
    }

    /// The share in millionths.
    pub const fn millionths(self) -> u32 {
        self.0.millionths()
    }

    /// The share as a number.
    pub fn get(self) -> f64 {
        self.0.get()
    }
}

/// What came of choosing an arm once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Feedback {
    /// The arm.
    pub arm: ArmId,
    /// What it won.
    pub reward: UnitReward,
}

/// Feedback summed up by arm, without any prior: what shards exchange.
///
/// Merging is associative and commutative, so partitions may be combined in any order, and since
/// evidence carries no prior, a policy counts its prior once.
///
/// ```
/// use gaelp_bandits::{Evidence, Feedback, UnitReward};
/// use gaelp_core::ArmId;
///
/// let success = Feedback { arm: ArmId::new(1), reward: UnitReward::SUCCESS };
/// let failure = Feedback { arm: ArmId::new(2), reward: UnitReward::FAILURE };
/// let mut left = Evidence::of(&[success])?;
/// left.merge(&Evidence::of(&[failure])?)?;
/// assert_eq!(left, Evidence::of(&[failure, success])?);
/// # Ok::<(), gaelp_bandits::FeedbackError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Evidence(BTreeMap<ArmId, Sums>);

impl Evidence {
    /// The sums of some feedback.
    ///
    /// # Errors
    /// [`FeedbackError::Full`] beyond 1.8e13 rewards of one arm.
    pub fn of(feedback: &[Feedback]) -> Result<Self, FeedbackError> {
        let mut evidence = Self::default();
        for &Feedback { arm, reward } in feedback {
            evidence.add(arm, Sums::of(reward))?;
        }
        Ok(evidence)
    }

    /// Adds other evidence.
    ///
    /// # Errors
    /// [`FeedbackError::Full`] beyond 1.8e13 rewards of one arm; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), FeedbackError> {
        for (&arm, &sums) in &other.0 {
            let held = self.0.get(&arm).copied().unwrap_or_default();
            held.plus(sums).ok_or(FeedbackError::Full { arm })?;
        }
        for (&arm, &sums) in &other.0 {
            self.add(arm, sums)?;
        }
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sums by arm, by rising arm.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ArmId, Sums)> + Clone {
        self.0.iter().map(|(&arm, &sums)| (arm, sums))
    }

    fn add(&mut self, arm: ArmId, sums: Sums) -> Result<(), FeedbackError> {
        let held = self.0.entry(arm).or_default();
        *held = held.plus(sums).ok_or(FeedbackError::Full { arm })?;
        Ok(())
    }
}

/// Rewards and what was missed of them, in millionths: a whole number of rewards together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawSums", into = "RawSums")]
pub(crate) struct Sums {
    successes: u64,
    failures: u64,
}

impl Sums {
    pub(crate) fn of(reward: UnitReward) -> Self {
        Self {
            successes: u64::from(reward.0),
            failures: u64::from(MILLION - reward.0),
        }
    }

    /// The sum, unless the arm is full.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let successes = self.successes.checked_add(other.successes)?;
        let failures = self.failures.checked_add(other.failures)?;
        successes.checked_add(failures)?;
        Some(Self {
            successes,
            failures,
        })
    }

    /// The difference, unless there is less than that.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            successes: self.successes.checked_sub(other.successes)?,
            failures: self.failures.checked_sub(other.failures)?,
        })
    }

    pub(crate) fn successes(self) -> f64 {
        in_units(self.successes)
    }

    pub(crate) fn failures(self) -> f64 {
        in_units(self.failures)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to nine billion rewards, then rounded"
)]
fn in_units(millionths: u64) -> f64 {
    millionths as f64 / f64::from(MILLION)
}

/// [`Sums`] as they are stored.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSums {
    success_millionths: u64,
    failure_millionths: u64,
}

impl From<Sums> for RawSums {
    fn from(sums: Sums) -> Self {
        Self {
            success_millionths: sums.successes,
            failure_millionths: sums.failures,
        }
    }
}

impl TryFrom<RawSums> for Sums {
    type Error = SumsError;

    fn try_from(raw: RawSums) -> Result<Self, Self::Error> {
        let (successes, failures) = (raw.success_millionths, raw.failure_millionths);
        let total = successes.checked_add(failures);
        // Every reward adds exactly a million to the two together.
        if total.is_some_and(|total| total % u64::from(MILLION) == 0) {
            Ok(Self {
                successes,
                failures,
            })
        } else {
            Err(SumsError {
                successes,
                failures,
            })
        }
    }
}

/// Sums that no feedback adds up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{successes} and {failures} millionths of success and failure are not a whole number of rewards"
)]
struct SumsError {
    successes: u64,
    failures: u64,
}

const MILLION: u32 = 1_000_000;
