//! A market with several platforms and a shop.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, Metrics, Micros, Quantity, Ratio, Seed, UtcHour};
use gaelp_platform::{Capabilities, SetBudget};

mod calendar;
mod config;
mod delivery;
mod market;
mod report;
mod shop;
mod truth;
mod writes;

pub use config::{AdSetConfig, DayLimit, MAX_AD_SETS, Pacing, WorldConfig, WorldError};
pub use market::{Market, Traffic};
pub use truth::{Author, Change, Day, Truth};
pub use writes::Edit;

use crate::Dice;
use calendar::{Calendar, HOUR};
use delivery::{AdSet, Segment};
use report::{Cell, Telling, hour_of};
use shop::{Custom, Shop};

/// The streams of a seed that a world draws from.
const DELIVERY: u64 = 1;
const SHOP: u64 = 2;

/// A market that knows what really happened.
///
/// It has no faults of its own beyond what markets and platforms do every day: traffic that rises
/// and falls, budgets that are overdelivered up to ω of the day's highest, orders that lag behind
/// their clicks, reports that come late and are restated. Everything is a function of the
/// configuration, the seed and the calls made, in order.
///
/// **Units.** Time runs in seconds and only by [`advance`](Self::advance). Money is integer;
/// nothing is lost by rounding that is not lost on the platform's side.
///
/// **Cost.** Under a microsecond per ad set and hour.
///
/// ```
/// use gaelp_core::{AccountZone, AdSetKey, Currency, HourSpan, Platform, Seed, UtcHour};
/// use gaelp_platform::Capabilities;
/// use gaelp_sim::{AdSetConfig, World, WorldConfig};
///
/// let google = Capabilities::google(Currency::USD, AccountZone::UTC);
/// let begin = UtcHour::new(490_008); // a midnight
/// let key = AdSetKey::new(Platform::Google, "brand");
/// let config = WorldConfig {
///     platforms: vec![google.clone()],
///     ad_sets: vec![AdSetConfig::new(key, "10".parse()?)],
///     ..WorldConfig::empty(begin, AccountZone::UTC)
/// };
/// let mut world = World::new(config, Seed::new(1))?;
/// world.advance(24 * 3600);
/// // Google may spend twice the budget in a day, never more.
/// let day = &world.truth().days()[0];
/// assert!(day.account_spent() > "5".parse()? && day.account_spent() <= "20".parse()?);
/// // It reports with a delay of three hours.
/// let report = world.report(&google, HourSpan::new(begin, begin.plus(24)));
/// assert_eq!(report.rows.len(), 21);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct World {
    now: i64,
    calendar: Calendar,
    currency: gaelp_core::Currency,
    platforms: Vec<Capabilities>,
    ad_sets: Vec<AdSet>,
    shop: Shop,
    custom: Custom,
    organic_orders: Ratio,
    restated: Ratio,
    /// What the clock shows in this hour.
    local_hour: u8,
    /// Writes on their way, by the second of their arrival.
    held_up: BTreeMap<(i64, u64), SetBudget>,
    held_up_number: u64,
    truth: Truth,
    delivery: Dice,
    custom_dice: Dice,
}

impl World {
    /// A world at its first second.
    ///
    /// # Errors
    /// [`WorldError`] where platforms and ad sets do not fit together.
    pub fn new(config: WorldConfig, seed: Seed) -> Result<Self, WorldError> {
        let now = i64::from(config.begin.get()) * HOUR;
        let calendar = Calendar::new(config.zone);
        let mut world = Self {
            now,
            calendar,
            currency: config.currency,
            platforms: Vec::new(),
            ad_sets: Vec::new(),
            shop: Shop::default(),
            custom: Custom {
                refunds: config.refunds,
                longest_lag_hours: config.longest_lag_hours,
            },
            organic_orders: config.organic_orders,
            restated: config.restated,
            local_hour: calendar.hour(now),
            held_up: BTreeMap::new(),
            held_up_number: 0,
            truth: Truth {
                days: Vec::new(),
                changes: Vec::new(),
            },
            delivery: Dice::new(seed, DELIVERY),
            custom_dice: Dice::new(seed, SHOP),
        };
        for platform in config.platforms {
            let known = |other: &Capabilities| other.platform == platform.platform;
            if world.platforms.iter().any(known) || platform.currency != world.currency {
                let platform = platform.platform.clone();
                return Err(WorldError::Platform { platform });
            }
            world.platforms.push(platform);
        }
        if config.ad_sets.len() > MAX_AD_SETS {
            let found = config.ad_sets.len();
            return Err(WorldError::TooMany { found });
        }
        world.begin_day();
        for ad_set in config.ad_sets {
            world.add(ad_set)?;
        }
        Ok(world)
    }

    /// The present second.
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.now, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The hour that the present second lies in.
    pub fn hour(&self) -> UtcHour {
        hour_of(self.now)
    }

    /// The platforms.
    pub fn platforms(&self) -> &[Capabilities] {
        &self.platforms
    }

    /// The ad sets, in the order in which they came into the world, those removed included.
    pub fn keys(&self) -> impl Iterator<Item = &AdSetKey> {
        self.ad_sets.iter().map(|ad_set| &ad_set.config.key)
    }

    /// The daily budget of an ad set that really stands now; `None` where there is none.
    pub fn standing(&self, key: &AdSetKey) -> Option<Micros> {
        let is = |ad_set: &&AdSet| !ad_set.gone && ad_set.config.key == *key;
        self.ad_sets.iter().find(is).map(|ad_set| ad_set.budget)
    }

    /// What really happened so far.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Lets time pass: money is spent, orders are placed, writes on their way arrive.
    pub fn advance(&mut self, seconds: u32) {
        let end = self.now.saturating_add(i64::from(seconds));
        while self.now < end {
            let hour_end = (self.now.div_euclid(HOUR) + 1) * HOUR;
            let day_end = self.truth.today().end;
            let arrival = self.held_up.keys().next().map_or(i64::MAX, |(at, _)| *at);
            let next = end.min(hour_end).min(day_end).min(arrival.max(self.now));
            self.spend_until(next);
            self.now = next;
            if next == hour_end {
                self.end_hour();
            }
            if next == day_end {
                self.begin_day();
            }
            if next == hour_end {
                self.begin_hour();
            }
            self.arrive();
        }
    }

    fn add(&mut self, config: AdSetConfig) -> Result<(), WorldError> {
        let name = &config.key.platform;
        let platform = self.platforms.iter().position(|p| p.platform == *name);
        let known = self
            .ad_sets
            .iter()
            .any(|ad_set| ad_set.config.key == config.key);
        let Some(platform) = platform.filter(|_| !known && !config.daily_budget.is_negative())
        else {
            return Err(WorldError::AdSet { key: config.key });
        };
        if self.ad_sets.len() == MAX_AD_SETS {
            let found = MAX_AD_SETS + 1;
            return Err(WorldError::TooMany { found });
        }
        let mut ad_set = AdSet::new(config, platform, hour_of(self.now));
        let overdelivery = self.platforms[platform].overdelivery;
        ad_set.begin_day(overdelivery, &mut self.delivery);
        ad_set.begin_hour(self.local_hour, &mut self.delivery);
        self.ad_sets.push(ad_set);
        self.stands(self.ad_sets.len() - 1);
        Ok(())
    }

    fn spend_until(&mut self, to: i64) {
        let segment = Segment {
            local_hour: self.local_hour,
            from: self.now,
            to,
        };
        let Some(day) = self.truth.days.last_mut() else {
            return;
        };
        let sums = day.spent.iter_mut().zip(&day.high).zip(&day.most);
        for (ad_set, ((spent, high), most)) in self.ad_sets.iter_mut().zip(sums) {
            let spend = ad_set.spend(segment, *spent, *high, *most);
            // Both are bounded by `most`, which fits.
            *spent = spent.checked_add(spend).unwrap_or(*most);
            ad_set.hour_spend = ad_set.hour_spend.checked_add(spend).unwrap_or(*most);
        }
    }

    /// Books what the hour brought.
    fn end_hour(&mut self) {
        let begins = self.now - HOUR;
        for ad_set in &mut self.ad_sets {
            let market = &ad_set.config.market;
            let spend = ad_set.hour_spend;
            let expected = market.clicks_at(spend, ad_set.traffic);
            let clicks = self.delivery.events(expected);
            let impressions = if spend.is_zero() {
                0
            } else {
                clicks * 25 + self.delivery.below(40)
            };
            let orders = self.delivery.count(clicks, market.conversion);
            let dice = &mut self.custom_dice;
            let value = market.order_value;
            let sales = self.shop.sell(orders, begins, value, self.custom, dice);
            let revenue = Micros::checked_sum(sales.iter().map(|sale| sale.amount));
            let truth = Metrics {
                spend,
                impressions,
                clicks,
                conversions: Quantity::from_whole(orders).unwrap_or_default(),
                revenue: revenue.unwrap_or(Micros::MAX),
            };
            let telling = Telling::of(&self.platforms[ad_set.platform], self.restated);
            let cell = Cell::new(self.now, truth, &sales, telling, &mut self.delivery);
            ad_set.cells.push(cell);
        }
        let organic = u64::try_from(self.organic_orders.ppm()).unwrap_or(0) / 24;
        let orders = self.custom_dice.events(organic);
        let value = Micros::new(30_000_000);
        let dice = &mut self.custom_dice;
        self.shop.sell(orders, begins, value, self.custom, dice);
    }

    fn begin_hour(&mut self) {
        self.local_hour = self.calendar.hour(self.now);
        for ad_set in &mut self.ad_sets {
            ad_set.begin_hour(self.local_hour, &mut self.delivery);
        }
    }

    /// A local day begins: spend counts anew, and what stands now is its highest budget so far.
    fn begin_day(&mut self) {
        let (date, begin, end) = self.calendar.day(self.now);
        let none = vec![Micros::ZERO; self.ad_sets.len()];
        self.truth.days.push(Day {
            date,
            begin,
            end,
            spent: none.clone(),
            high: none.clone(),
            most: none,
        });
        for slot in 0..self.ad_sets.len() {
            let ad_set = &mut self.ad_sets[slot];
            let overdelivery = self.platforms[ad_set.platform].overdelivery;
            ad_set.begin_day(overdelivery, &mut self.delivery);
            if !self.ad_sets[slot].gone {
                self.stands(slot);
            }
        }
    }
}
