//! What platforms report, late and in instalments.

use gaelp_core::{
    AdSetKey, HourSpan, MetricRow, Metrics, Micros, Quantity, Ratio, Revision, UtcHour,
};
use gaelp_platform::{Capabilities, HourlyConversions, Report};

use super::World;
use super::calendar::HOUR;
use crate::Dice;

/// When a row that was first reported wrong is corrected, and when its last orders are in, in
/// hours after it was first reported.
const CORRECTED_AFTER: i64 = 5;

/// An hour of an ad set: what happened, and what was said about it.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The truth, the last of its orders included.
    pub(super) truth: Metrics,
    /// What is visible from which second on, in order; the last version is the truth as far as
    /// the platform tells it.
    pub(super) versions: Vec<(i64, Metrics)>,
}

/// An order that an ad brought.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sale {
    /// When it was placed.
    pub(super) at: i64,
    pub(super) amount: Micros,
}

/// How a platform tells what it knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    pub(super) delay_hours: u32,
    pub(super) conversions: HourlyConversions,
    pub(super) restated: Ratio,
}

impl Telling {
    pub(super) fn of(platform: &Capabilities, restated: Ratio) -> Self {
        Self {
            delay_hours: platform.reporting_delay_hours,
            conversions: platform.hourly_conversions,
            restated,
        }
    }
}

impl Cell {
    /// An hour that is over at `end`, with the orders that it will have brought.
    pub(super) fn new(
        end: i64,
        truth: Metrics,
        sales: &[Sale],
        telling: Telling,
        dice: &mut Dice,
    ) -> Self {
        let first = end + i64::from(telling.delay_hours) * HOUR;
        let corrected = first + CORRECTED_AFTER * HOUR;
        let known = |by: i64| -> Metrics {
            let mut metrics = Metrics {
                conversions: Quantity::ZERO,
                revenue: Micros::ZERO,
                ..truth
            };
            if telling.conversions == HourlyConversions::Reported {
                let in_time = || sales.iter().filter(|sale| sale.at <= by);
                let count = u64::try_from(in_time().count()).unwrap_or(0);
                metrics.conversions = Quantity::from_whole(count).unwrap_or_default();
                let amounts = in_time().map(|sale| sale.amount);
                metrics.revenue = Micros::checked_sum(amounts).unwrap_or(Micros::MAX);
            }
            metrics
        };
        let mut wrong = known(first);
        if dice.chance(telling.restated) {
            // Short by up to two fifths, or over by up to a tenth.
            let share = Ratio::from_ppm(dice.between(600_000, 1_100_000));
            let spend = wrong.spend.checked_scale(share, gaelp_core::Rounding::Down);
            wrong.spend = spend.unwrap_or(wrong.spend);
        }
        let mut versions = vec![(first, wrong)];
        let late = sales.iter().map(|sale| sale.at).max().unwrap_or(first);
        for when in [corrected, late] {
            let metrics = known(when);
            let newest = versions.last().map(|&(at, metrics)| (at, metrics));
            if newest.is_some_and(|(at, last)| when > at && metrics != last) {
                versions.push((when, metrics));
            }
        }
        Self { truth, versions }
    }

    /// The latest version and its number.
    fn visible(&self, now: i64) -> Option<(u32, Metrics)> {
        let newest = self.versions.iter().rposition(|&(from, _)| from <= now)?;
        let revision = u32::try_from(newest).unwrap_or(u32::MAX);
        Some((revision, self.versions[newest].1))
    }
}

impl World {
    /// What a platform reports now for the hours of a span: the latest version of each row that
    /// is out by now, one per ad set and hour.
    ///
    /// **Cost.** O(ad sets × hours of the span).
    pub fn report(&self, platform: &Capabilities, span: HourSpan) -> Report {
        let delay = i64::from(platform.reporting_delay_hours) * HOUR;
        let complete_before = hour_of(self.now - delay);
        let mut rows = Vec::new();
        let end = span.to.min(complete_before);
        for ad_set in &self.ad_sets {
            if ad_set.config.key.platform != platform.platform {
                continue;
            }
            let from = span.from.max(ad_set.first);
            for hour in HourSpan::new(from, end).iter() {
                let index = usize::try_from(hour.since(ad_set.first)).unwrap_or(usize::MAX);
                let cell = ad_set.cells.get(index);
                if let Some((revision, metrics)) = cell.and_then(|cell| cell.visible(self.now)) {
                    rows.push(MetricRow {
                        key: ad_set.config.key.clone(),
                        span: HourSpan::hour(hour),
                        revision: Revision::new(revision),
                        metrics,
                    });
                }
            }
        }
        Report {
            rows,
            complete_before,
        }
    }

    /// What an hour of an ad set really was, orders still to come included; `None` before it is
    /// over.
    pub fn true_hour(&self, key: &AdSetKey, hour: UtcHour) -> Option<Metrics> {
        let ad_set = self
            .ad_sets
            .iter()
            .find(|ad_set| ad_set.config.key == *key)?;
        let index = usize::try_from(hour.since(ad_set.first)).ok()?;
        ad_set.cells.get(index).map(|cell| cell.truth)
    }
}

/// The hour that a second lies in.
pub(super) fn hour_of(second: i64) -> UtcHour {
    let hour = i32::try_from(second.div_euclid(HOUR));
    UtcHour::new(hour.unwrap_or(if second < 0 { i32::MIN } else { i32::MAX }))
}
