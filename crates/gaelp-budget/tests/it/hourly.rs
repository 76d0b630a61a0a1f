//! The hourly knapsack's shape; what it earns is measured in `gaelp-sim`'s hourly market.

use gaelp_budget::{HourlyKnapsack, KnapsackShapeError};
use gaelp_core::Micros;

use crate::money;

/// Where the judging rates think little of the plan, it is the even split, to the micro.
#[test]
fn the_even_split_is_fallen_back_to() {
    let knapsack = HourlyKnapsack::new(2, &[1.0, 3.0]).unwrap();
    let hopeful = [9.0, 9.0, 0.0, 0.0];
    let sober = [0.1, 0.1, 2.0, 2.0];
    let plan = knapsack.plan(&hopeful, &sober, money(8.0)).unwrap();
    assert!(plan.equal && plan.promised.0 < plan.promised.1);
    assert_eq!(plan.spend, [1.0, 3.0, 1.0, 3.0].map(money));
    assert!(!knapsack.plan(&hopeful, &hopeful, money(8.0)).unwrap().equal);
    // Nobody brings anything: even too.
    let none = knapsack.plan(&[0.0; 4], &[0.0; 4], money(8.0)).unwrap();
    assert!(none.equal);
    assert_eq!(none.of(1, 1), money(3.0));
    assert_eq!(none.of(0, 2), Micros::ZERO);
    let refused = |rates: &[f64]| knapsack.plan(rates, &[1.0; 4], money(8.0)).unwrap_err();
    assert!(matches!(
        refused(&[1.0; 3]),
        KnapsackShapeError::Rates { .. }
    ));
    assert!(matches!(
        refused(&[f64::NAN; 4]),
        KnapsackShapeError::Rate(_)
    ));
    assert!(HourlyKnapsack::new(0, &[1.0]).is_err());
    assert!(HourlyKnapsack::new(1, &[0.0]).is_err());
}
