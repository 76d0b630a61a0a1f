//! Databases that were tampered with or damaged: errors, never a panic.

use std::fs;
use std::path::Path;

use gaelp_core::{AccountZone, Currency, HourSpan, UtcHour};
use gaelp_platform::{AdPlatform, Capabilities, OrderEvent, RevenueSource};
use gaelp_store::{FileId, OnDuplicate, RunId, Store, StoreError};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::{NOON, action, commit, key, records, spend};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const RUN: RunId = RunId::new([7; 32]);
const EVER: HourSpan = HourSpan::new(UtcHour::new(i32::MIN), UtcHour::new(i32::MAX));

fn make(path: &Path) -> Result<FileId, Box<dyn std::error::Error>> {
    let store = Store::open(path)?;
    let mut import = store.import()?;
    let file = import.file([1; 32], "a file", "test")?.id();
    for n in 0..200 {
        let hour = HourSpan::hour(NOON.plus(n));
        import.metric(file, &key("a"), hour, &spend(1), OnDuplicate::Refuse)?;
    }
    import.total(file, &key("b"), &spend(1), OnDuplicate::Refuse)?;
    import.order(
        file,
        &OrderEvent::sale("#1", NOON.start(), gaelp_core::Micros::new(5))?,
    )?;
    import.commit()?;
    let mut journal = store.journal(RUN);
    for n in 0..40 {
        commit(&mut journal, records(n))?;
    }
    Ok(file)
}

/// Reads everything there is to read; the first error, if any.
fn read_all(store: &Store, file: FileId) -> Result<(), StoreError> {
    let files = [file];
    let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
    // Errors of the traits carry the store's in them; that they come without a panic is enough.
    let report = block_on(store.recorded(&files, meta).report(EVER));
    let orders = block_on(store.recorded_shop(&files).orders(EVER));
    drop((report, orders));
    store.coverage(&files)?;
    store.rows(&files)?.try_for_each(|row| row.map(drop))?;
    store.run_rows(RUN)?.try_for_each(|row| row.map(drop))?;
    store.actions(RUN).try_for_each(|row| row.map(drop))?;
    store.trials(RUN).try_for_each(|row| row.map(drop))?;
    store.experiences(RUN).try_for_each(|row| row.map(drop))?;
    store.corrections(RUN).try_for_each(|row| row.map(drop))?;
    store.alerts(RUN).try_for_each(|row| row.map(drop))?;
    store.plans(RUN).try_for_each(|row| row.map(drop))?;
    store.budget_states(RUN)?;
    store.counts(RUN)?;
    Ok(())
}

/// A statement that puts something odd into the database, and where that is noticed.
const ODD: &[(&str, &str)] = &[
    (
        "INSERT INTO metrics_hourly SELECT source, platform, ts + 1, adset, ts_end, 0, 1, 1, 1, 1, 1 \
         FROM metrics_hourly LIMIT 1",
        "metrics_hourly.ts ",
    ),
    (
        "INSERT INTO metrics_hourly SELECT source, platform, ts, adset, ts_end + 1, 9, 1, 1, 1, 1, 1 \
         FROM metrics_hourly LIMIT 1",
        "metrics_hourly.ts_end ",
    ),
    (
        "INSERT INTO metrics_hourly SELECT source, platform, ts, adset, ts, 9, 1, 1, 1, 1, 1 \
         FROM metrics_hourly LIMIT 1",
        "metrics_hourly.ts_end ",
    ),
    (
        "INSERT INTO metrics_hourly SELECT source, platform, ts, adset, ts_end, 9, 1, -1, 1, 1, 1 \
         FROM metrics_hourly LIMIT 1",
        "metrics_hourly.impressions ",
    ),
    (
        "INSERT INTO metrics_hourly SELECT source, platform, ts, adset, ts_end, 1 << 33, 1, 1, 1, 1, 1 \
         FROM metrics_hourly LIMIT 1",
        "metrics_hourly.revision ",
    ),
    (
        "INSERT INTO metrics_hourly SELECT source, platform, ts, 99, ts_end, 0, 1, 1, 1, 1, 1 \
         FROM metrics_hourly LIMIT 1",
        "ad_sets.id ",
    ),
    (
        "UPDATE recordings SET ts_last = 9223372036854775807; INSERT INTO metrics_hourly \
         SELECT source, platform, 9223372036854775807, adset, ts_end, 0, 1, 1, 1, 1, 1 \
         FROM metrics_hourly LIMIT 1",
        "metrics_hourly.ts ",
    ),
    (
        "INSERT INTO orders SELECT source, '#2', 0, 9223372036854775807, 1, 'sale' FROM orders",
        "orders.ts ",
    ),
    (
        "INSERT INTO orders SELECT source, '#2', 0, -9223372036854775808, 1, 'sale' FROM orders",
        "orders.ts ",
    ),
    (
        "INSERT INTO adset_totals SELECT source, 99, 1, 1, 1, 1, 1 FROM adset_totals",
        "ad_sets.id ",
    ),
    (
        "INSERT INTO budget_state SELECT run, '2025-02-30', platform, 1, 1, 1 FROM budget_state \
         LIMIT 1",
        "budget_state.date ",
    ),
    (
        "INSERT INTO plans SELECT 999, run, ts + 1440000000000, ts_end + 1440000000000, lambda, \
         allowance, daily, '{}' FROM plans LIMIT 1",
        "plans.plan_json ",
    ),
    (
        "INSERT INTO plans SELECT 999, run, ts + 1440000000000, ts_end + 1440000000000, lambda, \
         allowance, daily, plan_json FROM plans LIMIT 1",
        "plans.plan_json ",
    ),
    (
        "INSERT INTO alerts SELECT 999, run, 0, 'boredom', '' FROM alerts LIMIT 1",
        "alerts.kind ",
    ),
    (
        "INSERT INTO alerts SELECT 999, run, 1, 'report_failed', '' FROM alerts LIMIT 1",
        "alerts.ts ",
    ),
    (
        "INSERT INTO reward_corrections SELECT 999, run, 'x', 0, x'00', 1, 1 \
         FROM reward_corrections LIMIT 1",
        "reward_corrections.decision_id ",
    ),
    (
        "INSERT INTO reward_corrections SELECT 999, run, 'x', 1 << 40, decision_id, 1, 1 \
         FROM reward_corrections LIMIT 1",
        "reward_corrections.correction_no ",
    ),
    (
        "UPDATE actions_log SET propensity = 2",
        "actions_log.propensity ",
    ),
    (
        "UPDATE actions_log SET propensity_method = '{\"method\":1}'",
        "actions_log.propensity_method ",
    ),
    ("UPDATE actions_log SET arm = -1", "actions_log.arm "),
    (
        "UPDATE actions_log SET policy_version = -1",
        "actions_log.policy_version ",
    ),
    (
        "UPDATE actions_log SET reasons = '[}'",
        "actions_log.reasons ",
    ),
    (
        "UPDATE actions_log SET level = 'Kill'",
        "actions_log.level ",
    ),
    ("UPDATE actions_log SET mode = ''", "actions_log.mode "),
    (
        "UPDATE actions_log SET status = 'done'",
        "actions_log.status ",
    ),
    (
        "UPDATE actions_log SET platform = CAST(x'ff' AS TEXT)",
        "actions_log.platform ",
    ),
    (
        "UPDATE experiences SET state_json = 'null'",
        "experiences.state_json ",
    ),
    (
        "UPDATE experiences SET action_json = json_set(action_json, '$.multiplier', 1e99)",
        "experiences.action_json ",
    ),
    (
        "UPDATE experiences SET next_state_json = '{}'",
        "experiences.next_state_json ",
    ),
    (
        "UPDATE experience_meta SET end_kind = 'soon'",
        "experiences.end_kind ",
    ),
    (
        "UPDATE experience_meta SET schema_version = -1",
        "experiences.schema_version ",
    ),
    (
        "UPDATE experience_touchpoints SET touchpoint_id = CAST(x'c328' AS TEXT)",
        "experience_touchpoints.touchpoint_id ",
    ),
];

#[test]
fn odd_values_are_named() -> Outcome {
    let folder = tempfile::tempdir()?;
    let good = folder.path().join("good.sqlite");
    let file = make(&good)?;
    read_all(&Store::open(&good)?, file)?;
    let odd = folder.path().join("odd.sqlite");
    for (statement, place) in ODD {
        fs::copy(&good, &odd)?;
        tamper(&odd, statement)?;
        let store = Store::open(&odd)?;
        let error = read_all(&store, file).expect_err(statement);
        assert!(
            matches!(error, StoreError::Invalid { .. }),
            "{statement}: {error:?}"
        );
        assert!(error.to_string().starts_with(place), "{statement}: {error}");
        drop(store);
    }
    Ok(())
}

/// Runs a statement as somebody would who wants to get past checks and triggers.
fn tamper(path: &Path, statement: &str) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    let triggers: Vec<(String, String)> = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    connection.execute_batch("PRAGMA ignore_check_constraints = 1; PRAGMA foreign_keys = 0")?;
    for (name, _) in &triggers {
        connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    connection.execute_batch(statement)?;
    for (_, sql) in &triggers {
        connection.execute_batch(sql)?;
    }
    Ok(())
}

/// A tampered row that a journal runs into is an error of the commit.
#[test]
fn odd_values_stop_a_commit() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("odd.sqlite");
    make(&path)?;
    tamper(&path, "UPDATE actions_log SET reasons = '[}'")?;
    let store = Store::open(&path)?;
    let applied = action(1, gaelp_rollout::ActionStatus::Applied);
    let batch = vec![gaelp_rollout::Record::Action(Box::new(applied))];
    let error = commit(&mut store.journal(RUN), batch).expect_err("an odd value");
    assert!(matches!(
        error,
        StoreError::Invalid {
            column: "reasons",
            ..
        }
    ));
    Ok(())
}

/// Some bytes of the file are overwritten: each time it opens and reads, or says what is wrong.
#[test]
fn broken_bytes_never_panic() -> Outcome {
    let folder = tempfile::tempdir()?;
    let good = folder.path().join("good.sqlite");
    let file = make(&good)?;
    let bytes = fs::read(&good)?;
    let broken = folder.path().join("broken.sqlite");
    let (mut state, mut noticed) = (1_u64, 0);
    let mut next = |below: usize| {
        // A linear congruential generator: Knuth's MMIX constants.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for _ in 0..1_000 {
        let mut damaged = bytes.clone();
        for _ in 0..=next(16) {
            let at = next(damaged.len());
            damaged[at] = u8::try_from(next(256)).expect("a byte");
        }
        damaged.truncate(bytes.len() - next(4) / 3 * next(bytes.len()));
        fs::write(&broken, &damaged)?;
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(
                folder.path().join(format!("broken.sqlite{suffix}")),
            ));
        }
        let read = Store::open(&broken).and_then(|store| {
            let read = read_all(&store, file);
            let again = commit(&mut store.journal(RUN), records(3));
            let new = store.import().and_then(|mut import| {
                let file = import.file([2; 32], "new", "test")?.id();
                import.metric(
                    file,
                    &key("new"),
                    HourSpan::hour(NOON),
                    &spend(1),
                    OnDuplicate::Add,
                )?;
                import.commit()
            });
            read.and(again).and(new)
        });
        noticed += u32::from(read.is_err());
    }
    // The rest hit figures, which any value fits, or unused space.
    assert!(noticed > 300, "only {noticed} of 1000 were noticed");
    Ok(())
}
