//! What is kept for learning: a decision, what came of it, and later corrections.

use serde::{Deserialize, Serialize};

use crate::{AdSetKey, Choice, DecisionId, HourSpan, Micros, TouchpointId};

/// How an experience ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndKind {
    /// The next state follows it.
    Continuing,
    /// Nothing can follow: the ad set was ended.
    Terminal,
    /// Something would have followed, but was not observed: the end of a log or of a window.
    Truncated,
}

impl EndKind {
    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Continuing => "continuing",
            Self::Terminal => "terminal",
            Self::Truncated => "truncated",
        }
    }
}

/// One step of one ad set: state, action, reward, next state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experience<S, A> {
    /// The decision it belongs to.
    pub decision: DecisionId,
    /// The ad set.
    pub key: AdSetKey,
    /// The hours of the action.
    pub span: HourSpan,
    /// What the policy chose, with its propensity and version.
    pub choice: Choice,
    /// What was known when it acted.
    pub state: S,
    /// What it did.
    pub action: A,
    /// What it earned, as far as known when the experience was written; corrections follow.
    pub reward: Micros,
    /// What it cost: the constraint's side of the reward.
    pub cost: Micros,
    /// What was known afterwards; `None` where nothing follows or it was not observed.
    pub next_state: Option<S>,
    /// How it ended.
    pub end: EndKind,
    /// The version of the features in `state`.
    pub schema: u32,
    /// The touches that it led to.
    pub touchpoints: Vec<TouchpointId>,
}

/// A later change to a reward: a conversion that came days after the action, or a refund.
///
/// Corrections are appended, never applied in place: the sum of an experience's reward and its
/// corrections is its reward as known now. The pair of touchpoint and number makes it idempotent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardCorrection {
    /// The touch that is credited.
    pub touchpoint: TouchpointId,
    /// Its number among the touch's corrections.
    pub number: u32,
    /// The decision that led to the touch.
    pub decision: DecisionId,
    /// By how much the reward changes.
    pub delta: Micros,
    /// When the change became known, in microseconds since 1970-01-01T00:00Z.
    pub observed_at: i64,
}

#[cfg(test)]
mod tests;
