//! The ledger's log, in memory, with a store that fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gaelp_ledger::{Decide, LedgerStore, MemoryLedger, Sealed, StoreFault};

/// What happens to one transaction of a [`SharedLog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mishap {
    /// It fails before anything is appended.
    Before,
    /// It appends, and nobody hears of it.
    After,
    /// It fails in the middle of the append. What was written of it is cut off when the log is
    /// read again.
    Torn,
}

/// A store that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogFailed {
    /// It is busy or full.
    #[error("the store is busy")]
    Busy,
    /// The connection was lost, nobody knows when.
    #[error("the store did not answer")]
    NoAnswer,
}

/// A [`MemoryLedger`] that several runners share, whose transactions fail when told to, and which
/// keeps what was appended for an auditor.
#[derive(Clone, Debug)]
pub struct SharedLog {
    inner: MemoryLedger,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next: Option<Mishap>,
    busy: bool,
    /// Which entry is damaged, where one is.
    damaged: Option<u64>,
    appended: Vec<Sealed>,
    /// The latest entry that a writer was told is in the log.
    acknowledged: u64,
}

impl SharedLog {
    /// An empty log.
    pub fn new() -> Self {
        Self {
            inner: MemoryLedger::new(),
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to the next transaction.
    pub fn next(&self, mishap: Option<Mishap>) {
        self.state().next = mishap;
    }

    /// Whether every transaction fails.
    pub fn busy(&self, busy: bool) {
        self.state().busy = busy;
    }

    /// Damages an entry for all who read it, or repairs it.
    pub fn damage(&self, seq: Option<u64>) {
        self.state().damaged = seq;
    }

    /// The entry that is damaged.
    pub fn damaged(&self) -> Option<u64> {
        self.state().damaged
    }

    /// The latest entry that a writer was told is in the log.
    pub fn acknowledged(&self) -> u64 {
        self.state().acknowledged
    }

    /// What was appended since this was last asked.
    pub fn take_appended(&self) -> Vec<Sealed> {
        std::mem::take(&mut self.state().appended)
    }
}

impl Default for SharedLog {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl LedgerStore for SharedLog {
    type Error = LogFailed;

    async fn transact(&mut self, after: u64, decide: Decide<'_>) -> Result<(), LogFailed> {
        let (mishap, damaged) = {
            let mut state = self.state();
            if state.busy {
                return Err(LogFailed::Busy);
            }
            (state.next.take(), state.damaged)
        };
        if let Some(mishap) = mishap {
            self.inner.fail_next(match mishap {
                Mishap::Before => StoreFault::Before,
                Mishap::After => StoreFault::After,
                Mishap::Torn => StoreFault::Torn,
            });
        }
        let mut fresh = Vec::new();
        let mut watched = |mut read: Vec<Sealed>| {
            if let Some(entry) = read.iter_mut().find(|entry| Some(entry.seq) == damaged) {
                entry.payload = entry.payload.replace(':', ";");
            }
            let appended = decide(read);
            fresh.clone_from(&appended);
            appended
        };
        let done = self.inner.transact(after, &mut watched).await;
        let mut state = self.state();
        if mishap.is_none_or(|mishap| mishap == Mishap::After) {
            state.appended.append(&mut fresh);
        }
        if done.is_ok() {
            let latest = state.appended.last().map_or(0, |entry| entry.seq);
            state.acknowledged = state.acknowledged.max(latest);
        }
        done.map_err(|_| LogFailed::NoAnswer)
    }
}
