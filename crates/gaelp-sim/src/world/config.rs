//! What a world is made of.

use gaelp_core::{AccountZone, AdSetKey, Currency, Micros, Platform, Ratio, UtcHour};
use gaelp_platform::{AdSetDetails, Capabilities, Delivery};
use serde::{Deserialize, Serialize};

use super::market::Market;

/// The most ad sets of a world.
pub const MAX_AD_SETS: usize = 10_000;

/// A world before its first second.
///
/// ```
/// use gaelp_core::{AccountZone, AdSetKey, Currency, Platform, Seed, UtcHour};
/// use gaelp_platform::Capabilities;
/// use gaelp_sim::{AdSetConfig, World, WorldConfig};
///
/// let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
/// let key = AdSetKey::new(Platform::Meta, "prospecting");
/// let config = WorldConfig {
///     platforms: vec![meta],
///     ad_sets: vec![AdSetConfig::new(key, "5".parse()?)],
///     ..WorldConfig::empty(UtcHour::new(490_000), AccountZone::UTC)
/// };
/// let world = World::new(config, Seed::new(1))?;
/// assert_eq!(world.now(), UtcHour::new(490_000).start());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorldConfig {
    /// The first hour.
    pub begin: UtcHour,
    /// The account's zone: whose midnights begin the platforms' days.
    pub zone: AccountZone,
    /// What the account counts in.
    pub currency: Currency,
    /// The platforms; ad sets of others are refused.
    pub platforms: Vec<Capabilities>,
    /// The ad sets.
    pub ad_sets: Vec<AdSetConfig>,
    /// Orders a day that no ad brought.
    pub organic_orders: Ratio,
    /// The share of orders that is given back within ten days.
    pub refunds: Ratio,
    /// The share of hours whose spend is first reported wrong.
    pub restated: Ratio,
    /// The longest that an order follows its click.
    pub longest_lag_hours: u32,
}

impl WorldConfig {
    /// A world with nothing in it but a shop that sells three times a day.
    pub const fn empty(begin: UtcHour, zone: AccountZone) -> Self {
        Self {
            begin,
            zone,
            currency: Currency::USD,
            platforms: Vec::new(),
            ad_sets: Vec::new(),
            organic_orders: Ratio::from_ppm(3_000_000),
            refunds: Ratio::from_ppm(80_000),
            restated: Ratio::from_ppm(150_000),
            longest_lag_hours: 48,
        }
    }
}

/// An ad set of a world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdSetConfig {
    /// Its name.
    pub key: AdSetKey,
    /// The daily budget it begins with.
    pub daily_budget: Micros,
    /// Whether it is delivered.
    pub delivery: Delivery,
    /// What else its platform knows of it.
    #[serde(default)]
    pub details: AdSetDetails,
    /// What its money buys.
    pub market: Market,
    /// How the platform spreads its budget over the day.
    pub pacing: Pacing,
    /// What a day's spend is measured by.
    pub limit: DayLimit,
    /// The least share of its limit that a day aims at; the most is the platform's overdelivery.
    pub least_delivery: Ratio,
}

impl AdSetConfig {
    /// An active ad set with an even pace in the default market.
    pub fn new(key: AdSetKey, daily_budget: Micros) -> Self {
        Self {
            key,
            daily_budget,
            delivery: Delivery::Active,
            details: AdSetDetails::default(),
            market: Market::default(),
            pacing: Pacing::Even,
            limit: DayLimit::Current,
            least_delivery: Ratio::from_ppm(700_000),
        }
    }
}

/// How a platform spreads a budget over the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pacing {
    /// In proportion to traffic.
    Even,
    /// As fast as the market takes it: the budget is gone by the morning.
    Fast,
    /// Little by day, all that is left from 18 o'clock on.
    Late,
}

/// What a day's spend is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayLimit {
    /// The budget that stands now: lowering it stops the spend.
    Current,
    /// The highest budget that stood today: lowering it helps only tomorrow. This is the worst
    /// that platforms document.
    Highest,
}

/// A world that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// A platform is described twice, or counts in another currency than the account.
    #[error("platform {platform} is described twice, or does not count in the world's currency")]
    Platform {
        /// Which one.
        platform: Platform,
    },
    /// An ad set is on no platform of the world, is named twice or has a budget below zero.
    #[error("ad set {key} is on no platform of the world, named twice or has a negative budget")]
    AdSet {
        /// Which one.
        key: AdSetKey,
    },
    /// More ad sets than a world may have.
    #[error("{found} ad sets are more than {MAX_AD_SETS}")]
    TooMany {
        /// How many there are.
        found: usize,
    },
}
