//! The plain strategies: sums, bounds, and what they make of missing figures.

use gaelp_budget::{Allocator, CpaShare, Equal, Figures, Performance, RoasShare};
use gaelp_core::Micros;
use proptest::prelude::*;

use crate::money;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => 0.0..1e4_f64,
        1 => Just(0.0),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => -100.0..0.0_f64,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Whatever the figures: within bounds, the sum exact wherever the ceilings allow it, and those
    /// that no bound holds get in proportion to their weights.
    #[test]
    fn shares_sum_and_keep_to_bounds(
        arms in prop::collection::vec((number(), number(), number(), 0..3_000_i64, 0..9_000_i64), 1..12),
        budget in 0..40_000_000_i64,
        strategy in 0..4_u8,
    ) {
        let arms: Vec<_> = arms
            .into_iter()
            .map(|(spend, revenue, conversions, floor, room)| Figures {
                spend,
                revenue,
                conversions,
                floor: Micros::new(floor * 1_000),
                ceiling: Micros::new((floor + room) * 1_000),
            })
            .collect();
        let strategy: &dyn Allocator = match strategy {
            0 => &Equal,
            1 => &RoasShare,
            2 => &CpaShare,
            _ => &Performance,
        };
        let sum = |of: fn(&Figures) -> Micros| Micros::checked_sum(arms.iter().map(of)).unwrap();
        let (least, most) = (sum(|arm| arm.floor), sum(|arm| arm.ceiling));
        let budget = Micros::new(budget);
        let Ok(parts) = strategy.share_out(&arms, budget) else {
            prop_assert!(least > budget);
            return Ok(());
        };
        let total = Micros::checked_sum(parts.iter().copied()).unwrap();
        prop_assert!(total <= budget);
        let weights: Vec<f64> = arms.iter().map(|arm| strategy.weight(arm)).collect();
        let sound = |w: &f64| *w > 0.0 && w.is_finite();
        if weights.iter().all(sound) || !weights.iter().any(sound) {
            prop_assert_eq!(total, budget.min(most));
        }
        for (part, arm) in parts.iter().zip(&arms) {
            prop_assert!((arm.floor..=arm.ceiling).contains(part), "{part} in {arm:?}");
        }
        let free = parts.iter().zip(&arms).zip(&weights);
        let free = free.filter(|((part, arm), weight)| {
            **part > arm.floor && **part < arm.ceiling && sound(weight)
        });
        let rates: Vec<f64> = free.map(|((part, _), weight)| part.to_major_f64() / weight).collect();
        for pair in rates.windows(2) {
            let slack = 1e-4 * pair[0].max(pair[1]) + 2e-6 / weights.iter().copied().filter(sound).fold(f64::MAX, f64::min);
            prop_assert!((pair[0] - pair[1]).abs() <= slack, "{rates:?}");
        }
    }
}

/// `sound` is given by reference and by value above; this keeps the closure honest.
#[test]
fn names_mean_what_they_say() {
    let arm = |spend: f64, revenue: f64, conversions: f64| Figures {
        spend,
        revenue,
        conversions,
        floor: Micros::ZERO,
        ceiling: money(100.0),
    };
    let arms = [
        arm(10.0, 40.0, 1.0),
        arm(30.0, 60.0, 9.0),
        arm(0.0, 0.0, 0.0),
    ];
    let shares = |strategy: &dyn Allocator| -> Vec<f64> {
        let parts = strategy.share_out(&arms, money(60.0)).unwrap();
        parts.into_iter().map(Micros::to_major_f64).collect()
    };
    assert_eq!(shares(&Equal), [20.0, 20.0, 20.0]);
    assert_eq!(shares(&RoasShare), [40.0, 20.0, 0.0]); // 4 : 2 : undefined
    assert_eq!(shares(&CpaShare), [15.0, 45.0, 0.0]); // 0.1 : 0.3 : undefined
    assert_eq!(shares(&Performance), [24.0, 36.0, 0.0]); // 40 : 60 : 0
    // Nobody has figures: all the same.
    let new = [arm(0.0, 0.0, 0.0); 3];
    let parts = RoasShare.share_out(&new, money(1.0)).unwrap();
    assert_eq!(Micros::checked_sum(parts), Some(money(1.0)));
}
