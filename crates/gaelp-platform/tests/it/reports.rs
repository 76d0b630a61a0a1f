use std::collections::BTreeMap;

use gaelp_core::{AdSetKey, HourSpan, MetricRow, Platform, Revision};
use gaelp_platform::{AdPlatform, InMemoryPlatform, LoadError, Report};
use pollster::block_on;
use proptest::prelude::*;

use crate::support::{NOW, brief, dollars, key, meta, row};

fn report(platform: &InMemoryPlatform, from: i32, to: i32) -> Report {
    let span = HourSpan::new(NOW.plus(from), NOW.plus(to));
    block_on(platform.report(span)).unwrap()
}

#[test]
fn an_hour_shows_when_the_delay_has_passed() {
    let platform = meta(); // a delay of one hour
    platform
        .load((-3..3).map(|hour| row("a", hour, 1, 0, "1")))
        .unwrap();
    let offsets = |report: &Report| -> Vec<i64> {
        report
            .rows
            .iter()
            .map(|row| row.span.from.since(NOW))
            .collect()
    };
    let now = report(&platform, -10, 10);
    // The hour before this one has ended just now, so it is not an hour old.
    assert_eq!(offsets(&now), [-3, -2]);
    assert_eq!(now.complete_before, NOW.plus(-1));
    platform.set_now(NOW.plus(2));
    let later = report(&platform, -10, 10);
    assert_eq!(offsets(&later), [-3, -2, -1, 0]);
    assert_eq!(later.complete_before, NOW.plus(1));
    assert_eq!(platform.now(), NOW.plus(2));
}

#[test]
fn a_missing_hour_has_no_row_and_an_idle_one_has_zeros() {
    let platform = meta();
    platform
        .load([row("a", -4, 1, 0, "0"), row("b", -3, 1, 0, "2")])
        .unwrap();
    let report = report(&platform, -4, -1);
    let zero_and_two = [("a", -4, 0, dollars("0")), ("b", -3, 0, dollars("2"))];
    assert_eq!(brief(&report), zero_and_two);
}

#[test]
fn a_row_belongs_to_the_span_that_it_begins_in() {
    let platform = meta();
    platform
        .load([row("a", -40, 24, 0, "9"), row("a", -40, 1, 0, "1")])
        .unwrap();
    assert_eq!(report(&platform, -40, -39).rows.len(), 2); // the day, and its first hour
    assert_eq!(report(&platform, -39, -1).rows.len(), 0);
    assert_eq!(report(&platform, -39, -40).rows.len(), 0); // backwards is empty
    assert_eq!(report(&platform, i32::MIN, i32::MAX).rows.len(), 2);
}

#[test]
fn a_bad_batch_leaves_nothing_behind() {
    let platform = meta();
    platform.load([row("a", -5, 1, 3, "1")]).unwrap();
    let foreign = AdSetKey::new(Platform::Google, "a");
    let bad = [
        (
            MetricRow {
                key: foreign.clone(),
                ..row("a", -3, 1, 0, "1")
            },
            LoadError::ForeignPlatform {
                key: foreign,
                platform: Platform::Meta,
            },
        ),
        (
            row("a", -3, 0, 0, "1"),
            LoadError::EmptySpan {
                key: key("a"),
                span: HourSpan::new(NOW.plus(-3), NOW.plus(-3)),
            },
        ),
        (
            row("a", -5, 1, 3, "2"), // against what is known
            LoadError::Contradicted {
                key: key("a"),
                span: HourSpan::hour(NOW.plus(-5)),
                revision: Revision::new(3),
            },
        ),
        (
            row("b", -4, 1, 0, "2"), // against the batch itself
            LoadError::Contradicted {
                key: key("b"),
                span: HourSpan::hour(NOW.plus(-4)),
                revision: Revision::new(0),
            },
        ),
    ];
    for (row_that_fails, error) in bad {
        let batch = [
            row("b", -4, 1, 0, "1"),
            row("a", -6, 1, 4, "8"),
            row_that_fails,
        ];
        assert_eq!(platform.load(batch), Err(error));
        let unchanged = [("a", -5, 3, dollars("1"))];
        assert_eq!(brief(&report(&platform, -10, 0)), unchanged);
    }
}

#[test]
fn older_revisions_change_nothing() {
    let platform = meta();
    platform.load([row("a", -5, 1, 2, "2")]).unwrap();
    platform
        .load([row("a", -5, 1, 1, "1"), row("a", -5, 1, 2, "2")])
        .unwrap();
    assert_eq!(
        brief(&report(&platform, -10, 0)),
        [("a", -5, 2, dollars("2"))]
    );
    platform.load([row("a", -5, 1, 3, "3")]).unwrap();
    assert_eq!(
        brief(&report(&platform, -10, 0)),
        [("a", -5, 3, dollars("3"))]
    );
}

/// Ad set, hours from now, length, revision. The spend follows from the revision, so that the
/// same revision is never contradicted.
fn any_row() -> impl Strategy<Value = (u8, i32, i32, u32)> {
    (
        0..4_u8,
        -30..0_i32,
        prop_oneof![Just(1), Just(24)],
        0..4_u32,
    )
}

fn made((ad_set, from, hours, revision): (u8, i32, i32, u32)) -> MetricRow {
    let ad_set = format!("s{ad_set}");
    row(
        &ad_set,
        from,
        hours,
        revision,
        &format!("{}", revision * 3 + 1),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Delivery in any order and in any batches gives what a plain map of maxima gives, and
    /// adjoining spans give every row exactly once.
    #[test]
    fn reports_do_not_depend_on_delivery(
        rows in prop::collection::vec(any_row(), 0..60),
        batches in 1..5_usize,
        cut in -30..0_i32,
    ) {
        let mut expected = BTreeMap::new();
        for &(ad_set, from, hours, revision) in &rows {
            let latest = expected.entry((from, ad_set, hours)).or_insert(revision);
            *latest = revision.max(*latest);
        }
        expected.retain(|&(from, _, hours), _| from + hours <= -1);

        let platform = meta();
        for batch in rows.chunks(rows.len().div_ceil(batches).max(1)) {
            platform.load(batch.iter().copied().map(made)).unwrap();
        }
        let mut found = report(&platform, -30, cut).rows;
        found.extend(report(&platform, cut, 0).rows);
        let expected: Vec<MetricRow> = expected
            .into_iter()
            .map(|((from, ad_set, hours), revision)| made((ad_set, from, hours, revision)))
            .collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn spend_is_what_was_loaded() {
    let platform = meta();
    platform.load([row("a", -5, 1, 0, "0.000001")]).unwrap();
    assert_eq!(
        report(&platform, -5, -4).rows[0].metrics.spend,
        dollars("0.000001")
    );
}

#[test]
fn rows_may_be_made_from_the_platform_itself() {
    let platform = meta();
    let hours = platform.now().since(NOW.plus(-5));
    let rows = (0..hours).map(|_| {
        let past = NOW.since(platform.now());
        row("a", i32::try_from(past).unwrap() - 5, 1, 0, "1")
    });
    platform.load(rows).unwrap();
    assert_eq!(report(&platform, -5, 0).rows.len(), 1);
}
