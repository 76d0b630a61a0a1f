//! Small cases against every plan there is.
#![expect(clippy::cast_precision_loss, reason = "small counts")]

use gaelp_budget::{CapTree, Curve, Goal, GroupId, allocate};
use gaelp_core::{Micros, Ratio};
use proptest::prelude::*;

use crate::{any_curve, caps, specs, tree};

/// A quarter: few enough of them that all plans can be tried.
const QUANTUM: Micros = Micros::new(250_000);

/// Every plan within all bounds: what it spends in quanta, and what it brings.
fn every_plan(tree: &CapTree<usize>, budget: i64, visit: &mut impl FnMut(i64, f64)) {
    let mut units = vec![0; tree.arms().len()];
    enumerate(tree, budget, 0, &mut units, visit);
}

fn enumerate(
    tree: &CapTree<usize>,
    budget: i64,
    place: usize,
    units: &mut Vec<i64>,
    visit: &mut impl FnMut(i64, f64),
) {
    let Some(arm) = tree.arms().get(place) else {
        if let Some(total) = total_within_caps(tree, units, budget) {
            let brought = tree.arms().iter().zip(units.iter());
            let brought = brought.map(|(arm, &units)| arm.curve().value(units as f64 * 0.25));
            visit(total, brought.sum());
        }
        return;
    };
    let limits = arm.limits();
    let used: i64 = units[..place].iter().sum();
    let high = (limits.ceiling.get() / QUANTUM.get()).min(budget - used);
    for count in limits.floor.get() / QUANTUM.get()..=high {
        units[place] = count;
        enumerate(tree, budget, place + 1, units, visit);
    }
    units[place] = 0;
}

/// The whole spend, if every group is within its bounds; the groups are told by name.
fn total_within_caps(tree: &CapTree<usize>, units: &[i64], budget: i64) -> Option<i64> {
    let total: i64 = units.iter().sum();
    let spent = |inside: &dyn Fn(usize) -> bool| -> i64 {
        let arms = tree.arms().iter().zip(units);
        arms.filter(|(arm, _)| inside(arm.group().index()))
            .map(|(_, units)| units)
            .sum()
    };
    // The account is group 0, platforms 1 and 4, their campaigns behind them.
    let groups = tree.groups().iter().enumerate().skip(1);
    let mut within = groups.map(|(place, group)| {
        let spent = if place % 3 == 1 {
            spent(&|inside| inside == place + 1 || inside == place + 2)
        } else {
            spent(&|inside| inside == place)
        };
        let (floor, cap) = group.bounds();
        (floor.get() / QUANTUM.get()..=cap.unwrap().get() / QUANTUM.get()).contains(&spent)
    });
    (total <= budget && within.all(|one| one)).then_some(total)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Nested caps and floors, whole quanta, curves that bend, break and are S-shaped.
    #[test]
    fn no_plan_brings_more(
        specs in specs(any_curve(), 1..6, 8),
        caps in caps(14),
        room in 0..16_i64,
        margin in prop_oneof![Just(None), (200_000..1_000_000_i64).prop_map(Some)],
    ) {
        let (tree, must) = tree(&specs, &caps, QUANTUM);
        let budget = must + room;
        let (goal, price) = match margin {
            None => (Goal::MaxRevenue, 0.0),
            Some(ppm) => (Goal::MaxProfit { margin: Ratio::from_ppm(ppm) }, 1e6 / ppm as f64),
        };
        let amount = QUANTUM.checked_mul(budget).unwrap();
        let plan = allocate(&tree, amount, QUANTUM, &[goal]).unwrap();
        let mut best = f64::NEG_INFINITY;
        every_plan(&tree, budget, &mut |units, value| {
            best = best.max(value - price * 0.25 * units as f64);
        });
        let found = plan.value - price * plan.total.to_major_f64();
        prop_assert!((found - best).abs() <= 1e-9 * best.abs().max(1.0), "{found} for {best}");
        prop_assert!(plan.certificate.best_move <= 0.0);
        prop_assert!(plan.certificate.bound >= best - 1e-9 * best.abs().max(1.0));
        prop_assert!(plan.certificate.gap <= 1e-9, "{}", plan.certificate.gap);
        let units: Vec<i64> =
            plan.arms.iter().map(|arm| arm.spend.get() / QUANTUM.get()).collect();
        prop_assert_eq!(
            total_within_caps(&tree, &units, budget).map(|units| units * QUANTUM.get()),
            Some(plan.total.get())
        );
    }

    /// A target for the return: it is met, and no plan that meets it brings more than the best
    /// quantum above ours.
    #[test]
    fn targets_are_met_and_nearly_nothing_is_left(
        specs in specs(any_curve(), 1..5, 8),
        caps in caps(14),
        room in 0..16_i64,
        target in 300_000..6_000_000_i64,
    ) {
        let (tree, must) = tree(&specs, &caps, QUANTUM);
        let budget = must + room;
        let amount = QUANTUM.checked_mul(budget).unwrap();
        let goal = Goal::TargetRoas(Ratio::from_ppm(target));
        let least = target as f64 / 1e6;
        let (mut best, mut any) = (f64::NEG_INFINITY, false);
        every_plan(&tree, budget, &mut |units, value| {
            if value >= least * 0.25 * units as f64 {
                (best, any) = (best.max(value), true);
            }
        });
        match allocate(&tree, amount, QUANTUM, &[goal]) {
            Ok(plan) => {
                let spend = plan.total.to_major_f64();
                prop_assert!(plan.value >= least * spend - 1e-9);
                if any {
                    let steepest = specs
                        .iter()
                        .map(|spec| spec.curve.value(0.25))
                        .fold(0.0_f64, f64::max);
                    prop_assert!(plan.value >= best - 2.0 * steepest - 1e-9, "{plan:?} {best}");
                }
            }
            Err(why) => prop_assert!(!any, "{}, but {} would do", why, best),
        }
    }
}

/// The account's own floor counts too, and groups may hold arms beside groups.
#[test]
fn arms_may_lie_beside_groups() {
    let mut tree = CapTree::new("account");
    let unit = |units: i64| QUANTUM.checked_mul(units).unwrap();
    let curve = |slope: f64| gaelp_budget::ResponseCurve::log(slope * 4.0, 4.0).unwrap();
    let limits = gaelp_budget::ArmLimits::up_to(unit(20));
    let inner = tree
        .group(GroupId::WHOLE, "inner", unit(6), Some(unit(7)))
        .unwrap();
    tree.arm(GroupId::WHOLE, 0, curve(5.0), limits).unwrap();
    tree.arm(inner, 1, curve(1.0), limits).unwrap();
    tree.arm(inner, 2, curve(0.5), limits).unwrap();
    let plan = allocate(&tree, unit(12), QUANTUM, &[Goal::MaxRevenue]).unwrap();
    let units: Vec<_> = plan
        .arms
        .iter()
        .map(|arm| arm.spend.get() / QUANTUM.get())
        .collect();
    // All splits of 12 with at least 6 and at most 7 inside.
    let mut best = (f64::NEG_INFINITY, [0; 3]);
    for first in 5..=6_i64 {
        for second in 0..=12 - first {
            let split = [first, second, 12 - first - second];
            let brought: f64 = tree
                .arms()
                .iter()
                .zip(split)
                .map(|(arm, units)| arm.curve().value(units as f64 * 0.25))
                .sum();
            if brought > best.0 {
                best = (brought, split);
            }
        }
    }
    assert_eq!(units, best.1);
}
