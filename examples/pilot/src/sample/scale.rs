//! Many rows, for measuring: the same market with as many ad sets and days as the rows need.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use super::csv::Csv;
use super::file::{OutFile, WrittenFile};
use super::market::{Day, Organic, Purchase, Traffic};
use super::order::Shop;
use super::shopify::Tags;
use super::truth::{AD_SETS, AdSet, ORGANIC_PER_DAY};
use super::{META_FILE, Plan, SHOPIFY_FILE, SampleError, insights, readme, shopify};

/// The places of the ad sets of the small shop that are repeated: those of Meta.
const REPEATED: [usize; 2] = [0, 1];
/// Orders a day that no advertisement brought, for each of the small shop's four ad sets.
const ORGANIC_PER_AD_SET: f64 = ORGANIC_PER_DAY / 4.0;
/// Ad sets to a campaign.
const PER_CAMPAIGN: usize = 10;

/// Writes the files, a day at a time.
///
/// Rows are in the order of time, and within an hour in that of the ad sets. Orders are in the
/// order of time too: the newest first, as in a real export, would need them all at once.
///
/// **Cost.** Memory for a day of rows and for the purchases of two days.
pub(crate) fn write(
    dir: &Path,
    plan: &Plan,
    rows: u64,
    ad_sets: u32,
) -> Result<Vec<WrittenFile>, SampleError> {
    let text = readme::scale(plan, rows, ad_sets);
    let readme = OutFile::whole(dir, readme::FILE, None, &text)?;
    let mut market = Market::new(plan, ad_sets);
    let mut meta = OutFile::create(dir, META_FILE)?;
    let mut shop = OutFile::create(dir, SHOPIFY_FILE)?;
    let mut meta_rows = Csv::with_header(insights::META_HEADER);
    let mut shop_rows = Csv::with_header(shopify::HEADER);
    for date in plan.first.iter_days() {
        let days = market.day(date);
        let text = date.to_string();
        for (local, place) in (0..24).flat_map(|l| (0..days.len()).map(move |p| (l, p))) {
            if meta_rows.rows() == rows {
                break;
            }
            if let Some(hour) = &days[place][usize::from(local)] {
                let (campaign, name) = &market.names[place];
                insights::meta(&mut meta_rows, campaign, name, &text, local, hour);
            }
        }
        let done = meta_rows.rows() == rows;
        // Later days can only cause later purchases.
        let until = plan.end_of(date).start();
        market.orders(plan, until, &mut shop_rows);
        meta.take(&mut meta_rows)?;
        shop.take(&mut shop_rows)?;
        if done {
            break;
        }
    }
    Ok(vec![
        readme,
        meta.finish(Some(meta_rows.rows()))?,
        shop.finish(Some(shop_rows.rows()))?,
    ])
}

/// The ad sets, and the shop that they bring people to.
#[derive(Debug)]
struct Market {
    traffic: Vec<Traffic>,
    /// The campaign and the name of each ad set.
    names: Vec<(String, String)>,
    organic: Organic,
    shop: Shop,
    /// Purchases that are still to happen, by their time and by how many were caused before.
    pending: BTreeMap<(DateTime<Utc>, u64), Purchase>,
    caused: u64,
}

impl Market {
    fn new(plan: &Plan, ad_sets: u32) -> Self {
        // The files are exported when everything is over.
        let exported_at = DateTime::<Utc>::MAX_UTC;
        let places = 0..ad_sets as usize;
        Self {
            traffic: places
                .clone()
                .map(|place| {
                    Traffic::new(original(place), place, plan.seed, plan.zone, exported_at)
                })
                .collect(),
            names: places
                .map(|place| {
                    let campaign = format!("Campaign {:03}", place / PER_CAMPAIGN + 1);
                    (campaign, format!("Ad set {:04}", place + 1))
                })
                .collect(),
            organic: Organic::new(
                plan.seed,
                plan.zone,
                ORGANIC_PER_AD_SET * f64::from(ad_sets),
            ),
            shop: Shop::new(plan.seed, exported_at),
            pending: BTreeMap::new(),
            caused: 0,
        }
    }

    /// A day of every ad set.
    fn day(&mut self, date: NaiveDate) -> Vec<Day> {
        let (pending, caused) = (&mut self.pending, &mut self.caused);
        let mut purchase = |purchase: Purchase| {
            pending.insert((purchase.at, *caused), purchase);
            *caused += 1;
        };
        self.organic.day(date, &mut purchase);
        self.traffic
            .iter_mut()
            .map(|traffic| traffic.day(date, None, &mut purchase))
            .collect()
    }

    /// Writes the orders that came before an instant.
    fn orders(&mut self, plan: &Plan, until: DateTime<Utc>, csv: &mut Csv) {
        while let Some(entry) = self.pending.first_entry()
            && entry.key().0 < until
        {
            let order = self.shop.take(entry.remove());
            let tags = order.earned_by.map(|click| {
                let (campaign, name) = &self.names[click.ad_set];
                Tags {
                    source: &original(click.ad_set).platform,
                    campaign,
                    ad_set: name,
                }
            });
            shopify::write(csv, &order, tags.as_ref(), plan.zone);
        }
    }
}

/// The ad set that the one in that place repeats.
fn original(place: usize) -> &'static AdSet {
    &AD_SETS[REPEATED[place % REPEATED.len()]]
}
