//! The event log of delayed rewards: what its trait asks, what is refused, and what is noticed.

use std::path::Path;

use gaelp_attribution::delayed::{
    Arrival, Durable, EventLog, Limits, RecoverError, WriteBehind, conformance,
};
use gaelp_attribution::{Event, Merge, Model, RulesConfig, Span, Timestamp, UserId};
use gaelp_store::{Damage, SqliteEventLog, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const NAME: &str = "users";

/// Distinct events.
fn arrivals(numbers: std::ops::Range<u64>) -> Vec<Arrival> {
    let arrival = |n: u64| {
        let at = Timestamp::from_micros(n.cast_signed());
        let merge = Merge {
            from: UserId::new(n),
            into: UserId::new(n + 1),
        };
        Arrival::new(at, Event::Merge(merge))
    };
    numbers.map(arrival).collect()
}

fn sql(path: &Path, statement: &str) -> Outcome {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "DROP TRIGGER event_blocks_no_update; DROP TRIGGER event_blocks_no_early_delete;",
    )?;
    connection.execute_batch(statement)?;
    let schema = include_str!("../../src/schema/0003.sql");
    let triggers = schema.find("CREATE TRIGGER").ok_or("no triggers")?;
    Ok(connection.execute_batch(&schema[triggers..])?)
}

#[test]
fn it_conforms_in_a_file_and_in_memory() -> Outcome {
    let folder = TempDir::new()?;
    let mut made = 0;
    let make = || {
        made += 1;
        let path = folder.path().join("events.sqlite");
        SqliteEventLog::open(path, &format!("log {made}")).expect("opens")
    };
    // All logs lie in one file; each is opened again by another connection.
    let reopen = |log: SqliteEventLog| {
        let name = log.name().to_owned();
        drop(log);
        SqliteEventLog::open(folder.path().join("events.sqlite"), &name).expect("opens")
    };
    conformance::event_log(make, reopen)?;
    let make = || SqliteEventLog::open_in_memory().expect("memory is left");
    conformance::event_log(make, |log| log)?;
    Store::open(folder.path().join("events.sqlite"))?.check_integrity()?;
    Ok(())
}

#[test]
fn logs_of_one_file_do_not_meet() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("events.sqlite");
    let (mut one, mut two) = (
        SqliteEventLog::open(&path, "0 of 2")?,
        SqliteEventLog::open(&path, "1 of 2")?,
    );
    one.append(0, &arrivals(0..3_000))?;
    two.append(0, &arrivals(5_000..5_002))?;
    one.save(2_500, b"one")?;
    assert_eq!((one.end()?, two.end()?), (3_000, 2));
    assert_eq!(two.read(0, 9)?, arrivals(5_000..5_002));
    assert_eq!((two.latest()?, two.name()), (None, "1 of 2"));
    assert_eq!(one.latest()?, Some((2_500, b"one".to_vec())));
    // The snapshot lies within a block, which stays as long as it is needed.
    assert_eq!(one.read(2_500, 4)?, arrivals(2_500..2_504));
    let blocks: i64 = Connection::open(&path)?.query_row(
        "SELECT count(*) FROM event_blocks WHERE first < 2048",
        [],
        |row| row.get(0),
    )?;
    assert_eq!(blocks, 1, "the log of two events");
    Ok(())
}

#[test]
fn reading_begins_and_ends_anywhere() -> Outcome {
    let mut log = SqliteEventLog::open_in_memory()?;
    let all = arrivals(0..2_600);
    // Blocks of 1, 5, 1,024, 1,024, 545 and 1 event.
    log.append(0, &all[..1])?;
    log.append(1, &all[1..6])?;
    log.append(6, &all[6..2_599])?;
    log.append(2_599, &all[2_599..])?;
    for from in [
        0, 1, 3, 5, 6, 1_029, 1_030, 1_031, 2_053, 2_054, 2_598, 2_599, 2_600, 9_999,
    ] {
        for most in [0, 1, 2, 6, 1_024, 1_025, 9_999] {
            let start = from.min(all.len());
            let end = (start + most).min(all.len());
            assert_eq!(
                log.read(from as u64, most)?,
                all[start..end],
                "{from} {most}"
            );
        }
    }
    Ok(())
}

#[test]
fn positions_that_the_log_does_not_have_are_refused() -> Outcome {
    let mut log = SqliteEventLog::open_in_memory()?;
    log.append(0, &arrivals(0..2_048))?;
    log.save(2_000, b"state")?;
    let refused = |found: Result<(), StoreError>, place| {
        let Err(StoreError::EventPosition { at, start, end }) = found else {
            panic!("{found:?}");
        };
        assert_eq!((at, start, end), (place, 2_000, 2_048));
    };
    refused(log.append(2_049, &arrivals(0..1)), 2_049);
    refused(log.append(2_049, &[]), 2_049);
    refused(log.save(2_049, b""), 2_049);
    // A snapshot from before the one that is kept: the events between them have gone.
    refused(log.save(1_999, b""), 1_999);
    refused(log.read(7, 5).map(drop), 7);
    assert_eq!(log.latest()?, Some((2_000, b"state".to_vec())));
    let error = log.append(u64::MAX, &[]).expect_err("far away");
    assert_eq!(
        error.to_string(),
        "position 18446744073709551615 is not in the event log, which reaches from 2000 to 2048: \
         open the machine again and go on from its position"
    );
    Ok(())
}

/// Two processes that write to one log: the second is refused before it acknowledges anything.
#[test]
fn another_event_in_the_same_place_is_a_conflict() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("events.sqlite");
    let mut one = SqliteEventLog::open(&path, NAME)?;
    let mut two = SqliteEventLog::open(&path, NAME)?;
    one.append(0, &arrivals(0..1_500))?;
    let mut other = arrivals(0..1_600);
    other[1_400..].copy_from_slice(&arrivals(9_000..9_200));
    let error = two.append(0, &other).expect_err("a conflict");
    let StoreError::EventConflict { log, position } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((log.as_str(), *position), (NAME, 1_400));
    assert_eq!(two.end()?, 1_500);
    // What a snapshot has swallowed cannot be compared any more, the rest is.
    one.save(1_450, b"state")?;
    two.append(0, &arrivals(0..1_501))?;
    assert!(matches!(
        two.append(0, &other),
        Err(StoreError::EventConflict {
            position: 1_450,
            ..
        })
    ));
    assert_eq!(one.read(1_450, 99)?, arrivals(1_450..1_501));
    Ok(())
}

#[test]
fn what_was_changed_is_noticed() -> Outcome {
    let cases = [
        (
            "UPDATE event_blocks SET body = CAST(body || x'00' AS BLOB) WHERE first = 1024",
            Some(1_024),
        ),
        (
            "UPDATE event_blocks SET first = 1025 WHERE first = 1024",
            Some(1_024),
        ),
        (
            "UPDATE event_blocks SET count = 1023 WHERE first = 1024",
            Some(1_024),
        ),
        (
            "UPDATE event_blocks SET encoding = 2 WHERE first = 1024",
            Some(1_024),
        ),
        ("DELETE FROM event_blocks WHERE first = 1024", Some(1_024)),
        ("DELETE FROM event_blocks WHERE first = 0", Some(0)),
        (
            "UPDATE event_blocks SET body = (SELECT body FROM event_blocks WHERE first = 0)
             WHERE first = 1024",
            Some(1_024),
        ),
        (
            "UPDATE event_snapshots SET body = zeroblob(length(body))",
            None,
        ),
        ("DELETE FROM event_snapshots WHERE part = 1", None),
        ("UPDATE event_logs SET snapshot_at = 1", None),
        ("UPDATE event_snapshots SET part = 7 WHERE part = 0", None),
    ];
    for (statement, position) in cases {
        let folder = TempDir::new()?;
        let path = folder.path().join("events.sqlite");
        let mut log = SqliteEventLog::open(&path, NAME)?;
        log.append(0, &arrivals(0..3_000))?;
        let snapshot: Vec<u8> = (0..=u8::MAX).cycle().take((1 << 20) + 5).collect();
        log.save(0, &snapshot)?;
        drop(log);
        sql(&path, statement)?;
        let log = SqliteEventLog::open(&path, NAME)?;
        let found = log.latest().map(drop).and(log.read(0, 9_999).map(drop));
        let Err(StoreError::Damaged(damage)) = found else {
            panic!("{statement}: {found:?}");
        };
        let log = NAME.to_owned();
        let expected = match position {
            Some(position) => Damage::Events { log, position },
            None => Damage::Snapshot { log },
        };
        // A block that was moved is damaged where it stands.
        let moved = Damage::Events {
            log: NAME.to_owned(),
            position: 1_025,
        };
        assert!(
            damage == expected || damage == moved,
            "{statement}: {damage}"
        );
    }
    // Events of one log are not taken for those of another.
    let folder = TempDir::new()?;
    let path = folder.path().join("events.sqlite");
    SqliteEventLog::open(&path, "others")?.append(0, &arrivals(0..3))?;
    sql(&path, "UPDATE event_logs SET name = 'users'")?;
    let found = SqliteEventLog::open(&path, NAME)?.read(0, 9);
    let Err(StoreError::Damaged(damage)) = found else {
        panic!("{found:?}");
    };
    let (log, position) = (NAME.to_owned(), 0);
    assert_eq!(damage, Damage::Events { log, position });
    Ok(())
}

#[test]
fn history_is_not_rewritten() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("events.sqlite");
    let mut log = SqliteEventLog::open(&path, NAME)?;
    log.append(0, &arrivals(0..3_000))?;
    log.save(1_024, b"state")?;
    let shell = Connection::open(&path)?;
    for statement in [
        "UPDATE event_blocks SET body = x'00'",
        "DELETE FROM event_blocks WHERE first = 1024",
    ] {
        assert!(shell.execute_batch(statement).is_err(), "{statement}");
    }
    assert_eq!(log.read(1_024, 9_999)?, arrivals(1_024..3_000));
    Ok(())
}

/// A snapshot of another number of models is not taken for one of these.
#[test]
fn a_machine_that_does_not_fit_its_log_is_refused() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("events.sqlite");
    let rules = RulesConfig::default().validate()?;
    let open = |models: Vec<Model>, effects: &mut Vec<_>| {
        let log = SqliteEventLog::open(&path, NAME).expect("opens");
        Durable::open(log, rules.clone(), models, Limits::default(), effects)
    };
    let mut effects = Vec::new();
    let mut durable = open(vec![Model::Linear], &mut effects)?;
    durable.offer(Arrival::new(Timestamp::MIN, Event::Advance(Timestamp::MIN)));
    durable.commit(&mut effects)?;
    durable.checkpoint()?;
    drop(durable);
    let error = open(vec![Model::Linear, Model::Last], &mut effects).expect_err("two models");
    assert!(matches!(error, RecoverError::Snapshot(_)), "{error}");
    assert_eq!(error.to_string(), "snapshot: 1 models, expected 2");
    // The end of the log has gone: it is what its source must send again.
    drop(open(vec![Model::Linear], &mut effects)?);
    sql(
        &path,
        "UPDATE event_logs SET snapshot_at = NULL, snapshot_size = NULL, snapshot_digest = NULL;
                DELETE FROM event_blocks",
    )?;
    assert_eq!(open(vec![Model::Linear], &mut effects)?.position(), 0);
    Ok(())
}

/// No more waits than the settings say, and what waits is not in the log.
#[test]
fn what_a_crash_may_lose_is_bounded() -> Outcome {
    let folder = TempDir::new()?;
    let path = folder.path().join("events.sqlite");
    let behind = WriteBehind {
        events: 10,
        within: Span::seconds(60),
    };
    let rules = RulesConfig::default().validate()?;
    let mut effects = Vec::new();
    let log = SqliteEventLog::open(&path, NAME)?;
    let mut durable = Durable::open(
        log,
        rules,
        vec![Model::Linear],
        Limits::default(),
        &mut effects,
    )?;
    let reader = SqliteEventLog::open(&path, NAME)?;
    let advance = |second: i64| {
        let at = Timestamp::from_micros(second * 1_000_000);
        Arrival::new(at, Event::Advance(at))
    };
    for n in 0..1_000_u64 {
        let taken = durable.take(advance(n.cast_signed() / 100), &behind, &mut effects)?;
        assert_eq!(taken, (n % 10 == 9).then_some(n + 1));
        assert_eq!(reader.end()? + durable.waiting() as u64, n + 1);
        assert!(durable.waiting() < 10);
    }
    // Slow ones wait for a minute at most.
    for (second, written) in [
        (1_000, false),
        (1_059, false),
        (1_060, true),
        (1_061, false),
    ] {
        let taken = durable.take(advance(second), &behind, &mut effects)?;
        assert_eq!(taken.is_some(), written, "{second}");
    }
    assert_eq!((durable.waiting(), durable.position()), (1, 1_003));
    assert_eq!(durable.machine().watermark(), advance(1_060).received);
    let each = WriteBehind {
        events: 0,
        ..behind
    };
    assert_eq!(
        durable.take(advance(2_000), &each, &mut effects)?,
        Some(1_005)
    );
    Ok(())
}
