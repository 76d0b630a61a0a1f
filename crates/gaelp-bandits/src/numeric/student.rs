//! Student's t distributions of any place and scale, on an axis that tames their tails.
//!
//! The axis is u with x = c + s sinh u: a tail that falls like a power of x falls exponentially
//! in u. Centre and scale are those of the widest arm, which keeps every density one-peaked.

use super::elementary::{binet, exp, ln, ln_1p};
use super::legendre::Panel;
use super::log_gamma::{cut, nodes};
use super::maximum::Law;

/// A t variable: place, scale and degrees of freedom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Student {
    pub(crate) place: f64,
    pub(crate) scale: f64,
    pub(crate) freedom: f64,
}

impl Student {
    /// The laws on an axis that all share.
    pub(crate) fn shared(arms: &[Self]) -> impl Iterator<Item = OnAxis> + '_ {
        let widest = arms.iter().max_by(|a, b| a.scale.total_cmp(&b.scale));
        let (centre, unit) = widest.map_or((0.0, 1.0), |arm| (arm.place, arm.scale));
        arms.iter().map(move |&law| OnAxis::new(law, centre, unit))
    }

    /// The log-density at the place.
    fn peak(&self) -> f64 {
        // Γ((ν + 1) ÷ 2) ÷ Γ(ν ÷ 2) by Stirling, with the main terms cancelled by algebra.
        let z = 0.5 * self.freedom;
        let ratio = z * ln_1p(0.5 / z) + 0.5 * ln(z) - 0.5 + binet(z + 0.5) - binet(z);
        ratio - 0.5 * ln(self.freedom * std::f64::consts::PI) - ln(self.scale)
    }
}

/// A t variable on the shared axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnAxis {
    /// The place from the centre, and the scale, in units of the axis.
    place: f64,
    scale: f64,
    freedom: f64,
    /// The log-density at the place, in units of the axis.
    peak: f64,
    mode: f64,
    width: f64,
}

impl OnAxis {
    fn new(law: Student, centre: f64, unit: f64) -> Self {
        let place = (law.place - centre) / unit;
        let scale = law.scale / unit;
        Self {
            place,
            scale,
            freedom: law.freedom,
            peak: law.peak() + ln(unit),
            mode: asinh(place),
            width: scale / (1.0 + place * place).sqrt(),
        }
    }

    fn drop(&self, distance: f64) -> f64 {
        self.log_density(self.mode) - self.log_density(self.mode + distance)
    }
}

impl Law for OnAxis {
    type Axis = Panel;

    fn mode(&self) -> f64 {
        self.mode
    }

    fn width(&self) -> f64 {
        self.width
    }

    fn upper(&self) -> f64 {
        self.mode + cut(self.width, |distance| self.drop(distance))
    }

    fn lower(&self) -> f64 {
        self.mode - cut(self.width, |distance| self.drop(-distance))
    }

    fn log_density(&self, u: f64) -> f64 {
        let (grown, shrunk) = (exp(u), exp(-u));
        let z = (0.5 * (grown - shrunk) - self.place) / self.scale;
        self.peak - 0.5 * (self.freedom + 1.0) * ln_1p(z * z / self.freedom)
            + ln(0.5 * (grown + shrunk))
    }

    fn axis(right: f64, width: f64) -> Panel {
        nodes(right, width)
    }

    fn density(&self, axis: &Panel, _: f64) -> Panel {
        axis.map(|u| exp(self.log_density(u)))
    }

    fn carry(&self, _: &Panel, _: f64, left: f64) -> f64 {
        self.log_density(left)
    }

    fn panel_width(_: f64) -> f64 {
        f64::INFINITY
    }
}

fn asinh(x: f64) -> f64 {
    let size = x.abs();
    ln_1p(size + size * size / (1.0 + (1.0 + size * size).sqrt())).copysign(x)
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;
    use crate::numeric::maximum::maximum;

    fn first(arms: &[Student]) -> (f64, f64) {
        let solved = maximum(Student::shared(arms));
        (solved.probabilities[0], solved.error)
    }

    fn student(place: f64, scale: f64, freedom: f64) -> Student {
        Student {
            place,
            scale,
            freedom,
        }
    }

    /// With a very sharp second arm, the first is the best with its own tail probability.
    #[test]
    fn against_a_constant_the_tail_is_student_s() {
        for (freedom, place, scale) in [(2.0, 0.0, 1.0), (3.0, 5.0, 2.0), (40.0, -1.0, 0.5)] {
            let law = statrs::distribution::StudentsT::new(place, scale, freedom).unwrap();
            for at in [-2.0, 0.3, 4.0] {
                let (found, error) =
                    first(&[student(place, scale, freedom), student(at, 1e-7, 1e9)]);
                assert!((found - law.sf(at)).abs() < 1e-9, "{freedom} {at}: {found}");
                assert!(error < 1e-6, "{error:e}");
            }
        }
    }

    /// With many degrees of freedom t variables are normal, and so is their difference.
    #[test]
    fn normals_agree_with_the_normal_tail() {
        let law = Normal::standard();
        for (one, other) in [((0.1, 1.0), (0.0, 2.0)), ((3.0, 0.1), (3.2, 0.05))] {
            let (found, _) = first(&[student(one.0, one.1, 1e10), student(other.0, other.1, 1e10)]);
            let z: f64 = (one.0 - other.0) / f64::hypot(one.1, other.1);
            assert!((found - law.cdf(z)).abs() < 1e-8, "{found}");
        }
    }
}
