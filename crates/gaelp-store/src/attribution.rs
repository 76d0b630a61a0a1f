//! The event log of delayed rewards on SQLite.

mod blocks;
mod snapshot;

use std::fmt;
use std::path::Path;

use gaelp_attribution::delayed::{Arrival, EventLog, Position};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::error::engine;
use crate::{StoreError, schema};

/// The events of a machine for delayed rewards, kept in a store's database.
///
/// It has a connection of its own, beside that of a [`Store`](crate::Store) over the same file. A
/// file may hold several logs, each under its name: one for every partition of the users.
///
/// - **What `append` wrote stays.** It is one transaction, synced when the call returns
///   (`synchronous = FULL`), however many events it holds. Batches are what makes it fast.
/// - **Again is the same as once.** An event is known by its position. Events at positions that the
///   log holds already must be the same; others are refused with [`StoreError::EventConflict`], and
///   nothing of the batch is written. So two processes that write to one log by mistake cannot
///   acknowledge events over each other.
/// - **What is read was written.** Every block of events, and the snapshot, has a digest over its
///   place and content.
///
/// - **A lost end does not show.** A database that lost the end of its write-ahead log, to a disk that
///   did not keep its word, or that was replaced by an older copy, is a whole one of an earlier time:
///   the log then ends at the end of an earlier batch. Up to 4,000 pages of 4 KiB stand in that log
///   until SQLite moves them into the database, some 400,000 events of 40 bytes; an older copy may
///   lack any number. Events have no file of heads as the ledger has: what is lost can be sent again,
///   and money is not spent by it. Keep the position that `commit` returned where the source keeps its
///   own, and hand it to [`Durable::require`](gaelp_attribution::delayed::Durable::require) after
///   opening.
///
/// What is not acknowledged yet is lost in a crash: what was offered to a
/// [`Durable`](gaelp_attribution::delayed::Durable) since its last commit, and no more. The source
/// sends again from [`Durable::position`](gaelp_attribution::delayed::Durable::position) on.
///
/// **Cost.** Until the next checkpoint 40 bytes of disk an event, 90 with what led to it, and some 150
/// for every commit. A commit waits for the disk once.
///
/// ```
/// use gaelp_attribution::delayed::{Arrival, Durable, Limits};
/// use gaelp_attribution::{Event, Model, RulesConfig, Timestamp};
/// use gaelp_store::SqliteEventLog;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("gaelp.sqlite");
/// let rules = RulesConfig::default().validate()?;
/// let mut effects = Vec::new();
/// let open = |effects: &mut Vec<_>| {
///     let log = SqliteEventLog::open(&path, "users 0 of 1")?;
///     let machine = Durable::open(log, rules.clone(), vec![Model::Linear], Limits::default(), effects)?;
///     Ok::<_, Box<dyn std::error::Error>>(machine)
/// };
///
/// let mut durable = open(&mut effects)?;
/// let now = Timestamp::from_micros(1_800_000_000_000_000);
/// durable.offer(Arrival::new(now, Event::Advance(now)));
/// let acknowledged = durable.commit(&mut effects)?;
///
/// // The process dies here, and another one goes on.
/// drop(durable);
/// let durable = open(&mut effects)?;
/// assert_eq!(durable.position(), acknowledged);
/// assert_eq!(durable.machine().watermark(), now);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SqliteEventLog {
    conn: Connection,
    log: Log,
}

/// Which log.
struct Log {
    id: i64,
    name: String,
}

impl SqliteEventLog {
    /// Opens a log in a database file, and creates either where there is none.
    ///
    /// # Errors
    /// As [`Store::open`](crate::Store::open).
    pub fn open(path: impl AsRef<Path>, name: &str) -> Result<Self, StoreError> {
        Self::over(schema::open_file(path.as_ref())?, name)
    }

    /// A log that lives as long as this value.
    ///
    /// # Errors
    /// Only where the system has no memory left.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        Self::over(schema::open_memory()?, "memory")
    }

    /// The name of the log.
    pub fn name(&self) -> &str {
        &self.log.name
    }

    fn over(mut conn: Connection, name: &str) -> Result<Self, StoreError> {
        let transaction = begin(&mut conn)?;
        let known = transaction
            .query_row("SELECT id FROM event_logs WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional();
        let id = if let Some(id) = known.map_err(engine)? {
            id
        } else {
            let insert = "INSERT INTO event_logs (name) VALUES (?1)";
            transaction.execute(insert, params![name]).map_err(engine)?;
            transaction.last_insert_rowid()
        };
        transaction.commit().map_err(engine)?;
        let name = name.to_owned();
        let log = Log { id, name };
        Ok(Self { conn, log })
    }
}

impl EventLog for SqliteEventLog {
    type Error = StoreError;

    fn append(&mut self, at: Position, arrivals: &[Arrival]) -> Result<(), StoreError> {
        let transaction = begin(&mut self.conn)?;
        let end = blocks::end(&transaction, &self.log)?;
        let Some(known) = end.checked_sub(at) else {
            let start = blocks::start(&transaction, &self.log)?;
            return Err(StoreError::EventPosition { at, start, end });
        };
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let (old, new) = arrivals.split_at(known.min(arrivals.len()));
        blocks::compare(&transaction, &self.log, at, old)?;
        if new.is_empty() {
            return Ok(());
        }
        blocks::append(&transaction, &self.log, end, new)?;
        transaction.commit().map_err(engine)
    }

    fn end(&self) -> Result<Position, StoreError> {
        let view = self.conn.unchecked_transaction().map_err(engine)?;
        blocks::end(&view, &self.log)
    }

    fn read(&self, from: Position, most: usize) -> Result<Vec<Arrival>, StoreError> {
        let view = self.conn.unchecked_transaction().map_err(engine)?;
        blocks::read(&view, &self.log, from, most)
    }

    fn save(&mut self, at: Position, snapshot: &[u8]) -> Result<(), StoreError> {
        let transaction = begin(&mut self.conn)?;
        let start = blocks::start(&transaction, &self.log)?;
        let end = blocks::end(&transaction, &self.log)?;
        if !(start..=end).contains(&at) {
            return Err(StoreError::EventPosition { at, start, end });
        }
        snapshot::replace(&transaction, &self.log, at, snapshot)?;
        blocks::drop_before(&transaction, &self.log, at)?;
        transaction.commit().map_err(engine)
    }

    fn latest(&self) -> Result<Option<(Position, Vec<u8>)>, StoreError> {
        let view = self.conn.unchecked_transaction().map_err(engine)?;
        snapshot::read(&view, &self.log)
    }
}

fn begin(conn: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    let begun = conn.transaction_with_behavior(TransactionBehavior::Immediate);
    begun.map_err(engine)
}

impl fmt::Debug for SqliteEventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteEventLog")
            .field("name", &self.log.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
