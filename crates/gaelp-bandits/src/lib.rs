#![doc = include_str!("../README.md")]

mod beta;
mod eligible;
mod error;
mod feedback;
mod numeric;
mod propensities;
mod thompson;

pub use beta::{ArmPosterior, BetaPrior, CredibleInterval, CredibleLevel};
pub use eligible::Eligible;
pub use error::{
    ArmError, ArmViolation, FeedbackError, LevelError, PriorError, PriorParameter, PriorViolation,
    RewardError, SelectError, SnapshotError,
};
pub use feedback::{Evidence, Feedback, UnitReward};
pub use propensities::Propensities;
pub use thompson::{BetaThompson, PreparedThompson};
