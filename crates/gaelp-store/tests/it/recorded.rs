//! Imported files as a platform and a shop, against a model of maps.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use gaelp_core::{
    AccountZone, AdSetKey, Currency, DecisionId, HourSpan, MetricRow, Metrics, Micros, Platform,
    Revision, UtcHour,
};
use gaelp_platform::{
    AdPlatform, Capabilities, ErrorKind, OrderEvent, RevenueSource, SetBudget, WriteOutcome,
};
use gaelp_store::{FileId, Granularity, OnDuplicate, Store, StoreError};
use pollster::block_on;
use proptest::prelude::*;

use crate::support::{NOON, key, key_strategy, metrics_strategy, spend};

fn meta() -> Capabilities {
    Capabilities::meta(Currency::USD, AccountZone::UTC)
}

type Row = (AdSetKey, i32, i32, Metrics);

/// Beginning, platform name, ad set and end.
type Place = (UtcHour, String, String, UtcHour);
/// What is expected at each place: revision and figures.
type Model = BTreeMap<Place, (u32, Metrics)>;

fn load(store: &Store, files: &[Vec<Row>]) -> Result<(Vec<FileId>, Model), StoreError> {
    let mut ids = Vec::new();
    let mut model = Model::new();
    let mut import = store.import()?;
    for (place, rows) in (0_u8..).zip(files) {
        let file = import.file([place; 32], "a file", "test")?.id();
        ids.push(file);
        for (key, from, hours, metrics) in rows {
            let span = HourSpan::new(NOON.plus(*from), NOON.plus(from + hours));
            import.metric(file, key, span, metrics, OnDuplicate::Add)?;
            let names = (key.platform.to_string(), key.ad_set.to_string());
            let row = model.entry((span.from, names.0, names.1, span.to));
            let row = row.or_insert((u32::from(place), Metrics::default()));
            if row.0 < u32::from(place) {
                *row = (u32::from(place), Metrics::default());
            }
            row.1 = row.1.merge(metrics).expect("small figures");
        }
    }
    import.commit()?;
    Ok((ids, model))
}

fn flat(rows: &[MetricRow]) -> Vec<(Place, (u32, Metrics))> {
    let names = |key: &AdSetKey| (key.platform.to_string(), key.ad_set.to_string());
    rows.iter()
        .map(|row| {
            let (platform, ad_set) = names(&row.key);
            let place = (row.span.from, platform, ad_set, row.span.to);
            (place, (row.revision.get(), row.metrics))
        })
        .collect()
}

fn rows_strategy(hours: std::ops::Range<i32>) -> impl Strategy<Value = Vec<Vec<Row>>> {
    let length = prop_oneof![4 => Just(1), 1 => Just(24), 1 => Just(3)];
    let row = (key_strategy(), hours, length, metrics_strategy());
    proptest::collection::vec(proptest::collection::vec(row, 0..30), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Reports of adjoining spans give every row of the platform once, the later file's.
    #[test]
    fn reports_agree_with_a_map(files in rows_strategy(-30..30), cuts in proptest::collection::vec(-40..40_i32, 0..6)) {
        let store = Store::open_in_memory()?;
        let (ids, model) = load(&store, &files)?;
        let recorded = store.recorded(&ids, meta());
        let mut cuts = cuts;
        cuts.extend([-100, 100]);
        cuts.sort_unstable();
        let mut rows = Vec::new();
        for pair in cuts.windows(2) {
            let span = HourSpan::new(NOON.plus(pair[0]), NOON.plus(pair[1]));
            let report = block_on(recorded.report(span))?;
            prop_assert!(report.rows.iter().all(|row| span.contains(row.span.from)));
            let end = model.keys().filter(|row| row.1 == "meta").map(|row| row.3).max();
            prop_assert_eq!(report.complete_before, end.unwrap_or(UtcHour::new(i32::MIN)));
            rows.extend(report.rows);
        }
        let mut expected = model;
        expected.retain(|row, _| row.1 == "meta");
        prop_assert_eq!(flat(&rows), expected.into_iter().collect::<Vec<_>>());
    }

    /// All rows in order, and the summary of them, also over gaps of years.
    #[test]
    fn rows_and_coverage_agree_with_a_map(
        near in rows_strategy(-30..30),
        far in rows_strategy(-100_000..100_000),
    ) {
        let store = Store::open_in_memory()?;
        let files = [near, far].concat();
        let (ids, model) = load(&store, &files)?;
        let rows = store.rows(&ids)?.collect::<Result<Vec<_>, _>>()?;
        prop_assert_eq!(flat(&rows), model.into_iter().collect::<Vec<_>>());

        let coverage = store.coverage(&ids)?;
        prop_assert_eq!(coverage.rows, rows.len() as u64);
        let all: usize = files.iter().map(|file| {
            let mut places: Vec<_> = file.iter().map(|row| (&row.0, row.1, row.2)).collect();
            places.sort();
            places.dedup();
            places.len()
        }).sum();
        prop_assert_eq!(coverage.rows + coverage.superseded, all as u64);
        let mut spans: Vec<_> = rows.iter().map(|row| (row.span.from, row.span.to)).collect();
        spans.sort_unstable();
        spans.dedup();
        let found: Vec<_> = coverage.spans.iter().map(|span| (span.from, span.to)).collect();
        prop_assert_eq!(found, spans);
        prop_assert_eq!(
            coverage.span,
            rows.iter().map(|row| row.span.from).min().zip(rows.iter().map(|row| row.span.to).max())
                .map(|(from, to)| HourSpan::new(from, to))
        );
        let mut sums = BTreeMap::<&AdSetKey, Vec<&MetricRow>>::new();
        for row in &rows {
            sums.entry(&row.key).or_default().push(row);
        }
        prop_assert_eq!(coverage.ad_sets.len(), sums.len());
        for (ad_set, (key, rows)) in coverage.ad_sets.iter().zip(sums) {
            prop_assert_eq!(&ad_set.key, key);
            prop_assert_eq!(ad_set.rows, rows.len() as u64);
            let sum = rows.iter().try_fold(Metrics::default(), |sum, row| sum.merge(&row.metrics));
            prop_assert_eq!(ad_set.metrics, sum?);
        }
        let spend = |metrics: Vec<Metrics>| Micros::checked_sum(metrics.iter().map(|m| m.spend));
        prop_assert_eq!(
            spend(coverage.platforms.iter().map(|platform| platform.metrics).collect()),
            spend(coverage.ad_sets.iter().map(|ad_set| ad_set.metrics).collect())
        );
    }

    /// Each order event once, as the last file has it, whenever that was.
    #[test]
    fn orders_agree_with_a_map(
        files in proptest::collection::vec(
            proptest::collection::btree_map((0..6_u32, 0..2_u32), (0..600_i64, 0..9_i64), 0..10),
            0..4,
        ),
    ) {
        let store = Store::open_in_memory()?;
        let mut import = store.import()?;
        let (mut ids, mut model) = (Vec::new(), BTreeMap::new());
        for (place, events) in (0_u8..).zip(&files) {
            let file = import.file([place; 32], "orders.csv", "shopify")?.id();
            ids.push(file);
            for (&(order, number), &(minutes, amount)) in events {
                let at = NOON.start() + TimeDelta::minutes(minutes);
                let name = format!("#{order}");
                let event = match number {
                    0 => OrderEvent::sale(name, at, Micros::new(amount))?,
                    _ => OrderEvent::refund(name, number, at, Micros::new(-amount))?,
                };
                import.order(file, &event)?;
                model.insert((order, number), event);
            }
        }
        import.commit()?;
        let shop = store.recorded_shop(&ids);
        let mut found = Vec::new();
        for hour in HourSpan::new(NOON.plus(-1), NOON.plus(11)).iter() {
            let events = block_on(shop.orders(HourSpan::hour(hour)))?;
            prop_assert!(events.iter().all(|event| UtcHour::containing(event.at) == hour));
            prop_assert!(events.is_sorted_by_key(|event| event.at));
            found.extend(events);
        }
        found.sort_by(|a, b| (&a.order, a.number).cmp(&(&b.order, b.number)));
        prop_assert_eq!(found, model.into_values().collect::<Vec<_>>());
    }
}

#[test]
fn a_recording_cannot_be_written() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_in_memory()?;
    let platform: Box<dyn AdPlatform> = Box::new(store.recorded(&[], meta()));
    assert_eq!(platform.capabilities(), &meta());
    assert_eq!(block_on(platform.budgets())?, []);
    let request = SetBudget {
        key: key("a"),
        daily_budget: Micros::new(5_000_000),
        decision: DecisionId::new(1),
    };
    let outcome = block_on(platform.set_budget(&request));
    assert!(
        matches!(outcome, WriteOutcome::Rejected(error) if error.kind() == ErrorKind::Rejected)
    );
    let report = block_on(platform.report(HourSpan::hour(NOON)))?;
    assert_eq!(
        (report.rows.len(), report.complete_before),
        (0, UtcHour::new(i32::MIN))
    );
    Ok(())
}

#[test]
fn a_file_of_an_open_import_is_not_there_yet() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_in_memory()?;
    let mut import = store.import()?;
    let file = import.file([1; 32], "a file", "test")?.id();
    assert!(matches!(
        store.coverage(&[file]),
        Err(StoreError::UnknownFile { .. })
    ));
    let recorded = store.recorded(&[file], meta());
    let error = block_on(recorded.report(HourSpan::hour(NOON))).expect_err("not committed");
    let cause = std::error::Error::source(&error)
        .expect("a cause")
        .to_string();
    assert!(cause.starts_with(&format!("file {file} is unknown here")));
    import.commit()?;
    assert!(
        block_on(recorded.report(HourSpan::hour(NOON)))?
            .rows
            .is_empty()
    );
    Ok(())
}

#[test]
fn granularity_is_told_per_ad_set() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_in_memory()?;
    let mut import = store.import()?;
    let file = import.file([1; 32], "a file", "test")?.id();
    let mut put = |name: &str, platform: Platform, from: i32, hours: i32| {
        let span = HourSpan::new(NOON.plus(from), NOON.plus(from + hours));
        let key = AdSetKey::new(platform, name);
        import.metric(file, &key, span, &spend(1), OnDuplicate::Refuse)
    };
    put("hours", Platform::Meta, 0, 1)?;
    put("days", Platform::Google, 0, 24)?;
    put("days", Platform::Google, 24, 25)?;
    put("weeks", Platform::TikTok, 0, 168)?;
    put("both", Platform::TikTok, 0, 1)?;
    put("both", Platform::TikTok, 0, 23)?;
    import.commit()?;
    let coverage = store.coverage(&[file])?;
    let found: Vec<_> = coverage
        .ad_sets
        .iter()
        .map(|ad_set| (ad_set.key.ad_set.as_str(), ad_set.granularity))
        .collect();
    assert_eq!(
        found,
        [
            ("hours", Granularity::Hourly),
            ("days", Granularity::Daily),
            ("both", Granularity::Mixed),
            ("weeks", Granularity::Other),
        ]
    );
    let by_platform: Vec<_> = coverage.platforms.iter().map(|p| p.granularity).collect();
    let expected = [Granularity::Daily, Granularity::Hourly, Granularity::Mixed];
    assert_eq!(by_platform, expected);
    assert_eq!(coverage.granularity, Some(Granularity::Mixed));
    Ok(())
}

#[test]
fn a_report_names_the_file_it_is_from() -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open_in_memory()?;
    let row = |spend_: i64| vec![(key("a"), 0, 1, spend(spend_))];
    let (ids, _) = load(&store, &[row(1), row(2)])?;
    let both = [ids[1], ids[0]]; // the older file is asked for as the later one
    for (files, spent, revision) in [(&ids[..], 2, 1), (&both[..], 1, 1), (&ids[1..], 2, 0)] {
        let report = block_on(store.recorded(files, meta()).report(HourSpan::hour(NOON)))?;
        assert_eq!(report.rows[0].metrics, spend(spent));
        assert_eq!(report.rows[0].revision, Revision::new(revision));
    }
    Ok(())
}
