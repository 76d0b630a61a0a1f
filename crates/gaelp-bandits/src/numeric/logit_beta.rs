//! The beta distribution on the logit axis, t = ln(x ÷ (1 − x)).
//!
//! There its density is log-concave and smooth, the extremes 0 and 1 are infinitely far away, so
//! no shape is too small, and the widths of very different arms can be compared.

use super::elementary::{binet, exp, exp_m1, ln, ln_1p};
use super::legendre::{self, POINTS, WEIGHTS};

/// The log-density below its peak at which a tail is cut: what is beyond holds less than
/// e⁻³⁴ = 2e-15 of the mass.
const CUT: f64 = 34.0;

/// Beyond this distance from the mode `exp` would overflow, and the log-density is linear.
const FAR: f64 = 700.0;

/// The logit of a Beta(a, b) variable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogitBeta {
    pub(crate) a: f64,
    pub(crate) b: f64,
    /// a + b.
    n: f64,
    /// a ÷ n and b ÷ n, each to full relative precision.
    mean: f64,
    rest: f64,
    /// Where the density is highest.
    pub(crate) mode: f64,
    /// The width of the Gaussian that fits the peak.
    pub(crate) width: f64,
    /// The log-density at the mode.
    peak: f64,
}

impl LogitBeta {
    /// For shapes within [1e-3, 1e15].
    pub(crate) fn new(a: f64, b: f64) -> Self {
        let n = a + b;
        let curvature = a * (b / n);
        Self {
            a,
            b,
            n,
            mean: a / n,
            rest: b / n,
            mode: ln(a / b),
            width: 1.0 / curvature.sqrt(),
            // Stirling's main terms cancel at the mode by algebra, not by subtraction.
            peak: 0.5 * ln(curvature / std::f64::consts::TAU) - (binet(a) + binet(b) - binet(n)),
        }
    }

    /// The log-density at logit t less a t + b ln(1 − x): −ln B(a, b).
    pub(crate) fn constant(&self) -> f64 {
        self.peak - (self.a * ln(self.mean) + self.b * ln(self.rest))
    }

    /// The log-density at `t`, in full relative precision of the distance from the mode.
    pub(crate) fn log_density(&self, t: f64) -> f64 {
        self.peak - self.drop(t - self.mode).0
    }

    /// Whether a log-density is one of the body of the distribution.
    #[inline]
    pub(crate) fn is_near_peak(&self, log_density: f64) -> bool {
        const NEAR: f64 = 8.0;
        log_density > self.peak - NEAR
    }

    /// How far the log-density is below its peak at a distance from the mode, and the slope.
    fn drop(&self, distance: f64) -> (f64, f64) {
        // The smaller of the two shares keeps the logarithm's argument away from −1.
        if self.mean <= self.rest {
            drop_of(self.n, self.a, self.mean, self.rest, distance)
        } else {
            let (drop, slope) = drop_of(self.n, self.b, self.rest, self.mean, -distance);
            (drop, -slope)
        }
    }

    /// A bound on the probability of lying above `t`: beyond the mode the log-concave density is
    /// below its tangent's exponential.
    pub(crate) fn tail_bound(&self, t: f64) -> f64 {
        let (drop, slope) = self.drop(t - self.mode);
        if slope > 0.0 {
            (exp(self.peak - drop) / slope).min(1.0)
        } else {
            1.0
        }
    }

    /// A point above which less than 2e-15 of the mass lies.
    pub(crate) fn upper(&self) -> f64 {
        self.mode + self.cut(1.0)
    }

    /// A point below which less than 2e-15 of the mass lies.
    pub(crate) fn lower(&self) -> f64 {
        self.mode - self.cut(-1.0)
    }

    /// The distance, in the direction of the sign, at which the log-density has dropped by
    /// [`CUT`] or a little more.
    fn cut(&self, sign: f64) -> f64 {
        const ROUNDS: usize = 8;
        let mut distance = self.width * (2.0 * CUT).sqrt();
        // The drop is convex, so from its second iterate on Newton's method stays outside.
        for _ in 0..ROUNDS {
            let (drop, slope) = self.drop(sign * distance);
            let step = (drop - CUT) / (sign * slope);
            distance -= step;
            if step.abs() < 0.02 * distance {
                break;
            }
        }
        distance
    }

    /// The quantile of a probability, on the logit axis.
    ///
    /// Cost: some fifteen panels of 16 densities; more for shapes far below 1.
    pub(crate) fn quantile(&self, probability: f64) -> f64 {
        let (floor, mut right) = (self.lower(), self.upper());
        let mut above = 1.0 - probability;
        // Panel by panel from above, until the panel that holds the quantile.
        while right > floor {
            let left = right - panel_width(right).min(2.0 * self.width);
            let mass = self.mass(left, right);
            if mass >= above {
                return self.quantile_within(left, right, above);
            }
            above -= mass;
            right = left;
        }
        floor
    }

    /// The point of a panel above which the panel has the given mass.
    fn quantile_within(&self, left: f64, right: f64, above: f64) -> f64 {
        const ROUNDS: usize = 60;
        let (mut low, mut high) = (left, right);
        let mut t = 0.5 * (low + high);
        for _ in 0..ROUNDS {
            let excess = self.mass(t, right) - above;
            if excess > 0.0 {
                low = t;
            } else {
                high = t;
            }
            let newton = t + excess / exp(self.log_density(t));
            if newton <= low || newton >= high {
                t = 0.5 * (low + high);
                continue;
            }
            let moved = (newton - t).abs();
            t = newton;
            // The error is now of the order of the square of this step.
            if moved <= 1e-8 * self.width {
                break;
            }
        }
        t
    }

    /// The mass of a panel.
    fn mass(&self, left: f64, right: f64) -> f64 {
        let half = 0.5 * (right - left);
        let densities = POINTS.map(|point| exp(self.log_density(left + half * (1.0 + point))));
        half * legendre::dot(&WEIGHTS, &densities)
    }
}

/// [`LogitBeta::drop`] for the shape whose share of `n` is at most one half.
fn drop_of(n: f64, shape: f64, share: f64, rest: f64, distance: f64) -> (f64, f64) {
    if distance > FAR {
        return (n * (distance + ln(share)) - shape * distance, n * rest);
    }
    let growth = exp_m1(distance);
    let relative = 1.0 + share * growth;
    (
        n * ln_1p(share * growth) - shape * distance,
        n * share * rest * growth / relative,
    )
}

/// How wide a panel that ends at `right` may be for functions of e^t: the nearest singularity is
/// at ±iπ, and sixteen nodes resolve to 1e-13 what is three half-widths away from it.
#[inline]
pub(crate) fn panel_width(right: f64) -> f64 {
    const AT_ZERO: f64 = 2.0;
    AT_ZERO.max(if right > 0.0 {
        0.38 * right
    } else {
        -0.63 * right
    })
}

/// The inverse of the logit.
pub(crate) fn expit(t: f64) -> f64 {
    if t < 0.0 {
        let odds = exp(t);
        odds / (1.0 + odds)
    } else {
        1.0 / (1.0 + exp(-t))
    }
}

#[cfg(test)]
mod tests;
