//! What can be wrong with arms, rewards, eligible sets and levels.

use std::fmt;

use gaelp_core::ArmId;

/// One of the two parameters of a [`BetaPrior`](crate::BetaPrior).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriorParameter {
    /// Successes seen before the first.
    Successes,
    /// Failures seen before the first.
    Failures,
}

impl fmt::Display for PriorParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Successes => "successes",
            Self::Failures => "failures",
        })
    }
}

/// A parameter of a prior outside of its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "{value} prior {parameter}: a number from {} to {} is expected",
    crate::BetaPrior::LEAST,
    crate::BetaPrior::MOST
)]
pub struct PriorViolation {
    /// Which parameter.
    pub parameter: PriorParameter,
    /// Its value.
    pub value: f64,
}

/// A prior that cannot be used, with all that is wrong with it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", List(.violations))]
pub struct PriorError {
    /// At least one violation.
    pub violations: Vec<PriorViolation>,
}

/// Something wrong with one arm of a new policy.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArmViolation {
    /// The arm was given more than once.
    #[error("arm {arm} is given more than once")]
    Duplicate {
        /// The arm.
        arm: ArmId,
    },
    /// The arm's prior cannot be used.
    #[error("arm {arm}: {violation}")]
    Prior {
        /// The arm.
        arm: ArmId,
        /// What is wrong with its prior.
        violation: PriorViolation,
    },
}

/// Arms of which no policy can be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArmError {
    /// There are none.
    #[error("a policy needs at least one arm")]
    NoArms,
    /// Some cannot be used.
    #[error("{}", List(.violations))]
    Invalid {
        /// All that is wrong, by arm; at least one violation.
        violations: Vec<ArmViolation>,
    },
}

/// A choice that cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No arm may be chosen.
    #[error("none of the {arms} arms is eligible")]
    NoneEligible {
        /// How many arms the policy has.
        arms: usize,
    },
}

/// A number that is no reward.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{value} is not a reward: a number from 0 to 1 is expected")]
pub struct RewardError {
    /// The number.
    pub value: f64,
}

/// Feedback that cannot be taken. Nothing of its batch has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// The policy has no such arm.
    #[error("feedback for arm {arm}, which the policy does not have")]
    UnknownArm {
        /// The arm.
        arm: ArmId,
    },
    /// The arm's sums would pass 1.8e13 rewards.
    #[error("arm {arm} cannot hold more feedback")]
    Full {
        /// The arm.
        arm: ArmId,
    },
    /// More is to be undone than the arm has recorded.
    #[error("feedback of arm {arm} is to be undone that it never recorded")]
    NotRecorded {
        /// The arm.
        arm: ArmId,
    },
    /// The policy has no version number left.
    #[error("the policy has no version number left")]
    VersionsUsedUp,
}

/// A number that is no credible level.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{value} is not a credible level: a number between 0 and 1 is expected")]
pub struct LevelError {
    /// The number.
    pub value: f64,
}

/// A stored policy that cannot be restored.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It was written in a format that this version does not read.
    #[error("a snapshot of format {found} was found; this version reads format {expected}")]
    Format {
        /// The format found.
        found: u32,
        /// The format that can be read.
        expected: u32,
    },
    /// Its arms make no policy.
    #[error("the snapshot's arms make no policy: {0}")]
    Arms(#[from] ArmError),
}

/// Items separated by semicolons.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}
