//! What a process was told of campaigns, summed by somebody else than the rollout.

use std::collections::{BTreeMap, BTreeSet};

use gaelp_core::{AdSetKey, HourSpan, MetricRow, Micros, UtcHour};
use gaelp_platform::BudgetReading;

use crate::{AdSetConfig, WorldConfig};

/// Hours of which spend is remembered: the longest local day, and what comes late into it.
const REMEMBERED: i32 = 30;

/// What each ad set spent in each of the last hours, as it was last reported, and of which it was
/// told anything besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spent {
    hours: BTreeMap<(UtcHour, AdSetKey), Micros>,
    listed: BTreeSet<AdSetKey>,
}

impl Spent {
    /// A row that a process took in.
    pub(crate) fn note(&mut self, row: &MetricRow) {
        let place = (row.span.from, row.key.clone());
        self.hours.insert(place, row.metrics.spend);
    }

    /// Budgets that a process read, and whatever comes with them.
    pub(crate) fn list(&mut self, readings: &[BudgetReading]) {
        for reading in readings {
            if !self.listed.contains(&reading.key) {
                self.listed.insert(reading.key.clone());
            }
        }
    }

    /// Whether an ad set was ever in a list of budgets.
    pub(crate) fn knows(&self, key: &AdSetKey) -> bool {
        self.listed.contains(key)
    }

    /// Forgets what is too old for any day.
    pub(crate) fn forget_before(&mut self, now: UtcHour) {
        let from = now.plus(-REMEMBERED);
        while let Some(first) = self.hours.first_entry() {
            if first.key().0 >= from {
                break;
            }
            first.remove();
        }
    }

    /// What the ad sets of a campaign are known to have spent in some hours.
    pub(crate) fn of(&self, campaign: &Campaign, hours: HourSpan) -> i64 {
        let within =
            |(hour, key): &(UtcHour, AdSetKey)| hours.contains(*hour) && campaign.0.contains(key);
        let parts = self.hours.iter().filter(|(place, _)| within(place));
        parts.map(|(_, spend)| spend.get()).sum()
    }
}

/// A campaign of the world, with the ad sets that really belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Campaign(Vec<AdSetKey>);

impl Campaign {
    /// The campaign of an ad set; `None` where it has none.
    pub(crate) fn of(world: &WorldConfig, key: &AdSetKey) -> Option<Self> {
        let mut all = world.ad_sets.iter();
        let name = all
            .find(|ad_set| ad_set.key == *key)?
            .details
            .campaign
            .as_ref()?;
        let belongs = |ad_set: &&AdSetConfig| {
            ad_set.key.platform == key.platform && ad_set.details.campaign.as_ref() == Some(name)
        };
        let members = world.ad_sets.iter().filter(belongs);
        Some(Self(members.map(|ad_set| ad_set.key.clone()).collect()))
    }

    /// Its first ad set, as its name.
    pub(crate) fn name(&self) -> Option<&AdSetKey> {
        self.0.first()
    }
}
