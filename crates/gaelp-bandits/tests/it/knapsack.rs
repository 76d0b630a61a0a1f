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
/// The third program is the hardest: its best arm wins one time in eight, and 10,000 rounds do not
/// tell it from its neighbours to 2 %. It is held to 5 % there (4.2 % were
/// measured), and to 2 % on 100,000 rounds.
#[test]
fn programs_are_approached() {
    for (case, (games, least)) in CASES.iter().zip([(150, 0.98), (150, 0.98), (30, 0.95)]) {
        let share = share_of_value(case, games, Costs::AsStated, 1);
        println!("{} as stated: {share:.4}", case.value);
        assert!((least..1.0).contains(&share), "{share} of {}", case.value);
    }
    for (case, (games, least)) in CASES.iter().zip([(8, 0.98), (8, 0.98), (2, 0.98)]) {
        let share = share_of_value(case, games, Costs::Tossed, 10);
        println!("{} ten times, tossed: {share:.4}", case.value);
        // What tossed costs save by luck may exceed the program a little.
        assert!((least..1.01).contains(&share), "{share} of {}", case.value);
    }
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

/// 8 ad sets × 24 hours, 50 a day, orders of 40: a game with saturating revenue, after an
/// independent simulation of the same shape.
mod hourly {
    use super::*;

    pub(super) const ROWS: usize = 8;
    pub(super) const COLUMNS: usize = 24;
    const ORDER: f64 = 40.0;
    const BUDGET: f64 = 50.0;
    /// Shares of a Wednesday's traffic by hour, of a large region of a classifieds site (avito.tech,
    /// bat-autobidding-benchmark, MIT).
    const TRAFFIC: [f64; COLUMNS] = [
        0.0210, 0.0121, 0.0071, 0.0047, 0.0043, 0.0056, 0.0102, 0.0184, 0.0317, 0.0507, 0.0667,
        0.0717, 0.0729, 0.0723, 0.0711, 0.0694, 0.0665, 0.0624, 0.0585, 0.0546, 0.0507, 0.0454,
        0.0403, 0.0318,
    ];

    pub(super) struct Market {
        /// Where an arm's revenue saturates.
        scale: Vec<f64>,
        returns: Vec<f64>,
    }

    impl Market {
        pub(super) fn new(rng: &mut ChaCha8Rng) -> Self {
            let all: f64 = TRAFFIC.iter().sum();
            let mut returns = Vec::new();
            for _ in 0..ROWS {
                // A normal number from twelve uniform ones.
                let sum: f64 = (0..12)
                    .map(|_| f64::from(rng.next_u32()) / 4_294_967_296.0)
                    .sum();
                let row = (0.3 + 0.5 * (sum - 6.0)).exp();
                returns.extend((0..24).map(|h| row * (1.0 + 0.35 * turn(h, 21.0))));
            }
            let scale = TRAFFIC.iter().map(|part| part / all * BUDGET * 0.5);
            Self {
                scale: scale.collect::<Vec<_>>().repeat(ROWS),
                returns,
            }
        }

        /// Levels the budget so that the last unit earns the same in every arm.
        pub(super) fn level(&self, rates: &[f64]) -> Vec<f64> {
            let (mut low, mut high) = (0.0, 1e6);
            let spend = |level: f64| -> Vec<f64> {
                let arms = self.scale.iter().zip(rates);
                arms.map(|(s, r)| (s * (r / level - 1.0)).max(0.0))
                    .collect()
            };
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                if spend(middle).iter().sum::<f64>() > BUDGET {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            spend(high)
        }

        pub(super) fn even(&self) -> Vec<f64> {
            self.scale.iter().map(|s| s * 2.0 / 8.0).collect()
        }

        pub(super) fn oracle(&self) -> f64 {
            self.earned(&self.level(&self.returns)).iter().sum()
        }

        fn reach(&self, spend: &[f64]) -> Vec<f64> {
            let arms = self.scale.iter().zip(spend);
            arms.map(|(s, x)| s * (x / s).ln_1p()).collect()
        }

        pub(super) fn earned(&self, spend: &[f64]) -> Vec<f64> {
            let reach = self.reach(spend);
            reach
                .iter()
                .zip(&self.returns)
                .map(|(e, r)| e * r)
                .collect()
        }

        /// Orders of a day, with the exposure in expected orders at a return of 1.
        pub(super) fn day(&self, spend: &[f64], rng: &mut ChaCha8Rng) -> Vec<Events> {
            let earned = self.earned(spend);
            let reach = self.reach(spend);
            earned
                .iter()
                .zip(reach)
                .map(|(earned, reach)| {
                    let (mut count, mut product) = (0, 1.0);
                    let limit = (-earned / ORDER).exp();
                    loop {
                        product *= (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
                        if product < limit {
                            break;
                        }
                        count += 1;
                    }
                    Events::new(count, reach / ORDER).unwrap()
                })
                .collect()
        }
    }

    fn turn(hour: u32, peak: f64) -> f64 {
        (std::f64::consts::TAU * (f64::from(hour) - peak) / 24.0).cos()
    }
}

/// Independent Thompson earns less than an even split, pooled learning more: shares of the oracle
/// on days 31 to 60. Measured elsewhere: 0.61, 0.71 and 0.88.
#[test]
fn pooling_learns_from_a_few_orders_a_day() {
    const SEEDS: u32 = 30;
    use hourly::{COLUMNS, Market, ROWS};
    let prior = PooledPrior {
        mean: 1.5,
        ..PooledPrior::default()
    };
    let (mut even, mut alone, mut pooled) = (0.0, 0.0, 0.0);
    for seed in 0..SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.into());
        let market = Market::new(&mut rng);
        let oracle = market.oracle();
        let share = |spend: &[f64]| {
            market.earned(spend).iter().sum::<f64>() / oracle / f64::from(30 * SEEDS)
        };
        let mut rates = PooledRates::new(ROWS, COLUMNS, prior).unwrap();
        // Every arm alone: one row each, and columns that never differ.
        let lonely_prior = PooledPrior {
            alike: 1e9,
            ..prior
        };
        let mut lonely = PooledRates::new(ROWS * COLUMNS, 1, lonely_prior).unwrap();
        for day in 0..60_u128 {
            let spend = market.level(rates.read(Optimism::Upper(1.0)).as_slice());
            let draw = Optimism::Draw(Seed::new(seed.into()), DecisionId::new(day));
            let lonely_spend = market.level(lonely.read(draw).as_slice());
            if day >= 30 {
                pooled += share(&spend);
                alone += share(&lonely_spend);
                even += share(&market.even());
            }
            for (arm, events) in market.day(&spend, &mut rng).into_iter().enumerate() {
                rates.observe(arm / COLUMNS, arm % COLUMNS, events).unwrap();
            }
            for (arm, events) in market.day(&lonely_spend, &mut rng).into_iter().enumerate() {
                lonely.observe(arm, 0, events).unwrap();
            }
        }
    }
    println!("even {even:.3}, alone {alone:.3}, pooled {pooled:.3}");
    assert!(alone < even, "{alone} against {even}");
    assert!(pooled > even + 0.1, "{pooled} against {even}");
    assert!(pooled > 0.85, "{pooled}");
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
