//! Local days: when one is over, λ moves and the ad sets learn.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gaelp_core::{AccountZone, HourSpan, Micros, Platform, UtcHour};

use serde::{Deserialize, Serialize};

use crate::{BudgetState, Record, Rollout};

/// The account's days, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DayBook {
    zone: AccountZone,
    settle_hours: u32,
    /// The day that is under way, or was when the last step began.
    today: Option<(NaiveDate, HourSpan)>,
    /// Days that began within the rollout and are not closed.
    open: Vec<(NaiveDate, HourSpan)>,
}

impl DayBook {
    pub(crate) fn new(zone: AccountZone, settle_hours: u32) -> Self {
        Self {
            zone,
            settle_hours,
            today: None,
            open: Vec::new(),
        }
    }

    /// Notes the day of a step. A day that the rollout joined in its middle is not judged.
    pub(crate) fn open(&mut self, step: HourSpan) {
        if self.today.is_some_and(|(_, span)| span.contains(step.from)) {
            return;
        }
        let date = self.zone.local(step.from).date;
        // The zone's clock showed this date, so the day has hours.
        let span = self.zone.day(date).unwrap_or(step);
        let whole = self.today.is_some() || step.from == span.from;
        self.today = Some((date, span));
        if whole {
            self.open.push((date, span));
        }
    }

    /// The local day of the last step.
    pub(crate) fn today(&self, step: HourSpan) -> HourSpan {
        self.today.map_or(step, |(_, span)| span)
    }

    /// The days that are over and settled.
    fn take_settled(&mut self, now: UtcHour) -> Vec<(NaiveDate, HourSpan)> {
        let settle = i32::try_from(self.settle_hours).unwrap_or(i32::MAX);
        let settled = self
            .open
            .iter()
            .take_while(|(_, span)| span.to.plus(settle) <= now)
            .count();
        self.open.drain(..settled).collect()
    }
}

impl Rollout {
    /// Closes the days that are over: each ad set learns from its day, λ follows the account's
    /// unless it is set every hour.
    pub(crate) fn close_days(&mut self, now: UtcHour, records: &mut Vec<Record>) {
        for (date, span) in self.days.take_settled(now) {
            let mut by_platform: BTreeMap<Platform, Micros> = BTreeMap::new();
            let mut account = Micros::ZERO;
            let mut reported = false;
            for (key, ad_set) in &mut self.ad_sets {
                let day = ad_set.trailing.window(span.to, span.len());
                if 2 * day.covered_hours < span.len() {
                    // Most of the day is missing: it says nothing about the day.
                    continue;
                }
                reported = true;
                let spent = by_platform.entry(key.platform.clone()).or_default();
                let sums = spent.checked_add(day.metrics.spend);
                let total = account.checked_add(day.metrics.spend);
                if let (Some(sum), Some(total)) = (sums, total) {
                    (*spent, account) = (sum, total);
                }
                if let Some(feedback) = self.strategy.score(&day.metrics, self.lambda) {
                    ad_set.learner.learn(&feedback);
                }
            }
            if !reported {
                // A day nobody reported is missing, not a day without spend.
                continue;
            }
            let target = self.config.daily_budget_target;
            if self.config.budgeting.is_classic() {
                self.lambda.observe(account, target);
            }
            let state = |platform, target_spend, actual_spend| {
                let lambda_spend = self.lambda.get();
                let state = BudgetState {
                    date,
                    platform,
                    target_spend,
                    actual_spend,
                    lambda_spend,
                };
                Record::BudgetState(state)
            };
            records.push(state(None, Some(target), account));
            records.extend(
                by_platform
                    .into_iter()
                    .map(|(p, spent)| state(Some(p), None, spent)),
            );
        }
    }
}
