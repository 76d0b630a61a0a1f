//! What an ad set spends and sells in an hour.

use chrono::{DateTime, TimeDelta, Utc};
use gaelp_core::{AdSetKey, Metrics, Micros, Ratio, Rounding, UtcHour};
use gaelp_platform::{OrderError, OrderEvent};

use crate::dice::{draw, ppm};

/// The share of a day's traffic in each local hour, in millionths: night, morning, evening peak.
const TRAFFIC: [i64; 24] = [
    14_000, 9_000, 7_000, 6_000, 7_000, 12_000, 23_000, 36_000, 43_000, 47_000, 50_000, 52_000,
    53_000, 52_000, 51_000, 51_000, 53_000, 57_000, 66_000, 76_000, 80_000, 73_000, 52_000, 30_000,
];

/// In one of so many ad-set days, all that the platform may spend goes in the first hour.
const GREEDY: i64 = 150_000;
/// The least share of its budget that an ad set spends in a day of normal traffic.
const SLOWEST: i64 = 600_000;
/// The mean value of an order.
const ORDER: Micros = Micros::new(38_000_000);
/// The price of a click.
const CLICK: Micros = Micros::new(450_000);

/// An hour of an ad set, of which the platform knows the rest.
pub(crate) struct Hour<'a> {
    pub(crate) seed: u64,
    pub(crate) key: &'a AdSetKey,
    pub(crate) at: UtcHour,
    /// The local day and hour.
    pub(crate) date: chrono::NaiveDate,
    pub(crate) clock: u8,
    /// The highest budget that stood in the hour.
    pub(crate) budget: Micros,
    /// What the platform may still spend today.
    pub(crate) left: Micros,
    pub(crate) overdelivery: Ratio,
}

impl Hour<'_> {
    /// What is spent: never more than the platform's limit leaves.
    pub(crate) fn spend(&self) -> Micros {
        let day = self.chance("day", self.date.to_string().as_bytes());
        if day < GREEDY {
            return self.left;
        }
        let noise = self.chance("noise", &self.at.get().to_le_bytes());
        // Between the slowest and the platform's limit, evenly; a day keeps its pace.
        let widest = self.overdelivery.ppm() - SLOWEST;
        let pace = Ratio::from_ppm(SLOWEST + widest * (day - GREEDY) / (1_000_000 - GREEDY));
        let traffic = TRAFFIC[usize::from(self.clock) % 24];
        let weight = Ratio::from_ppm(traffic * (700_000 + 600_000 * noise / 1_000_000) / 1_000_000);
        self.budget
            .checked_scale(pace, Rounding::Down)
            .and_then(|amount| amount.checked_scale(weight, Rounding::Down))
            .unwrap_or(self.left)
            .min(self.left)
    }

    /// What the platform reports of a spend. Sales happen in the shop, which the platform's hourly
    /// report does not see.
    pub(crate) fn metrics(spend: Micros) -> Metrics {
        let clicks = spend.get() / CLICK.get();
        let clicks = u64::try_from(clicks).unwrap_or(0);
        Metrics {
            spend,
            impressions: clicks * 71,
            clicks,
            ..Metrics::default()
        }
    }

    /// The orders of the hour. Twice the spend brings less than twice the sales.
    pub(crate) fn orders(
        &self,
        spend: Micros,
        roas: Ratio,
        began: DateTime<Utc>,
    ) -> Result<Vec<OrderEvent>, OrderError> {
        let brings = spend.checked_scale(roas, Rounding::Down);
        let brings = brings.unwrap_or(Micros::ZERO).get();
        let whole = brings / ORDER.get();
        let rest = (brings % ORDER.get()) * 1_000_000 / ORDER.get();
        let luck = self.chance("orders", &self.at.get().to_le_bytes());
        let number = whole.min(50) + i64::from(luck < rest);
        (0..number)
            .map(|n| {
                let size = self.chance("size", &[n.to_le_bytes(), self.at_bytes()].concat());
                let amount = Micros::new(ORDER.get() * (500_000 + size) / 1_000_000);
                let at = began + TimeDelta::seconds(60 * n);
                let name = format!("#{}-{}-{n}", self.at.get(), self.key);
                OrderEvent::sale(name, at, amount)
            })
            .collect()
    }

    fn at_bytes(&self) -> [u8; 8] {
        i64::from(self.at.get()).to_le_bytes()
    }

    fn chance(&self, what: &str, when: &[u8]) -> i64 {
        let (platform, ad_set) = (self.key.platform.as_str(), self.key.ad_set.as_str());
        let parts = [what, platform, ad_set].map(str::as_bytes);
        ppm(draw(self.seed, &[parts[0], parts[1], parts[2], when]))
    }
}

#[cfg(test)]
mod tests {
    use super::TRAFFIC;

    #[test]
    fn the_hours_of_a_day_have_all_its_traffic() {
        assert_eq!(TRAFFIC.iter().sum::<i64>(), 1_000_000);
    }
}
