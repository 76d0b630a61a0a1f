//! What the ledger is asked, and what it replies.

use std::fmt;

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros};
use serde::{Deserialize, Serialize};

use crate::{Change, Observation, Refusal};

/// What the ledger is asked to take down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Request {
    /// A runner takes over: it is given the next epoch, and every lower one is fenced.
    Take {
        /// Who takes over.
        runner: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// What a runner saw. Only the current epoch may tell.
    Observe(Observation),
    /// A budget to be written. Only what is admitted may be sent, and only until its `not_after`.
    Admit(Proposal),
    /// What a platform answered to a write. It is a fact, and taken from any epoch.
    Answer {
        /// To which intent.
        intent: DecisionId,
        /// What.
        answer: Answer,
        /// When the answer was there.
        at: DateTime<Utc>,
    },
    /// A person's word, from any process.
    Order {
        /// What is to be.
        order: Order,
        /// Who said so.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
}

/// A daily budget that a runner wants to set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// The epoch that the runner was given.
    pub epoch: Epoch,
    /// The decision behind it; it names the intent, and is never used for another.
    pub id: DecisionId,
    /// Which ad set.
    pub key: AdSetKey,
    /// The whole daily budget, never an increment: to send it twice is to send it once.
    pub to: Micros,
    /// The policy that it was checked against.
    pub policy: PolicyHash,
    /// When it is proposed.
    pub at: DateTime<Utc>,
    /// When it must have been sent. Later the runner must not send it.
    pub not_after: DateTime<Utc>,
}

/// An admitted proposal: a write that may happen, that may have happened, or that has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The decision behind it.
    pub id: DecisionId,
    /// Which ad set.
    pub key: AdSetKey,
    /// The budget that was confirmed then.
    pub from: Option<Micros>,
    /// The daily budget to set.
    pub to: Micros,
    /// The epoch it was admitted in.
    pub epoch: Epoch,
    /// The policy that it was checked against.
    pub policy: PolicyHash,
    /// When it was admitted.
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// When it must have been sent.
    #[serde(with = "crate::instant")]
    pub not_after: DateTime<Utc>,
}

/// What a platform answered to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Answer {
    /// It was carried out.
    Applied {
        /// The budget that the platform says stands.
        daily_budget: Micros,
    },
    /// It was not carried out, and will not be; or it was never sent.
    Rejected,
    /// The answer was lost, or it says neither.
    Unknown,
}

/// A person's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Order {
    /// Raise nothing any more. It latches: only [`Order::Rearm`] ends it.
    Kill,
    /// Lift a kill. It must say who does.
    Rearm,
    /// Raise nothing until resumed.
    Pause,
    /// End a pause; a kill stays.
    Resume,
}

/// What persons said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// Killed, and not rearmed.
    pub killed: bool,
    /// Paused, and not resumed.
    pub paused: bool,
}

impl Operator {
    /// What holds after an order.
    #[must_use]
    pub const fn after(mut self, order: Order) -> Self {
        match order {
            Order::Kill => self.killed = true,
            Order::Rearm => self.killed = false,
            Order::Pause => self.paused = true,
            Order::Resume => self.paused = false,
        }
        self
    }
}

/// What the ledger replied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reply {
    /// The runner may observe and propose under this epoch.
    Taken {
        /// Its epoch.
        epoch: Epoch,
    },
    /// The observation is in the book.
    Observed {
        /// What changed by it.
        changes: Vec<Change>,
    },
    /// The intent is in the log: it may be sent.
    Admitted(Intent),
    /// The answer is in the book, or was already.
    Answered,
    /// The order holds, or held already.
    Ordered,
    /// Nothing was taken down.
    Refused(Refusal),
}

/// A fencing epoch: the number of times that the ledger was taken over.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    /// Before anybody took over. Nobody is given it.
    pub const NONE: Self = Self(0);

    /// An epoch from its number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The epoch after this one, or `None` after the last.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The digest of a policy's settings. Printed and serialised as 64 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyHash(pub [u8; 32]);

impl fmt::Display for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from(self.0).to_hex())
    }
}

impl fmt::Debug for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<PolicyHash> for String {
    fn from(hash: PolicyHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for PolicyHash {
    type Error = blake3::HexError;

    fn try_from(text: String) -> Result<Self, blake3::HexError> {
        blake3::Hash::from_hex(text).map(|hash| Self(hash.into()))
    }
}
