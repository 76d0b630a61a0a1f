//! The hourly knapsack in the shared study's market: 8 ad sets × 24 hours, 50 a day, orders of 40.

use gaelp_bandits::{Events, Optimism, PooledPrior, PooledRates};
use gaelp_budget::{HourlyKnapsack, KnapsackShapeError};
use gaelp_core::{DecisionId, Micros, Seed};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::auctions::{TRAFFIC, lognormal, unit};
use crate::money;

const ROWS: usize = 8;
const COLUMNS: usize = 24;
const BUDGET: f64 = 50.0;
const ORDER: f64 = 40.0;
const SEEDS: u32 = 100;

struct Market {
    returns: Vec<f64>,
    reach: Vec<f64>,
}

impl Market {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut returns = Vec::new();
        for _ in 0..ROWS {
            let row = lognormal(rng, 0.3, 0.5);
            returns.extend((0..24_u32).map(|hour| {
                let turn = (f64::from(hour) - 21.0) / 24.0;
                row * (1.0 + 0.35 * (std::f64::consts::TAU * turn).cos())
            }));
        }
        let reach = TRAFFIC.map(|part| part * BUDGET * 0.5).to_vec();
        Self { returns, reach }
    }

    fn exposure(&self, spend: &[Micros]) -> Vec<f64> {
        let cells = spend.iter().enumerate();
        cells
            .map(|(cell, spend)| {
                let reach = self.reach[cell % COLUMNS];
                reach * (spend.to_major_f64() / reach).ln_1p()
            })
            .collect()
    }

    fn earned(&self, spend: &[Micros]) -> f64 {
        self.returns
            .iter()
            .zip(self.exposure(spend))
            .map(|(r, e)| r * e)
            .sum()
    }

    fn even() -> Vec<Micros> {
        (0..ROWS * COLUMNS)
            .map(|cell| money(TRAFFIC[cell % COLUMNS] * BUDGET / 8.0))
            .collect()
    }
}

fn orders(mean: f64, rng: &mut ChaCha8Rng) -> u32 {
    let (mut count, mut product) = (0, unit(rng));
    while product > (-mean).exp() {
        product *= unit(rng);
        count += 1;
    }
    count
}

/// Shares of the oracle on days 1–7, 8–30 and 31–60, and of the even split.
fn shares(read: impl Fn(u128) -> Optimism) -> ([f64; 3], f64) {
    let prior = PooledPrior {
        mean: 1.5,
        ..PooledPrior::default()
    };
    let (mut sums, mut even) = ([0.0; 3], 0.0);
    for seed in 0..SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.into());
        let market = Market::new(&mut rng);
        let knapsack = HourlyKnapsack::new(ROWS, &market.reach).unwrap();
        let plan = |rates: &[f64], judge: &[f64]| {
            knapsack.plan(rates, judge, money(BUDGET)).unwrap().spend
        };
        let oracle = market.earned(&plan(&market.returns, &market.returns));
        even += market.earned(&Market::even()) / oracle / f64::from(SEEDS);
        let mut rates = PooledRates::new(ROWS, COLUMNS, prior).unwrap();
        for day in 0..60_u32 {
            let mean = rates.read(Optimism::Mean);
            let hopeful = rates.read(read(u128::from(seed * 60 + day)));
            let spend = plan(hopeful.as_slice(), mean.as_slice());
            let (window, days) = match day {
                0..7 => (0, 7.0),
                7..30 => (1, 23.0),
                _ => (2, 30.0),
            };
            sums[window] += market.earned(&spend) / oracle / days / f64::from(SEEDS);
            for (cell, exposure) in market.exposure(&spend).into_iter().enumerate() {
                let came = orders(market.returns[cell] * exposure / ORDER, &mut rng);
                let seen = Events::new(came, exposure / ORDER).unwrap();
                rates.observe(cell / COLUMNS, cell % COLUMNS, seen).unwrap();
            }
        }
    }
    (sums, even)
}

/// The study: even 0.71, pooled with an upper bound 0.75 / 0.82 / 0.88, greedy 0.75 / 0.81 / 0.86.
#[test]
fn pooled_hours_beat_the_even_split() {
    let (upper, even) = shares(|_| Optimism::Upper(1.0));
    let (greedy, _) = shares(|_| Optimism::Mean);
    let (drawn, _) = shares(|decision| Optimism::Draw(Seed::new(1), DecisionId::new(decision)));
    println!("even {even:.3}, upper {upper:.3?}, greedy {greedy:.3?}, Thompson {drawn:.3?}");
    assert!(upper[2] >= 0.87, "{upper:?}");
    assert!(
        upper.iter().chain(&greedy).all(|share| *share >= even),
        "{upper:?} {greedy:?} {even}"
    );
    assert!(
        upper[2] >= greedy[2] && upper[2] >= drawn[2],
        "the default is the best"
    );
}

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
