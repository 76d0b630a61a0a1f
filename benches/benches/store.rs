//! How fast figures and records go into SQLite and come out again.
//!
//! Databases are files in a temporary folder with `synchronous = FULL`, so a commit waits for the
//! disk: the figures depend on it. Rows are 114 ad sets hour by hour; everything is fixed.

use std::cell::LazyCell;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gaelp_core::{
    AccountZone, AdSetKey, ArmId, Choice, Currency, Decision, DecisionId, EndKind, Experience,
    HourSpan, Level, Metrics, Micros, Operand, Platform, PolicyVersion, Propensity,
    PropensityMethod, Quantity, Ratio, Reason, RuleId, UtcHour,
};
use gaelp_ledger::{
    Book, GENESIS, Ledger, LedgerConfig, LedgerStore, Order as Word, Request, Sealed,
};
use gaelp_platform::{AdPlatform, Capabilities};
use gaelp_rollout::{
    Action, ActionRecord, ActionStatus, Journal, Mode, Record, STATE_SCHEMA, State,
};
use gaelp_store::{FileId, OnDuplicate, RunId, SqliteLedger, Store};
use pollster::block_on;
use tempfile::TempDir;

const START: UtcHour = UtcHour::new(490_000);
const AD_SETS: i32 = 114;
/// Decisions of a run: 500 hours of all ad sets.
const STEPS: u32 = 57_000;
/// Records of a commit: an hour of all ad sets, or ten.
const BATCHES: [u32; 2] = [114, 1_140];
const RUN: RunId = RunId::new([7; 32]);

/// In what order an export lists its rows.
#[derive(Clone, Copy)]
enum Order {
    /// Hour by hour.
    ByTime,
    /// One ad set after the other, as most exports do.
    ByAdSet,
}

fn keys() -> Vec<AdSetKey> {
    let key = |n| AdSetKey::new(Platform::Meta, format!("23851234567890{n:03}"));
    (0..AD_SETS).map(key).collect()
}

fn metrics(n: i32) -> Metrics {
    Metrics {
        spend: Micros::new(i64::from(n % 997) * 1_000),
        impressions: u64::from(n.unsigned_abs() % 4_999),
        clicks: u64::from(n.unsigned_abs() % 97),
        conversions: Quantity::from_millionths(u64::from(n.unsigned_abs() % 3) * 500_000),
        revenue: Micros::new(i64::from(n % 89) * 100_000),
    }
}

fn new_store() -> (TempDir, Store) {
    let folder = TempDir::new().expect("a temporary folder");
    let store = Store::open(folder.path().join("bench.sqlite")).expect("a new database");
    (folder, store)
}

fn import(store: &Store, rows: i32, order: Order) -> FileId {
    let keys = keys();
    let hours = rows / AD_SETS;
    let mut import = store.import().expect("the only writer");
    let file = import
        .file([1; 32], "bench.csv", "bench")
        .expect("a new file")
        .id();
    for n in 0..hours * AD_SETS {
        let (ad_set, hour) = match order {
            Order::ByTime => (n % AD_SETS, n / AD_SETS),
            Order::ByAdSet => (n / hours, n % hours),
        };
        let key = &keys[usize::try_from(ad_set).expect("not negative")];
        let span = HourSpan::hour(START.plus(hour));
        let taken = import.metric(file, key, span, &metrics(n), OnDuplicate::Refuse);
        taken.expect("a new row");
    }
    import.commit().expect("room on the disk");
    file
}

fn imports(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store/import");
    group.sample_size(10);
    for (rows, size) in [(100_000, "100k"), (1_000_000, "1m")] {
        group.throughput(Throughput::Elements(u64::from(
            (rows / AD_SETS * AD_SETS).unsigned_abs(),
        )));
        for (order, name) in [(Order::ByTime, "by_time"), (Order::ByAdSet, "by_ad_set")] {
            group.bench_function(format!("{name}/{size}"), |bencher| {
                bencher.iter_batched(
                    new_store,
                    |(folder, store)| {
                        import(&store, rows, order);
                        (folder, store)
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

fn decision(n: u32) -> Decision {
    let hour = START.plus(i32::try_from(n / 114).expect("few"));
    let reason = |rule, level, ceiling| Reason {
        rule: RuleId::new(rule),
        level,
        ceiling: Some(Micros::new(ceiling)),
        observed: Operand::Money(Micros::new(625_000)),
        threshold: Operand::Ratio(Ratio::from_ppm(100_000)),
    };
    Decision {
        id: DecisionId::derive(&[&n.to_le_bytes()]),
        key: AdSetKey::new(Platform::Meta, format!("23851234567890{:03}", n % 114)),
        span: HourSpan::hour(hour),
        choice: Choice {
            arm: ArmId::new(n % 4),
            propensity: Propensity::new(0.25).expect("in (0, 1]"),
            method: PropensityMethod::Exact,
            policy: PolicyVersion::new(u64::from(n)),
        },
        current: Micros::new(500_000),
        proposed: Micros::new(625_000),
        normalised: Micros::new(625_000),
        allowed: Micros::new(550_000),
        level: Level::Clamp,
        binding: Some(RuleId::new("delta_hour")),
        reasons: vec![
            reason("delta_hour", Level::Clamp, 550_000),
            reason("daily_cap", Level::Clamp, 600_000),
        ],
    }
}

fn action(n: u32) -> Record {
    Record::Action(Box::new(ActionRecord {
        decision: decision(n),
        mode: Mode::Shadow,
        status: ActionStatus::Shadow,
        sent: None,
        read_back: None,
    }))
}

fn experience(n: u32) -> Record {
    let decision = decision(n);
    let state = State {
        hour: 18,
        weekday: 2,
        current: Micros::new(500_000),
        spend_24h: Micros::new(9_500_000),
        revenue_24h: Micros::new(21_250_000),
        clicks_24h: 207,
        conversions_24h: 1_500_000,
        account_spent_today: Micros::new(4_000_000),
        lambda: Ratio::from_ppm(200_000),
    };
    Record::Experience(Box::new(Experience {
        decision: decision.id,
        key: decision.key,
        span: decision.span,
        choice: decision.choice,
        state,
        action: Action {
            multiplier: Ratio::from_ppm(750_000),
            allowed: Micros::new(550_000),
            executed: false,
        },
        reward: Micros::new(1_250_000),
        cost: Micros::new(500_000),
        next_state: Some(state),
        end: EndKind::Continuing,
        schema: STATE_SCHEMA,
        touchpoints: Vec::new(),
    }))
}

/// The records of a step.
type Records = fn(u32) -> Vec<Record>;

/// Appends in batches of a size, each with its commit.
fn append(store: &Store, records: Vec<Record>, batch: u32) {
    let mut journal = store.journal(RUN);
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let batch = records.by_ref().take(batch as usize).collect();
        block_on(journal.append(batch)).expect("a journal");
        block_on(journal.commit()).expect("room on the disk");
    }
}

fn journals(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store/append");
    group.sample_size(10);
    let kinds: [(&str, Records); 3] = [
        ("actions", |n| vec![action(n)]),
        ("experiences", |n| vec![experience(n)]),
        ("both", |n| vec![action(n), experience(n)]),
    ];
    for (name, records) in kinds {
        let count = (0..1).flat_map(records).count();
        group.throughput(Throughput::Elements(u64::from(STEPS) * count as u64));
        for batch in BATCHES {
            group.bench_function(format!("{name}/batch{batch}"), |bencher| {
                let set_up = || (new_store(), (0..STEPS).flat_map(records).collect());
                bencher.iter_batched(
                    set_up,
                    |((folder, store), records)| {
                        append(&store, records, batch);
                        (folder, store)
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("commit/one_action", |bencher| {
        let (_folder, store) = new_store();
        let mut journal = store.journal(RUN);
        let mut n = 0;
        bencher.iter(|| {
            n += 1;
            block_on(journal.append(vec![action(n)])).expect("a journal");
            block_on(journal.commit()).expect("room on the disk");
        });
    });
    group.finish();
}

/// A database of a million rows and the actions of [`STEPS`] steps.
struct Filled {
    store: Store,
    file: FileId,
    _folder: TempDir,
}

fn reads(criterion: &mut Criterion) {
    const ROWS: i32 = 1_000_000 / AD_SETS * AD_SETS;
    // Made only where one of these is asked for.
    let filled = LazyCell::new(|| {
        let (folder, store) = new_store();
        let file = import(&store, ROWS, Order::ByAdSet);
        append(&store, (0..STEPS).map(action).collect(), 5_700);
        Filled {
            store,
            file,
            _folder: folder,
        }
    });
    let mut group = criterion.benchmark_group("store/read");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(AD_SETS.unsigned_abs())));
    group.bench_function("report/hour/1m", |bencher| {
        let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
        let recorded = filled.store.recorded(&[filled.file], meta);
        let mut hour = 0;
        bencher.iter(|| {
            hour = (hour + 1) % (ROWS / AD_SETS);
            let span = HourSpan::hour(START.plus(hour));
            let report = block_on(recorded.report(span)).expect("a report");
            assert_eq!(report.rows.len(), usize::try_from(AD_SETS).expect("few"));
            black_box(report)
        });
    });
    group.throughput(Throughput::Elements(u64::from(ROWS.unsigned_abs())));
    group.bench_function("coverage/1m", |bencher| {
        bencher.iter(|| {
            filled
                .store
                .coverage(black_box(&[filled.file]))
                .expect("a summary")
        });
    });
    group.bench_function("rows/1m", |bencher| {
        bencher.iter(|| {
            filled
                .store
                .rows(black_box(&[filled.file]))
                .expect("rows")
                .count()
        });
    });
    group.throughput(Throughput::Elements(u64::from(STEPS)));
    group.bench_function("actions/57k", |bencher| {
        bencher.iter(|| filled.store.actions(black_box(RUN)).count());
    });
    group.finish();
}

/// A ledger on disk. An entry is durable, and its anchor too, when `execute` returns.
fn ledgers(criterion: &mut Criterion) {
    /// Entries of a log that is opened: some weeks of a small account.
    const ENTRIES: u64 = 10_000;
    let limits = LedgerConfig::new(AccountZone::UTC, Micros::new(20_000_000))
        .with_platform(Platform::Meta, Ratio::ONE)
        .validate()
        .expect("sensible limits");
    let mut group = criterion.benchmark_group("store/ledger");
    group.sample_size(20);
    group.throughput(Throughput::Elements(1));
    let folder = TempDir::new().expect("a temporary folder");
    let open = |name: &str| SqliteLedger::open(folder.path().join(name), "main").expect("opens");
    let mut ledger = block_on(Ledger::open(limits, open("execute"))).expect("a new ledger");
    let mut paused = false;
    group.bench_function("execute/one_entry", |bencher| {
        bencher.iter(|| {
            let order = if paused { Word::Resume } else { Word::Pause };
            paused = !paused;
            let request = Request::Order {
                order,
                by: "bench".to_owned(),
                at: START.start(),
            };
            block_on(ledger.execute(request)).expect("room on the disk")
        });
    });
    group.bench_function("refresh/nothing_new", |bencher| {
        bencher.iter(|| block_on(ledger.refresh()).map(Book::seq));
    });
    // Opening verifies the chain of the whole log; what the entries say does not matter to it.
    let long = LazyCell::new(|| {
        let payload = format!("{{\"filler\":\"{}\"}}", "x".repeat(280));
        let mut head = GENESIS;
        let next = |seq| {
            head = head.then(seq, &payload);
            let (payload, hash) = (payload.clone(), head);
            Sealed { seq, payload, hash }
        };
        let entries: Vec<Sealed> = (1..=ENTRIES).map(next).collect();
        block_on(open("open").transact(0, &mut |_| entries.clone())).expect("room on the disk");
    });
    group.throughput(Throughput::Elements(ENTRIES));
    group.bench_function("open/10k", |bencher| {
        LazyCell::force(&long);
        bencher.iter(|| open("open"));
    });
    group.finish();
}

criterion_group!(benches, imports, journals, reads, ledgers);
criterion_main!(benches);
