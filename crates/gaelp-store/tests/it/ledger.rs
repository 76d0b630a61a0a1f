//! The spend ledger's log on SQLite: the contract, several at once, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use gaelp_ledger::{
    ChainError, Hash, Ledger, LedgerError, LedgerStore, MemoryLedger, Reply, Sealed, contract,
};
use gaelp_store::{Accepted, Damage, LedgerDamage, LedgerHead, SqliteLedger, Store, StoreError};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::{ACCOUNT, dump, limits, order, read_log};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn head_of(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".head");
    path.into()
}

/// Writes so many entries more, and gives the whole log.
fn write(path: &Path, account: &str, entries: u32) -> Outcome<Vec<Sealed>> {
    let mut ledger = block_on(Ledger::open(limits(), SqliteLedger::open(path, account)?))?;
    let first = u32::try_from(ledger.book().seq())?;
    for n in first..first + entries {
        assert_eq!(block_on(ledger.execute(order(n)))?, Reply::Ordered);
    }
    Ok(read_log(&mut ledger.into_store(), 0)?)
}

/// Runs a statement as somebody would who wants to get past the triggers.
fn tamper(path: &Path, statement: &str) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    let names = ["ledger_no_update", "ledger_no_delete"];
    let sql = "SELECT sql FROM sqlite_schema WHERE name = ?1";
    let triggers: Vec<String> = names
        .iter()
        .map(|name| connection.query_row(sql, [name], |row| row.get(0)))
        .collect::<Result<_, _>>()?;
    for name in names {
        connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    connection.execute_batch(statement)?;
    triggers
        .iter()
        .try_for_each(|sql| connection.execute_batch(sql))
}

/// What is wrong with a log, and with it when a transaction of a connection that was open before
/// finds it out: the same.
fn damage_of(path: &Path) -> LedgerDamage {
    match SqliteLedger::open(path, ACCOUNT) {
        Err(StoreError::Damaged(Damage::Ledger { account, damage })) => {
            assert_eq!(account, ACCOUNT);
            damage
        }
        other => panic!("not refused as damaged: {other:?}"),
    }
}

#[test]
fn it_keeps_the_contract() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    // Every opening is a connection of its own.
    block_on(contract::keeps(|| {
        SqliteLedger::open(&path, ACCOUNT).expect("opens")
    }))?;
    // Another account's log in the same database is empty.
    block_on(contract::keeps(|| {
        SqliteLedger::open(&path, "other").expect("opens")
    }))?;
    Ok(())
}

/// The same requests lead to the same entries, hash by hash, as in memory.
#[test]
fn its_log_is_that_of_memory() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let memory = MemoryLedger::new();
    let mut reference = block_on(Ledger::open(limits(), memory.clone()))?;
    for n in 0..40 {
        block_on(reference.execute(order(n)))?;
    }
    assert_eq!(write(&path, ACCOUNT, 15)?, memory.log()[..15]);
    assert_eq!(write(&path, ACCOUNT, 25)?, memory.log());
    Ok(())
}

/// Threads with connections of their own append at once: no entry is lost, none comes between what
/// another read and what it appended, and every anchor on the way was good.
#[test]
fn several_append_at_once() -> Outcome {
    const THREADS: usize = 4;
    const EACH: usize = 40;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let append = |thread: usize| -> Result<(), StoreError> {
        let mut log = SqliteLedger::open(&path, ACCOUNT)?;
        let mut known: Vec<Sealed> = Vec::new();
        for n in 0..EACH {
            let after = known.len() as u64;
            let mut decide = |new: Vec<Sealed>| {
                known.extend(new);
                let last = known.last();
                let (seq, hash) = last.map_or((0, gaelp_ledger::GENESIS), |l| (l.seq, l.hash));
                let payload = format!("{thread}.{n}");
                let hash = hash.then(seq + 1, &payload);
                let seq = seq + 1;
                vec![Sealed { seq, payload, hash }]
            };
            block_on(log.transact(after, &mut decide))?;
            // Its own entry is handed back with the next transaction: it read all before it.
        }
        Ok(())
    };
    thread::scope(|scope| -> Outcome {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| scope.spawn(move || append(n)))
            .collect();
        for thread in threads {
            thread.join().expect("no panic")?;
        }
        Ok(())
    })?;
    let log = read_log(&mut SqliteLedger::open(&path, ACCOUNT)?, 0)?;
    let mut payloads: Vec<_> = log.iter().map(|sealed| sealed.payload.clone()).collect();
    for thread in 0..THREADS {
        let own = |payload: &&String| payload.starts_with(&format!("{thread}."));
        let own: Vec<_> = payloads.iter().filter(own).cloned().collect();
        let expected: Vec<_> = (0..EACH).map(|n| format!("{thread}.{n}")).collect();
        assert_eq!(own, expected);
    }
    payloads.sort();
    payloads.dedup();
    assert_eq!(payloads.len(), THREADS * EACH);
    Ok(())
}

/// What does not follow on the log is not appended, whoever asks.
#[test]
fn an_entry_that_does_not_follow_is_refused() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let log = write(&path, ACCOUNT, 3)?;
    let before = dump(&path);
    let mut store = SqliteLedger::open(&path, ACCOUNT)?;
    let good = |seq: u64| Sealed {
        seq,
        payload: "{}".to_owned(),
        hash: log[2].hash.then(seq, "{}"),
    };
    let mut other_hash = good(4);
    other_hash.hash = Hash([0; 32]);
    let mut other_payload = good(4);
    other_payload.payload.push(' ');
    for (wrong, seq) in [
        (vec![good(3)], 3),
        (vec![good(5)], 5),
        (vec![good(0)], 0),
        (vec![good(u64::MAX)], u64::MAX),
        (vec![other_hash], 4),
        (vec![other_payload], 4),
        (vec![good(4), good(4)], 4),
        (vec![good(4), good(5)], 5),
    ] {
        let refused = block_on(store.transact(3, &mut |_| wrong.clone()));
        let refused = refused.expect_err("it does not follow");
        assert!(
            matches!(refused, StoreError::LedgerEntry { seq: at } if at == seq),
            "{refused:?}"
        );
    }
    assert_eq!(dump(&path), before);
    block_on(store.transact(3, &mut |_| vec![good(4)]))?;
    assert_eq!(read_log(&mut store, 3)?, [good(4)]);
    Ok(())
}

/// A refused transaction, or one that panics within `decide`, leaves no lock behind.
#[test]
fn a_panic_in_the_midst_changes_nothing() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let log = write(&path, ACCOUNT, 2)?;
    let mut store = SqliteLedger::open(&path, ACCOUNT)?;
    let panics = std::panic::AssertUnwindSafe(|| {
        block_on(store.transact(0, &mut |_| panic!("a bug of the caller")))
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(read_log(&mut store, 0)?, log);
    assert_eq!(write(&path, ACCOUNT, 1)?.len(), 3);
    Ok(())
}

/// An older copy of the database under a newer anchor, and no database at all under one.
#[test]
fn a_log_behind_its_anchor_is_refused_until_it_is_accepted() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let old = write(&path, ACCOUNT, 4)?;
    let copy = fs::read(&path)?;
    let new = write(&path, ACCOUNT, 3)?;
    fs::write(&path, &copy)?;
    let behind = LedgerDamage::Behind {
        anchored: 7,
        last: 4,
    };
    assert_eq!(damage_of(&path), behind);
    let error = SqliteLedger::open(&path, ACCOUNT).expect_err("it is behind");
    assert_eq!(
        error.to_string(),
        "the database is damaged (the ledger of \"main\": it ends at entry 4, but entry 7 was \
         acknowledged): restore it from a copy, or accept the log as it is once no write that it \
         may have lost can arrive any more"
    );
    let (mut store, accepted) = SqliteLedger::accept(&path, ACCOUNT)?;
    let head = LedgerHead {
        seq: 4,
        hash: old[3].hash,
    };
    let found = Some(behind);
    assert_eq!(accepted, Accepted { found, head });
    assert_eq!(read_log(&mut store, 0)?, new[..4]);
    // Whoever was connected before sees that its own view is another.
    assert_eq!(write(&path, ACCOUNT, 1)?.len(), 5);

    drop(store);
    fs::remove_file(&path)?;
    let behind = LedgerDamage::Behind {
        anchored: 5,
        last: 0,
    };
    assert_eq!(damage_of(&path), behind);
    Ok(())
}

/// The same place with another history: two copies of a database that went separate ways.
#[test]
fn another_history_than_the_anchored_one_is_refused() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    write(&path, ACCOUNT, 2)?;
    let (copy, head) = (fs::read(&path)?, fs::read(head_of(&path))?);
    let one = write(&path, ACCOUNT, 2)?;
    let (whole, anchor) = (fs::read(&path)?, fs::read(head_of(&path))?);

    fs::write(&path, copy)?;
    fs::write(head_of(&path), head)?;
    let mut other = SqliteLedger::open(&path, ACCOUNT)?;
    let mut at = one[1].clone();
    for payload in ["another", "history", "goes on"] {
        let seq = at.seq + 1;
        let hash = at.hash.then(seq, payload);
        let payload = payload.to_owned();
        at = Sealed { seq, payload, hash };
        block_on(other.transact(at.seq - 1, &mut |_| vec![at.clone()]))?;
    }
    // A transaction of an open connection notices as well as an opening.
    fs::write(head_of(&path), &anchor)?;
    let replaced = LedgerDamage::Replaced { seq: 4 };
    for after in [0, 3, 4, 5, 9] {
        let refused = read_log(&mut other, after).expect_err("another history");
        assert!(
            matches!(&refused, StoreError::Damaged(Damage::Ledger { damage, .. }) if *damage == replaced),
            "{after}: {refused:?}"
        );
    }
    drop(other);
    assert_eq!(damage_of(&path), replaced);
    let (_, accepted) = SqliteLedger::accept(&path, ACCOUNT)?;
    assert_eq!((accepted.found, accepted.head.seq), (Some(replaced), 5));
    fs::write(&path, whole)?;
    fs::write(head_of(&path), &anchor)?;
    assert_eq!(read_log(&mut SqliteLedger::open(&path, ACCOUNT)?, 0)?, one);
    Ok(())
}

#[test]
fn a_log_without_its_anchor_is_refused_until_it_is_accepted() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let log = write(&path, ACCOUNT, 3)?;
    let mut open = SqliteLedger::open(&path, ACCOUNT)?;
    SqliteLedger::open(&path, "empty")?;
    let anchors = fs::read(head_of(&path))?;

    fs::remove_file(head_of(&path))?;
    let unanchored = LedgerDamage::Unanchored { last: 3 };
    assert_eq!(damage_of(&path), unanchored);
    assert!(read_log(&mut open, 3).is_err(), "an open one notices too");
    let (_, accepted) = SqliteLedger::accept(&path, ACCOUNT)?;
    assert_eq!((accepted.found, accepted.head.seq), (Some(unanchored), 3));
    assert_eq!(read_log(&mut open, 0)?, log);

    // One that cannot be read says nothing about any account.
    let mut flipped = anchors.clone();
    flipped[30] ^= 1;
    fs::write(head_of(&path), &flipped)?;
    assert_eq!(damage_of(&path), LedgerDamage::Anchor);
    assert!(read_log(&mut open, 3).is_err(), "an open one notices too");
    assert!(SqliteLedger::open(&path, "empty").is_err());
    let (_, accepted) = SqliteLedger::accept(&path, ACCOUNT)?;
    assert_eq!(accepted.found, Some(LedgerDamage::Anchor));
    // Accepting a whole log finds nothing, and an empty one needs no acceptance.
    let (_, accepted) = SqliteLedger::accept(&path, ACCOUNT)?;
    assert_eq!((accepted.found, accepted.head.seq), (None, 3));
    SqliteLedger::open(&path, "empty")?;
    assert_eq!(fs::read(head_of(&path))?, anchors);
    Ok(())
}

/// A process that ended between its commit and its anchor leaves a log that is ahead. That is no
/// damage: the anchor follows.
#[test]
fn a_log_ahead_of_its_anchor_is_whole() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    write(&path, ACCOUNT, 2)?;
    let old = fs::read(head_of(&path))?;
    let log = write(&path, ACCOUNT, 2)?;
    let new = fs::read(head_of(&path))?;
    fs::write(head_of(&path), &old)?;
    let mut store = SqliteLedger::open(&path, ACCOUNT)?;
    assert_eq!(fs::read(head_of(&path))?, new, "opening moves it");
    for after in [0, 2, 3, 4] {
        fs::write(head_of(&path), &old)?;
        assert_eq!(read_log(&mut store, after)?, log[usize::try_from(after)?..]);
        assert_eq!(fs::read(head_of(&path))?, new, "reading moves it");
    }
    Ok(())
}

/// Every kind of change to the table is found by opening.
#[test]
fn a_changed_log_is_refused_and_cannot_be_accepted() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    write(&path, ACCOUNT, 5)?;
    let (whole, head) = (fs::read(&path)?, fs::read(head_of(&path))?);
    let gap = |expected, found| ChainError::Gap { expected, found };
    for (statement, error) in [
        (
            "UPDATE ledger SET payload = payload || ' ' WHERE seq = 2",
            ChainError::Hash { seq: 2 },
        ),
        (
            "UPDATE ledger SET hash = zeroblob(32) WHERE seq = 5",
            ChainError::Hash { seq: 5 },
        ),
        ("DELETE FROM ledger WHERE seq = 3", gap(3, 4)),
        ("DELETE FROM ledger WHERE seq = 1", gap(1, 2)),
        ("UPDATE ledger SET seq = 9 WHERE seq = 5", gap(5, 9)),
        (
            "UPDATE ledger SET seq = 99 WHERE seq = 1; UPDATE ledger SET seq = 1 WHERE seq = 2; \
             UPDATE ledger SET seq = 2 WHERE seq = 99",
            ChainError::Hash { seq: 1 },
        ),
    ] {
        fs::write(&path, &whole)?;
        fs::write(head_of(&path), &head)?;
        tamper(&path, statement)?;
        assert_eq!(
            damage_of(&path),
            LedgerDamage::Chain(error.clone()),
            "{statement}"
        );
        let accepted = SqliteLedger::accept(&path, ACCOUNT).map(drop);
        let accepted = accepted.expect_err("a broken chain");
        assert!(
            matches!(&accepted, StoreError::Damaged(Damage::Ledger { damage, .. })
                if *damage == LedgerDamage::Chain(error)),
            "{statement}: {accepted:?}"
        );
        assert_eq!(
            fs::read(head_of(&path))?,
            head,
            "{statement}: the anchor moved"
        );
    }
    for (statement, column) in [
        (
            "UPDATE ledger SET payload = CAST(x'ff' AS TEXT) WHERE seq = 2",
            "payload",
        ),
        (
            "PRAGMA ignore_check_constraints = 1; UPDATE ledger SET hash = x'00' WHERE seq = 2",
            "hash",
        ),
        (
            "PRAGMA ignore_check_constraints = 1; UPDATE ledger SET seq = -1 WHERE seq = 2",
            "",
        ),
    ] {
        fs::write(&path, &whole)?;
        tamper(&path, statement)?;
        let error = SqliteLedger::open(&path, ACCOUNT).expect_err(statement);
        match error {
            StoreError::Invalid { table, column: at } => {
                assert_eq!((table, at), ("ledger", column));
            }
            StoreError::Damaged(Damage::Ledger { .. }) => assert_eq!(column, ""),
            other => panic!("{statement}: {other:?}"),
        }
    }
    Ok(())
}

/// A good chain over something that is no entry: the store keeps it, and the ledger refuses it.
#[test]
fn an_unreadable_payload_is_refused_by_the_ledger() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let log = write(&path, ACCOUNT, 1)?;
    let mut store = SqliteLedger::open(&path, ACCOUNT)?;
    let payload = "{\"entry\":\"bribed\"}".to_owned();
    let hash = log[0].hash.then(2, &payload);
    let odd = Sealed {
        seq: 2,
        payload,
        hash,
    };
    block_on(store.transact(1, &mut |_| vec![odd.clone()]))?;
    let refused = block_on(Ledger::open(limits(), store)).map(drop);
    assert!(matches!(
        refused,
        Err(LedgerError::Chain(ChainError::Payload { seq: 2, .. }))
    ));
    Ok(())
}

#[test]
fn the_log_cannot_be_rewritten() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    write(&path, ACCOUNT, 2)?;
    let before = dump(&path);
    let connection = Connection::open(&path)?;
    connection.pragma_update(None, "recursive_triggers", true)?;
    for statement in [
        "UPDATE ledger SET payload = '{}'",
        "UPDATE ledger SET account = 'nobody'",
        "DELETE FROM ledger WHERE seq = 2",
        "INSERT OR REPLACE INTO ledger (account, seq, payload, hash) \
         VALUES ('main', 2, '{}', zeroblob(32))",
    ] {
        let refused = connection.execute_batch(statement).expect_err(statement);
        assert!(
            refused.to_string().contains("append-only"),
            "{statement}: {refused}"
        );
    }
    assert_eq!(dump(&path), before);
    Ok(())
}

/// Waiting for another writer ends, and leaves a ledger that works.
#[test]
fn a_busy_database_is_waited_for() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let log = write(&path, ACCOUNT, 2)?;
    let mut ledger = SqliteLedger::open(&path, ACCOUNT)?;
    let import = Store::open(&path)?.import()?;
    assert!(matches!(read_log(&mut ledger, 0), Err(StoreError::Busy)));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| read_log(&mut ledger, 0));
        thread::sleep(std::time::Duration::from_millis(50));
        drop(import);
        assert_eq!(waiting.join().expect("no panic").expect("a log"), log);
    });
    Ok(())
}
