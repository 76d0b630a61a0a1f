//! What was read is taken in: reports, budgets, and ad sets that come and go.

use std::collections::BTreeMap;

use gaelp_core::{AdSetKey, MetricRow, Platform, Restated, UtcHour};
use gaelp_guardrails::Policy;
use gaelp_platform::BudgetReading;

use crate::ad_set::{AdSet, Until};
use crate::strategy::Learner;
use crate::trial::spike_weeks;
use crate::{Alert, AlertKind, Budgeting, Record, Rollout};

/// How long an ad set without reports and without a budget is still decided upon.
const RETIRE_AFTER_HOURS: i64 = 72;

impl Rollout {
    pub(crate) fn take_rows(
        &mut self,
        mut rows: Vec<MetricRow>,
        now: UtcHour,
        records: &mut Vec<Record>,
    ) {
        // Whichever platform answered first must not matter.
        rows.sort_by(|a, b| {
            let time = |row: &MetricRow| (row.span.from, row.span.to);
            time(a)
                .cmp(&time(b))
                .then_with(|| a.key.cmp(&b.key))
                .then(a.revision.cmp(&b.revision))
        });
        let revenue = self.config.revenue;
        for row in rows {
            if row.span.from >= now {
                // Nobody asked for it, and it would push out what is known of today.
                let (kind, subject) = (AlertKind::Refused, row.key.to_string());
                let at = now;
                records.push(Record::Alert(Alert { at, kind, subject }));
                continue;
            }
            let before = self.counted_before(&row);
            let outcome = self.ad_set(&row.key).report(&row, revenue);
            let kind = match outcome {
                Ok(Restated::Newer) => {
                    self.count_traffic(&row, before);
                    if let Some(allowance) = &mut self.allowance {
                        allowance.touch(row.span);
                    }
                    records.push(Record::Metrics(row));
                    continue;
                }
                Ok(Restated::Known | Restated::Older) => continue,
                Ok(Restated::Contradicted) => AlertKind::Contradiction,
                Err(_) => AlertKind::Refused,
            };
            let subject = row.key.to_string();
            records.push(Record::Alert(Alert {
                at: now,
                kind,
                subject,
            }));
        }
    }

    pub(crate) fn take_readings(&mut self, readings: &BTreeMap<Platform, Vec<BudgetReading>>) {
        for reading in readings.values().flatten() {
            let ad_set = self.ad_set(&reading.key);
            ad_set.budget = Some(reading.daily_budget);
            if ad_set.details != reading.details {
                ad_set.details = reading.details.clone();
            }
        }
    }

    pub(crate) fn retire(&mut self, now: UtcHour, records: &mut Vec<Record>) {
        let margin = self.config.margin;
        self.ad_sets.retain(|_, ad_set| {
            let silent = ad_set
                .trailing
                .newest_end()
                .is_none_or(|end| now.since(end) > RETIRE_AFTER_HOURS);
            let gone = silent && ad_set.budget.is_none();
            if gone {
                ad_set.release(Until::Ended, margin, records);
            }
            !gone
        });
    }

    pub(crate) fn release_all(&mut self, records: &mut Vec<Record>) {
        for ad_set in self.ad_sets.values_mut() {
            ad_set.release(Until::Ended, self.config.margin, records);
        }
    }

    pub(crate) fn ad_set(&mut self, key: &AdSetKey) -> &mut AdSet {
        if !self.ad_sets.contains_key(key) {
            let policy = self
                .strategy
                .policy()
                .expect("checked multipliers are distinct arms");
            let trailing = gaelp_guardrails::Trailing::new(self.retain_hours());
            self.ad_sets
                .insert(key.clone(), AdSet::new(trailing, Learner::new(policy)));
        }
        self.ad_sets.get_mut(key).expect("it was inserted above")
    }

    /// What the rules, the day's closing and a second reading of reports need.
    pub(crate) fn retain_hours(&self) -> u32 {
        let of = |policy: &Policy| {
            let weeks = spike_weeks(policy.config()).map_or(0, |weeks| (weeks * 7 + 1) * 24);
            policy.rules().trailing().retain_hours().max(weeks)
        };
        let rules = self.policies().map(of).max().unwrap_or(0);
        let curves = match &self.config.budgeting {
            Budgeting::Paced(paced) => paced.evidence_hours,
            Budgeting::Classic => 0,
        };
        let days = 2 * 25 + self.config.settle_hours;
        rules
            .max(days)
            .max(curves)
            .max(self.config.reread_hours + 24)
    }
}
