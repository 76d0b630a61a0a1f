//! Exact ratios: multipliers, thresholds and shares in parts per million.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Micros;

/// A ratio in parts per million: a multiplier, a threshold, a share.
///
/// **Serde.** The number itself, as a float: what is written can always be read, and reads back
/// exactly within ±1e9. Past that, floats have fewer than six decimals to give.
///
/// Money is compared with ratios exactly, by cross-multiplication in 128 bits, so a rule such as
/// "ROAS below 1.5" has no rounding to argue about.
///
/// ```
/// use gaelp_core::{Micros, Ratio};
///
/// let threshold = Ratio::try_from(1.5)?;
/// let (revenue, spend) = (Micros::new(2_999_999), Micros::new(2_000_000));
/// assert!(threshold.compare(revenue, spend).is_some_and(std::cmp::Ordering::is_lt));
/// assert_eq!(threshold.compare(revenue, Micros::ZERO), None); // undefined, not infinite
/// # Ok::<(), gaelp_core::RatioError>(())
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "f64", into = "f64")]
pub struct Ratio(i64);

impl Ratio {
    /// Nothing of it.
    pub const ZERO: Self = Self(0);
    /// All of it.
    pub const ONE: Self = Self(1_000_000);

    /// A ratio from parts per million.
    pub const fn from_ppm(ppm: i64) -> Self {
        Self(ppm)
    }

    /// Parts per million.
    pub const fn ppm(self) -> i64 {
        self.0
    }

    /// Whether the ratio is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(ppm) => Some(Self(ppm)),
            None => None,
        }
    }

    /// The difference, or `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(ppm) => Some(Self(ppm)),
            None => None,
        }
    }

    /// How `numerator ÷ denominator` compares with this ratio; `None` where the denominator is
    /// not positive, because the quotient is then undefined.
    pub fn compare(self, numerator: Micros, denominator: Micros) -> Option<Ordering> {
        if denominator <= Micros::ZERO {
            return None;
        }
        let left = i128::from(numerator.get()) * i128::from(Self::ONE.0);
        let right = i128::from(self.0) * i128::from(denominator.get());
        Some(left.cmp(&right))
    }

    /// The ratio as a float.
    #[expect(clippy::cast_precision_loss, reason = "exact below nine billion")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Micros::new(self.0).fmt(f)
    }
}

/// A number that is no ratio.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a ratio: a finite number within ±9.2e12 with at most six decimals is expected")]
pub struct RatioError(f64);

/// The largest ratio, 2⁶³ − 1 millionths, as a float.
const LARGEST: f64 = 9_223_372_036_854.775;

impl TryFrom<f64> for Ratio {
    type Error = RatioError;

    /// The ratio of a decimal with at most six places, such as `0.1`, or of a sum of such.
    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if value.is_finite() && value.abs() <= LARGEST {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "bounded by the check above; the largest ratio becomes 2⁶³ and saturates"
            )]
            let nearest = Self((value * 1e6).round() as i64);
            // Room for the rounding of a decimal and of a few additions, not for a seventh place.
            if (value - nearest.to_f64()).abs() <= 4.0 * f64::EPSILON * value.abs().max(1.0) {
                return Ok(nearest);
            }
        }
        Err(RatioError(value))
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.to_f64()
    }
}

#[cfg(test)]
mod tests;
