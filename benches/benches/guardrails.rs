//! How long a verdict takes, and the window behind it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gaelp_core::{
    AccountZone, AdSetKey, HourSpan, MetricRow, Metrics, Micros, Platform, Quantity, Ratio,
    Revision, UtcHour,
};
use gaelp_guardrails::{Context, GuardrailConfig, SpentToday, Trailing};

const NOW: UtcHour = UtcHour::new(498_666);

/// Every rule is on; the window and the search for a conversion are as long as given.
fn every_rule(hours: u32) -> GuardrailConfig {
    GuardrailConfig {
        ad_set_daily_cap: Some(Micros::new(5_000_000)),
        roas_window_hours: hours,
        freeze_cpa_above: Some(Micros::new(9_000_000)),
        freeze_without_conversion_hours: Some(hours),
        canary: Some((0..64).map(|id| id.to_string().into()).collect()),
        ..GuardrailConfig::default()
    }
}

/// Reported hours without a conversion, so that the search for one is as long as it can be.
fn reported(key: &AdSetKey, hours: i32) -> Trailing {
    let mut trailing = Trailing::new(hours.unsigned_abs());
    for hour in HourSpan::new(NOW.plus(-hours), NOW).iter() {
        let row = MetricRow {
            key: key.clone(),
            span: HourSpan::hour(hour),
            revision: Revision::default(),
            metrics: Metrics {
                spend: Micros::new(400_000),
                impressions: 900,
                clicks: 12,
                conversions: Quantity::ZERO,
                revenue: Micros::new(700_000),
            },
        };
        trailing.record(&row).expect("hours are recorded in order");
    }
    trailing
}

fn verdicts(c: &mut Criterion) {
    let key = AdSetKey::new(Platform::Meta, "23");
    let mut group = c.benchmark_group("guardrails");
    for hours in [12, 72] {
        let trailing = reported(&key, 96);
        let guardrails = every_rule(hours)
            .validate()
            .expect("the settings are valid");
        let lenient = GuardrailConfig {
            freeze_roas_below: Some(Ratio::ONE),
            freeze_cpa_above: None,
            freeze_without_conversion_hours: None,
            ..every_rule(hours)
        };
        let lenient = lenient.validate().expect("the settings are valid");
        let local = AccountZone::UTC.local(NOW);
        let current = Micros::new(500_000);
        let context = Context {
            day_ago: Some(Micros::new(480_000)),
            spent: SpentToday {
                account: Some(Micros::new(4_000_000)),
                ad_set: Some(Micros::new(2_000_000)),
                ..SpentToday::default()
            },
            share: Some(Micros::new(600_000)),
            ..Context::new(&key, HourSpan::hour(NOW), local, current, &trailing, NOW)
        };
        let id = |name: &str| BenchmarkId::new(name, format!("{hours}h"));
        let proposed = Micros::new(750_000);
        group.bench_function(id("evaluate/all_rules"), |b| {
            b.iter(|| guardrails.evaluate(black_box(&context), black_box(proposed)));
        });
        let allowed = Micros::new(510_000);
        group.bench_function(id("evaluate/no_objection"), |b| {
            b.iter(|| lenient.evaluate(black_box(&context), black_box(allowed)));
        });
        group.bench_function(id("may_raise"), |b| {
            b.iter(|| guardrails.may_raise(black_box(&context)));
        });
        group.bench_function(id("window"), |b| {
            b.iter(|| trailing.window(black_box(NOW), black_box(hours)));
        });
    }
    group.finish();
}

fn records(c: &mut Criterion) {
    let key = AdSetKey::new(Platform::Meta, "23");
    let full = reported(&key, 96);
    let mut row = MetricRow {
        key,
        span: HourSpan::hour(NOW),
        revision: Revision::default(),
        metrics: Metrics::default(),
    };
    c.bench_function("guardrails/record/next_of_96h", |b| {
        let (mut trailing, mut hour) = (full.clone(), NOW);
        b.iter(|| {
            row.span = HourSpan::hour(hour);
            hour = hour.plus(1);
            trailing.record(black_box(&row))
        });
    });
}

criterion_group!(benches, verdicts, records);
criterion_main!(benches);
