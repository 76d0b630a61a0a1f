//! The cumulative sum test for a change of a mean.

use serde::{Deserialize, Serialize};

use super::{ChangeDetector, Shift};
use crate::{ParameterViolation, UnitReward};

/// The two-sided CUSUM test: the mean of the first rewards is taken as the truth, and later
/// rewards add up how far they stray from it.
///
/// After `warmup` rewards of mean û, each reward x adds x − û − ε to one sum and û − x − ε to
/// another; sums do not fall below zero, and a change is found when either reaches `threshold`. It
/// is cheap, and quick for changes of about twice the slack ε; [`Glr`](crate::Glr) needs no ε.
///
/// **Cost**: a few operations per reward; 64 bytes.
///
/// **Source**: Liu, Lee & Shroff (2018), A change-detection based framework for
/// piecewise-stationary multi-armed bandit problem, the two-sided CUSUM test; Page (1954),
/// Continuous inspection schemes.
///
/// ```
/// use gaelp_bandits::{ChangeDetector, Cusum, UnitReward};
///
/// let mut test = Cusum::default();
/// let half = UnitReward::new(0.5)?;
/// assert!((0..1000).all(|_| test.observe(half).is_none()));
/// let found = (0..100).find(|_| test.observe(UnitReward::SUCCESS).is_some());
/// assert_eq!(found, Some(37)); // 38 times 0.4 is the first above 15
/// # Ok::<(), gaelp_bandits::RewardError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cusum {
    /// How many rewards make the mean before, from 1 to a million.
    pub warmup: u32,
    /// ε, from 0 to 1: what is not taken for a change.
    pub slack: f64,
    /// How far rewards must stray in sum, from 0.1 to a million.
    pub threshold: f64,
    seen: u32,
    warm_sum: f64,
    up: f64,
    down: f64,
    /// Rewards since the sum that leads was last zero, and their total.
    run_up: (f64, f64),
    run_down: (f64, f64),
}

impl Cusum {
    /// A test with these parameters.
    pub const fn new(warmup: u32, slack: f64, threshold: f64) -> Self {
        Self {
            warmup,
            slack,
            threshold,
            seen: 0,
            warm_sum: 0.0,
            up: 0.0,
            down: 0.0,
            run_up: (0.0, 0.0),
            run_down: (0.0, 0.0),
        }
    }
}

impl Default for Cusum {
    /// For means that change by a fifth or more within some hundred rewards.
    fn default() -> Self {
        Self::new(200, 0.1, 15.0)
    }
}

impl ChangeDetector for Cusum {
    fn violations(&self) -> Vec<ParameterViolation> {
        let all = [
            ParameterViolation::check("warmup", f64::from(self.warmup), 1.0, 1e6),
            ParameterViolation::check("slack", self.slack, 0.0, 1.0),
            ParameterViolation::check("threshold", self.threshold, 0.1, 1e6),
            ParameterViolation::check(
                "rewards seen",
                f64::from(self.seen),
                0.0,
                f64::from(self.warmup),
            ),
            ParameterViolation::check("their sum", self.warm_sum, 0.0, f64::from(self.seen)),
        ];
        // What a stored state may have summed up since.
        let sums = [
            self.up,
            self.down,
            self.run_up.0,
            self.run_up.1,
            self.run_down.0,
            self.run_down.1,
        ];
        let sums = sums
            .into_iter()
            .map(|sum| ParameterViolation::check("a running sum", sum, 0.0, 1e15));
        all.into_iter().chain(sums).flatten().collect()
    }

    fn observe(&mut self, reward: UnitReward) -> Option<Shift> {
        let x = reward.get();
        if self.seen < self.warmup {
            self.seen += 1;
            self.warm_sum += x;
            return None;
        }
        let before = self.warm_sum / f64::from(self.warmup);
        step(&mut self.up, &mut self.run_up, x - before - self.slack, x);
        step(
            &mut self.down,
            &mut self.run_down,
            before - x - self.slack,
            x,
        );
        let (statistic, (count, sum)) = if self.up >= self.down {
            (self.up, self.run_up)
        } else {
            (self.down, self.run_down)
        };
        (statistic >= self.threshold).then(|| Shift {
            statistic,
            threshold: self.threshold,
            before,
            after: sum / count,
        })
    }
}

/// Adds to a sum that does not fall below zero.
fn step(sum: &mut f64, run: &mut (f64, f64), stray: f64, x: f64) {
    *sum += stray;
    *run = (run.0 + 1.0, run.1 + x);
    if *sum <= 0.0 {
        *sum = 0.0;
        *run = (0.0, 0.0);
    }
}
