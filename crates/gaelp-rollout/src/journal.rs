//! Where a rollout's records go.

use std::convert::Infallible;

use async_trait::async_trait;

use crate::Record;

/// A place that keeps records.
///
/// **For those who implement it.** `append` is idempotent on the records' natural keys: the
/// decision id of an action, a trial or an experience, the date and platform of a budget state, the
/// touchpoint and number of a correction, the ad set, span and revision of a metric. An action
/// that is appended again replaces its status, what was sent and what was read back. `commit`
/// returns once everything appended before is durable; what was not committed may be lost by a
/// crash, but never in part: either all records of a commit survive or none.
///
/// **For those who call it.** Commit before telling a platform anything: a write whose intent is
/// not durable is a write nobody will remember.
#[async_trait]
pub trait Journal: Send {
    /// Why a record could not be kept.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Takes over records, in order.
    async fn append(&mut self, records: Vec<Record>) -> Result<(), Self::Error>;

    /// Makes everything appended so far durable.
    async fn commit(&mut self) -> Result<(), Self::Error>;
}

/// A journal in memory, for tests and for programs that keep nothing.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal {
    records: Vec<Record>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that was appended, in order; an action appears once per status it had.
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    type Error = Infallible;

    async fn append(&mut self, mut records: Vec<Record>) -> Result<(), Infallible> {
        self.records.append(&mut records);
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[async_trait]
impl<J: Journal + ?Sized> Journal for &mut J {
    type Error = J::Error;

    async fn append(&mut self, records: Vec<Record>) -> Result<(), Self::Error> {
        (**self).append(records).await
    }

    async fn commit(&mut self) -> Result<(), Self::Error> {
        (**self).commit().await
    }
}
