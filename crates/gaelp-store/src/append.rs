//! Appending records: each is stored once under its natural key.

use gaelp_core::{
    AdSetKey, Choice, MetricRow, Operand, Platform, PropensityMethod, RewardCorrection,
};
use gaelp_rollout::{
    ActionRecord, ActionStatus, Alert, BudgetState, Credit, ExperienceRecord, Record,
};
use rusqlite::{OptionalExtension, Params, params};

use crate::codec::{count, figures, json, reads_back, start};
use crate::error::{RecordKey, engine};
use crate::import::new_source;
use crate::names::storable;
use crate::store::Inner;
use crate::{RunId, StoreError, read};

/// The name of the whole account in `budget_state.platform`.
pub(crate) const ACCOUNT: &str = "account";

/// The number of a run, where anything was stored under it.
pub(crate) fn run_number(inner: &Inner, run: RunId) -> Result<Option<i64>, StoreError> {
    inner
        .conn
        .prepare_cached("SELECT id FROM runs WHERE digest = ?1")
        .and_then(|mut find| {
            find.query_row([run.as_bytes()], |row| row.get(0))
                .optional()
        })
        .map_err(engine)
}

/// The number of a run, which is given to it where it has none.
pub(crate) fn give_run_number(inner: &Inner, run: RunId) -> Result<i64, StoreError> {
    if let Some(number) = run_number(inner, run)? {
        return Ok(number);
    }
    let number = new_source(inner, "run")?;
    inner
        .conn
        .prepare_cached("INSERT INTO runs (id, digest) VALUES (?1, ?2)")
        .and_then(|mut insert| insert.execute(params![number, run.as_bytes()]))
        .map_err(engine)?;
    Ok(number)
}

/// Stores a record under a run.
pub(crate) fn append(inner: &mut Inner, run: i64, record: &Record) -> Result<(), StoreError> {
    match record {
        Record::Metrics(row) => metrics(inner, run, row),
        Record::Action(action) => self::action(inner, run, action),
        Record::Trial(trial) => crate::trial::append(inner, run, trial),
        Record::Experience(experience) => self::experience(inner, run, experience),
        Record::Correction(correction) => self::correction(inner, run, correction),
        Record::BudgetState(state) => budget_state(inner, run, state),
        Record::Plan(plan) => crate::plans::append(inner, run, plan),
        Record::Alert(alert) => self::alert(inner, run, alert),
        Record::Credit(credit) => self::credit(inner, run, credit),
        Record::Checkpoint(checkpoint) => crate::checkpoint::append(inner, run, checkpoint),
        _ => Err(StoreError::UnknownRecord),
    }
}

pub(crate) fn insert(inner: &Inner, sql: &str, params: impl Params) -> Result<bool, StoreError> {
    let inserted = inner.conn.prepare_cached(sql);
    let inserted = inserted.and_then(|mut statement| statement.execute(params));
    inserted.map(|rows| rows == 1).map_err(engine)
}

pub(crate) fn exists(inner: &Inner, sql: &str, params: impl Params) -> Result<bool, StoreError> {
    let found = inner.conn.prepare_cached(sql);
    found
        .and_then(|mut find| find.exists(params))
        .map_err(engine)
}

pub(crate) fn conflict(table: &'static str, key: RecordKey) -> StoreError {
    let key = Box::new(key);
    StoreError::Conflict { table, key }
}

pub(crate) fn unless_empty(key: &AdSetKey, span: gaelp_core::HourSpan) -> Result<(), StoreError> {
    if span.is_empty() {
        let key = key.clone();
        return Err(StoreError::EmptySpan { key, span });
    }
    Ok(())
}

fn metrics(inner: &mut Inner, run: i64, row: &MetricRow) -> Result<(), StoreError> {
    let table = "metrics_hourly";
    unless_empty(&row.key, row.span)?;
    let numbers = inner.names.numbers(&inner.conn, &row.key)?;
    let [spend, impressions, clicks, conversions, revenue] = figures(&row.metrics, table)?;
    let (ts, ts_end, revision) = (start(row.span.from), start(row.span.to), row.revision.get());
    let sql = "INSERT INTO metrics_hourly (source, platform, ts, adset, ts_end, revision, spend, \
               impressions, clicks, conversions, revenue) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
    let same = "SELECT 1 FROM metrics_hourly WHERE source = ?1 AND platform = ?2 AND ts = ?3 \
                AND adset = ?4 AND ts_end = ?5 AND revision = ?6 AND spend = ?7 \
                AND impressions = ?8 AND clicks = ?9 AND conversions = ?10 AND revenue = ?11";
    #[rustfmt::skip]
    let fields = params![
        run, numbers.platform, ts, numbers.ad_set, ts_end, revision,
        spend, impressions, clicks, conversions, revenue,
    ];
    if insert(inner, sql, fields)? || exists(inner, same, fields)? {
        return Ok(());
    }
    let key = row.key.clone();
    let (span, revision) = (row.span, row.revision);
    Err(conflict(
        table,
        RecordKey::Metric {
            key,
            span,
            revision,
        },
    ))
}

/// The columns `policy_version, arm, propensity, propensity_method` of a choice.
fn choice(choice: &Choice, table: &'static str) -> Result<(i64, u32, f64, String), StoreError> {
    if let PropensityMethod::Quadrature { error } = choice.method
        && !error.is_finite()
    {
        let column = "propensity_method";
        return Err(StoreError::Unstorable { table, column });
    }
    Ok((
        count(choice.policy.get(), table, "policy_version")?,
        choice.arm.get(),
        choice.propensity.get(),
        json(&choice.method, table, "propensity_method")?,
    ))
}

fn action(inner: &Inner, run: i64, action: &ActionRecord) -> Result<(), StoreError> {
    const TABLE: &str = "actions_log";
    let decision = &action.decision;
    unless_empty(&decision.key, decision.span)?;
    let operands = decision
        .reasons
        .iter()
        .flat_map(|r| [r.observed, r.threshold]);
    for operand in operands {
        if let Operand::Ratio(ratio) = operand
            && !reads_back(ratio)
        {
            let column = "reasons";
            return Err(StoreError::Unstorable {
                table: TABLE,
                column,
            });
        }
    }
    let (policy, arm, propensity, method) = choice(&decision.choice, TABLE)?;
    let level = decision.level.to_string();
    let sql = "INSERT INTO actions_log (run, decision_id, adset_external_id, platform, ts, \
               ts_end, mode, policy_version, arm, propensity, propensity_method, current, \
               suggested, normalised, guarded, level, binding, reasons, status, sent, read_back) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
               ?17, ?18, ?19, ?20, ?21) ON CONFLICT (run, decision_id) DO NOTHING";
    let fields = params![
        run,
        decision.id.get().to_be_bytes(),
        decision.key.ad_set.as_str(),
        storable(&decision.key.platform, TABLE, "platform")?,
        start(decision.span.from),
        start(decision.span.to),
        action.mode.to_string(),
        policy,
        arm,
        propensity,
        method,
        decision.current.get(),
        decision.proposed.get(),
        decision.normalised.get(),
        decision.allowed.get(),
        level,
        decision.binding.as_ref().map(gaelp_core::RuleId::as_str),
        json(&decision.reasons, TABLE, "reasons")?,
        action.status.as_str(),
        action.sent.map(gaelp_core::Micros::get),
        action.read_back.map(gaelp_core::Micros::get),
    ];
    if insert(inner, sql, fields)? {
        return Ok(());
    }
    progress(inner, run, action)
}

/// Moves a known action forward, where the record is news.
fn progress(inner: &Inner, run: i64, action: &ActionRecord) -> Result<(), StoreError> {
    let id = action.decision.id;
    let table = "actions_log";
    let known = read::action(inner, run, id)?.ok_or(StoreError::Invalid {
        table,
        column: "decision_id",
    })?;
    if known.decision != action.decision || known.mode != action.mode {
        return Err(conflict(table, RecordKey::Decision(id)));
    }
    if known.status != action.status && !is_forward(known.status, action.status) {
        return Ok(());
    }
    let sent = action.sent.or(known.sent);
    let read_back = action.read_back.or(known.read_back);
    if (known.status, known.sent, known.read_back) == (action.status, sent, read_back) {
        return Ok(());
    }
    let sql = "UPDATE actions_log SET status = ?3, sent = ?4, read_back = ?5 \
               WHERE run = ?1 AND decision_id = ?2";
    let fields = params![
        run,
        id.get().to_be_bytes(),
        action.status.as_str(),
        sent.map(gaelp_core::Micros::get),
        read_back.map(gaelp_core::Micros::get),
    ];
    insert(inner, sql, fields).map(|_| ())
}

/// Whether an action may go from one status to another. A record that comes late changes nothing.
fn is_forward(from: ActionStatus, to: ActionStatus) -> bool {
    use ActionStatus::{Applied, Pending, Rejected, Unknown};
    matches!(
        (from, to),
        (Pending, Applied | Rejected | Unknown) | (Unknown, Applied | Rejected)
    )
}

fn experience(inner: &Inner, run: i64, new: &ExperienceRecord) -> Result<(), StoreError> {
    const TABLE: &str = "experiences";
    unless_empty(&new.key, new.span)?;
    let unstorable = |column| StoreError::Unstorable {
        table: TABLE,
        column,
    };
    if !reads_back(new.action.multiplier) {
        return Err(unstorable("action_json"));
    }
    let states = [
        (Some(&new.state), "state_json"),
        (new.next_state.as_ref(), "next_state_json"),
    ];
    for (state, column) in states {
        if state.is_some_and(|state| !reads_back(state.lambda)) {
            return Err(unstorable(column));
        }
    }
    let next_state = new.next_state.as_ref();
    let next_state = next_state.map(|state| json(state, TABLE, "next_state_json"));
    let sql = "INSERT INTO experiences (run, decision_id, adset_external_id, platform, ts, \
               state_json, action_json, reward, next_state_json) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
               ON CONFLICT (run, decision_id) DO NOTHING";
    let fields = params![
        run,
        new.decision.get().to_be_bytes(),
        new.key.ad_set.as_str(),
        storable(&new.key.platform, TABLE, "platform")?,
        start(new.span.from),
        json(&new.state, TABLE, "state_json")?,
        json(&new.action, TABLE, "action_json")?,
        new.reward.get(),
        next_state.transpose()?,
    ];
    if insert(inner, sql, fields)? {
        return details(inner, inner.conn.last_insert_rowid(), new);
    }
    if read::experience(inner, run, new.decision)?.as_ref() == Some(new) {
        return Ok(());
    }
    Err(conflict(TABLE, RecordKey::Decision(new.decision)))
}

/// The rows beside an experience's.
fn details(inner: &Inner, id: i64, new: &ExperienceRecord) -> Result<(), StoreError> {
    let (policy, arm, propensity, method) = choice(&new.choice, "experience_meta")?;
    let sql = "INSERT INTO experience_meta (experience, ts_end, policy_version, arm, propensity, \
               propensity_method, cost, end_kind, schema_version) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let fields = params![
        id,
        start(new.span.to),
        policy,
        arm,
        propensity,
        method,
        new.cost.get(),
        new.end.as_str(),
        new.schema,
    ];
    insert(inner, sql, fields)?;
    let sql = "INSERT INTO experience_touchpoints (touchpoint_id, experience, position) \
               VALUES (?1, ?2, ?3)";
    for (position, touchpoint) in (0_i64..).zip(&new.touchpoints) {
        insert(inner, sql, params![touchpoint.as_str(), id, position])?;
    }
    Ok(())
}

fn correction(inner: &Inner, run: i64, new: &RewardCorrection) -> Result<(), StoreError> {
    let sql = "INSERT INTO reward_corrections (run, touchpoint_id, correction_no, decision_id, \
               delta, observed_ts) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (run, touchpoint_id, correction_no) DO NOTHING";
    let same = "SELECT 1 FROM reward_corrections WHERE run = ?1 AND touchpoint_id = ?2 \
                AND correction_no = ?3 AND decision_id = ?4 AND delta = ?5 AND observed_ts = ?6";
    let touchpoint = new.touchpoint.as_str();
    let decision = new.decision.get().to_be_bytes();
    let (number, delta) = (new.number, new.delta.get());
    let fields = params![run, touchpoint, number, decision, delta, new.observed_at];
    if insert(inner, sql, fields)? || exists(inner, same, fields)? {
        return Ok(());
    }
    let touchpoint = new.touchpoint.clone();
    let key = RecordKey::Correction { touchpoint, number };
    Err(conflict("reward_corrections", key))
}

fn budget_state(inner: &Inner, run: i64, new: &BudgetState) -> Result<(), StoreError> {
    const TABLE: &str = "budget_state";
    let platform = match &new.platform {
        None => ACCOUNT,
        Some(Platform::Other(name)) if &**name == ACCOUNT => {
            let column = "platform";
            return Err(StoreError::Unstorable {
                table: TABLE,
                column,
            });
        }
        Some(platform) => storable(platform, TABLE, "platform")?,
    };
    let sql = "INSERT INTO budget_state (run, date, platform, target_spend, actual_spend, \
               lambda_spend) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let same = "SELECT 1 FROM budget_state WHERE run = ?1 AND date = ?2 AND platform = ?3 \
                AND target_spend IS ?4 AND actual_spend = ?5 AND lambda_spend = ?6";
    let target = new.target_spend.map(gaelp_core::Micros::get);
    let (actual, lambda) = (new.actual_spend.get(), new.lambda_spend.ppm());
    let date = new.date.to_string();
    let fields = params![run, date, platform, target, actual, lambda];
    if insert(inner, sql, fields)? || exists(inner, same, fields)? {
        return Ok(());
    }
    let (date, platform) = (new.date, new.platform.clone());
    Err(conflict(TABLE, RecordKey::BudgetState { date, platform }))
}

fn credit(inner: &mut Inner, run: i64, new: &Credit) -> Result<(), StoreError> {
    const TABLE: &str = "credits";
    unless_empty(&new.key, new.span)?;
    let ad_set = inner.names.numbers(&inner.conn, &new.key)?.ad_set;
    let sql = "INSERT INTO credits (run, adset, ts, ts_end, noted_ts, revenue, orders) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let same = "SELECT 1 FROM credits WHERE run = ?1 AND adset = ?2 AND ts = ?3 AND ts_end = ?4 \
                AND noted_ts = ?5 AND revenue = ?6 AND orders = ?7";
    let orders = count(new.orders.millionths(), TABLE, "orders")?;
    let (ts, ts_end, noted) = (start(new.span.from), start(new.span.to), start(new.at));
    let fields = params![run, ad_set, ts, ts_end, noted, new.revenue.get(), orders];
    if insert(inner, sql, fields)? || exists(inner, same, fields)? {
        return Ok(());
    }
    let (key, span, at) = (new.key.clone(), new.span, new.at);
    Err(conflict(TABLE, RecordKey::Credit { key, span, at }))
}

fn alert(inner: &Inner, run: i64, new: &Alert) -> Result<(), StoreError> {
    let sql = "INSERT INTO alerts (run, ts, kind, subject) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (run, ts, kind, subject) DO NOTHING";
    let fields = params![run, start(new.at), new.kind.as_str(), new.subject];
    insert(inner, sql, fields).map(|_| ())
}
