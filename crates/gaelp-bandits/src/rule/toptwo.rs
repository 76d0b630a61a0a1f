//! Top-two sampling: to find the best arm, doubt it.

use gaelp_core::PropensityMethod;
use serde::{Deserialize, Serialize};

use crate::bandit::{Chances, Rule, Table};
use crate::{FeedbackError, Outcome, ParameterViolation, Tally};

/// Top-two sampling on top of another sampling rule: with probability `leader` the arm that the
/// rule chooses, and otherwise the one that it chooses when that arm is left aside.
///
/// Thompson sampling nearly stops exploring once an arm looks best. Top-two sampling keeps half of
/// its trials for the doubt, and so finds the best arm with the fewest trials.
///
/// **Propensities.** Where the rule chooses arm i with probability pᵢ, top-two sampling chooses it
/// with probability β pᵢ + (1 − β) Σⱼ≠ᵢ pⱼ pᵢ ÷ (1 − pⱼ): as exact as the pᵢ are, but for what
/// division by a small 1 − pⱼ makes of their error, which the method states.
///
/// **Cost**: O(K) on top of the rule's.
///
/// **Source**: Russo (2020), Simple Bayesian algorithms for best-arm identification, top-two
/// Thompson sampling, with β = ½; the propensity is ψ of §3.4 of its preprint (2016).
///
/// ```
/// use gaelp_bandits::{Bandit, BetaBernoulli, Policy, TopTwo};
/// use gaelp_core::{ArmId, DecisionId, Seed};
///
/// let rule = TopTwo { leader: 0.5, of: BetaBernoulli::default() };
/// let policy = Bandit::new(rule, (0..3).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// assert!((chosen.propensity.get() - 1.0 / 3.0).abs() < 1e-11);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopTwo<R> {
    /// β, from 0 to 1: how often the leader itself is chosen.
    pub leader: f64,
    /// The rule.
    pub of: R,
}

impl<R: Rule> Rule for TopTwo<R> {
    type Reward = R::Reward;

    fn violations(&self) -> Vec<ParameterViolation> {
        let mut all = self.of.violations();
        all.extend(ParameterViolation::check("leader", self.leader, 0.0, 1.0));
        all
    }

    fn tally(&self, outcome: &Outcome<R::Reward>) -> Result<Tally, FeedbackError> {
        self.of.tally(outcome)
    }

    fn chances(&self, table: &Table<'_>) -> Chances {
        let inner = self.of.chances(table);
        let p = inner.probabilities;
        if p.len() < 2 {
            return Chances {
                probabilities: p,
                method: inner.method,
            };
        }
        // What an arm leaves to the others, summed up so that a small rest keeps its digits.
        let sum: f64 = p.iter().sum();
        let rest = |place: usize| {
            if p[place] < 0.5 * sum {
                return sum - p[place];
            }
            let others = p.iter().enumerate().filter(|(other, _)| *other != place);
            others.map(|(_, p)| p).sum::<f64>().max(f64::MIN_POSITIVE)
        };
        let odds: Vec<_> = (0..p.len()).map(|place| p[place] / rest(place)).collect();
        let all_odds: f64 = odds.iter().sum();
        let others_odds = |place: usize| {
            if odds[place] < 0.5 * all_odds {
                return all_odds - odds[place];
            }
            let others = odds.iter().enumerate().filter(|(other, _)| *other != place);
            others.map(|(_, odds)| odds).sum()
        };
        let chance =
            |place: usize| p[place] * (self.leader + (1.0 - self.leader) * others_odds(place));
        let probabilities: Vec<_> = (0..p.len()).map(chance).collect();
        let least_rest = (0..p.len()).map(rest).fold(1.0, f64::min);
        let method = match inner.method {
            PropensityMethod::Quadrature { error } => PropensityMethod::Quadrature {
                error: (error * (1.0 + 2.0 / least_rest)).min(1.0),
            },
            other => other,
        };
        Chances {
            probabilities,
            method,
        }
    }
}
