//! Intervals for a fixed number of rows, without assumptions on the shape of the rewards.

use serde::{Deserialize, Serialize};

use super::Column;
use super::column::Extent;
use super::error::IntervalError;
use super::estimator::{Estimator, Evaluation};
use super::sum::{count, mean, sum};
use crate::ParameterViolation;
use crate::numeric::elementary::ln;

/// The probability with which an interval holds what it is about, before the data are seen; 0.95 by
/// default.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct ConfidenceLevel(f64);

impl ConfidenceLevel {
    /// A level.
    ///
    /// # Errors
    /// [`ParameterViolation`] for numbers that are not from 0.5 to 1 − 10⁻¹².
    pub fn new(level: f64) -> Result<Self, ParameterViolation> {
        match ParameterViolation::check("confidence level", level, 0.5, 1.0 - 1e-12) {
            Some(violation) => Err(violation),
            None => Ok(Self(level)),
        }
    }

    /// The probability.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The probability with which the interval may miss.
    pub(crate) const fn alpha(self) -> f64 {
        1.0 - self.0
    }
}

impl Default for ConfidenceLevel {
    /// The convention.
    fn default() -> Self {
        Self(0.95)
    }
}

impl TryFrom<f64> for ConfidenceLevel {
    type Error = ParameterViolation;

    fn try_from(level: f64) -> Result<Self, Self::Error> {
        Self::new(level)
    }
}

impl From<ConfidenceLevel> for f64 {
    fn from(level: ConfidenceLevel) -> Self {
        level.get()
    }
}

/// What an interval is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Covers {
    /// The target policy's value.
    Value,
    /// What the estimator is in expectation: the value plus the bias of its clipping, shrinking or
    /// model.
    Estimand,
}

/// An interval of values per row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
    /// What lies within, with the stated probability.
    pub covers: Covers,
}

impl Interval {
    /// Whether a value lies within.
    pub fn contains(&self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }
}

/// The range of what one row can earn, known before the log is seen.
///
/// ```
/// use gaelp_bandits::evaluation::RewardRange;
///
/// assert!(RewardRange::new(0.0, 1.0).is_ok());
/// assert!(RewardRange::new(1.0, 1.0).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardRange {
    least: f64,
    most: f64,
}

impl RewardRange {
    /// From 0 to 1.
    pub const UNIT: Self = Self {
        least: 0.0,
        most: 1.0,
    };

    /// A range.
    ///
    /// # Errors
    /// [`ParameterViolation`] unless both are within ±1e50 and the most is above the least.
    pub fn new(least: f64, most: f64) -> Result<Self, ParameterViolation> {
        let above = least + f64::EPSILON * least.abs().max(f64::MIN_POSITIVE);
        let violation = ParameterViolation::check("least reward", least, -1e50, 1e50)
            .or_else(|| ParameterViolation::check("most reward", most, above, 1e50));
        match violation {
            Some(violation) => Err(violation),
            None => Ok(Self { least, most }),
        }
    }

    /// The least reward.
    pub const fn least(self) -> f64 {
        self.least
    }

    /// The most.
    pub const fn most(self) -> f64 {
        self.most
    }

    pub(crate) fn width(self) -> f64 {
        self.most - self.least
    }

    /// Where a reward is between the least, 0, and the most, 1.
    pub(crate) fn share(self, reward: f64) -> f64 {
        ((reward - self.least) / self.width()).clamp(0.0, 1.0)
    }

    /// The reward at such a place.
    pub(crate) fn at(self, share: f64) -> f64 {
        self.least + self.width() * share
    }

    pub(crate) fn check(self, column: Column, value: f64) -> Result<(), IntervalError> {
        if (self.least..=self.most).contains(&value) {
            return Ok(());
        }
        Err(IntervalError::OutOfRange {
            column,
            value,
            least: self.least,
            most: self.most,
        })
    }

    fn check_extent(self, column: Column, extent: &Extent) -> Result<(), IntervalError> {
        self.check(column, extent.least())?;
        self.check(column, extent.most())
    }
}

impl Evaluation<'_> {
    /// The interval of Maurer and Pontil for the mean of bounded, independent rows: valid for every
    /// n, whatever the distribution.
    ///
    /// `most_weight` is a bound on the weights that is known before the log is seen: 1 over the
    /// least propensity that the logging policy ever gives. `None` will do where the estimator
    /// itself bounds its weights.
    ///
    /// For [`Estimator::Ips`] and [`Estimator::ClippedIps`] the lower end comes from min(w, M) (r − a)
    /// and the upper end from min(w, M) (b − r), rewards being from a to b. Clipping lowers both
    /// means, so the interval covers the value itself, clipped or not, and also where the logging
    /// policy never plays some arm of the target policy. For the other estimators it covers what
    /// [`Covers`] says.
    ///
    /// **Cost**: O(n).
    ///
    /// # Errors
    /// [`IntervalError`] for quotients, for a single row, where nothing bounds the weights, and where
    /// the log contradicts a bound.
    ///
    /// **Source**: Maurer & Pontil (2009), Empirical Bernstein bounds and sample-variance
    /// penalization, theorem 4, at half of the error probability for each side. That clipping keeps a
    /// lower bound valid: Thomas, Theocharous & Ghavamzadeh (2015), High-confidence off-policy
    /// evaluation, theorem 1; the upper end is the same bound for rewards counted from the top.
    ///
    /// ```
    /// use gaelp_bandits::evaluation::{ConfidenceLevel, Estimator, Log, Requirements, RewardRange};
    ///
    /// let rewards: Vec<f64> = (0..2000).map(|row| f64::from(row % 4 == 0)).collect();
    /// let (logged, target) = ([0.5; 2000], [0.5; 2000]);
    /// let log = Log::new(&rewards, &logged, &target)?;
    /// let answer = log.evaluate(Estimator::Ips, &Requirements::default())?;
    /// let interval =
    ///     answer.empirical_bernstein(RewardRange::UNIT, Some(2.0), ConfidenceLevel::default())?;
    /// assert!(interval.contains(0.25) && !interval.contains(0.35));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn empirical_bernstein(
        &self,
        range: RewardRange,
        most_weight: Option<f64>,
        level: ConfidenceLevel,
    ) -> Result<Interval, IntervalError> {
        let bound = self.checked_bound(range, most_weight)?;
        let beta = 0.5 * level.alpha();
        let rewards = self.log.rewards;
        if let Estimator::Ips | Estimator::ClippedIps { .. } = self.estimator {
            // In units of the range, so that both are at least 0 and their means at most 1.
            let weighted = |share: fn(f64) -> f64| -> Vec<f64> {
                let rows = self.weights().zip(rewards);
                rows.map(|(w, r)| w * share(range.share(*r))).collect()
            };
            let lower = lower_bound(&weighted(|share| share), bound, beta);
            let upper = 1.0 - lower_bound(&weighted(|share| 1.0 - share), bound, beta);
            return Ok(Interval {
                lower: range.at(lower.clamp(0.0, 1.0)),
                upper: range.at(upper.clamp(0.0, 1.0)),
                covers: Covers::Value,
            });
        }
        // d is within the range, w (r − q̂) within ± bound × its width.
        let reach = range.width() * (1.0 + 2.0 * bound);
        let floor = range.least - range.width() * bound;
        let terms = self.terms();
        let lower = floor + lower_bound(&map(&terms, |x| x - floor), reach, beta);
        let ceiling = floor + reach;
        let upper = ceiling - lower_bound(&map(&terms, |x| ceiling - x), reach, beta);
        Ok(Interval {
            lower: lower.max(range.least),
            upper: upper.min(range.most),
            covers: if self.estimator.is_shrunk() {
                Covers::Estimand
            } else {
                Covers::Value
            },
        })
    }

    /// The bound on the estimator's weights, after checking all that was said against the log.
    fn checked_bound(
        &self,
        range: RewardRange,
        most_weight: Option<f64>,
    ) -> Result<f64, IntervalError> {
        let estimator = self.estimator;
        if estimator.is_self_normalised() {
            return Err(IntervalError::NotAMean { estimator });
        }
        if self.log.rows() < 2 {
            return Err(IntervalError::OneRow);
        }
        range.check_extent(Column::Reward, &self.log.reward_extent)?;
        if let Some(model) = self.log.model.filter(|_| estimator.needs_model()) {
            range.check_extent(Column::Predicted, &model.predicted_extent)?;
            range.check_extent(Column::Direct, &model.direct_extent)?;
        }
        if let Some(bound) = most_weight {
            let violation = ParameterViolation::check("most weight", bound, 0.0, 1e50);
            violation.map_or(Ok(()), Err)?;
            let weight = self.log.weight_extent.most();
            if weight > bound {
                return Err(IntervalError::WeightAboveBound { weight, bound });
            }
        }
        if estimator == Estimator::Dm {
            return Ok(0.0);
        }
        let bound = estimator
            .shrink()
            .bound(most_weight.unwrap_or(f64::INFINITY));
        if bound.is_finite() {
            Ok(bound)
        } else {
            Err(IntervalError::WeightsUnbounded { estimator })
        }
    }
}

/// A number that the mean of independent values from 0 to `most` is below with probability β at
/// most, given a sample of at least two.
pub(crate) fn lower_bound(values: &[f64], most: f64, beta: f64) -> f64 {
    let rows = count(values.len());
    let centre = mean([values], most, |[x]| x);
    let squares = sum([values], most * most, |[x]| (x - centre) * (x - centre));
    let variance = squares / (rows - 1.0);
    let log = ln(2.0 / beta);
    centre - (2.0 * variance * log / rows).sqrt() - 7.0 * most * log / (3.0 * (rows - 1.0))
}

fn map(values: &[f64], change: impl Fn(f64) -> f64) -> Vec<f64> {
    values.iter().map(|x| change(*x)).collect()
}
