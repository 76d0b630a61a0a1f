//! Rules that explore by a chosen rate.

use gaelp_core::PropensityMethod;
use serde::{Deserialize, Serialize};

use super::unit_tally;
use crate::bandit::{Chances, Rule, Table};
use crate::numeric::elementary::{exp, ln};
use crate::{FeedbackError, Figures, Outcome, ParameterViolation, Tally, UnitReward};

/// ε-greedy: the best arm so far, and with probability ε any arm.
///
/// ε starts at `start`, is multiplied by `decay` with every trial and never falls below `floor`.
/// Arms without a trial come first among the best; the best share evenly. Every arm's propensity
/// is at least ε ÷ K, a closed form, so a log of this policy can be evaluated for any other.
///
/// **Cost**: O(K).
///
/// **Source**: Auer, Cesa-Bianchi & Fischer (2002), Finite-time analysis of the multiarmed bandit
/// problem, figure 3, with a geometric schedule in place of their harmonic one.
///
/// ```
/// use gaelp_bandits::{Bandit, EpsilonGreedy, Policy};
/// use gaelp_core::{ArmId, DecisionId, Seed};
///
/// let rule = EpsilonGreedy::default();
/// assert_eq!((rule.at(0.0), rule.at(1e9)), (0.10, 0.05));
/// assert!((rule.at(1000.0) - 0.10 * 0.9995_f64.powi(1000)).abs() < 1e-15);
/// let policy = Bandit::new(rule, (0..4).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// assert!((chosen.propensity.get() - 0.25).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpsilonGreedy {
    /// ε before the first trial, from 0 to 1.
    pub start: f64,
    /// What a trial multiplies it by, from 0 to 1.
    pub decay: f64,
    /// What it never falls below, from 0 to 1.
    pub floor: f64,
}

impl Default for EpsilonGreedy {
    /// The schedule for low spend: 10 % at first, half as much after 1386 trials, and no less.
    fn default() -> Self {
        Self {
            start: 0.10,
            decay: 0.9995,
            floor: 0.05,
        }
    }
}

impl EpsilonGreedy {
    /// ε after so many trials.
    pub fn at(&self, trials: f64) -> f64 {
        let decayed = if self.decay > 0.0 {
            self.start * exp(trials * ln(self.decay))
        } else if trials > 0.0 {
            0.0
        } else {
            self.start
        };
        decayed.max(self.floor)
    }
}

impl Rule for EpsilonGreedy {
    type Reward = UnitReward;

    fn violations(&self) -> Vec<ParameterViolation> {
        let unit = |name, value| ParameterViolation::check(name, value, 0.0, 1.0);
        let all = [
            unit("start", self.start),
            unit("decay", self.decay),
            unit("floor", self.floor),
        ];
        all.into_iter().flatten().collect()
    }

    fn tally(&self, outcome: &Outcome<UnitReward>) -> Result<Tally, FeedbackError> {
        Ok(unit_tally(outcome))
    }

    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 arms")]
    fn chances(&self, table: &Table<'_>) -> Chances {
        let mean = |arm: &Figures| arm.mean().unwrap_or(f64::INFINITY);
        let best = table
            .arms
            .iter()
            .map(mean)
            .fold(f64::NEG_INFINITY, f64::max);
        let is_best = |arm: &Figures| mean(arm) >= best;
        let winners = table.arms.iter().filter(|arm| is_best(arm)).count() as f64;
        let epsilon = self.at(table.trials);
        let share = epsilon / table.arms.len() as f64;
        let chance = |arm| {
            if is_best(arm) {
                share + (1.0 - epsilon) / winners
            } else {
                share
            }
        };
        Chances {
            probabilities: table.arms.iter().map(chance).collect(),
            method: PropensityMethod::Exact,
        }
    }
}

/// Softmax: the better an arm has been, the likelier it is chosen.
///
/// The probability is proportional to e^(x̄ ÷ temperature): a closed form.
///
/// **Cost**: O(K), an exponential each.
///
/// **Source**: Sutton & Barto (2018), Reinforcement learning, 2nd edition, equation (2.11), with
/// the mean reward as the preference and a temperature as in Luce (1959).
///
/// ```
/// use gaelp_bandits::{Bandit, Outcome, Policy, Softmax, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// assert!(Bandit::new(Softmax { temperature: 0.0, initial: 0.5 }, [ArmId::new(0)]).is_err());
/// let rule = Softmax { temperature: 0.5, initial: 0.5 };
/// let mut policy = Bandit::new(rule, (0..2).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// policy.update(&[Outcome::of(&chosen, UtcHour::new(0), UnitReward::SUCCESS)])?;
/// // Means of 1 and ½ are a temperature apart: e to 1.
/// let after = policy.propensities(&policy.all())?.get(chosen.key.arm).ok_or("not eligible")?;
/// let e = std::f64::consts::E;
/// assert!((after.get() - e / (e + 1.0)).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    /// Means this far apart are chosen e : 1. From 0.001 to 1000.
    pub temperature: f64,
    /// What counts as the mean of an arm without a trial, from 0 to 1.
    pub initial: f64,
}

impl Default for Softmax {
    /// A temperature that tells means a tenth apart, and no opinion about untried arms.
    fn default() -> Self {
        Self {
            temperature: 0.1,
            initial: 0.5,
        }
    }
}

impl Rule for Softmax {
    type Reward = UnitReward;

    fn violations(&self) -> Vec<ParameterViolation> {
        let temperature = ParameterViolation::check("temperature", self.temperature, 1e-3, 1e3);
        let initial = ParameterViolation::check("initial", self.initial, 0.0, 1.0);
        temperature.into_iter().chain(initial).collect()
    }

    fn tally(&self, outcome: &Outcome<UnitReward>) -> Result<Tally, FeedbackError> {
        Ok(unit_tally(outcome))
    }

    fn chances(&self, table: &Table<'_>) -> Chances {
        let mean = |arm: &Figures| arm.mean().unwrap_or(self.initial) / self.temperature;
        proportional_to_exp(table.arms.iter().map(mean).collect())
    }
}

/// Probabilities proportional to eˣ.
pub(super) fn proportional_to_exp(mut preferences: Vec<f64>) -> Chances {
    let highest = preferences
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for preference in &mut preferences {
        *preference = exp(*preference - highest);
        sum += *preference;
    }
    for preference in &mut preferences {
        *preference /= sum;
    }
    Chances {
        probabilities: preferences,
        method: PropensityMethod::Exact,
    }
}
