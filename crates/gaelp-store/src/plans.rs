//! The plans of a run: what its hours were given, and how that was spread.

use gaelp_core::{Micros, Ratio};
use gaelp_rollout::PlanRecord;
use rusqlite::params;

use crate::append::{conflict, exists, insert};
use crate::codec::{Row, json, start};
use crate::error::RecordKey;
use crate::read::{Paged, Place, Records, by_number};
use crate::store::Inner;
use crate::{RunId, Store, StoreError};

const TABLE: &str = "plans";

impl Store {
    /// A run's plans, in the order in which they were stored.
    ///
    /// **Cost.** Constant memory: it reads some hundred at a time, and holds no lock in between.
    pub fn plans(&self, run: RunId) -> Records<PlanRecord> {
        Records::new(self.clone(), run)
    }
}

pub(crate) fn append(inner: &Inner, run: i64, new: &PlanRecord) -> Result<(), StoreError> {
    let key = || RecordKey::Plan { span: new.span };
    if new.span.is_empty() {
        let column = "ts_end";
        return Err(StoreError::Unstorable {
            table: TABLE,
            column,
        });
    }
    let sql = "INSERT INTO plans (run, ts, ts_end, lambda, allowance, daily, plan_json) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let same = "SELECT 1 FROM plans WHERE run = ?1 AND ts = ?2 AND ts_end = ?3 AND lambda = ?4 \
                AND allowance = ?5 AND daily = ?6 AND plan_json = ?7";
    let (ts, ts_end) = (start(new.span.from), start(new.span.to));
    let (lambda, allowance) = (new.pace.lambda.ppm(), new.pace.allowance.get());
    let plan = json(new, TABLE, "plan_json")?;
    let fields = params![run, ts, ts_end, lambda, allowance, new.daily.get(), plan];
    if insert(inner, sql, fields)? || exists(inner, same, fields)? {
        return Ok(());
    }
    Err(conflict(TABLE, key()))
}

impl Paged for PlanRecord {
    fn page(inner: &Inner, run: i64, after: &Place) -> Result<(Vec<Self>, Place), StoreError> {
        let sql = "SELECT seq, ts, ts_end, lambda, allowance, daily, plan_json FROM plans \
                   WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        by_number(inner, run, after, (TABLE, sql), read)
    }
}

/// The plan of a row, whose columns say the same as the plan.
fn read(row: &Row<'_>) -> Result<PlanRecord, StoreError> {
    let plan: PlanRecord = row.json(6, "plan_json")?;
    let lambda = Ratio::from_ppm(row.int(3, "lambda")?);
    let amounts: [Micros; 2] = [row.micros(4, "allowance")?, row.micros(5, "daily")?];
    let says = plan.span == row.span(1, 2)?
        && plan.pace.lambda == lambda
        && [plan.pace.allowance, plan.daily] == amounts;
    if !says {
        return Err(row.invalid("plan_json"));
    }
    Ok(plan)
}
