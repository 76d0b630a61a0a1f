use super::*;
use crate::{Platform, UtcHour};

fn day(spend: i64, clicks: u64, conversions: u64, revenue: i64) -> Metrics {
    Metrics {
        spend: Micros::new(spend),
        impressions: 1_000,
        clicks,
        conversions: Quantity::from_millionths(conversions),
        revenue: Micros::new(revenue),
    }
}

#[test]
fn quotients_of_nothing_are_undefined() {
    let nothing = Metrics::default();
    assert_eq!(nothing.roas(), None);
    assert_eq!(nothing.cpa(), None);
    assert_eq!(nothing.ctr(), None);
    assert_eq!(nothing.cvr(), None);
    assert_eq!(nothing.compare_roas(Ratio::ZERO), None);
    assert_eq!(nothing.compare_cpa(Micros::ZERO), None);
    assert_eq!(nothing.profit(Ratio::ONE), Some(Micros::ZERO));
    // A credit larger than the spend leaves no spend to divide by.
    assert_eq!(day(-1, 1, 1, 5_000_000).roas(), None);
    // Revenue or clicks of nothing are zero, which is a value.
    assert_eq!(day(1, 0, 0, 0).roas(), Some(0.0));
    assert_eq!(day(1, 0, 0, 0).ctr(), Some(0.0));
    assert_eq!(day(1, 5, 0, 0).cvr(), Some(0.0));
    assert_eq!(day(0, 5, 1_000_000, 0).cpa(), Some(0.0));
}

#[test]
fn quotients_are_rounded_once() {
    // 0.3 / 0.1 in binary floats is 2.9999999999999996; the quotient of the counts is 3.
    let metrics = day(100_000, 30, 1_500_000, 300_000);
    assert_eq!(metrics.roas(), Some(3.0));
    assert_eq!(metrics.cpa(), Some(1.0 / 15.0));
    assert_eq!(metrics.ctr(), Some(0.03));
    assert_eq!(metrics.cvr(), Some(0.05));
    assert_eq!(day(1, 1, 1, -2_000_000).roas(), Some(-2e6));
}

#[test]
fn profit_is_rounded_against_us() {
    let half = Ratio::from_ppm(500_000);
    assert_eq!(day(1, 0, 0, 3).profit(half), Some(Micros::new(0)));
    assert_eq!(day(1, 0, 0, -3).profit(half), Some(Micros::new(-3)));
    assert_eq!(day(-1, 0, 0, i64::MAX).profit(Ratio::ONE), None);
    assert_eq!(
        day(0, 0, 0, i64::MAX).profit(Ratio::from_ppm(1_000_001)),
        None
    );
}

#[test]
fn the_field_that_overflows_is_named() {
    let full = Metrics {
        spend: Micros::MAX,
        impressions: u64::MAX,
        clicks: u64::MAX,
        conversions: Quantity::from_millionths(u64::MAX),
        revenue: Micros::MAX,
    };
    let zero = Metrics::default();
    let one = Quantity::from_millionths(1);
    let table = [
        (
            "spend",
            Metrics {
                spend: Micros::new(1),
                ..zero
            },
        ),
        (
            "impressions",
            Metrics {
                impressions: 1,
                ..zero
            },
        ),
        ("clicks", Metrics { clicks: 1, ..zero }),
        (
            "conversions",
            Metrics {
                conversions: one,
                ..zero
            },
        ),
        (
            "revenue",
            Metrics {
                revenue: Micros::new(1),
                ..zero
            },
        ),
    ];
    for (field, more) in table {
        assert_eq!(full.merge(&more), Err(MetricsOverflow { field }));
        assert_eq!(more.merge(&full), Err(MetricsOverflow { field }));
    }
    assert_eq!(full.merge(&zero), Ok(full));
    let error = full.merge(&full).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the sum of spend does not fit into 64 bits"
    );
}

#[test]
fn quantities_print_as_short_as_they_can() {
    for (millionths, text) in [
        (0, "0"),
        (1, "0.000001"),
        (1_500_000, "1.5"),
        (7_000_000, "7"),
    ] {
        assert_eq!(Quantity::from_millionths(millionths).to_string(), text);
    }
    let largest = Quantity::from_millionths(u64::MAX);
    assert_eq!(largest.to_string(), "18446744073709.551615");
    assert_eq!(
        format!(
            "{:>5}|{:<5}|{:.0}",
            Quantity(1_500_000),
            Quantity(0),
            largest
        ),
        { "  1.5|0    |18446744073709.551615" }
    );
    assert_eq!(Quantity::from_whole(2), Some(Quantity(2_000_000)));
    assert_eq!(Quantity::from_whole(u64::MAX / 1_000_000 + 1), None);
}

fn row(revision: u32, spend: i64) -> MetricRow {
    MetricRow {
        key: AdSetKey::new(Platform::Meta, "a"),
        span: HourSpan::hour(UtcHour::new(490_000)),
        revision: Revision::new(revision),
        metrics: day(spend, 1, 0, 0),
    }
}

#[test]
fn the_highest_revision_wins() {
    let mut known = row(3, 30);
    assert_eq!(known.restate(&row(3, 30)), Restated::Known);
    assert_eq!(known.restate(&row(2, 20)), Restated::Older);
    assert_eq!(known.restate(&row(3, 31)), Restated::Contradicted);
    assert_eq!(known, row(3, 30));
    assert_eq!(known.restate(&row(5, 50)), Restated::Newer);
    assert_eq!(known, row(5, 50));
}

#[test]
fn a_row_about_something_else_changes_nothing() {
    let mut known = row(1, 10);
    let mut other_set = row(2, 20);
    other_set.key = AdSetKey::new(Platform::Meta, "b");
    let mut other_platform = row(2, 20);
    other_platform.key = AdSetKey::new(Platform::Google, "a");
    let mut other_hours = row(2, 20);
    other_hours.span = HourSpan::hour(UtcHour::new(490_001));
    for other in [other_set, other_platform, other_hours] {
        assert_eq!(known.restate(&other), Restated::Contradicted, "{other:?}");
        assert_eq!(known, row(1, 10));
    }
}

#[test]
fn a_row_is_read_back_from_json() {
    let json = concat!(
        r#"{"key":{"platform":"meta","ad_set":"a"},"span":{"from":490000,"to":490001},"#,
        r#""revision":3,"metrics":{"spend":30,"impressions":1000,"clicks":1,"conversions":0,"#,
        r#""revenue":0}}"#
    );
    assert_eq!(serde_json::to_string(&row(3, 30)).unwrap(), json);
    assert_eq!(serde_json::from_str::<MetricRow>(json).unwrap(), row(3, 30));
}
