//! Choosing well against whatever may come.

use serde::{Deserialize, Serialize};

use super::exploring::proportional_to_exp;
use crate::bandit::{Chances, Rule, Table};
use crate::numeric::elementary::ln;
use crate::{FeedbackError, Figures, Outcome, ParameterViolation, Tally, UnitReward};

/// EXP3-IX: exponential weights with implicit exploration, for rewards that need not follow any
/// law, such as an auction against others who learn.
///
/// The probability is proportional to e^(−η L̂), where a choice made with propensity p and ending
/// in a loss ℓ = 1 − reward adds ℓ ÷ (p + γ) to its arm's L̂. The rate η = √(2 ln K ÷ (K n)) falls
/// with the trials n so far, which count as `calm` until they are more. γ stays what it is, so that
/// what a loss adds can be undone and merged; the source's choice for a game of T trials is half
/// of their η.
///
/// **Cost**: O(K), an exponential each.
///
/// **Source**: Neu (2015), Explore no more: improved high-probability regret bounds for
/// non-stochastic bandits, algorithm 1 and theorem 1, with the horizon T in η replaced by n.
///
/// ```
/// use gaelp_bandits::{Bandit, Exp3Ix, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut policy = Bandit::new(Exp3Ix::default(), (0..2).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// policy.update(&[Outcome::of(&chosen, UtcHour::new(0), UnitReward::FAILURE)])?;
/// let after = policy.propensities(&policy.all())?;
/// assert!(after.get(chosen.key.arm) < Some(chosen.propensity));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exp3Ix {
    /// For how many trials the rates are those of a game of that length, from 1 to 1e9.
    pub calm: f64,
    /// γ, from 1e-6 to 1: what propensities are raised by before losses are divided by them.
    pub gamma: f64,
}

impl Default for Exp3Ix {
    /// The rates of four arms and a thousand trials: η = 0.026, γ = 0.013.
    fn default() -> Self {
        Self {
            calm: 1000.0,
            gamma: 0.013,
        }
    }
}

impl Rule for Exp3Ix {
    type Reward = UnitReward;

    fn violations(&self) -> Vec<ParameterViolation> {
        let calm = ParameterViolation::check("calm", self.calm, 1.0, 1e9);
        let gamma = ParameterViolation::check("gamma", self.gamma, 1e-6, 1.0);
        calm.into_iter().chain(gamma).collect()
    }

    fn tally(&self, outcome: &Outcome<UnitReward>) -> Result<Tally, FeedbackError> {
        let trial = outcome.trial.get();
        let loss = (trial - outcome.reward.get()).max(0.0) * 1e6;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most a million times a million"
        )]
        let amount = (loss / (outcome.propensity.get() + self.gamma)).round() as i128;
        Ok(Tally {
            trials: i128::from(outcome.trial.millionths()),
            amount,
            square: 0,
            extra: i128::from(outcome.reward.millionths()),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 arms")]
    fn chances(&self, table: &Table<'_>) -> Chances {
        let arms = table.arms.len() as f64;
        let trials = table.trials.max(self.calm);
        let eta = (2.0 * ln(arms) / (arms * trials)).sqrt();
        let preference = |arm: &Figures| -eta * arm.amount;
        proportional_to_exp(table.arms.iter().map(preference).collect())
    }
}
