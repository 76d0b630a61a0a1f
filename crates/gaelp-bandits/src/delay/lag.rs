//! How late conversions come.

use serde::{Deserialize, Serialize};

use crate::{RewardError, Share};

/// What share of conversions has arrived some hours after the decision.
///
/// ```
/// use gaelp_bandits::{LagDistribution, Share};
///
/// // 30 orders came within the hour, 10 in the next, none in the third, 10 in the fourth.
/// let lag = LagDistribution::from_counts(&[30, 10, 0, 10])?;
/// assert_eq!(lag.arrived(0), Share::new(0.6)?);
/// assert_eq!(lag.arrived(2), Share::new(0.8)?);
/// assert_eq!(lag.arrived(3), Share::FULL);
/// assert_eq!(lag.arrived(-1), Share::NONE);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct LagDistribution(Vec<Share>);

impl LagDistribution {
    /// Conversions come at once: every trial counts in full.
    pub const IMMEDIATE: Self = Self(Vec::new());

    /// The share that has arrived by the end of the hour of the decision, of the next, and so on;
    /// all of it after the last.
    ///
    /// # Errors
    /// [`LagError`] for shares that are no shares, or fall.
    pub fn new(arrived: &[f64]) -> Result<Self, LagError> {
        let shares: Result<Vec<_>, _> = arrived.iter().map(|&share| Share::new(share)).collect();
        let shares = shares?;
        if shares.is_sorted() {
            Ok(Self(shares))
        } else {
            Err(LagError::Falling)
        }
    }

    /// The shares of counted conversions, by hours since the decision.
    ///
    /// # Errors
    /// [`LagError`] if there are none.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn from_counts(counts: &[u32]) -> Result<Self, LagError> {
        let all: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        if all == 0 {
            return Err(LagError::Empty);
        }
        let mut sum = 0;
        let shares: Vec<_> = counts
            .iter()
            .map(|&count| {
                sum += u64::from(count);
                sum as f64 / all as f64
            })
            .collect();
        Self::new(&shares)
    }

    /// The share that has arrived by the end of the hour that is `age` hours after the decision's.
    pub fn arrived(&self, age: i64) -> Share {
        match usize::try_from(age) {
            Err(_) => {
                if self.0.is_empty() {
                    Share::FULL
                } else {
                    Share::NONE
                }
            }
            Ok(age) => self.0.get(age).copied().unwrap_or(Share::FULL),
        }
    }
}

impl TryFrom<Vec<f64>> for LagDistribution {
    type Error = LagError;

    fn try_from(arrived: Vec<f64>) -> Result<Self, Self::Error> {
        Self::new(&arrived)
    }
}

impl From<LagDistribution> for Vec<f64> {
    fn from(lag: LagDistribution) -> Self {
        lag.0.into_iter().map(Share::get).collect()
    }
}

/// Numbers that are no lag distribution.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LagError {
    /// One of them is no share.
    #[error(transparent)]
    Share(#[from] RewardError),
    /// They fall.
    #[error("the share that has arrived cannot fall")]
    Falling,
    /// No conversion was counted.
    #[error("no conversion was counted")]
    Empty,
}
