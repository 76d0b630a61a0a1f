//! A day of second-price auctions, in which λ is the lever: an auction is won where it is worth
//! 1 + λ times its price. What is measured is the value won over the best in hindsight.
//!
//! It is the simulator of the shared pacing study, written anew: lognormal values and prices, a
//! budget of 30 % of what all worthwhile auctions cost, 24 updates a day.

use gaelp_budget::{DayView, Forecast, Pacer};
use gaelp_core::Micros;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(crate) const HOURS: usize = 24;
/// The highest λ that forecasts know.
const MOST: f64 = 20.0;
/// Shares of a Wednesday's traffic of Avito's largest region (MIT), 2025.
pub(crate) const TRAFFIC: [f64; HOURS] = [
    0.021_010, 0.012_080, 0.007_112, 0.004_737, 0.004_296, 0.005_612, 0.010_152, 0.018_391,
    0.031_658, 0.050_701, 0.066_710, 0.071_650, 0.072_892, 0.072_281, 0.071_128, 0.069_363,
    0.066_540, 0.062_394, 0.058_505, 0.054_637, 0.050_728, 0.045_380, 0.040_290, 0.031_753,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Stationary,
    /// Traffic, values and prices have the day's shape.
    Diurnal,
    /// As diurnal, and from noon everything costs 1.8 times as much.
    Shock,
    /// As diurnal, and at nine and ten o'clock there is four times the traffic at half the value.
    Junk,
}

/// One auction: the hour, what winning is worth, what it costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Auction {
    pub(crate) hour: usize,
    pub(crate) worth: f64,
    pub(crate) price: f64,
}

pub(crate) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0
}

pub(crate) fn lognormal(rng: &mut ChaCha8Rng, mu: f64, sigma: f64) -> f64 {
    let normal = (-2.0 * unit(rng).ln()).sqrt() * (std::f64::consts::TAU * unit(rng)).cos();
    (mu + sigma * normal).exp()
}

fn wave(hour: usize, peak: f64, height: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "an hour of the day")]
    let turn = (hour as f64 - peak) / 24.0;
    1.0 + height * (std::f64::consts::TAU * turn).cos()
}

/// A day of about so many auctions, by the hour.
pub(crate) fn day(count: usize, scene: Scene, rng: &mut ChaCha8Rng) -> Vec<Auction> {
    let shaped = scene != Scene::Stationary;
    let junk = |hour| scene == Scene::Junk && (9..11).contains(&hour);
    let weights: Vec<f64> = (0..HOURS)
        .map(|hour| {
            let traffic = if shaped { TRAFFIC[hour] } else { 1.0 / 24.0 };
            traffic * if junk(hour) { 4.0 } else { 1.0 }
        })
        .collect();
    let total: f64 = weights.iter().sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "counts"
    )]
    let count = (count as f64 * total) as usize;
    let mut counts = [0_usize; HOURS];
    for _ in 0..count {
        let mut left = unit(rng) * total;
        let place = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        counts[place.unwrap_or(HOURS - 1)] += 1;
    }
    let mut auctions = Vec::with_capacity(count);
    for (hour, &count) in counts.iter().enumerate() {
        for _ in 0..count {
            let mut worth = lognormal(rng, 0.0, 0.6);
            let mut price = lognormal(rng, -0.1, 0.6);
            if shaped {
                worth *= wave(hour, 21.0, 0.25);
                price *= wave(hour, 20.0, 0.35);
            }
            if junk(hour) {
                worth *= 0.5;
            }
            if scene == Scene::Shock && hour >= 12 {
                price *= 1.8;
            }
            auctions.push(Auction { hour, worth, price });
        }
    }
    auctions
}

/// The most that a budget could have won: the best auctions first, the last in part.
pub(crate) fn hindsight(auctions: &[Auction], budget: f64) -> f64 {
    let mut left = budget;
    let mut won = 0.0;
    for auction in by_return(auctions) {
        if auction.price <= left {
            left -= auction.price;
            won += auction.worth;
        } else {
            return won + auction.worth * left / auction.price;
        }
    }
    won
}

/// The least λ that spends no more than the budget on a log.
pub(crate) fn level_for(auctions: &[Auction], budget: f64) -> f64 {
    let mut spent = 0.0;
    for auction in by_return(auctions) {
        spent += auction.price;
        if spent > budget {
            return (auction.worth / auction.price - 1.0).max(0.0);
        }
    }
    0.0
}

fn by_return(auctions: &[Auction]) -> Vec<Auction> {
    let worthwhile = auctions
        .iter()
        .filter(|a| a.worth >= a.price && a.price > 0.0);
    let mut sorted: Vec<_> = worthwhile.copied().collect();
    sorted.sort_by(|a, b| (b.worth / b.price).total_cmp(&(a.worth / a.price)));
    sorted
}

/// What all worthwhile auctions would cost.
pub(crate) fn truthful(auctions: &[Auction]) -> f64 {
    auctions
        .iter()
        .filter(|a| a.worth >= a.price)
        .map(|a| a.price)
        .sum()
}

/// What a controller may know before a day.
pub(crate) struct Known {
    pub(crate) shares: Vec<f64>,
    pub(crate) forecast: Forecast,
    /// Yesterday's best λ.
    pub(crate) warm: f64,
}

impl Known {
    /// From yesterday's log alone. `half` is the part of the shares that is traffic; the other is
    /// how yesterday's best λ would have spent.
    pub(crate) fn from_yesterday(yesterday: &[Auction], budget: f64) -> Self {
        let warm = level_for(yesterday, budget);
        let log = yesterday.iter().map(|a| (a.hour, a.worth, a.price));
        let forecast = Forecast::from_auctions(HOURS, MOST, log).unwrap();
        let mut traffic = [0.0; HOURS];
        let mut spend = [0.0; HOURS];
        for auction in yesterday {
            traffic[auction.hour] += 1.0;
            if auction.worth >= (1.0 + warm) * auction.price {
                spend[auction.hour] += auction.price;
            }
        }
        let (all, paid): (f64, f64) = (traffic.iter().sum(), spend.iter().sum());
        let shares = traffic
            .iter()
            .zip(&spend)
            .map(|(t, s)| 0.5 * t / all + 0.5 * s / paid);
        Self {
            shares: shares.collect(),
            forecast,
            warm,
        }
    }
}

/// How a day went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Value won over the best in hindsight.
    pub(crate) ratio: f64,
    /// Spend over budget.
    pub(crate) used: f64,
}

/// Plays a day: reports come `lag` hours late, and the platform stops at `stop` times the budget.
pub(crate) fn play(
    rule: &dyn Pacer,
    auctions: &[Auction],
    known: &Known,
    (budget, start): (f64, f64),
    (lag, stop): (usize, f64),
) -> Outcome {
    let mut left = budget * stop;
    let mut won = 0.0;
    let mut spent = [0.0; HOURS];
    let mut levels = Vec::new();
    for hour in 0..HOURS {
        let reported: Vec<_> = (0..HOURS)
            .map(|past| (past + lag < hour).then(|| money(spent[past])))
            .collect();
        let level = rule.level(&DayView {
            start,
            target: money(budget),
            shares: &known.shares,
            spend: &reported,
            levels: &levels,
            forecast: Some(&known.forecast),
        });
        levels.push(level);
        for auction in auctions.iter().filter(|auction| auction.hour == hour) {
            let wanted = auction.worth >= (1.0 + level) * auction.price;
            if wanted && auction.price <= left {
                left -= auction.price;
                spent[hour] += auction.price;
                won += auction.worth;
            }
        }
    }
    Outcome {
        ratio: won / hindsight(auctions, budget),
        used: spent.iter().sum::<f64>() / budget,
    }
}

/// What a seed's game needs: today's auctions, what yesterday told, and the budget.
pub(crate) fn game(count: usize, scene: Scene, seed: u64) -> (Vec<Auction>, Known, f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let before = if scene == Scene::Stationary {
        scene
    } else {
        Scene::Diurnal
    };
    let yesterday = day(count, before, &mut rng);
    let today = day(count, scene, &mut rng);
    let surprised = matches!(scene, Scene::Shock | Scene::Junk);
    let budget = 0.3 * truthful(if surprised { &yesterday } else { &today });
    let known = Known::from_yesterday(&yesterday, budget);
    (today, known, budget)
}

pub(crate) fn money(major: f64) -> Micros {
    #[expect(clippy::cast_possible_truncation, reason = "small amounts")]
    Micros::new((major * 1e6).round() as i64)
}

/// A quantile of the nearest rank between, by straight lines.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "few values")]
    let place = share * (sorted.len() - 1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let left = place.floor() as usize;
    let right = (left + 1).min(sorted.len() - 1);
    sorted[left] + (place - place.floor()) * (sorted[right] - sorted[left])
}
