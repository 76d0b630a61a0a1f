//! What an evaluation allocates. It is a binary of its own because it counts in the global
//! allocator, by thread.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and helpers are part of it"
)]

use allocation_counter::{AllocationInfo, measure};
use gaelp_core::{
    AccountZone, AdSetKey, AudienceId, HourSpan, MetricRow, Metrics, Micros, Platform, Quantity,
    Ratio, Reason, Revision, RuleId, UtcHour,
};
use gaelp_guardrails::{
    Bid, BreakerPhase, Context, Expected, Exploration, FreezeState, GuardrailConfig, Guardrails,
    Health, LastKnownGood, Memory, Operator, RaiseCaps, Raised, SpentToday, Taper, Traffic,
    Trailing, UsualSpend, Writes, rules,
};

/// 2026-11-20 at 18:00 in UTC, in the peak.
const NOW: UtcHour = UtcHour::new(498_666);
/// The rate in force.
const CURRENT: Micros = Micros::new(500_000);
/// More than is computed with, so that every ceiling is exceeded.
const TOO_MUCH: Micros = Micros::new(1_000_000_000_000_001);

#[expect(clippy::unnecessary_wraps, reason = "facts are optional")]
fn some(micros: i64) -> Option<Micros> {
    Some(Micros::new(micros))
}

fn share(ppm: i64) -> Ratio {
    Ratio::from_ppm(ppm)
}

/// Every rule is switched on, and those that can be required are.
fn every_rule() -> GuardrailConfig {
    GuardrailConfig {
        ad_set_daily_cap: some(5_000_000),
        campaign_daily_cap: some(8_000_000),
        platform_daily_caps: [(Platform::Meta, Micros::new(9_000_000))].into(),
        hourly_raise_caps: RaiseCaps {
            account: some(900_000),
            platform: some(800_000),
            campaign: some(700_000),
            ad_set: some(600_000),
        },
        taper: Some(Taper {
            from: share(800_000),
            least: share(250_000),
        }),
        exploration_daily_cap: some(1_000_000),
        bid_floor: some(100_000),
        bid_ceiling: some(900_000),
        delta_max_normalised: Some(share(100_000)),
        delta_max_24h_normalised: Some(share(300_000)),
        restricted_hours: "1-5".parse().ok(),
        freeze_cpa_above: some(9_000_000),
        max_cpa_multiplier: Some(share(2_000_000)),
        freeze_without_conversion_hours: Some(8),
        max_spike: Some(share(3_000_000)),
        max_edits_per_hour: Some(4),
        canary: Some(["23".into()].into()),
        blocked: ["24".into()].into(),
        canary_audiences: Some(["new".into()].into()),
        blocked_audiences: ["known".into()].into(),
        require: rules::requirable().cloned().collect(),
        ..GuardrailConfig::default()
    }
}

fn row(key: &AdSetKey, hour: UtcHour, revision: u32) -> MetricRow {
    MetricRow {
        key: key.clone(),
        span: HourSpan::hour(hour),
        revision: Revision::new(revision),
        metrics: Metrics {
            spend: CURRENT,
            conversions: Quantity::from_millionths(1_000_000),
            revenue: Micros::new(1_500_000),
            ..Metrics::default()
        },
    }
}

/// As many hours of good results as are kept.
fn good(guardrails: &Guardrails, key: &AdSetKey) -> Trailing {
    let mut trailing = guardrails.trailing();
    let hours = i32::try_from(trailing.retain_hours()).unwrap();
    for hour in HourSpan::new(NOW.plus(-hours), NOW).iter() {
        trailing.record(&row(key, hour, 0)).unwrap();
    }
    trailing
}

/// All facts are supplied, and no rule has an objection.
fn healthy<'a>(key: &'a AdSetKey, audience: &'a AudienceId, trailing: &'a Trailing) -> Context<'a> {
    let (span, local) = (HourSpan::hour(NOW), AccountZone::UTC.local(NOW));
    Context {
        day_ago: some(500_000),
        spent: SpentToday {
            account: some(2_000_000),
            platform: some(2_000_000),
            campaign: some(2_000_000),
            ad_set: some(2_000_000),
        },
        share: some(2_000_000),
        target_today: some(9_000_000),
        raised: Raised {
            account: some(0),
            platform: some(0),
            campaign: some(0),
            ad_set: some(0),
        },
        writes: Writes {
            headroom: some(2_000_000),
            unresolved: None,
            reconciled: Some(true),
            external_edit: Some(NOW.plus(-100)),
            edits_last_hour: Some(0),
        },
        traffic: Some(Traffic {
            before: share(50_000),
            next: share(50_000),
            day_ago: Some(share(50_000)),
        }),
        expected: Expected {
            conversions_per_hour: Some(Quantity::from_millionths(1_000_000)),
            cpa: some(6_000_000),
        },
        usual: Some(UsualSpend {
            last_hour: CURRENT,
            usual: CURRENT,
            weeks: 4,
        }),
        bid: Some(Bid {
            current: CURRENT,
            proposed: CURRENT,
        }),
        exploration: Some(Exploration {
            at_risk_today: Micros::ZERO,
        }),
        audience: Some(audience),
        health: Health {
            breaker: Some(BreakerPhase::Closed),
            clock_trouble: false,
        },
        ..Context::new(key, span, local, CURRENT, trailing, NOW)
    }
}

/// Facts that every rule objects to.
fn hopeless<'a>(
    key: &'a AdSetKey,
    audience: &'a AudienceId,
    trailing: &'a Trailing,
) -> Context<'a> {
    let frozen = FreezeState {
        bad: 0,
        since: Some(NOW),
    };
    let mut context = Context {
        operator: Operator {
            kill: Some(LastKnownGood { rate: Micros::ZERO }),
            paused: true,
            emergency: Some(NOW),
        },
        writes: Writes {
            headroom: some(0),
            unresolved: some(0),
            reconciled: Some(false),
            external_edit: Some(NOW),
            edits_last_hour: Some(9),
        },
        health: Health {
            breaker: Some(BreakerPhase::Open),
            clock_trouble: true,
        },
        bid: Some(Bid {
            current: CURRENT,
            proposed: Micros::new(900_001),
        }),
        memory: Memory {
            roas: frozen,
            cpa: frozen,
            conversions: frozen,
            spike: frozen,
            evaluated: None,
        },
        ..healthy(key, audience, trailing)
    };
    context.local.hour = 3;
    context.expected.cpa = None;
    context
}

/// Nothing was allocated but lists of as many reasons.
fn assert_lists(found: &AllocationInfo, lists: &[usize]) {
    assert_eq!(found.count_total, lists.len() as u64);
    let reasons: usize = lists.iter().sum();
    assert_eq!(found.bytes_total, (reasons * size_of::<Reason>()) as u64);
}

#[test]
fn nothing_is_allocated_where_no_rule_objects() {
    let guardrails = every_rule().validate().unwrap();
    let (key, audience) = (AdSetKey::new(Platform::Meta, "23"), "new".into());
    let trailing = good(&guardrails, &key);
    let evaluate = || {
        let context = healthy(&key, &audience, &trailing);
        guardrails.evaluate(&context, CURRENT)
    };
    let verdict = evaluate();
    assert_eq!((verdict.allowed, &*verdict.reasons), (CURRENT, &[][..]));
    let found = measure(|| {
        for _ in 0..100 {
            drop(evaluate());
        }
    });
    assert_lists(&found, &[]);
    let found = measure(|| {
        let context = healthy(&key, &audience, &trailing);
        assert!(guardrails.may_raise(&context));
        assert_eq!(guardrails.normalise(&context, CURRENT), CURRENT);
        assert_eq!(guardrails.exceeded(&context), None);
    });
    assert_lists(&found, &[]);
}

#[test]
fn all_objections_are_one_list() {
    let guardrails = every_rule().validate().unwrap();
    let (key, audience) = (AdSetKey::new(Platform::Meta, "24"), "known".into());
    let trailing = guardrails.trailing();
    let mut verdict = None;
    let found = measure(|| {
        let context = hopeless(&key, &audience, &trailing);
        verdict = Some(guardrails.evaluate(&context, TOO_MUCH));
    });
    let reasons = verdict.unwrap().reasons;
    let objected = reasons.iter().map(|reason| &reason.rule);
    assert!(objected.eq(&rules::ALL), "{reasons:?}");
    assert_lists(&found, &[41]);
}

#[test]
fn what_is_only_observed_is_another_list() {
    let mut config = every_rule();
    let enforced = |rule: &RuleId| rules::ALWAYS_ENFORCED.contains(rule);
    config.observe = rules::ALL
        .iter()
        .filter(|rule| !enforced(rule))
        .cloned()
        .collect();
    let guardrails = config.validate().unwrap();
    let (key, audience) = (AdSetKey::new(Platform::Meta, "24"), "known".into());
    let trailing = guardrails.trailing();
    let found = measure(|| {
        let context = hopeless(&key, &audience, &trailing);
        let verdict = guardrails.evaluate(&context, TOO_MUCH);
        assert_eq!((verdict.reasons.len(), verdict.observed.len()), (12, 29));
    });
    assert_lists(&found, &[12, 29]);
}

#[test]
fn a_full_record_takes_in_hours_without_allocating() {
    let guardrails = every_rule().validate().unwrap();
    let key = AdSetKey::new(Platform::Meta, "23");
    let mut trailing = good(&guardrails, &key);
    let new = row(&key, NOW, 0);
    trailing.record(&new).unwrap();
    let rows = [row(&key, NOW, 1), row(&key, NOW.plus(1), 0)];
    let kept = trailing.rows();
    let found = measure(|| {
        for row in &rows {
            trailing.record(row).unwrap();
        }
        assert_eq!(trailing.window(NOW.plus(2), 12).covered_hours, 12);
    });
    assert_eq!(trailing.rows(), kept);
    assert_lists(&found, &[]);
}
