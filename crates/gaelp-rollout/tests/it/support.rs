//! A small world to roll out in.

use std::collections::BTreeMap;

use gaelp_core::{
    AccountZone, AdSetKey, Currency, HourSpan, MetricRow, Metrics, Micros, Platform, Quantity,
    Revision, UtcHour,
};
use gaelp_guardrails::GuardrailConfig;
use gaelp_ledger::{Ledger, MemoryLedger};
use gaelp_platform::{AdPlatform, Capabilities, Delivery, InMemoryPlatform, RevenueSource};
use gaelp_rollout::{
    ActionRecord, Alert, AlertKind, Journal, MemoryJournal, Outside, Record, Rollout,
    RolloutConfig, drive,
};

/// 2025-11-23T00Z, a Sunday.
pub(crate) const START: UtcHour = UtcHour::new(489_960);

pub(crate) fn micros(text: &str) -> Micros {
    text.parse().unwrap()
}

pub(crate) fn meta() -> Capabilities {
    Capabilities::meta(Currency::USD, AccountZone::UTC)
        .with(|config| {
            config.reporting_delay_hours = 0;
            config.minimum_daily_budget = micros("1");
        })
        .unwrap()
}

pub(crate) fn key(name: &str) -> AdSetKey {
    AdSetKey::new(Platform::Meta, name)
}

pub(crate) fn row(name: &str, hour: UtcHour, spend: &str, revenue: &str) -> MetricRow {
    let revenue = micros(revenue);
    let sold = u64::from(revenue > Micros::ZERO);
    MetricRow {
        key: key(name),
        span: HourSpan::hour(hour),
        revision: Revision::default(),
        metrics: Metrics {
            spend: micros(spend),
            impressions: 100,
            clicks: 5,
            conversions: Quantity::from_whole(sold).unwrap(),
            revenue,
        },
    }
}

/// Rules that let everything through that the caps allow.
pub(crate) fn open_rules() -> GuardrailConfig {
    GuardrailConfig {
        daily_cap: micros("100"),
        hourly_floor: micros("0.01"),
        peak_hours: None,
        freeze_roas_below: None,
        ..GuardrailConfig::default()
    }
}

pub(crate) fn hours(count: i32) -> impl Iterator<Item = HourSpan> + Clone {
    (0..count).map(|hour| HourSpan::hour(START.plus(hour)))
}

/// A platform with budgets for the named ad sets.
pub(crate) fn platform(budgets: &[(&str, &str)]) -> InMemoryPlatform {
    let platform = InMemoryPlatform::new(meta(), START);
    for (name, budget) in budgets {
        platform
            .put_ad_set(*name, micros(budget), Delivery::Active)
            .unwrap();
    }
    platform
}

/// Drives a rollout with a spend ledger in memory.
pub(crate) fn roll<P: AdPlatform, J: Journal>(
    rollout: &mut Rollout,
    platforms: &BTreeMap<Platform, P>,
    shop: Option<&dyn RevenueSource>,
    journal: &mut J,
    steps: impl IntoIterator<Item = HourSpan>,
) {
    let limits = rollout.limits().clone();
    let mut ledger = pollster::block_on(Ledger::open(limits, MemoryLedger::new())).unwrap();
    let outside = Outside {
        platforms,
        shop,
        journal,
        ledger: Some(&mut ledger),
        clock: None,
    };
    pollster::block_on(drive(rollout, outside, steps)).unwrap();
}

/// Runs over the hours, advancing the platform's clock.
pub(crate) fn run(
    config: RolloutConfig,
    platform: &InMemoryPlatform,
    shop: Option<&dyn RevenueSource>,
    count: i32,
) -> Vec<Record> {
    let mut rollout = Rollout::new(config, vec![meta()]).unwrap();
    let platforms = BTreeMap::from([(Platform::Meta, platform)]);
    let mut journal = MemoryJournal::new();
    let steps = hours(count)
        .inspect(|span| platform.set_now(span.from))
        .chain(std::iter::from_fn(|| {
            platform.set_now(START.plus(count));
            None
        }));
    roll(&mut rollout, &platforms, shop, &mut journal, steps);
    journal.records().to_vec()
}

pub(crate) fn actions(records: &[Record]) -> Vec<&ActionRecord> {
    let action = |record: &'_ Record| matches!(record, Record::Action(_));
    records
        .iter()
        .filter(|r| action(r))
        .map(|record| match record {
            Record::Action(action) => &**action,
            _ => unreachable!("filtered above"),
        })
        .collect()
}

pub(crate) fn alerts(records: &[Record], kind: AlertKind) -> Vec<&Alert> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Alert(alert) if alert.kind == kind => Some(alert),
            _ => None,
        })
        .collect()
}
