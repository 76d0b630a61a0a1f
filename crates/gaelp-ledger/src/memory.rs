//! A log in memory: the reference for implementers, and a store for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Decide, LedgerStore, Sealed};

/// A store in memory. Clones share one log, as processes share a database.
///
/// ```
/// use gaelp_core::{AccountZone, Platform, Ratio};
/// use gaelp_ledger::{Ledger, LedgerConfig, MemoryLedger, Order, Request, StoreFault};
///
/// let limits = LedgerConfig::new(AccountZone::UTC, "10".parse()?)
///     .with_platform(Platform::Meta, Ratio::ONE)
///     .validate()?;
/// let store = MemoryLedger::new();
/// let kill = Request::Order {
///     order: Order::Kill,
///     by: "Ada".into(),
///     at: "2026-11-21T10:00:00Z".parse()?,
/// };
/// pollster::block_on(async {
///     let mut ledger = Ledger::open(limits, store.clone()).await?;
///     store.fail_next(StoreFault::After);
///     assert!(ledger.execute(kill.clone()).await.is_err());
///     assert_eq!(store.len(), 1); // it is in the log, and nobody was told
///     ledger.execute(kill).await?;
///     assert_eq!(store.len(), 1);
///     assert!(ledger.book().operator().killed);
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    log: Vec<Sealed>,
    faults: VecDeque<Option<StoreFault>>,
}

/// How a transaction may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreFault {
    /// Before anything happened: the log was not even read.
    Before,
    /// After the append: the entries are in the log.
    After,
    /// In the midst of the append: nothing of it is there when the log is read again.
    Torn,
}

/// A transaction failed, as it was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store failed: {0:?}")]
pub struct StoreFailed(pub StoreFault);

impl MemoryLedger {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// A log with entries: to repeat a run, or with entries that were tampered with.
    pub fn with_log(log: Vec<Sealed>) -> Self {
        let store = Self::default();
        store.locked().log = log;
        store
    }

    /// The whole log.
    pub fn log(&self) -> Vec<Sealed> {
        self.locked().log.clone()
    }

    /// How many entries the log has.
    pub fn len(&self) -> usize {
        self.locked().log.len()
    }

    /// Whether the log has no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets the next transaction that has no fault yet fail.
    pub fn fail_next(&self, fault: StoreFault) {
        self.locked().faults.push_back(Some(fault));
    }

    /// Lets the next transaction that has no fault yet pass: to reach one after it.
    pub fn pass_next(&self) {
        self.locked().faults.push_back(None);
    }

    /// The log behind its lock, also after a panic elsewhere: every change is made in one piece.
    fn locked(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LedgerStore for MemoryLedger {
    type Error = StoreFailed;

    async fn transact(&mut self, after: u64, decide: Decide<'_>) -> Result<(), StoreFailed> {
        let mut shared = self.locked();
        let fault = shared.faults.pop_front().flatten();
        if fault == Some(StoreFault::Before) {
            return Err(StoreFailed(StoreFault::Before));
        }
        let known = shared.log.partition_point(|sealed| sealed.seq <= after);
        let mut appended = decide(shared.log[known..].to_vec());
        if fault != Some(StoreFault::Torn) {
            shared.log.append(&mut appended);
        }
        fault.map_or(Ok(()), |fault| Err(StoreFailed(fault)))
    }
}
