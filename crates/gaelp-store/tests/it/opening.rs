//! Whose database it is, and which version it has.

use std::fs;
use std::path::Path;

use gaelp_core::MetricRow;
use gaelp_store::{Damage, FileStatus, SqliteLedger, Store, StoreError};
use rusqlite::Connection;

use crate::support::{ACCOUNT, NOON, dump, key, read_log, spend};

const SCHEMA_1: &str = include_str!("../../src/schema/0001.sql");

fn pragma<T: rusqlite::types::FromSql>(path: &Path, name: &str) -> T {
    let connection = Connection::open(path).expect("opens");
    let value = connection.pragma_query_value(None, name, |row| row.get(0));
    value.expect("a pragma")
}

/// Opening must fail and leave the bytes as they were.
fn refused(path: &Path) -> StoreError {
    let before = fs::read(path).expect("a file");
    let error = Store::open(path).expect_err("to be refused");
    assert_eq!(
        fs::read(path).expect("a file"),
        before,
        "changed on refusal"
    );
    error
}

#[test]
fn a_new_database_is_marked_as_ours() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("new.sqlite");
    drop(Store::open(&path)?);
    assert_eq!(pragma::<i64>(&path, "application_id"), 0x6761_656c);
    assert_eq!(pragma::<i64>(&path, "user_version"), 4);
    assert_eq!(pragma::<String>(&path, "journal_mode"), "wal");
    let before = dump(&path);
    Store::open(&path)?.check_integrity()?;
    assert_eq!(dump(&path), before);
    Ok(())
}

#[test]
fn a_database_of_another_program_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("theirs.sqlite");
    Connection::open(&path)?.execute_batch("CREATE TABLE notes (text TEXT)")?;
    assert!(matches!(
        refused(&path),
        StoreError::NotOurs {
            application_id: 0,
            ..
        }
    ));
    Connection::open(&path)?.pragma_update(None, "application_id", 77)?;
    assert!(matches!(
        refused(&path),
        StoreError::NotOurs {
            application_id: 77,
            ..
        }
    ));
    Ok(())
}

#[test]
fn a_newer_database_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("newer.sqlite");
    drop(Store::open(&path)?);
    Connection::open(&path)?.pragma_update(None, "user_version", 5)?;
    let error = refused(&path);
    assert!(matches!(
        error,
        StoreError::NewerSchema {
            found: 5,
            supported: 4
        }
    ));
    assert_eq!(
        error.to_string(),
        "the database has schema version 5, this program knows versions up to 4: update the \
         program; nothing was changed"
    );
    Ok(())
}

#[test]
fn what_is_no_database_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("export.csv");
    fs::write(
        &path,
        "Day,Amount spent (USD)\n2025-11-24,12.50\n".repeat(100),
    )?;
    assert!(matches!(refused(&path), StoreError::Damaged(Damage::Pages)));
    assert!(matches!(
        Store::open(folder.path().join("missing/new.sqlite")),
        Err(StoreError::Open { .. })
    ));
    Ok(())
}

#[test]
fn a_database_that_lost_a_trigger_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tampered.sqlite");
    drop(Store::open(&path)?);
    Connection::open(&path)?.execute_batch("DROP TRIGGER experiences_no_delete")?;
    let Err(StoreError::Damaged(Damage::Schema { object })) = Store::open(&path) else {
        panic!("it was not refused");
    };
    assert_eq!(object, "trigger experiences_no_delete");
    Ok(())
}

/// Additions of others, such as a view for a report, are no damage.
#[test]
fn a_view_of_the_users_own_is_no_damage() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ours.sqlite");
    drop(Store::open(&path)?);
    Connection::open(&path)?
        .execute_batch("CREATE VIEW days AS SELECT date, actual_spend FROM budget_state")?;
    Store::open(&path)?;
    Ok(())
}

/// A database of version 1, made by its statements and filled by hand, opens with every later
/// version of this crate.
#[test]
fn a_database_of_version_1_opens() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("v1.sqlite");
    let connection = Connection::open(&path)?;
    connection.execute_batch(SCHEMA_1)?;
    connection.execute_batch(
        "INSERT INTO platforms VALUES (1, 'meta');
         INSERT INTO ad_sets VALUES (1, 1, 'a');
         INSERT INTO sources VALUES (1, 'file');
         INSERT INTO files VALUES (1, zeroblob(32), 'old.csv', 'meta', 1);
         INSERT INTO metrics_hourly VALUES
             (1, 1, 1764000000000000, 1, 1764003600000000, 0, 5, 0, 0, 0, 0);
         INSERT INTO recordings VALUES
             (1, 1, 1, 1764000000000000, 1764000000000000, 1764003600000000);
         PRAGMA application_id = 0x6761656c;
         PRAGMA user_version = 1;",
    )?;
    drop(connection);
    let store = Store::open(&path)?;
    let FileStatus::Known(file) = store.import()?.file([0; 32], "old.csv", "meta")? else {
        panic!("the file is not known");
    };
    let rows: Vec<MetricRow> = store.rows(&[file])?.collect::<Result<_, _>>()?;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0].key, rows[0].span.from), (&key("a"), NOON));
    assert_eq!(rows[0].metrics, spend(5));
    drop(store);
    // What came with later versions is there, and it is of the newest version now.
    assert_eq!(pragma::<i64>(&path, "user_version"), 4);
    let mut log = SqliteLedger::open(&path, ACCOUNT)?;
    assert_eq!(read_log(&mut log, 0)?, []);
    Ok(())
}

#[test]
fn several_may_create_it_at_once() -> Result<(), Box<dyn std::error::Error>> {
    for _ in 0..25 {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("new.sqlite");
        std::thread::scope(|scope| {
            let openings: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::open(&path))).collect();
            for opening in openings {
                opening.join().expect("no panic").expect("to open");
            }
        });
        Store::open(&path)?.check_integrity()?;
    }
    Ok(())
}

/// Waiting takes its ten seconds, so the two kinds of waiting are tested side by side.
#[test]
fn one_writer_at_a_time() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("busy.sqlite");
    let store = Store::open(&path)?;
    let other = Connection::open(&path)?;
    other.execute_batch("BEGIN IMMEDIATE")?;
    let memory = Store::open_in_memory()?;
    let open = memory.import()?;
    std::thread::scope(|scope| {
        let by_other = scope.spawn(|| store.import());
        let by_self = scope.spawn(|| memory.import());
        assert!(matches!(by_other.join(), Ok(Err(StoreError::Busy))));
        assert!(matches!(by_self.join(), Ok(Err(StoreError::WriterOpen))));
    });
    // Whoever waits is told when the other is done.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| memory.import().map(drop));
        drop(open);
        assert!(matches!(waiting.join(), Ok(Ok(()))));
    });
    other.execute_batch("ROLLBACK")?;
    store.import()?.commit()?;
    Ok(())
}
