//! Ratios: exact comparison, and floats that come back as they were.

use std::cmp::Ordering;

use gaelp_core::{Metrics, Micros, Quantity, Ratio};
use proptest::prelude::*;

use crate::money::any_micros;

/// How `numerator ÷ denominator` compares with `bound`, by long division.
fn by_division(numerator: i128, denominator: i128, bound: i128) -> Ordering {
    let floor = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator);
    floor.cmp(&bound).then(rest.cmp(&0))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn comparing_is_dividing(
        numerator in any_micros(),
        denominator in any_micros(),
        ppm in any_micros(),
    ) {
        let compared = Ratio::from_ppm(ppm).compare(Micros::new(numerator), Micros::new(denominator));
        let oracle = (denominator > 0).then(|| {
            by_division(i128::from(numerator) * 1_000_000, denominator.into(), ppm.into())
        });
        prop_assert_eq!(compared, oracle);
    }

    /// Near the threshold, where rounding would show.
    #[test]
    fn a_micro_more_or_less_is_seen(
        spend in 1..1_000_000_000_000_i64,
        ppm in 0..9_000_000_i64,
    ) {
        let threshold = Ratio::from_ppm(ppm);
        let spent = Micros::new(spend);
        // The least revenue that is not below the threshold.
        let least = spent.checked_scale(threshold, gaelp_core::Rounding::Up).map(Micros::get);
        prop_assume!(least.is_some());
        for revenue in least.into_iter().flat_map(|least| [least - 1, least]) {
            let metrics = Metrics { spend: spent, revenue: Micros::new(revenue), ..Metrics::default() };
            let oracle = by_division(i128::from(revenue) * 1_000_000, spend.into(), ppm.into());
            prop_assert_eq!(metrics.compare_roas(threshold), Some(oracle));
            prop_assert_eq!(oracle == Ordering::Less, Some(revenue) < least);
        }
    }

    #[test]
    fn cost_per_acquisition_is_compared_exactly(
        spend in any_micros(),
        conversions in prop_oneof![any::<u64>(), 0..10_000_000_u64],
        threshold in any_micros(),
    ) {
        let metrics = Metrics {
            spend: Micros::new(spend),
            conversions: Quantity::from_millionths(conversions),
            ..Metrics::default()
        };
        let oracle = (conversions > 0).then(|| {
            by_division(i128::from(spend) * 1_000_000, conversions.into(), threshold.into())
        });
        prop_assert_eq!(metrics.compare_cpa(Micros::new(threshold)), oracle);
    }

    /// Near the threshold, where rounding would show.
    #[test]
    fn a_micro_of_cost_is_seen(
        conversions in 1..1_000_000_000_u64,
        threshold in 1..100_000_000_i64,
        off in -1..=1_i64,
    ) {
        // The most that these conversions may cost, and a micro less or more.
        let allowed = i128::from(threshold) * i128::from(conversions);
        let spend = i64::try_from(allowed / 1_000_000)? + off;
        let metrics = Metrics {
            spend: Micros::new(spend),
            conversions: Quantity::from_millionths(conversions),
            ..Metrics::default()
        };
        let oracle =
            by_division(i128::from(spend) * 1_000_000, conversions.into(), threshold.into());
        prop_assert_eq!(metrics.compare_cpa(Micros::new(threshold)), Some(oracle));
        let whole = allowed % 1_000_000 == 0;
        let expected = match off {
            1 => Ordering::Greater,
            0 if whole => Ordering::Equal,
            _ => Ordering::Less,
        };
        prop_assert_eq!(oracle, expected);
    }

    /// Within ±1e9, as promised.
    #[test]
    fn ratios_survive_json(
        ppm in prop_oneof![
            -1_000_000_000_000_000..=1_000_000_000_000_000_i64,
            -9_000_000..9_000_000_i64,
        ],
    ) {
        let ratio = Ratio::from_ppm(ppm);
        prop_assert_eq!(Ratio::try_from(ratio.to_f64()), Ok(ratio));
        let json = serde_json::to_string(&ratio)?;
        prop_assert_eq!(serde_json::from_str::<Ratio>(&json)?, ratio);
        // And so does the decimal that a person would write.
        prop_assert_eq!(serde_json::from_str::<Ratio>(&ratio.to_string())?, ratio);
    }

    /// Whatever was written can be read.
    #[test]
    fn no_ratio_is_unreadable(ppm in any_micros()) {
        let json = serde_json::to_string(&Ratio::from_ppm(ppm))?;
        let back: Ratio = serde_json::from_str(&json)?;
        // Three roundings of 2⁻⁵³ each, on the way out and back.
        prop_assert!(back.ppm().abs_diff(ppm) <= ppm.unsigned_abs() >> 50);
    }

    #[test]
    fn a_seventh_place_is_refused(ppm in -9_000_000..9_000_000_i64, seventh in 1..10_i64) {
        let number: f64 = format!("{}{seventh}", decimal_of(ppm)).parse().map_err(|_| {
            TestCaseError::fail("a decimal is a float")
        })?;
        prop_assert!(Ratio::try_from(number).is_err(), "{}", number);
    }
}

/// All six places of a ratio.
fn decimal_of(ppm: i64) -> String {
    let sign = if ppm < 0 { "-" } else { "" };
    let size = ppm.unsigned_abs();
    format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
}
