//! Rules that give every arm a number and choose the largest.

use gaelp_core::PropensityMethod;

use crate::bandit::{Chances, Rule, Table};
use crate::rule::unit_tally;
use crate::{
    ArmKey, Bandit, FeedbackError, Figures, Outcome, ParameterViolation, Tally, UnitReward,
};

/// A rule that gives every arm an index, from what was seen of it and how long all have been
/// played, and chooses the arm with the largest.
///
/// An arm without a trial comes before all others. Arms of the same index share the choice evenly,
/// so a propensity is 1 ÷ how many are the best: a closed form. Arms that are not among the best
/// cannot be chosen, which no log of such a policy can be reweighted out of: explore with a policy
/// that samples where the log is to be evaluated later.
pub trait IndexRule {
    /// All parameters that cannot be used.
    fn violations(&self) -> Vec<ParameterViolation>;

    /// The index of an arm with at least part of a trial.
    fn index(&self, arm: &Figures, field: &Field) -> f64;

    /// Whether the index may exceed a number: never `false` where it does. Much cheaper than the
    /// index where that has no closed form.
    fn may_exceed(&self, arm: &Figures, field: &Field, number: f64) -> bool;
}

/// What an index knows of the other arms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// All trials so far.
    pub trials: f64,
    /// The largest mean among the eligible arms.
    pub best_mean: f64,
}

/// The rule of an [`IndexRule`].
///
/// It is made by naming the rule: `Bandit::new(KlUcb::default(), ..)`.
#[derive(Clone, Copy, Debug)]
pub struct Index<'a, R>(pub &'a R);

impl<R: IndexRule> Index<'_, R> {
    /// The index of every arm of a table; infinite before the first trial.
    pub fn scores(&self, table: &Table<'_>) -> Vec<f64> {
        let field = field(table);
        let score = |arm: &Figures| match arm.mean() {
            None => f64::INFINITY,
            Some(_) => self.0.index(arm, &field),
        };
        table.arms.iter().map(score).collect()
    }

    /// Which arms have the largest index.
    fn best(&self, table: &Table<'_>) -> Vec<usize> {
        let untried = |arm: &Figures| arm.trials <= 0.0;
        if table.arms.iter().any(untried) {
            let arms = table.arms.iter().enumerate();
            return arms
                .filter(|(_, arm)| untried(arm))
                .map(|(place, _)| place)
                .collect();
        }
        let field = field(table);
        // The incumbent is the arm of the best mean: most others are then dismissed cheaply.
        let first = table
            .arms
            .iter()
            .position(|arm| arm.mean() >= Some(field.best_mean))
            .unwrap_or(0);
        let mut highest = self.0.index(&table.arms[first], &field);
        let mut best = vec![first];
        for (place, arm) in table.arms.iter().enumerate() {
            if place == first || !self.0.may_exceed(arm, &field, highest) {
                continue;
            }
            let index = self.0.index(arm, &field);
            if index > highest {
                highest = index;
                best.clear();
            }
            if index >= highest {
                best.push(place);
            }
        }
        best.sort_unstable();
        best
    }

    pub(crate) fn chances(&self, table: &Table<'_>) -> Chances {
        let best = self.best(table);
        let mut probabilities = vec![0.0; table.arms.len()];
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 arms")]
        let share = 1.0 / best.len() as f64;
        for place in best {
            probabilities[place] = share;
        }
        Chances {
            probabilities,
            method: PropensityMethod::Exact,
        }
    }
}

fn field(table: &Table<'_>) -> Field {
    let means = table.arms.iter().filter_map(Figures::mean);
    Field {
        trials: table.trials,
        best_mean: means.fold(f64::NEG_INFINITY, f64::max),
    }
}

impl<R: IndexRule> Rule for R {
    type Reward = UnitReward;

    fn violations(&self) -> Vec<ParameterViolation> {
        IndexRule::violations(self)
    }

    fn tally(&self, outcome: &Outcome<UnitReward>) -> Result<Tally, FeedbackError> {
        Ok(unit_tally(outcome))
    }

    fn chances(&self, table: &Table<'_>) -> Chances {
        Index(self).chances(table)
    }
}

impl<R: IndexRule> Bandit<R> {
    /// The index of every living arm, by rising id; infinite before the first trial.
    ///
    /// ```
    /// use gaelp_bandits::{Bandit, Ucb1};
    /// use gaelp_core::ArmId;
    ///
    /// let policy = Bandit::new(Ucb1::default(), [ArmId::new(0)])?;
    /// assert!(policy.scores().all(|(_, score)| score.is_infinite()));
    /// # Ok::<(), gaelp_bandits::ArmError>(())
    /// ```
    pub fn scores(&self) -> impl Iterator<Item = (ArmKey, f64)> + '_ {
        let arms: Vec<_> = self.arms().map(|(_, figures)| figures).collect();
        let trials = arms.iter().map(|arm| arm.trials).sum();
        let scores = Index(self.rule()).scores(&Table {
            arms: &arms,
            trials,
        });
        self.arms().map(|(key, _)| key).zip(scores)
    }
}
