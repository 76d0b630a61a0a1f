//! Inverse gap weighting.

use gaelp_core::PropensityMethod;
use serde::{Deserialize, Serialize};

use super::explorer::{predictions_apart, predictions_together};
use super::{Explorer, Features, Regressor};
use crate::numeric::elementary::{exp, ln};
use crate::{Chances, ParameterViolation};

/// `SquareCB`: the further an arm's prediction is behind the best, the rarer it is chosen.
///
/// With K arms and b the one of the best prediction ŷ, another arm a is chosen with probability
/// 1 ÷ (K + γ (ŷᵇ − ŷᵃ)), and b with what is left: a closed form. It needs no more of a model
/// than predictions, and has the best regret possible for how good they are. γ grows with the
/// trials t as `scale` · (t + 1)^`exponent`.
///
/// **Units**: the default is for rewards from 0 to 1. Divide `scale` by the range of others.
///
/// **Cost**: K predictions.
///
/// **Source**: Foster & Rakhlin (2020), Beyond UCB: optimal and efficient contextual bandits with
/// regression oracles, algorithm 1, after Abe & Long (1999); there γ is fixed for a horizon.
///
/// ```
/// use gaelp_bandits::{
///     ContextualOutcome, ContextualPolicy, Disjoint, Features, Logistic, SquareCb, UnitReward,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let arms = (0..3).map(ArmId::new);
/// let mut policy = Disjoint::new(SquareCb::default(), Logistic::new(2, 1.0)?, arms)?;
/// let (evening, all) = (Features::new(&[1.0, 0.8])?, policy.all());
/// let chosen = policy.select(&evening, &all, Seed::new(7), DecisionId::new(1))?;
/// let came = UnitReward::FAILURE;
/// policy.update(&[ContextualOutcome::of(&chosen, UtcHour::new(0), &evening, came)])?;
/// let after = policy.propensities(&evening, &all)?;
/// assert!(after.get(chosen.key.arm) < Some(chosen.propensity));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SquareCb {
    /// γ before the first trial, from 1e-6 to 1e9.
    pub scale: f64,
    /// With what power of the trials γ grows, from 0 to 1.
    pub exponent: f64,
}

impl Default for SquareCb {
    /// Ten times the root of the trials: the default of Vowpal Wabbit too.
    fn default() -> Self {
        Self {
            scale: 10.0,
            exponent: 0.5,
        }
    }
}

impl SquareCb {
    /// γ after so many trials.
    #[expect(clippy::cast_precision_loss, reason = "a schedule")]
    pub fn at(&self, trials: u64) -> f64 {
        self.scale * exp(self.exponent * ln(trials as f64 + 1.0))
    }

    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 arms")]
    fn chances(&self, predictions: &[f64], trials: u64) -> Chances {
        let gamma = self.at(trials);
        let arms = predictions.len() as f64;
        let (mut leader, mut best) = (0, f64::NEG_INFINITY);
        for (place, &prediction) in predictions.iter().enumerate() {
            if prediction > best {
                (leader, best) = (place, prediction);
            }
        }
        let chance = |prediction: &f64| 1.0 / (arms + gamma * (best - prediction));
        let mut probabilities: Vec<f64> = predictions.iter().map(chance).collect();
        probabilities[leader] = 0.0;
        probabilities[leader] = 1.0 - probabilities.iter().sum::<f64>();
        Chances {
            probabilities,
            method: PropensityMethod::Exact,
        }
    }
}

impl<M: Regressor> Explorer<M> for SquareCb {
    fn violations(&self) -> Vec<ParameterViolation> {
        let scale = ParameterViolation::check("scale", self.scale, 1e-6, 1e9);
        let exponent = ParameterViolation::check("exponent", self.exponent, 0.0, 1.0);
        scale.into_iter().chain(exponent).collect()
    }

    fn apart(&self, models: &[&M], features: &Features, trials: u64) -> Chances {
        self.chances(&predictions_apart(models, features), trials)
    }

    fn together(&self, model: &M, arms: &[&Features], trials: u64) -> Chances {
        self.chances(&predictions_together(model, arms), trials)
    }
}
