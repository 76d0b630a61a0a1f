//! Ridge regression of rewards on features, arm by arm.

use super::model::{ModelError, RewardModel, Training};
use crate::ParameterViolation;

/// Ridge regression with its own coefficients for every arm.
///
/// What is regressed is the distance of rewards from the mean of all, on the features and a
/// constant, all penalised alike. So an arm without rows is expected to earn the mean of all.
///
/// **Cost**: a fit takes O(d²) per row and O(d³) per arm for d features; K d² × 8 bytes for K arms.
///
/// **Source**: Hoerl & Kennard (1970), Ridge regression: biased estimation for nonorthogonal
/// problems, equation (2.1), solved by Cholesky's method.
///
/// ```
/// use gaelp_bandits::evaluation::{cross_fit, Folds, Observations, Ridge};
///
/// // One arm, whose reward is 1 + 2 x.
/// let features: Vec<f64> = (0..100).map(|row| f64::from(row % 10)).collect();
/// let rewards: Vec<f64> = features.iter().map(|x| 1.0 + 2.0 * x).collect();
/// let observations = Observations {
///     arms: 1,
///     chosen: &[0; 100],
///     rewards: &rewards,
///     width: 1,
///     features: &features,
/// };
/// let mut model = Ridge::new(1e-6)?;
/// let predictions = cross_fit(&mut model, &observations, &[1.0; 100], Folds::Interleaved(5))?;
/// for (prediction, reward) in predictions.direct.iter().zip(&rewards) {
///     assert!((prediction - reward).abs() < 1e-5);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    penalty: f64,
    overall: f64,
    /// For each arm the features' coefficients and the constant's.
    coefficients: Vec<f64>,
}

impl Ridge {
    /// A model that has seen nothing.
    ///
    /// # Errors
    /// [`ParameterViolation`] for a penalty that is not from 10⁻⁹ to 10¹².
    pub fn new(penalty: f64) -> Result<Self, ParameterViolation> {
        match ParameterViolation::check("penalty", penalty, 1e-9, 1e12) {
            Some(violation) => Err(violation),
            None => Ok(Self {
                penalty,
                overall: 0.0,
                coefficients: Vec::new(),
            }),
        }
    }
}

impl RewardModel for Ridge {
    fn fit(&mut self, training: &Training<'_>) -> Result<(), ModelError> {
        let (rows, total) = training
            .rows()
            .fold((0.0, 0.0), |(rows, total), (_, reward, _)| {
                (rows + 1.0, total + reward)
            });
        self.overall = if rows > 0.0 { total / rows } else { 0.0 };
        let size = training.width() + 1;
        let mut systems = vec![System::new(size, self.penalty); training.arms()];
        let mut extended = vec![1.0; size];
        for (arm, reward, features) in training.rows() {
            extended[..size - 1].copy_from_slice(features);
            systems[arm].add(&extended, reward - self.overall);
        }
        self.coefficients.clear();
        for (arm, system) in systems.into_iter().enumerate() {
            let solved = system.solve().ok_or(ModelError::Singular { arm })?;
            self.coefficients.extend(solved);
        }
        Ok(())
    }

    fn predict(&self, features: &[f64], predictions: &mut [f64]) {
        let arms = self.coefficients.chunks_exact(features.len() + 1);
        for (prediction, coefficients) in predictions.iter_mut().zip(arms) {
            let (slopes, constant) = coefficients.split_at(features.len());
            let sum: f64 = slopes.iter().zip(features).map(|(b, x)| b * x).sum();
            *prediction = self.overall + sum + constant[0];
        }
    }
}

/// (λI + Σ x xᵀ) θ = Σ x y, the matrix as the rows of its lower half.
#[derive(Clone)]
struct System {
    lower: Vec<Vec<f64>>,
    right: Vec<f64>,
}

impl System {
    fn new(size: usize, penalty: f64) -> Self {
        let row = |index| {
            let mut row = vec![0.0; index + 1];
            row[index] = penalty;
            row
        };
        Self {
            lower: (0..size).map(row).collect(),
            right: vec![0.0; size],
        }
    }

    fn add(&mut self, x: &[f64], y: f64) {
        for ((row, right), xi) in self.lower.iter_mut().zip(&mut self.right).zip(x) {
            *right += xi * y;
            for (cell, xj) in row.iter_mut().zip(x) {
                *cell += xi * xj;
            }
        }
    }

    /// By Cholesky's method; `None` if rounding leaves the matrix singular.
    fn solve(mut self) -> Option<Vec<f64>> {
        let size = self.right.len();
        for i in 0..size {
            let (done, rest) = self.lower.split_at_mut(i);
            let row = &mut rest[0];
            for j in 0..i {
                row[j] = (row[j] - dot(&row[..j], &done[j][..j])) / done[j][j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            if !pivot.is_finite() || pivot <= 0.0 {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        let mut solution = self.right;
        for i in 0..size {
            let row = &self.lower[i];
            solution[i] = (solution[i] - dot(&row[..i], &solution[..i])) / row[i];
        }
        for i in (0..size).rev() {
            let below: f64 = (i + 1..size).map(|k| self.lower[k][i] * solution[k]).sum();
            solution[i] = (solution[i] - below) / self.lower[i][i];
        }
        Some(solution)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
