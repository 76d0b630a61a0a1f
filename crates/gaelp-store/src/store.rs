//! The store itself: one connection, one writer at a time.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use gaelp_platform::Capabilities;
use rusqlite::Connection;

use crate::error::{Damage, engine};
use crate::names::Names;
use crate::{
    Coverage, FileId, Import, MetricRows, RecordedPlatform, RecordedShop, RunId, RunJournal,
    StoreError, coverage, schema,
};

/// A SQLite database of raw figures, decisions, experiences and their corrections.
///
/// Cloning it is cheap, and the clones share one connection: reads and commits take turns.
///
/// **Cost.** Memory is bounded: a page cache of 64 MiB at most, and the names of ad sets.
///
/// ```
/// use gaelp_store::Store;
///
/// let store = Store::open_in_memory()?;
/// let import = store.import()?;
/// import.commit()?;
/// assert_eq!(store.coverage(&[])?.rows, 0);
/// # Ok::<(), gaelp_store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    /// Told when [`Inner::writer`] becomes false.
    freed: Condvar,
}

/// What the lock protects.
pub(crate) struct Inner {
    pub(crate) conn: Connection,
    pub(crate) names: Names,
    /// Whether a transaction is open beyond the holder of the lock.
    writer: bool,
}

impl Store {
    /// Opens a database file, or creates it.
    ///
    /// A file that is not this crate's, or of a newer version, is refused and left as it is; an
    /// older version is brought up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::NotOurs`], [`StoreError::NewerSchema`],
    /// [`StoreError::Damaged`], [`StoreError::Busy`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        schema::open_file(path.as_ref()).map(Self::new)
    }

    /// A database that lives as long as the store and its clones.
    ///
    /// # Errors
    /// Only where the system has no memory left.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        schema::open_memory().map(Self::new)
    }

    fn new(conn: Connection) -> Self {
        let inner = Inner {
            conn,
            names: Names::default(),
            writer: false,
        };
        Self {
            shared: Arc::new(Shared {
                inner: Mutex::new(inner),
                freed: Condvar::new(),
            }),
        }
    }

    /// Begins to take in a batch of files: all of it with [`Import::commit`], or none.
    ///
    /// While it is open, nothing else can be written through this store.
    ///
    /// # Errors
    /// [`StoreError::WriterOpen`] where another import is open, [`StoreError::Busy`].
    pub fn import(&self) -> Result<Import, StoreError> {
        Import::begin(self)
    }

    /// The figures of imported files as a platform that can be read but not written.
    ///
    /// Of the files' rows it gives those of the platform that `capabilities` names. Where two
    /// files have the same ad set and hours, the later one in `files` wins.
    pub fn recorded(&self, files: &[FileId], capabilities: Capabilities) -> RecordedPlatform {
        RecordedPlatform::new(self.clone(), files, capabilities)
    }

    /// The orders of imported files as a shop. Where two files have the same event, the later one
    /// in `files` wins.
    pub fn recorded_shop(&self, files: &[FileId]) -> RecordedShop {
        RecordedShop::new(self.clone(), files)
    }

    /// What imported files hold together: which ad sets and hours, by hour or by day, and sums.
    ///
    /// **Cost.** Reads every row once; memory for one entry per ad set and per distinct span.
    ///
    /// # Errors
    /// [`StoreError::UnknownFile`], [`StoreError::Overflow`] where a sum does not fit.
    pub fn coverage(&self, files: &[FileId]) -> Result<Coverage, StoreError> {
        coverage::of(self, files)
    }

    /// The rows of imported files in order of time, platform name and ad set; each ad set and
    /// span once, from the last file in `files` that has it.
    ///
    /// # Errors
    /// [`StoreError::UnknownFile`].
    pub fn rows(&self, files: &[FileId]) -> Result<MetricRows, StoreError> {
        MetricRows::of_files(self.clone(), files)
    }

    /// What a run was told by live platforms, in order of time, platform name and ad set; each ad
    /// set and span once, in its highest revision.
    ///
    /// # Errors
    /// Only those of the database.
    pub fn run_rows(&self, run: RunId) -> Result<MetricRows, StoreError> {
        MetricRows::of_run(self.clone(), run)
    }

    /// A journal that keeps a run's records.
    pub fn journal(&self, run: RunId) -> RunJournal {
        RunJournal::new(self.clone(), run)
    }

    /// Has the engine check every page and index.
    ///
    /// **Cost.** Reads the whole database.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first finding.
    pub fn check_integrity(&self) -> Result<(), StoreError> {
        let inner = self.lock();
        let answer: String = inner
            .conn
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(engine)?;
        if answer == "ok" {
            return Ok(());
        }
        Err(StoreError::Damaged(Damage::Integrity { first: answer }))
    }

    /// The connection, for reading.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic under the lock leaves no half-made state that the next holder could not see:
        // an open transaction is ended by its owner.
        let poisoned = std::sync::PoisonError::into_inner;
        self.shared.inner.lock().unwrap_or_else(poisoned)
    }

    /// The connection, once no other writer has a transaction open.
    fn lock_to_write(&self) -> Result<MutexGuard<'_, Inner>, StoreError> {
        let poisoned = std::sync::PoisonError::into_inner;
        let waited = self
            .shared
            .freed
            .wait_timeout_while(self.lock(), schema::PATIENCE, |inner| inner.writer);
        let (inner, _) = waited.unwrap_or_else(poisoned);
        if inner.writer {
            return Err(StoreError::WriterOpen);
        }
        Ok(inner)
    }

    /// Runs `work` in a transaction of its own: all of it is committed, or nothing.
    pub(crate) fn transaction<T>(
        &self,
        work: impl FnOnce(&mut Inner) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = self.lock_to_write()?;
        inner.begin()?;
        let done = work(&mut inner).and_then(|value| inner.commit().map(|()| value));
        if done.is_err() {
            inner.roll_back();
        }
        done
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Inner {
    fn begin(&self) -> Result<(), StoreError> {
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(engine)
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.conn.execute_batch("COMMIT").map_err(engine)
    }

    fn roll_back(&mut self) {
        // Numbers given to names within the transaction are gone with it.
        self.names.clear();
        // The engine may have rolled back by itself, for instance on a full disk.
        if !self.conn.is_autocommit() {
            // Failing to roll back leaves the transaction to the engine, which drops it at the
            // latest when the connection closes; there is nothing else to do about it here.
            drop(self.conn.execute_batch("ROLLBACK"));
        }
    }
}

/// A transaction that stays open between calls. Dropping it rolls it back.
pub(crate) struct Writer {
    store: Store,
    spoiled: bool,
    done: bool,
}

impl Writer {
    pub(crate) fn begin(store: &Store) -> Result<Self, StoreError> {
        let mut inner = store.lock_to_write()?;
        inner.begin()?;
        inner.writer = true;
        drop(inner);
        Ok(Self {
            store: store.clone(),
            spoiled: false,
            done: false,
        })
    }

    /// Does something within the transaction. After an error it can no longer be committed.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Inner) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = self.store.lock();
        if inner.conn.is_autocommit() {
            // The engine rolled back by itself; what is written now would stand alone.
            return Err(StoreError::Spoiled);
        }
        let done = work(&mut inner);
        self.spoiled |= done.is_err();
        done
    }

    /// Makes everything written durable.
    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        if self.spoiled {
            return Err(StoreError::Spoiled);
        }
        self.write(|inner| inner.commit())?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let mut inner = self.store.lock();
        if !self.done {
            inner.roll_back();
        }
        inner.writer = false;
        drop(inner);
        self.store.shared.freed.notify_all();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("spoiled", &self.spoiled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
