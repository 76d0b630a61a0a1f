//! Normal variables, on an axis measured in widths of the widest.

use super::elementary::{exp, ln};
use super::legendre::Panel;
use super::log_gamma::nodes;
use super::maximum::Law;

/// A normal variable: its mean and its standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gauss {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
}

impl Gauss {
    /// The laws on an axis that all share: the mean and the width of the widest are its zero and
    /// its unit. At least one must have a width.
    pub(crate) fn shared(arms: &[Self]) -> impl Iterator<Item = Scaled> + '_ {
        /// A variable narrower than this, beside the widest, is as good as a constant.
        const NARROWEST: f64 = 1e-9;
        let widest = arms
            .iter()
            .max_by(|a, b| a.deviation.total_cmp(&b.deviation));
        let (centre, unit) = widest.map_or((0.0, 1.0), |arm| (arm.mean, arm.deviation));
        arms.iter().map(move |arm| {
            let width = (arm.deviation / unit).max(NARROWEST);
            Scaled {
                place: (arm.mean - centre) / unit,
                width,
                peak: -ln(width) - HALF_LN_TAU,
            }
        })
    }
}

/// A normal variable on the shared axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaled {
    place: f64,
    width: f64,
    peak: f64,
}

/// ½ ln 2π.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// Beyond this many widths lies less than 2e-16 of the mass.
const CUT: f64 = 8.25;

impl Law for Scaled {
    type Axis = Panel;

    fn mode(&self) -> f64 {
        self.place
    }

    fn width(&self) -> f64 {
        self.width
    }

    fn upper(&self) -> f64 {
        self.place + CUT * self.width
    }

    fn lower(&self) -> f64 {
        self.place - CUT * self.width
    }

    fn log_density(&self, t: f64) -> f64 {
        let z = (t - self.place) / self.width;
        self.peak - 0.5 * z * z
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

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;
    use crate::numeric::maximum::maximum;

    fn gauss(mean: f64, deviation: f64) -> Gauss {
        Gauss { mean, deviation }
    }

    /// The difference of two normal variables is normal.
    #[test]
    fn two_agree_with_the_normal_tail() {
        let law = Normal::standard();
        for (one, other) in [
            (gauss(0.1, 1.0), gauss(0.0, 2.0)),
            (gauss(3.0, 0.1), gauss(3.2, 0.05)),
            (gauss(-5e3, 40.0), gauss(-5.1e3, 1e-2)),
            (gauss(0.0, 1.0), gauss(6.0, 1.0)),
            (gauss(0.0, 1e6), gauss(0.0, 1.0)),
        ] {
            let solved = maximum(Gauss::shared(&[one, other]));
            let z = (one.mean - other.mean) / f64::hypot(one.deviation, other.deviation);
            let off = (solved.probabilities[0] - law.cdf(z)).abs();
            assert!(off < 2e-11, "{one:?} {other:?}: off by {off:e}");
            assert!(
                off <= solved.error + 1e-11 && solved.error < 2e-8,
                "{:e}",
                solved.error
            );
        }
    }

    /// P(arm 0 is the best) of three, by a product rule of 4,000 steps.
    #[test]
    fn three_agree_with_a_plain_sum() {
        let arms = [gauss(0.2, 0.5), gauss(0.0, 1.0), gauss(0.4, 0.1)];
        let solved = maximum(Gauss::shared(&arms));
        for first in 0..3 {
            let law = |arm: &Gauss| Normal::new(arm.mean, arm.deviation).unwrap();
            let own = arms[first];
            let step = 18.0 * own.deviation / 4_000.0;
            let sum: f64 = (0..4_000)
                .map(|k| {
                    let t = own.mean - 9.0 * own.deviation + step * (f64::from(k) + 0.5);
                    let others = arms.iter().enumerate().filter(|(place, _)| *place != first);
                    let below: f64 = others.map(|(_, arm)| law(arm).cdf(t)).product();
                    let z = (t - own.mean) / own.deviation;
                    step * below * (-0.5 * z * z).exp()
                        / (own.deviation * std::f64::consts::TAU.sqrt())
                })
                .sum();
            let off = (solved.probabilities[first] - sum).abs();
            assert!(off < 1e-10, "{first}: off by {off:e}");
        }
    }
}
