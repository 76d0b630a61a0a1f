//! Opening a database: whose it is, which version it has, and bringing it up to date.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;
use crate::error::{Damage, engine};

/// `gael` in ASCII: marks the file as ours, also for `file(1)`.
pub(crate) const APPLICATION_ID: i32 = 0x6761_656c;

/// Each brings a database from the version of its place to the next.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
];

/// How long to wait for another writer before giving up: far longer than any commit takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait between two attempts to open a database that others are just creating.
const PAUSE: Duration = Duration::from_millis(5);

/// The page cache in KiB. It holds the hot ends of the indices of some millions of rows, and
/// bounds what a store takes from memory.
const CACHE_KIB: i64 = 64 * 1024;

/// How many pages of 4 KiB the write-ahead log takes before they are moved into the database: the
/// more, the more often a page that changes again and again is moved only once.
const LOG_PAGES: i64 = 4_000;

/// After a large import the write-ahead log is cut back to this many bytes.
const LOG_LIMIT: i64 = 64 * 1024 * 1024;

/// Statements kept prepared; there are about fifty different ones.
const STATEMENTS: usize = 64;

/// The version that this crate writes.
pub(crate) fn supported() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Opens a database file, creates it where there is none, and brings it up to date.
///
/// The engine's own waiting is not enough: where two connections turn a new file's journal into
/// a write-ahead log, it tells one of them at once that the other is busy, because both waiting
/// could be a deadlock. The whole attempt is therefore made again.
pub(crate) fn open_file(path: &Path) -> Result<Connection, StoreError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "it limits how long to wait for others, and decides nothing"
    )]
    let begun = Instant::now();
    loop {
        match try_open_file(path) {
            Err(StoreError::Busy) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
}

fn try_open_file(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path).map_err(|source| StoreError::Open {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    connection.busy_timeout(PATIENCE).map_err(engine)?;
    // Before anything is written: is it ours?
    is_ours(&connection, path)?;
    prepare(connection)
}

/// Opens a database that lives in memory.
pub(crate) fn open_memory() -> Result<Connection, StoreError> {
    prepare(Connection::open_in_memory().map_err(engine)?)
}

fn prepare(mut connection: Connection) -> Result<Connection, StoreError> {
    let found = version(&connection)?;
    if found > supported() || found < 0 {
        return Err(StoreError::NewerSchema {
            found,
            supported: supported(),
        });
    }
    set_up(&connection).map_err(engine)?;
    migrate(&mut connection)?;
    check(&connection)?;
    Ok(connection)
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    // Readers do not wait for the writer, and a commit is one write to the log.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // A commit is on the disk when it returns, also across a loss of power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Without it, INSERT OR REPLACE would slip past the append-only triggers.
    connection.pragma_update(None, "recursive_triggers", true)?;
    // A database from elsewhere must not run functions from its schema.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.query_row(
        &format!("PRAGMA journal_size_limit = {LOG_LIMIT}"),
        [],
        |_| Ok(()),
    )?;
    connection.query_row(
        &format!("PRAGMA wal_autocheckpoint = {LOG_PAGES}"),
        [],
        |_| Ok(()),
    )?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    let read = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    read.map_err(engine)
}

fn is_ours(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    // One view for all three: another process may be making a new file ours just now.
    let view = connection.unchecked_transaction().map_err(engine)?;
    let application_id: i32 = view
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(engine)?;
    let objects: i64 = view
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(engine)?;
    // A new file has neither.
    let new = application_id == 0 && objects == 0 && version(&view)? == 0;
    if new || application_id == APPLICATION_ID {
        return Ok(());
    }
    Err(StoreError::NotOurs {
        path: path.to_owned(),
        application_id,
    })
}

/// One transaction for all steps, so that a crash leaves the old version or the new one. The
/// version is read inside it, because another process may be doing the same.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    if version(connection)? == supported() {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(engine)?;
    let from = usize::try_from(version(&transaction)?).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step).map_err(engine)?;
    }
    let mark = |name, value: i64| transaction.pragma_update(None, name, value);
    mark("application_id", i64::from(APPLICATION_ID)).map_err(engine)?;
    mark("user_version", supported()).map_err(engine)?;
    transaction.commit().map_err(engine)
}

/// Refuses a database whose tables, indices or triggers are not what the migrations make: a
/// missing trigger would be a history that can be rewritten unseen.
fn check(connection: &Connection) -> Result<(), StoreError> {
    let found = objects(connection)?;
    for (object, sql) in reference()? {
        if found.get(object) != Some(sql) {
            let object = object.clone();
            return Err(StoreError::Damaged(Damage::Schema { object }));
        }
    }
    Ok(())
}

/// What the migrations make: always the same, so made once.
fn reference() -> Result<&'static Objects, StoreError> {
    static REFERENCE: OnceLock<Objects> = OnceLock::new();
    if let Some(reference) = REFERENCE.get() {
        return Ok(reference);
    }
    let connection = Connection::open_in_memory().map_err(engine)?;
    for step in MIGRATIONS {
        connection.execute_batch(step).map_err(engine)?;
    }
    let made = objects(&connection)?;
    Ok(REFERENCE.get_or_init(|| made))
}

/// The schema's objects by kind and name, with the statement that made each.
type Objects = BTreeMap<String, Option<String>>;

fn objects(connection: &Connection) -> Result<Objects, StoreError> {
    let mut statement = connection
        .prepare("SELECT type || ' ' || name, sql FROM sqlite_schema")
        .map_err(engine)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.map_err(engine)?
        .collect::<Result<_, _>>()
        .map_err(engine)
}
