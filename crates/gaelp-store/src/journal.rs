//! A run's journal.

use std::fmt;

use async_trait::async_trait;
use gaelp_rollout::{Journal, Record};

use crate::append::{append, give_run_number};
use crate::store::{Inner, Writer};
use crate::{RunId, Store, StoreError};

/// How many uncommitted records are held in memory. Beyond that they go into an open transaction,
/// which keeps other writers of the store waiting until the commit.
const HELD: usize = 8_192;

/// A [`Journal`] that keeps a run's records in a [`Store`].
///
/// Records are held until [`commit`](Journal::commit), which stores all of them in one transaction
/// and returns once they are durable. Appending what was stored before changes nothing. What was
/// not committed is lost with the journal, as a whole.
///
/// After an error from `commit` nothing of the batch was stored. Where the cause passes, such as
/// [`StoreError::Busy`] or [`StoreError::Full`], it may be called again, unless the batch was so
/// large that it had to go into a transaction: then, and after an error from `append`, every
/// further call is [`StoreError::Spoiled`].
///
/// Its futures never wait: they do their work when they are first polled.
///
/// **Cost.** About ten microseconds a record and one write to the disk per commit; memory for at
/// most 8,192 records.
///
/// ```
/// use gaelp_core::UtcHour;
/// use gaelp_rollout::{Alert, AlertKind, Journal, Record};
/// use gaelp_store::{RunId, Store};
///
/// let store = Store::open_in_memory()?;
/// let run = RunId::new([7; 32]);
/// let alert = Alert {
///     at: UtcHour::new(490_000),
///     kind: AlertKind::ReportFailed,
///     subject: "meta".to_owned(),
/// };
/// for _ in 0..2 {
///     let mut journal = store.journal(run);
///     pollster::block_on(async {
///         journal.append(vec![Record::Alert(alert.clone())]).await?;
///         journal.commit().await
///     })?;
/// }
/// assert_eq!(store.alerts(run).collect::<Result<Vec<_>, _>>()?, [alert]);
/// # Ok::<(), gaelp_store::StoreError>(())
/// ```
pub struct RunJournal {
    store: Store,
    run: RunId,
    held: Vec<Record>,
    batch: Batch,
}

enum Batch {
    /// Everything uncommitted is held in memory.
    Held,
    /// Part of it is in a transaction, under the run's number.
    Begun(Writer, i64),
    /// Part of it is lost.
    Lost,
}

impl RunJournal {
    pub(crate) fn new(store: Store, run: RunId) -> Self {
        Self {
            store,
            run,
            held: Vec::new(),
            batch: Batch::Held,
        }
    }

    /// The run whose records it keeps.
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// Puts what is held into the open transaction, opening it where there is none.
    fn spill(&mut self) -> Result<(), StoreError> {
        if let Batch::Held = self.batch {
            let mut writer = Writer::begin(&self.store)?;
            let number = writer.write(|inner| give_run_number(inner, self.run))?;
            self.batch = Batch::Begun(writer, number);
        }
        let Batch::Begun(writer, number) = &mut self.batch else {
            return Err(StoreError::Spoiled);
        };
        let stored = writer.write(|inner| append_all(inner, *number, &self.held));
        match stored {
            Ok(()) => self.held.clear(),
            Err(_) => self.batch = Batch::Lost,
        }
        stored
    }

    fn take(&mut self, mut records: Vec<Record>) -> Result<(), StoreError> {
        if let Batch::Lost = self.batch {
            return Err(StoreError::Spoiled);
        }
        self.held.append(&mut records);
        if self.held.len() > HELD {
            return self.spill();
        }
        Ok(())
    }

    fn store(&mut self) -> Result<(), StoreError> {
        if let Batch::Held = self.batch {
            if !self.held.is_empty() {
                self.store.transaction(|inner| {
                    let number = give_run_number(inner, self.run)?;
                    append_all(inner, number, &self.held)
                })?;
                self.held.clear();
            }
            return Ok(());
        }
        self.spill()?;
        match std::mem::replace(&mut self.batch, Batch::Lost) {
            Batch::Begun(writer, _) => writer.commit()?,
            Batch::Held | Batch::Lost => return Err(StoreError::Spoiled),
        }
        self.batch = Batch::Held;
        Ok(())
    }
}

fn append_all(inner: &mut Inner, run: i64, records: &[Record]) -> Result<(), StoreError> {
    crate::checkpoint::refuse_older(inner, run, records)?;
    records
        .iter()
        .try_for_each(|record| append(inner, run, record))
}

#[async_trait]
impl Journal for RunJournal {
    type Error = StoreError;

    async fn append(&mut self, records: Vec<Record>) -> Result<(), StoreError> {
        self.take(records)
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.store()
    }
}

impl fmt::Debug for RunJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunJournal")
            .field("run", &self.run)
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}
