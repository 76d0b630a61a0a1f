//! Thompson sampling where a choice earns and costs.

use serde::{Deserialize, Serialize};

use crate::bandit::{Chances, Rule, Table};
use crate::numeric::elementary::exp;
use crate::numeric::sampler::{Gamma, ln_beta};
use crate::rule::{prior_violations, simulated};
use crate::{
    BetaPrior, FeedbackError, Figures, Outcome, ParameterViolation, Share, Tally, UnitReward,
};

/// What a choice earned and what it cost, each as a share of the most it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Priced {
    /// What it earned.
    pub reward: UnitReward,
    /// What it cost.
    pub cost: Share,
}

/// What the best arm is the best in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Objective {
    /// Reward less cost at a price: right where money has a price, such as the dual variable of a
    /// budget.
    Net {
        /// What a full cost is worth, in full rewards; from 0 to 1e6.
        price: f64,
    },
    /// Reward per cost: right **only where the budget and not time ends the game**, because then
    /// every dollar saved is spent on the best ratio later. Where time ends it, money is left over:
    /// with rewards .2, .12, .05, .3 at costs .5, .2, .05, 1, a budget of 2000 and 10,000 rounds,
    /// the best ratio earns 500 and the right mixture 1200. Use [`Knapsack`](crate::Knapsack)
    /// there.
    Ratio,
}

/// Thompson sampling with two posteriors per arm: one for what it earns, one for what it costs.
///
/// Both are beta posteriors over shares from 0 to 1. An arm is chosen as often as a joint draw of
/// all posteriors makes it the best in the objective.
///
/// **Propensities** are simulated with `draws` joint draws, each arm counting one half more. The
/// draws are a fixed function of the evidence, so what is stated is exactly the probability with
/// which an arm is chosen; what is approximate, to some 1 ÷ √`draws`, is how near that is to
/// Thompson sampling. The method says
/// [`PropensityMethod::MonteCarlo`](gaelp_core::PropensityMethod::MonteCarlo).
///
/// **Cost**: 0.1 µs per draw and arm.
///
/// **Source**: Xia, Li, Qin, Yu & Liu (2015), Thompson sampling for budgeted multi-armed bandits,
/// algorithm 1, for the ratio.
///
/// ```
/// use gaelp_bandits::{Bandit, CostAware, Outcome, Policy, Priced, Share, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut policy = Bandit::new(CostAware::default(), (0..2).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// let came = Priced { reward: UnitReward::new(0.2)?, cost: Share::new(0.9)? };
/// policy.update(&[Outcome::of(&chosen, UtcHour::new(0), came)])?;
/// let after = policy.propensities(&policy.all())?;
/// assert!(after.get(chosen.key.arm).map(|p| p.get()) < Some(0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostAware {
    /// What is believed of every arm's reward before its first trial.
    pub reward: BetaPrior,
    /// What is believed of every arm's cost before its first trial.
    pub cost: BetaPrior,
    /// What the best arm is the best in.
    pub objective: Objective,
    /// How many joint draws propensities are simulated with, from 64 to 65,536.
    pub draws: u32,
}

impl Default for CostAware {
    /// Nothing is known, and profit per spend counts.
    fn default() -> Self {
        Self {
            reward: BetaPrior::default(),
            cost: BetaPrior::default(),
            objective: Objective::Ratio,
            draws: 1024,
        }
    }
}

impl Rule for CostAware {
    type Reward = Priced;

    fn violations(&self) -> Vec<ParameterViolation> {
        let mut all: Vec<_> = prior_violations(self.reward)
            .chain(prior_violations(self.cost))
            .collect();
        if let Objective::Net { price } = self.objective {
            all.extend(ParameterViolation::check("price", price, 0.0, 1e6));
        }
        let draws = f64::from(self.draws);
        all.extend(ParameterViolation::check("draws", draws, 64.0, 65_536.0));
        all
    }

    fn tally(&self, outcome: &Outcome<Priced>) -> Result<Tally, FeedbackError> {
        let reward = i128::from(outcome.reward.reward.millionths());
        Ok(Tally {
            trials: i128::from(outcome.trial.millionths()),
            amount: reward,
            square: reward * reward,
            extra: i128::from(outcome.reward.cost.millionths()),
        })
    }

    fn chances(&self, table: &Table<'_>) -> Chances {
        let arms: Vec<_> = table
            .arms
            .iter()
            .map(|arm| Sampler::new(self, arm))
            .collect();
        simulated(arms.len(), self.draws, 1, |rng, scores| {
            for (score, arm) in scores.iter_mut().zip(&arms) {
                let ln_reward = ln_beta(&arm.reward, rng);
                let ln_cost = ln_beta(&arm.cost, rng);
                *score = match self.objective {
                    Objective::Ratio => ln_reward - ln_cost,
                    Objective::Net { price } => exp(ln_reward) - price * exp(ln_cost),
                };
            }
        })
    }
}

/// Two beta variables, each as two gamma variables.
struct Sampler {
    reward: [Gamma; 2],
    cost: [Gamma; 2],
}

impl Sampler {
    fn new(rule: &CostAware, arm: &Figures) -> Self {
        let pair = |prior: BetaPrior, sum: f64| {
            let rest = (arm.trials - sum).max(0.0);
            [
                Gamma::new(prior.successes + sum.max(0.0)),
                Gamma::new(prior.failures + rest),
            ]
        };
        Self {
            reward: pair(rule.reward, arm.amount),
            cost: pair(rule.cost, arm.extra),
        }
    }
}
