//! Intervals by resampling.

use gaelp_core::{DecisionId, DecisionKey, PolicyVersion, Seed};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::error::IntervalError;
use super::estimator::{Estimator, Evaluation};
use super::interval::{ConfidenceLevel, Covers, Interval};
use super::sum::count;
use crate::ParameterViolation;

/// How a log is resampled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bootstrap {
    /// Where its randomness comes from: the same seed and rows give the same interval.
    pub seed: Seed,
    /// How many logs are drawn, from 20 to a million; 1000 by default.
    pub replicates: u32,
    /// How often the interval is to hold.
    pub level: ConfidenceLevel,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            seed: Seed::default(),
            replicates: 1000,
            level: ConfidenceLevel::default(),
        }
    }
}

impl Evaluation<'_> {
    /// The percentile bootstrap: rows are drawn with replacement, as many as there are, and the
    /// interval is cut from what the estimator says of such logs.
    ///
    /// It suits quotients too and needs no bounds, but holds only for many rows; where a few large
    /// weights decide, it is too narrow. Replicate number b is drawn from the crate's own generator
    /// keyed by seed and b, so replicates can be checked one by one.
    ///
    /// **Cost**: O(replicates × n) time, n being below 2³²; 8 n bytes, for quotients up to 24 n.
    ///
    /// # Errors
    /// [`IntervalError::Parameter`] for too few or too many replicates, and
    /// [`IntervalError::NoWeight`] where a drawn log has no row with weight for a quotient.
    ///
    /// **Source**: Efron (1979), Bootstrap methods: another look at the jackknife; Efron &
    /// Tibshirani (1993), An introduction to the bootstrap, §13.3 for percentiles. Quantiles lie
    /// linearly between order statistics, Hyndman & Fan (1996), definition 7.
    ///
    /// ```
    /// use gaelp_bandits::evaluation::{Bootstrap, Estimator, Log, Requirements};
    ///
    /// let rewards: Vec<f64> = (0..400).map(|row| f64::from(row % 4 == 0)).collect();
    /// let log = Log::new(&rewards, &[0.5; 400], &[0.5; 400])?;
    /// let answer = log.evaluate(Estimator::Snips, &Requirements::default())?;
    /// let interval = answer.bootstrap(&Bootstrap::default())?;
    /// assert!(interval.contains(0.25) && !interval.contains(0.35));
    /// assert_eq!(interval, answer.bootstrap(&Bootstrap::default())?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn bootstrap(&self, bootstrap: &Bootstrap) -> Result<Interval, IntervalError> {
        let replicates = f64::from(bootstrap.replicates);
        let violation = ParameterViolation::check("replicates", replicates, 20.0, 1e6);
        violation.map_or(Ok(()), Err)?;
        let rows = u32::try_from(self.log.rows()).map_err(|_| ParameterViolation {
            parameter: "rows",
            value: count(self.log.rows()),
            least: 1.0,
            most: f64::from(u32::MAX),
        })?;
        // As few values per row as the estimator needs: rows are read in no order.
        let mut values = match self.estimator {
            Estimator::Snips => {
                let quotient = |[correction, divisor]: [f64; 2]| correction / divisor;
                let rewards = self.log.rewards.iter();
                let terms = self.weights().zip(rewards).map(|(w, r)| [w * r, w]);
                resampled(&terms.collect::<Vec<_>>(), rows, bootstrap, quotient)
            }
            Estimator::Sndr => {
                let n = count(self.log.rows());
                let value =
                    |[direct, correction, divisor]: [f64; 3]| direct / n + correction / divisor;
                resampled(&self.quotient_terms(), rows, bootstrap, value)
            }
            _ => {
                let n = count(self.log.rows());
                let terms: Vec<_> = self.terms().into_iter().map(|term| [term]).collect();
                resampled(&terms, rows, bootstrap, |[sum]| sum / n)
            }
        };
        if values.iter().any(|value| !value.is_finite()) {
            return Err(IntervalError::NoWeight);
        }
        values.sort_by(f64::total_cmp);
        let beta = 0.5 * bootstrap.level.alpha();
        Ok(Interval {
            lower: quantile(&values, beta),
            upper: quantile(&values, 1.0 - beta),
            covers: if self.estimator.is_shrunk() {
                Covers::Estimand
            } else {
                Covers::Value
            },
        })
    }

    /// By row: the direct part, the correction, and what divides the correction.
    fn quotient_terms(&self) -> Vec<[f64; 3]> {
        let rows = self.weights().zip(self.log.rewards);
        let models = self
            .log
            .model
            .iter()
            .flat_map(|model| model.predicted.iter().zip(model.direct));
        rows.zip(models)
            .map(|((w, r), (q, d))| [*d, w * (r - q), w])
            .collect()
    }
}

/// What an estimator says of each drawn log, given the sums of its terms.
fn resampled<const M: usize>(
    terms: &[[f64; M]],
    rows: u32,
    bootstrap: &Bootstrap,
    value: impl Fn([f64; M]) -> f64,
) -> Vec<f64> {
    let replicate = |replicate: u32| {
        let key = DecisionKey {
            seed: bootstrap.seed,
            policy: PolicyVersion::default(),
            decision: DecisionId::new(replicate.into()),
        };
        let mut generator = key.generator();
        let mut sums = [0.0; M];
        for _ in 0..rows {
            let row = &terms[below(rows, &mut generator) as usize];
            for (sum, term) in sums.iter_mut().zip(row) {
                *sum += term;
            }
        }
        value(sums)
    };
    (0..bootstrap.replicates).map(replicate).collect()
}

/// A whole number below `bound`, each as likely as the others.
///
/// Source: Lemire (2019), Fast random integer generation in an interval, algorithm 5.
fn below(bound: u32, rng: &mut impl Rng) -> u32 {
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let low = product as u32;
        if low >= bound || low >= bound.wrapping_neg() % bound {
            return (product >> 32) as u32;
        }
    }
}

/// The quantile of sorted values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place between 0 and the last"
)]
fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let place = probability * (count(sorted.len()) - 1.0);
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - place.floor()) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    /// numpy 2.4.6, `np.quantile` with its default method.
    #[test]
    fn quantiles_are_those_of_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (probability, expected) in [
            (0.0, 1.0),
            (0.025, 1.1),
            (0.5, 4.0),
            (0.9, 12.8),
            (1.0, 16.0),
        ] {
            assert!((quantile(&sorted, probability) - expected).abs() < 1e-14);
        }
    }

    /// Five standard deviations for 7 cells: fails once in 250,000 seeds.
    #[test]
    fn rows_are_drawn_evenly() {
        let mut generator = ChaCha8Rng::seed_from_u64(7);
        let mut cells = [0.0_f64; 7];
        for _ in 0..700_000 {
            cells[below(7, &mut generator) as usize] += 1.0;
        }
        for cell in cells {
            assert!(
                (cell - 1e5).abs() < 5.0 * (1e5_f64 * 6.0 / 7.0).sqrt(),
                "{cells:?}"
            );
        }
    }
}
