//! What had no say is kept beside the decisions, and reads back as it was.

use gaelp_core::{Level, Micros, Operand, Ratio};
use gaelp_rollout::{ActionStatus, Record, TrialRecord};
use gaelp_store::{RecordKey, RunId, Store, StoreError};
use rusqlite::Connection;

use crate::support::{action, alert, commit, dump, records, trial};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const RUN: RunId = RunId::new([7; 32]);
const SCHEMAS: [&str; 3] = [
    include_str!("../../src/schema/0001.sql"),
    include_str!("../../src/schema/0002.sql"),
    include_str!("../../src/schema/0003.sql"),
];

fn record(trial: &TrialRecord) -> Record {
    Record::Trial(Box::new(trial.clone()))
}

fn read(store: &Store) -> Result<Vec<TrialRecord>, StoreError> {
    store.trials(RUN).collect()
}

#[test]
fn trials_read_back_as_they_were() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    let mut made: Vec<TrialRecord> = (0..1_100).map(trial).collect();
    commit(&mut store.journal(RUN), made.iter().map(record).collect())?;
    made.sort_by(|a, b| {
        let place = |t: &TrialRecord| (t.span.from, t.key.platform.to_string(), t.key.clone());
        place(a).cmp(&place(b)).then(a.decision.cmp(&b.decision))
    });
    drop(store);
    let store = Store::open(&path)?;
    assert_eq!(read(&store)?, made);
    assert_eq!(store.counts(RUN)?.trials, 1_100);
    assert_eq!(store.trials(RunId::new([8; 32])).count(), 0);
    // The same again changes nothing; something else about the same decision is no trial of it.
    let before = dump(&path);
    commit(&mut store.journal(RUN), made.iter().map(record).collect())?;
    assert_eq!(dump(&path), before);
    let mut other = trial(3);
    if let Some(tried) = &mut other.candidate {
        tried.verdict.allowed = Micros::new(1);
    }
    let batch = vec![Record::Alert(alert(1)), record(&other)];
    let refused = commit(&mut store.journal(RUN), batch);
    let Err(StoreError::Conflict { table, key }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (table, *key),
        ("trials", RecordKey::Decision(other.decision))
    );
    assert_eq!(dump(&path), before);
    Ok(())
}

/// The columns are for people: they say what the record says.
#[test]
fn a_person_can_compare_both_policies() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    for n in 0..40 {
        let decided = Record::Action(Box::new(action(n, ActionStatus::Shadow)));
        commit(&mut store.journal(RUN), vec![decided, record(&trial(n))])?;
    }
    let looser = "SELECT count(*) FROM trials JOIN actions_log USING (run, decision_id) \
                  WHERE trials.guarded > actions_log.guarded";
    let found: i64 = Connection::open(&path)?.query_row(looser, [], |row| row.get(0))?;
    let is_looser = |n: &u32| {
        let tried = trial(*n).candidate;
        let live = action(*n, ActionStatus::Shadow).decision.allowed;
        tried.is_some_and(|tried| tried.verdict.allowed > live)
    };
    assert_eq!(found, i64::try_from((0..40).filter(is_looser).count())?);
    let denied = "SELECT count(*) FROM trials WHERE level = 'deny'";
    let found: i64 = Connection::open(&path)?.query_row(denied, [], |row| row.get(0))?;
    let is_denied = |n: &u32| {
        let tried = trial(*n).candidate;
        tried.is_some_and(|tried| tried.verdict.level == Level::Deny)
    };
    assert_eq!(found, i64::try_from((0..40).filter(is_denied).count())?);
    assert!(found > 5);
    Ok(())
}

#[test]
fn what_was_tried_is_not_rewritten_and_what_was_tampered_with_is_refused() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    commit(&mut store.journal(RUN), vec![record(&trial(3))])?;
    let connection = Connection::open(&path)?;
    for change in [
        "UPDATE trials SET observed = '[]'",
        "DELETE FROM trials",
        "INSERT OR REPLACE INTO trials SELECT * FROM trials",
    ] {
        connection.pragma_update(None, "recursive_triggers", true)?;
        assert!(connection.execute_batch(change).is_err(), "{change}");
    }
    let trigger: String = connection.query_row(
        "SELECT sql FROM sqlite_schema WHERE name = 'trials_no_update'",
        [],
        |row| row.get(0),
    )?;
    for (change, expected) in [
        ("guarded = 1", "guarded"),
        ("level = 'kill'", "level"),
        ("verdict = '{}'", "verdict"),
        ("observed = 'none'", "observed"),
    ] {
        let undo = "CREATE TEMP TABLE IF NOT EXISTS kept AS SELECT * FROM trials";
        connection.execute_batch(undo)?;
        connection.execute_batch("DROP TRIGGER trials_no_update")?;
        connection.execute_batch(&format!("UPDATE trials SET {change}"))?;
        let Err(StoreError::Invalid { table, column }) = read(&store) else {
            panic!("{change} was not noticed");
        };
        assert_eq!((table, column), ("trials", expected));
        connection.execute_batch(
            "UPDATE trials SET (observed, guarded, level, verdict) = \
             (SELECT observed, guarded, level, verdict FROM kept)",
        )?;
        connection.execute_batch(&trigger)?;
        assert_eq!(read(&store)?, [trial(3)]);
    }
    Ok(())
}

#[test]
fn what_would_not_read_back_is_not_taken() -> Outcome {
    let store = Store::open_in_memory()?;
    let far = Operand::Ratio(Ratio::from_ppm(i64::MAX - 1));
    let mut observed = trial(2);
    observed.observed[0].threshold = far;
    let mut verdict = trial(2);
    if let Some(tried) = &mut verdict.candidate {
        tried.verdict.reasons[0].observed = far;
    }
    for (odd, expected) in [(observed, "observed"), (verdict, "verdict")] {
        let refused = commit(&mut store.journal(RUN), vec![record(&odd)]);
        let Err(StoreError::Unstorable { table, column }) = refused else {
            panic!("{expected} was taken");
        };
        assert_eq!((table, column), ("trials", expected));
    }
    assert_eq!(read(&store)?, []);
    Ok(())
}

/// A database of version 3, as its statements make it, with a decision in it.
fn version_3(path: &std::path::Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    for schema in SCHEMAS {
        connection.execute_batch(schema)?;
    }
    connection.execute_batch(
        "INSERT INTO sources VALUES (1, 'run');
         INSERT INTO runs VALUES (1, x'0707070707070707070707070707070707070707070707070707070707070707');
         INSERT INTO alerts VALUES (1, 1, 1764000000000000, 'fenced', 'ledger');
         PRAGMA application_id = 0x6761656c;
         PRAGMA user_version = 3;",
    )?;
    Ok(connection)
}

#[test]
fn a_database_of_version_3_is_brought_up_to_date() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("v3.sqlite");
    drop(version_3(&path)?);
    let store = Store::open(&path)?;
    let alerts: Vec<_> = store.alerts(RUN).collect::<Result<_, _>>()?;
    assert_eq!(alerts.len(), 1);
    assert_eq!(read(&store)?, []);
    commit(&mut store.journal(RUN), records(7))?;
    assert_eq!(read(&store)?, [trial(7)]);
    let version: i64 =
        Connection::open(&path)?.pragma_query_value(None, "user_version", |row| row.get(0))?;
    assert_eq!(version, 4);
    Ok(())
}

/// The migration fails at its second statement: nothing of it stays.
#[test]
fn a_migration_that_fails_leaves_the_old_version() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("v3.sqlite");
    let connection = version_3(&path)?;
    connection.execute_batch("CREATE INDEX trials_by_time ON alerts (kind)")?;
    drop(connection);
    let before = dump(&path);
    assert!(Store::open(&path).is_err());
    assert_eq!(dump(&path), before);
    let connection = Connection::open(&path)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    assert_eq!(version, 3);
    // Once that is out of the way, it succeeds.
    connection.execute_batch("DROP INDEX trials_by_time")?;
    drop(connection);
    assert_eq!(Store::open(&path)?.alerts(RUN).count(), 1);
    Ok(())
}
