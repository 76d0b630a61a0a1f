//! What happens in the market, hour by hour.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gaelp::core::{AccountZone, Micros, Rounding, UtcHour};

use super::basket::Basket;
use super::dice::Dice;
use super::truth::{self, AdSet, CENT, Price, Spike};

/// How far the traffic of a day strays from the average: the spread of its logarithm.
const DAY_SIGMA: f64 = 0.12;
/// How far the price of an hour strays.
const PRICE_SIGMA: f64 = 0.2;
/// Of a hundred buyers, how many buy within the hour of their click.
pub(crate) const AT_ONCE_PERCENT: u32 = 55;
/// The mean delay of the others, in seconds.
const LATER_MEAN: f64 = 14.0 * 3600.0;
/// Nobody comes back after that.
const LATEST: u64 = 48 * 3600 - 1;
/// Conversions that Google claims though others earned them, per click.
const GOOGLE_EXTRA: f64 = 0.006;
/// Conversions that TikTok claims because somebody saw a video, per click.
const TIKTOK_EXTRA: f64 = 0.012;

/// An hour on the account's clock, as the platform saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hour {
    pub(crate) impressions: u64,
    pub(crate) clicks: u64,
    pub(crate) spend: Micros,
    /// Conversions that the platform claims, in hundredths.
    pub(crate) claimed: u64,
    /// The value that it claims with them.
    pub(crate) claimed_value: Micros,
}

/// The local hours of a day; none for an hour that the clock did not show. An hour that it showed
/// twice is one, as in the platforms' reports.
pub(crate) type Day = [Option<Hour>; 24];

/// The hours of a day that the clock showed.
pub(crate) fn shown(day: &Day) -> impl Iterator<Item = (u8, &Hour)> {
    (0..)
        .zip(day)
        .filter_map(|(local, hour)| Some((local, hour.as_ref()?)))
}

/// The click that led to a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Click {
    /// The place of the ad set.
    pub(crate) ad_set: usize,
    /// The local hour of the click, which may be two days before the purchase.
    pub(crate) hour: u8,
}

/// Somebody who buys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Purchase {
    pub(crate) at: DateTime<Utc>,
    /// None for people who came by themselves.
    pub(crate) earned_by: Option<Click>,
    pub(crate) basket: Basket,
}

/// The traffic of an ad set.
#[derive(Debug)]
pub(crate) struct Traffic {
    ad_set: &'static AdSet,
    place: usize,
    dice: Dice,
    zone: AccountZone,
    /// Platforms cannot have claimed what had not happened when the files were exported.
    exported_at: DateTime<Utc>,
}

impl Traffic {
    /// The traffic of the ad set in that place; its draws are a stream of their own.
    pub(crate) fn new(
        ad_set: &'static AdSet,
        place: usize,
        seed: u64,
        zone: AccountZone,
        exported_at: DateTime<Utc>,
    ) -> Self {
        // Stream 0 is the people who come by themselves.
        let dice = Dice::new(seed, place as u64 + 1);
        Self {
            ad_set,
            place,
            dice,
            zone,
            exported_at,
        }
    }

    /// A local day. Days are to be taken in order, each once. Purchases are handed out as they
    /// are caused, which may be two days before they happen.
    pub(crate) fn day(
        &mut self,
        date: NaiveDate,
        spike: Option<Spike>,
        mut purchase: impl FnMut(Purchase),
    ) -> Day {
        let mut day = Day::default();
        let busy = busyness(date, &mut self.dice);
        for utc in self.zone.hours_of_day(date) {
            let local = self.zone.local(utc).hour;
            let spike = spike.filter(|spike| spike.hour == local);
            let hour = self.hour(utc, local, busy, spike, &mut purchase);
            let slot = day[usize::from(local)].get_or_insert_default();
            *slot = slot.plus(hour);
        }
        day
    }

    fn hour(
        &mut self,
        utc: UtcHour,
        local: u8,
        busy: f64,
        spike: Option<Spike>,
        purchase: &mut impl FnMut(Purchase),
    ) -> Hour {
        let ad_set = self.ad_set;
        let (more, dearer) = spike.map_or((1.0, 1.0), |s| (s.impressions, s.price));
        let planned = ad_set.daily.to_major_f64() * 1e6 * ad_set.share(local) * busy;
        let impressions = self.dice.poisson(planned * more / ad_set.impression_cost());
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let expected_clicks = impressions as f64 * ad_set.click_rate;
        let clicks = self.dice.poisson(expected_clicks).min(impressions);
        let mut hour = Hour {
            impressions,
            clicks,
            spend: self.cost(impressions, clicks, dearer),
            ..Hour::default()
        };
        for _ in 0..self.dice.binomial(clicks, ad_set.order_rate(local)) {
            let bought = self.purchase(utc, local);
            if bought.at < self.exported_at {
                self.claim(&mut hour, &bought);
            }
            purchase(bought);
        }
        self.claim_more(&mut hour);
        hour
    }

    /// What an hour cost, in whole cents.
    fn cost(&mut self, impressions: u64, clicks: u64, dearer: f64) -> Micros {
        let (units, price, per) = match self.ad_set.price {
            Price::PerThousand(price) => (impressions, price, 1000),
            Price::PerClick(price) => (clicks, price, 1),
        };
        let noise = self.dice.factor(PRICE_SIGMA);
        #[expect(clippy::cast_possible_truncation, reason = "a small constant factor")]
        let dearer = gaelp::core::Ratio::from_ppm((dearer * 1e6) as i64);
        i64::try_from(units)
            .ok()
            .and_then(|units| price.checked_mul(units))
            .and_then(|cost| cost.checked_div(per, Rounding::HalfEven))
            .and_then(|cost| cost.checked_scale(noise, Rounding::HalfEven))
            .and_then(|cost| cost.checked_scale(dearer, Rounding::HalfEven))
            .and_then(|cost| cost.checked_div(CENT, Rounding::HalfEven))
            .and_then(|cents| cents.checked_mul(CENT))
            .expect("an hour of a small shop costs dollars, not trillions of them")
    }

    /// A purchase that a click in this hour leads to.
    fn purchase(&mut self, utc: UtcHour, local: u8) -> Purchase {
        let clicked = u64::from(self.dice.within(0..3600));
        let delay = if self.dice.happens(AT_ONCE_PERCENT) {
            u64::from(self.dice.within(120..3000))
        } else {
            3000 + self.dice.wait(LATER_MEAN)
        };
        Purchase {
            at: after(utc, clicked + delay.min(LATEST)),
            earned_by: Some(Click {
                ad_set: self.place,
                hour: local,
            }),
            basket: Basket::draw(&mut self.dice),
        }
    }

    /// Enters what the platform claims of a purchase that it earned.
    fn claim(&mut self, hour: &mut Hour, bought: &Purchase) {
        use gaelp::core::Platform::{Google, TikTok};
        // Google shares a conversion out among the clicks that led to it.
        let hundredths = match self.ad_set.platform {
            Google => match self.dice.within(0..100) {
                0..60 => 100,
                60..85 => 50,
                _ => 67,
            },
            TikTok => 100,
            // Meta's hourly report has had no purchases of the shop since April 2021.
            _ => return,
        };
        hour.claim(hundredths, bought.basket.subtotal());
    }

    /// Enters what the platform claims of others' earnings.
    fn claim_more(&mut self, hour: &mut Hour) {
        use gaelp::core::Platform::{Google, TikTok};
        let (per_click, hundredths) = match self.ad_set.platform {
            Google => (GOOGLE_EXTRA, 33),
            TikTok => (TIKTOK_EXTRA, 100),
            _ => return,
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let extra = self.dice.poisson(hour.clicks as f64 * per_click);
        for _ in 0..extra {
            hour.claim(hundredths, truth::MEDIAN_BASKET);
        }
    }
}

impl Hour {
    /// The sum of two hours.
    fn plus(self, other: Self) -> Self {
        let add = |one: Micros, other: Micros| {
            one.checked_add(other)
                .expect("two hours of a small shop are far below the range")
        };
        Self {
            impressions: self.impressions + other.impressions,
            clicks: self.clicks + other.clicks,
            spend: add(self.spend, other.spend),
            claimed: self.claimed + other.claimed,
            claimed_value: add(self.claimed_value, other.claimed_value),
        }
    }

    fn claim(&mut self, hundredths: u32, of: Micros) {
        let part = of
            .checked_mul(i64::from(hundredths))
            .and_then(|value| value.checked_div(100, Rounding::HalfEven))
            .expect("part of an order's value is in range");
        *self = self.plus(Self {
            claimed: u64::from(hundredths),
            claimed_value: part,
            ..Self::default()
        });
    }
}

/// The people who come by themselves.
#[derive(Debug)]
pub(crate) struct Organic {
    dice: Dice,
    zone: AccountZone,
    per_day: f64,
}

impl Organic {
    pub(crate) fn new(seed: u64, zone: AccountZone, per_day: f64) -> Self {
        Self {
            dice: Dice::new(seed, 0),
            zone,
            per_day,
        }
    }

    /// A local day; as [`Traffic::day`].
    pub(crate) fn day(&mut self, date: NaiveDate, mut purchase: impl FnMut(Purchase)) {
        let busy = busyness(date, &mut self.dice);
        for utc in self.zone.hours_of_day(date) {
            let local = self.zone.local(utc).hour;
            let mean = self.per_day * busy * truth::share(truth::ORGANIC_SHAPE, local);
            for _ in 0..self.dice.poisson(mean) {
                purchase(Purchase {
                    at: after(utc, u64::from(self.dice.within(0..3600))),
                    earned_by: None,
                    basket: Basket::draw(&mut self.dice),
                });
            }
        }
    }
}

/// How busy a day is; 1 on average.
fn busyness(date: NaiveDate, dice: &mut Dice) -> f64 {
    use chrono::Datelike;
    let weekday = if date.weekday().num_days_from_monday() >= 5 {
        1.08
    } else {
        0.97
    };
    weekday * dice.factor(DAY_SIGMA).to_f64()
}

/// So many seconds after an hour began.
fn after(utc: UtcHour, seconds: u64) -> DateTime<Utc> {
    let seconds = i64::try_from(seconds).expect("delays are at most two days");
    utc.start() + TimeDelta::seconds(seconds)
}
