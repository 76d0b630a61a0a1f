//! How long a verdict takes, and the window behind it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gaelp_core::{
    AccountZone, AdSetKey, AudienceId, HourSpan, MetricRow, Metrics, Micros, Platform, Quantity,
    Ratio, Revision, UtcHour,
};
use gaelp_guardrails::{
    Bid, BreakerConfig, BreakerPhase, CallOutcome, Context, Expected, Exploration, GuardrailConfig,
    Health, Memory, Policies, Policy, RaiseCaps, Raised, SpentToday, Taper, Traffic, Trailing,
    UsualSpend, Writes, rules,
};

const NOW: UtcHour = UtcHour::new(498_666);

/// Every rule is on; the window and the search for a conversion are as long as given.
fn every_rule(hours: u32) -> GuardrailConfig {
    let cap = |micros| Some(Micros::new(micros));
    GuardrailConfig {
        ad_set_daily_cap: cap(5_000_000),
        campaign_daily_cap: cap(8_000_000),
        platform_daily_caps: [(Platform::Meta, Micros::new(9_000_000))].into(),
        hourly_raise_caps: RaiseCaps {
            account: cap(900_000),
            platform: cap(800_000),
            campaign: cap(700_000),
            ad_set: cap(600_000),
        },
        taper: Some(Taper {
            from: Ratio::from_ppm(300_000),
            least: Ratio::from_ppm(250_000),
        }),
        exploration_daily_cap: cap(1_000_000),
        bid_floor: cap(100_000),
        bid_ceiling: cap(900_000),
        delta_max_normalised: Some(Ratio::from_ppm(100_000)),
        delta_max_24h_normalised: Some(Ratio::from_ppm(300_000)),
        restricted_hours: "1-5".parse().ok(),
        roas_window_hours: hours,
        freeze_cpa_above: cap(9_000_000),
        max_cpa_multiplier: Some(Ratio::from_ppm(2_000_000)),
        freeze_without_conversion_hours: Some(hours),
        max_spike: Some(Ratio::from_ppm(3_000_000)),
        max_edits_per_hour: Some(4),
        canary: Some((0..64).map(|id| id.to_string().into()).collect()),
        blocked: (100..164).map(|id| id.to_string().into()).collect(),
        canary_audiences: Some((0..16).map(|id| id.to_string().into()).collect()),
        blocked_audiences: (100..116).map(|id| id.to_string().into()).collect(),
        require: rules::requirable().cloned().collect(),
        ..GuardrailConfig::default()
    }
}

/// The facts that all of these rules look at.
fn every_fact<'a>(
    key: &'a AdSetKey,
    audience: &'a AudienceId,
    trailing: &'a Trailing,
) -> Context<'a> {
    let (span, local) = (HourSpan::hour(NOW), AccountZone::UTC.local(NOW));
    let money = |micros| Some(Micros::new(micros));
    Context {
        day_ago: money(480_000),
        spent: SpentToday {
            account: money(4_000_000),
            platform: money(3_000_000),
            campaign: money(2_500_000),
            ad_set: money(2_000_000),
        },
        share: money(600_000),
        target_today: money(9_000_000),
        raised: Raised {
            account: money(100_000),
            platform: money(100_000),
            campaign: money(50_000),
            ad_set: money(0),
        },
        writes: Writes {
            headroom: money(700_000),
            unresolved: None,
            reconciled: Some(true),
            external_edit: Some(NOW.plus(-100)),
            edits_last_hour: Some(1),
        },
        traffic: Some(Traffic {
            before: Ratio::from_ppm(50_000),
            next: Ratio::from_ppm(56_000),
            day_ago: Some(Ratio::from_ppm(55_000)),
        }),
        expected: Expected {
            conversions_per_hour: Some(Quantity::from_millionths(1_000_000)),
            cpa: money(6_000_000),
        },
        usual: Some(UsualSpend {
            last_hour: Micros::new(450_000),
            usual: Micros::new(400_000),
            weeks: 4,
        }),
        bid: Some(Bid {
            current: Micros::new(500_000),
            proposed: Micros::new(550_000),
        }),
        exploration: Some(Exploration {
            at_risk_today: Micros::new(100_000),
        }),
        audience: Some(audience),
        health: Health {
            breaker: Some(BreakerPhase::Closed),
            clock_trouble: false,
        },
        ..Context::new(key, span, local, Micros::new(500_000), trailing, NOW)
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
    let audience = AudienceId::from("7");
    let mut group = c.benchmark_group("guardrails");
    for hours in [12, 72] {
        let trailing = reported(&key, 96);
        let guardrails = every_rule(hours)
            .validate()
            .expect("the settings are valid");
        // The same rules, none of which objects to what is proposed here.
        let lenient = GuardrailConfig {
            freeze_roas_below: Some(Ratio::ONE),
            freeze_cpa_above: Some(Micros::new(900_000_000)),
            max_cpa_multiplier: Some(Ratio::from_ppm(900_000_000)),
            freeze_without_conversion_hours: Some(200),
            ..every_rule(hours)
        };
        let lenient = lenient.validate().expect("the settings are valid");
        let context = every_fact(&key, &audience, &trailing);
        let id = |name: &str| BenchmarkId::new(name, format!("{hours}h"));
        let (proposed, allowed) = (Micros::new(750_000), Micros::new(510_000));
        let verdict = lenient.evaluate(&context, allowed);
        assert_eq!((verdict.allowed, verdict.reasons.len()), (allowed, 0));
        assert!(guardrails.evaluate(&context, proposed).reasons.len() > 4);
        group.bench_function(id("evaluate/all_rules"), |b| {
            b.iter(|| guardrails.evaluate(black_box(&context), black_box(proposed)));
        });
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
    let trailing = reported(&key, 96);
    group.bench_function("context", |b| {
        b.iter(|| every_fact(black_box(&key), black_box(&audience), black_box(&trailing)));
    });
    let policy = |config| Policy::new(config).expect("the settings are valid");
    let mut policies = Policies::new(policy(every_rule(12)), 24);
    policies.try_out(Some(policy(every_rule(24))));
    let context = every_fact(&key, &audience, &trailing);
    group.bench_function("evaluate/with_candidate", |b| {
        let proposed = Micros::new(750_000);
        b.iter(|| policies.evaluate(black_box(&context), Memory::default(), black_box(proposed)));
    });
    group.finish();
}

fn breakers(c: &mut Criterion) {
    let config = BreakerConfig::default();
    let mut breaker = config.validate().expect("the defaults are valid");
    let now = NOW.start();
    c.bench_function("guardrails/breaker/permit_and_record", |b| {
        b.iter(|| {
            assert!(breaker.permit(black_box(now)));
            breaker.record(black_box(CallOutcome::Success), now)
        });
    });
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

criterion_group!(benches, verdicts, records, breakers);
criterion_main!(benches);
