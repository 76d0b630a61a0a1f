//! Reading a run's records back, in constant memory.

use std::collections::VecDeque;
use std::fmt;

use gaelp_core::{
    AdSetKey, ArmId, Choice, Decision, DecisionId, EndKind, Platform, PolicyVersion, Propensity,
    Quantity, Ratio, RewardCorrection, RuleId, TouchpointId,
};
use gaelp_rollout::{ActionRecord, Alert, BudgetState, Credit, ExperienceRecord};
use rusqlite::params;

use crate::append::{ACCOUNT, run_number};
use crate::codec::Row;
use crate::error::engine;
use crate::store::Inner;
use crate::{RunId, Store, StoreError};

/// How many records are read under one lock.
const PAGE: i64 = 512;

impl Store {
    /// What a run decided and what became of it, in order of span, platform name and ad set.
    ///
    /// **Cost.** Constant memory: it reads some hundred at a time, and holds no lock in between.
    pub fn actions(&self, run: RunId) -> Records<ActionRecord> {
        Records::new(self.clone(), run)
    }

    /// What a run left to learn from, in order of span, platform name and ad set.
    ///
    /// **Cost.** As [`Store::actions`].
    pub fn experiences(&self, run: RunId) -> Records<ExperienceRecord> {
        Records::new(self.clone(), run)
    }

    /// A run's corrections of rewards, in the order in which they were stored.
    ///
    /// **Cost.** As [`Store::actions`].
    pub fn corrections(&self, run: RunId) -> Records<RewardCorrection> {
        Records::new(self.clone(), run)
    }

    /// A run's alerts, in the order in which they were stored.
    ///
    /// **Cost.** As [`Store::actions`].
    pub fn alerts(&self, run: RunId) -> Records<Alert> {
        Records::new(self.clone(), run)
    }

    /// A run's credits of the shop's orders, in the order in which they were stored.
    ///
    /// **Cost.** As [`Store::actions`].
    pub fn credits(&self, run: RunId) -> Records<Credit> {
        Records::new(self.clone(), run)
    }

    /// A run's days, by date; of a day the account first, then the platforms by name.
    ///
    /// # Errors
    /// [`StoreError::Invalid`].
    pub fn budget_states(&self, run: RunId) -> Result<Vec<BudgetState>, StoreError> {
        let inner = self.lock();
        let Some(run) = run_number(&inner, run)? else {
            return Ok(Vec::new());
        };
        let sql = "SELECT date, platform, target_spend, actual_spend, lambda_spend \
                   FROM budget_state WHERE run = ?1 \
                   ORDER BY date, platform <> 'account', platform";
        let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
        let mut rows = statement.query([run]).map_err(engine)?;
        let mut states = Vec::new();
        while let Some(row) = rows.next().map_err(engine)? {
            states.push(budget_state(&Row::new("budget_state", row))?);
        }
        Ok(states)
    }

    /// How many records a run has left.
    ///
    /// # Errors
    /// Only those of the database.
    pub fn counts(&self, run: RunId) -> Result<Counts, StoreError> {
        let inner = self.lock();
        let Some(run) = run_number(&inner, run)? else {
            return Ok(Counts::default());
        };
        let sql = "SELECT (SELECT count(*) FROM actions_log WHERE run = ?1), \
                   (SELECT count(*) FROM experiences WHERE run = ?1), \
                   (SELECT count(*) FROM reward_corrections WHERE run = ?1), \
                   (SELECT count(*) FROM budget_state WHERE run = ?1), \
                   (SELECT count(*) FROM alerts WHERE run = ?1), \
                   (SELECT count(*) FROM metrics_hourly WHERE source = ?1), \
                   (SELECT count(*) FROM trials WHERE run = ?1)";
        let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
        let mut rows = statement.query([run]).map_err(engine)?;
        let Some(row) = rows.next().map_err(engine)? else {
            return Ok(Counts::default());
        };
        let row = Row::new("runs", row);
        Ok(Counts {
            actions: row.whole(0, "id")?,
            experiences: row.whole(1, "id")?,
            corrections: row.whole(2, "id")?,
            budget_states: row.whole(3, "id")?,
            alerts: row.whole(4, "id")?,
            metrics: row.whole(5, "id")?,
            trials: row.whole(6, "id")?,
        })
    }
}

/// How many records a run has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Decisions in `actions_log`.
    pub actions: u64,
    /// Rows of `experiences`.
    pub experiences: u64,
    /// Rows of `reward_corrections`.
    pub corrections: u64,
    /// Rows of `budget_state`.
    pub budget_states: u64,
    /// Rows of `alerts`.
    pub alerts: u64,
    /// Raw figures under the run, every revision counted.
    pub metrics: u64,
    /// Decisions in `trials`.
    pub trials: u64,
}

/// A run's records, read some hundred at a time.
///
/// It holds no lock between two pages; records that are appended meanwhile may or may not be
/// among them. After an error it ends.
#[must_use = "an iterator reads nothing until it is asked"]
pub struct Records<T> {
    store: Store,
    run: RunId,
    ready: VecDeque<T>,
    /// Where the next page begins; `None` after the last.
    after: Option<Place>,
}

impl<T> Records<T> {
    pub(crate) fn new(store: Store, run: RunId) -> Self {
        Self {
            store,
            run,
            ready: VecDeque::new(),
            after: Some(Place::default()),
        }
    }
}

impl<T> fmt::Debug for Records<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

impl<T: Paged> Iterator for Records<T> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && let Err(error) = fill(self)
        {
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }
}

/// Reads the next page, where there is one.
fn fill<T: Paged>(records: &mut Records<T>) -> Result<(), StoreError> {
    let Some(after) = records.after.take() else {
        return Ok(());
    };
    let inner = records.store.lock();
    let Some(run) = run_number(&inner, records.run)? else {
        return Ok(());
    };
    let (page, last) = T::page(&inner, run, &after)?;
    if i64::try_from(page.len()) == Ok(PAGE) {
        records.after = Some(last);
    }
    records.ready.extend(page);
    Ok(())
}

/// Where a record stands in the order of its table.
pub(crate) struct Place {
    /// `ts` or `seq`.
    number: i64,
    ts_end: i64,
    platform: String,
    ad_set: String,
    decision: Vec<u8>,
}

impl Default for Place {
    /// Before everything.
    fn default() -> Self {
        Self {
            number: i64::MIN,
            ts_end: i64::MIN,
            platform: String::new(),
            ad_set: String::new(),
            decision: Vec::new(),
        }
    }
}

impl Place {
    pub(crate) fn of(key: &AdSetKey, span: gaelp_core::HourSpan, decision: DecisionId) -> Self {
        Self {
            number: crate::codec::start(span.from),
            ts_end: crate::codec::start(span.to),
            platform: key.platform.as_str().to_owned(),
            ad_set: key.ad_set.as_str().to_owned(),
            decision: decision.get().to_be_bytes().to_vec(),
        }
    }
}

pub(crate) trait Paged: Sized {
    /// At most [`PAGE`] records after a place, and the place of the last one.
    fn page(inner: &Inner, run: i64, after: &Place) -> Result<(Vec<Self>, Place), StoreError>;
}

const ACTION: &str = "SELECT decision_id, adset_external_id, platform, ts, ts_end, mode, \
     policy_version, arm, propensity, propensity_method, current, suggested, normalised, guarded, \
     level, binding, reasons, status, sent, read_back FROM actions_log WHERE run = ?1";

const EXPERIENCE: &str = "SELECT decision_id, adset_external_id, platform, ts, ts_end, id, \
     policy_version, arm, propensity, propensity_method, state_json, action_json, reward, \
     next_state_json, cost, end_kind, schema_version \
     FROM experiences JOIN experience_meta ON experience = id WHERE run = ?1";

/// Follows [`ACTION`] or [`EXPERIENCE`]. The first comparison is what the index serves.
const NEXT: &str = " AND ts >= ?2 AND (ts, ts_end, platform, adset_external_id, decision_id) \
     > (?2, ?3, ?4, ?5, ?6) ORDER BY ts, ts_end, platform, adset_external_id, decision_id LIMIT ?7";

const ONE: &str = " AND decision_id = ?2";

/// What tables by decision begin with, and one of their records is read by.
pub(crate) trait Keyed: Sized {
    const SELECT: &str;
    const TABLE: &str;
    fn read(inner: &Inner, row: &Row<'_>) -> Result<Self, StoreError>;
    fn place(&self) -> Place;
}

impl<T: Keyed> Paged for T {
    fn page(inner: &Inner, run: i64, after: &Place) -> Result<(Vec<Self>, Place), StoreError> {
        let sql = [T::SELECT, NEXT].concat();
        let mut statement = inner.conn.prepare_cached(&sql).map_err(engine)?;
        let fields = params![
            run,
            after.number,
            after.ts_end,
            after.platform,
            after.ad_set,
            after.decision,
            PAGE,
        ];
        let mut rows = statement.query(fields).map_err(engine)?;
        let mut page = Vec::new();
        while let Some(row) = rows.next().map_err(engine)? {
            page.push(T::read(inner, &Row::new(T::TABLE, row))?);
        }
        let last = page.last().map_or_else(Place::default, T::place);
        Ok((page, last))
    }
}

pub(crate) fn one<T: Keyed>(
    inner: &Inner,
    run: i64,
    decision: DecisionId,
) -> Result<Option<T>, StoreError> {
    let sql = [T::SELECT, ONE].concat();
    let mut statement = inner.conn.prepare_cached(&sql).map_err(engine)?;
    let fields = params![run, decision.get().to_be_bytes()];
    let mut rows = statement.query(fields).map_err(engine)?;
    match rows.next().map_err(engine)? {
        Some(row) => T::read(inner, &Row::new(T::TABLE, row)).map(Some),
        None => Ok(None),
    }
}

/// The action of a decision.
pub(crate) fn action(
    inner: &Inner,
    run: i64,
    decision: DecisionId,
) -> Result<Option<ActionRecord>, StoreError> {
    one(inner, run, decision)
}

/// The experience of a decision.
pub(crate) fn experience(
    inner: &Inner,
    run: i64,
    decision: DecisionId,
) -> Result<Option<ExperienceRecord>, StoreError> {
    one(inner, run, decision)
}

pub(crate) fn key(row: &Row<'_>) -> Result<AdSetKey, StoreError> {
    let platform = Platform::new(row.text(2, "platform")?);
    Ok(AdSetKey::new(platform, row.text(1, "adset_external_id")?))
}

/// The columns 6 to 9.
fn choice(row: &Row<'_>) -> Result<Choice, StoreError> {
    let propensity = Propensity::new(row.real(8, "propensity")?);
    Ok(Choice {
        arm: ArmId::new(row.whole(7, "arm")?),
        propensity: propensity.map_err(|_| row.invalid("propensity"))?,
        method: row.json(9, "propensity_method")?,
        policy: PolicyVersion::new(row.whole(6, "policy_version")?),
    })
}

impl Keyed for ActionRecord {
    const SELECT: &str = ACTION;
    const TABLE: &str = "actions_log";

    fn read(_inner: &Inner, row: &Row<'_>) -> Result<Self, StoreError> {
        let binding = row.optional(15, "binding", Row::text)?;
        Ok(Self {
            decision: Decision {
                id: row.decision(0)?,
                key: key(row)?,
                span: row.span(3, 4)?,
                choice: choice(row)?,
                current: row.micros(10, "current")?,
                proposed: row.micros(11, "suggested")?,
                normalised: row.micros(12, "normalised")?,
                allowed: row.micros(13, "guarded")?,
                level: row.named(14, "level")?,
                binding: binding.map(|name| RuleId::from(name.to_owned())),
                reasons: row.json(16, "reasons")?,
            },
            mode: row.named(5, "mode")?,
            status: row.named(17, "status")?,
            sent: row.optional(18, "sent", Row::micros)?,
            read_back: row.optional(19, "read_back", Row::micros)?,
        })
    }

    fn place(&self) -> Place {
        Place::of(&self.decision.key, self.decision.span, self.decision.id)
    }
}

impl Keyed for ExperienceRecord {
    const SELECT: &str = EXPERIENCE;
    const TABLE: &str = "experiences";

    fn read(inner: &Inner, row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            decision: row.decision(0)?,
            key: key(row)?,
            span: row.span(3, 4)?,
            choice: choice(row)?,
            state: row.json(10, "state_json")?,
            action: row.json(11, "action_json")?,
            reward: row.micros(12, "reward")?,
            cost: row.micros(14, "cost")?,
            next_state: row.optional(13, "next_state_json", Row::json)?,
            end: row.named::<EndKind>(15, "end_kind")?,
            schema: row.whole(16, "schema_version")?,
            touchpoints: touchpoints(inner, row.int(5, "id")?)?,
        })
    }

    fn place(&self) -> Place {
        Place::of(&self.key, self.span, self.decision)
    }
}

fn touchpoints(inner: &Inner, experience: i64) -> Result<Vec<TouchpointId>, StoreError> {
    let sql = "SELECT touchpoint_id FROM experience_touchpoints WHERE experience = ?1 \
               ORDER BY position";
    let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
    let mut rows = statement.query([experience]).map_err(engine)?;
    let mut touchpoints = Vec::new();
    while let Some(row) = rows.next().map_err(engine)? {
        let row = Row::new("experience_touchpoints", row);
        touchpoints.push(TouchpointId::from(row.text(0, "touchpoint_id")?));
    }
    Ok(touchpoints)
}

impl Paged for RewardCorrection {
    fn page(inner: &Inner, run: i64, after: &Place) -> Result<(Vec<Self>, Place), StoreError> {
        let sql = "SELECT seq, touchpoint_id, correction_no, decision_id, delta, observed_ts \
                   FROM reward_corrections WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        by_number(inner, run, after, ("reward_corrections", sql), |row| {
            Ok(Self {
                touchpoint: row.text(1, "touchpoint_id")?.into(),
                number: row.whole(2, "correction_no")?,
                decision: row.decision(3)?,
                delta: row.micros(4, "delta")?,
                observed_at: row.int(5, "observed_ts")?,
            })
        })
    }
}

impl Paged for Alert {
    fn page(inner: &Inner, run: i64, after: &Place) -> Result<(Vec<Self>, Place), StoreError> {
        let sql = "SELECT seq, ts, kind, subject FROM alerts WHERE run = ?1 AND seq > ?2 \
                   ORDER BY seq LIMIT ?3";
        by_number(inner, run, after, ("alerts", sql), |row| {
            Ok(Self {
                at: row.hour(1, "ts")?,
                kind: row.named(2, "kind")?,
                subject: row.text(3, "subject")?.to_owned(),
            })
        })
    }
}

impl Paged for Credit {
    fn page(inner: &Inner, run: i64, after: &Place) -> Result<(Vec<Self>, Place), StoreError> {
        let sql = "SELECT seq, name, adset_external_id, ts, ts_end, noted_ts, revenue, orders \
                   FROM credits JOIN ad_sets ON ad_sets.id = adset \
                   JOIN platforms ON platforms.id = platform \
                   WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        by_number(inner, run, after, ("credits", sql), |row| {
            let platform = Platform::new(row.text(1, "platform")?);
            Ok(Self {
                key: AdSetKey::new(platform, row.text(2, "adset")?),
                span: row.span(3, 4)?,
                at: row.hour(5, "noted_ts")?,
                revenue: row.micros(6, "revenue")?,
                orders: Quantity::from_millionths(row.whole(7, "orders")?),
            })
        })
    }
}

/// A page of a table that is ordered by `seq`, its first column.
pub(crate) fn by_number<T>(
    inner: &Inner,
    run: i64,
    after: &Place,
    (table, sql): (&'static str, &str),
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<(Vec<T>, Place), StoreError> {
    let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
    let fields = params![run, after.number, PAGE];
    let mut rows = statement.query(fields).map_err(engine)?;
    let (mut page, mut last) = (Vec::new(), Place::default());
    while let Some(row) = rows.next().map_err(engine)? {
        let row = Row::new(table, row);
        last.number = row.int(0, "seq")?;
        page.push(read(&row)?);
    }
    Ok((page, last))
}

fn budget_state(row: &Row<'_>) -> Result<BudgetState, StoreError> {
    let date = row.text(0, "date")?.parse();
    let platform = row.text(1, "platform")?;
    Ok(BudgetState {
        date: date.map_err(|_| row.invalid("date"))?,
        platform: (platform != ACCOUNT).then(|| Platform::new(platform)),
        target_spend: row.optional(2, "target_spend", Row::micros)?,
        actual_spend: row.micros(3, "actual_spend")?,
        lambda_spend: Ratio::from_ppm(row.int(4, "lambda_spend")?),
    })
}
