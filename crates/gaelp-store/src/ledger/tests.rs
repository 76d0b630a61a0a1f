//! What needs a hand inside: a disk without room, and an anchor that cannot be written.

use std::fs;
use std::path::Path;

use gaelp_ledger::{LedgerStore, Sealed};
use pollster::block_on;

use super::{LedgerHead, SqliteLedger};
use crate::StoreError;

/// Appends one entry with a payload.
fn append(log: &mut SqliteLedger, payload: &str) -> Result<Vec<Sealed>, StoreError> {
    let mut all = Vec::new();
    let mut decide = |entries: Vec<Sealed>| {
        all = entries;
        let last = all.last();
        let (seq, hash) = last.map_or((0, LedgerHead::START.hash), |last| (last.seq, last.hash));
        let next = Sealed {
            seq: seq + 1,
            payload: payload.to_owned(),
            hash: hash.then(seq + 1, payload),
        };
        all.push(next.clone());
        vec![next]
    };
    block_on(log.transact(0, &mut decide))?;
    Ok(all)
}

fn leave_room(log: &SqliteLedger, pages: i64) -> rusqlite::Result<()> {
    let used: i64 = log
        .conn
        .query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let limit = format!("PRAGMA max_page_count = {}", used + pages);
    log.conn.query_row(&limit, [], |_| Ok(()))
}

fn anchored(path: &Path) -> Result<u64, Box<dyn std::error::Error>> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().nth(1).ok_or("no line")?;
    let line: serde_json::Value = serde_json::from_str(line)?;
    Ok(line["seq"].as_u64().ok_or("no number")?)
}

#[test]
fn a_full_disk_refuses_an_entry_and_nothing_else() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let mut log = SqliteLedger::open(&path, "main")?;
    append(&mut log, "small")?;
    leave_room(&log, 2)?;
    let long = "long".repeat(10_000);
    assert!(matches!(append(&mut log, &long), Err(StoreError::Full)));
    let all = append(&mut log, "small as well")?;
    assert_eq!(all.len(), 2, "nothing of the long one is there");
    leave_room(&log, 1_000)?;
    assert_eq!(append(&mut log, &long)?[..2], all);
    assert_eq!(anchored(&folder.path().join("s.sqlite.head"))?, 3);
    Ok(())
}

/// The entry is in the log, but not acknowledged. The next transaction finds it and anchors it.
#[test]
fn an_anchor_that_cannot_be_written_is_an_error() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let head = folder.path().join("s.sqlite.head");
    let mut log = SqliteLedger::open(&path, "main")?;
    append(&mut log, "first")?;
    let in_the_way = folder.path().join("s.sqlite.head.new");
    fs::create_dir(&in_the_way)?;
    for _ in 0..2 {
        let refused = append(&mut log, "again");
        assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");
    }
    assert_eq!(anchored(&head)?, 1);
    fs::remove_dir(&in_the_way)?;
    let all = append(&mut log, "last")?;
    let payloads: Vec<_> = all.iter().map(|sealed| &*sealed.payload).collect();
    assert_eq!(payloads, ["first", "again", "again", "last"]);
    assert_eq!(anchored(&head)?, 4);
    Ok(())
}
