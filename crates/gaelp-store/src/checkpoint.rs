//! Checkpoints of runs: the latest and the one before it, each with its digest.

use gaelp_core::UtcHour;
use gaelp_rollout::{Checkpoint, Record};
use rusqlite::params;
use serde::Deserialize;

use crate::append::run_number;
use crate::codec::{Row, json};
use crate::error::{Damage, engine};
use crate::store::Inner;
use crate::{RunId, Store, StoreError};

const TABLE: &str = "checkpoints";

/// Which of a run's checkpoints, as the column `age` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Latest = 0,
    Before = 1,
}

impl Store {
    /// The last checkpoint that a run committed: with every other record of its batch, or not at
    /// all.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with [`Damage::Checkpoint`] where it is not what was written. To go
    /// on from [the one before](Self::checkpoint_before) is for its caller to say, because what was
    /// decided since is not in it. [`StoreError::Invalid`] where it is whole, but not a checkpoint
    /// that this version reads.
    pub fn checkpoint(&self, run: RunId) -> Result<Option<Checkpoint>, StoreError> {
        read(&self.lock(), run, Age::Latest)
    }

    /// The checkpoint that a run committed before its last one. Older ones are not kept.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub fn checkpoint_before(&self, run: RunId) -> Result<Option<Checkpoint>, StoreError> {
        read(&self.lock(), run, Age::Before)
    }
}

/// Refuses a batch whose last checkpoint was made before the newest one that is kept: it is another
/// process's, which was taken over and does not know it. One whose digest is wrong proves nothing.
pub(crate) fn refuse_older(inner: &Inner, run: i64, batch: &[Record]) -> Result<(), StoreError> {
    let last = batch.iter().rev().find_map(|record| match record {
        Record::Checkpoint(checkpoint) => Some(checkpoint),
        _ => None,
    });
    let Some(new) = last else {
        return Ok(());
    };
    let found = new.decided_to();
    let kept = newest(inner, run)?;
    if found < kept {
        return Err(StoreError::OlderCheckpoint { found, kept });
    }
    Ok(())
}

/// The hour to which the newest whole checkpoint had decided.
fn newest(inner: &Inner, run: i64) -> Result<Option<UtcHour>, StoreError> {
    let run_digest = run_digest(inner, run)?;
    let sql = "SELECT digest, body FROM checkpoints WHERE run = ?1 ORDER BY age";
    let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
    let mut rows = statement.query([run]).map_err(engine)?;
    while let Some(row) = rows.next().map_err(engine)? {
        let row = Row::new(TABLE, row);
        let whole = row.text(1, "body").ok();
        let is_whole = |body: &&str| {
            let expected = digest(&run_digest, body);
            row.digest(0, "digest").is_ok_and(|found| found == expected)
        };
        let made = whole.filter(is_whole).map(serde_json::from_str::<Made>);
        if let Some(Ok(made)) = made {
            return Ok(made.decided_to);
        }
    }
    Ok(None)
}

/// The part of a checkpoint that says when it was made.
#[derive(Deserialize)]
struct Made {
    decided_to: Option<UtcHour>,
}

/// Stores a checkpoint as the latest one, unless it is.
pub(crate) fn append(inner: &Inner, run: i64, new: &Checkpoint) -> Result<(), StoreError> {
    let unstorable = || {
        let (table, column) = (TABLE, "body");
        StoreError::Unstorable { table, column }
    };
    let body = json(new, TABLE, "body")?;
    // It must read back as it is, or the next process goes on from something else.
    let back: Checkpoint = serde_json::from_str(&body).map_err(|_| unstorable())?;
    if back != *new {
        return Err(unstorable());
    }
    let digest = digest(&run_digest(inner, run)?, &body);
    let same = "SELECT 1 FROM checkpoints WHERE run = ?1 AND age = 0 AND digest = ?2 AND body = ?3";
    let same = inner.conn.prepare_cached(same);
    let same = same.and_then(|mut find| find.exists(params![run, digest, body]));
    if same.map_err(engine)? {
        return Ok(());
    }
    let execute = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        let statement = inner.conn.prepare_cached(sql);
        let done = statement.and_then(|mut statement| statement.execute(params));
        done.map(drop).map_err(engine)
    };
    execute(
        "DELETE FROM checkpoints WHERE run = ?1 AND age = 1",
        &[&run],
    )?;
    execute("UPDATE checkpoints SET age = 1 WHERE run = ?1", &[&run])?;
    let insert = "INSERT INTO checkpoints (run, age, digest, body) VALUES (?1, 0, ?2, ?3)";
    execute(insert, &[&run, &digest, &body])
}

fn read(inner: &Inner, run: RunId, age: Age) -> Result<Option<Checkpoint>, StoreError> {
    let Some(number) = run_number(inner, run)? else {
        return Ok(None);
    };
    let sql = "SELECT digest, body FROM checkpoints WHERE run = ?1 AND age = ?2";
    let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
    let mut rows = statement.query([number, age as i64]).map_err(engine)?;
    let Some(row) = rows.next().map_err(engine)? else {
        // Without the latest there is none before it.
        let headless = age == Age::Latest && read(inner, run, Age::Before)?.is_some();
        return if headless {
            Err(damaged(run))
        } else {
            Ok(None)
        };
    };
    let row = Row::new(TABLE, row);
    // A text that is none any more was changed as well.
    let body = row.text(1, "body").map_err(|_| damaged(run))?;
    if row.digest(0, "digest")? != digest(run.as_bytes(), body) {
        return Err(damaged(run));
    }
    row.json(1, "body").map(Some)
}

fn damaged(run: RunId) -> StoreError {
    StoreError::Damaged(Damage::Checkpoint { run })
}

/// The digest of a checkpoint. It covers the run, so that another's is not taken for its.
fn digest(run: &[u8; 32], body: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(run);
    hasher.update(body.as_bytes());
    *hasher.finalize().as_bytes()
}

fn run_digest(inner: &Inner, run: i64) -> Result<[u8; 32], StoreError> {
    let mut statement = inner
        .conn
        .prepare_cached("SELECT digest FROM runs WHERE id = ?1")
        .map_err(engine)?;
    let mut rows = statement.query([run]).map_err(engine)?;
    let (table, column) = ("runs", "digest");
    match rows.next().map_err(engine)? {
        Some(row) => Row::new(table, row).digest(0, column),
        None => Err(StoreError::Invalid { table, column }),
    }
}
