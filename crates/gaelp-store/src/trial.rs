//! What was said of decisions and did not count: observed rules, and policies on trial.

use gaelp_guardrails::{PolicyHash, Verdict};
use gaelp_rollout::{TrialRecord, Tried};
use rusqlite::params;
use serde::de::DeserializeOwned;

use crate::append::{conflict, insert, unless_empty};
use crate::codec::{Row, json, start};
use crate::error::RecordKey;
use crate::names::storable;
use crate::read::{self, Keyed, Place};
use crate::store::Inner;
use crate::{Records, RunId, Store, StoreError};

const TABLE: &str = "trials";

impl Store {
    /// What was said of a run's decisions and did not count, in order of span, platform name and ad
    /// set: observed rules that objected, and the verdicts of policies on trial.
    ///
    /// **Cost.** As [`Store::actions`].
    pub fn trials(&self, run: RunId) -> Records<TrialRecord> {
        Records::new(self.clone(), run)
    }
}

/// Stores a trial, unless it is there.
pub(crate) fn append(inner: &Inner, run: i64, new: &TrialRecord) -> Result<(), StoreError> {
    unless_empty(&new.key, new.span)?;
    let tried = new.candidate.as_ref();
    let verdict = tried.map(|tried| readable(&tried.verdict, "verdict"));
    let sql = "INSERT INTO trials (run, decision_id, adset_external_id, platform, ts, ts_end, \
               observed, policy, guarded, level, verdict) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
               ON CONFLICT (run, decision_id) DO NOTHING";
    let fields = params![
        run,
        new.decision.get().to_be_bytes(),
        new.key.ad_set.as_str(),
        storable(&new.key.platform, TABLE, "platform")?,
        start(new.span.from),
        start(new.span.to),
        readable(&new.observed, "observed")?,
        tried.map(|tried| *tried.policy.as_bytes()),
        tried.map(|tried| tried.verdict.allowed.get()),
        tried.map(|tried| tried.verdict.level.to_string()),
        verdict.transpose()?,
    ];
    if insert(inner, sql, fields)? {
        return Ok(());
    }
    match read::one::<TrialRecord>(inner, run, new.decision)? {
        Some(known) if known == *new => Ok(()),
        _ => Err(conflict(TABLE, RecordKey::Decision(new.decision))),
    }
}

/// A value as JSON that reads back as it is.
fn readable<T: serde::Serialize + DeserializeOwned + PartialEq>(
    value: &T,
    column: &'static str,
) -> Result<String, StoreError> {
    let text = json(value, TABLE, column)?;
    match serde_json::from_str::<T>(&text) {
        Ok(back) if back == *value => Ok(text),
        _ => Err(StoreError::Unstorable {
            table: TABLE,
            column,
        }),
    }
}

impl Keyed for TrialRecord {
    const SELECT: &str = "SELECT decision_id, adset_external_id, platform, ts, ts_end, observed, \
         policy, guarded, level, verdict FROM trials WHERE run = ?1";
    const TABLE: &str = TABLE;

    fn read(_inner: &Inner, row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            decision: row.decision(0)?,
            key: read::key(row)?,
            span: row.span(3, 4)?,
            observed: row.json(5, "observed")?,
            candidate: row.optional(6, "policy", |row, _, _| tried(row))?,
        })
    }

    fn place(&self) -> Place {
        Place::of(&self.key, self.span, self.decision)
    }
}

/// The columns from `policy` on; those that repeat the verdict must agree with it.
fn tried(row: &Row<'_>) -> Result<Tried, StoreError> {
    let verdict: Verdict = row.json(9, "verdict")?;
    if row.micros(7, "guarded")? != verdict.allowed {
        return Err(row.invalid("guarded"));
    }
    if row.text(8, "level")? != verdict.level.to_string() {
        return Err(row.invalid("level"));
    }
    let hex = blake3::Hash::from_bytes(row.digest(6, "policy")?).to_hex();
    let policy: PolicyHash = hex.parse().map_err(|_| row.invalid("policy"))?;
    Ok(Tried { policy, verdict })
}
