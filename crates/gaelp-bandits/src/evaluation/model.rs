//! Reward models, and predictions that no row has seen itself in.

use super::column::{Column, Extent, check_length};
use super::error::LogError;
use super::rows::{ActionRows, Predictions, check_arm};
use super::sum::count;
use crate::ParameterViolation;

/// What a reward model predicts from: who was chosen, what it earned, and what was known before.
///
/// **Shape**: row-major: feature j of row i stands at `i × width + j`. No features are `width` 0.
#[derive(Clone, Copy, Debug)]
pub struct Observations<'a> {
    /// How many arms there are.
    pub arms: usize,
    /// The chosen arm, by row, counted from 0.
    pub chosen: &'a [u32],
    /// What it earned, by row.
    pub rewards: &'a [f64],
    /// How many features each row has.
    pub width: usize,
    /// The features.
    pub features: &'a [f64],
}

impl Observations<'_> {
    fn check(&self) -> Result<(), LogError> {
        let rows = self.chosen.len();
        if rows == 0 {
            return Err(LogError::Empty);
        }
        check_length(Column::Reward, self.rewards.len(), rows)?;
        let expected = rows.saturating_mul(self.width);
        check_length(Column::Features, self.features.len(), expected)?;
        Extent::of(self.rewards).check(Column::Reward, self.rewards, 1)?;
        Extent::of(self.features).check(Column::Features, self.features, self.width)?;
        for (row, &arm) in self.chosen.iter().enumerate() {
            check_arm(row, arm, self.arms)?;
        }
        Ok(())
    }

    fn features(&self, row: usize) -> &[f64] {
        &self.features[row * self.width..(row + 1) * self.width]
    }
}

/// The rows that a model is fitted to: those of all folds but one.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    observations: &'a Observations<'a>,
    folds: Folds<'a>,
    left_out: usize,
}

impl<'a> Training<'a> {
    /// How many arms there are.
    pub const fn arms(&self) -> usize {
        self.observations.arms
    }

    /// How many features each row has.
    pub const fn width(&self) -> usize {
        self.observations.width
    }

    /// The chosen arm, its reward and the features, row by row.
    pub fn rows(&self) -> impl Iterator<Item = (usize, f64, &'a [f64])> + '_ {
        let Observations {
            chosen, rewards, ..
        } = *self.observations;
        (0..chosen.len())
            .filter(|row| self.folds.of(*row, chosen.len()) != self.left_out)
            .map(move |row| {
                let features = self.observations.features(row);
                (chosen[row] as usize, rewards[row], features)
            })
    }
}

/// A model that cannot be fitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A parameter is out of range.
    #[error("{0}")]
    Parameter(#[from] ParameterViolation),
    /// The features of an arm's rows depend on each other beyond what rounding forgives.
    #[error("the features of arm {arm} are singular: a larger penalty is needed")]
    Singular {
        /// The arm.
        arm: usize,
    },
    /// What a model of the caller's says.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// A model of what arms earn.
///
/// **To those who implement it.** [`RewardModel::fit`] forgets every earlier fit. It sees each arm
/// maybe never, and must predict for it all the same.
///
/// **To those who call it.** [`RewardModel::predict`] is called after a fit, with as many features
/// and as much room as the fit's rows had.
///
/// The trait can be made into an object.
pub trait RewardModel {
    /// Fits the model to rows.
    ///
    /// # Errors
    /// [`ModelError`] if it cannot.
    fn fit(&mut self, training: &Training<'_>) -> Result<(), ModelError>;

    /// Writes what each arm is expected to earn.
    fn predict(&self, features: &[f64], predictions: &mut [f64]);
}

macro_rules! forward {
    ($($kind:ty),*) => {$(
        impl<M: RewardModel + ?Sized> RewardModel for $kind {
            fn fit(&mut self, training: &Training<'_>) -> Result<(), ModelError> {
                (**self).fit(training)
            }

            fn predict(&self, features: &[f64], predictions: &mut [f64]) {
                (**self).predict(features, predictions);
            }
        }
    )*};
}

forward!(&mut M, Box<M>);

/// Each arm's mean reward, drawn towards the mean of all. It looks at no features.
///
/// An arm's mean is that of its rows and of `strength` rows that earned the mean of all.
///
/// **Cost**: a fit O(n + K), a prediction O(K); 8 bytes per arm.
///
/// **Source**: Cestnik (1990), Estimating probabilities: a crucial task in machine learning, the
/// m-estimate.
///
/// ```
/// use gaelp_bandits::evaluation::{ArmMeans, Folds, Observations, cross_fit};
///
/// // Arm 0 always earns 1, arm 1 never does: 200 rows of each in either fold's training.
/// let chosen: Vec<u32> = (0..800).map(|row| row / 2 % 2).collect();
/// let rewards: Vec<f64> = chosen.iter().map(|arm| f64::from(1 - *arm)).collect();
/// let observations =
///     Observations { arms: 2, chosen: &chosen, rewards: &rewards, width: 0, features: &[] };
/// let predictions =
///     cross_fit(&mut ArmMeans::new(50.0)?, &observations, &[0.5; 1600], Folds::Interleaved(2))?;
/// // Drawn towards the mean of all, ½, by 50 rows that earned it.
/// assert!((predictions.chosen[0] - (200.0 + 25.0) / 250.0).abs() < 1e-12);
/// assert!((predictions.chosen[2] - 25.0 / 250.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ArmMeans {
    strength: f64,
    means: Vec<f64>,
}

impl ArmMeans {
    /// A model that has seen nothing.
    ///
    /// # Errors
    /// [`ParameterViolation`] for a strength that is not from 10⁻⁶ to 10¹².
    pub fn new(strength: f64) -> Result<Self, ParameterViolation> {
        match ParameterViolation::check("strength", strength, 1e-6, 1e12) {
            Some(violation) => Err(violation),
            None => Ok(Self {
                strength,
                means: Vec::new(),
            }),
        }
    }
}

impl RewardModel for ArmMeans {
    fn fit(&mut self, training: &Training<'_>) -> Result<(), ModelError> {
        let mut sums = vec![(0.0, 0.0); training.arms()];
        for (arm, reward, _) in training.rows() {
            sums[arm].0 += 1.0;
            sums[arm].1 += reward;
        }
        let (rows, total) =
            (sums.iter()).fold((0.0, 0.0), |(n, s), (rows, sum)| (n + rows, s + sum));
        let overall = if rows > 0.0 { total / rows } else { 0.0 };
        let strength = self.strength;
        let mean = |(rows, sum)| (sum + strength * overall) / (rows + strength);
        self.means = sums.into_iter().map(mean).collect();
        Ok(())
    }

    fn predict(&self, _: &[f64], predictions: &mut [f64]) {
        for (prediction, mean) in predictions.iter_mut().zip(&self.means) {
            *prediction = *mean;
        }
    }
}

/// How rows are divided for cross-fitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Folds<'a> {
    /// Row i is of fold i mod the number of folds: every fold sees all times. For rows that do not
    /// depend on each other.
    Interleaved(u32),
    /// Each fold is a run of rows. For rows that depend on their neighbours, such as the positions
    /// of one slate.
    Runs(u32),
    /// The caller's own, counted from 0, by row.
    Given(&'a [u32]),
}

impl Folds<'_> {
    fn of(&self, row: usize, rows: usize) -> usize {
        match *self {
            Self::Interleaved(folds) => row % folds as usize,
            Self::Runs(folds) => {
                // As in floor(row × folds ÷ rows), without overflow.
                let fold = row as u128 * u128::from(folds) / rows as u128;
                usize::try_from(fold).unwrap_or(0)
            }
            Self::Given(folds) => folds[row] as usize,
        }
    }

    /// How many there are, at least two and none more than rows.
    fn check(&self, rows: usize) -> Result<usize, LogError> {
        let folds = match *self {
            Self::Interleaved(folds) | Self::Runs(folds) => folds,
            Self::Given(folds) => {
                check_length(Column::Fold, folds.len(), rows)?;
                folds.iter().max().map_or(0, |last| last.saturating_add(1))
            }
        };
        let violation = ParameterViolation::check("folds", f64::from(folds), 2.0, count(rows));
        violation.map_or(Ok(folds as usize), |violation| Err(violation.into()))
    }
}

/// Predictions that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrossFitError {
    /// The rows cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The model cannot be fitted without one of the folds.
    #[error("without fold {fold}: {source}")]
    Model {
        /// The fold.
        fold: usize,
        /// What the model says.
        source: ModelError,
    },
}

/// Predicts every row by a model that was fitted without that row's fold.
///
/// So the errors of predictions and rewards are independent, which is what doubly robust estimators
/// rest on. `target` holds the target policy's probabilities, n × arms, row-major.
///
/// **Cost**: one fit per fold, and one prediction of all arms per row.
///
/// # Errors
/// [`CrossFitError`] for rows that cannot be read, and for what the model says.
///
/// **Source**: Chernozhukov et al. (2018), Double/debiased machine learning for treatment and
/// structural parameters, definition 3.2; for bandits, Narita, Yasui & Yata (2021), Debiased
/// off-policy evaluation for recommendation systems.
///
/// ```
/// use gaelp_bandits::evaluation::{
///     cross_fit, ArmMeans, Estimator, Folds, Log, Observations, Requirements,
/// };
///
/// let chosen: Vec<u32> = (0..600).map(|row| row % 2).collect();
/// let rewards: Vec<f64> = (0..600).map(|row| f64::from(row % 6 == 1)).collect();
/// let target = [0.5; 1200];
/// let observations =
///     Observations { arms: 2, chosen: &chosen, rewards: &rewards, width: 0, features: &[] };
/// let mut model = ArmMeans::new(1.0)?;
/// let predictions = cross_fit(&mut model, &observations, &target, Folds::Runs(3))?;
///
/// let half = [0.5; 600];
/// let log = Log::new(&rewards, &half, &half)?;
/// let log = log.with_model(&predictions.chosen, &predictions.direct)?;
/// let answer = log.evaluate(Estimator::Dr, &Requirements::default())?;
/// assert!((answer.value() - 1.0 / 6.0).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cross_fit(
    model: &mut (impl RewardModel + ?Sized),
    observations: &Observations<'_>,
    target: &[f64],
    folds: Folds<'_>,
) -> Result<Predictions, CrossFitError> {
    observations.check()?;
    let Observations { arms, chosen, .. } = *observations;
    // Checks the probabilities too.
    ActionRows {
        arms,
        chosen,
        target,
    }
    .fold(None)?;
    let rows = chosen.len();
    let count = folds.check(rows)?;
    let mut predictions = Predictions {
        chosen: vec![0.0; rows],
        direct: vec![0.0; rows],
    };
    let mut of_row = vec![0.0; arms];
    for fold in 0..count {
        let training = Training {
            observations,
            folds,
            left_out: fold,
        };
        if training.rows().next().is_none() {
            return Err(LogError::Empty.into());
        }
        let fitted = model.fit(&training);
        fitted.map_err(|source| CrossFitError::Model { fold, source })?;
        for row in (0..rows).filter(|row| folds.of(*row, rows) == fold) {
            model.predict(observations.features(row), &mut of_row);
            let probabilities = &target[row * arms..(row + 1) * arms];
            let products = of_row.iter().zip(probabilities).map(|(q, p)| q * p);
            predictions.direct[row] = products.sum();
            predictions.chosen[row] = of_row[chosen[row] as usize];
        }
    }
    Ok(predictions)
}
