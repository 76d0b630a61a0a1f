//! What several modules need.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use gaelp_core::{
    AccountZone, AdSetKey, ArmId, Choice, Decision, DecisionId, EndKind, Experience, HourSpan,
    Level, MetricRow, Metrics, Micros, Operand, Platform, PolicyVersion, Propensity,
    PropensityMethod, Quantity, Ratio, Reason, Revision, RewardCorrection, RuleId, TouchpointId,
    UtcHour,
};
use gaelp_guardrails::{GuardrailConfig, Memory, Policy, RevisionDigest, Verdict};
use gaelp_ledger::{LedgerConfig, LedgerStore, Limits, Order, Request, Sealed};
use gaelp_rollout::{
    Action, ActionRecord, ActionStatus, Alert, AlertKind, BudgetState, Credit, ExperienceRecord,
    Journal, Mode, PlanRecord, Record, State, TrialRecord, Tried,
};
use gaelp_store::{RunJournal, SqliteLedger, StoreError};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;

/// An hour in November 2025.
pub(crate) const NOON: UtcHour = UtcHour::new(490_000);

pub(crate) fn key(name: &str) -> AdSetKey {
    AdSetKey::new(Platform::Meta, name)
}

pub(crate) fn spend(micros: i64) -> Metrics {
    Metrics {
        spend: Micros::new(micros),
        ..Metrics::default()
    }
}

/// The `n`-th decision of a made-up run: three ad sets in turn, an hour each.
pub(crate) fn decision(n: u32) -> Decision {
    let hour = NOON.plus(i32::try_from(n / 3).expect("small"));
    Decision {
        id: DecisionId::derive(&[&n.to_le_bytes()]),
        key: AdSetKey::new(
            [Platform::Meta, Platform::Google, Platform::TikTok][n as usize % 3].clone(),
            format!("ad set {}", n % 3),
        ),
        span: HourSpan::hour(hour),
        choice: Choice {
            arm: ArmId::new(n % 4),
            propensity: Propensity::new(1.0 / f64::from(n % 7 + 1)).expect("in (0, 1]"),
            method: PropensityMethod::Quadrature { error: 1e-12 },
            policy: PolicyVersion::new(u64::from(n)),
        },
        current: Micros::new(500_000),
        proposed: Micros::new(625_000 + i64::from(n)),
        normalised: Micros::new(625_000),
        allowed: Micros::new(550_000),
        level: Level::Clamp,
        binding: Some(RuleId::new("delta_hour")),
        reasons: vec![Reason {
            rule: RuleId::new("delta_hour"),
            level: Level::Clamp,
            ceiling: Some(Micros::new(550_000)),
            observed: Operand::Money(Micros::new(625_000)),
            threshold: Operand::Ratio(Ratio::from_ppm(100_000)),
        }],
    }
}

pub(crate) fn action(n: u32, status: ActionStatus) -> ActionRecord {
    ActionRecord {
        decision: decision(n),
        mode: Mode::Pilot,
        status,
        sent: Some(Micros::new(13_200_000)),
        read_back: None,
    }
}

pub(crate) fn state(n: u32) -> State {
    State {
        hour: 18,
        weekday: 2,
        current: Micros::new(500_000),
        spend_24h: Micros::new(i64::from(n)),
        revenue_24h: Micros::new(-1),
        clicks_24h: 7,
        conversions_24h: 1_500_000,
        account_spent_today: Micros::new(4_000_000),
        lambda: Ratio::from_ppm(200_000),
    }
}

pub(crate) fn experience(n: u32) -> ExperienceRecord {
    let decision = decision(n);
    Experience {
        decision: decision.id,
        key: decision.key,
        span: decision.span,
        choice: decision.choice,
        state: state(n),
        action: Action {
            multiplier: Ratio::from_ppm(750_000),
            allowed: Micros::new(550_000),
            executed: false,
        },
        reward: Micros::new(i64::from(n) - 5),
        cost: Micros::new(i64::from(n)),
        next_state: (!n.is_multiple_of(5)).then(|| state(n + 1)),
        end: [EndKind::Continuing, EndKind::Terminal, EndKind::Truncated][n as usize % 3],
        schema: 1,
        touchpoints: (0..n % 3)
            .map(|t| format!("touch {n}.{t}").into())
            .collect(),
    }
}

pub(crate) fn correction(n: u32) -> RewardCorrection {
    RewardCorrection {
        touchpoint: TouchpointId::from(format!("touch {}", n / 2)),
        number: n % 2,
        decision: decision(n).id,
        delta: Micros::new(i64::from(n) * 1_000_000),
        observed_at: 1_764_000_000_000_000 + i64::from(n),
    }
}

pub(crate) fn budget_state(n: u32) -> BudgetState {
    let epoch: chrono::NaiveDate = "2025-11-24".parse().expect("a date");
    BudgetState {
        date: epoch + chrono::Days::new(u64::from(n / 2)),
        platform: n.is_multiple_of(2).then_some(Platform::TikTok),
        target_spend: (!n.is_multiple_of(2)).then_some(Micros::new(10_000_000)),
        actual_spend: Micros::new(i64::from(n)),
        lambda_spend: Ratio::from_ppm(200_000 - i64::from(n)),
    }
}

pub(crate) fn alert(n: u32) -> Alert {
    let kinds = [
        AlertKind::ReportFailed,
        AlertKind::WriteUnknown,
        AlertKind::Contradiction,
    ];
    Alert {
        at: NOON.plus(i32::try_from(n).expect("small")),
        kind: kinds[n as usize % 3],
        subject: format!("meta/{n}"),
    }
}

pub(crate) fn metric_row(n: u32) -> MetricRow {
    let decision = decision(n);
    MetricRow {
        key: decision.key,
        span: decision.span,
        revision: Revision::new(n % 2),
        metrics: Metrics {
            spend: Micros::new(i64::from(n)),
            impressions: u64::from(n) * 100,
            clicks: u64::from(n),
            conversions: Quantity::from_millionths(1),
            revenue: Micros::new(-3),
        },
    }
}

pub(crate) fn credit(n: u32) -> Credit {
    let hour = NOON.plus(i32::try_from(n).expect("few"));
    Credit {
        key: AdSetKey::new(Platform::Meta, format!("ad set {}", n % 3)),
        span: HourSpan::hour(hour),
        revenue: Micros::new(i64::from(n) * 1_000_001 - 2_000_000),
        orders: Quantity::from_millionths(u64::from(n) * 333_333),
        at: hour.plus(1),
    }
}

/// A plan of two ad sets, or none where minimums are in the way.
pub(crate) fn plan(n: u32) -> PlanRecord {
    let hour = NOON.plus(i32::try_from(n).expect("few"));
    let outcome = if n.is_multiple_of(3) {
        serde_json::json!({"infeasible": {"why": "the minimums add up to 12.00 — too much"}})
    } else {
        serde_json::json!({"planned": {
            "total": 9_000_000, "level": 1.234_567_890_123_456_7, "ends": "goal", "value": 0.1,
            "bound": 0.1 + 1e-16, "gap": 1e-17, "best_move": -1e-300, "falls_freed": true,
        }})
    };
    let arm = |name: &str, binding: serde_json::Value| {
        serde_json::json!({
            "key": AdSetKey::new(Platform::Meta, name), "multiplier": 1.25, "current": 400_000,
            "least": 400_000, "most": 440_000, "proposed": 430_001 + n,
            "marginal_profit": -0.1, "binding": binding,
        })
    };
    let plan = serde_json::json!({
        "span": HourSpan::hour(hour),
        "pace": {
            "lambda": 0.2, "allowance": 410_000 + n, "planned": 420_000, "reserve": 1,
            "room": 9_999_999, "binds": "cap",
        },
        "daily": 10_000_000, "fixed": 3, "outcome": outcome,
        "arms": [arm("α", "too_little".into()), arm("b", serde_json::json!({"group_cap": 1}))],
    });
    serde_json::from_value(plan).expect("a plan")
}

/// A verdict that a policy on trial may have given, and what an observed rule said.
pub(crate) fn trial(n: u32) -> TrialRecord {
    let decision = decision(n);
    let reason = |rule: &str, level| Reason {
        rule: RuleId::from(rule.to_owned()),
        level,
        ceiling: Some(Micros::new(500_000 + i64::from(n))),
        observed: Operand::Ratio(Ratio::from_ppm(1_499_999)),
        threshold: Operand::Undefined,
    };
    let levels = [Level::Allow, Level::Clamp, Level::Freeze, Level::Deny];
    let verdict = Verdict {
        proposed: decision.proposed,
        normalised: decision.normalised,
        allowed: Micros::new(1_000 * i64::from(n)),
        level: levels[n as usize % 4],
        binding: Some(RuleId::new("hourly_ceiling")),
        reasons: vec![reason("hourly_ceiling", Level::Clamp)],
        observed: vec![reason("freeze_roas", Level::Freeze)],
        overruled: None,
        bid: Some(Micros::new(800_000)),
        revisions: RevisionDigest::default(),
        memory: Memory {
            evaluated: Some(decision.span.from),
            ..Memory::default()
        },
    };
    let config = GuardrailConfig {
        dwell_hours: n % 7,
        ..GuardrailConfig::default()
    };
    let policy = Policy::new(config).expect("sensible rules").hash();
    TrialRecord {
        decision: decision.id,
        key: decision.key,
        span: decision.span,
        observed: vec![reason("taper", Level::Clamp); n as usize % 3],
        candidate: (!n.is_multiple_of(5)).then_some(Tried { policy, verdict }),
    }
}

/// One record of every kind.
pub(crate) fn records(n: u32) -> Vec<Record> {
    vec![
        Record::Metrics(metric_row(n)),
        Record::Action(Box::new(action(n, ActionStatus::Pending))),
        Record::Trial(Box::new(trial(n))),
        Record::Experience(Box::new(experience(n))),
        Record::Correction(correction(n)),
        Record::BudgetState(budget_state(n)),
        Record::Alert(alert(n)),
        Record::Credit(credit(n)),
        Record::Plan(Box::new(plan(n))),
    ]
}

/// The account whose ledger the tests write.
pub(crate) const ACCOUNT: &str = "main";

pub(crate) fn limits() -> Limits {
    LedgerConfig::new(AccountZone::UTC, Micros::new(20_000_000))
        .with_platform(Platform::Meta, Ratio::from_ppm(1_750_000))
        .validate()
        .expect("sensible limits")
}

/// The `n`-th request of a made-up ledger: each is one entry.
pub(crate) fn order(n: u32) -> Request {
    let orders = [Order::Pause, Order::Kill, Order::Resume, Order::Rearm];
    Request::Order {
        order: orders[n as usize % orders.len()],
        by: format!("operator {n}"),
        at: NOON.plus(i32::try_from(n / 60).expect("few")).start(),
    }
}

/// The entries of a log after a place.
pub(crate) fn read_log(log: &mut SqliteLedger, after: u64) -> Result<Vec<Sealed>, StoreError> {
    let mut read = Vec::new();
    let mut decide = |entries| {
        read = entries;
        Vec::new()
    };
    pollster::block_on(log.transact(after, &mut decide))?;
    Ok(read)
}

pub(crate) fn commit(journal: &mut RunJournal, records: Vec<Record>) -> Result<(), StoreError> {
    pollster::block_on(async {
        journal.append(records).await?;
        journal.commit().await
    })
}

/// Everything in a database: each table's number of rows and a digest of them.
pub(crate) fn dump(path: &Path) -> BTreeMap<String, (usize, u64)> {
    let connection = Connection::open(path).expect("opens");
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .expect("a schema");
    let names = tables.query_map([], |row| row.get::<_, String>(0));
    let digest = |name: String| {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {name}"))
            .expect("a table");
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values = (0..columns).map(|column| row.get::<_, Value>(column));
            Ok(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?))
        });
        let rows: Result<Vec<_>, _> = rows.expect("rows").collect();
        let mut rows = rows.expect("rows");
        rows.sort();
        let mut hasher = DefaultHasher::new();
        rows.hash(&mut hasher);
        (name, (rows.len(), hasher.finish()))
    };
    names
        .expect("names")
        .map(|name| digest(name.expect("a name")))
        .collect()
}

pub(crate) fn metrics_strategy() -> impl Strategy<Value = Metrics> {
    let big = 0..1_u64 << 40;
    (
        -1_i64 << 40..1 << 40,
        big.clone(),
        big.clone(),
        big,
        -1_i64 << 40..1 << 40,
    )
        .prop_map(
            |(spend, impressions, clicks, conversions, revenue)| Metrics {
                spend: Micros::new(spend),
                impressions,
                clicks,
                conversions: Quantity::from_millionths(conversions),
                revenue: Micros::new(revenue),
            },
        )
}

pub(crate) fn key_strategy() -> impl Strategy<Value = AdSetKey> {
    let platform = prop_oneof![
        Just(Platform::Meta),
        Just(Platform::Google),
        Just(Platform::new("exchange-2")),
    ];
    (platform, "[a-c]|Ünïcode \u{1f4b8}|")
        .prop_map(|(platform, name)| AdSetKey::new(platform, name))
}
