//! A reference in twice the digits, by the plainest method: Gauss–Jordan on a whole matrix.

use std::ops::{Add, Div, Mul, Sub};

/// A number of some 32 digits, as the unevaluated sum of two.
///
/// Source: Dekker (1971), A floating-point technique for extending the available precision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Double(f64, f64);

impl Double {
    pub(super) const ZERO: Self = Self(0.0, 0.0);

    pub(super) fn get(self) -> f64 {
        self.0
    }

    fn settled(high: f64, low: f64) -> Self {
        let sum = high + low;
        Self(sum, low - (sum - high))
    }
}

impl From<f64> for Double {
    fn from(value: f64) -> Self {
        Self(value, 0.0)
    }
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let sum = self.0 + other.0;
        let back = sum - self.0;
        let lost = (self.0 - (sum - back)) + (other.0 - back);
        Self::settled(sum, lost + self.1 + other.1)
    }
}

impl Sub for Double {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self(-other.0, -other.1)
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = self.0 * other.0;
        let lost = self.0.mul_add(other.0, -product);
        Self::settled(product, lost + self.0 * other.1 + self.1 * other.0)
    }
}

impl Div for Double {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let first = self.0 / other.0;
        let rest = self - other * Self::from(first);
        let second = rest.0 / other.0;
        let rest = rest - other * Self::from(second);
        Self::settled(first, second) + Self::from(rest.0 / other.0)
    }
}

/// λI + Σ w x xᵀ and Σ w y x.
#[derive(Clone, Debug)]
pub(super) struct Normal {
    pub(super) matrix: Vec<Vec<Double>>,
    pub(super) right: Vec<Double>,
}

impl Normal {
    pub(super) fn new(dimension: usize, prior: f64) -> Self {
        let mut matrix = vec![vec![Double::ZERO; dimension]; dimension];
        for (place, row) in matrix.iter_mut().enumerate() {
            row[place] = prior.into();
        }
        Self {
            matrix,
            right: vec![Double::ZERO; dimension],
        }
    }

    pub(super) fn add(&mut self, x: &[f64], weight: f64, reward: f64) {
        for (place, &own) in x.iter().enumerate() {
            let own = Double::from(own) * weight.into();
            for (sum, &other) in self.matrix[place].iter_mut().zip(x) {
                *sum = *sum + own * other.into();
            }
            self.right[place] = self.right[place] + own * reward.into();
        }
    }

    /// The inverse of the matrix, and the solution.
    pub(super) fn solve(&self) -> (Vec<Vec<f64>>, Vec<f64>) {
        let d = self.right.len();
        let mut rows: Vec<Vec<Double>> = self.matrix.clone();
        for (place, row) in rows.iter_mut().enumerate() {
            row.extend((0..d).map(|column| Double(f64::from(u8::from(column == place)), 0.0)));
            row.push(self.right[place]);
        }
        for column in 0..d {
            let best = (column..d)
                .max_by(|a, b| {
                    let size = |row: usize| rows[row][column].get().abs();
                    size(*a).total_cmp(&size(*b))
                })
                .unwrap();
            rows.swap(column, best);
            let pivot = rows[column][column];
            for entry in &mut rows[column] {
                *entry = *entry / pivot;
            }
            let lead = rows[column].clone();
            for (place, row) in rows.iter_mut().enumerate() {
                if place != column {
                    let factor = row[column];
                    for (entry, lead) in row.iter_mut().zip(&lead) {
                        *entry = *entry - factor * *lead;
                    }
                }
            }
        }
        let inverse = rows
            .iter()
            .map(|row| row[d..2 * d].iter().map(|entry| entry.get()).collect())
            .collect();
        (inverse, rows.iter().map(|row| row[2 * d].get()).collect())
    }

    /// The mean and deviation of a score.
    pub(super) fn belief(&self, x: &[f64]) -> (f64, f64) {
        let (inverse, solution) = self.solve();
        let mean = solution.iter().zip(x).map(|(a, b)| a * b).sum();
        let mut variance = Double::ZERO;
        for (row, own) in inverse.iter().zip(x) {
            for (entry, other) in row.iter().zip(x) {
                variance =
                    variance + Double::from(*entry) * Double::from(*own) * Double::from(*other);
            }
        }
        (mean, variance.get().sqrt())
    }
}
