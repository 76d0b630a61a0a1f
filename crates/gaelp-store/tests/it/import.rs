//! A batch of files is taken whole or not at all.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use gaelp_core::{HourSpan, Metrics, Micros, Platform, Quantity};
use gaelp_platform::OrderEvent;
use gaelp_store::{FileId, FileStatus, Import, OnDuplicate, Store, StoreError};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::support::{NOON, commit, dump, key, key_strategy, metrics_strategy, records, spend};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn new_file(import: &mut Import, digest: u8) -> FileId {
    match import.file([digest; 32], "a file", "test").expect("a file") {
        FileStatus::New(file) => file,
        FileStatus::Known(_) => panic!("file {digest} is known"),
    }
}

fn hour(offset: i32) -> HourSpan {
    HourSpan::hour(NOON.plus(offset))
}

#[test]
fn a_dropped_batch_leaves_nothing() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    let before = dump(&path);
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    for n in 0..1_000 {
        import.metric(file, &key("a"), hour(n), &spend(1), OnDuplicate::Refuse)?;
    }
    import.total(file, &key("b"), &spend(1), OnDuplicate::Refuse)?;
    drop(import);
    assert_eq!(dump(&path), before);
    // The names that were given numbers in vain are given new ones.
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    import.metric(file, &key("b"), hour(0), &spend(1), OnDuplicate::Refuse)?;
    import.commit()?;
    assert_eq!(store.coverage(&[file])?.ad_sets[0].key, key("b"));
    Ok(())
}

#[test]
fn after_an_error_nothing_can_be_committed() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    let before = dump(&path);
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    import.metric(file, &key("a"), hour(0), &spend(1), OnDuplicate::Refuse)?;
    let again = import.metric(file, &key("a"), hour(0), &spend(1), OnDuplicate::Refuse);
    let Err(StoreError::Duplicate { key: found, span }) = again else {
        panic!("the second row was taken");
    };
    assert_eq!((found, span), (key("a"), hour(0)));
    // Further rows are looked at, for further errors.
    import.metric(file, &key("a"), hour(1), &spend(1), OnDuplicate::Refuse)?;
    assert!(matches!(import.commit(), Err(StoreError::Spoiled)));
    assert_eq!(dump(&path), before);
    Ok(())
}

#[test]
fn a_file_is_known_by_its_content() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    assert_eq!(
        import.file([1; 32], "a copy", "test")?,
        FileStatus::Known(file)
    );
    import.metric(file, &key("a"), hour(0), &spend(1), OnDuplicate::Refuse)?;
    import.commit()?;
    let before = dump(&path);
    let mut import = Store::open(&path)?.import()?;
    assert_eq!(
        import.file([1; 32], "a copy", "test")?,
        FileStatus::Known(file)
    );
    import.commit()?;
    assert_eq!(dump(&path), before);
    // A file that was committed is closed.
    let mut import = store.import()?;
    let late = import.metric(file, &key("a"), hour(1), &spend(1), OnDuplicate::Refuse);
    assert!(matches!(late, Err(StoreError::UnknownFile { file: found }) if found == file));
    drop(import);
    assert_eq!(dump(&path), before);
    Ok(())
}

#[test]
fn parts_of_a_figure_add_up() -> Outcome {
    let store = Store::open_in_memory()?;
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    for part in 1..=3 {
        import.metric(file, &key("a"), hour(0), &spend(part), OnDuplicate::Add)?;
        import.total(file, &key("b"), &spend(10 * part), OnDuplicate::Add)?;
    }
    let twice = import.total(file, &key("b"), &spend(1), OnDuplicate::Refuse);
    assert!(matches!(twice, Err(StoreError::DuplicateTotal { .. })));
    drop(import);
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    for part in 1..=3 {
        import.metric(file, &key("a"), hour(0), &spend(part), OnDuplicate::Add)?;
        import.total(file, &key("b"), &spend(10 * part), OnDuplicate::Add)?;
    }
    import.commit()?;
    let coverage = store.coverage(&[file])?;
    assert_eq!((coverage.rows, coverage.ad_sets[0].metrics), (1, spend(6)));
    assert_eq!(coverage.totals, [(key("b"), spend(60))]);
    let mut import = store.import()?;
    let file = new_file(&mut import, 2);
    import.metric(file, &key("a"), hour(0), &spend(i64::MAX), OnDuplicate::Add)?;
    let over = import.metric(file, &key("a"), hour(0), &spend(1), OnDuplicate::Add);
    assert!(matches!(
        over,
        Err(StoreError::Overflow { field: "spend", .. })
    ));
    Ok(())
}

#[test]
fn what_would_not_read_back_is_refused() -> Outcome {
    let store = Store::open_in_memory()?;
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    let metrics = Metrics {
        clicks: 1 << 63,
        ..Metrics::default()
    };
    let count = import.metric(file, &key("a"), hour(0), &metrics, OnDuplicate::Refuse);
    assert!(matches!(
        count,
        Err(StoreError::Unstorable {
            column: "clicks",
            ..
        })
    ));
    let mut odd = key("a");
    odd.platform = Platform::Other("Meta".into());
    let platform = import.metric(file, &odd, hour(0), &spend(1), OnDuplicate::Refuse);
    assert!(matches!(
        platform,
        Err(StoreError::Unstorable { column: "name", .. })
    ));
    let nothing = HourSpan::new(NOON, NOON);
    let empty = import.metric(file, &key("a"), nothing, &spend(1), OnDuplicate::Refuse);
    assert!(matches!(empty, Err(StoreError::EmptySpan { .. })));
    Ok(())
}

#[test]
fn an_order_event_is_taken_once() -> Outcome {
    let store = Store::open_in_memory()?;
    let at = NOON.start();
    let sale = OrderEvent::sale("#1", at, Micros::new(5))?;
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    import.order(file, &sale)?;
    import.order(file, &sale)?;
    let other = OrderEvent {
        amount: Micros::new(6),
        ..sale.clone()
    };
    let error = import.order(file, &other).expect_err("a contradiction");
    assert!(
        error
            .to_string()
            .starts_with("orders has different content for event 0 of order #1")
    );
    let positive = OrderEvent { number: 1, ..sale };
    assert!(matches!(
        import.order(file, &positive),
        Err(StoreError::Order(_))
    ));
    Ok(())
}

/// Statements that rewrite history, run by a program that goes past this crate.
#[test]
fn history_cannot_be_rewritten() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    import.metric(file, &key("a"), hour(0), &spend(1), OnDuplicate::Refuse)?;
    import.total(file, &key("a"), &spend(1), OnDuplicate::Refuse)?;
    import.order(file, &OrderEvent::sale("#1", NOON.start(), Micros::new(5))?)?;
    import.commit()?;
    let mut journal = store.journal([7; 32].into());
    for n in 0..3 {
        commit(&mut journal, records(n))?;
    }
    drop((journal, store));
    let before = dump(&path);
    let connection = Connection::open(&path)?;
    for statement in [
        "UPDATE metrics_hourly SET spend = 0",
        "DELETE FROM metrics_hourly",
        "UPDATE adset_totals SET spend = 0",
        "DELETE FROM adset_totals",
        "UPDATE orders SET amount = 0",
        "DELETE FROM orders",
        "UPDATE files SET sealed = 0",
        "DELETE FROM files",
        "UPDATE actions_log SET suggested = 0",
        "UPDATE actions_log SET reasons = '[]'",
        "UPDATE actions_log SET status = 'shadow'",
        "DELETE FROM actions_log",
        "UPDATE experiences SET reward = 0",
        "DELETE FROM experiences",
        "UPDATE experience_meta SET cost = 0",
        "DELETE FROM experience_meta",
        "UPDATE experience_touchpoints SET share = 0",
        "DELETE FROM experience_touchpoints",
        "UPDATE reward_corrections SET delta = 0",
        "DELETE FROM reward_corrections",
    ] {
        let error = connection.execute_batch(statement);
        assert!(error.is_err(), "{statement} was allowed");
    }
    drop(connection);
    assert_eq!(dump(&path), before);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the order of the rows, the sums are those of a map, and the figures the same.
    #[test]
    fn order_does_not_matter(
        rows in proptest::collection::vec(
            (key_strategy(), -3..3_i32, 1..3_i32, metrics_strategy()), 0..60),
    ) {
        let mut model = BTreeMap::<_, Metrics>::new();
        let (forth, back) = (Store::open_in_memory()?, Store::open_in_memory()?);
        let mut found = Vec::new();
        for (store, backwards) in [(&forth, false), (&back, true)] {
            let mut import = store.import()?;
            let file = new_file(&mut import, 1);
            let mut rows = rows.clone();
            if backwards {
                rows.reverse();
            }
            model.clear();
            for (key, from, hours, metrics) in &rows {
                let span = HourSpan::new(NOON.plus(*from), NOON.plus(from + hours));
                let sum = model.entry((key.clone(), span.from, span.to)).or_default();
                *sum = sum.merge(metrics)?;
                import.metric(file, key, span, metrics, OnDuplicate::Add)?;
            }
            import.commit()?;
            found.push(store.rows(&[file])?.collect::<Result<Vec<_>, _>>()?);
        }
        prop_assert_eq!(&found[0], &found[1]);
        prop_assert_eq!(found[0].len(), model.len());
        for row in &found[0] {
            let place = (row.key.clone(), row.span.from, row.span.to);
            prop_assert_eq!(model.get(&place), Some(&row.metrics));
        }
    }

    /// Times to the microsecond, and amounts, come back as they were.
    #[test]
    fn orders_read_back(micros in -1_i64 << 52..1 << 52, amount in 0..i64::MAX) {
        let store = Store::open_in_memory()?;
        let at = DateTime::UNIX_EPOCH + TimeDelta::microseconds(micros);
        let sale = OrderEvent::sale("#1", at, Micros::new(amount))?;
        let mut import = store.import()?;
        let file = new_file(&mut import, 1);
        import.order(file, &sale)?;
        import.commit()?;
        let span = store.coverage(&[file])?.orders.expect("an order");
        prop_assert_eq!(span.len(), 1);
        let shop = store.recorded_shop(&[file]);
        let orders = pollster::block_on(gaelp_platform::RevenueSource::orders(&shop, span))?;
        prop_assert_eq!(orders, [sale]);
    }
}

/// A fractional count is kept in millionths.
#[test]
fn fractions_are_exact() -> Outcome {
    let store = Store::open_in_memory()?;
    let metrics = Metrics {
        conversions: Quantity::from_millionths(333_333),
        ..Metrics::default()
    };
    let mut import = store.import()?;
    let file = new_file(&mut import, 1);
    for _ in 0..3 {
        import.metric(file, &key("a"), hour(0), &metrics, OnDuplicate::Add)?;
    }
    import.commit()?;
    let sum = store.coverage(&[file])?.ad_sets[0].metrics.conversions;
    assert_eq!(sum, Quantity::from_millionths(999_999));
    Ok(())
}
