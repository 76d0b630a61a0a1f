//! How a contextual policy turns predictions into a choice.

use gaelp_core::PropensityMethod;
use serde::{Deserialize, Serialize};

use super::{Features, Regressor, Uncertain};
use crate::{Chances, EpsilonGreedy, ParameterViolation};

/// A rule that says with what probability each arm is chosen, by what models predict.
///
/// An explorer holds parameters and no state. `trials` is how many outcomes the policy has learnt.
pub trait Explorer<M: Regressor> {
    /// All parameters that cannot be used.
    fn violations(&self) -> Vec<ParameterViolation>;

    /// The probability of every arm, where each has a model of its own and all see one context.
    fn apart(&self, models: &[&M], features: &Features, trials: u64) -> Chances;

    /// The probability of every arm, where all share a model and each has its own features.
    fn together(&self, model: &M, arms: &[&Features], trials: u64) -> Chances;
}

/// `LinUCB`: the arm that could be the best.
///
/// The index is xᵀθ + α √(xᵀA⁻¹x); the largest is chosen, with certainty, and equal ones share.
/// An arm that was never tried has the width α ‖x‖ ÷ √λ.
///
/// **Cost**: O(K d), and O(d²) for every arm whose mean and widest width, ‖x‖ ÷ √λ, do not rule out
/// that it is the largest; plus the lesson.
///
/// **Source**: Li, Chu, Langford & Schapire (2010), A contextual-bandit approach to personalized
/// news article recommendation, algorithm 1 and equation (5); for arms that share a model, Chu, Li, Reyzin &
/// Schapire (2011), Contextual bandits with linear payoff functions, algorithm 1.
///
/// ```
/// use gaelp_bandits::{
///     Amount, ContextualOutcome, ContextualPolicy, Disjoint, Features, LinUcb, Ridge,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let arms = (0..3).map(ArmId::new);
/// let mut policy = Disjoint::new(LinUcb { alpha: 1.0 }, Ridge::new(2, 1.0)?, arms)?;
/// let (evening, all) = (Features::new(&[1.0, 0.8])?, policy.all());
/// let chosen = policy.select(&evening, &all, Seed::new(7), DecisionId::new(1))?;
/// assert_eq!(chosen.propensity.get(), 1.0 / 3.0); // nothing is known yet
/// let came = Amount::new(12.5)?;
/// policy.update(&[ContextualOutcome::of(&chosen, UtcHour::new(0), &evening, came)])?;
/// let next = policy.select(&evening, &all, Seed::new(7), DecisionId::new(2))?;
/// assert_eq!((next.key, next.propensity.get()), (chosen.key, 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinUcb {
    /// α, from 0 to 1000: how many deviations beyond its mean an arm is believed in.
    pub alpha: f64,
}

impl Default for LinUcb {
    /// One deviation.
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl LinUcb {
    fn index(self, belief: super::Belief) -> f64 {
        belief.mean + self.alpha * belief.deviation
    }
}

impl<M: Uncertain> Explorer<M> for LinUcb {
    fn violations(&self) -> Vec<ParameterViolation> {
        let violation = ParameterViolation::check("alpha", self.alpha, 0.0, 1e3);
        violation.into_iter().collect()
    }

    fn apart(&self, models: &[&M], features: &Features, _: u64) -> Chances {
        let scores = M::contest(models, features, |_, belief| self.index(belief));
        greedy(&scores, 0.0)
    }

    fn together(&self, model: &M, arms: &[&Features], _: u64) -> Chances {
        let beliefs = arms.iter().map(|features| model.belief(features));
        greedy(
            &beliefs.map(|belief| self.index(belief)).collect::<Vec<_>>(),
            0.0,
        )
    }
}

/// ε-greedy over any model: the best prediction, and with probability ε any arm.
impl<M: Regressor> Explorer<M> for EpsilonGreedy {
    fn violations(&self) -> Vec<ParameterViolation> {
        crate::Rule::violations(self)
    }

    fn apart(&self, models: &[&M], features: &Features, trials: u64) -> Chances {
        greedy(&predictions_apart(models, features), self.after(trials))
    }

    fn together(&self, model: &M, arms: &[&Features], trials: u64) -> Chances {
        greedy(&predictions_together(model, arms), self.after(trials))
    }
}

impl EpsilonGreedy {
    #[expect(clippy::cast_precision_loss, reason = "a schedule")]
    fn after(&self, trials: u64) -> f64 {
        self.at(trials as f64)
    }
}

/// What models of one arm each predict.
pub(super) fn predictions_apart<M: Regressor>(models: &[&M], features: &Features) -> Vec<f64> {
    let models = models.iter();
    models.map(|model| sound(model.predict(features))).collect()
}

/// What one model predicts of every arm.
pub(super) fn predictions_together<M: Regressor>(model: &M, arms: &[&Features]) -> Vec<f64> {
    let arms = arms.iter();
    arms.map(|features| sound(model.predict(features)))
        .collect()
}

/// A prediction that is no number is the worst.
fn sound(prediction: f64) -> f64 {
    if prediction.is_finite() {
        prediction
    } else {
        f64::MIN
    }
}

/// The largest score, equal ones sharing; and with probability ε any arm.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 arms")]
pub(super) fn greedy(scores: &[f64], epsilon: f64) -> Chances {
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let winners = scores.iter().filter(|score| **score >= best).count() as f64;
    let share = epsilon / scores.len() as f64;
    let chance = |score: &f64| {
        if *score >= best {
            share + (1.0 - epsilon) / winners
        } else {
            share
        }
    };
    Chances {
        probabilities: scores.iter().map(chance).collect(),
        method: PropensityMethod::Exact,
    }
}
