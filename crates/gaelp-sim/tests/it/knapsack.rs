//! A day's budget over ad sets × hours with two orders a day: what policies earn in the market of
//! the budget study, as shares of what would be earned by one who knows all returns.

use gaelp_bandits::{Events, Optimism, PooledPrior, PooledRates};
use gaelp_budget::HourlyKnapsack;
use gaelp_core::{DecisionId, Micros, Seed};
use gaelp_sim::{HourOutcome, HourlyMarket, HourlyMarketError};

const SEEDS: u32 = 100;
const HOURS: usize = HourlyMarket::HOURS;
/// Days 1–7, 8–30 and 31–60.
const WINDOWS: [std::ops::Range<u32>; 3] = [0..7, 7..30, 30..60];

/// What the study's script says of the same ad sets: `water` and `log1p` of numpy.
#[test]
fn the_market_agrees_with_the_study() {
    let returns = [0.6, 0.8, 1.0, 1.2, 1.5, 1.9, 2.4, 3.5];
    let market = HourlyMarket::new(Seed::new(1), &returns).unwrap();
    let (best, even) = (market.best(), market.even());
    let earned = |spend: &[Micros]| market.expected(spend).unwrap();
    // Rounding down to a micro loses some 192 micros at returns up to 5.
    assert!((earned(&best) - 111.850_008_141_015_78).abs() < 1e-3);
    assert!((earned(&even) - 71.453_866_784_141_81).abs() < 1e-3);
    assert!((best[7 * HOURS + 21].to_major_f64() - 2.229_902_372_638_386).abs() < 1e-6);
    assert_eq!(best[5 * HOURS + 13], Micros::ZERO);
    assert_eq!(
        best.iter().filter(|spend| **spend <= Micros::ZERO).count(),
        118
    );
    for spend in [&best, &even] {
        let whole = Micros::checked_sum(spend.iter().copied()).unwrap();
        let short = HourlyMarket::BUDGET.checked_sub(whole).unwrap();
        assert!((0..=192).contains(&short.get()), "rounded down: {short}");
    }
    // No cent moved between two cells earns more.
    let (most, cent) = (earned(&best), Micros::new(10_000));
    for from in (0..best.len()).filter(|cell| best[*cell] >= cent) {
        for to in (0..best.len()).step_by(7).filter(|to| *to != from) {
            let mut moved = best.clone();
            moved[from] = moved[from].checked_sub(cent).unwrap();
            moved[to] = moved[to].checked_add(cent).unwrap();
            assert!(earned(&moved) <= most + 1e-9, "{from} to {to}");
        }
    }
}

/// Means and variances of a cell's orders, and that more spend never brings fewer in the same luck.
/// The bounds are five standard errors.
#[test]
fn orders_are_poisson() {
    const DAYS: u32 = 20_000;
    let market = HourlyMarket::new(Seed::new(3), &[2.0, 900.0]).unwrap();
    let mut spend = vec![Micros::ZERO; 2 * HOURS];
    for (cell, cents) in [(12, 300), (13, 2_000), (HOURS + 12, 40)] {
        spend[cell] = Micros::new(cents * 10_000);
    }
    let more: Vec<Micros> = spend
        .iter()
        .map(|spend| spend.checked_mul(2).unwrap())
        .collect();
    let mut sums = vec![(0.0, 0.0); 2 * HOURS];
    let mut means = vec![0.0; 2 * HOURS];
    for day in 0..DAYS {
        let came = market.day(day, &spend).unwrap();
        let again = market.day(day, &more).unwrap();
        for (cell, (HourOutcome { orders, exposure }, twice)) in came.iter().zip(again).enumerate()
        {
            assert!(*orders <= twice.orders && *exposure <= twice.exposure);
            let orders = f64::from(*orders);
            means[cell] = exposure * market.returns()[cell];
            sums[cell] = (sums[cell].0 + orders, sums[cell].1 + orders * orders);
        }
    }
    let days = f64::from(DAYS);
    for (mean, (sum, squares)) in means.into_iter().zip(sums) {
        let (found, spread) = (sum / days, squares / days - (sum / days).powi(2));
        assert!(
            (found - mean).abs() <= 5.0 * (mean / days).sqrt(),
            "{found} for {mean}"
        );
        // A Poisson count's fourth central moment is m + 3 m².
        let error = ((mean + 2.0 * mean * mean) / days).sqrt();
        assert!((spread - mean).abs() <= 5.0 * error, "{spread} for {mean}");
    }
}

#[test]
fn what_is_no_market_and_no_spend_is_refused() {
    let new = |returns: &[f64]| HourlyMarket::new(Seed::new(1), returns);
    assert_eq!(new(&[]), Err(HourlyMarketError::Empty));
    for value in [f64::NAN, 0.0, -1.0, 1e9] {
        assert!(matches!(
            new(&[1.0, value]),
            Err(HourlyMarketError::Return { ad_set: 1, .. })
        ));
    }
    let market = new(&[1.0]).unwrap();
    let cells = HourlyMarketError::Cells {
        expected: 24,
        found: 3,
    };
    assert_eq!(market.expected(&[Micros::ZERO; 3]), Err(cells));
    let mut spend = vec![Micros::ZERO; 24];
    spend[5] = Micros::new(-1);
    let (cell, spent) = (5, Micros::new(-1));
    let negative = HourlyMarketError::Negative { cell, spend: spent };
    assert_eq!(market.day(0, &spend), Err(negative));
}

/// How a policy does over all seeds.
struct Played {
    /// Shares of the best, by window and seed.
    shares: [Vec<f64>; 3],
}

impl Played {
    fn mean(&self, window: usize) -> f64 {
        mean(&self.shares[window])
    }

    /// The mean of what it earns above another, seed by seed, in standard errors of that mean; for
    /// how many seeds it earns less; and how much less at worst.
    fn above(&self, other: &Self, window: usize) -> (f64, usize, f64) {
        let pairs = self.shares[window].iter().zip(&other.shares[window]);
        let above: Vec<f64> = pairs.map(|(one, other)| one - other).collect();
        let (middle, count) = (mean(&above), f64::from(SEEDS));
        let squares = above.iter().map(|each| (each - middle).powi(2));
        let error = (squares.sum::<f64>() / (count - 1.0) / count).sqrt();
        let less = above.iter().filter(|each| **each < 0.0).count();
        let worst = above.iter().copied().fold(f64::INFINITY, f64::min);
        (middle / error, less, worst)
    }
}

fn mean(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "few seeds")]
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}

/// Sixty days of every seed: `plan` says what to spend by what was learnt.
fn play<L>(
    blank: impl Fn() -> L,
    plan: impl Fn(&HourlyMarket, &L, DecisionId) -> Vec<Micros>,
    learn: impl Fn(&mut L, usize, Events),
) -> Played {
    let mut shares = [const { Vec::new() }; 3];
    for seed in 0..SEEDS {
        let market = HourlyMarket::drawn(Seed::new(seed.into()));
        let best = market.expected(&market.best()).unwrap();
        let mut learnt = blank();
        for (window, days) in WINDOWS.into_iter().enumerate() {
            let count = f64::from(days.end - days.start);
            let mut earned = 0.0;
            for day in days {
                let decision = DecisionId::new(u128::from(seed * 60 + day));
                let spend = plan(&market, &learnt, decision);
                let whole = Micros::checked_sum(spend.iter().copied()).unwrap();
                assert!(whole <= HourlyMarket::BUDGET);
                earned += market.expected(&spend).unwrap();
                for (cell, came) in market.day(day, &spend).unwrap().into_iter().enumerate() {
                    learn(
                        &mut learnt,
                        cell,
                        Events::new(came.orders, came.exposure).unwrap(),
                    );
                }
            }
            shares[window].push(earned / best / count);
        }
    }
    Played { shares }
}

const PRIOR: PooledPrior = PooledPrior {
    mean: 1.5,
    events: 2.0,
    alike: 30.0,
};

/// The project's policy: pooled rates, levelled, and never promising less than the equal split.
fn pooled(read: impl Fn(DecisionId) -> Optimism) -> Played {
    play(
        || PooledRates::new(HourlyMarket::AD_SETS, HOURS, PRIOR).unwrap(),
        |market, rates, decision| {
            let knapsack = HourlyKnapsack::new(market.ad_sets(), &market.reach()).unwrap();
            let (hopeful, sober) = (rates.read(read(decision)), rates.read(Optimism::Mean));
            let budget = HourlyMarket::BUDGET;
            let plan = knapsack.plan(hopeful.as_slice(), sober.as_slice(), budget);
            plan.unwrap().spend
        },
        |rates, cell, seen| rates.observe(cell / HOURS, cell % HOURS, seen).unwrap(),
    )
}

/// Every cell learns alone, and is drawn by Thompson sampling: nothing is judged.
fn alone() -> Played {
    let prior = PooledPrior {
        alike: 1e9,
        ..PRIOR
    };
    play(
        || PooledRates::new(HourlyMarket::AD_SETS * HOURS, 1, prior).unwrap(),
        |market, rates, decision| {
            let knapsack = HourlyKnapsack::new(market.ad_sets(), &market.reach()).unwrap();
            let drawn = rates.read(Optimism::Draw(Seed::new(1), decision));
            let plan = knapsack.plan(drawn.as_slice(), drawn.as_slice(), HourlyMarket::BUDGET);
            plan.unwrap().spend
        },
        |rates, cell, seen| rates.observe(cell, 0, seen).unwrap(),
    )
}

/// The study, over 100 seeds of its own: even .712 throughout; independent Thompson .558, .573 and
/// .606; pooled greedy .746, .811 and .857; pooled with an upper bound .749, .824 and .878; pooled
/// Thompson .611, .730 and .806, without the fallback that ours has.
#[test]
fn pooled_hours_beat_the_even_split_seed_by_seed() {
    let even = play(|| (), |market, (), _| market.even(), |(), _, _| ());
    let upper = pooled(|_| Optimism::Upper(1.0));
    let greedy = pooled(|_| Optimism::Mean);
    let thompson = pooled(|decision| Optimism::Draw(Seed::new(1), decision));
    let alone = alone();
    for (name, played) in [
        ("even", &even),
        ("alone, Thompson", &alone),
        ("pooled, Thompson", &thompson),
        ("pooled, greedy", &greedy),
        ("pooled, upper bound", &upper),
    ] {
        let windows = [0, 1, 2].map(|window| played.mean(window));
        let above = [0, 1, 2].map(|window| played.above(&even, window));
        println!("{name}: {windows:.3?}; above even, seeds below, the worst: {above:.3?}");
    }
    assert!(upper.mean(2) >= 0.87, "{}", upper.mean(2));
    for window in 0..3 {
        // The study's even split to three standard errors of both.
        assert!(
            (even.mean(window) - 0.712).abs() < 0.02,
            "{}",
            even.mean(window)
        );
        // Seeds are fixed: the limits are what was measured with some room.
        let limits = [
            ("upper", &upper, [32, 16, 9], -0.18),
            ("greedy", &greedy, [42, 30, 14], -0.25),
        ];
        for (name, played, most, least) in limits {
            let (errors, less, worst) = played.above(&even, window);
            assert!(errors > 3.0, "{name}, window {window}: {errors}");
            assert!(
                less <= most[window],
                "{name}, window {window}: {less} seeds"
            );
            assert!(worst > least, "{name}, window {window}: {worst}");
        }
        assert!(alone.above(&even, window).0 < -3.0);
    }
    assert!(upper.mean(2) >= greedy.mean(2) && upper.mean(2) >= thompson.mean(2));
}
