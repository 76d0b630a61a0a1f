//! Running a policy, learning and all, over a log of evenly random choices.

use gaelp_core::{ArmId, Choice};

use super::column::{Column, Extent};
use super::error::LogError;
use super::sum::{count, mean, sum};

/// By how much a propensity may miss that of an even choice.
const TOLERANCE: f64 = 1e-9;

/// A row that replay cannot take.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The logging policy did not choose evenly.
    #[error(
        "row {row}: arm {arm} was chosen with propensity {propensity} of {eligible} arms; replay needs even choices, other logs need Estimator::Ips"
    )]
    Uneven {
        /// The row.
        row: usize,
        /// The logged arm.
        arm: ArmId,
        /// With what probability it was chosen.
        propensity: f64,
        /// How many arms could have been.
        eligible: usize,
    },
    /// A reward that cannot be reckoned with.
    #[error("{0}")]
    Reward(LogError),
    /// Too few rows agreed with the policy.
    #[error(
        "the log cannot carry a replay: {accepted} of {offered} rows agree with the policy, at least {least} are required"
    )]
    Refused {
        /// How many agreed.
        accepted: usize,
        /// How many were offered.
        offered: usize,
        /// How many are required.
        least: usize,
    },
}

/// The replay of a policy over a log whose choices were even among the eligible arms.
///
/// Row by row the policy under test chooses; where it chooses as the log did, the row's reward is
/// what it earned, and it may learn from it. Every other row is as if it had never been. So the rows
/// that remain are distributed as if the policy had run by itself, however it learns; the estimate
/// is unbiased.
///
/// **Cost**: O(1) time per row beside the policy's, and O(1) memory.
///
/// **Source**: Li, Chu, Langford & Wang (2011), Unbiased offline evaluation of contextual-bandit-based
/// news article recommendation algorithms, algorithm 2 and theorem 1.
///
/// ```
/// use gaelp_bandits::evaluation::Replay;
/// use gaelp_bandits::{BetaPrior, BetaThompson, Feedback, UnitReward};
/// use gaelp_core::{ArmId, Choice, DecisionId, PolicyVersion, Propensity, PropensityMethod, Seed};
///
/// let arms = || (0..2).map(|arm| (ArmId::new(arm), BetaPrior::default()));
/// let mut policy = BetaThompson::new(arms())?;
/// let eligible = policy.all();
/// let mut replay = Replay::default();
/// for row in 0..400_u32 {
///     // The log: a fair coin, here evenly spread. Arm 1 earns, arm 0 does not.
///     let logged = Choice {
///         arm: ArmId::new(row / 2 % 2),
///         propensity: Propensity::new(0.5)?,
///         method: PropensityMethod::Exact,
///         policy: PolicyVersion::default(),
///     };
///     let earned = f64::from(logged.arm.get());
///     let choice = policy.select(&eligible, Seed::new(7), DecisionId::new(row.into()));
///     if replay.offer(&logged, eligible.len(), choice.arm, earned)? {
///         policy.update(&[Feedback { arm: choice.arm, reward: UnitReward::new(earned)? }])?;
///     }
/// }
/// let replayed = replay.finish(100)?;
/// assert!(replayed.value > 0.9); // it learnt to play arm 1
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    offered: usize,
    rewards: Vec<f64>,
}

/// What came of a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Replayed {
    /// The mean reward of the rows that agreed.
    pub value: f64,
    /// Its standard error, for a policy that does not learn; infinite for a single row.
    pub standard_error: f64,
    /// How many rows agreed with the policy.
    pub accepted: usize,
    /// How many were offered.
    pub offered: usize,
}

impl Replay {
    /// Offers a row: what the log chose among how many, what the policy chooses now, and what the
    /// logged arm earned. True where the row counts, and the policy may learn from it.
    ///
    /// The policy must have chosen before it saw what the log holds.
    ///
    /// # Errors
    /// [`ReplayError`] for an uneven choice and for a reward that is not finite or beyond ±1e50; then
    /// the row is not taken.
    pub fn offer(
        &mut self,
        logged: &Choice,
        eligible: usize,
        chosen: ArmId,
        reward: f64,
    ) -> Result<bool, ReplayError> {
        let row = self.offered;
        let propensity = logged.propensity.get();
        if (propensity * count(eligible) - 1.0).abs() > TOLERANCE {
            return Err(ReplayError::Uneven {
                row,
                arm: logged.arm,
                propensity,
                eligible,
            });
        }
        if !Column::Reward.allows(reward) {
            return Err(ReplayError::Reward(LogError::Value {
                column: Column::Reward,
                row,
                value: reward,
                further: 0,
            }));
        }
        self.offered += 1;
        let agree = logged.arm == chosen;
        if agree {
            self.rewards.push(reward);
        }
        Ok(agree)
    }

    /// The estimate, if at least `least` rows agreed.
    ///
    /// # Errors
    /// [`ReplayError::Refused`] if fewer did, or none.
    pub fn finish(&self, least: usize) -> Result<Replayed, ReplayError> {
        let accepted = self.rewards.len();
        if accepted < least.max(1) {
            return Err(ReplayError::Refused {
                accepted,
                offered: self.offered,
                least: least.max(1),
            });
        }
        let size = Extent::of(&self.rewards).size();
        let value = mean([&self.rewards], size, |[r]| r);
        let off = sum([&self.rewards], 4.0 * size * size, |[r]| {
            (r - value) * (r - value)
        });
        let rows = count(accepted);
        Ok(Replayed {
            value,
            standard_error: if accepted > 1 {
                (off / (rows * (rows - 1.0))).sqrt()
            } else {
                f64::INFINITY
            },
            accepted,
            offered: self.offered,
        })
    }
}
