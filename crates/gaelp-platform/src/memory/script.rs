//! Faults that happen when a test says so.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use gaelp_core::{AdSetId, HourSpan, Micros, Ratio};
use serde::{Deserialize, Serialize};

use crate::ErrorKind;

/// A call that a fault can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// [`AdPlatform::report`](crate::AdPlatform::report).
    Report,
    /// [`AdPlatform::budgets`](crate::AdPlatform::budgets).
    Budgets,
    /// [`AdPlatform::set_budget`](crate::AdPlatform::set_budget).
    Write,
    /// [`RevenueSource::orders`](crate::RevenueSource::orders).
    Orders,
}

/// Something that goes wrong during one call.
///
/// A fault is what the world does to a call; it does not switch off the platform's own rules. A
/// write that is too small is not applied even under [`WriteUnknownApplied`](Self::WriteUnknownApplied).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The report cannot be had.
    ReportFails(ErrorKind),
    /// The report lacks the rows that begin in these hours, and says nothing about it.
    ReportMissing(HourSpan),
    /// The platform is behind by so many hours more than its reporting delay.
    ReportLate {
        /// How many more.
        hours: u32,
    },
    /// The platform has corrected the rows that it reports: their spend is multiplied, rounded
    /// down, and their revision grows by one. It stays so.
    ReportRestated {
        /// What spend is multiplied by.
        spend: Ratio,
    },
    /// The platform reports other figures under the same revisions, this once.
    ReportContradicted {
        /// What spend is multiplied by.
        spend: Ratio,
    },
    /// The budgets cannot be read.
    BudgetsFail(ErrorKind),
    /// Somebody else edits a budget just before it is read.
    ExternalEdit {
        /// Which ad set; it is made where it does not exist.
        ad_set: AdSetId,
        /// Its new daily budget.
        to: Micros,
    },
    /// The write is turned down before the platform's own rules look at it.
    WriteRejected(ErrorKind),
    /// The write arrives, and the answer is lost.
    WriteUnknownApplied,
    /// The write is lost on its way.
    WriteUnknownLost,
    /// The write is held up: it arrives when so many hours have passed, over whatever was
    /// set since.
    WriteUnknownLate {
        /// How many hours it takes.
        hours: u32,
    },
    /// The orders cannot be had.
    OrdersFail(ErrorKind),
}

impl Fault {
    /// The call that it strikes.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::ReportFails(_)
            | Self::ReportMissing(_)
            | Self::ReportLate { .. }
            | Self::ReportRestated { .. }
            | Self::ReportContradicted { .. } => Operation::Report,
            Self::BudgetsFail(_) | Self::ExternalEdit { .. } => Operation::Budgets,
            Self::WriteRejected(_)
            | Self::WriteUnknownApplied
            | Self::WriteUnknownLost
            | Self::WriteUnknownLate { .. } => Operation::Write,
            Self::OrdersFail(_) => Operation::Orders,
        }
    }
}

/// Which faults happen at which calls. Calls are counted from 1, each operation by itself, from
/// the moment the script is given to a platform or a shop.
///
/// ```
/// use gaelp_platform::{ErrorKind, Fault, Operation, Script};
///
/// let script = Script::new()
///     .then(Fault::WriteUnknownLost) // the first write
///     .then_well(Operation::Write) // the second is fine
///     .then(Fault::WriteRejected(ErrorKind::Auth)) // the third
///     .at_call(24, Fault::ReportFails(ErrorKind::Retryable)); // the 24th report
/// assert_eq!(script.faults().count(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    plan: BTreeMap<(Operation, u32), Vec<Fault>>,
    /// The last call of each operation that something was said about.
    planned: BTreeMap<Operation, u32>,
}

impl Script {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A fault at the next call of its operation that nothing was said about yet.
    #[must_use]
    pub fn then(self, fault: Fault) -> Self {
        let call = self.next_call(fault.operation());
        self.at_call(call, fault)
    }

    /// No fault at the next call of an operation that nothing was said about yet.
    #[must_use]
    pub fn then_well(mut self, operation: Operation) -> Self {
        let call = self.next_call(operation);
        self.planned.insert(operation, call);
        self
    }

    /// A fault at a certain call of its operation, the first being 1. Several faults can strike
    /// one call; they do so in the order given.
    ///
    /// Call 0 never comes: such a fault stays among the unplayed.
    #[must_use]
    pub fn at_call(mut self, call: u32, fault: Fault) -> Self {
        let operation = fault.operation();
        let planned = self.planned.entry(operation).or_insert(call);
        *planned = call.max(*planned);
        self.plan.entry((operation, call)).or_default().push(fault);
        self
    }

    /// The faults, by operation and call.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.plan.values().flatten()
    }

    fn next_call(&self, operation: Operation) -> u32 {
        let planned = self.planned.get(&operation).copied().unwrap_or(0);
        planned.saturating_add(1)
    }
}

/// A script being played.
#[derive(Debug, Default)]
pub(super) struct Player {
    script: Script,
    calls: BTreeMap<Operation, u32>,
}

impl Player {
    pub(super) fn new(script: Script) -> Self {
        Self {
            script,
            calls: BTreeMap::new(),
        }
    }

    /// Counts a call, and takes out the faults that strike it.
    pub(super) fn play(&mut self, operation: Operation) -> Vec<Fault> {
        let call = match self.calls.entry(operation) {
            Entry::Vacant(entry) => *entry.insert(1),
            Entry::Occupied(entry) => {
                let calls = entry.into_mut();
                *calls = calls.saturating_add(1);
                *calls
            }
        };
        let faults = self.script.plan.remove(&(operation, call));
        faults.unwrap_or_default()
    }

    pub(super) fn unplayed(&self) -> Vec<Fault> {
        self.script.faults().cloned().collect()
    }
}
