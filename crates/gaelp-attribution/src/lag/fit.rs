//! Maximum likelihood with censoring.

use serde::{Deserialize, Serialize};

use super::{LagFamily, LagModel};
use crate::Span;

/// Fewer conversions than this say nothing about when they come.
const LEAST: u64 = 10;
/// What is faster than this is not told apart: clocks are not, and a logarithm would make much of it.
const SHORTEST_HOURS: f64 = 1.0 / 3600.0;
/// Newton's method takes five to fifteen steps.
const MOST_STEPS: usize = 200;
/// The mean gradient at which the maximum counts as found.
const FLAT: f64 = 1e-11;
/// A spread that no real lags have; the likelihood is heading for a single point or for nothing.
const SPREADS: std::ops::Range<f64> = 1e-3..1e3;

/// Whether all touches convert in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ever {
    /// Only some, and their share is estimated.
    #[default]
    Estimated,
    /// All: a plain survival model.
    All,
}

/// Touches of which the same is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// From the touch to its conversion, or for how long it has been watched in vain.
    pub span: Span,
    /// How many such touches there are.
    pub count: u64,
    /// Whether they have converted.
    pub converted: bool,
}

/// Why there is no lag model.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LagError {
    /// There are too few conversions.
    #[error("{found} conversions: a lag model needs {least}")]
    TooFew {
        /// How many there are.
        found: u64,
        /// How many are needed.
        least: u64,
    },
    /// The likelihood has no maximum, such as where all lags are the same.
    #[error("the likelihood has no maximum")]
    NoMaximum,
    /// A parameter outside of its range.
    #[error("{field} is {value}, outside of its range")]
    Parameter {
        /// Which.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// Bounds in the wrong order.
    #[error("the least window {least} is above the most, {most}")]
    Bounds {
        /// The lower bound.
        least: Span,
        /// The upper bound.
        most: Span,
    },
}

impl LagModel {
    /// The model that explains observations best.
    ///
    /// Touches that still wait count as censored at the age that they have reached, so that young
    /// ones are not taken for failures. Lags below a second count as a second.
    ///
    /// **Cost.** `O(observations)` for each of some ten steps, times nine.
    /// **Source.** Maximum likelihood by Newton's method; the likelihood as in [`LagModel`]. The
    /// platform's `exp` and `ln` are used: the last digits may differ between platforms.
    ///
    /// # Errors
    /// [`LagError::TooFew`] below 10 conversions, [`LagError::NoMaximum`] where the likelihood has
    /// none.
    pub fn fit(
        family: LagFamily,
        ever: Ever,
        observations: &[Observation],
    ) -> Result<Self, LagError> {
        let converted = observations.iter().filter(|seen| seen.converted);
        let found = converted.fold(0_u64, |sum, seen| sum.saturating_add(seen.count));
        if found < LEAST {
            return Err(LagError::TooFew {
                found,
                least: LEAST,
            });
        }
        let likelihood = Likelihood::new(family, ever, observations);
        let [location, ln_spread, logit] = likelihood.maximum()?;
        let ever = match ever {
            Ever::Estimated => logistic(logit),
            Ever::All => 1.0,
        };
        Self::new(family, location, ln_spread.exp(), ever).map_err(|_| LagError::NoMaximum)
    }
}

/// Location, logarithm of the spread, logit of the probability to convert at all.
type Parameters = [f64; 3];

struct Likelihood {
    family: LagFamily,
    ever: Ever,
    /// Logarithm of hours, count, converted.
    seen: Vec<(f64, f64, bool)>,
    total: f64,
}

impl Likelihood {
    #[expect(clippy::cast_precision_loss, reason = "weights of statistics")]
    fn new(family: LagFamily, ever: Ever, observations: &[Observation]) -> Self {
        let seen: Vec<_> = observations
            .iter()
            .filter(|seen| seen.count > 0)
            .map(|seen| {
                let hours = seen.span.to_hours_f64().max(SHORTEST_HOURS);
                (hours.ln(), seen.count as f64, seen.converted)
            })
            .collect();
        let total = seen.iter().map(|(_, count, _)| count).sum();
        Self {
            family,
            ever,
            seen,
            total,
        }
    }

    /// Where it is largest.
    fn maximum(&self) -> Result<Parameters, LagError> {
        let mut at = self.start()?;
        let (mut height, mut gradient) = self.value(&at);
        for _ in 0..MOST_STEPS {
            let steepest = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
            if steepest <= FLAT * self.total {
                return Ok(at);
            }
            let Some((next, next_height, next_gradient)) = self.step(&at, height, &gradient) else {
                // Rounding leaves no higher point: the maximum, if it is level here.
                return if steepest <= 1e-6 * self.total {
                    Ok(at)
                } else {
                    Err(LagError::NoMaximum)
                };
            };
            (at, height, gradient) = (next, next_height, next_gradient);
            if !SPREADS.contains(&at[1].exp()) || at[0].abs() > 100.0 {
                return Err(LagError::NoMaximum);
            }
        }
        Err(LagError::NoMaximum)
    }

    /// A higher point: Newton's step, damped until it leads upwards.
    fn step(
        &self,
        at: &Parameters,
        height: f64,
        gradient: &Parameters,
    ) -> Option<(Parameters, f64, Parameters)> {
        let curvature = self.curvature(at);
        let mut damping = 0.0;
        for _ in 0..40 {
            if let Some(direction) = solve(&curvature, gradient, damping) {
                let mut next = *at;
                for (to, by) in next.iter_mut().zip(direction) {
                    *to += by.clamp(-2.0, 2.0);
                }
                let (next_height, next_gradient) = self.value(&next);
                if next_height > height {
                    return Some((next, next_height, next_gradient));
                }
            }
            damping = if damping > 0.0 {
                damping * 10.0
            } else {
                1e-6 * self.total
            };
        }
        None
    }

    /// Moments of the conversions.
    fn start(&self) -> Result<Parameters, LagError> {
        let converted = || self.seen.iter().filter(|(_, _, converted)| *converted);
        let count: f64 = converted().map(|(_, count, _)| count).sum();
        let mean = converted().map(|(x, n, _)| x * n).sum::<f64>() / count;
        let variance = converted()
            .map(|(x, n, _)| (x - mean).powi(2) * n)
            .sum::<f64>()
            / count;
        if variance <= 1e-12 {
            return Err(LagError::NoMaximum);
        }
        let (location, spread) = match self.family {
            LagFamily::LogNormal => (mean, variance.sqrt()),
            // The logarithm of an exponential has the mean −γ and the variance π² ÷ 6.
            LagFamily::Weibull => {
                let spread = (6.0 * variance).sqrt() / std::f64::consts::PI;
                (mean + 0.577_215_664_901_532_9 * spread, spread)
            }
        };
        let share = (count / self.total).clamp(1e-9, 0.95);
        Ok([location, spread.ln(), (share / (1.0 - share)).ln()])
    }

    /// The logarithm of the likelihood, and its gradient.
    fn value(&self, at: &Parameters) -> (f64, Parameters) {
        let &[location, ln_spread, logit] = at;
        let spread = ln_spread.exp();
        let (ever, never) = match self.ever {
            Ever::Estimated => (logistic(logit), logistic(-logit)),
            Ever::All => (1.0, 0.0),
        };
        let mut height = 0.0;
        let mut gradient = [0.0; 3];
        for &(x, count, converted) in &self.seen {
            let z = (x - location) / spread;
            let (term, by_z, by_spread, by_logit) = if converted {
                let term = ever.ln() + self.family.ln_density(z) - ln_spread;
                (term, self.family.slope(z), -1.0, never)
            } else {
                let ln_survival = self.family.ln_survival(z);
                let survival = ln_survival.exp();
                // Its logarithm where nobody is immune, for the survival alone may vanish.
                let term = if never > 0.0 {
                    (never + ever * survival).ln()
                } else {
                    ln_survival
                };
                let by_z = -ever * (self.family.ln_density(z) - term).exp();
                let by_logit = -(1.0 - survival) * ever * never * (-term).exp();
                (term, by_z, 0.0, if never > 0.0 { by_logit } else { 0.0 })
            };
            height += count * term;
            gradient[0] -= count * by_z / spread;
            gradient[1] += count * (by_spread - z * by_z);
            gradient[2] += count * by_logit;
        }
        if self.ever == Ever::All {
            gradient[2] = 0.0;
        }
        let height = if height.is_nan() {
            f64::NEG_INFINITY
        } else {
            height
        };
        (height, gradient)
    }

    /// The second derivatives, from differences of the gradient.
    fn curvature(&self, at: &Parameters) -> [Parameters; 3] {
        const STEP: f64 = 1e-5;
        let mut rows = [[0.0; 3]; 3];
        for (index, row) in rows.iter_mut().enumerate() {
            let moved = |by: f64| {
                let mut to = *at;
                to[index] += by;
                self.value(&to).1
            };
            let (up, down) = (moved(STEP), moved(-STEP));
            for (entry, (up, down)) in row.iter_mut().zip(up.iter().zip(down)) {
                *entry = (up - down) / (2.0 * STEP);
            }
        }
        if self.ever == Ever::All {
            rows[2] = [0.0, 0.0, -1.0];
            rows[0][2] = 0.0;
            rows[1][2] = 0.0;
        }
        rows
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The step to the top of the parabola with this curvature and gradient; `None` where it has no top.
fn solve(curvature: &[Parameters; 3], gradient: &Parameters, damping: f64) -> Option<Parameters> {
    // Cholesky's factors of minus the curvature.
    let mut factor = [[0.0; 3]; 3];
    for row in 0..3 {
        for column in 0..=row {
            let mean = -0.5 * (curvature[row][column] + curvature[column][row]);
            let damped = if row == column { mean + damping } else { mean };
            let known: f64 = (0..column)
                .map(|k| factor[row][k] * factor[column][k])
                .sum();
            let rest = damped - known;
            if row == column {
                if rest.is_nan() || rest <= 1e-12 * mean.abs() {
                    return None;
                }
                factor[row][row] = rest.sqrt();
            } else {
                factor[row][column] = rest / factor[column][column];
            }
        }
    }
    let mut forward = [0.0; 3];
    for row in 0..3 {
        let known: f64 = (0..row).map(|k| factor[row][k] * forward[k]).sum();
        forward[row] = (gradient[row] - known) / factor[row][row];
    }
    let mut back = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|k| factor[k][row] * back[k]).sum();
        back[row] = (forward[row] - known) / factor[row][row];
    }
    Some(back)
}
