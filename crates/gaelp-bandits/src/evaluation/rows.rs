//! From probabilities of all arms to columns.

use super::column::{Column, Extent, check_length};
use super::error::LogError;
use super::log::Log;
use crate::ParameterViolation;

/// By how much a row of probabilities may miss 1.
const TOLERANCE: f64 = 1e-6;

/// What the target policy would have done in each row, for all arms.
///
/// **Shape**: row-major: the values of row i and arm k stand at `i × arms + k`. The arms of a row are
/// counted from 0; what they are is the caller's, and may differ by row.
///
/// ```
/// use gaelp_bandits::evaluation::{ActionRows, Estimator, Requirements};
///
/// // Three decisions between two arms.
/// let target = [0.9, 0.1, 0.9, 0.1, 0.2, 0.8];
/// let predictions = [0.5, 0.3, 0.5, 0.3, 0.4, 0.6];
/// let rows = ActionRows { arms: 2, chosen: &[0, 1, 1], target: &target };
/// let folded = rows.fold(Some(&predictions))?;
/// assert_eq!(folded.target, [0.9, 0.1, 0.8]);
///
/// let log = folded.log(&[1.0, 0.0, 1.0], &[0.5, 0.5, 0.5])?;
/// let answer = log.evaluate(Estimator::Dm, &Requirements::NONE)?;
/// assert!((answer.value() - (0.48 + 0.48 + 0.56) / 3.0).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ActionRows<'a> {
    /// How many arms each row has, from 1 to 2³².
    pub arms: usize,
    /// The arm that was chosen, by row.
    pub chosen: &'a [u32],
    /// The target policy's probabilities.
    pub target: &'a [f64],
}

/// What [`ActionRows`] come to: columns of one value per row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// The target policy's probability of the chosen arm.
    pub target: Vec<f64>,
    /// The reward model's columns, if there were predictions.
    pub predictions: Option<Predictions>,
}

/// A reward model's columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// q̂ of the chosen arm.
    pub chosen: Vec<f64>,
    /// Σₐ π(a) q̂(a).
    pub direct: Vec<f64>,
}

impl ActionRows<'_> {
    /// Folds probabilities, and predictions of the same shape, into columns.
    ///
    /// **Cost**: one pass over the rows, in which they are also checked; 24 n bytes.
    ///
    /// # Errors
    /// [`LogError`] for lengths that do not fit, arms that are not there, probabilities outside of
    /// [0, 1] or that do not sum to 1 within 10⁻⁶, and predictions that are not finite or whose mean
    /// is beyond ±1e50, with the first such row.
    pub fn fold(&self, predictions: Option<&[f64]>) -> Result<Folded, LogError> {
        self.check_shape()?;
        if let Some(predictions) = predictions {
            check_length(Column::PredictionRows, predictions.len(), self.target.len())?;
        }
        let mut folded = Folded {
            target: vec![0.0; self.chosen.len()],
            predictions: None,
        };
        match predictions {
            None => self.fold_target(&mut folded.target)?,
            Some(predictions) => {
                let mut columns = Predictions {
                    chosen: vec![0.0; self.chosen.len()],
                    direct: vec![0.0; self.chosen.len()],
                };
                self.fold_both(predictions, &mut folded.target, &mut columns)?;
                folded.predictions = Some(columns);
            }
        }
        Ok(folded)
    }

    fn fold_target(&self, column: &mut [f64]) -> Result<(), LogError> {
        let mut sound = true;
        let rows = self.target.chunks_exact(self.arms).zip(self.chosen);
        for ((row, arm), found) in rows.zip(column) {
            let (mut sum, mut least) = (0.0, 0.0);
            for p in row {
                sum += p;
                least = if *p < least { *p } else { least };
            }
            sound &= is_distribution(sum, least);
            *found = row.get(*arm as usize).copied().unwrap_or(f64::NAN);
            sound &= !found.is_nan();
        }
        if sound { Ok(()) } else { self.find_wrong() }
    }

    /// The same together with predictions: what is read, is read once.
    fn fold_both(
        &self,
        predictions: &[f64],
        column: &mut [f64],
        columns: &mut Predictions,
    ) -> Result<(), LogError> {
        let (mut sound, mut predicted) = (true, true);
        let rows = self.target.chunks_exact(self.arms).zip(self.chosen);
        let columns = columns.chosen.iter_mut().zip(&mut columns.direct);
        let outputs = column.iter_mut().zip(columns);
        let inputs = rows.zip(predictions.chunks_exact(self.arms));
        for (((row, arm), predictions), (found, (chosen, direct))) in inputs.zip(outputs) {
            let (mut sum, mut least, mut product) = (0.0, 0.0, 0.0);
            for (p, q) in row.iter().zip(predictions) {
                sum += p;
                least = if *p < least { *p } else { least };
                product += p * q;
            }
            sound &= is_distribution(sum, least);
            let place = *arm as usize;
            *found = row.get(place).copied().unwrap_or(f64::NAN);
            sound &= !found.is_nan();
            *chosen = predictions.get(place).copied().unwrap_or(0.0);
            *direct = product;
            // An infinity or a NaN of any arm is seen in the product, of probability zero too.
            predicted &= Column::Direct.allows(product);
        }
        if !sound {
            self.find_wrong()?;
        }
        if !predicted {
            let all = Extent::of(predictions);
            all.check(Column::PredictionRows, predictions, self.arms)?;
        }
        Ok(())
    }

    pub(crate) fn check_shape(&self) -> Result<(), LogError> {
        #[expect(clippy::cast_precision_loss, reason = "for a message")]
        let arms = self.arms as f64;
        let violation = ParameterViolation::check("arms", arms, 1.0, 4_294_967_296.0);
        violation.map_or(Ok(()), Err)?;
        let expected = self.chosen.len().saturating_mul(self.arms);
        check_length(Column::TargetRows, self.target.len(), expected)
    }

    /// Looks for the first row whose probabilities or arm are wrong.
    #[cold]
    fn find_wrong(&self) -> Result<(), LogError> {
        Extent::of(self.target).check(Column::TargetRows, self.target, self.arms)?;
        let rows = self.target.chunks_exact(self.arms).zip(self.chosen);
        for (row, (probabilities, &arm)) in rows.enumerate() {
            check_arm(row, arm, self.arms)?;
            let sum: f64 = probabilities.iter().sum();
            if !is_distribution(sum, 0.0) {
                return Err(LogError::Sum { row, sum });
            }
        }
        Ok(())
    }
}

/// Whether probabilities with this sum and this least are those of a choice. So none is above 1.
fn is_distribution(sum: f64, least: f64) -> bool {
    (sum - 1.0).abs() <= TOLERANCE && least >= 0.0
}

/// Whether an arm is one of so many.
pub(crate) fn check_arm(row: usize, arm: u32, arms: usize) -> Result<(), LogError> {
    if (arm as usize) < arms {
        Ok(())
    } else {
        Err(LogError::Arm { row, arm, arms })
    }
}

impl Folded {
    /// The log of these columns with rewards and the logging policy's propensities.
    ///
    /// # Errors
    /// As [`Log::new`] and [`Log::with_model`].
    pub fn log<'a>(&'a self, rewards: &'a [f64], logged: &'a [f64]) -> Result<Log<'a>, LogError> {
        let log = Log::new(rewards, logged, &self.target)?;
        match &self.predictions {
            Some(Predictions { chosen, direct }) => log.with_model(chosen, direct),
            None => Ok(log),
        }
    }
}
