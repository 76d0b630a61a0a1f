//! What spend brings: response curves with value, marginal and inverse.

use serde::{Deserialize, Serialize};

use crate::math::{exp, exp_m1, ln, ln_1p, power};
use crate::{OutOfRanges, error::Ranges};

mod envelope;
mod hill;

pub use envelope::concave_envelope;

/// A concave curve from spend to what it brings.
///
/// **Units.** Spend in major units; values in what the curve counts: revenue in major units, or
/// conversions. A marginal is a value per unit of spend: for revenue, the return of the next
/// dollar.
///
/// **Implementers** promise that `value(0)` is 0, that `value` neither falls nor bends upwards,
/// that `marginal` is its slope to the right, and that `inverse` undoes `marginal`. A test that
/// checks all of it on a curve of one's own is [`ResponseCurve`]'s, in this crate's `tests/it`.
///
/// **Callers** may ask for any spend that is not negative and any level; nothing panics.
pub trait Curve {
    /// What this spend brings.
    fn value(&self, spend: f64) -> f64;
    /// What the next unit of spend brings.
    fn marginal(&self, spend: f64) -> f64;
    /// The most spend of which every unit brings at least `level`: 0 where none does, infinite
    /// where all do.
    fn inverse(&self, level: f64) -> f64;
}

impl<C: Curve + ?Sized> Curve for &C {
    fn value(&self, spend: f64) -> f64 {
        (**self).value(spend)
    }
    fn marginal(&self, spend: f64) -> f64 {
        (**self).marginal(spend)
    }
    fn inverse(&self, level: f64) -> f64 {
        (**self).inverse(level)
    }
}

impl<C: Curve + ?Sized> Curve for Box<C> {
    fn value(&self, spend: f64) -> f64 {
        (**self).value(spend)
    }
    fn marginal(&self, spend: f64) -> f64 {
        (**self).marginal(spend)
    }
    fn inverse(&self, level: f64) -> f64 {
        (**self).inverse(level)
    }
}

/// The form of a curve and its parameters, as configuration and storage have them; a checked
/// [`ResponseCurve`] is made of it.
///
/// **Units.** `half`, `scale`, `shift` and the first of each point are spend in major units; `top`
/// and the second of each point are values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum CurveForm {
    /// top · xᵃ ÷ (xᵃ + halfᵃ), with a the exponent. Above 1 it is S-shaped, and its concave
    /// envelope is taken: the straight line from nothing that touches it, and the curve from there.
    /// Below 1 the first millionth of `half` is a straight line, so that no slope is infinite.
    Hill {
        /// What it tends to, from 0 to 1e15.
        top: f64,
        /// The spend that brings half of that, from 1e-9 to 1e12.
        half: f64,
        /// From 0.2 to 8; 1 is the plain saturation.
        #[serde(default = "one")]
        exponent: f64,
    },
    /// factor · ln(1 + x ÷ scale).
    Log {
        /// From 0 to 1e15.
        factor: f64,
        /// From 1e-9 to 1e12.
        scale: f64,
    },
    /// top · (1 − exp(−x ÷ scale)).
    Exponential {
        /// What it tends to, from 0 to 1e15.
        top: f64,
        /// From 1e-9 to 1e12.
        scale: f64,
    },
    /// factor · ((x + shift)ᵖ − shiftᵖ), with p the exponent.
    Power {
        /// From 0 to 1e15.
        factor: f64,
        /// From 0.05 to 0.95.
        exponent: f64,
        /// From 1e-9 to 1e12.
        shift: f64,
    },
    /// Straight lines from nothing through these points, and level after the last.
    Piecewise {
        /// Spend and value, by rising spend; slopes neither rise nor fall below zero.
        points: Vec<(f64, f64)>,
    },
}

const fn one() -> f64 {
    1.0
}

/// A checked response curve.
///
/// **Cost.** Some nanoseconds for each question, some ten for Hill curves with an exponent, and a
/// binary search for pieces.
///
/// **Source.** Jin, Wang, Sun, Chan & Koehler (2017), Bayesian methods for media mix modeling, §2.2
/// (Hill); the inverses are algebra.
///
/// ```
/// use gaelp_budget::{Curve, ResponseCurve};
///
/// let curve = ResponseCurve::hill(100.0, 20.0)?;
/// assert_eq!(curve.value(20.0), 50.0);
/// let spend = curve.inverse(1.25); // where the next dollar brings 1.25
/// assert!((spend - 20.0).abs() < 1e-12);
/// assert!((curve.marginal(spend) - 1.25).abs() < 1e-12);
/// # Ok::<(), gaelp_budget::CurveError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CurveForm", into = "CurveForm")]
pub struct ResponseCurve(CurveForm);

impl ResponseCurve {
    /// A saturating curve: [`CurveForm::Hill`] with exponent 1.
    ///
    /// # Errors
    /// [`CurveError::Parameters`] out of range.
    pub fn hill(top: f64, half: f64) -> Result<Self, CurveError> {
        let exponent = 1.0;
        CurveForm::Hill {
            top,
            half,
            exponent,
        }
        .try_into()
    }

    /// A curve that slows down without an end: [`CurveForm::Log`].
    ///
    /// # Errors
    /// [`CurveError::Parameters`] out of range.
    pub fn log(factor: f64, scale: f64) -> Result<Self, CurveError> {
        CurveForm::Log { factor, scale }.try_into()
    }

    /// The form and its parameters.
    pub fn form(&self) -> &CurveForm {
        &self.0
    }

    /// What spend really brings: [`Curve::value`], but for the S-shaped curves of which that is the
    /// concave envelope.
    pub fn actual(&self, spend: f64) -> f64 {
        match self.0 {
            CurveForm::Hill {
                top,
                half,
                exponent,
            } if exponent > 1.0 => hill::value(top, half, exponent, spend),
            _ => self.value(spend),
        }
    }

    /// The spend up to which [`Curve::value`] is a straight line that the curve itself stays below;
    /// 0 where it is the curve all along.
    pub fn bend(&self) -> f64 {
        match self.0 {
            CurveForm::Hill { half, exponent, .. } if exponent > 1.0 => {
                hill::touch(half, exponent).unwrap_or(0.0)
            }
            _ => 0.0,
        }
    }

    /// The curve with all values times `factor`.
    ///
    /// # Errors
    /// [`CurveError::Parameters`] where the product is out of range.
    pub fn scaled(&self, by: f64) -> Result<Self, CurveError> {
        let mut form = self.0.clone();
        match &mut form {
            CurveForm::Hill { top, .. } | CurveForm::Exponential { top, .. } => *top *= by,
            CurveForm::Log { factor, .. } | CurveForm::Power { factor, .. } => *factor *= by,
            CurveForm::Piecewise { points } => {
                for (_, value) in points {
                    *value *= by;
                }
            }
        }
        form.try_into()
    }
}

impl Curve for ResponseCurve {
    fn value(&self, spend: f64) -> f64 {
        match &self.0 {
            &CurveForm::Hill {
                top,
                half,
                exponent,
            } => hill::envelope_value(top, half, exponent, spend),
            CurveForm::Log { factor, scale } => factor * ln_1p(spend / scale),
            CurveForm::Exponential { top, scale } => -top * exp_m1(-spend / scale),
            CurveForm::Power {
                factor,
                exponent,
                shift,
            } => {
                // (x + e)ᵖ − eᵖ, without the difference of two like numbers.
                let ratio = exponent * ln_1p(spend / shift);
                factor * power(*shift, *exponent) * exp_m1(ratio)
            }
            CurveForm::Piecewise { points } => envelope::value(points, spend),
        }
    }

    fn marginal(&self, spend: f64) -> f64 {
        match &self.0 {
            &CurveForm::Hill {
                top,
                half,
                exponent,
            } => hill::envelope_marginal(top, half, exponent, spend),
            CurveForm::Log { factor, scale } => factor / (scale + spend),
            CurveForm::Exponential { top, scale } => top / scale * exp(-spend / scale),
            CurveForm::Power {
                factor,
                exponent,
                shift,
            } => factor * exponent * power(spend + shift, exponent - 1.0),
            CurveForm::Piecewise { points } => envelope::marginal(points, spend),
        }
    }

    fn inverse(&self, level: f64) -> f64 {
        if level <= 0.0 || level.is_nan() {
            return f64::INFINITY;
        }
        let spend = match &self.0 {
            &CurveForm::Hill {
                top,
                half,
                exponent,
            } => hill::envelope_inverse(top, half, exponent, level),
            CurveForm::Log { factor, scale } => factor / level - scale,
            CurveForm::Exponential { top, scale } => {
                if *top <= scale * level {
                    return 0.0;
                }
                scale * ln(top / (scale * level))
            }
            CurveForm::Power {
                factor,
                exponent,
                shift,
            } => {
                let steep = factor * exponent / level;
                if steep < f64::MIN_POSITIVE {
                    return 0.0;
                }
                power(steep, 1.0 / (1.0 - exponent)) - shift
            }
            CurveForm::Piecewise { points } => envelope::inverse(points, level),
        };
        spend.max(0.0)
    }
}

impl TryFrom<CurveForm> for ResponseCurve {
    type Error = CurveError;

    fn try_from(form: CurveForm) -> Result<Self, CurveError> {
        const TOP: f64 = 1e15;
        const SPEND: (f64, f64) = (1e-9, 1e12);
        let ranges = Ranges::default();
        let ranges = match &form {
            CurveForm::Hill {
                top,
                half,
                exponent,
            } => ranges
                .check("top", *top, 0.0, TOP)
                .check("half", *half, SPEND.0, SPEND.1)
                .check("exponent", *exponent, 0.2, 8.0),
            CurveForm::Log { factor, scale } => ranges
                .check("factor", *factor, 0.0, TOP)
                .check("scale", *scale, SPEND.0, SPEND.1),
            CurveForm::Exponential { top, scale } => ranges
                .check("top", *top, 0.0, TOP)
                .check("scale", *scale, SPEND.0, SPEND.1),
            CurveForm::Power {
                factor,
                exponent,
                shift,
            } => ranges
                .check("factor", *factor, 0.0, TOP)
                .check("exponent", *exponent, 0.05, 0.95)
                .check("shift", *shift, SPEND.0, SPEND.1),
            CurveForm::Piecewise { points } => {
                let mut ranges = ranges;
                for (spend, value) in points {
                    ranges = ranges
                        .check("points' spend", *spend, SPEND.0, SPEND.1)
                        .check("points' value", *value, 0.0, TOP);
                }
                ranges
            }
        };
        ranges.done().map_err(CurveError::Parameters)?;
        if let CurveForm::Piecewise { points } = &form {
            envelope::check(points)?;
        }
        Ok(Self(form))
    }
}

impl From<ResponseCurve> for CurveForm {
    fn from(curve: ResponseCurve) -> Self {
        curve.0
    }
}

/// Why a form is no curve.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CurveError {
    /// Parameters out of range.
    #[error("{0}")]
    Parameters(OutOfRanges),
    /// No points.
    #[error("a curve of pieces needs at least one point")]
    NoPoints,
    /// A point that is not to the right of the one before it, below it, or above the line through
    /// the two before it.
    #[error(
        "point {place} (spend {spend}, value {value}) does not continue a concave curve; \
         `concave_envelope` makes one of any points"
    )]
    NotConcave {
        /// Its place, counted from 0.
        place: usize,
        /// Its spend.
        spend: f64,
        /// Its value.
        value: f64,
    },
}

#[cfg(test)]
mod tests;
