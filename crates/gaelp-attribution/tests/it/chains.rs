//! Markov chains against removal by brute force.
#![expect(clippy::cast_precision_loss, reason = "counts of tests are small")]

use gaelp_attribution::{Journeys, Markov, MarkovCounts, Order, PathTable};
use proptest::prelude::*;

/// Journeys in columns, made for tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) channels: u16,
    pub(crate) codes: Vec<u16>,
    pub(crate) offsets: Vec<u32>,
    pub(crate) conversions: Vec<i64>,
    pub(crate) values: Vec<i64>,
    pub(crate) nulls: Vec<i64>,
}

impl Rows {
    pub(crate) fn of(channels: u16, rows: &[(Vec<u16>, i64, i64, i64)]) -> Self {
        let mut made = Self {
            channels,
            offsets: vec![0],
            ..Self::default()
        };
        for (path, conversions, value, nulls) in rows {
            made.codes.extend(path);
            made.offsets.push(u32::try_from(made.codes.len()).unwrap());
            made.conversions.push(*conversions);
            made.values.push(*value);
            made.nulls.push(*nulls);
        }
        made
    }

    pub(crate) fn table(&self) -> PathTable<'_, u16, u32> {
        let count = usize::from(self.channels);
        let journeys = Journeys::new(&self.codes, &self.offsets, count).unwrap();
        PathTable::new(journeys, &self.conversions, &self.values, &self.nulls).unwrap()
    }

    pub(crate) fn fit(&self, order: Order) -> Markov {
        MarkovCounts::count(&self.table(), order)
            .unwrap()
            .fit()
            .unwrap()
    }

    pub(crate) fn paths(&self) -> Vec<&[u16]> {
        let range = |pair: &[u32]| &self.codes[pair[0] as usize..pair[1] as usize];
        self.offsets.windows(2).map(range).collect()
    }
}

/// Any rows over a few channels.
pub(crate) fn rows(channels: u16, single: bool) -> impl Strategy<Value = Rows> {
    let path = prop::collection::vec(0..channels, 0..9);
    let counts = if single {
        prop_oneof![Just((1_i64, 0_i64)), Just((0, 1))].boxed()
    } else {
        (0..4_i64, 0..5_i64).boxed()
    };
    let row = (path, counts, 1..9_000_000_i64);
    prop::collection::vec(row, 1..60).prop_map(move |rows| {
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(path, (c, n), value)| (path, c, if c > 0 { value } else { 0 }, n))
            .collect();
        Rows::of(channels, &rows)
    })
}

/// The probability of a conversion and the expected value where some channel may be closed, by
/// walking the chain state by state until nothing is left: slow, and of no use for long loops.
fn walk(rows: &Rows, order: usize, closed: Option<u16>) -> (f64, f64) {
    use std::collections::BTreeMap;
    type State = Vec<u16>;
    let mut next: BTreeMap<State, BTreeMap<State, f64>> = BTreeMap::new();
    let mut left: BTreeMap<State, f64> = BTreeMap::new();
    let mut ends: BTreeMap<State, (f64, f64)> = BTreeMap::new();
    let mut now: BTreeMap<State, f64> = BTreeMap::new();
    let mut journeys = 0.0;
    for (row, path) in rows.paths().into_iter().enumerate() {
        let (c, n) = (rows.conversions[row] as f64, rows.nulls[row] as f64);
        if path.is_empty() || c + n <= 0.0 {
            continue;
        }
        let mut states: Vec<State> = if path.len() < order {
            vec![path.to_vec()]
        } else {
            path.windows(order).map(<[u16]>::to_vec).collect()
        };
        states.dedup();
        journeys += c + n;
        *now.entry(states[0].clone()).or_default() += c + n;
        for pair in states.windows(2) {
            let to = next.entry(pair[0].clone()).or_default();
            *to.entry(pair[1].clone()).or_default() += c + n;
            *left.entry(pair[0].clone()).or_default() += c + n;
        }
        let last = states.last().unwrap().clone();
        *left.entry(last.clone()).or_default() += c + n;
        let end = ends.entry(last).or_default();
        end.0 += c;
        end.1 += rows.values[row] as f64;
    }
    let (mut converted, mut earned) = (0.0, 0.0);
    for share in now.values_mut() {
        *share /= journeys;
    }
    while now.values().sum::<f64>() > 1e-16 {
        let mut then: BTreeMap<State, f64> = BTreeMap::new();
        for (state, share) in &now {
            if closed.is_some_and(|channel| state.contains(&channel)) {
                continue;
            }
            let all = left[state];
            if let Some((c, v)) = ends.get(state) {
                converted += share * c / all;
                earned += share * v / all;
            }
            for (to, count) in next.get(state).into_iter().flatten() {
                *then.entry(to.clone()).or_default() += share * count / all;
            }
        }
        now = then;
    }
    (converted, earned)
}

fn check(rows: &Rows, order: Order) -> Result<(), TestCaseError> {
    let Ok(model) = MarkovCounts::count(&rows.table(), order).unwrap().fit() else {
        let some = rows
            .paths()
            .into_iter()
            .zip(rows.conversions.iter().zip(&rows.nulls));
        let mut some = some.filter(|(path, (c, n))| !path.is_empty() && *c + *n > 0);
        prop_assert!(some.next().is_none());
        return Ok(());
    };
    let length = usize::from(order.get());
    let (all, value) = walk(rows, length, None);
    prop_assert!((model.probability_of_conversion() - all).abs() < 1e-12);
    for channel in 0..rows.channels {
        let (converted, earned) = walk(rows, length, Some(channel));
        let index = usize::from(channel);
        let effect = model.removal_effects()[index];
        prop_assert!((0.0..=1.0).contains(&effect));
        if all > 0.0 {
            let expected = 1.0 - converted / all;
            prop_assert!((effect - expected).abs() < 1e-9, "{effect} {expected}");
        }
        if value > 0.0 {
            let (effect, expected) = (model.value_removal_effects()[index], 1.0 - earned / value);
            prop_assert!((effect - expected).abs() < 1e-9, "{effect} {expected}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn removal_effects_are_those_of_brute_force(rows in rows(4, false), order in 0..4_usize) {
        check(&rows, Order::ALL[order])?;
    }

    #[test]
    fn rows_of_one_journey_are_counted_alike(rows in rows(4, true), order in 0..4_usize) {
        check(&rows, Order::ALL[order])?;
    }

    /// Above 128 states, chains are solved by series.
    #[test]
    fn the_probability_is_that_of_the_journeys(rows in rows(9, false), order in 0..4_usize) {
        let model = MarkovCounts::count(&rows.table(), Order::ALL[order]).unwrap().fit();
        let (mut converted, mut all) = (0, 0);
        for (row, path) in rows.paths().into_iter().enumerate() {
            if !path.is_empty() {
                converted += rows.conversions[row];
                all += rows.conversions[row] + rows.nulls[row];
            }
        }
        if let Ok(model) = model {
            let error = model.probability_of_conversion() - converted as f64 / all as f64;
            prop_assert!(error.abs() < 1e-12, "{error:e}");
        } else {
            prop_assert_eq!(all, 0);
        }
    }

    #[test]
    fn merged_counts_are_those_of_the_union(a in rows(5, false), b in rows(5, true), order in 0..4_usize) {
        let order = Order::ALL[order];
        let count = |rows: &Rows| MarkovCounts::count(&rows.table(), order).unwrap();
        let (some, more) = (count(&a), count(&b));
        let mut both: Vec<_> = Vec::new();
        for rows in [&a, &b] {
            for (row, path) in rows.paths().into_iter().enumerate() {
                both.push((path.to_vec(), rows.conversions[row], rows.values[row], rows.nulls[row]));
            }
        }
        let both = count(&Rows::of(5, &both));
        prop_assert_eq!(&some.merge(&more).unwrap(), &both);
        prop_assert_eq!(&more.merge(&some).unwrap(), &both);
        let json = serde_json::to_string(&both).unwrap();
        prop_assert_eq!(serde_json::from_str::<MarkovCounts>(&json).unwrap(), both);
    }
}

/// Every pair of the large chain's ways: 900 states by series.
#[test]
fn a_large_chain_agrees_with_brute_force() {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let rows: Vec<_> = (0..4_000)
        .map(|_| {
            let length = 1 + random(8);
            let path = (0..length).map(|_| u16::try_from(random(30)).unwrap());
            let path = path.collect();
            let converted = i64::from(random(9) == 0);
            (path, converted, converted * 7_000_000, 1 - converted)
        })
        .collect();
    let rows = Rows::of(30, &rows);
    let model = rows.fit(Order::SECOND);
    assert!(model.states() > 900, "{}", model.states());
    let (all, _) = walk(&rows, 2, None);
    for channel in [0, 13, 29] {
        let (converted, _) = walk(&rows, 2, Some(channel));
        let expected = 1.0 - converted / all;
        let effect = model.removal_effects()[usize::from(channel)];
        assert!(
            (effect / expected - 1.0).abs() < 1e-10,
            "{effect} {expected}"
        );
    }
}

#[test]
fn keys_that_fit_into_no_table_are_hashed() {
    // The same journeys under scattered numbers of channels: 7,000 to the fourth is past any table.
    let paths = [
        vec![1, 2, 3, 1, 2],
        vec![2, 2, 2, 2],
        vec![3],
        vec![1, 3, 1, 3],
    ];
    let rows = |scale: u16, channels| {
        let row = |path: &Vec<u16>| (path.iter().map(|c| c * scale).collect(), 1, 5, 2);
        Rows::of(channels, &paths.iter().map(row).collect::<Vec<_>>())
    };
    let (near, far) = (rows(1, 4), rows(2_300, 7_000));
    for order in Order::ALL {
        let (near, far) = (near.fit(order), far.fit(order));
        assert_eq!(near.states(), far.states());
        for channel in 1..4_usize {
            let (a, b) = (
                near.removal_effects()[channel],
                far.removal_effects()[channel * 2_300],
            );
            assert!((a - b).abs() < 1e-12);
        }
    }
    let many = Rows::of(8_000, &[(vec![0], 1, 1, 0)]);
    assert!(MarkovCounts::count(&many.table(), Order::FOURTH).is_err());
}

#[test]
fn contradictory_counts_are_refused() {
    let rows = Rows::of(2, &[(vec![0, 1], 1, 5, 2)]);
    let counts = MarkovCounts::count(&rows.table(), Order::FIRST).unwrap();
    let json = serde_json::to_string(&counts).unwrap();
    assert!(serde_json::from_str::<MarkovCounts>(&json).is_ok());
    for (from, to) in [
        ("\"converted\":1", "\"converted\":2"),
        ("\"began\":3", "\"began\":4"),
        ("\"channels\":2", "\"channels\":1"),
        ("\"order\":1", "\"order\":5"),
        ("[[5,3]]", "[[5,4]]"),
        ("[[5,3]]", "[[4,3]]"),
    ] {
        let broken = json.replace(from, to);
        assert_ne!(broken, json, "{from}");
        assert!(
            serde_json::from_str::<MarkovCounts>(&broken).is_err(),
            "{broken}"
        );
    }
    let model = serde_json::to_string(&counts.fit().unwrap()).unwrap();
    assert!(serde_json::from_str::<Markov>(&model).is_ok());
    let broken = model.replace("\"removal_effects\":[1.0", "\"removal_effects\":[1.5");
    assert_ne!(broken, model);
    assert!(serde_json::from_str::<Markov>(&broken).is_err());
}
