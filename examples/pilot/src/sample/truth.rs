//! What is put into the samples: the market that an optimiser is meant to find out about.

use std::ops::Range;

use gaelp::core::{Micros, Platform};

/// The local hours in which the evening's rates hold: the pilot's default peak hours.
pub(crate) const EVENING: Range<u8> = 18..22;

/// How an ad set pays.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Price {
    /// For a thousand impressions.
    PerThousand(Micros),
    /// For a click.
    PerClick(Micros),
}

/// An ad set as it really is.
#[derive(Debug)]
pub(crate) struct AdSet {
    pub(crate) platform: Platform,
    pub(crate) campaign: &'static str,
    pub(crate) campaign_id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    /// What it is in the story, as a sentence.
    pub(crate) role: &'static str,
    /// What it spends on an average day.
    pub(crate) daily: Micros,
    pub(crate) price: Price,
    /// Clicks per impression.
    pub(crate) click_rate: f64,
    /// Shop orders per click in the [`EVENING`].
    pub(crate) evening_rate: f64,
    /// Shop orders per click at other hours.
    pub(crate) other_rate: f64,
    /// How its traffic is spread over the local hours; any scale.
    pub(crate) shape: &'static [f64; 24],
}

/// Most of the traffic comes after work.
const EVENINGS: [f64; 24] = [
    2.0, 1.0, 0.6, 0.4, 0.4, 0.6, 1.2, 2.2, 3.0, 3.2, 3.4, 3.6, 4.2, 4.0, 3.8, 4.0, 4.6, 5.8, 8.6,
    10.4, 10.8, 9.0, 6.0, 3.6,
];
/// An even day with a quiet night.
const DAYLIGHT: [f64; 24] = [
    1.2, 0.7, 0.5, 0.4, 0.5, 1.0, 2.4, 4.0, 5.0, 5.4, 5.6, 5.8, 6.4, 6.2, 5.8, 5.6, 5.6, 5.6, 5.8,
    6.0, 5.6, 4.6, 3.2, 2.0,
];
/// People search at their desks, and once more after dinner.
const DESK: [f64; 24] = [
    0.8, 0.5, 0.3, 0.3, 0.3, 0.6, 1.6, 3.4, 5.6, 7.2, 7.4, 7.0, 6.2, 6.6, 6.8, 6.6, 6.0, 5.2, 5.2,
    6.0, 6.2, 5.0, 3.2, 1.8,
];
/// Until late at night.
const LATE: [f64; 24] = [
    5.4, 3.6, 2.2, 1.2, 0.7, 0.6, 1.0, 1.8, 2.2, 2.4, 2.6, 3.0, 3.8, 3.8, 3.8, 4.6, 5.2, 5.4, 5.8,
    6.4, 7.2, 8.0, 8.4, 7.2,
];

/// The good one.
const LOOKALIKE: AdSet = AdSet {
    platform: Platform::Meta,
    campaign: "Autumn candles - Sales",
    campaign_id: "120210000000000100",
    name: "Lookalike buyers 2%",
    id: "120210000000000101",
    role: "Clearly profitable in the evening, no more than break-even at other hours.",
    daily: Micros::new(4_000_000),
    price: Price::PerThousand(Micros::new(7_000_000)),
    click_rate: 0.032,
    evening_rate: 0.045,
    other_rate: 0.011,
    shape: &EVENINGS,
};

/// The losing one.
const BROAD: AdSet = AdSet {
    platform: Platform::Meta,
    campaign: "Autumn candles - Sales",
    campaign_id: "120210000000000100",
    name: "Broad US 25-54",
    id: "120210000000000102",
    role: "Loses money at every hour.",
    daily: Micros::new(2_000_000),
    price: Price::PerThousand(Micros::new(5_000_000)),
    click_rate: 0.015,
    evening_rate: 0.007,
    other_rate: 0.006,
    shape: &DAYLIGHT,
};

/// The middling one.
const SEARCH: AdSet = AdSet {
    platform: Platform::Google,
    campaign: "Search - candles",
    campaign_id: "20990000017",
    name: "Search - candles",
    id: "20990000017",
    role: "About break-even, the same all day.",
    daily: Micros::new(2_500_000),
    price: Price::PerClick(Micros::new(450_000)),
    click_rate: 0.045,
    evening_rate: 0.025,
    other_rate: 0.025,
    shape: &DESK,
};

/// The loud one.
const VIDEO: AdSet = AdSet {
    platform: Platform::TikTok,
    campaign: "Candle videos",
    campaign_id: "1790000000000100",
    name: "Candle videos US",
    id: "1790000000000101",
    role: "Many cheap views late at night and few orders, of which it claims more than it earned.",
    daily: Micros::new(1_500_000),
    price: Price::PerThousand(Micros::new(3_500_000)),
    click_rate: 0.011,
    evening_rate: 0.008,
    other_rate: 0.008,
    shape: &LATE,
};

/// The ad sets of the small shop.
pub(crate) static AD_SETS: [AdSet; 4] = [LOOKALIKE, BROAD, SEARCH, VIDEO];

/// Orders a day that no advertisement brought.
pub(crate) const ORGANIC_PER_DAY: f64 = 1.1;
/// When people come by themselves.
pub(crate) const ORGANIC_SHAPE: &[f64; 24] = &DAYLIGHT;

/// The mean total of an order, before refunds: of 1,000,000 baskets, to ten cents.
pub(crate) const MEAN_ORDER: f64 = 22.8;

/// An hour that cost many times what it should.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spike {
    /// The place of the ad set.
    pub(crate) ad_set: usize,
    /// Days after the first one.
    pub(crate) day: u32,
    pub(crate) hour: u8,
    /// Times the impressions.
    pub(crate) impressions: f64,
    /// Times the price.
    pub(crate) price: f64,
}

/// The losing ad set runs away for an hour.
pub(crate) const SPIKE: Spike = Spike {
    ad_set: 1,
    day: 12,
    hour: 14,
    impressions: 12.0,
    price: 1.6,
};

/// For this hour the Meta export has no rows, though money was spent: days after the first one,
/// and the local hour.
pub(crate) const OUTAGE: (u32, u8) = (16, 15);

impl AdSet {
    /// What an impression costs on average, in micros.
    pub(crate) fn impression_cost(&self) -> f64 {
        match self.price {
            Price::PerThousand(price) => price.to_major_f64() * 1e3,
            Price::PerClick(price) => price.to_major_f64() * 1e6 * self.click_rate,
        }
    }

    /// Shop orders per click at a local hour.
    pub(crate) fn order_rate(&self, hour: u8) -> f64 {
        if EVENING.contains(&hour) {
            self.evening_rate
        } else {
            self.other_rate
        }
    }

    /// What a dollar is expected to bring the shop at a local hour, before refunds.
    pub(crate) fn expected_roas(&self, hour: u8) -> f64 {
        let click_cost = self.impression_cost() / self.click_rate / 1e6;
        self.order_rate(hour) * MEAN_ORDER / click_cost
    }

    /// The part of the day's traffic that comes in a local hour.
    pub(crate) fn share(&self, hour: u8) -> f64 {
        share(self.shape, hour)
    }
}

/// The part of a day that lies in one of its hours.
pub(crate) fn share(shape: &[f64; 24], hour: u8) -> f64 {
    shape[usize::from(hour)] / shape.iter().sum::<f64>()
}

/// Something that the shop sells.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) sku: &'static str,
    pub(crate) price: Micros,
}

/// How many products the shop sells.
pub(crate) const PRODUCTS: usize = 7;
/// The place of the cheapest one.
pub(crate) const CHEAPEST: usize = 3;

/// What the shop sells. Two names need quotes in a CSV file, as real ones do.
pub(crate) static CATALOGUE: [Product; PRODUCTS] = [
    product("Soy candle - Fig / 180 g", "SAMPLE-FIG-180", 1_400),
    product("Soy candle - Cedar / 180 g", "SAMPLE-CED-180", 1_400),
    product("Travel tin - Orange", "SAMPLE-ORA-TIN", 800),
    product("Tea lights, box of 12", "SAMPLE-TEA-12", 600),
    product("Pillar candle 3\" white", "SAMPLE-PIL-3", 1_100),
    product("Wick trimmer", "SAMPLE-TRIM", 900),
    product("Gift set - three candles", "SAMPLE-GIFT-3", 3_600),
];

const fn product(name: &'static str, sku: &'static str, cents: i64) -> Product {
    Product {
        name,
        sku,
        price: Micros::new(cents * CENT),
    }
}

/// The micros of a cent.
pub(crate) const CENT: i64 = 10_000;
/// The median of what people mean to spend on products.
pub(crate) const MEDIAN_BASKET: Micros = Micros::new(1_600 * CENT);
/// The spread of its logarithm.
pub(crate) const BASKET_SIGMA: f64 = 0.55;
/// Shipping, for baskets below [`FREE_SHIPPING`].
pub(crate) const SHIPPING: Micros = Micros::new(390 * CENT);
/// From here on shipping is free.
pub(crate) const FREE_SHIPPING: Micros = Micros::new(3_500 * CENT);
/// Of a hundred orders, how many have the discount code, which takes a tenth off.
pub(crate) const DISCOUNT_PERCENT: u32 = 10;
/// The shop's home state, the only one where it collects sales tax: 8 %.
pub(crate) const TAXED: (&str, &str) = ("NY", "New York");
/// Where its customers live.
pub(crate) const PROVINCES: [(&str, &str); 5] = [
    TAXED,
    ("CA", "California"),
    ("TX", "Texas"),
    ("OH", "Ohio"),
    ("WA", "Washington"),
];
