//! Money: programs against their known solutions, budgets that hold, and pooled learning.

use gaelp_bandits::{
    Bandit, CostAware, Events, Hold, Knapsack, KnapsackError, KnapsackTerms, Objective, Optimism,
    Policy, PooledPrior, PooledRates, Priced, Program, Pull, Share,
};
use gaelp_core::{ArmId, DecisionId, Micros, Seed, UtcHour};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{ids, outcome, unit};

/// Rewards and costs, the budget, the rounds, and what scipy's `linprog` (`HiGHS`) says: the value,
/// the pulls and the budget's price.
struct Case {
    arms: &'static [(f64, f64)],
    budget: f64,
    rounds: u32,
    value: f64,
    pulls: &'static [f64],
    price: Option<f64>,
}

const CASES: [Case; 3] = [
    Case {
        arms: &[(0.9, 0.8), (0.5, 0.3), (0.3, 0.1)],
        budget: 400.0,
        rounds: 1000,
        value: 580.0,
        pulls: &[200.0, 800.0, 0.0],
        price: Some(0.8),
    },
    Case {
        arms: &[(0.9, 0.8), (0.5, 0.3), (0.3, 0.1)],
        budget: 150.0,
        rounds: 1000,
        value: 350.0,
        pulls: &[0.0, 250.0, 750.0],
        price: Some(1.0),
    },
    Case {
        arms: &[(0.2, 0.5), (0.12, 0.2), (0.05, 0.05), (0.3, 1.0)],
        budget: 2000.0,
        rounds: 10_000,
        value: 1200.0,
        pulls: &[0.0, 10_000.0, 0.0, 0.0],
        // The solution is a corner, where the price is any slope between two.
        price: None,
    },
];

#[test]
fn programs_agree_with_linprog() {
    for case in CASES {
        let rounds = f64::from(case.rounds);
        let rate = case.budget / rounds;
        let solution = Program {
            rate,
            arms: case.arms,
        }
        .solve();
        assert!((solution.value * rounds - case.value).abs() < 1e-9);
        for (share, pulls) in solution.shares.iter().zip(case.pulls) {
            assert!((share * rounds - pulls).abs() < 1e-9, "{share} for {pulls}");
        }
        if let Some(price) = case.price {
            assert!((solution.price - price).abs() < 1e-12);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Against every mixture of two arms or of one and idling: the best of them is the solution.
    #[test]
    fn programs_agree_with_all_pairs(
        arms in prop::collection::vec((0.0..1.0_f64, prop_oneof![Just(0.0), 0.0..1.0_f64]), 1..7),
        rate in 0.0..1.0_f64,
    ) {
        let solution = Program { rate, arms: &arms }.solve();
        let mut points = arms.clone();
        points.push((0.0, 0.0));
        let mut best = 0.0_f64;
        for &(r1, c1) in &points {
            for &(r2, c2) in &points {
                if c1 <= rate {
                    let share = if c2 > rate { (rate - c1) / (c2 - c1) } else { 1.0 };
                    best = best.max(r1 + share * (r2 - r1));
                }
            }
        }
        prop_assert!((solution.value - best).abs() < 1e-12, "{} for {best}", solution.value);
        let used: f64 = solution.shares.iter().zip(&arms).map(|(x, (_, c))| x * c).sum();
        let earned: f64 = solution.shares.iter().zip(&arms).map(|(x, (r, _))| x * r).sum();
        prop_assert!(used <= rate + 1e-12 && (earned - solution.value).abs() < 1e-12);
        prop_assert!(solution.shares.iter().sum::<f64>() <= 1.0 + 1e-12);
        prop_assert!(solution.price >= 0.0);
    }
}

/// How an arm's stated cost is charged.
#[derive(Clone, Copy, Debug)]
enum Costs {
    /// Every time, as stated.
    AsStated,
    /// One, as often as stated.
    Tossed,
}

/// One game with tossed rewards, so many times as large: what it was expected to earn.
fn game(case: &Case, seed: u64, costs: Costs, times: u32) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "whole units")]
    let budget = Micros::from_major(case.budget as i64 * i64::from(times)).unwrap();
    let terms = KnapsackTerms {
        budget,
        rounds: u64::from(case.rounds * times),
        cap: Micros::new(1_000_000),
        exploration: KnapsackTerms::EXPLORATION,
    };
    let arms = u32::try_from(case.arms.len()).unwrap();
    let mut knapsack = Knapsack::new(terms, ids(arms)).unwrap();
    let all = knapsack.all();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut expected = 0.0;
    for round in 0..case.rounds * times {
        let decision = DecisionId::new(round.into());
        let Pull::Arm(chosen) = knapsack.select(&all, Seed::new(seed), decision).unwrap() else {
            continue;
        };
        let (reward, cost) = case.arms[chosen.key.arm.get() as usize];
        let mut toss = |chance: f64| f64::from(rng.next_u32()) < chance * 4_294_967_296.0;
        let won = unit(f64::from(u8::from(toss(reward))));
        #[expect(clippy::cast_possible_truncation, reason = "whole micros")]
        let cost = match costs {
            Costs::AsStated => Micros::new((cost * 1e6).round() as i64),
            Costs::Tossed => Micros::new(1_000_000 * i64::from(toss(cost))),
        };
        knapsack
            .settle(decision, UtcHour::new(0), cost, won)
            .unwrap();
        // The mean of what was won: the luck of single tosses only blurs the comparison.
        expected += reward;
        assert!(knapsack.spent() <= budget);
    }
    expected
}

/// The mean share of the program's value.
fn share_of_value(case: &Case, games: u32, costs: Costs, times: u32) -> f64 {
    let played = (0..games).map(|seed| game(case, seed.into(), costs, times));
    played.sum::<f64>() / f64::from(games) / case.value / f64::from(times)
}

/// As the programs stand, with rewards that are tossed; and with costs tossed as well on games ten
/// times as large. (Tossed costs on the small games end 2 to 5 % below: the last budget of a game
/// of 150 pulls runs out by luck, for whatever policy.)
///
/// The third program is the hardest: its best arm wins one time in eight, and its neighbours earn,
/// at the budget's price, 13 to 25 % less. 10,000 rounds do not tell them apart to 2 %, whoever plays:
/// see [`the_third_program_is_hard_for_who_knows_costs_and_price`]. 3.8 ± 0.3 % are lost there in the
/// mean of 140 other games; now and then a game believes for long that the best arm is poor.
#[test]
fn programs_are_approached() {
    let played = |case, games, costs, times, within: std::ops::Range<f64>| {
        let share = share_of_value(case, games, costs, times);
        println!("{} {costs:?}, {times} times: {share:.4}", case.value);
        assert!(within.contains(&share), "{share} of {}", case.value);
    };
    let [first, second, third] = &CASES;
    for case in [first, second] {
        played(case, 150, Costs::AsStated, 1, 0.98..1.0);
        // What tossed costs save by luck may exceed the program a little.
        played(case, 8, Costs::Tossed, 10, 0.98..1.01);
    }
    played(third, 30, Costs::AsStated, 1, 0.945..1.0);
    played(third, 8, Costs::AsStated, 5, 0.98..1.0);
    played(third, 2, Costs::Tossed, 10, 0.98..1.01);
}

/// The third program made easier: all costs are known, and so is a price p of the budget, so that
/// what an arm earns is r − p (c − rate) and nothing can be overspent. Any p from 4/15 to 7/15 is
/// right. Thompson sampling still loses 4 to 5 % in 10,000 rounds at the prices inside; what is
/// asserted is more than 2 %, by three standard errors.
#[test]
fn the_third_program_is_hard_for_who_knows_costs_and_price() {
    const GAMES: u64 = 40;
    let case = &CASES[2];
    for price in [0.3, 0.35, 0.4] {
        let worth = |(reward, cost): (f64, f64)| reward - price * (cost - 0.2);
        let mut shares = Vec::new();
        for seed in 0..GAMES {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut uniform = move || (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
            let (mut pulls, mut wins) = ([0.0_f64; 4], [0.0_f64; 4]);
            let mut earned = 0.0;
            for _ in 0..case.rounds {
                let mut best = (f64::NEG_INFINITY, 0);
                for (arm, &(_, cost)) in case.arms.iter().enumerate() {
                    // Beta by its normal approximation, from Jeffreys' prior.
                    let mean = (wins[arm] + 0.5) / (pulls[arm] + 1.0);
                    let spread = (mean * (1.0 - mean) / (pulls[arm] + 2.0)).sqrt();
                    let normal = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
                    best = best_of(best, (worth((mean + spread * normal, cost)), arm));
                }
                let (_, arm) = best;
                let (reward, _) = case.arms[arm];
                pulls[arm] += 1.0;
                wins[arm] += f64::from(u8::from(uniform() < reward));
                earned += worth(case.arms[arm]);
            }
            shares.push(earned / case.value);
        }
        let games = f64::from(u32::try_from(GAMES).unwrap());
        let mean = shares.iter().sum::<f64>() / games;
        let squares = shares.iter().map(|share| (share - mean).powi(2));
        let error = (squares.sum::<f64>() / games / games).sqrt();
        println!("price {price}: {mean:.4} ± {error:.4}");
        assert!(mean + 3.0 * error < 0.98, "price {price}: {mean} ± {error}");
    }
}

fn best_of(one: (f64, usize), other: (f64, usize)) -> (f64, usize) {
    if other.0 > one.0 { other } else { one }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever costs come in whatever order, with pulls still open: never above the budget.
    #[test]
    fn the_budget_is_never_exceeded(
        budget in 0..30_000_000_i64,
        cap in 1..5_000_000_i64,
        rounds in 0..120_u32,
        seed in any::<u64>(),
    ) {
        let (budget, cap) = (Micros::new(budget), Micros::new(cap));
        let terms = KnapsackTerms { budget, rounds: rounds.into(), cap, exploration: 0.25 };
        let mut knapsack = Knapsack::new(terms, ids(3)).unwrap();
        let all = knapsack.all();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut open = Vec::new();
        for round in 0..rounds + 5 {
            let decision = DecisionId::new(round.into());
            if let Pull::Arm(_) = knapsack.select(&all, Seed::new(seed), decision).unwrap() {
                prop_assert!(round < rounds);
                open.push(decision);
            }
            let committed = knapsack.spent().checked_add(knapsack.reserved()).unwrap();
            prop_assert!(committed <= budget);
            if rng.next_u32() % 3 > 0 && !open.is_empty() {
                let place = rng.next_u32() as usize % open.len();
                let decision = open.swap_remove(place);
                let cost = Micros::new(i64::from(rng.next_u32()) % (cap.get() + 1));
                knapsack.settle(decision, UtcHour::new(0), cost, unit(0.5)).unwrap();
                let twice = knapsack.settle(decision, UtcHour::new(0), cost, unit(0.5));
                prop_assert_eq!(twice, Err(KnapsackError::NotOpen { decision }));
            }
        }
    }
}

#[test]
fn a_knapsack_says_why_it_holds() {
    let micros = Micros::new;
    let terms = KnapsackTerms {
        budget: micros(10),
        rounds: 3,
        cap: micros(4),
        exploration: 0.25,
    };
    let mut knapsack = Knapsack::new(terms, ids(2)).unwrap();
    let all = knapsack.all();
    let select = |knapsack: &mut Knapsack, decision: u128| {
        knapsack
            .select(&all, Seed::new(1), DecisionId::new(decision))
            .unwrap()
    };
    let first = select(&mut knapsack, 1);
    assert!(matches!(first, Pull::Arm(_)));
    // Asked again: the same answer, nothing more reserved.
    assert_eq!(select(&mut knapsack, 1), first);
    assert_eq!(
        (knapsack.reserved(), knapsack.left()),
        (micros(4), micros(6))
    );
    let settle = |knapsack: &mut Knapsack, decision, cost| {
        let decision = DecisionId::new(decision);
        knapsack.settle(decision, UtcHour::new(0), micros(cost), unit(1.0))
    };
    assert!(matches!(
        settle(&mut knapsack, 1, -1),
        Err(KnapsackError::Negative { .. })
    ));
    settle(&mut knapsack, 1, 4).unwrap();
    assert!(matches!(select(&mut knapsack, 2), Pull::Arm(_)));
    assert_eq!(select(&mut knapsack, 3), Pull::Hold(Hold::BudgetSpent));
    assert_eq!(select(&mut knapsack, 4), Pull::Hold(Hold::RoundsOver));
    // More than the cap: counted, said, and the end.
    assert!(matches!(
        settle(&mut knapsack, 2, 5),
        Err(KnapsackError::AboveCap { .. })
    ));
    assert_eq!(knapsack.spent(), micros(9));
    assert_eq!(select(&mut knapsack, 5), Pull::Hold(Hold::CapBroken));
    let wrong = KnapsackTerms {
        cap: Micros::ZERO,
        ..terms
    };
    assert!(matches!(
        Knapsack::new(wrong, ids(2)),
        Err(KnapsackError::Terms(_))
    ));
}

/// With arms known well, ratio and net objectives disagree exactly where they should.
#[test]
fn ratio_and_net_objectives() {
    let learnt = |objective| {
        let rule = CostAware {
            objective,
            ..CostAware::default()
        };
        let mut policy = Bandit::new(rule, ids(2)).unwrap();
        // Arm 0 earns 0.2 for 0.1, arm 1 earns 0.6 for 0.5.
        for (arm, reward, cost) in [(0, 0.2, 0.1), (1, 0.6, 0.5)] {
            let came = Priced {
                reward: unit(reward),
                cost: Share::new(cost).unwrap(),
            };
            policy.update(&vec![outcome(arm, came); 2000]).unwrap();
        }
        let propensities = policy.propensities(&policy.all()).unwrap();
        propensities.get(ArmId::new(0)).unwrap().get()
    };
    assert!(learnt(Objective::Ratio) > 0.999);
    assert!(learnt(Objective::Net { price: 0.5 }) < 0.001);
    assert!(learnt(Objective::Net { price: 2.0 }) > 0.999);
    let unknown = Bandit::new(CostAware::default(), ids(2)).unwrap();
    let even = unknown.propensities(&unknown.all()).unwrap();
    // Five standard deviations of 1024 draws.
    assert!((even.get(ArmId::new(0)).unwrap().get() - 0.5).abs() < 5.0 * 0.5 / 32.0);
    let wrong = CostAware {
        objective: Objective::Net { price: f64::NAN },
        ..CostAware::default()
    };
    assert!(Bandit::new(wrong, ids(2)).is_err());
}

/// P(R₀ ÷ C₀ > R₁ ÷ C₁) by a plain simulation with uniform numbers: Beta(2, 1) is the larger and
/// Beta(1, 2) the smaller of two.
#[test]
fn ratio_thompson_agrees_with_a_plain_simulation() {
    const DRAWS: u32 = 200_000;
    let rule = CostAware {
        draws: 65_536,
        ..CostAware::default()
    };
    let mut policy = Bandit::new(rule, ids(2)).unwrap();
    let came = |reward, cost| Priced {
        reward: unit(reward),
        cost: Share::new(cost).unwrap(),
    };
    policy
        .update(&[outcome(0, came(1.0, 0.0)), outcome(1, came(0.0, 0.0))])
        .unwrap();
    let found = policy
        .propensities(&policy.all())
        .unwrap()
        .get(ArmId::new(0))
        .unwrap()
        .get();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut uniform = move || (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
    let wins: u32 = (0..DRAWS)
        .map(|_| {
            let mut pair = || (uniform(), uniform());
            let larger = |(a, b): (f64, f64)| a.max(b);
            let smaller = |(a, b): (f64, f64)| a.min(b);
            let one = larger(pair()) / smaller(pair());
            let other = smaller(pair()) / smaller(pair());
            u32::from(one > other)
        })
        .sum();
    let expected = f64::from(wins) / f64::from(DRAWS);
    let sigma = 0.5 * (1.0 / f64::from(DRAWS) + 1.0 / 65_536.0).sqrt();
    assert!(
        (found - expected).abs() < 5.0 * sigma,
        "{found} for {expected}"
    );
}

#[test]
fn pooled_rates_merge_and_undo() {
    let prior = PooledPrior::default();
    let new = || PooledRates::new(2, 2, prior).unwrap();
    let events = |count| Events::new(count, 1.25).unwrap();
    let (mut one, mut other, mut both) = (new(), new(), new());
    one.observe(0, 1, events(3)).unwrap();
    other.observe(1, 0, events(1)).unwrap();
    both.observe(1, 0, events(1)).unwrap();
    both.observe(0, 1, events(3)).unwrap();
    let alone = one.clone();
    one.merge(&other).unwrap();
    assert_eq!(one, both);
    one.undo(1, 0, events(1)).unwrap();
    assert_eq!(one, alone);
    assert!(one.undo(1, 0, events(1)).is_err());
    assert!(one.observe(2, 0, events(1)).is_err());
    assert!(one.merge(&PooledRates::new(2, 3, prior).unwrap()).is_err());
    assert!(PooledRates::new(0, 3, prior).is_err());
    assert!(
        PooledRates::new(
            2,
            3,
            PooledPrior {
                alike: f64::NAN,
                ..prior
            }
        )
        .is_err()
    );
    // Alone in its row and with columns held alike, a rate is the textbook's (a + n) ÷ (b + e).
    let held = PooledPrior {
        mean: 0.5,
        events: 2.0,
        alike: 1e9,
    };
    let mut single = PooledRates::new(1, 1, held).unwrap();
    single.observe(0, 0, Events::new(4, 3.0).unwrap()).unwrap();
    let found = single.read(Optimism::Mean).get(0, 0);
    assert!((found - 6.0 / 7.0).abs() < 1e-6, "{found}");
}
