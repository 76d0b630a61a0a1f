//! What needs a hand inside: a disk without room, and a panic under the lock.

use gaelp_core::{AdSetKey, HourSpan, Metrics, Platform, UtcHour};
use gaelp_rollout::{Alert, AlertKind, Journal, Record};
use pollster::block_on;

use super::Store;
use crate::{FileStatus, OnDuplicate, RunId, StoreError};

const RUN: RunId = RunId::new([7; 32]);

/// Leaves room for a number of further pages of 4 KiB.
fn leave_room(store: &Store, pages: i64) -> rusqlite::Result<()> {
    let inner = store.lock();
    let used: i64 = inner
        .conn
        .query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let limit = format!("PRAGMA max_page_count = {}", used + pages);
    inner.conn.query_row(&limit, [], |_| Ok(()))
}

fn alerts(from: i32) -> Vec<Record> {
    let alert = |n| Alert {
        at: UtcHour::new(n),
        kind: AlertKind::OrdersFailed,
        subject: "meta".repeat(100),
    };
    (from..from + 200).map(alert).map(Record::Alert).collect()
}

#[test]
fn a_full_disk_spoils_an_import_and_nothing_else() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_in_memory()?;
    leave_room(&store, 10)?;
    let key = AdSetKey::new(Platform::Meta, "a");
    let mut import = store.import()?;
    let FileStatus::New(file) = import.file([1; 32], "big.csv", "test")? else {
        return Err("the file is new".into());
    };
    let mut hours = (0..10_000).map(|n| HourSpan::hour(UtcHour::new(n)));
    let error = hours.find_map(|hour| {
        let taken = import.metric(file, &key, hour, &Metrics::default(), OnDuplicate::Refuse);
        taken.err()
    });
    assert!(matches!(error, Some(StoreError::Full)));
    // Rows that come after must not be stored on their own.
    let hour = HourSpan::hour(UtcHour::new(20_000));
    let after = import.metric(file, &key, hour, &Metrics::default(), OnDuplicate::Refuse);
    assert!(matches!(after, Err(StoreError::Spoiled)));
    assert!(matches!(import.commit(), Err(StoreError::Spoiled)));
    let rows = "SELECT (SELECT count(*) FROM metrics_hourly) + (SELECT count(*) FROM files) \
                + (SELECT count(*) FROM ad_sets)";
    let left: i64 = store.lock().conn.query_row(rows, [], |row| row.get(0))?;
    assert_eq!(left, 0);
    store.import()?.commit()?;
    Ok(())
}

#[test]
fn a_full_disk_can_be_mended_between_commits() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_in_memory()?;
    let mut journal = store.journal(RUN);
    block_on(journal.append(alerts(0)))?;
    block_on(journal.commit())?;
    leave_room(&store, 5)?;
    block_on(journal.append(alerts(1_000)))?;
    assert!(matches!(block_on(journal.commit()), Err(StoreError::Full)));
    assert_eq!(store.counts(RUN)?.alerts, 200);
    leave_room(&store, 1_000)?;
    block_on(journal.commit())?;
    assert_eq!(store.counts(RUN)?.alerts, 400);
    Ok(())
}

#[test]
fn a_panic_under_the_lock_does_not_spread() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_in_memory()?;
    let clone = store.clone();
    let panicked = std::thread::spawn(move || {
        let _held = clone.lock();
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    store.import()?.commit()?;
    Ok(())
}
