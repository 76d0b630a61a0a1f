//! What a runner saw, and what changed by it.

use chrono::{DateTime, NaiveDate, Utc};
use gaelp_core::{AdSetId, AdSetKey, DecisionId, Micros, Platform};
use serde::{Deserialize, Serialize};

use crate::Epoch;

/// What a runner saw of the outside world.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The epoch that the runner was given.
    pub epoch: Epoch,
    /// When it tells the ledger.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// Lists of budgets that it read.
    pub reads: Vec<BudgetsRead>,
    /// What was spent at most.
    pub spent: Vec<Spent>,
    /// The last daily budget at which an ad set was known to do well: kept for whoever must choose
    /// a safe one after a kill.
    pub known_good: Vec<(AdSetKey, Micros)>,
}

/// The daily budgets of a whole account on a platform, as read at one time. An ad set that is not
/// in it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetsRead {
    /// Of which platform.
    pub platform: Platform,
    /// When the reading began, before the platform was asked. A platform may answer from any time
    /// after that, so the end of a reading proves nothing.
    #[serde(with = "crate::instant")]
    pub began: DateTime<Utc>,
    /// What stood.
    pub budgets: Vec<(AdSetId, Micros)>,
}

/// The most that an ad set can have spent in a local day of the account up to now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// Which ad set.
    pub key: AdSetKey,
    /// On which day.
    pub date: NaiveDate,
    /// What is reported, and a reserve for the hours that are not.
    pub upper: Micros,
}

/// What an observation changed in the book.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Change {
    /// An intent's budget stands.
    Confirmed {
        /// Of which ad set.
        key: AdSetKey,
        /// Which intent.
        intent: DecisionId,
        /// Its budget.
        budget: Micros,
    },
    /// An intent's budget does not stand, and can no longer come to stand.
    Expired {
        /// Of which ad set.
        key: AdSetKey,
        /// Which intent.
        intent: DecisionId,
        /// Its budget.
        budget: Micros,
        /// Whether it may have stood for a while, so that it counts for the rest of the day.
        may_have_stood: bool,
    },
    /// A budget that no intent explains: somebody else set it. It is adopted.
    External {
        /// Of which ad set.
        key: AdSetKey,
        /// The budget that stood for all the ledger knew.
        from: Micros,
        /// The budget that stands.
        to: Micros,
    },
    /// An ad set is no longer on the platform.
    Gone {
        /// Which ad set.
        key: AdSetKey,
        /// Its last budget.
        from: Micros,
    },
    /// An ad set that the ledger did not know, or that came back.
    New {
        /// Which ad set.
        key: AdSetKey,
        /// Its budget.
        budget: Micros,
    },
}

impl Change {
    /// The ad set that changed.
    pub fn key(&self) -> &AdSetKey {
        match self {
            Self::Confirmed { key, .. }
            | Self::Expired { key, .. }
            | Self::External { key, .. }
            | Self::Gone { key, .. }
            | Self::New { key, .. } => key,
        }
    }
}
