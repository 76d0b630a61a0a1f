//! The ground truth: what really happened, whatever anybody was told.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros};
use serde::{Deserialize, Serialize};

/// What really happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Audit {
    /// Until when.
    pub now: DateTime<Utc>,
    /// The account's local days, the last one up to now.
    pub days: Vec<DayTruth>,
    /// The most that was spent in a day.
    pub largest_spend: Micros,
    /// The most that could have been spent in a day: of each ad set the highest budget that stood,
    /// times the platform's overdelivery, rounded up.
    pub largest_worst: Micros,
    /// Every write that came in, in order.
    pub writes: Vec<WriteTruth>,
    /// How many requests of each kind came in, and how many faults of each kind struck.
    pub counts: BTreeMap<String, u64>,
}

/// A local day of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DayTruth {
    /// Which.
    pub date: NaiveDate,
    /// What was spent.
    pub spent: Micros,
    /// What could have been spent: the platforms' limits.
    pub worst: Micros,
    /// The highest budget of each ad set that stood at any time of the day.
    pub highest: Vec<(AdSetKey, Micros)>,
}

/// A write that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WriteTruth {
    /// When it came in.
    pub at: DateTime<Utc>,
    /// When it was sent, as it says.
    pub sent: DateTime<Utc>,
    /// Which ad set.
    pub key: AdSetKey,
    /// To which daily budget.
    pub to: Micros,
    /// What stood before.
    pub before: Option<Micros>,
    /// Who asked for it.
    pub decision: DecisionId,
    /// What was made of it.
    pub fate: Fate,
}

/// What the network and the platform made of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// Applied and answered.
    Applied,
    /// Applied, and the answer was lost.
    Unanswered,
    /// Applied and answered, and later delivered once more.
    Doubled,
    /// Lost on its way.
    Lost,
    /// Held up: it came in once more, later, and was applied then.
    HeldUp,
    /// A write that was held up or doubled, arriving.
    Arrived,
    /// Older than the request lifetime: dropped.
    Stale,
    /// Turned down, and answered so.
    Rejected,
}

impl Fate {
    /// Its name among the counts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unanswered => "unanswered",
            Self::Doubled => "doubled",
            Self::Lost => "lost",
            Self::HeldUp => "held_up",
            Self::Arrived => "arrived",
            Self::Stale => "stale",
            Self::Rejected => "rejected",
        }
    }

    /// Whether the budget was changed then.
    pub const fn took_effect(self) -> bool {
        matches!(
            self,
            Self::Applied | Self::Unanswered | Self::Doubled | Self::Arrived
        )
    }
}
