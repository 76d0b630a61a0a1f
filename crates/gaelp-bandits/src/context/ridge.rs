//! Ridge regression: a linear model of amounts.

use serde::{Deserialize, Serialize};

use super::posterior::Posterior;
use super::{Belief, Features, Lesson, LessonError, LinearModel, LinearSums, Regressor, Uncertain};
use crate::numeric::packed::products;
use crate::{Amount, ArmError, ArmViolation, ParameterViolation};

/// Ridge regression of amounts on features, with what is known and what is not.
///
/// With lessons (xᵢ, yᵢ), A = λI + Σ xᵢxᵢᵀ and b = Σ yᵢxᵢ, the coefficients are believed to be
/// normal with mean θ = A⁻¹b and covariance A⁻¹, for noise of variance 1. A score is the reward
/// expected, xᵀθ, with deviation √(xᵀA⁻¹x): ‖x‖ ÷ √λ before the first lesson.
///
/// **Numbers.** A and b are exact sums. A⁻¹ and θ follow by rank-one changes and are computed anew
/// before what rounding adds up to matters: over 10⁵ lessons they are never further than 1e-9
/// deviations from the truth where A's condition is a million, nor than 1e-6 at 10⁹.
///
/// **Cost**: predicting O(d), a deviation O(d²), a lesson O(d²), computing anew O(d³); 24 bytes per
/// pair of features.
///
/// **Source**: Li, Chu, Langford & Schapire (2010), A contextual-bandit approach to personalized
/// news article recommendation, algorithm 1, with λI for their I.
///
/// ```
/// use gaelp_bandits::{Amount, Features, Lesson, Regressor, Ridge, Uncertain};
///
/// let mut model = Ridge::new(2, 10.0)?;
/// let x = Features::new(&[3.0, 1.0])?;
/// assert!((model.belief(&x).deviation - 1.0).abs() < 1e-15); // √(10 ÷ 10)
/// model.learn(&[Lesson { features: &x, reward: Amount::new(4.0)?, weight: 1.0 }])?;
/// assert!((model.predict(&x) - 2.0).abs() < 1e-15); // half-way: one lesson as strong as the prior
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ridge(Posterior);

impl Ridge {
    /// A model of so many features that has learnt nothing, with a prior of precision λ.
    ///
    /// # Errors
    /// [`ArmError`] for a number of features that is not from 1 to [`Features::MOST`], and for a
    /// precision that is not from 1e-6 to 1e6.
    pub fn new(dimension: usize, precision: f64) -> Result<Self, ArmError> {
        checked(dimension, precision)?;
        Ok(Self(Posterior::new(dimension, precision)))
    }

    /// The prior's precision λ.
    pub const fn precision(&self) -> f64 {
        self.0.prior()
    }

    /// How far the coefficients and covariances that are kept up to date are from what the exact
    /// sums say, in deviations: for monitoring. Zero after [`LinearModel::refresh`].
    ///
    /// **Cost**: O(d³).
    pub fn drift(&self) -> f64 {
        self.0.drift()
    }
}

/// Whether a linear model can be made.
pub(super) fn checked(dimension: usize, precision: f64) -> Result<(), ArmError> {
    #[expect(clippy::cast_precision_loss, reason = "for an error's text")]
    let features = ParameterViolation::check(
        "number of features",
        dimension as f64,
        1.0,
        Features::MOST as f64,
    );
    let violations: Vec<_> = features
        .into_iter()
        .chain(prior_violation(precision))
        .map(ArmViolation::Parameter)
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(ArmError::Invalid { violations })
    }
}

pub(super) fn prior_violation(precision: f64) -> Option<ParameterViolation> {
    ParameterViolation::check("precision", precision, 1e-6, 1e6)
}

impl Regressor for Ridge {
    type Reward = Amount;

    fn dimension(&self) -> usize {
        self.0.dimension()
    }

    fn predict(&self, features: &Features) -> f64 {
        self.0.score(features)
    }

    fn learn(&mut self, lessons: &[Lesson<'_, Amount>]) -> Result<(), LessonError> {
        fits(&self.0, lessons)?;
        self.0.sums().with_lessons(lessons.len() as u64)?;
        for lesson in lessons {
            if lesson.weight < 1.0 {
                let response = lesson.weight * lesson.reward.get();
                self.0
                    .observe_weighted(lesson.features, lesson.weight, response);
            } else {
                self.0.observe(lesson.features, lesson.reward.micros());
            }
        }
        Ok(())
    }

    fn unlearn(&mut self, lessons: &[Lesson<'_, Amount>]) -> Result<(), LessonError> {
        fits(&self.0, lessons)?;
        let left = self.0.sums().lessons().checked_sub(lessons.len() as u64);
        let left = left.ok_or(LessonError::NotRecorded)?;
        self.0.rewrite(|sums| {
            for lesson in lessons {
                if lesson.weight < 1.0 {
                    let response = lesson.weight * lesson.reward.get();
                    sums.add_weighted(lesson.features, -lesson.weight, -response);
                } else {
                    sums.subtract(lesson.features, lesson.reward.micros());
                }
            }
            sums.count(left);
        })
    }
}

/// Whether all lessons have as many features as the model.
pub(super) fn fits<R>(posterior: &Posterior, lessons: &[Lesson<'_, R>]) -> Result<(), LessonError> {
    let expected = posterior.dimension();
    let counts = lessons.iter().map(|lesson| lesson.features.dimension());
    match counts.into_iter().find(|found| *found != expected) {
        Some(found) => Err(LessonError::Dimension { found, expected }),
        None => Ok(()),
    }
}

/// What [`Ridge`] and [`Logistic`](super::Logistic) do alike with their [`Posterior`].
macro_rules! of_posterior {
    ($kind:ident) => {
        impl Uncertain for $kind {
            fn belief(&self, features: &Features) -> Belief {
                self.0.belief(features)
            }

            fn beliefs(models: &[&Self], features: &Features) -> Vec<Belief> {
                let products = products(features.as_slice());
                let models = models.iter();
                models
                    .map(|model| model.0.belief_by(features, &products))
                    .collect()
            }

            fn contest(
                models: &[&Self],
                features: &Features,
                score: impl Fn(usize, Belief) -> f64,
            ) -> Vec<f64> {
                $crate::context::posterior::contest(models, |model| &model.0, features, score)
            }

            fn spreads(&self, features: &[&Features]) -> Vec<Vec<f64>> {
                self.0.spreads(features)
            }
        }

        impl LinearModel for $kind {
            fn blank(&self) -> Self {
                Self(self.0.blank())
            }

            fn sums(&self) -> &LinearSums {
                self.0.sums()
            }

            fn coefficients(&self) -> &[f64] {
                self.0.coefficients()
            }

            fn merge(&mut self, sums: &LinearSums) -> Result<(), LessonError> {
                self.0.merge(sums)
            }

            fn fade(&mut self, share: f64) {
                self.0.fade(share);
            }

            fn refresh(&mut self) {
                self.0.refresh();
            }
        }
    };
}

pub(super) use of_posterior;

of_posterior!(Ridge);
