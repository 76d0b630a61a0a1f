//! Sufficient statistics: whole numbers, so that order does not matter and undoing is exact.

use serde::{Deserialize, Serialize};

/// What some feedback adds up to, in whole numbers and without any prior.
///
/// Every rule of this crate learns through these four sums. What each means is the rule's to say;
/// where it says nothing, they are trials, Σ value, Σ value², and zero.
///
/// **Units**: millionths; `square` in millionths of millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Trials, or exposure. Never negative in sum.
    pub trials: i128,
    /// The sum of the values.
    pub amount: i128,
    /// The sum of their squares.
    pub square: i128,
    /// A further count or sum.
    pub extra: i128,
}

impl Tally {
    /// The sum of two; `None` beyond 2¹²⁰, which keeps every later sum of sums from overflowing.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        Self::zipped(self, other, i128::checked_add)
    }

    /// The difference.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        let rest = Self::zipped(self, other, i128::checked_sub)?;
        // Trials and squares never fall below zero, whatever came in whatever order.
        (rest.trials >= 0 && rest.square >= 0).then_some(rest)
    }

    /// Whether nothing was seen.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Whether feedback can have added up to this.
    pub(crate) fn is_sound(&self) -> bool {
        self.trials >= 0 && self.square >= 0 && self.plus(Self::default()).is_some()
    }

    /// The sums as numbers, in units.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn figures(&self) -> Figures {
        Figures {
            trials: self.trials as f64 / 1e6,
            amount: self.amount as f64 / 1e6,
            square: self.square as f64 / 1e12,
            extra: self.extra as f64 / 1e6,
        }
    }

    fn zipped(one: Self, other: Self, with: impl Fn(i128, i128) -> Option<i128>) -> Option<Self> {
        const MOST: i128 = 1 << 120;
        let field = |a, b| with(a, b).filter(|sum| (-MOST..=MOST).contains(sum));
        Some(Self {
            trials: field(one.trials, other.trials)?,
            amount: field(one.amount, other.amount)?,
            square: field(one.square, other.square)?,
            extra: field(one.extra, other.extra)?,
        })
    }
}

/// A [`Tally`] in units, and possibly discounted: what rules compute with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Trials, or exposure.
    pub trials: f64,
    /// The sum of the values.
    pub amount: f64,
    /// The sum of their squares.
    pub square: f64,
    /// A further count or sum.
    pub extra: f64,
}

impl Figures {
    /// The mean value of a trial; `None` before the first.
    pub fn mean(&self) -> Option<f64> {
        (self.trials > 0.0).then(|| self.amount / self.trials)
    }

    /// The variance of the values, divided by the number of trials; `None` before the first.
    pub fn variance(&self) -> Option<f64> {
        let mean = self.mean()?;
        Some((self.square / self.trials - mean * mean).max(0.0))
    }

    /// These and a share of others.
    #[must_use]
    pub(crate) fn plus(self, weight: f64, other: Self) -> Self {
        Self {
            trials: self.trials + weight * other.trials,
            amount: self.amount + weight * other.amount,
            square: self.square + weight * other.square,
            extra: self.extra + weight * other.extra,
        }
    }
}
