//! Splits: exact, fair, stable.

use gaelp_core::{Micros, split, split_by};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::money::any_micros;

fn any_weight() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 0..10_u64,
        3 => any::<u64>(),
        1 => Just(u64::MAX),
        1 => u64::MAX - 5..=u64::MAX,
        1 => (0..64_u32).prop_map(|shift| 1 << shift),
    ]
}

fn any_weights() -> impl Strategy<Value = Vec<u64>> {
    prop_oneof![8 => vec(any_weight(), 1..12), 1 => vec(any_weight(), 100..200)]
        .prop_filter("some weight is above zero", |weights| {
            weights.iter().any(|&w| w > 0)
        })
}

fn any_floats() -> impl Strategy<Value = Vec<f64>> {
    let weight = prop_oneof![
        4 => 0.0..1.0_f64,
        1 => Just(0.0),
        1 => 1e-12..1e-3_f64,
        1 => 0.0..1e6_f64,
        1 => (0..u64::MAX >> 1).prop_map(f64::from_bits).prop_filter("finite", |w| w.is_finite()),
    ];
    vec(weight, 1..12).prop_filter("some weight is above zero", |weights| {
        weights.iter().any(|&w| w > 0.0)
    })
}

/// `total · weight ÷ sum` as quotient and remainder, bit by bit of the total.
fn long_division(total: u64, weight: u64, sum: u128) -> (u128, u128) {
    let (mut quotient, mut rest) = (0, 0);
    for bit in (0..64).rev() {
        rest *= 2;
        quotient *= 2;
        if total >> bit & 1 == 1 {
            rest += u128::from(weight);
        }
        quotient += rest / sum;
        rest %= sum;
    }
    (quotient, rest)
}

/// The method of largest remainders, written down naively: a full stable sort.
fn naive(total: i64, weights: &[u64]) -> Vec<i128> {
    let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
    let size = total.unsigned_abs();
    let shares: Vec<(u128, u128)> = weights
        .iter()
        .map(|&w| long_division(size, w, sum))
        .collect();
    let given: u128 = shares.iter().map(|share| share.0).sum();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(shares[index].1));
    let mut parts: Vec<u128> = shares.iter().map(|share| share.0).collect();
    let mut left = u128::from(size) - given;
    for index in order {
        if left > 0 {
            parts[index] += 1;
            left -= 1;
        }
    }
    let sign = if total < 0 { -1 } else { 1 };
    parts
        .into_iter()
        .map(|part| sign * i128::try_from(part).unwrap_or(i128::MAX))
        .collect()
}

fn plain(parts: &[Micros]) -> Vec<i128> {
    parts.iter().map(|part| i128::from(part.get())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn splits_are_those_of_the_naive_method(total in any_micros(), weights in any_weights()) {
        let parts = split(Micros::new(total), &weights)?;
        prop_assert_eq!(plain(&parts), naive(total, &weights));
    }

    #[test]
    fn parts_sum_to_the_whole(total in any_micros(), weights in any_weights()) {
        let parts = split(Micros::new(total), &weights)?;
        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(plain(&parts).iter().sum::<i128>(), i128::from(total));
        // No part has another sign than the whole, and so the parts can be summed in any order.
        prop_assert!(parts.iter().all(|part| part.get().signum() * total.signum() >= 0));
        prop_assert!(parts.iter().zip(&weights).all(|(part, &w)| w > 0 || part.is_zero()));
    }

    /// `|part − exact| < 1`, multiplied out.
    #[test]
    fn no_part_is_a_micro_off(
        total in any_micros(),
        weights in vec(0..u64::MAX >> 2, 1..12),
    ) {
        let sum: i128 = weights.iter().map(|&w| i128::from(w)).sum();
        prop_assume!(sum > 0);
        for (part, &weight) in split(Micros::new(total), &weights)?.iter().zip(&weights) {
            // Both products wrap alike, and their difference is below 2⁷⁰ if the split is right.
            let share = i128::from(total).wrapping_mul(weight.into());
            let given = i128::from(part.get()).wrapping_mul(sum);
            prop_assert!(given.wrapping_sub(share).unsigned_abs() < sum.unsigned_abs());
        }
    }

    #[test]
    fn more_weight_never_gets_less(total in any_micros(), weights in any_weights()) {
        let parts = split(Micros::new(total), &weights)?;
        let size = |index: usize| parts[index].get().unsigned_abs();
        for a in 0..weights.len() {
            for b in 0..weights.len() {
                if weights[a] > weights[b] {
                    prop_assert!(size(a) >= size(b));
                }
                // Equals differ by a micro at most, and the earlier one has it.
                if weights[a] == weights[b] && a < b {
                    prop_assert!(size(a) == size(b) || size(a) == size(b) + 1);
                }
            }
        }
    }

    #[test]
    fn undoing_the_whole_undoes_the_parts(total in any_micros(), weights in any_weights()) {
        prop_assume!(total != i64::MIN);
        let parts = split(Micros::new(total), &weights)?;
        let undone = split(Micros::new(-total), &weights)?;
        for (part, back) in parts.iter().zip(&undone) {
            prop_assert_eq!(part.checked_neg(), Some(*back));
        }
    }

    #[test]
    fn order_matters_to_ties_alone(
        total in any_micros(),
        (weights, order) in any_weights().prop_flat_map(|weights| {
            let order: Vec<usize> = (0..weights.len()).collect();
            (Just(weights), Just(order).prop_shuffle())
        }),
    ) {
        let parts = split(Micros::new(total), &weights)?;
        let shuffled: Vec<u64> = order.iter().map(|&index| weights[index]).collect();
        let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
        let rests: Vec<u128> =
            weights.iter().map(|&w| long_division(total.unsigned_abs(), w, sum).1).collect();
        for (part, &from) in split(Micros::new(total), &shuffled)?.iter().zip(&order) {
            let twins = rests.iter().filter(|&&rest| rest == rests[from]).count();
            let moved = part.get().abs_diff(parts[from].get());
            prop_assert!(moved == 0 || (moved == 1 && twins > 1));
        }
    }

    #[test]
    fn a_common_factor_changes_nothing(
        total in any_micros(),
        weights in vec(0..1_u64 << 40, 1..12),
        factor in 1..1_u64 << 24,
    ) {
        prop_assume!(weights.iter().any(|&w| w > 0));
        let larger: Vec<u64> = weights.iter().map(|w| w * factor).collect();
        prop_assert_eq!(split(Micros::new(total), &weights), split(Micros::new(total), &larger));
    }

    #[test]
    fn whole_floats_are_split_as_integers(
        total in any_micros(),
        weights in vec(prop_oneof![0..10_u32, any::<u32>()], 1..12),
    ) {
        prop_assume!(weights.iter().any(|&w| w > 0));
        let floats: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
        let integers: Vec<u64> = weights.iter().map(|&w| u64::from(w)).collect();
        let parts = split_by(Micros::new(total), &floats);
        prop_assert_eq!(parts, split(Micros::new(total), &integers));
    }

    /// Every weight of at least 2⁻¹¹ of the largest, to its last bit.
    #[test]
    fn the_grid_holds_what_it_promises(
        total in any_micros(),
        weights in vec((1_u64 << 52..1 << 53, 0..=11_u32), 1..12),
    ) {
        // The first is the largest: its mantissa is shifted by all eleven bits.
        let integers: Vec<u64> = std::iter::once(((1 << 53) - 1) << 11)
            .chain(weights.iter().map(|&(mantissa, shift)| mantissa << shift))
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "53 bits, shifted: exact")]
        let floats: Vec<f64> = integers.iter().map(|&w| w as f64 * 2_f64.powi(-70)).collect();
        let parts = split_by(Micros::new(total), &floats);
        prop_assert_eq!(parts, split(Micros::new(total), &integers));
    }

    #[test]
    fn splits_by_floats_are_whole_and_fair(total in any_micros(), weights in any_floats()) {
        let parts = split_by(Micros::new(total), &weights)?;
        prop_assert_eq!(plain(&parts).iter().sum::<i128>(), i128::from(total));
        let size = |index: usize| parts[index].get().unsigned_abs();
        let largest = weights.iter().copied().fold(0.0, f64::max);
        for a in 0..weights.len() {
            for b in 0..weights.len() {
                // What the grid tells apart, or else the earlier one.
                let apart = weights[a] - weights[b] > largest * 2_f64.powi(-63);
                if apart || (weights[a] >= weights[b] && a < b) {
                    prop_assert!(size(a) >= size(b), "{:?}: {:?}", weights, parts);
                }
            }
        }
    }

    #[test]
    fn powers_of_two_change_nothing(
        total in any_micros(),
        mut weights in vec(prop_oneof![Just(0.0), 1e-6..1e6_f64], 0..12),
        last in 1e-6..1e6_f64,
        power in -900..900_i32,
    ) {
        weights.push(last);
        let scaled: Vec<f64> = weights.iter().map(|w| w * 2_f64.powi(power)).collect();
        let parts = split_by(Micros::new(total), &weights);
        prop_assert_eq!(parts, split_by(Micros::new(total), &scaled));
    }
}
