//! The fit as least squares: a residual for each observation, and two for the prior.

use levenberg_marquardt::LeastSquaresProblem;
use nalgebra::storage::Owned;
use nalgebra::{Dyn, OMatrix, OVector, U2, Vector2};

use super::{CurvePrior, Family, Observation, curve};
use crate::math::ln;
use crate::{Curve, ResponseCurve};

/// What Levenberg and Marquardt's method is given.
pub(super) struct Problem<'a> {
    pub(super) family: Family,
    pub(super) observations: &'a [Observation],
    /// One over the standard deviation of each value.
    pub(super) weights: Vec<f64>,
    pub(super) prior: CurvePrior,
    pub(super) at: Vector2<f64>,
}

impl Problem<'_> {
    /// Sets the weights by what the curve expects, and finds the dispersion.
    pub(super) fn reweigh(&mut self) -> f64 {
        let Some(curve) = self.here() else {
            return 1.0;
        };
        let expected: Vec<f64> = self
            .observations
            .iter()
            .map(|seen| curve.value(seen.spend))
            .collect();
        let mean = expected.iter().sum::<f64>() / as_f64(expected.len().max(1));
        // Hours of next to no spend must not weigh without end.
        let least = (0.01 * mean).max(f64::MIN_POSITIVE);
        let squares = self
            .observations
            .iter()
            .zip(&expected)
            .map(|(seen, expected)| (seen.value - expected).powi(2) / expected.max(least));
        let free = as_f64(self.observations.len().saturating_sub(2).max(1));
        // Values that lie on a curve to the last digit would leave no doubt at all.
        let dispersion = (squares.sum::<f64>() / free)
            .max(1e-6 * mean)
            .max(f64::MIN_POSITIVE);
        for (weight, expected) in self.weights.iter_mut().zip(&expected) {
            *weight = 1.0 / (dispersion * expected.max(least)).sqrt();
        }
        dispersion
    }

    fn here(&self) -> Option<ResponseCurve> {
        curve(self.family, [self.at[0], self.at[1]]).ok()
    }

    pub(super) fn slopes(&self) -> OMatrix<f64, Dyn, U2> {
        let count = self.observations.len();
        let curve = self.here();
        OMatrix::<f64, Dyn, U2>::from_fn(count + 2, |row, column| {
            if row >= count {
                let spread = [self.prior.slope_spread, self.prior.scale_spread][column];
                return if row - count == column {
                    -1.0 / spread
                } else {
                    0.0
                };
            }
            let Some(curve) = &curve else {
                return 0.0;
            };
            let spend = self.observations[row].spend;
            let value = curve.value(spend);
            // By the scale: slope · scale · g(x ÷ scale).
            let turned = if column == 0 {
                value
            } else {
                value - spend * curve.marginal(spend)
            };
            -turned * self.weights[row]
        })
    }
}

impl LeastSquaresProblem<f64, Dyn, U2> for Problem<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, U2>;
    type ParameterStorage = Owned<f64, U2>;

    fn set_params(&mut self, at: &Vector2<f64>) {
        self.at = *at;
    }

    fn params(&self) -> Vector2<f64> {
        self.at
    }

    fn residuals(&self) -> Option<OVector<f64, Dyn>> {
        let curve = self.here()?;
        let seen = self.observations.iter().zip(&self.weights);
        let seen = seen.map(|(seen, weight)| (seen.value - curve.value(seen.spend)) * weight);
        let CurvePrior {
            slope,
            slope_spread,
            scale,
            scale_spread,
        } = self.prior;
        let believed = [
            (ln(slope) - self.at[0]) / slope_spread,
            (ln(scale) - self.at[1]) / scale_spread,
        ];
        let all = seen.chain(believed);
        Some(OVector::<f64, Dyn>::from_iterator(
            self.observations.len() + 2,
            all,
        ))
    }

    fn jacobian(&self) -> Option<OMatrix<f64, Dyn, U2>> {
        self.here().map(|_| self.slopes())
    }
}

#[expect(clippy::cast_precision_loss, reason = "few observations")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
