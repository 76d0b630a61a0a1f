//! The gamma distribution on the logarithmic axis, t = ln x.

use super::elementary::{binet, exp, exp_m1, ln};
use super::legendre::{POINTS, Panel};
use super::maximum::Law;

/// The logarithm of a gamma variable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogGamma {
    shape: f64,
    mode: f64,
    /// The log-density at the mode.
    peak: f64,
}

impl LogGamma {
    /// For shapes within [1e-3, 1e15] and positive rates.
    pub(crate) fn new(shape: f64, rate: f64) -> Self {
        Self {
            shape,
            mode: ln(shape / rate),
            // Stirling's main terms cancel at the mode.
            peak: 0.5 * ln(shape / std::f64::consts::TAU) - binet(shape),
        }
    }
}

impl Law for LogGamma {
    type Axis = Panel;

    fn mode(&self) -> f64 {
        self.mode
    }

    fn width(&self) -> f64 {
        1.0 / self.shape.sqrt()
    }

    fn upper(&self) -> f64 {
        self.mode
            + cut(self.width(), |d| {
                self.peak - self.log_density(self.mode + d)
            })
    }

    fn lower(&self) -> f64 {
        self.mode
            - cut(self.width(), |d| {
                self.peak - self.log_density(self.mode - d)
            })
    }

    fn log_density(&self, t: f64) -> f64 {
        let distance = t - self.mode;
        self.peak - self.shape * (exp_m1(distance) - distance)
    }

    fn axis(right: f64, width: f64) -> Panel {
        nodes(right, width)
    }

    fn density(&self, axis: &Panel, _: f64) -> Panel {
        axis.map(|t| exp(self.log_density(t)))
    }

    fn carry(&self, _: &Panel, _: f64, left: f64) -> f64 {
        self.log_density(left)
    }

    fn panel_width(_: f64) -> f64 {
        f64::INFINITY
    }
}

/// The nodes of a panel.
pub(super) fn nodes(right: f64, width: f64) -> Panel {
    POINTS.map(|point| right + 0.5 * width * (point - 1.0))
}

/// A distance from the mode at which the log-density has dropped by 34 or a little more: what is
/// beyond holds some e⁻³⁴ = 2e-15 of the mass.
pub(super) fn cut(width: f64, drop: impl Fn(f64) -> f64) -> f64 {
    const CUT: f64 = 34.0;
    let mut far = width * (2.0 * CUT).sqrt();
    while drop(far) < CUT {
        far *= 2.0;
    }
    let mut near = 0.0;
    while far - near > 0.02 * far {
        let middle = 0.5 * (near + far);
        if drop(middle) < CUT {
            near = middle;
        } else {
            far = middle;
        }
    }
    far
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::maximum::maximum;

    /// For whole shapes, X ÷ (X + Y) of gamma variables is a beta variable: P(X > Y) is a binomial
    /// tail. Computed with mpmath at 30 digits: 1 − I_{r₁ ÷ (r₁ + r₂)}(a₁, a₂) for
    /// X ~ Gamma(a₁, r₁), Y ~ Gamma(a₂, r₂).
    #[test]
    fn two_gammas_agree_with_the_incomplete_beta() {
        for ((a1, r1), (a2, r2)) in [
            ((1.0, 1.0), (1.0, 3.0)),
            ((5.0, 100.0), (9.0, 120.0)),
            ((0.01, 2.0), (3.0, 1.0)),
            ((400.0, 1000.0), (2.0, 4.0)),
            ((10_000.0, 9_900.0), (9_900.0, 9_900.0)),
        ] {
            let solved = maximum([LogGamma::new(a1, r1), LogGamma::new(a2, r2)].into_iter());
            let below = statrs::function::beta::beta_reg(a1, a2, r1 / (r1 + r2));
            let off = (solved.probabilities[0] - (1.0 - below)).abs();
            assert!(off < 2e-11, "{a1} {r1} {a2} {r2}: off by {off:e}");
            assert!(solved.error < 1e-9, "{:e}", solved.error);
        }
    }
}
