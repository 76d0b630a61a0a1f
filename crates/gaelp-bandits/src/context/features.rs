//! What is known when a choice is made, as numbers.

use gaelp_core::ArmId;
use serde::{Deserialize, Serialize};

use crate::{ArmError, ArmViolation};

/// A vector of features.
///
/// A feature is kept to 2⁻³⁰, about a billionth, so that sums of products of features are exact
/// and do not depend on the order of feedback. Scale features to about one; a constant feature of
/// 1 gives models an intercept.
///
/// ```
/// use gaelp_bandits::{Features, FeaturesError};
///
/// let features = Features::new(&[1.0, 0.25, -3.0])?;
/// assert_eq!(features.as_slice(), [1.0, 0.25, -3.0]);
/// assert!(matches!(
///     Features::new(&[1.0, f64::NAN]),
///     Err(FeaturesError::Value { place: 1, .. })
/// ));
/// # Ok::<(), FeaturesError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Features(Box<[f64]>);

impl Features {
    /// The most features there may be.
    pub const MOST: usize = 1024;

    /// The largest feature, of either sign.
    pub const LARGEST: f64 = 16_384.0;

    /// How many units of the last place make one.
    const UNITS: f64 = 1_073_741_824.0;

    /// Features, each rounded to 2⁻³⁰.
    ///
    /// # Errors
    /// [`FeaturesError`] for none, for too many, and for numbers that are not within
    /// ±[`Features::LARGEST`].
    pub fn new(values: &[f64]) -> Result<Self, FeaturesError> {
        if !(1..=Self::MOST).contains(&values.len()) {
            return Err(FeaturesError::Count {
                count: values.len(),
            });
        }
        let wrong = values
            .iter()
            .position(|value| !(-Self::LARGEST..=Self::LARGEST).contains(value));
        if let Some(place) = wrong {
            let value = values[place];
            return Err(FeaturesError::Value { place, value });
        }
        let kept = |value: &f64| (value * Self::UNITS).round_ties_even() / Self::UNITS;
        Ok(Self(values.iter().map(kept).collect()))
    }

    /// How many they are.
    pub fn dimension(&self) -> usize {
        self.0.len()
    }

    /// The features.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// The features in units of 2⁻³⁰: whole numbers within ±2⁴⁴.
    pub(super) fn units(&self) -> impl Iterator<Item = i64> + '_ {
        /// 1.5 × 2⁵²: adding it to a whole number leaves that number in the low bits.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        let bits = |number: f64| number.to_bits().cast_signed();
        let units = move |value: &f64| bits(value * Self::UNITS + WHOLE).wrapping_sub(bits(WHOLE));
        self.0.iter().map(units)
    }
}

impl TryFrom<Vec<f64>> for Features {
    type Error = FeaturesError;

    fn try_from(values: Vec<f64>) -> Result<Self, Self::Error> {
        Self::new(&values)
    }
}

impl From<Features> for Vec<f64> {
    fn from(features: Features) -> Self {
        features.0.into_vec()
    }
}

/// Numbers that are no features.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeaturesError {
    /// None, or too many.
    #[error("{count} features: 1 to {} are expected", Features::MOST)]
    Count {
        /// How many there are.
        count: usize,
    },
    /// A number out of range, or none.
    #[error(
        "feature {place} is {value}: a number within ±{} is expected",
        Features::LARGEST
    )]
    Value {
        /// Its place, from 0.
        place: usize,
        /// The number.
        value: f64,
    },
}

/// The features of every arm, where each has its own: those of the arm, or of arm and situation
/// together.
///
/// ```
/// use gaelp_bandits::{ArmFeatures, Features};
/// use gaelp_core::ArmId;
///
/// let of_arm = |arm: u32, size: f64| Ok((ArmId::new(arm), Features::new(&[1.0, size])?));
/// let context: Result<Vec<_>, gaelp_bandits::FeaturesError> =
///     [of_arm(0, 0.2), of_arm(1, 0.9)].into_iter().collect();
/// let context = ArmFeatures::new(context?)?;
/// assert!(context.get(ArmId::new(1)).is_some() && context.get(ArmId::new(2)).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ArmFeatures(Vec<(ArmId, Features)>);

impl ArmFeatures {
    /// Features by arm, in any order. Arms that are not eligible may be among them.
    ///
    /// # Errors
    /// [`ArmError`] for arms that are given more than once, and for none.
    pub fn new(arms: impl IntoIterator<Item = (ArmId, Features)>) -> Result<Self, ArmError> {
        let mut arms: Vec<_> = arms.into_iter().collect();
        arms.sort_by_key(|(arm, _)| *arm);
        if arms.is_empty() {
            return Err(ArmError::NoArms);
        }
        let repeated = arms.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        let violations: Vec<_> = repeated
            .map(|pair| ArmViolation::Duplicate { arm: pair[0].0 })
            .collect();
        if violations.is_empty() {
            Ok(Self(arms))
        } else {
            Err(ArmError::Invalid { violations })
        }
    }

    /// The features of an arm.
    pub fn get(&self, arm: ArmId) -> Option<&Features> {
        let place = self.0.binary_search_by_key(&arm, |(held, _)| *held).ok()?;
        self.0.get(place).map(|(_, features)| features)
    }
}
