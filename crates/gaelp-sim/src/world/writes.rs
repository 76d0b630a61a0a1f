//! How budgets change: our writes, and other people's.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, Micros, UtcHour};
use gaelp_platform::{BudgetReading, Capabilities, Delivery, PlatformError, SetBudget};

use super::report::hour_of;
use super::truth::{Author, Change};
use super::{AdSet, AdSetConfig, World, WorldError};

/// What a person does to an ad set in the platform's own interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// Sets its daily budget.
    Budget(Micros),
    /// Switches it off or on.
    Delivery(Delivery),
    /// Removes it: it is in no list of budgets any more.
    Remove,
}

impl World {
    /// The budgets of a platform as they stand; ad sets that were removed are not among them.
    pub fn budgets(&self, platform: &Capabilities) -> Vec<BudgetReading> {
        let ours =
            |ad_set: &&AdSet| !ad_set.gone && ad_set.config.key.platform == platform.platform;
        let reading = |ad_set: &AdSet| BudgetReading {
            key: ad_set.config.key.clone(),
            daily_budget: ad_set.budget,
            delivery: ad_set.delivery,
            details: ad_set.config.details.clone(),
        };
        self.ad_sets.iter().filter(ours).map(reading).collect()
    }

    /// A write arrives at the platform, which does with it what its limits say. The caller decides
    /// what the writer hears of it.
    ///
    /// # Errors
    /// A rejection for an ad set that does not exist and a budget below the minimum or off the
    /// quantum; rate limited where the hour's edits are used up.
    pub fn set_budget(&mut self, request: &SetBudget) -> Result<Micros, PlatformError> {
        let now = hour_of(self.now);
        let Some(slot) = self.slot(&request.key) else {
            return Err(PlatformError::rejected("there is no such ad set"));
        };
        let platform = &self.platforms[self.ad_sets[slot].platform];
        if let Err(error) = platform.check(request.daily_budget) {
            return Err(PlatformError::rejected(error.to_string()).with_source(error));
        }
        let used = self.ad_sets[slot].edits_in(now);
        if platform
            .edits_per_hour
            .is_some_and(|limit| used >= limit.get())
        {
            let wait = Some(Duration::from_hours(1));
            return Err(PlatformError::rate_limited(
                wait,
                "too many edits in this hour",
            ));
        }
        self.edit(
            slot,
            request.daily_budget,
            Author::Decision(request.decision),
        );
        Ok(request.daily_budget)
    }

    /// A write that is held up on its way: it arrives at `at`, over whatever was set since, and
    /// nobody hears of it. What should have arrived already arrives now.
    pub fn set_budget_later(&mut self, request: &SetBudget, at: DateTime<Utc>) {
        let at = at.timestamp().max(self.now);
        self.held_up_number += 1;
        let place = (at, self.held_up_number);
        self.held_up.insert(place, request.clone());
        self.arrive();
    }

    /// The writes that are still on their way.
    pub fn on_their_way(&self) -> impl Iterator<Item = &SetBudget> {
        self.held_up.values()
    }

    /// A person edits an ad set. It always works, except that there must be one; the answer says
    /// whether there is.
    pub fn human(&mut self, key: &AdSetKey, edit: &Edit) -> bool {
        let Some(slot) = self.slot(key) else {
            return false;
        };
        match edit {
            Edit::Budget(to) => self.edit(slot, (*to).max(Micros::ZERO), Author::Human),
            Edit::Delivery(delivery) => self.ad_sets[slot].delivery = *delivery,
            Edit::Remove => self.ad_sets[slot].gone = true,
        }
        true
    }

    /// A person makes a new ad set.
    ///
    /// # Errors
    /// [`WorldError`] as for an ad set that the world begins with.
    pub fn create(&mut self, config: AdSetConfig) -> Result<(), WorldError> {
        let (key, budget) = (config.key.clone(), config.daily_budget);
        let slot = self.ad_sets.len();
        self.add(config)?;
        let at = self.now();
        self.truth.changes.push(Change {
            at,
            slot,
            key,
            from: Micros::ZERO,
            to: budget,
            by: Author::Human,
        });
        Ok(())
    }

    /// Lets writes arrive whose time has come.
    pub(super) fn arrive(&mut self) {
        while let Some(entry) = self.held_up.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let request = entry.remove();
            // Nobody waits for the answer any more.
            let _unheard = self.set_budget(&request);
        }
    }

    fn slot(&self, key: &AdSetKey) -> Option<usize> {
        let is = |ad_set: &AdSet| !ad_set.gone && ad_set.config.key == *key;
        self.ad_sets.iter().position(is)
    }

    fn edit(&mut self, slot: usize, to: Micros, by: Author) {
        let at = self.now();
        let now = hour_of(self.now);
        let ad_set = &mut self.ad_sets[slot];
        let from = std::mem::replace(&mut ad_set.budget, to);
        ad_set.edits = (now, ad_set.edits_in(now).saturating_add(1));
        let key = ad_set.config.key.clone();
        self.stands(slot);
        self.truth.changes.push(Change {
            at,
            slot,
            key,
            from,
            to,
            by,
        });
    }

    /// Counts a budget that stands among the day's.
    pub(super) fn stands(&mut self, slot: usize) {
        let ad_set = &self.ad_sets[slot];
        let most = self.platforms[ad_set.platform].worst_case_day_spend(ad_set.budget);
        let Some(day) = self.truth.days.last_mut() else {
            return;
        };
        if day.high.len() <= slot {
            day.spent.resize(slot + 1, Micros::ZERO);
            day.high.resize(slot + 1, Micros::ZERO);
            day.most.resize(slot + 1, Micros::ZERO);
        }
        if ad_set.budget > day.high[slot] {
            day.high[slot] = ad_set.budget;
            day.most[slot] = most.unwrap_or(Micros::MAX);
        }
    }
}

impl AdSet {
    fn edits_in(&self, hour: UtcHour) -> u32 {
        match self.edits {
            (of, edits) if of == hour => edits,
            _ => 0,
        }
    }
}
