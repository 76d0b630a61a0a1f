//! Goals: each against a plain search, and several by priority.

use gaelp_budget::{
    ArmLimits, CapTree, Curve, Ends, Goal, GroupId, Obstacle, Plan, ResponseCurve, allocate,
};
use gaelp_core::{Micros, Ratio};
use proptest::prelude::*;

use crate::{CENT, Spec, curve, money, specs};

fn flat(specs: &[Spec]) -> CapTree<usize> {
    let mut tree = CapTree::new("account");
    for (place, spec) in specs.iter().enumerate() {
        let amount = |cents: i64| CENT.checked_mul(cents).unwrap();
        let limits = ArmLimits::between(amount(spec.floor), amount(spec.ceiling));
        tree.arm(GroupId::WHOLE, place, spec.curve.clone(), limits)
            .unwrap();
    }
    tree
}

fn ask(specs: &[Spec], budget: Micros, goals: &[Goal]) -> Result<Plan, Obstacle> {
    allocate(&flat(specs), budget, CENT, goals).map_err(|why| why.obstacles()[0].clone())
}

fn must(specs: &[Spec]) -> Micros {
    CENT.checked_mul(specs.iter().map(|spec| spec.floor).sum())
        .unwrap()
}

fn room(specs: &[Spec]) -> i64 {
    specs.iter().map(|spec| spec.ceiling - spec.floor).sum()
}

/// The most that can be brought at every spend from the least to the budget: cent by cent to whom
/// the next one brings most, which for concave curves is the best.
fn frontier(specs: &[Spec], budget: Micros) -> Vec<(f64, f64)> {
    let mut cents: Vec<i64> = specs.iter().map(|spec| spec.floor).collect();
    let at = |place: usize, cents: i64| specs[place].curve.value(to_major(cents));
    let mut value: f64 = (0..specs.len()).map(|place| at(place, cents[place])).sum();
    let mut spent: i64 = cents.iter().sum();
    let mut points = vec![(to_major(spent), value)];
    while spent < budget.get() / CENT.get() {
        let open = (0..specs.len()).filter(|&place| cents[place] < specs[place].ceiling);
        let gain = |place: usize| at(place, cents[place] + 1) - at(place, cents[place]);
        let Some(best) = open.max_by(|&a, &b| gain(a).total_cmp(&gain(b))) else {
            break;
        };
        value += gain(best);
        cents[best] += 1;
        spent += 1;
        points.push((to_major(spent), value));
    }
    points
}

fn to_major(cents: i64) -> f64 {
    CENT.checked_mul(cents).unwrap().to_major_f64()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Each goal against the best point of the frontier.
    #[test]
    fn goals_find_the_frontiers_best_point(
        specs in specs(curve(), 1..6, 900),
        share in 0.0..1.2_f64,
        figure in 300_000..4_000_000_i64,
        least in 0.05..1.0_f64,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small")]
        let extra = (room(&specs) as f64 * share) as i64;
        let budget = must(&specs).checked_add(CENT.checked_mul(extra).unwrap()).unwrap();
        let points = frontier(&specs, budget);
        let figure = Ratio::from_ppm(figure);
        let figure_f64 = figure.to_f64();

        let best = points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let plan = ask(&specs, budget, &[Goal::MaxRevenue]).unwrap();
        prop_assert!((plan.value - best).abs() <= 1e-9 * best.max(1.0));

        let margin = Goal::MaxProfit { margin: figure };
        let profit = |spend: f64, value: f64| value * figure_f64 - spend;
        let best = points.iter().map(|&(s, v)| profit(s, v)).fold(f64::NEG_INFINITY, f64::max);
        let plan = ask(&specs, budget, &[margin]).unwrap();
        let found = profit(plan.total.to_major_f64(), plan.value);
        prop_assert!((found - best).abs() <= 1e-9 * best.abs().max(1.0), "{found} {best}");

        let met = |&&(spend, value): &&(f64, f64)| value >= figure_f64 * spend;
        let best = points.iter().rfind(met);
        match ask(&specs, budget, &[Goal::TargetRoas(figure)]) {
            Ok(plan) => {
                let spend = plan.total.to_major_f64();
                let left = plan.value - figure_f64 * spend;
                prop_assert!(left >= -1e-9 * plan.value.max(1.0));
                if let Some(best) = best {
                    prop_assert!((spend - best.0).abs() < 0.0101, "{spend} {best:?}");
                    prop_assert!(plan.value >= best.1 - 0.011 * figure_f64);
                }
            }
            Err(why) => {
                let roas = matches!(why, Obstacle::Roas { .. });
                prop_assert!(best.is_none() && roas);
            }
        }

        let least_spend = money(least * budget.to_major_f64()).floor_to(CENT).unwrap();
        if least_spend > Micros::ZERO {
            let high_enough = points.iter().filter(|point| money(point.0) >= least_spend);
            let best = high_enough.map(|(spend, value)| value / spend).fold(0.0, f64::max);
            match ask(&specs, budget, &[Goal::MaxRoas { min_spend: least_spend }]) {
                Ok(plan) => {
                    let found = plan.value / plan.total.to_major_f64();
                    prop_assert!((found / best - 1.0).abs() <= 2e-3 && found <= best * (1.0 + 1e-9));
                    prop_assert!(plan.total >= least_spend);
                }
                Err(why) => {
                    prop_assert!(best <= 0.0);
                    prop_assert!(matches!(why, Obstacle::Minimum { .. }), "{}", why);
                }
            }
        }
    }
}

/// Logarithmic arms: factor, scale, floor, ceiling.
const ARMS: [(f64, f64, f64, f64); 5] = [
    (12.0, 4.0, 0.0, 30.0),
    (9.0, 2.0, 1.5, 8.0),
    (20.0, 11.0, 0.0, 25.0),
    (3.0, 5.0, 2.0, 20.0),
    (15.0, 6.0, 4.0, 40.0),
];

#[test]
fn several_goals_by_priority() {
    let mut tree = CapTree::new("account");
    for (place, (factor, scale, floor, ceiling)) in ARMS.into_iter().enumerate() {
        let limits = ArmLimits::between(money(floor), money(ceiling));
        let curve = ResponseCurve::log(factor, scale).unwrap();
        tree.arm(GroupId::WHOLE, place, curve, limits).unwrap();
    }
    let roas = |x: f64| Goal::TargetRoas(Ratio::from_ppm(money(x).get()));
    let ask = |goals: &[Goal]| allocate(&tree, money(60.0), CENT, goals).unwrap();
    // Alone, the minimum is met; after a target that it would break, it is given up.
    let minimum = Goal::MinSpend(money(55.0));
    assert!(ask(&[minimum, Goal::MaxRevenue]).total >= money(55.0));
    let plan = ask(&[roas(1.7), minimum, Goal::MaxRevenue]);
    assert_eq!(plan.given_up.len(), 1);
    assert_eq!(plan.given_up[0].goal, minimum);
    assert!(plan.value >= 1.7 * plan.total.to_major_f64());
    assert_eq!(plan.ends, Ends::Goal);
    // The other way round, the target goes.
    let plan = ask(&[minimum, roas(1.7)]);
    assert_eq!(plan.given_up[0].goal, roas(1.7));
    assert!(matches!(plan.given_up[0].why, Obstacle::Roas { best, .. } if best < 1.7));
    assert_eq!(plan.total, money(60.0));
    // The stricter of two targets holds, and a daily maximum binds before either.
    let both = ask(&[roas(1.2), roas(1.6)]);
    assert!((both.value / both.total.to_major_f64() - 1.6).abs() < 1e-3);
    assert_eq!(
        ask(&[Goal::MaxSpend(money(20.0)), roas(1.2)]).total,
        money(20.0)
    );
    assert_eq!(
        ask(&[roas(1.2), Goal::MaxSpend(money(5.0))]).given_up[0]
            .why
            .to_string(),
        "at most 5.00 is to be spent, and the minimums need 7.50"
    );
    // The cost of an acquisition is the inverse of a return.
    let cpa = ask(&[Goal::TargetCpa(money(0.625))]);
    assert_eq!(cpa.arms, both.arms);
    let cheapest = ask(&[Goal::MinCpa {
        min_spend: money(30.0),
    }]);
    assert!((cheapest.total, cheapest.ends) == (money(30.0), Ends::Minimum));
    // Spending less than the budget is a result: at a margin of a half, the last unit brings 2.
    let profit = ask(&[Goal::MaxProfit {
        margin: Ratio::from_ppm(500_000),
    }]);
    assert_eq!(profit.ends, Ends::Goal);
    let inside = profit
        .arms
        .iter()
        .find(|arm| arm.binding == gaelp_budget::Binding::Level);
    assert!((inside.unwrap().marginal - 2.0).abs() < 5e-3);
}

/// The words for what is out of reach name the best there is.
#[test]
fn the_best_within_reach_is_named() {
    let mut tree = CapTree::new("account");
    let limits = ArmLimits::between(money(10.0), money(20.0));
    let curve = ResponseCurve::log(10.0, 10.0).unwrap();
    tree.arm(GroupId::WHOLE, "hats", curve, limits).unwrap();
    let refused = |goal| {
        allocate(&tree, money(20.0), CENT, &[goal])
            .unwrap_err()
            .to_string()
    };
    // ln 2 on the floor is the best average: averages fall.
    assert_eq!(
        refused(Goal::TargetRoas(Ratio::from_ppm(900_000))),
        "a return of 0.90 is out of reach: the best is 0.69, on 10.00"
    );
    assert_eq!(
        refused(Goal::TargetCpa(money(1.2))),
        "a cost of 1.20 per conversion is out of reach: the least is 1.44, on 10.00"
    );
    assert_eq!(
        refused(Goal::MinSpend(money(30.0))),
        "at least 30.00 is to be spent, and no more than 20.00 can be"
    );
}
