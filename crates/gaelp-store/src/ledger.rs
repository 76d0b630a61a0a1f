//! The spend ledger's log on SQLite.

mod anchor;
mod log;

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use gaelp_ledger::{Decide, LedgerStore, Sealed};
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use self::anchor::LedgerHead;
use self::anchor::{AnchorFile, Anchors, Unreadable};
use crate::error::{Damage, LedgerDamage, engine};
use crate::{StoreError, schema};

/// The log of an account's spend ledger, kept in a store's database.
///
/// It has a connection of its own, beside that of a [`Store`](crate::Store) over the same file.
/// Several processes may have one each; their transactions happen one after the other. What it
/// appends is in the write-ahead log and synced when a transaction returns.
///
/// Beside the database stands a file `<database>.head`, the *anchor*: the place and the hash of the
/// last entry that was acknowledged. A database that lost the end of its log, or that was replaced
/// by an older copy, is behind its anchor. Opening reads the whole log and verifies its hash chain
/// and the anchor; a transaction verifies the entries that it reads, and the anchor. Whether an
/// entry makes sense only [`Ledger`](gaelp_ledger::Ledger) can tell, which checks each one.
///
/// Its futures never wait: they do their work, which may block for as long as another process
/// writes, when they are first polled.
///
/// **Cost.** Opening reads the log, some 200,000 entries a second. A transaction that appends takes
/// 0.2 ms beside the disk, which is waited for three times: for the write-ahead log, the anchor and
/// its directory. One that appends nothing waits for nothing and takes 60 µs.
///
/// ```
/// use gaelp_core::{AccountZone, Platform, Ratio};
/// use gaelp_ledger::{Ledger, LedgerConfig, Order, Request};
/// use gaelp_store::SqliteLedger;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("gaelp.sqlite");
/// let limits = LedgerConfig::new(AccountZone::UTC, "10".parse()?)
///     .with_platform(Platform::Meta, Ratio::ONE)
///     .validate()?;
/// let kill = Request::Order {
///     order: Order::Kill,
///     by: "Ada".into(),
///     at: "2026-11-21T10:00:00Z".parse()?,
/// };
/// pollster::block_on(async {
///     let log = SqliteLedger::open(&path, "main")?;
///     Ledger::open(limits.clone(), log).await?.execute(kill).await?;
///     // Another process sees it.
///     let log = SqliteLedger::open(&path, "main")?;
///     let ledger = Ledger::open(limits, log).await?;
///     assert!(ledger.book().operator().killed);
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
///
/// // Without its anchor, nobody knows whether the log is whole.
/// std::fs::remove_file(folder.path().join("gaelp.sqlite.head"))?;
/// assert!(SqliteLedger::open(&path, "main").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SqliteLedger {
    conn: Connection,
    anchors: AnchorFile,
    account: String,
}

/// What an operator accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what was accepted may be a loss"]
pub struct Accepted {
    /// What was wrong, if anything was.
    pub found: Option<LedgerDamage>,
    /// The end of the log, which counts from now on.
    pub head: LedgerHead,
}

impl SqliteLedger {
    /// Opens an account's log in a database file, and creates the file where there is none. The
    /// account's name is free; each has a log of its own.
    ///
    /// # Errors
    /// As [`Store::open`](crate::Store::open); and [`StoreError::Damaged`] with [`Damage::Ledger`]
    /// where the hash chain is broken, or the log and its anchor do not fit.
    pub fn open(path: impl AsRef<Path>, account: &str) -> Result<Self, StoreError> {
        let mut ledger = Self::connect(path.as_ref(), account)?;
        let account = &ledger.account;
        let transaction = begin(&mut ledger.conn)?;
        let mut anchors = read_anchors(&ledger.anchors, account)?;
        let anchored = anchors.get(account);
        let head = log::verify(&transaction, account, anchored)?;
        // The very first entry needs an anchor too, or a crash right after it would look as if the
        // anchor had been lost.
        if anchored.is_none_or(|anchored| anchored.seq < head.seq) {
            anchors.set(account, head);
            ledger.anchors.write(&anchors)?;
        }
        transaction.commit().map_err(engine)?;
        Ok(ledger)
    }

    /// Takes a log as it is for the whole log, and anchors it there: for an operator who looked at
    /// the damage, never for a program by itself.
    ///
    /// It helps where the anchor is missing or unreadable, and where the log is behind it, for
    /// instance after a copy was restored. Intents that were lost with the end of the log are not
    /// counted from then on: see first that no write of theirs can still arrive, and let the ledger
    /// be taken over and reconciled. Where the anchor cannot be read, the database's other ledgers
    /// must be accepted as well.
    ///
    /// # Errors
    /// As [`open`](Self::open). A broken chain cannot be accepted: restore a copy, or begin a ledger
    /// under another account name.
    pub fn accept(path: impl AsRef<Path>, account: &str) -> Result<(Self, Accepted), StoreError> {
        let mut ledger = Self::connect(path.as_ref(), account)?;
        let account = &ledger.account;
        let transaction = begin(&mut ledger.conn)?;
        let read = ledger.anchors.read()?;
        let anchored = read.as_ref().ok().and_then(|all| all.get(account));
        // The chain must hold from its beginning; an empty log is anchored at its beginning.
        let head = log::verify_chain(&transaction, account)?;
        let found = match (&read, log::verify(&transaction, account, anchored)) {
            (Err(Unreadable), _) => Some(LedgerDamage::Anchor),
            (Ok(_), Ok(_)) => None,
            (Ok(_), Err(StoreError::Damaged(Damage::Ledger { damage, .. }))) => Some(damage),
            (Ok(_), Err(other)) => return Err(other),
        };
        let mut anchors = read.unwrap_or_default();
        anchors.set(account, head);
        ledger.anchors.write(&anchors)?;
        transaction.commit().map_err(engine)?;
        Ok((ledger, Accepted { found, head }))
    }

    /// The account whose log it is.
    pub fn account(&self) -> &str {
        &self.account
    }

    fn connect(path: &Path, account: &str) -> Result<Self, StoreError> {
        let conn = schema::open_file(path)?;
        let anchors = AnchorFile::beside(path).map_err(|source| StoreError::Open {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let account = account.to_owned();
        Ok(Self {
            conn,
            anchors,
            account,
        })
    }

    fn transact_now(&mut self, after: u64, decide: Decide<'_>) -> Result<(), StoreError> {
        let account = &self.account;
        let transaction = begin(&mut self.conn)?;
        let anchored = read_anchors(&self.anchors, account)?.get(account);
        let (mut head, entries) = log::after(&transaction, account, anchored, after)?;
        let appended = decide(entries);
        for sealed in &appended {
            head = follow(head, sealed)?;
            log::append(&transaction, account, sealed)?;
        }
        transaction.commit().map_err(engine)?;
        if anchored.is_none_or(|anchored| anchored.seq < head.seq) {
            self.anchor(head)?;
        }
        Ok(())
    }

    /// Moves the anchor forward to an entry that was committed. The database's write lock keeps
    /// others from moving it meanwhile; one that moved it further before is left alone.
    fn anchor(&mut self, head: LedgerHead) -> Result<(), StoreError> {
        let account = &self.account;
        let lock = begin(&mut self.conn)?;
        let mut anchors = read_anchors(&self.anchors, account)?;
        if anchors.get(account).is_none_or(|old| old.seq < head.seq) {
            anchors.set(account, head);
            self.anchors.write(&anchors)?;
        }
        lock.commit().map_err(engine)
    }
}

fn begin(conn: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    let begun = conn.transaction_with_behavior(TransactionBehavior::Immediate);
    begun.map_err(engine)
}

fn read_anchors(file: &AnchorFile, account: &str) -> Result<Anchors, StoreError> {
    file.read()?
        .map_err(|Unreadable| log::damaged(account, LedgerDamage::Anchor))
}

/// The head after an entry that is to be appended, if it follows on the log.
fn follow(head: LedgerHead, sealed: &Sealed) -> Result<LedgerHead, StoreError> {
    let Sealed { seq, payload, hash } = sealed;
    let next = head.seq.checked_add(1) == Some(*seq) && i64::try_from(*seq).is_ok();
    if !next || head.hash.then(*seq, payload) != *hash {
        return Err(StoreError::LedgerEntry { seq: *seq });
    }
    Ok(LedgerHead {
        seq: *seq,
        hash: *hash,
    })
}

#[async_trait]
impl LedgerStore for SqliteLedger {
    type Error = StoreError;

    async fn transact(&mut self, after: u64, decide: Decide<'_>) -> Result<(), StoreError> {
        self.transact_now(after, decide)
    }
}

impl fmt::Debug for SqliteLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLedger")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
