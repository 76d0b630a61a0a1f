//! A market of ad sets × hours that sell little: what a day's budget earns there.

use gaelp_core::{Micros, Seed};

use crate::Dice;

/// Eight ad sets over the hours of a day, with $50 a day and orders of $40: some two orders a day.
///
/// An ad set a earns R(a, h) · s(h) · ln(1 + x ÷ s(h)) in hour h from a spend of x. The reach s(h)
/// follows traffic, the return R(a, h) is the ad set's own times a wave of 35 % that is highest at
/// 21 o'clock. Orders are Poisson. With so few of them, no cell can be learnt alone.
///
/// It holds no state: a day's orders are a function of seed, day and spend. They are drawn from one
/// uniform number a cell, so that policies of one seed are compared in the same luck, and who
/// spends more in a cell never sees fewer orders there.
///
/// **Units.** Spend is [`Micros`]; returns are revenue per spend; expected revenue is in major units.
///
/// **Source.** The simulator of the project's budget study (`knapsack_sim.py`), with its
/// constants; its random numbers were others.
///
/// ```
/// use gaelp_core::Seed;
/// use gaelp_sim::HourlyMarket;
///
/// let market = HourlyMarket::drawn(Seed::new(7));
/// let (best, even) = (market.best(), market.even());
/// assert!(market.expected(&best)? > market.expected(&even)?);
/// assert_eq!(market.day(0, &best)?, market.day(0, &best)?);
/// # Ok::<(), gaelp_sim::HourlyMarketError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct HourlyMarket {
    seed: Seed,
    /// Row by row.
    returns: Vec<f64>,
}

/// What a day brought to one ad set in one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourOutcome {
    /// How many orders came.
    pub orders: u32,
    /// How many would be expected at a return of 1: what rates are learnt by.
    pub exposure: f64,
}

impl HourlyMarket {
    /// How many hours a day has.
    pub const HOURS: usize = 24;
    /// How many ad sets a drawn market has.
    pub const AD_SETS: usize = 8;
    /// What may be spent a day.
    pub const BUDGET: Micros = Micros::new(50_000_000);
    /// What an order is worth.
    pub const ORDER: Micros = Micros::new(40_000_000);

    /// The least and the largest return of an ad set, before the hour's wave.
    pub const RETURNS: (f64, f64) = (1e-3, 1e3);

    /// Ad sets whose returns are drawn, lognormal with μ = 0.3 and σ = 0.5.
    pub fn drawn(seed: Seed) -> Self {
        let mut dice = Dice::new(seed, RETURN_DRAWS);
        let returns: Vec<f64> = (0..Self::AD_SETS)
            .map(|_| {
                // Box & Muller.
                let length = libm::sqrt(-2.0 * libm::log(unit(&mut dice)));
                let normal = length * libm::cos(std::f64::consts::TAU * unit(&mut dice));
                libm::exp(0.3 + 0.5 * normal)
            })
            .collect();
        Self::of(seed, &returns)
    }

    /// Ad sets of known returns; the seed decides orders alone.
    ///
    /// # Errors
    /// [`HourlyMarketError`] for no ad sets, and for returns that are not within
    /// [`HourlyMarket::RETURNS`].
    pub fn new(seed: Seed, returns: &[f64]) -> Result<Self, HourlyMarketError> {
        let (least, most) = Self::RETURNS;
        let wrong = returns
            .iter()
            .position(|value| !(least..=most).contains(value));
        if let Some(ad_set) = wrong {
            let value = returns[ad_set];
            return Err(HourlyMarketError::Return { ad_set, value });
        }
        if returns.is_empty() {
            return Err(HourlyMarketError::Empty);
        }
        Ok(Self::of(seed, returns))
    }

    fn of(seed: Seed, returns: &[f64]) -> Self {
        let hours = |own: f64| (0..24_u32).map(move |hour| own * wave(hour));
        Self {
            seed,
            returns: returns.iter().copied().flat_map(hours).collect(),
        }
    }

    /// How many ad sets there are.
    pub fn ad_sets(&self) -> usize {
        self.returns.len() / Self::HOURS
    }

    /// The true return of every cell, ad set by ad set: what policies do not know.
    pub fn returns(&self) -> &[f64] {
        &self.returns
    }

    /// For each hour the spend of one ad set at which its people are used up by ln 2, in major
    /// units: half the day's budget, by traffic.
    pub fn reach(&self) -> [f64; Self::HOURS] {
        TRAFFIC.map(|share| share * Self::BUDGET.to_major_f64() * 0.5)
    }

    /// The budget spread equally over ad sets, by the traffic of hours.
    pub fn even(&self) -> Vec<Micros> {
        let ad_sets = approximate(self.ad_sets());
        let each = TRAFFIC.map(|share| micros(share * Self::BUDGET.to_major_f64() / ad_sets));
        each.repeat(self.ad_sets())
    }

    /// What earns most, knowing the returns: a water level over all cells, found by sorting.
    ///
    /// Cells with a return above the level m get s (R ÷ m − 1), where m is such that they use the
    /// budget up.
    pub fn best(&self) -> Vec<Micros> {
        let reach = self.reach();
        let budget = Self::BUDGET.to_major_f64();
        let mut order: Vec<usize> = (0..self.returns.len()).collect();
        order.sort_by(|a, b| self.returns[*b].total_cmp(&self.returns[*a]));
        let (mut weighed, mut reached, mut level) = (0.0, 0.0, f64::INFINITY);
        for cell in order {
            let (own, size) = (self.returns[cell], reach[cell % Self::HOURS]);
            let with = (weighed + size * own) / (budget + reached + size);
            if own <= with {
                break;
            }
            (weighed, reached, level) = (weighed + size * own, reached + size, with);
        }
        let cells = self.returns.iter().enumerate();
        cells
            .map(|(cell, own)| micros((reach[cell % Self::HOURS] * (own / level - 1.0)).max(0.0)))
            .collect()
    }

    /// The revenue that a day's spend is expected to bring.
    ///
    /// # Errors
    /// [`HourlyMarketError`] for another number of cells, and for negative spend.
    pub fn expected(&self, spend: &[Micros]) -> Result<f64, HourlyMarketError> {
        let exposed = self.exposed(spend)?;
        let cells = exposed.iter().zip(&self.returns);
        Ok(cells.map(|(exposed, own)| exposed * own).sum())
    }

    /// What a day brings, cell by cell.
    ///
    /// # Errors
    /// As [`HourlyMarket::expected`].
    pub fn day(&self, day: u32, spend: &[Micros]) -> Result<Vec<HourOutcome>, HourlyMarketError> {
        let exposed = self.exposed(spend)?;
        let mut dice = Dice::new(self.seed, ORDER_DRAWS + u64::from(day));
        let order = Self::ORDER.to_major_f64();
        let cells = exposed.iter().zip(&self.returns);
        Ok(cells
            .map(|(exposed, own)| HourOutcome {
                orders: poisson(exposed * own / order, unit(&mut dice)),
                exposure: exposed / order,
            })
            .collect())
    }

    /// s · ln(1 + x ÷ s) of every cell.
    fn exposed(&self, spend: &[Micros]) -> Result<Vec<f64>, HourlyMarketError> {
        let (expected, found) = (self.returns.len(), spend.len());
        if found != expected {
            return Err(HourlyMarketError::Cells { expected, found });
        }
        if let Some(cell) = spend.iter().position(|spend| spend.is_negative()) {
            let spend = spend[cell];
            return Err(HourlyMarketError::Negative { cell, spend });
        }
        let reach = self.reach();
        let cells = spend.iter().enumerate();
        Ok(cells
            .map(|(cell, spend)| {
                let reach = reach[cell % Self::HOURS];
                reach * libm::log1p(spend.to_major_f64() / reach)
            })
            .collect())
    }
}

/// What an hourly market refuses.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HourlyMarketError {
    /// No ad sets.
    #[error("a market has at least one ad set")]
    Empty,
    /// A return out of range, or no number.
    #[error(
        "ad set {ad_set} returns {value}: a number within {:?} is expected",
        HourlyMarket::RETURNS
    )]
    Return {
        /// Which ad set, from 0.
        ad_set: usize,
        /// The number.
        value: f64,
    },
    /// Another number of cells.
    #[error("spend of {expected} cells is expected, not of {found}")]
    Cells {
        /// Ad sets × hours.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// Negative spend.
    #[error("cell {cell} spends {spend}, which is negative")]
    Negative {
        /// Which cell, from 0, ad set by ad set.
        cell: usize,
        /// The spend.
        spend: Micros,
    },
}

/// How an hour's return stands to the day's.
fn wave(hour: u32) -> f64 {
    1.0 + 0.35 * libm::cos(std::f64::consts::TAU * (f64::from(hour) - 21.0) / 24.0)
}

/// A number within (0, 1).
fn unit(dice: &mut Dice) -> f64 {
    const STEPS: u64 = 1 << 53;
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits fit; the half keeps off the ends"
    )]
    let drawn = (dice.below(STEPS) as f64 + 0.5) / STEPS as f64;
    drawn.min(1.0 - f64::EPSILON / 2.0)
}

/// The Poisson count at a level of its distribution: it grows with the mean.
fn poisson(mean: f64, level: f64) -> u32 {
    /// No cell expects more than some hundred orders; far beyond that, rounding ends the sum.
    const MOST: u32 = 10_000;
    let mut count = 0;
    let mut chance = libm::exp(-mean);
    let mut sum = chance;
    while sum < level && count < MOST {
        count += 1;
        chance *= mean / f64::from(count);
        sum += chance;
    }
    count
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "at most the budget; rounded down"
)]
fn micros(major: f64) -> Micros {
    Micros::new((major * 1e6) as i64)
}

#[expect(clippy::cast_precision_loss, reason = "few ad sets")]
fn approximate(count: usize) -> f64 {
    count as f64
}

/// The streams of a seed: returns, and from the second on the orders of each day.
const RETURN_DRAWS: u64 = 0x4B6E_0000_0000;
const ORDER_DRAWS: u64 = RETURN_DRAWS + 1;

/// Shares of a Wednesday's traffic by hour, of the largest region of a classifieds site
/// (avito.tech, bat-autobidding-benchmark, MIT).
const TRAFFIC: [f64; HourlyMarket::HOURS] = [
    0.021_010_484_883,
    0.012_079_671_542,
    0.007_112_076_278,
    0.004_736_859_964,
    0.004_295_748_363,
    0.005_612_296_834,
    0.010_152_353_161,
    0.018_390_960_605,
    0.031_658_240_304,
    0.050_700_688_813,
    0.066_709_646_771,
    0.071_650_096_705,
    0.072_891_995_521,
    0.072_281_225_612,
    0.071_127_549_116,
    0.069_363_102_711,
    0.066_539_988_463,
    0.062_393_539_412,
    0.058_504_970_988,
    0.054_636_761_562,
    0.050_727_834_142,
    0.045_380_204_269,
    0.040_290_455_024,
    0.031_753_248_957,
];
