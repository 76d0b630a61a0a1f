//! What can go wrong with a store.

use std::error::Error;
use std::path::PathBuf;

use chrono::NaiveDate;
use gaelp_core::{
    AdSetKey, DecisionId, HourSpan, OrderId, Platform, Revision, TouchpointId, UtcHour,
};
use gaelp_ledger::ChainError;
use gaelp_platform::OrderError;
use rusqlite::ErrorCode;

use crate::{FileId, RunId};

/// What can go wrong with a store. The message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be opened or created.
    #[error(
        "cannot open the database {path:?}: see that its directory exists and that the file can \
         be read and written"
    )]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the database engine said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file is a database of another program.
    #[error(
        "{path:?} is a database of another program (application id {application_id:#x}): name \
         another file; nothing was changed in this one"
    )]
    NotOurs {
        /// Which file.
        path: PathBuf,
        /// Whose it says it is; 0 where it does not say.
        application_id: i32,
    },
    /// The database was written by a newer version of this crate.
    #[error(
        "the database has schema version {found}, this program knows versions up to {supported}: \
         update the program; nothing was changed"
    )]
    NewerSchema {
        /// The version of the database.
        found: i64,
        /// The newest version that can be read.
        supported: i64,
    },
    /// The database is damaged, or is no database.
    #[error("the database is damaged ({damage}): {remedy}", damage = .0, remedy = .0.remedy())]
    Damaged(Damage),
    /// A stored value is not one that this crate writes.
    #[error(
        "{table}.{column} holds a value that this program does not write: another program changed \
         the database, or a newer one wrote it"
    )]
    Invalid {
        /// In which table.
        table: &'static str,
        /// In which column.
        column: &'static str,
    },
    /// Another process is writing to the database and did not finish in time.
    #[error("another process is writing to the database: wait for it to end and try again")]
    Busy,
    /// An import, or a journal with very many uncommitted records, of this store is still open.
    #[error(
        "another import or journal of this store holds uncommitted records: commit or drop it, \
         then try again"
    )]
    WriterOpen,
    /// The disk is full.
    #[error("the disk is full: make room and try again; nothing was written in part")]
    Full,
    /// The database may only be read.
    #[error("the database cannot be written: see the permissions of its file and its directory")]
    ReadOnly,
    /// The same key was stored before with different content. What was stored stays.
    #[error(
        "{table} has different content for {key}: a repeated record must be identical; was the \
         run's configuration changed without changing its id?"
    )]
    Conflict {
        /// In which table.
        table: &'static str,
        /// Under which key.
        key: Box<RecordKey>,
    },
    /// A checkpoint that was made before the newest one that the run keeps: another process went on
    /// meanwhile. Nothing of the batch was stored.
    #[error(
        "a checkpoint that decided {} is older than the one that is kept, which decided {}: another \
         process goes on with this run; end this one",
        until(.found),
        until(.kept)
    )]
    OlderCheckpoint {
        /// The first hour that it has not decided; `None` where it has decided none.
        found: Option<UtcHour>,
        /// The first hour that the newest one has not decided.
        kept: Option<UtcHour>,
    },
    /// A file has two rows for the same ad set and hours.
    #[error(
        "two rows for {key} in {span}: add them up if they are parts of one figure, or remove one"
    )]
    Duplicate {
        /// Which ad set.
        key: AdSetKey,
        /// Which hours.
        span: HourSpan,
    },
    /// A file has two rows for the same ad set, and none has a date.
    #[error("two undated rows for {key}: add them up if they are parts of one figure")]
    DuplicateTotal {
        /// Which ad set.
        key: AdSetKey,
    },
    /// A sum does not fit into 64 bits.
    #[error("the sum of {field} of {key} does not fit into 64 bits")]
    Overflow {
        /// Of which ad set.
        key: AdSetKey,
        /// Which figure.
        field: &'static str,
    },
    /// A row for no hours.
    #[error("a row of {key} is for {span}, which has no hour")]
    EmptySpan {
        /// Which ad set.
        key: AdSetKey,
        /// Its hours.
        span: HourSpan,
    },
    /// A value that would not read back as it was: a count of 2⁶³ or more, a ratio with more digits
    /// than a float has, a platform whose name is not in lower case or is `account`, a number that
    /// is none.
    #[error("{table}.{column} cannot hold this value so that it reads back the same")]
    Unstorable {
        /// In which table.
        table: &'static str,
        /// In which column.
        column: &'static str,
    },
    /// The order event contradicts itself.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The file is not one of this import's new files, or not one of this store's.
    #[error(
        "file {file} is unknown here: use the id that this store's import gave, once committed"
    )]
    UnknownFile {
        /// Which file.
        file: FileId,
    },
    /// An error came before, so the transaction cannot be committed as a whole.
    #[error(
        "an earlier error spoiled this batch: nothing of it was stored; mend it and start over"
    )]
    Spoiled,
    /// An entry that was to be appended to a ledger does not follow on its log: whoever made it
    /// has another log in mind. Nothing was appended.
    #[error("entry {seq} does not follow on the ledger's log: open the ledger again")]
    LedgerEntry {
        /// The place that it was to have.
        seq: u64,
    },
    /// An event log has no such position: events before its snapshot were dropped, and none may be
    /// left out at its end.
    #[error(
        "position {at} is not in the event log, which reaches from {start} to {end}: open the \
         machine again and go on from its position"
    )]
    EventPosition {
        /// The position.
        at: u64,
        /// Where the log begins, after its snapshot.
        start: u64,
        /// Where it ends.
        end: u64,
    },
    /// An event log has another event in the same place: another process writes to it. Nothing was
    /// written.
    #[error(
        "the event log {log:?} has another event at position {position}: does another process write \
         to it? Give each its own log"
    )]
    EventConflict {
        /// Which log.
        log: String,
        /// At which position.
        position: u64,
    },
    /// A record of a kind that this version of the crate does not know.
    #[error("a record of a kind that this store does not know: update gaelp-store")]
    UnknownRecord,
    /// The system failed to read or write.
    #[error("the disk failed to read or write the database: see the system's log")]
    Io {
        /// What the database engine said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Anything else that the database engine refused.
    #[error("the database engine refused an operation (code {code:?})")]
    Engine {
        /// SQLite's extended result code, where there is one.
        code: Option<i32>,
        /// What it said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "as a message hands its fields over"
)]
fn until(hour: &Option<UtcHour>) -> String {
    hour.map_or_else(|| "nothing".to_owned(), |hour| format!("until {hour}"))
}

/// In what way a database is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file is no database, or pages of it are broken.
    #[error("its pages cannot be read")]
    Pages,
    /// A table, index or trigger of the schema is missing or was changed.
    #[error("{object} is missing or was changed")]
    Schema {
        /// Which.
        object: String,
    },
    /// The integrity check found something.
    #[error("the integrity check failed; first finding: {first}")]
    Integrity {
        /// The first thing it found, in the engine's words.
        first: String,
    },
    /// The spend ledger's log was changed, or is not whole.
    #[error("the ledger of {account:?}: {damage}")]
    Ledger {
        /// Whose ledger.
        account: String,
        /// What was found.
        damage: LedgerDamage,
    },
    /// Events of a log were changed, or are missing.
    #[error("the events of {log:?} from position {position} on were changed or are missing")]
    Events {
        /// Which log.
        log: String,
        /// From which position on.
        position: u64,
    },
    /// The snapshot of an event log is not what was written.
    #[error("the snapshot of the events of {log:?} was changed")]
    Snapshot {
        /// Of which log.
        log: String,
    },
    /// A checkpoint of a run is not what was written.
    #[error("a checkpoint of run {run} was changed")]
    Checkpoint {
        /// Which run.
        run: RunId,
    },
}

impl Damage {
    /// What to do about it.
    const fn remedy(&self) -> &'static str {
        match self {
            Self::Ledger {
                damage: LedgerDamage::Chain(_),
                ..
            }
            | Self::Events { .. }
            | Self::Snapshot { .. } => "restore it from a copy",
            Self::Ledger { .. } => {
                "restore it from a copy, or accept the log as it is once no write that it may \
                 have lost can arrive any more"
            }
            Self::Checkpoint { .. } => "restore it from a copy, or go on from the one before",
            _ => "restore it from a copy, or import into a new file",
        }
    }
}

/// What is wrong with a spend ledger's log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerDamage {
    /// The hash chain is broken.
    #[error(transparent)]
    Chain(ChainError),
    /// The log ends before the last entry that was acknowledged.
    #[error("it ends at entry {last}, but entry {anchored} was acknowledged")]
    Behind {
        /// The last entry that was acknowledged.
        anchored: u64,
        /// The last entry that is there; 0 where there is none.
        last: u64,
    },
    /// Another entry stands in the place of the last one that was acknowledged.
    #[error("entry {seq} is not the one that was acknowledged")]
    Replaced {
        /// Its place.
        seq: u64,
    },
    /// The file beside the database that says how far the log reaches lacks, or does not speak of
    /// this ledger.
    #[error("it has {last} entries, and nothing says how many were acknowledged")]
    Unanchored {
        /// The last entry that is there.
        last: u64,
    },
    /// The file beside the database that says how far the log reaches was changed.
    #[error("the file that says how many entries were acknowledged was changed")]
    Anchor,
}

/// The natural key of a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordKey {
    /// A decision, of an action or an experience.
    #[error("decision {0}")]
    Decision(DecisionId),
    /// A row of metrics.
    #[error("{key} in {span}, revision {}", revision.get())]
    Metric {
        /// Which ad set.
        key: AdSetKey,
        /// Which hours.
        span: HourSpan,
        /// Which revision.
        revision: Revision,
    },
    /// A correction of a reward.
    #[error("correction {number} of touchpoint {touchpoint}")]
    Correction {
        /// Of which touch.
        touchpoint: TouchpointId,
        /// Its number.
        number: u32,
    },
    /// A credit of the shop's orders.
    #[error("{key} in {span}, credited in {at}")]
    Credit {
        /// Which ad set.
        key: AdSetKey,
        /// Which hours.
        span: HourSpan,
        /// When it was credited.
        at: UtcHour,
    },
    /// A day's budget state.
    #[error("{} on {date}", platform.as_ref().map_or("account", Platform::as_str))]
    BudgetState {
        /// The local day.
        date: NaiveDate,
        /// The platform, or `None` for the account.
        platform: Option<Platform>,
    },
    /// The plan of some hours.
    #[error("the plan of {span}")]
    Plan {
        /// Which hours.
        span: HourSpan,
    },
    /// An order or a refund.
    #[error("event {number} of order {order}")]
    Order {
        /// Which order.
        order: OrderId,
        /// Which event of it.
        number: u32,
    },
}

/// What the engine's error means here.
pub(crate) fn engine(error: rusqlite::Error) -> StoreError {
    let Some(inner) = error.sqlite_error() else {
        return StoreError::Engine {
            code: None,
            source: Box::new(error),
        };
    };
    match inner.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(Damage::Pages),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::ReadOnly => StoreError::ReadOnly,
        ErrorCode::SystemIoFailure => StoreError::Io {
            source: Box::new(error),
        },
        _ => StoreError::Engine {
            code: Some(inner.extended_code),
            source: Box::new(error),
        },
    }
}
