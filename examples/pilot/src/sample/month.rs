//! The small shop: some weeks of four ad sets, on three platforms, and of the orders.

use chrono::{DateTime, NaiveDate, Utc};
use gaelp::core::{Micros, Platform};

use super::csv::Csv;
use super::market::{Day, Organic, Purchase, Traffic, shown};
use super::order::{Order, Shop};
use super::shopify::Tags;
use super::truth::{AD_SETS, AdSet, EVENING, ORGANIC_PER_DAY, OUTAGE, SPIKE};
use super::{GOOGLE_FILE, META_FILE, Plan, SHOPIFY_FILE, TIKTOK_FILE, insights, readme, shopify};

/// A file that is ready to be written.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) name: &'static str,
    /// Rows of a table, without its header; none for a text.
    pub(crate) rows: Option<u64>,
    pub(crate) text: String,
}

/// What really came of an ad set, which no export tells.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Of clicks in the evening.
    pub(crate) evening: Earned,
    /// Of all other clicks.
    pub(crate) other: Earned,
}

/// What was spent, and what the shop got for it and kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Earned {
    pub(crate) spend: Micros,
    pub(crate) clicks: u64,
    pub(crate) orders: u64,
    pub(crate) kept: Micros,
    /// Conversions that the platform claims, in hundredths.
    pub(crate) claimed: u64,
}

impl Rendered {
    fn table(name: &'static str, csv: Csv) -> Self {
        Self {
            name,
            rows: Some(csv.rows()),
            text: csv.into_string(),
        }
    }
}

impl Outcome {
    /// Enters a day of the platform's side.
    fn note(&mut self, day: &Day) {
        for (local, hour) in shown(day) {
            let earned = self.at(local);
            earned.spend = sum(earned.spend, hour.spend);
            earned.clicks += hour.clicks;
            earned.claimed += hour.claimed;
        }
    }

    fn at(&mut self, hour: u8) -> &mut Earned {
        if EVENING.contains(&hour) {
            &mut self.evening
        } else {
            &mut self.other
        }
    }
}

/// Everything that came of the ad sets, in their order, and without any.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) ad_sets: [Outcome; AD_SETS.len()],
    pub(crate) organic: Earned,
}

impl Outcomes {
    /// Enters an order.
    fn earn(&mut self, order: &Order) {
        let earned = match order.earned_by {
            Some(click) => self.ad_sets[click.ad_set].at(click.hour),
            None => &mut self.organic,
        };
        earned.orders += 1;
        earned.kept = sum(earned.kept, order.kept());
    }
}

fn sum(one: Micros, other: Micros) -> Micros {
    one.checked_add(other)
        .expect("a year of a small shop is far below the range")
}

/// Simulates the shop and renders its files. The first one is the text that tells about the rest.
///
/// **Cost.** Memory grows with the days: some 100 kB for a week.
pub(crate) fn render(plan: &Plan, days: u32) -> Vec<Rendered> {
    let exported_at = plan.end(days).start();
    let dates = || (0..days).zip(plan.first.iter_days());
    let mut outcomes = Outcomes::default();
    let mut purchases = Vec::new();
    let mut tables = Tables::new();

    // Exports list one ad set after the other.
    for (place, ad_set) in AD_SETS.iter().enumerate() {
        let mut traffic = Traffic::new(ad_set, place, plan.seed, plan.zone, exported_at);
        for (index, date) in dates() {
            let spike = (place == SPIKE.ad_set && index == SPIKE.day).then_some(SPIKE);
            let day = traffic.day(date, spike, |purchase| purchases.push(purchase));
            tables.enter(ad_set, index, date, &day);
            outcomes.ad_sets[place].note(&day);
        }
    }
    let mut organic = Organic::new(plan.seed, plan.zone, ORGANIC_PER_DAY);
    for (_, date) in dates() {
        organic.day(date, |purchase| purchases.push(purchase));
    }

    let orders = orders(plan, exported_at, purchases);
    for order in &orders {
        outcomes.earn(order);
    }
    let mut shop = Csv::with_header(shopify::HEADER);
    // Shopify lists the newest first.
    for order in orders.iter().rev() {
        let tags = order.earned_by.map(|click| {
            let ad_set = &AD_SETS[click.ad_set];
            Tags {
                source: &ad_set.platform,
                campaign: ad_set.campaign,
                ad_set: ad_set.name,
            }
        });
        shopify::write(&mut shop, order, tags.as_ref(), plan.zone);
    }

    vec![
        Rendered {
            name: readme::FILE,
            rows: None,
            text: readme::month(plan, days, &outcomes),
        },
        Rendered::table(META_FILE, tables.meta),
        Rendered::table(GOOGLE_FILE, tables.google),
        Rendered::table(TIKTOK_FILE, tables.tiktok),
        Rendered::table(SHOPIFY_FILE, shop),
    ]
}

/// The orders in the order of time, as far as they came before the export.
fn orders(plan: &Plan, exported_at: DateTime<Utc>, mut purchases: Vec<Purchase>) -> Vec<Order> {
    // A stable sort: what happens in the same second keeps the order of the ad sets.
    purchases.sort_by_key(|purchase| purchase.at);
    let mut shop = Shop::new(plan.seed, exported_at);
    purchases
        .into_iter()
        .filter(|purchase| purchase.at < exported_at)
        .map(|purchase| shop.take(purchase))
        .collect()
}

/// The platforms' reports.
#[derive(Debug)]
struct Tables {
    meta: Csv,
    google: Csv,
    tiktok: Csv,
}

impl Tables {
    fn new() -> Self {
        Self {
            meta: Csv::with_header(insights::META_HEADER),
            google: Csv::with_header(insights::GOOGLE_HEADER),
            tiktok: Csv::with_header(insights::TIKTOK_HEADER),
        }
    }

    /// Enters a day of an ad set; `index` counts the days from the first one.
    fn enter(&mut self, ad_set: &AdSet, index: u32, date: NaiveDate, day: &Day) {
        let text = date.to_string();
        for (local, hour) in shown(day) {
            match ad_set.platform {
                Platform::Google => {
                    insights::google(&mut self.google, ad_set, date, local, hour);
                }
                Platform::TikTok => {
                    insights::tiktok(&mut self.tiktok, ad_set, date, local, hour);
                }
                _ if (index, local) == OUTAGE => {}
                _ => {
                    let AdSet { campaign, name, .. } = *ad_set;
                    insights::meta(&mut self.meta, campaign, name, &text, local, hour);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
