//! What several tests need.

use gaelp_core::{
    AccountZone, AdSetKey, Currency, DecisionId, HourSpan, MetricRow, Metrics, Micros, Platform,
    Revision, UtcHour,
};
use gaelp_platform::{Capabilities, InMemoryPlatform, Report, SetBudget};

/// 2025-11-24T16Z.
pub(crate) const NOW: UtcHour = UtcHour::new(490_000);

pub(crate) fn dollars(text: &str) -> Micros {
    text.parse().unwrap()
}

/// A Meta account with ad sets `a` at 5 dollars and `b` at 4.
pub(crate) fn meta() -> InMemoryPlatform {
    InMemoryPlatform::new(Capabilities::meta(Currency::USD, AccountZone::UTC), NOW)
        .with_ad_set("a", dollars("5"))
        .unwrap()
        .with_ad_set("b", dollars("4"))
        .unwrap()
}

pub(crate) fn key(ad_set: &str) -> AdSetKey {
    AdSetKey::new(Platform::Meta, ad_set)
}

pub(crate) fn set(ad_set: &str, budget: &str) -> SetBudget {
    SetBudget {
        key: key(ad_set),
        daily_budget: dollars(budget),
        decision: DecisionId::new(7),
    }
}

/// A row of an ad set for hours that begin so many hours from [`NOW`].
pub(crate) fn row(ad_set: &str, from: i32, hours: i32, revision: u32, spend: &str) -> MetricRow {
    let from = NOW.plus(from);
    MetricRow {
        key: key(ad_set),
        span: HourSpan::new(from, from.plus(hours)),
        revision: Revision::new(revision),
        metrics: Metrics {
            spend: dollars(spend),
            ..Metrics::default()
        },
    }
}

/// The ad set, offset from [`NOW`], revision and spend of every row.
pub(crate) fn brief(report: &Report) -> Vec<(&str, i64, u32, Micros)> {
    let rows = report.rows.iter();
    rows.map(|row| {
        (
            row.key.ad_set.as_str(),
            row.span.from.since(NOW),
            row.revision.get(),
            row.metrics.spend,
        )
    })
    .collect()
}
