//! What can be wrong with arms, rewards, eligible sets and levels.

use std::fmt;

use gaelp_core::{ArmId, DecisionId, UtcHour};

use crate::{ArmKey, ForgettingError};

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

/// A parameter of a rule outside of its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{parameter} is {value}: a number from {least} to {most} is expected")]
pub struct ParameterViolation {
    /// Which parameter.
    pub parameter: &'static str,
    /// Its value.
    pub value: f64,
    /// The least allowed.
    pub least: f64,
    /// The most allowed.
    pub most: f64,
}

impl ParameterViolation {
    /// The violation of a range, if it is one. NaN always is.
    pub fn check(parameter: &'static str, value: f64, least: f64, most: f64) -> Option<Self> {
        (!(least..=most).contains(&value)).then_some(Self {
            parameter,
            value,
            least,
            most,
        })
    }
}

/// Something wrong with one arm of a new policy, or with its rule.
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
    /// A parameter of the policy's rule cannot be used.
    #[error("{0}")]
    Parameter(ParameterViolation),
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
    /// The arm to be added lives.
    #[error("arm {arm} is there already")]
    Living {
        /// The arm.
        arm: ArmId,
    },
    /// The arm to be retired or restarted does not live.
    #[error("the policy has no arm {arm}")]
    NotLiving {
        /// The arm.
        arm: ArmId,
    },
    /// The arm's id was used 2³² times.
    #[error("the id of arm {arm} was used too often")]
    UsedUp {
        /// The arm.
        arm: ArmId,
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
    /// An eligible arm is not one of the policy's.
    #[error("arm {arm} is eligible, but the policy does not have it")]
    NotLiving {
        /// The arm.
        arm: ArmId,
    },
    /// The context has other features than the policy takes.
    #[error("a context of {found} features, where the policy takes {expected}")]
    Dimension {
        /// How many there are.
        found: usize,
        /// How many it takes.
        expected: usize,
    },
    /// The context has no features of an eligible arm.
    #[error("arm {arm} is eligible, but the context has no features of it")]
    NoFeatures {
        /// The arm.
        arm: ArmId,
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
    /// The arm, or this life of it, was retired or restarted: what was learnt of it is gone.
    #[error("feedback for arm {key}, which was retired")]
    Retired {
        /// The arm and its generation.
        key: ArmKey,
    },
    /// Part of a trial, for a policy that takes whole trials only.
    #[error("feedback for arm {key} is part of a trial; this policy takes whole trials only")]
    PartOfTrial {
        /// The arm and its generation.
        key: ArmKey,
    },
    /// The feedback has other features than the policy takes.
    #[error("feedback for arm {key} of {found} features, where the policy takes {expected}")]
    Dimension {
        /// The arm and its generation.
        key: ArmKey,
        /// How many there are.
        found: usize,
        /// How many it takes.
        expected: usize,
    },
    /// The policy learns in a way that cannot be undone.
    #[error("feedback for arm {key} cannot be undone: this policy cannot undo")]
    CannotUndo {
        /// The arm and its generation.
        key: ArmKey,
    },
    /// Evidence that was gathered at another hour of the clock, or fades otherwise.
    #[error("evidence that stands at another hour than the policy, or fades otherwise")]
    OtherClock,
    /// The feedback is so old that it no longer counts.
    #[error("feedback for arm {key} of hour {}, which is forgotten", .at.get())]
    Forgotten {
        /// The arm and its generation.
        key: ArmKey,
        /// When it was chosen.
        at: UtcHour,
    },
    /// The arm's sums would pass what they can hold.
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
    /// Its forgetting cannot be done.
    #[error("the snapshot's forgetting cannot be done: {0}")]
    Forgetting(#[from] ForgettingError),
    /// An arm is said to live in a generation that was retired.
    #[error("the snapshot's arm {arm} lives in a generation that was retired")]
    Generation {
        /// The arm.
        arm: ArmId,
    },
    /// Its evidence is not that of its arms.
    #[error("the snapshot's evidence cannot be taken: {0}")]
    Evidence(FeedbackError),
    /// An arm's model is of another kind than the policy's.
    #[error("the snapshot's arm {arm} has a model of another kind")]
    Model {
        /// The arm.
        arm: ArmId,
    },
    /// What is said of a decision does not agree with what else is stored.
    #[error("the snapshot's decision {decision} does not fit the rest of it")]
    Decision {
        /// The decision.
        decision: DecisionId,
    },
    /// What is said of an arm does not agree with what else is stored.
    #[error("the snapshot's record of arm {key} does not fit the rest of it")]
    Record {
        /// The arm and its generation.
        key: ArmKey,
    },
    /// Sums that cannot have come about.
    #[error("the snapshot's {what} cannot have come about")]
    Impossible {
        /// What of it.
        what: &'static str,
    },
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
