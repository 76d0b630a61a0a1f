//! Checkpoints: the last two of a run, in one transaction with what they know of, and never
//! silently another than was written.

use std::collections::BTreeMap;
use std::path::Path;

use gaelp_core::{
    AccountZone, AdSetKey, Currency, HourSpan, MetricRow, Metrics, Micros, Platform, Revision,
    UtcHour,
};
use gaelp_platform::{Capabilities, InMemoryPlatform};
use gaelp_rollout::{Checkpoint, MemoryJournal, Outside, Record, Rollout, RolloutConfig, drive};
use gaelp_store::{Damage, RunId, Store, StoreError};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::{NOON, action, alert, commit, dump};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const RUN: RunId = RunId::new([7; 32]);
const OTHER: RunId = RunId::new([8; 32]);

/// The checkpoints of a real rollout over so many hours in shadow mode, after each hour.
fn checkpoints(hours: i32) -> Outcome<Vec<Checkpoint>> {
    let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
    let platform = InMemoryPlatform::new(meta.clone(), NOON.plus(hours + 1));
    let row = |hour: i32| MetricRow {
        key: AdSetKey::new(Platform::Meta, format!("ad set {}", hour % 3)),
        span: HourSpan::hour(NOON.plus(hour / 3)),
        revision: Revision::default(),
        metrics: Metrics {
            spend: Micros::new(600_001 + i64::from(hour)),
            impressions: 1_000,
            clicks: 31,
            revenue: Micros::new(i64::from(hour % 7) * 700_003),
            ..Metrics::default()
        },
    };
    platform.load((0..hours * 3).map(row))?;
    let mut rollout = Rollout::new(RolloutConfig::default(), vec![meta])?;
    let platforms = BTreeMap::from([(Platform::Meta, platform)]);
    let mut checkpoints = Vec::new();
    for hour in 1..hours {
        let mut journal = MemoryJournal::new();
        let outside = Outside::shadow(&platforms, None, &mut journal);
        let steps = std::iter::once(HourSpan::hour(NOON.plus(hour)));
        block_on(drive(&mut rollout, outside, steps))?;
        checkpoints.push(rollout.checkpoint());
    }
    Ok(checkpoints)
}

fn record(checkpoint: &Checkpoint) -> Record {
    Record::Checkpoint(Box::new(checkpoint.clone()))
}

fn tamper(path: &Path, statement: &str) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA ignore_check_constraints = 1; PRAGMA foreign_keys = 0")?;
    connection.execute_batch(statement)
}

#[test]
fn the_last_two_are_kept() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let made = checkpoints(60)?;
    let store = Store::open(&path)?;
    assert_eq!(store.checkpoint(RUN)?, None);
    for (n, checkpoint) in made.iter().enumerate() {
        commit(&mut store.journal(RUN), vec![record(checkpoint)])?;
        assert_eq!(store.checkpoint(RUN)?.as_ref(), Some(checkpoint));
        let before = n.checked_sub(1).map(|n| &made[n]);
        assert_eq!(store.checkpoint_before(RUN)?.as_ref(), before);
    }
    assert_eq!(dump(&path)["checkpoints"].0, 2);
    // Each run has its own.
    assert_eq!(store.checkpoint(OTHER)?, None);
    commit(&mut store.journal(OTHER), vec![record(&made[0])])?;
    assert_eq!(store.checkpoint(OTHER)?.as_ref(), made.first());
    assert_eq!(store.checkpoint(RUN)?.as_ref(), made.last());
    // Another process reads the same, and a rollout goes on from it.
    let again = Store::open(&path)?.checkpoint(RUN)?.ok_or("none")?;
    let now = UtcHour::new(NOON.get() + 60);
    let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
    let restored = Rollout::restore(RolloutConfig::default(), vec![meta], again, now)?;
    assert_eq!(Some(&restored.checkpoint()), made.last());
    Ok(())
}

/// The last of a batch counts; the latest again changes nothing.
#[test]
fn the_last_word_counts() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let made = checkpoints(4)?;
    let store = Store::open(&path)?;
    let mut journal = store.journal(RUN);
    commit(&mut journal, made.iter().map(record).collect())?;
    assert_eq!(store.checkpoint(RUN)?.as_ref(), made.last());
    assert_eq!(store.checkpoint_before(RUN)?.as_ref(), Some(&made[1]));
    let before = dump(&path);
    commit(&mut journal, vec![record(&made[2])])?;
    assert_eq!(dump(&path), before);
    // The same records all over again: the same end.
    commit(&mut journal, made.iter().map(record).collect())?;
    assert_eq!(dump(&path), before);
    Ok(())
}

/// A process that was taken over does not push a checkpoint of its past over a newer one, and
/// nothing of its batch is stored. What is damaged proves nothing.
#[test]
fn one_from_before_the_newest_is_refused() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let made = checkpoints(6)?;
    let store = Store::open(&path)?;
    let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
    let blank = Rollout::new(RolloutConfig::default(), vec![meta])?.checkpoint();
    assert_eq!(blank.decided_to(), None);
    // From nothing on, every hour follows.
    for checkpoint in [&blank, &made[2], &made[3]] {
        commit(&mut store.journal(RUN), vec![record(checkpoint)])?;
    }
    let before = dump(&path);
    for old in [&made[2], &made[0], &blank] {
        let batch = vec![Record::Alert(alert(9)), record(old)];
        let Err(StoreError::OlderCheckpoint { found, kept }) =
            commit(&mut store.journal(RUN), batch)
        else {
            panic!("an older checkpoint was taken");
        };
        assert_eq!(found, old.decided_to());
        assert_eq!(kept, Some(NOON.plus(5)));
        assert_eq!(dump(&path), before);
    }
    let error = commit(&mut store.journal(RUN), vec![record(&made[0])]).expect_err("older");
    assert_eq!(
        error.to_string(),
        "a checkpoint that decided until 2025-11-24T18Z is older than the one that is kept, which \
         decided until 2025-11-24T21Z: another process goes on with this run; end this one"
    );
    // Another run has another past, and another state of the same hour is no older.
    commit(&mut store.journal(OTHER), vec![record(&made[0])])?;
    let mut same_hour = serde_json::to_value(&made[3])?;
    same_hour["told"]["paused"] = true.into();
    let same_hour: Checkpoint = serde_json::from_value(same_hour)?;
    commit(&mut store.journal(RUN), vec![record(&same_hour)])?;
    assert_eq!(store.checkpoint(RUN)?, Some(same_hour));
    commit(&mut store.journal(RUN), vec![record(&made[4])])?;
    // The newest is damaged: the one before it is what counts.
    tamper(
        &path,
        "UPDATE checkpoints SET body = replace(body, 'false', 'true') WHERE age = 0",
    )?;
    let refused = commit(&mut store.journal(RUN), vec![record(&made[2])]);
    assert!(matches!(refused, Err(StoreError::OlderCheckpoint { .. })));
    commit(&mut store.journal(RUN), vec![record(&made[3])])?;
    assert_eq!(store.checkpoint(RUN)?.as_ref(), Some(&made[3]));
    Ok(())
}

/// A batch with an error leaves neither its records nor its checkpoint.
#[test]
fn it_is_stored_with_its_batch_or_not_at_all() -> Outcome {
    let store = Store::open_in_memory()?;
    let made = checkpoints(4)?;
    let pending = action(1, gaelp_rollout::ActionStatus::Pending);
    let first = vec![Record::Action(Box::new(pending.clone())), record(&made[0])];
    commit(&mut store.journal(RUN), first)?;
    let mut conflict = pending;
    conflict.decision.proposed = Micros::new(1);
    let batch = vec![
        record(&made[1]),
        Record::Alert(alert(1)),
        Record::Action(Box::new(conflict)),
    ];
    let refused = commit(&mut store.journal(RUN), batch).expect_err("a conflict");
    assert!(matches!(refused, StoreError::Conflict { .. }));
    assert_eq!(store.checkpoint(RUN)?.as_ref(), made.first());
    assert_eq!(store.checkpoint_before(RUN)?, None);
    assert_eq!(store.counts(RUN)?.alerts, 0);
    Ok(())
}

#[test]
fn a_changed_one_is_refused_and_the_one_before_is_there() -> Outcome {
    let folder = tempfile::tempdir()?;
    let made = checkpoints(4)?;
    let damaged = |error: &StoreError| matches!(error, StoreError::Damaged(Damage::Checkpoint { run }) if *run == RUN);
    for (n, statement) in [
        "UPDATE checkpoints SET body = replace(body, 'false', 'true') WHERE age = 0",
        "UPDATE checkpoints SET body = body || ' ' WHERE age = 0",
        "UPDATE checkpoints SET body = '' WHERE age = 0",
        "UPDATE checkpoints SET body = CAST(x'ff' AS TEXT) WHERE age = 0",
        "UPDATE checkpoints SET digest = zeroblob(32) WHERE age = 0",
        "DELETE FROM checkpoints WHERE age = 0",
        // The other run's, in its place.
        "DELETE FROM checkpoints WHERE age = 0 AND run = (SELECT min(id) FROM runs);
         UPDATE checkpoints SET run = (SELECT min(id) FROM runs) WHERE run <> (SELECT min(id) FROM runs)",
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{n}.sqlite"));
        let store = Store::open(&path)?;
        for checkpoint in &made[..2] {
            commit(&mut store.journal(RUN), vec![record(checkpoint)])?;
        }
        commit(&mut store.journal(OTHER), vec![record(&made[2])])?;
        drop(store);
        tamper(&path, statement)?;
        let store = Store::open(&path)?;
        let error = store.checkpoint(RUN).expect_err(statement);
        assert!(damaged(&error), "{statement}: {error:?}");
        assert_eq!(store.checkpoint_before(RUN)?.as_ref(), Some(&made[0]), "{statement}");
    }
    let short = folder.path().join("short.sqlite");
    let store = Store::open(&short)?;
    commit(&mut store.journal(RUN), vec![record(&made[0])])?;
    tamper(&short, "UPDATE checkpoints SET digest = x'00'")?;
    assert!(matches!(
        store.checkpoint(RUN),
        Err(StoreError::Invalid {
            table: "checkpoints",
            column: "digest"
        })
    ));
    Ok(())
}
