use std::collections::BTreeMap;

use gaelp_core::{AccountZone, Platform};
use proptest::prelude::*;

use super::*;

fn row(span: HourSpan, revision: u32, spend: i64) -> MetricRow {
    MetricRow {
        key: AdSetKey::new(Platform::Meta, "1"),
        span,
        revision: Revision::new(revision),
        metrics: Metrics {
            spend: Micros::new(spend),
            clicks: spend.unsigned_abs(),
            ..Metrics::default()
        },
    }
}

fn hour(hour: i32, revision: u32, spend: i64) -> MetricRow {
    row(HourSpan::hour(UtcHour::new(hour)), revision, spend)
}

fn with_conversion(mut row: MetricRow) -> MetricRow {
    row.metrics.conversions = Quantity::from_millionths(1);
    row
}

fn at(hour: i32) -> UtcHour {
    UtcHour::new(hour)
}

#[test]
fn a_day_counts_entirely_in_each_window_it_touches() {
    let zone: AccountZone = "Europe/Berlin".parse().unwrap();
    for (date, hours) in [("2026-03-29", 23), ("2026-07-01", 24), ("2026-10-25", 25)] {
        let day = zone.day(date.parse().unwrap()).unwrap();
        let mut trailing = Trailing::new(48);
        trailing.record(&row(day, 0, 700)).unwrap();
        assert_eq!(day.len(), hours);
        for asked in [1, 12, hours] {
            let window = trailing.window(day.to, asked);
            assert_eq!(window.metrics.spend, Micros::new(700));
            assert_eq!((window.covered_hours, window.rows), (asked, 1));
        }
        assert_eq!(trailing.window(day.to, 30).covered_hours, hours);
        // Half a day later only half of the window is reported, a day later nothing.
        assert_eq!(trailing.window(day.to.plus(6), 12).covered_hours, 6);
        assert_eq!(trailing.window(day.to.plus(12), 12).rows, 0);
        // A day that is not over says nothing yet.
        assert_eq!(trailing.window(day.to.plus(-1), 12).rows, 0);
        assert_eq!(trailing.newest_before(day.to.plus(-1)), None);
    }
}

#[test]
fn coverage_is_a_share_of_the_hours_asked_for() {
    let mut trailing = Trailing::new(48);
    for number in [0, 1, 4] {
        trailing.record(&hour(number, 0, 1)).unwrap();
    }
    let coverage = |hours| trailing.window(at(5), hours).coverage().map(Ratio::ppm);
    assert_eq!(coverage(0), None);
    assert_eq!(coverage(1), Some(1_000_000));
    assert_eq!(coverage(3), Some(333_333));
    assert_eq!(coverage(6), Some(500_000));
    assert_eq!(coverage(u32::MAX), Some(0));
}

#[test]
fn what_contradicts_itself_is_not_believed_until_it_is_settled() {
    let mut trailing = Trailing::new(48);
    assert_eq!(trailing.record(&hour(0, 1, 5)), Ok(Restated::Newer));
    assert_eq!(trailing.record(&hour(0, 1, 5)), Ok(Restated::Known));
    assert_eq!(trailing.record(&hour(0, 0, 9)), Ok(Restated::Older));
    assert_eq!(trailing.record(&hour(0, 1, 6)), Ok(Restated::Contradicted));
    assert_eq!(trailing.window(at(1), 1).covered_hours, 0);
    assert_eq!(trailing.newest_before(at(1)), None);
    assert_eq!(trailing.record(&hour(0, 1, 5)), Ok(Restated::Contradicted));
    assert_eq!(trailing.record(&hour(0, 2, 7)), Ok(Restated::Newer));
    assert_eq!(trailing.window(at(1), 1).metrics.spend, Micros::new(7));
}

#[test]
fn rows_that_cannot_be_are_refused_and_change_nothing() {
    let day = HourSpan::new(at(24), at(48));
    let mut trailing = Trailing::new(48);
    trailing.record(&row(day, 0, 1)).unwrap();
    let before = trailing.clone();

    let mut other = row(day, 1, 1);
    other.key.ad_set = "2".into();
    let empty = HourSpan::new(at(50), at(50));
    let backwards = HourSpan::new(at(50), at(40));
    let mut many_clicks = hour(48, 0, 1);
    many_clicks.metrics.clicks = Trailing::MAX_FIGURE + 1;
    let mut debt = hour(48, 0, 1);
    debt.metrics.revenue = Micros::new(i64::MIN);
    let refused = [
        (other, "a row of meta/2 among those of meta/1"),
        (
            row(empty, 0, 1),
            "the span 1970-01-03T02Z..1970-01-03T02Z has no hour",
        ),
        (
            row(backwards, 0, 1),
            "the span 1970-01-03T02Z..1970-01-02T16Z has no hour",
        ),
        (
            hour(30, 0, 1),
            "the span 1970-01-02T06Z..1970-01-02T07Z overlaps \
             1970-01-02T00Z..1970-01-03T00Z, which is known already",
        ),
        (
            row(HourSpan::new(at(0), at(25)), 0, 1),
            "the span 1970-01-01T00Z..1970-01-02T01Z overlaps \
             1970-01-02T00Z..1970-01-03T00Z, which is known already",
        ),
        (
            hour(-1, 0, 1),
            "the span 1969-12-31T23Z..1970-01-01T00Z ended before 1970-01-01T00Z, \
             from where on rows are kept",
        ),
        (hour(48, 0, -1), "spend is -0.000001: it cannot be negative"),
        (
            many_clicks,
            "clicks is 1000000000000001, at most 1000000000000000 is believed",
        ),
        (
            debt,
            "revenue is 9223372036854775808, at most 1000000000000000 is believed",
        ),
    ];
    for (row, text) in refused {
        assert_eq!(trailing.record(&row).unwrap_err().to_string(), text);
        assert_eq!(trailing, before);
    }
}

#[test]
fn memory_is_bounded_and_sums_of_the_largest_figures_fit() {
    assert_eq!(size_of::<Slot>(), 64); // as documented
    let mut trailing = Trailing::new(u32::MAX);
    let most = Trailing::MAX_FIGURE;
    let mut largest = hour(0, 0, i64::try_from(most).unwrap());
    largest.metrics.impressions = most;
    largest.metrics.conversions = Quantity::from_millionths(most);
    largest.metrics.revenue = Micros::new(-largest.metrics.spend.get());
    for number in 0..20_000 {
        largest.span = HourSpan::hour(at(number));
        trailing.record(&largest).unwrap();
    }
    let kept = Trailing::MAX_RETAIN_HOURS;
    assert_eq!(trailing.rows(), usize::try_from(kept).unwrap());
    let window = trailing.window(at(20_000), u32::MAX);
    assert_eq!(window.rows, kept);
    assert_eq!(window.metrics.clicks, u64::from(kept) * most);
    assert_eq!(window.metrics.impressions, u64::from(kept) * most);
    assert!(window.metrics.revenue.is_negative());
}

#[test]
fn only_reported_hours_are_without_a_conversion() {
    let mut trailing = Trailing::new(100);
    trailing.record(&with_conversion(hour(0, 0, 10))).unwrap();
    for number in [1, 2, 7, 9] {
        trailing.record(&hour(number, 0, 10)).unwrap();
    }
    let found = trailing.hours_since_conversion(at(9));
    assert_eq!((found.hours, found.since), (3, Some(at(1))));
    assert_eq!(found.spend, Micros::new(30));
    // It stops where enough is seen, and the conversion is then out of sight.
    let found = trailing.without_conversion(at(10), 2);
    assert_eq!((found.hours, found.since), (2, None));
    let restated = with_conversion(hour(7, 1, 10));
    trailing.record(&restated).unwrap();
    let found = trailing.hours_since_conversion(at(10));
    assert_eq!((found.hours, found.since), (1, Some(at(8))));
}

#[test]
fn the_ends_of_time_are_hours_like_others() {
    for end in [i32::MIN + 1, i32::MAX] {
        let mut trailing = Trailing::new(10);
        let span = HourSpan::new(at(end - 1), at(end));
        trailing.record(&row(span, 0, 3)).unwrap();
        for now in [i32::MIN, 0, i32::MAX] {
            let window = trailing.window(at(now), u32::MAX);
            assert_eq!(window.covered_hours, u32::from(now >= end));
            assert_eq!(trailing.hours_since_conversion(at(now)).hours, window.rows);
        }
    }
    let mut trailing = Trailing::new(10);
    let always = HourSpan::new(at(i32::MIN), at(i32::MAX));
    trailing.record(&row(always, 0, 3)).unwrap();
    assert_eq!(
        trailing.hours_since_conversion(at(i32::MAX)).hours,
        u32::MAX
    );
    assert_eq!(
        trailing.window(at(i32::MAX), u32::MAX).covered_hours,
        u32::MAX
    );
}

/// Deliveries of hours with revisions; the figures follow from both, so nothing contradicts.
fn deliveries() -> impl Strategy<Value = (Vec<MetricRow>, Vec<MetricRow>)> {
    let delivery = (0..40_i32, 0..4_u32).prop_map(|(number, revision)| {
        let row = hour(
            number,
            revision,
            i64::from(number) * 100 + i64::from(revision),
        );
        if (number + 1) % 7 == 0 {
            with_conversion(row)
        } else {
            row
        }
    });
    let repeated = prop::collection::vec(delivery, 1..60);
    repeated.prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn neither_order_nor_repetition_of_deliveries_matters(
        (rows, shuffled) in deliveries(),
        now in 0..45_i32,
        hours in 0..50_u32,
        retain in 5..60_u32,
    ) {
        let mut first = Trailing::new(retain);
        let mut second = Trailing::new(retain);
        for row in &rows {
            let _ = first.record(row);
        }
        for row in shuffled.iter().chain(&rows) {
            let _ = second.record(row);
        }
        // What is too old is forgotten at different moments, and is gone at the end.
        prop_assert_eq!(&first, &second);

        // The sum by definition: the highest revision of every hour that is kept.
        let mut latest = BTreeMap::new();
        for row in &rows {
            let entry = latest.entry(row.span.from.get()).or_insert(row);
            if row.revision > entry.revision {
                *entry = row;
            }
        }
        let newest = i64::from(*latest.keys().last().unwrap());
        latest.retain(|&number, _| i64::from(number) > newest - i64::from(retain));
        let inside: Vec<_> = latest
            .range(now.saturating_sub_unsigned(hours).max(0)..now)
            .collect();
        let spend: i64 = inside.iter().map(|(_, row)| row.metrics.spend.get()).sum();
        let window = first.window(at(now), hours);
        prop_assert_eq!(window.metrics.spend.get(), spend);
        prop_assert_eq!(window.covered_hours as usize, inside.len());
        prop_assert_eq!(first.rows(), latest.len());
        let dry = latest.range(..now).rev().take_while(|&(number, _)| (number + 1) % 7 != 0);
        prop_assert_eq!(first.hours_since_conversion(at(now)).hours as usize, dry.count());
    }

    #[test]
    fn contradictions_do_not_depend_on_order_either(
        reports in prop::collection::vec((0..5_i32, 0..3_u32, 0..2_i64), 1..20),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut first = Trailing::new(60);
        let mut second = Trailing::new(60);
        let turned = seed.index(reports.len());
        for &(number, revision, spend) in &reports {
            let row = hour(number, revision, spend);
            let contradicts = first.contradicts(&row);
            let outcome = first.record(&row).unwrap();
            prop_assert_eq!(contradicts, outcome == Restated::Contradicted);
        }
        for &(number, revision, spend) in reports[turned..].iter().chain(&reports[..turned]).rev() {
            second.record(&hour(number, revision, spend)).unwrap();
        }
        prop_assert_eq!(first, second);
    }
}

#[test]
fn a_stored_record_is_the_same_record_and_a_wrong_one_is_refused() {
    let mut trailing = Trailing::new(48);
    for at in 0..5 {
        trailing
            .record(&hour(at, 1, 10 + i64::from(at)))
            .expect("a valid row");
    }
    // Two figures of one revision: neither is believed, before and after.
    trailing.record(&hour(2, 1, 99)).expect("a valid row");
    let stored = serde_json::to_string(&trailing).expect("plain data");
    let restored: Trailing = serde_json::from_str(&stored).expect("what was stored");
    assert_eq!(restored, trailing);
    assert_eq!(restored.window(UtcHour::new(5), 5).covered_hours, 4);

    let negative = stored.replace("\"spend\":11", "\"spend\":-11");
    assert!(serde_json::from_str::<Trailing>(&negative).is_err());
    let nameless = stored.replace(
        "\"key\":{\"platform\":\"meta\",\"ad_set\":\"1\"}",
        "\"key\":null",
    );
    assert_ne!(nameless, stored);
    assert!(serde_json::from_str::<Trailing>(&nameless).is_err());
}

#[test]
fn a_window_names_its_age_and_the_revisions_it_was_made_of() {
    let mut trailing = Trailing::new(48);
    let empty = trailing.window(at(5), 5);
    assert_eq!((empty.age_hours, empty.revisions.get()), (None, 0));
    trailing.record(&hour(4, 1, 10)).unwrap();
    let window = |trailing: &Trailing, now, hours| {
        let window = trailing.window(at(now), hours);
        (window.age_hours, window.revisions.to_string())
    };
    // Computed elsewhere, from the documented words.
    let one = "95855a4101a3788f".to_owned();
    assert_eq!(window(&trailing, 5, 5), (Some(0), one.clone()));
    assert_eq!(window(&trailing, 7, 5), (Some(2), one));
    trailing.record(&hour(3, 0, 10)).unwrap();
    let two = "6869f4f9e65dbbe2".to_owned();
    assert_eq!(window(&trailing, 5, 5), (Some(0), two.clone()));
    // A restatement changes it, and what lies outside does not.
    trailing.record(&hour(3, 1, 10)).unwrap();
    assert_ne!(window(&trailing, 5, 5).1, two);
    trailing.record(&hour(1, 0, 10)).unwrap();
    let before = window(&trailing, 5, 2);
    trailing.record(&hour(1, 1, 11)).unwrap();
    assert_eq!(window(&trailing, 5, 2), before);
    let mut early = Trailing::new(48);
    early.record(&hour(-2, 7, 10)).unwrap();
    assert_eq!(
        window(&early, 0, 5),
        (Some(1), "6e8e59811827256d".to_owned())
    );
}
