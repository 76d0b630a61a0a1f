//! The answer.

use gaelp_core::{Level, Micros, Reason, RuleId};
use serde::{Deserialize, Serialize};

use crate::{Memory, RevisionDigest};

/// What the rules allow, and why. Amounts are hourly rates.
#[must_use = "a verdict that is not obeyed guards nothing, and its memory is needed next time"]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was proposed.
    pub proposed: Micros,
    /// The proposal after it was raised to the lower bounds.
    pub normalised: Micros,
    /// What is allowed. Never negative.
    pub allowed: Micros,
    /// The harshest level among the rules.
    pub level: Level,
    /// The rule that made the result differ from the normalised proposal; the first in the order
    /// of [`rules::ALL`](crate::rules::ALL) where several did.
    pub binding: Option<RuleId>,
    /// What each rule with an objection said, in the order of [`rules::ALL`](crate::rules::ALL).
    pub reasons: Vec<Reason>,
    /// What the rules said that are only [observed](crate::GuardrailConfig::observe): none of it
    /// counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<Reason>,
    /// The lower bound that the result lies below: a ceiling beats a floor. `None` where all lower
    /// bounds hold.
    pub overruled: Option<LowerBound>,
    /// The bid that is allowed, where one was proposed: within its bounds, and not raised where
    /// raises are frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid: Option<Micros>,
    /// Which revisions of which reports were judged.
    #[serde(default)]
    pub revisions: RevisionDigest,
    /// To be handed back in the next [`Context`](crate::Context) of this ad set.
    pub memory: Memory,
}

/// A rate below which a proposal is raised, as long as no rule objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowerBound {
    /// Where it comes from.
    pub kind: LowerBoundKind,
    /// The hourly rate.
    pub rate: Micros,
}

/// Where a lower bound comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LowerBoundKind {
    /// The least that an ad set runs with.
    HourlyFloor,
    /// The most that it may fall within an hour.
    DeltaMax,
    /// The most that it may fall within 24 hours.
    DeltaMax24h,
    /// The most that the traffic-normalised rate may fall within an hour.
    DeltaNormalised,
    /// The most that the traffic-normalised rate may fall within 24 hours.
    DeltaNormalised24h,
}
