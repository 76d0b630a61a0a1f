//! Why the ledger refuses a request.

use std::fmt;

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros, Platform};

use crate::{Epoch, MAX_AMOUNT};

/// Why a request was refused. Nothing was taken down, and nothing may be sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The epoch is not the current one: another runner took over.
    #[error("fenced: the current epoch is {current}")]
    Fenced {
        /// The current epoch.
        current: Epoch,
    },
    /// There is no epoch after the current one.
    #[error("there is no epoch after {current}")]
    NoEpochLeft {
        /// The current epoch.
        current: Epoch,
    },
    /// The proposal was admitted before. If its first answer was lost, this is the answer.
    #[error("{intent} was admitted before")]
    Known {
        /// Which intent.
        intent: DecisionId,
    },
    /// The time by which it must have been sent is over.
    #[error("it had to be sent by {not_after}")]
    TooLate {
        /// When that was.
        not_after: DateTime<Utc>,
    },
    /// The settings do not name the platform.
    #[error("{platform} is not among the ledger's platforms")]
    UnknownPlatform {
        /// Which platform.
        platform: Platform,
    },
    /// No budget of the ad set is known, or the last list of budgets does not have it.
    #[error("no budget of {key} is known")]
    UnknownAdSet {
        /// Which ad set.
        key: AdSetKey,
    },
    /// The intent was never admitted, or it was settled long ago.
    #[error("no intent {intent} is known")]
    UnknownIntent {
        /// Which intent.
        intent: DecisionId,
    },
    /// An amount below zero, or above all money that is computed with.
    #[error("{what} of {value} is not between 0 and {MAX_AMOUNT}")]
    Amount {
        /// What it is.
        what: What,
        /// The amount.
        value: Micros,
    },
    /// An observation names the same thing twice, so that it contradicts itself.
    #[error("{key} is there twice")]
    Twice {
        /// Which ad set.
        key: AdSetKey,
    },
    /// A reading of budgets that began after it was told of.
    #[error("a reading began at {began}, after {at}")]
    Future {
        /// When the reading began.
        began: DateTime<Utc>,
        /// When it was told of.
        at: DateTime<Utc>,
    },
    /// A time outside of the years 1970 to 9999.
    #[error("{at} is not a time that is computed with")]
    OutOfCalendar {
        /// The time.
        at: DateTime<Utc>,
    },
    /// An order that must say who gave it, and does not.
    #[error("who says so?")]
    Nameless,
    /// A raise, and the clock ran back by more than the skew since the last entry.
    #[error("the clock ran back from {last} to {at}")]
    Clock {
        /// The time of the request.
        at: DateTime<Utc>,
        /// The time of the last entry.
        last: DateTime<Utc>,
    },
    /// A raise, and the kill switch is on.
    #[error("killed")]
    Killed,
    /// A raise, and an operator paused raises.
    #[error("paused")]
    Paused,
    /// A raise, and not every platform's budgets were read in this epoch, or a write of an earlier
    /// epoch is not settled.
    #[error("not reconciled since the ledger was taken over")]
    Unreconciled,
    /// A raise, and a write to the same ad set is not settled.
    #[error("{intent} is not settled")]
    Open {
        /// Which intent.
        intent: DecisionId,
    },
    /// A raise that could make the account pay more than its cap.
    #[error("exposure would be {exposure}, above {cap}; {most} would pass")]
    Headroom {
        /// What the account could be made to pay with it.
        exposure: Micros,
        /// What it may be made to pay.
        cap: Micros,
        /// The highest daily budget of the ad set that would pass.
        most: Micros,
    },
}

/// What an amount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum What {
    /// A daily budget that is proposed, read or applied.
    Budget,
    /// What was spent.
    Spent,
    /// The last known good budget.
    KnownGood,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Budget => "a budget",
            Self::Spent => "a spend",
            Self::KnownGood => "a last known good budget",
        })
    }
}
