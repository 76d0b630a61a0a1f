//! Large plans: optimality conditions, sums, and what must not matter.
#![expect(clippy::cast_precision_loss, reason = "small counts")]

use gaelp_budget::{
    ArmLimits, Binding, CapTree, Curve, Ends, Goal, GroupId, Obstacle, Plan, WaterLevel, allocate,
};
use gaelp_core::{Micros, Ratio};
use proptest::prelude::*;

use crate::{CENT, Spec, any_curve, caps, curve, money, specs, tree};

fn spend_of(plan: &Plan) -> Vec<i64> {
    plan.arms
        .iter()
        .map(|arm| arm.spend.get() / CENT.get())
        .collect()
}

/// One group, bounds in cents.
fn flat(specs: &[Spec], factor: i64) -> CapTree<usize> {
    let mut tree = CapTree::new("account");
    for (place, spec) in specs.iter().enumerate() {
        let amount = |cents: i64| CENT.checked_mul(cents * factor).unwrap();
        let limits = ArmLimits::between(amount(spec.floor), amount(spec.ceiling));
        tree.arm(GroupId::WHOLE, place, spec.curve.clone(), limits)
            .unwrap();
    }
    tree
}

fn floors(specs: &[Spec]) -> i64 {
    specs.iter().map(|spec| spec.floor).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// KKT to what a cent allows, the gap, exact sums, and no cent that could be better placed.
    #[test]
    fn plans_are_optimal(
        specs in specs(any_curve(), 1..60, 4_000),
        caps in caps(50_000),
        room in 0..60_000_i64,
    ) {
        let (tree, must) = tree(&specs, &caps, CENT);
        let budget = CENT.checked_mul(must + room).unwrap();
        let plan = allocate(&tree, budget, CENT, &[Goal::MaxRevenue]).unwrap();
        prop_assert!(plan.certificate.gap.abs() <= 1e-9, "gap {}", plan.certificate.gap);
        prop_assert!(plan.certificate.best_move <= 0.0);
        let total = Micros::checked_sum(plan.arms.iter().map(|arm| arm.spend)).unwrap();
        prop_assert_eq!(total, plan.total);
        prop_assert!(total <= budget);
        prop_assert!(plan.arms.iter().all(|arm| arm.spend.get() % CENT.get() == 0));
        // Within the plan's own groups no cent gains by moving: asked of the curves, pair by pair.
        let cents = spend_of(&plan);
        let gain = |arm: usize, by: i64| {
            let value = |cents: i64| specs[arm].curve.value(cents as f64 / 100.0);
            value(cents[arm] + by) - value(cents[arm])
        };
        for (up, spec) in specs.iter().enumerate() {
            for (down, other) in specs.iter().enumerate() {
                let may = cents[up] < spec.ceiling && cents[down] > other.floor;
                if up != down && spec.campaign == other.campaign && may {
                    prop_assert!(gain(up, 1) + gain(down, -1) <= 1e-9 * plan.value.max(1.0));
                }
            }
        }
        for (arm, spec) in plan.arms.iter().zip(&specs) {
            let cents = arm.spend.get() / CENT.get();
            prop_assert!((spec.floor..=spec.ceiling).contains(&cents));
            let marginal = spec.curve.marginal(arm.spend.to_major_f64());
            prop_assert_eq!(arm.marginal.to_bits(), marginal.to_bits());
            match arm.binding {
                Binding::Pinned => prop_assert_eq!(spec.floor, spec.ceiling),
                Binding::Ceiling => prop_assert_eq!(cents, spec.ceiling),
                Binding::Floor => prop_assert!(cents == spec.floor && cents > 0),
                Binding::TooLittle => prop_assert_eq!(cents, 0),
                Binding::Level => {
                    // Between the slopes a cent to the left and a cent to the right of the level.
                    let at = arm.spend.to_major_f64();
                    let near = 0.0201_f64;
                    prop_assert!(spec.curve.marginal((at - near).max(0.0)) >= plan.level * 0.999_999);
                    prop_assert!(spec.curve.marginal(at + near) <= plan.level * 1.000_001);
                }
                Binding::GroupCap(_) | Binding::GroupFloor(_) => {}
                other => prop_assert!(false, "no limit of that kind: {other:?}"),
            }
        }
    }

    /// More budget never brings less, the level never rises, and nobody gets less.
    #[test]
    fn plans_grow_with_the_budget(
        specs in specs(curve(), 1..30, 3_000),
        rooms in prop::collection::vec(0..40_000_i64, 2..6),
    ) {
        let tree = flat(&specs, 1);
        let mut rooms = rooms;
        rooms.sort_unstable();
        let mut before: Option<Plan> = None;
        for room in rooms {
            let budget = CENT.checked_mul(floors(&specs) + room).unwrap();
            let plan = allocate(&tree, budget, CENT, &[Goal::MaxRevenue]).unwrap();
            if let Some(before) = before {
                prop_assert!(plan.value >= before.value - 1e-9 * before.value);
                prop_assert!(plan.level <= before.level * (1.0 + 1e-9));
                for (now, then) in plan.arms.iter().zip(&before.arms) {
                    prop_assert!(now.spend >= then.spend);
                }
            }
            before = Some(plan);
        }
    }

    /// Another currency and another order of the arms change nothing.
    #[test]
    fn scale_and_order_do_not_matter(
        specs in specs(curve(), 2..30, 3_000),
        room in 0..40_000_i64,
        turn in 0..30_usize,
    ) {
        let cents = floors(&specs) + room;
        let budget = CENT.checked_mul(cents).unwrap();
        let plan = allocate(&flat(&specs, 1), budget, CENT, &[Goal::MaxRevenue]).unwrap();
        let mut turned = specs.clone();
        let by = turn % specs.len();
        turned.rotate_left(by);
        let other = allocate(&flat(&turned, 1), budget, CENT, &[Goal::MaxRevenue]).unwrap();
        let mut expected = spend_of(&plan);
        expected.rotate_left(by);
        prop_assert_eq!(spend_of(&other), expected);
        // A hundred times the money, and the value in another unit.
        let mut scaled = specs.clone();
        for spec in &mut scaled {
            spec.curve = stretched(&spec.curve, 100.0, 7.0);
        }
        let budget = budget.checked_mul(100).unwrap();
        let quantum = CENT.checked_mul(100).unwrap();
        let large = allocate(&flat(&scaled, 100), budget, quantum, &[Goal::MaxRevenue]).unwrap();
        let units: Vec<_> = spend_of(&large).iter().map(|cents| cents / 100).collect();
        prop_assert_eq!(units, spend_of(&plan));
        let same = large.level * 100.0 / 7.0 - plan.level;
        prop_assert!(same.abs() <= 1e-9 * plan.level, "{} {}", large.level, plan.level);
    }

    /// The level for divisible spend against a plain bisection over the curves' marginals.
    #[test]
    fn the_water_level_is_a_bisection(
        specs in specs(any_curve(), 1..40, 4_000),
        share in 0.01..0.99_f64,
    ) {
        let bounds = specs.iter().map(|s| (s.floor as f64 / 100.0, s.ceiling as f64 / 100.0));
        let bounds: Vec<_> = bounds.collect();
        let (least, most) =
            bounds.iter().fold((0.0, 0.0), |(l, m), (low, high)| (l + low, m + high));
        let budget = least + share * (most - least);
        let arms = specs.iter().zip(&bounds).map(|(s, &(low, high))| (&s.curve, low, high));
        let mut spend = Vec::new();
        let point = WaterLevel::new(arms).unwrap().solve(budget, 0.0, &mut spend);
        // The marginal of a curve is asked, not its inverse.
        let amount = |place: usize, level: f64| {
            let (mut low, mut high) = bounds[place];
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                if specs[place].curve.marginal(middle) > level { low = middle } else { high = middle }
            }
            high.min(bounds[place].1)
        };
        let (mut low, mut high) = (-700.0_f64, 700.0_f64);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            let total: f64 = (0..specs.len()).map(|place| amount(place, middle.exp())).sum();
            if total > budget { low = middle } else { high = middle }
        }
        if point.budget_binds {
            prop_assert!((spend.iter().sum::<f64>() - budget).abs() <= 1e-9 * budget);
        }
        let brought = |spend: &dyn Fn(usize) -> f64| -> f64 {
            (0..specs.len()).map(|place| specs[place].curve.value(spend(place))).sum()
        };
        let theirs = brought(&|place| amount(place, high.exp()));
        let ours = brought(&|place| spend[place]);
        // Theirs stops short of a jump, so ours may bring more, never less.
        prop_assert!(ours >= theirs * (1.0 - 1e-9), "{ours} {theirs}");
    }
}

/// The same curve in other units of money and value.
fn stretched(
    curve: &gaelp_budget::ResponseCurve,
    money: f64,
    value: f64,
) -> gaelp_budget::ResponseCurve {
    use gaelp_budget::CurveForm::{Exponential, Hill, Log, Power};
    let form = match *curve.form() {
        Hill {
            top,
            half,
            exponent,
        } => Hill {
            top: top * value,
            half: half * money,
            exponent,
        },
        Log { factor, scale } => Log {
            factor: factor * value,
            scale: scale * money,
        },
        Exponential { top, scale } => Exponential {
            top: top * value,
            scale: scale * money,
        },
        Power {
            factor,
            exponent,
            shift,
        } => Power {
            factor: factor * value * money.powf(-exponent),
            exponent,
            shift: shift * money,
        },
        _ => unreachable!("no such curve was made"),
    };
    form.try_into().unwrap()
}

/// Limits on changes, from both sides, and who wins where they contradict floors and budgets.
#[test]
fn changes_are_limited() {
    let log = |slope: f64| gaelp_budget::ResponseCurve::log(slope * 5.0, 5.0).unwrap();
    let wide = ArmLimits::between(money(1.0), money(40.0));
    let tenth = Ratio::from_ppm(100_000);
    let plan = |limits: [ArmLimits; 3], budget: f64| {
        let mut tree = CapTree::new("account");
        for (place, limits) in limits.into_iter().enumerate() {
            tree.arm(GroupId::WHOLE, place, log([8.0, 1.0, 2.0][place]), limits)
                .unwrap();
        }
        allocate(&tree, money(budget), CENT, &[Goal::MaxRevenue]).unwrap()
    };
    let all = [10.0, 10.0, 10.0].map(|from| wide.changing(money(from), tenth));
    let moved = plan(all, 30.0);
    assert_eq!(moved.arms[0].spend, money(11.0));
    assert_eq!(moved.arms[0].binding, Binding::RisesNoFaster);
    assert_eq!(moved.arms[1].spend, money(9.0));
    assert_eq!(moved.arms[1].binding, Binding::FallsNoFaster);
    assert_eq!(moved.ends, Ends::Budget);
    assert!(!moved.falls_freed);
    // The budget falls below what may be lowered to: then it is lowered all the same.
    let lowered = plan(all, 12.0);
    assert!(lowered.falls_freed);
    assert_eq!(lowered.total, money(12.0));
    // A new ad set starts at its floor, however far that is from nothing.
    let new = [wide.changing(Micros::ZERO, tenth), wide, wide];
    assert_eq!(plan(new, 30.0).arms[0].spend, money(1.0));
    // A ceiling below what runs is obeyed at once.
    let cut = ArmLimits::between(money(1.0), money(4.0)).changing(money(10.0), tenth);
    assert_eq!(plan([cut, wide, wide], 30.0).arms[0].spend, money(4.0));
    // Ends where nobody has room.
    let full = plan(
        [1.0, 2.0, 3.0].map(|most| ArmLimits::up_to(money(most))),
        30.0,
    );
    assert_eq!(
        (full.total, full.ends, full.level),
        (money(6.0), Ends::Room, 0.0)
    );
}

#[test]
fn an_average_of_ones_own_is_a_ceiling() {
    let curve = gaelp_budget::ResponseCurve::hill(30.0, 5.0).unwrap();
    let mut tree = CapTree::new("account");
    let limits = ArmLimits {
        least_average: Some(Ratio::from_ppm(2_000_000)),
        ..ArmLimits::up_to(money(100.0))
    };
    tree.arm(GroupId::WHOLE, "one", curve, limits).unwrap();
    let plan = allocate(&tree, money(80.0), CENT, &[Goal::MaxRevenue]).unwrap();
    // 30 x ÷ (x + 5) = 2 x where x = 10.
    assert_eq!(plan.arms[0].spend, money(10.0));
    assert_eq!(plan.arms[0].binding, Binding::LeastAverage);
}

/// What cannot be is said in words, all of it at once.
#[test]
fn impossible_questions_are_answered() {
    let mut tree = CapTree::new("account");
    let curve = gaelp_budget::ResponseCurve::log(10.0, 5.0).unwrap();
    let tiktok = tree
        .group(GroupId::WHOLE, "TikTok", Micros::ZERO, Some(money(30.0)))
        .unwrap();
    let google = tree
        .group(GroupId::WHOLE, "Google", money(50.0), Some(money(60.0)))
        .unwrap();
    let twenty = ArmLimits::between(money(20.0), money(40.0));
    for name in ["hats", "socks"] {
        tree.arm(tiktok, name, curve.clone(), twenty).unwrap();
    }
    tree.arm(
        google,
        "shoes",
        curve.clone(),
        ArmLimits::up_to(money(40.0)),
    )
    .unwrap();
    let ask = |budget: f64, goals: &[Goal]| {
        allocate(&tree, money(budget), CENT, goals)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        ask(200.0, &[Goal::MaxRevenue]),
        "Google must spend 50.00, and what it holds may spend 40.00 at most; \
         TikTok may spend 30.00, and the minimums of what it holds add up to 40.00"
    );
    assert_eq!(
        ask(-1.0, &[]),
        "there is no goal; the budget is -1.00, below zero"
    );
    let mut small = CapTree::new("account");
    for (name, floor) in [("hats", 20.0), ("socks", 5.0), ("shoes", 5.0)] {
        let limits = ArmLimits::between(money(floor), money(40.0));
        small
            .arm(GroupId::WHOLE, name, curve.clone(), limits)
            .unwrap();
    }
    let refused = |budget: f64, goal| allocate(&small, money(budget), CENT, &[goal]).unwrap_err();
    assert_eq!(
        refused(12.0, Goal::MaxRevenue).to_string(),
        "the minimums of 3 ad sets add up to 30.00, and the budget is 12.00: \
         2 of them can together run within it: socks, shoes"
    );
    let senseless = Goal::MaxProfit {
        margin: Ratio::ZERO,
    };
    assert!(matches!(
        refused(40.0, senseless).obstacles(),
        [Obstacle::Senseless(_)]
    ));
    let odd = ArmLimits::between(money(0.011), money(0.019));
    let mut fine = CapTree::new("account");
    fine.arm(GroupId::WHOLE, "lace", curve, odd).unwrap();
    assert_eq!(
        allocate(&fine, money(1.0), CENT, &[Goal::MaxRevenue])
            .unwrap_err()
            .to_string(),
        "lace may spend from 0.011 to 0.019, and no multiple of 0.01 lies there"
    );
}

/// What brings nothing gets nothing, unless its floor says so; and money stays unspent.
#[test]
fn worthless_arms_get_nothing() {
    let mut tree = CapTree::new("account");
    let worthless = gaelp_budget::ResponseCurve::hill(0.0, 5.0).unwrap();
    let pieces = gaelp_budget::concave_envelope(&[(2.0, 6.0)]).unwrap();
    let held = tree
        .group(GroupId::WHOLE, "held", money(3.0), None)
        .unwrap();
    let wide = ArmLimits::up_to(money(9.0));
    tree.arm(GroupId::WHOLE, 0, worthless.clone(), wide)
        .unwrap();
    tree.arm(GroupId::WHOLE, 1, pieces, wide).unwrap();
    tree.arm(held, 2, worthless.clone(), wide).unwrap();
    let floor = ArmLimits::between(money(1.0), money(9.0));
    tree.arm(GroupId::WHOLE, 3, worthless, floor).unwrap();
    let plan = allocate(&tree, money(20.0), CENT, &[Goal::MaxRevenue]).unwrap();
    let spend: Vec<_> = plan.arms.iter().map(|arm| arm.spend).collect();
    assert_eq!(spend, [0.0, 2.0, 3.0, 1.0].map(money));
    assert_eq!(plan.ends, Ends::Room);
    assert!(plan.certificate.gap.abs() <= 1e-9 && plan.certificate.best_move <= 0.0);
}

#[test]
fn trees_are_stored_and_read() {
    let mut tree = CapTree::new("account");
    let group = tree
        .group(GroupId::WHOLE, "Meta", money(1.0), None)
        .unwrap();
    let curve = gaelp_budget::ResponseCurve::log(10.0, 5.0).unwrap();
    tree.arm(
        group,
        "hats".to_owned(),
        curve,
        ArmLimits::up_to(money(3.0)),
    )
    .unwrap();
    let text = serde_json::to_string(&tree).unwrap();
    assert_eq!(
        serde_json::from_str::<CapTree<String>>(&text).unwrap(),
        tree
    );
    // A group within one that comes after it, and a curve that is none.
    for wrong in [
        (r#""within":0,"depth":1"#, r#""within":1,"depth":1"#),
        ("10.0", "-10.0"),
    ] {
        let text = text.replace(wrong.0, wrong.1);
        assert!(
            serde_json::from_str::<CapTree<String>>(&text).is_err(),
            "{text}"
        );
    }
}
