//! Logistic regression: a linear model of the odds of success.

use serde::{Deserialize, Serialize};

use super::posterior::Posterior;
use super::ridge::{checked, fits, of_posterior};
use super::{Belief, Features, Lesson, LessonError, LinearModel, LinearSums, Regressor, Uncertain};
use crate::numeric::elementary::{exp, ln_1p};
use crate::numeric::logit_beta::expit;
use crate::numeric::packed::{
    add_outer, cholesky, dot, invert_triangle, multiply, products, times, times_transposed,
};
use crate::{ArmError, UnitReward};

/// Logistic regression of success on features, with Laplace's approximation of what is believed.
///
/// The probability of success is 1 ÷ (1 + e^(−xᵀθ)). The coefficients θ are believed to be normal
/// before and after every batch: the mean is moved to the mode of prior times likelihood of the
/// batch, and the precision grows by Σ w p (1 − p) x xᵀ there. A score is xᵀθ, the logarithm of the
/// odds, so [`LinTs`](crate::LinTs) over this model is Thompson sampling of the success rate. A
/// prediction is the success rate at the mean.
///
/// A reward between 0 and 1 counts as that much of a success.
///
/// **Order.** Within a batch it does not matter. Between batches it does, slightly: each is
/// approximated where those before it led. For that reason a batch cannot be undone. Evidence
/// merges: sums of what each batch was approximated by.
///
/// **Cost**: predicting O(d); a batch of one O(d²) and a search in one dimension; a larger one, a
/// few times O(n d² + d³).
///
/// **Source**: Chapelle & Li (2011), An empirical evaluation of Thompson sampling, algorithm 3,
/// with all of the covariance where they keep its diagonal.
///
/// ```
/// use gaelp_bandits::{Features, Lesson, LinearModel, Logistic, Regressor, UnitReward};
///
/// let mut model = Logistic::new(1, 1.0)?;
/// let x = Features::new(&[1.0])?;
/// assert_eq!(model.predict(&x), 0.5);
/// model.learn(&[Lesson { features: &x, reward: UnitReward::SUCCESS, weight: 1.0 }])?;
/// let theta = model.coefficients()[0];
/// assert!((theta - 1.0 / (1.0 + theta.exp())).abs() < 1e-12); // θ = y − p at the mode
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Logistic(Posterior);

impl Logistic {
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

    /// Takes in a batch whose mode was found: every lesson as a normal variable that agrees with
    /// its likelihood there in slope and curvature.
    fn settle(&mut self, lessons: &[Lesson<'_, UnitReward>], scores: &[f64]) {
        for (lesson, &score) in lessons.iter().zip(scores) {
            let rate = expit(score);
            let weight = lesson.weight * rate * (1.0 - rate);
            let slope = lesson.weight * (lesson.reward.get() - rate);
            self.0
                .observe_weighted(lesson.features, weight, slope + weight * score);
        }
    }

    /// The score at the mode after one lesson: the mode lies on the line along A⁻¹x.
    fn one_score(&self, lesson: &Lesson<'_, UnitReward>) -> f64 {
        const ROUNDS: u32 = 200;
        let width = self.0.width(lesson.features);
        let start = self.0.score(lesson.features);
        let (weight, reward) = (lesson.weight, lesson.reward.get());
        // The step s solves s = w (y − p(start + s width)), whose right side falls as s grows.
        let (mut low, mut high) = (weight * (reward - 1.0), weight * reward);
        let (mut step, mut last) = (0.0, high - low);
        for _ in 0..ROUNDS {
            let rate = expit(start + step * width);
            let excess = step - weight * (reward - rate);
            if excess > 0.0 {
                high = step;
            } else {
                low = step;
            }
            // Newton's step where it halves the last one, or else half of what is left: Newton's
            // alone leaps from one flat end of p to the other and back.
            let mut by = -excess / (1.0 + weight * rate * (1.0 - rate) * width);
            let within = step + by > low && step + by < high;
            if !within || by.abs() > 0.5 * last {
                by = 0.5 * (low + high) - step;
            }
            last = by.abs();
            step += by;
            if last <= 0.5 * f64::EPSILON * step.abs() {
                break;
            }
        }
        start + step * width
    }

    /// The scores at the mode after a batch, by Newton's method with halved steps.
    fn scores(&self, lessons: &[Lesson<'_, UnitReward>]) -> Vec<f64> {
        const ROUNDS: u32 = 100;
        let precision = self.0.sums().precision(self.0.prior());
        let start = self.0.coefficients().to_vec();
        let mut theta = start.clone();
        let mut height = objective(&precision, &start, &theta, lessons);
        for _ in 0..ROUNDS {
            let mut curvature = precision.clone();
            let away: Vec<f64> = theta
                .iter()
                .zip(&start)
                .map(|(to, from)| from - to)
                .collect();
            let mut slope = vec![0.0; away.len()];
            multiply(&precision, &away, &mut slope);
            for lesson in lessons {
                let x = lesson.features.as_slice();
                let rate = expit(dot(&theta, x));
                let pull = lesson.weight * (lesson.reward.get() - rate);
                for (slope, x) in slope.iter_mut().zip(x) {
                    *slope += pull * x;
                }
                add_outer(&mut curvature, x, lesson.weight * rate * (1.0 - rate));
            }
            cholesky(&mut curvature, self.0.prior());
            let inverse = invert_triangle(&curvature);
            let mut step = times_transposed(&inverse, &times(&inverse, &slope));
            let promised = dot(&slope, &step);
            let mut improved = false;
            for _ in 0..60 {
                let next: Vec<f64> = theta.iter().zip(&step).map(|(at, by)| at + by).collect();
                let reached = objective(&precision, &start, &next, lessons);
                // Close to the mode the gain drowns in rounding, and the full step is right.
                if reached >= height || promised <= 1e-10 * (1.0 + height.abs()) {
                    (theta, height, improved) = (next, reached, true);
                    break;
                }
                for by in &mut step {
                    *by *= 0.5;
                }
            }
            if !improved || promised <= 1e-26 * (1.0 + height.abs()) {
                break;
            }
        }
        let score = |lesson: &Lesson<'_, UnitReward>| dot(&theta, lesson.features.as_slice());
        lessons.iter().map(score).collect()
    }
}

/// The logarithm of prior times likelihood, but for a constant.
fn objective(
    precision: &[f64],
    start: &[f64],
    theta: &[f64],
    lessons: &[Lesson<'_, UnitReward>],
) -> f64 {
    let away: Vec<f64> = theta
        .iter()
        .zip(start)
        .map(|(to, from)| to - from)
        .collect();
    let mut sum = -0.5 * dot(precision, &products(&away));
    for lesson in lessons {
        let score = dot(theta, lesson.features.as_slice());
        // ln(1 + e^score)
        let softplus = score.max(0.0) + ln_1p(exp(-score.abs()));
        sum += lesson.weight * (lesson.reward.get() * score - softplus);
    }
    sum
}

impl Regressor for Logistic {
    type Reward = UnitReward;

    fn dimension(&self) -> usize {
        self.0.dimension()
    }

    fn predict(&self, features: &Features) -> f64 {
        expit(self.0.score(features))
    }

    fn learn(&mut self, lessons: &[Lesson<'_, UnitReward>]) -> Result<(), LessonError> {
        fits(&self.0, lessons)?;
        self.0.sums().with_lessons(lessons.len() as u64)?;
        let scores = match lessons {
            [one] => vec![self.one_score(one)],
            _ => self.scores(lessons),
        };
        self.settle(lessons, &scores);
        Ok(())
    }

    fn unlearn(&mut self, lessons: &[Lesson<'_, UnitReward>]) -> Result<(), LessonError> {
        if lessons.is_empty() {
            Ok(())
        } else {
            Err(LessonError::CannotUndo)
        }
    }
}

of_posterior!(Logistic);
