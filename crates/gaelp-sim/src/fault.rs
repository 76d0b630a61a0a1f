//! Everything that is made to go wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// A kind of trouble. Each stands for a line of the fault table that the project's rules
        /// were written against; several may stand for one line.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum FaultKind {
            $($(#[$doc])* $kind,)*
        }

        impl FaultKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its name in counters.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// Reports fail for hours. *Coverage below 75 % or age above 3 h: freeze raises; missing is
    /// never zero.*
    StaleReport = "stale_report",
    /// The platform is behind by hours more than it says it is. *As above.*
    LateReport = "late_report",
    /// Rows are silently missing. *As above.*
    MissingRows = "missing_rows",
    /// Spend of past hours is restated, up or down. *The highest revision wins.*
    Restatement = "restatement",
    /// Every row comes twice. *Key (entity, hour); the same row twice is one row.*
    DuplicateRows = "duplicate_rows",
    /// Rows come in any order, older revisions after newer ones. *Order does not matter.*
    ReorderedRows = "reordered_rows",
    /// Two figures under one revision. *Neither is believed.*
    Contradiction = "contradiction",
    /// Negative spend. *Reject at the border.*
    MalformedFigures = "malformed_figures",
    /// Figures near 2⁶³. *Checked arithmetic: deny.*
    OverflowFigures = "overflow_figures",
    /// Hundreds of rows of unknown ad sets and of hours to come. *Limits: nothing breaks.*
    HugeInput = "huge_input",
    /// The runner's clock is wrong by minutes. *More than 30 s: freeze.*
    ClockSkew = "clock_skew",
    /// The runner's clock jumps back. *Backwards: freeze.*
    ClockRegress = "clock_regress",
    /// The week has a day of 23 or 25 hours, or a midnight in the middle of an hour. *Hours are
    /// UTC, days the account's.*
    UnevenDay = "uneven_day",
    /// A platform's account counts in another currency. *Deny; no exchange rates.*
    CurrencyMismatch = "currency_mismatch",
    /// The answer to a write is lost after it was applied. *Unknown: stays counted.*
    TimeoutAfterApply = "timeout_after_apply",
    /// A write is lost on its way. *Unknown: stays counted.*
    TimeoutBeforeApply = "timeout_before_apply",
    /// A write is held up, and applied minutes later. *Counted until its lifetime is over.*
    LateApply = "late_apply",
    /// Some writes of an hour are applied, others are not. *Outcomes per entity; decreases first.*
    PartialApply = "partial_apply",
    /// The platform refuses edits for a while. *Not a failure; nothing was changed.*
    RateLimit = "rate_limit",
    /// The platform applies less than what was asked, and says so. *What stands is what it says.*
    OtherAmount = "other_amount",
    /// The process dies before, during or after a transaction of the ledger. *Replay, reconcile,
    /// then act.*
    CrashAtLedger = "crash_at_ledger",
    /// The process dies before or after it writes to the platform. *As above.*
    CrashAtPlatform = "crash_at_platform",
    /// The process dies while it writes records down. *As above.*
    CrashAtJournal = "crash_at_journal",
    /// A second runner takes over, and the first goes on. *Fencing: the first writes no more.*
    SplitBrain = "split_brain",
    /// The checkpoint was changed. *Refuse what is not plausible.*
    PoisonedCheckpoint = "poisoned_checkpoint",
    /// A transaction of the ledger's store leaves a torn tail. *Truncate it; nothing
    /// acknowledged is lost.*
    TornAppend = "torn_append",
    /// An entry in the middle of the ledger's log is damaged, until someone repairs it. *No
    /// raises.*
    CorruptLog = "corrupt_log",
    /// The ledger's store is busy or full for hours. *Nothing is written.*
    StoreFails = "store_fails",
    /// The ledger's store appends, and does not say so. *Read again before acting.*
    StoreUnknown = "store_unknown",
    /// A person raises a budget. *Adopt, freeze, alert.*
    HumanRaise = "human_raise",
    /// A person lowers a budget. *Adopt.*
    HumanLower = "human_lower",
    /// A person switches an ad set off and on. *Its budget still counts.*
    HumanPause = "human_pause",
    /// A person removes an ad set, or makes a new one. *Gone; New.*
    HumanRemove = "human_remove",
    /// An operator pulls the kill switch, and later re-arms it. *Latches; live goes down.*
    OperatorKill = "operator_kill",
    /// An operator pauses and resumes. *No raise.*
    OperatorPause = "operator_pause",
    /// A configuration with a slipped decimal point. *Validate before anything runs.*
    FatFinger = "fat_finger",
    /// Nothing of a platform answers for hours. *Breaker; freeze.*
    Outage = "outage",
    /// The list of budgets cannot be read. *Nothing is raised on what is not known.*
    BudgetsFail = "budgets_fail",
    /// The list of budgets lacks ad sets that exist. *What is missing is not zero.*
    BudgetHoles = "budget_holes",
    /// Records and alerts cannot be kept. *What cannot be logged is not done.*
    JournalFails = "journal_fails",
    /// The platform's errors contain its access token. *It is in no record.*
    TokenInError = "token_in_error",
}

impl FaultKind {
    /// Its place in [`FaultKind::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether it ends a process.
    pub const fn is_crash(self) -> bool {
        matches!(
            self,
            Self::CrashAtLedger
                | Self::CrashAtPlatform
                | Self::CrashAtJournal
                | Self::SplitBrain
                | Self::PoisonedCheckpoint
                | Self::CurrencyMismatch
                | Self::FatFinger
                | Self::JournalFails
        )
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FaultSet(u64);

impl FaultSet {
    /// Puts a kind in; says whether it was not in before.
    pub const fn insert(&mut self, kind: FaultKind) -> bool {
        let new = !self.contains(kind);
        self.0 |= 1 << kind.index();
        new
    }

    /// Whether a kind is in it.
    pub const fn contains(self, kind: FaultKind) -> bool {
        self.0 >> kind.index() & 1 == 1
    }

    /// The kinds in it.
    pub fn iter(self) -> impl Iterator<Item = FaultKind> {
        FaultKind::ALL
            .iter()
            .copied()
            .filter(move |&kind| self.contains(kind))
    }

    /// How many are in it.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether none is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<FaultKind> for FaultSet {
    fn from_iter<I: IntoIterator<Item = FaultKind>>(kinds: I) -> Self {
        let mut set = Self::default();
        for kind in kinds {
            set.insert(kind);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_distinct_names_and_fit_into_a_set() {
        assert!(FaultKind::ALL.len() >= 24 && FaultKind::ALL.len() <= 64);
        let names: std::collections::BTreeSet<_> =
            FaultKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), FaultKind::ALL.len());
        for (index, kind) in FaultKind::ALL.iter().enumerate() {
            assert_eq!(kind.index(), index);
            let json = serde_json::to_value(kind).unwrap();
            assert_eq!(json, kind.as_str());
        }
        let all: FaultSet = FaultKind::ALL.iter().copied().collect();
        assert!(all.iter().eq(FaultKind::ALL.iter().copied()));
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut set = FaultSet::default();
        assert!(set.is_empty() && !set.contains(FaultKind::Outage));
        assert!(set.insert(FaultKind::Outage) && !set.insert(FaultKind::Outage));
        assert!(set.contains(FaultKind::Outage) && set.len() == 1);
    }
}
