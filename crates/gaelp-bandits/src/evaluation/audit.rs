//! Whether a log can carry an answer.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Estimator;
use super::shrink::Shrink;
use super::sum::{count, sums};

/// Rounding and quadrature may move a mean weight this much without anything being wrong.
const ROUNDING: f64 = 1e-6;

/// What a log's importance weights can carry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Diagnostics {
    /// How many rows there are.
    pub rows: usize,
    /// The effective sample size, (Σw)² ÷ Σw²: how many rows of equal weight would tell as much.
    /// Zero where no row has any weight.
    ///
    /// Source: Kong (1992), A note on importance sampling using standardized weights.
    pub effective_rows: f64,
    /// The largest weight.
    pub largest_weight: f64,
    /// Its share of the sum of all; zero where that is.
    pub largest_share: f64,
    /// The mean weight. With right propensities it is 1 in expectation.
    pub mean_weight: f64,
    /// The standard error of the mean weight; infinite for a single row.
    pub mean_weight_error: f64,
}

impl Diagnostics {
    /// Of the weights target ÷ logged after shrinking, of which none is above `most`.
    pub(crate) fn of(target: &[f64], logged: &[f64], shrink: Shrink, most: f64) -> Self {
        let columns = [target, logged];
        let bounds = [most, most * most];
        let [total, squares] = if shrink.is_none() {
            sums(columns, bounds, |[t, p]| {
                let w = t / p;
                [w, w * w]
            })
        } else {
            sums(columns, bounds, |[t, p]| {
                let w = shrink.of(t / p);
                [w, w * w]
            })
        };
        let rows = count(target.len());
        let mean = total / rows;
        // What cancels here is 1e-8 of the mean's standard deviation: far below what matters.
        let variance = (squares - rows * mean * mean).max(0.0) / (rows - 1.0);
        Self {
            rows: target.len(),
            // Weights too small to be squared carry nothing.
            effective_rows: if squares > 0.0 {
                total * total / squares
            } else {
                0.0
            },
            largest_weight: most,
            largest_share: if total > 0.0 { most / total } else { 0.0 },
            mean_weight: mean,
            mean_weight_error: if target.len() > 1 {
                (variance / rows).sqrt()
            } else {
                f64::INFINITY
            },
        }
    }
}

/// What a log must show before an answer is given; `None` asks nothing.
///
/// The estimator's own weights, after clipping or shrinking, must meet the first two; the mean is
/// that of the raw weights, because it audits the propensities, which no clipping mends.
///
/// ```
/// use gaelp_bandits::evaluation::Requirements;
///
/// let strict = Requirements { least_effective_rows: Some(1000.0), ..Requirements::default() };
/// assert!(strict.most_share < Some(0.2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Requirements {
    /// The least effective sample size; 100 by default, below which a mean's error is badly known.
    pub least_effective_rows: Option<f64>,
    /// The most that one row may hold of the sum of weights; 0.1 by default.
    pub most_share: Option<f64>,
    /// The least share of the weights that clipping or shrinking must leave; 0.5 by default. What it
    /// takes away counts as nothing, or is left to the model. The direct method, which is all model
    /// by name, is not asked.
    pub least_kept: Option<f64>,
    /// The range of the mean weight; 0.8 to 1.25 by default. Outside of it, an answer can be off by
    /// that factor, whatever the reason.
    pub mean_weight: Option<(f64, f64)>,
    /// How many standard errors the mean weight may be from 1; 4 by default, which independent rows
    /// with right propensities pass but once in 16,000 logs.
    pub most_deviation: Option<f64>,
}

impl Requirements {
    /// Requires nothing. The answer may rest on a single row: for research and for tests.
    pub const NONE: Self = Self {
        least_effective_rows: None,
        most_share: None,
        least_kept: None,
        mean_weight: None,
        most_deviation: None,
    };

    /// Whether weights meet them.
    pub(crate) fn check(
        &self,
        estimator: Estimator,
        raw: &Diagnostics,
        effective: &Diagnostics,
    ) -> Result<(), Box<Refusal>> {
        let mut shortfalls = Vec::new();
        if let Some(least) = self.least_effective_rows
            && !at_most(least, effective.effective_rows)
        {
            shortfalls.push(Shortfall::EffectiveRows { least });
        }
        if let Some(most) = self.most_share
            && !at_most(effective.largest_share, most)
        {
            shortfalls.push(Shortfall::Share { most });
        }
        let kept = effective.mean_weight / raw.mean_weight;
        if let Some(least) = self.least_kept
            && estimator.is_shrunk()
            && !at_most(least, kept)
        {
            shortfalls.push(Shortfall::Kept { found: kept, least });
        }
        if let Some((least, most)) = self.mean_weight
            && !(least..=most).contains(&raw.mean_weight)
        {
            shortfalls.push(Shortfall::MeanWeight { least, most });
        }
        let off = (raw.mean_weight - 1.0).abs();
        if let Some(most) = self.most_deviation
            && !at_most(off, most * raw.mean_weight_error + ROUNDING)
        {
            shortfalls.push(Shortfall::Deviation {
                found: off / raw.mean_weight_error,
                most,
            });
        }
        if shortfalls.is_empty() {
            return Ok(());
        }
        Err(Box::new(Refusal {
            estimator,
            raw: *raw,
            effective: *effective,
            shortfalls,
        }))
    }
}

/// False also where a threshold is no number: it then refuses.
fn at_most(value: f64, bound: f64) -> bool {
    value <= bound
}

impl Default for Requirements {
    fn default() -> Self {
        Self {
            least_effective_rows: Some(100.0),
            most_share: Some(0.1),
            least_kept: Some(0.5),
            mean_weight: Some((0.8, 1.25)),
            most_deviation: Some(4.0),
        }
    }
}

/// A requirement that a log does not meet.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Shortfall {
    /// Too few rows count.
    EffectiveRows {
        /// The least required.
        least: f64,
    },
    /// One row counts for too much.
    Share {
        /// The most allowed.
        most: f64,
    },
    /// Clipping or shrinking takes too much of the weights away.
    Kept {
        /// The share that is left.
        found: f64,
        /// The least required.
        least: f64,
    },
    /// The mean weight is far from 1.
    MeanWeight {
        /// The least allowed.
        least: f64,
        /// The most allowed.
        most: f64,
    },
    /// The mean weight is further from 1 than chance explains.
    Deviation {
        /// How many standard errors.
        found: f64,
        /// The most allowed.
        most: f64,
    },
}

/// An answer that a log cannot carry, with all that speaks against it.
///
/// Its message holds every figure: the effective sample size, the largest weight and the mean.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub struct Refusal {
    /// What was asked for.
    pub estimator: Estimator,
    /// What the log's weights can carry.
    pub raw: Diagnostics,
    /// The same, after the estimator's clipping or shrinking.
    pub effective: Diagnostics,
    /// At least one requirement that is not met.
    pub shortfalls: Vec<Shortfall>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the log cannot carry {}: effective sample size {:.2} of {} rows, largest weight {:.2} \
             with {:.1} % of the sum, mean weight {:.4} ± {:.4}",
            self.estimator,
            self.effective.effective_rows,
            self.raw.rows,
            self.effective.largest_weight,
            100.0 * self.effective.largest_share,
            self.raw.mean_weight,
            self.raw.mean_weight_error,
        )?;
        for shortfall in &self.shortfalls {
            write!(f, "; {shortfall}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EffectiveRows { least } => {
                write!(f, "an effective sample size of {least} is required")
            }
            Self::Share { most } => write!(f, "one row may hold {} % at most", 100.0 * most),
            Self::Kept { found, least } => write!(
                f,
                "{:.1} % of the weights are kept, where {} % are required",
                100.0 * found,
                100.0 * least
            ),
            Self::MeanWeight { least, most } => {
                write!(f, "a mean weight from {least} to {most} is required")
            }
            Self::Deviation { found, most } => write!(
                f,
                "the mean weight is {found:.1} standard errors from 1, where {most} are allowed: \
                 the propensities do not fit the log"
            ),
        }
    }
}
