//! What is in the log.

mod read;

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros};
use serde::{Deserialize, Serialize};

use crate::{Answer, Change, Epoch, Intent, Observation, Order};

/// An entry of the log: what was taken down, and what followed from it then.
///
/// Entries hold outcomes, not rules, so that a log can be read again under other limits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Entry {
    /// A runner took over.
    Taken {
        /// The epoch it was given.
        epoch: Epoch,
        /// Who.
        runner: String,
        /// When.
        #[serde(with = "crate::instant")]
        at: DateTime<Utc>,
    },
    /// A runner told what it saw.
    Observed {
        /// What it saw.
        observation: Observation,
        /// What changed by it.
        changes: Vec<Change>,
    },
    /// A proposal was admitted.
    Admitted {
        /// The intent.
        intent: Intent,
    },
    /// A platform answered a write.
    Answered {
        /// Which.
        intent: DecisionId,
        /// What.
        answer: Answer,
        /// When the answer was there.
        #[serde(with = "crate::instant")]
        at: DateTime<Utc>,
    },
    /// A person said something that was not so before.
    Ordered {
        /// What.
        order: Order,
        /// Who.
        by: String,
        /// When.
        #[serde(with = "crate::instant")]
        at: DateTime<Utc>,
    },
}

impl Entry {
    /// When it was taken down, by the clock of whoever asked for it.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Taken { at, .. } | Self::Answered { at, .. } | Self::Ordered { at, .. } => *at,
            Self::Observed { observation, .. } => observation.at,
            Self::Admitted { intent } => intent.at,
        }
    }
}

/// Why an entry cannot follow on the ones before it: the log was not written by this ledger, or was
/// changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// A time outside of the years 1970 to 9999.
    #[error("{at} is not a time that is computed with")]
    OutOfCalendar {
        /// The time.
        at: DateTime<Utc>,
    },
    /// An epoch that does not follow, or that was fenced.
    #[error("epoch {found} after epoch {current}")]
    Epoch {
        /// The epoch before.
        current: Epoch,
        /// The epoch of the entry.
        found: Epoch,
    },
    /// An amount below zero, or above all money that is computed with.
    #[error("{value} is not an amount that is computed with")]
    Amount {
        /// The amount.
        value: Micros,
    },
    /// The same ad set twice in a list, or a reading that had not begun.
    #[error("an observation that contradicts itself")]
    Observation,
    /// An intent that is there already.
    #[error("{intent} twice")]
    Known {
        /// Which intent.
        intent: DecisionId,
    },
    /// An intent that does not begin at the confirmed budget, or that was too late.
    #[error("{intent} does not fit")]
    Intent {
        /// Which intent.
        intent: DecisionId,
    },
    /// An answer to, or a change of, an intent that is not open.
    #[error("{intent} is not open")]
    NotOpen {
        /// Which intent.
        intent: DecisionId,
    },
    /// A change that does not fit what stood before.
    #[error("a change of {key} that does not fit")]
    Change {
        /// Which ad set.
        key: AdSetKey,
    },
    /// An order that changes nothing, or a nameless one that must have a name.
    #[error("an order that does not fit")]
    Order,
}
