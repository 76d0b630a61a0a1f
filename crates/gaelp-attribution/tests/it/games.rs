//! Shapley values: their axioms, and samples against exact values.
#![expect(clippy::cast_precision_loss, reason = "counts of tests are small")]

use gaelp_attribution::{
    ChannelId, Journey, LeaveOneOut, Sampling, SetCounts, ShapleyRate, ShapleySetValue, Weigh,
    shapley, shapley_sampled,
};
use gaelp_core::Seed;
use proptest::prelude::*;

use crate::chains::rows;

/// The mean marginal worth over all orders, order by order.
fn by_orders(players: usize, worth: &dyn Fn(u32) -> f64) -> Vec<f64> {
    fn visit(order: &mut Vec<usize>, players: usize, seen: &mut dyn FnMut(&[usize])) {
        if order.len() == players {
            return seen(order);
        }
        for player in 0..players {
            if !order.contains(&player) {
                order.push(player);
                visit(order, players, seen);
                order.pop();
            }
        }
    }
    let (mut values, mut orders) = (vec![0.0; players], 0.0);
    visit(&mut Vec::new(), players, &mut |order| {
        let mut set = 0;
        for &player in order {
            let before = worth(set);
            set |= 1 << player;
            values[player] += worth(set) - before;
        }
        orders += 1.0;
    });
    values.iter().map(|value| value / orders).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn values_are_means_over_all_orders(worths in prop::collection::vec(-5.0..9.0_f64, 32)) {
        let worth = |set: u32| worths[set as usize];
        let values = shapley(5, worth).unwrap();
        for (value, expected) in values.iter().zip(by_orders(5, &worth)) {
            prop_assert!((value - expected).abs() < 1e-12);
        }
        // Efficiency.
        let sum: f64 = values.iter().sum();
        prop_assert!((sum - (worths[31] - worths[0])).abs() < 1e-12);
    }

    #[test]
    fn null_players_get_nothing_and_equal_players_the_same(worths in prop::collection::vec(0.0..9.0_f64, 16)) {
        // Player 4 adds nothing to any set; 2 and 3 are exchanged in every set.
        let worth = |set: u32| {
            let set = set & 0xf;
            let turned = set & 3 | (set & 4) << 1 | (set & 8) >> 1;
            worths[set as usize] + worths[turned as usize]
        };
        let values = shapley(5, worth).unwrap();
        prop_assert!(values[4].abs() < 1e-12);
        prop_assert!((values[2] - values[3]).abs() < 1e-12);
    }

    #[test]
    fn the_set_value_is_that_of_its_game(rows in rows(5, false)) {
        let earned = ShapleySetValue::earned(&rows.table()).conversions;
        let worth = |set: u32| {
            let inside = rows.paths().into_iter().zip(&rows.conversions);
            let inside = inside.filter(|(path, _)| !path.is_empty() && path.iter().all(|c| set >> c & 1 == 1));
            inside.map(|(_, &count)| count as f64).sum()
        };
        for (value, expected) in earned.iter().zip(by_orders(5, &worth)) {
            prop_assert!((value - expected).abs() < 1e-11, "{value} {expected}");
        }
    }

    #[test]
    fn models_merge_and_are_restored(a in rows(5, false), b in rows(5, true)) {
        let mut all: Vec<_> = Vec::new();
        for rows in [&a, &b] {
            for (row, path) in rows.paths().into_iter().enumerate() {
                all.push((path.to_vec(), rows.conversions[row], rows.values[row], rows.nulls[row]));
            }
        }
        let all = crate::chains::Rows::of(5, &all);
        let sets = SetCounts::count(&a.table()).merge(&SetCounts::count(&b.table())).unwrap();
        prop_assert_eq!(&sets, &SetCounts::count(&all.table()));
        let paths = LeaveOneOut::fit(&a.table()).merge(&LeaveOneOut::fit(&b.table())).unwrap();
        prop_assert_eq!(&paths, &LeaveOneOut::fit(&all.table()));
        let json = serde_json::to_string(&paths).unwrap();
        prop_assert_eq!(&serde_json::from_str::<LeaveOneOut>(&json).unwrap(), &paths);
        let model = sets.fit(10.0).unwrap();
        let json = serde_json::to_string(&model).unwrap();
        prop_assert_eq!(serde_json::from_str::<ShapleyRate>(&json).unwrap(), model);
    }

    #[test]
    fn fitted_models_weigh_any_journey(rows in rows(6, false), path in prop::collection::vec(0..9_u16, 1..20)) {
        let channels: Vec<ChannelId> = path.into_iter().map(ChannelId::new).collect();
        let journey = Journey::of_channels(&channels).unwrap();
        let rate = SetCounts::count(&rows.table()).fit(5.0).unwrap();
        let paths = LeaveOneOut::fit(&rows.table());
        let models: [&dyn Weigh; 3] = [&rate, &paths, &ShapleySetValue];
        for model in models {
            let mut weights = Vec::new();
            model.weigh(&journey, &mut weights);
            prop_assert_eq!(weights.len(), channels.len());
            prop_assert!(weights.iter().any(|&weight| weight > 0));
        }
    }
}

/// A game whose exact values are known: a pair of neighbours is worth one.
fn neighbours(set: &[bool]) -> f64 {
    let pairs = set.windows(2).filter(|pair| pair[0] && pair[1]).count();
    pairs as f64 / (set.len() - 1) as f64
}

#[test]
fn samples_are_within_their_bound() {
    let players = 40;
    let each = 1.0 / 39.0;
    let exact = |player: usize| {
        if player == 0 || player == 39 {
            each / 2.0
        } else {
            each
        }
    };
    let mut beyond_two = 0;
    for seed in 0..20 {
        let sampling = Sampling {
            blocks: 400,
            seed: Seed::new(seed),
            marginals: (0.0, 2.0 * each),
            ..Sampling::default()
        };
        let sampled = shapley_sampled(players, &sampling, neighbours).unwrap();
        let sum: f64 = sampled.values.iter().sum();
        assert!((sum - 1.0).abs() < 1e-12);
        for (player, value) in sampled.values.iter().enumerate() {
            let error = (value - exact(player)).abs();
            assert!(error <= sampled.bound, "{error} {}", sampled.bound);
            beyond_two += usize::from(error > 2.0 * sampled.standard_errors[player]);
        }
    }
    // Of 800 estimates about 36 are off by more than two standard errors; 70 would be six
    // standard deviations away.
    assert!((5..70).contains(&beyond_two), "{beyond_two}");
}

#[test]
fn samples_agree_with_exact_values() {
    let worths: Vec<f64> = (0..1_u32 << 10)
        .map(|set| f64::from(set * 7_919 % 1_009) / 1_009.0)
        .collect();
    let exact = shapley(10, |set| worths[set as usize]).unwrap();
    let sampling = Sampling {
        blocks: 4_000,
        ..Sampling::default()
    };
    let worth = |set: &[bool]| {
        let members = set.iter().enumerate().filter(|(_, member)| **member);
        worths[members.map(|(player, _)| 1 << player).sum::<usize>()]
    };
    let sampled = shapley_sampled(10, &sampling, worth).unwrap();
    for (player, value) in sampled.values.iter().enumerate() {
        let off = (value - exact[player]).abs() / sampled.standard_errors[player];
        assert!(off < 4.5, "{off} standard errors");
    }
}

#[test]
fn impossible_requests_are_refused() {
    assert!(shapley(21, |_| 0.0).is_err());
    assert_eq!(shapley(0, |_| 0.0), Ok(Vec::new()));
    for sampling in [
        Sampling {
            blocks: 0,
            ..Sampling::default()
        },
        Sampling {
            confidence: 1.0,
            ..Sampling::default()
        },
        Sampling {
            marginals: (1.0, 1.0),
            ..Sampling::default()
        },
        Sampling {
            marginals: (0.0, f64::NAN),
            ..Sampling::default()
        },
    ] {
        assert!(
            shapley_sampled(3, &sampling, |_| 0.0).is_err(),
            "{sampling:?}"
        );
    }
    for prior in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(SetCounts::default().fit(prior).is_err());
    }
}
