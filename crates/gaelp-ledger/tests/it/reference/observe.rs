//! What is read, told and settled.

use chrono::NaiveDate;
use gaelp_core::{AdSetKey, Micros};
use gaelp_ledger::{Change, Intent, Observation, Refusal, Reply};

use super::{Naive, Reading, Time, Write, seconds};

impl Naive {
    pub(super) fn observe(&mut self, observation: &Observation) -> Result<Reply, Refusal> {
        let at = observation.at;
        self.current(observation.epoch)?;
        for read in &observation.reads {
            if read.began > at {
                let began = read.began;
                return Err(Refusal::Future { began, at });
            }
        }
        self.pass(at);
        let dates = self.dates.clone();
        self.ad_sets.retain(|_, ad_set| {
            let counts = |date: &NaiveDate| ad_set.high_on(*date) > 0 || ad_set.spent_on(*date) > 0;
            let is_open = ad_set.open().next().is_some();
            ad_set.confirmed.is_some() || is_open || dates.iter().any(counts)
        });
        for read in &observation.reads {
            if read.began >= *self.takes.last().unwrap() {
                self.read.push(read.platform.clone());
            }
            let mut keys: Vec<AdSetKey> = self.ad_sets.keys().cloned().collect();
            keys.extend(
                read.budgets
                    .iter()
                    .map(|(id, _)| AdSetKey::new(read.platform.clone(), id.clone())),
            );
            keys.sort();
            keys.dedup();
            for key in keys.into_iter().filter(|key| key.platform == read.platform) {
                let listed = read.budgets.iter().find(|(id, _)| *id == key.ad_set);
                self.reading(&key, listed.map(|(_, budget)| budget.get()), read.began, at);
            }
        }
        for spent in &observation.spent {
            if self.dates.contains(&spent.date) {
                let ad_set = self.ad_sets.entry(spent.key.clone()).or_default();
                ad_set.spent.push((spent.date, spent.upper.get()));
            }
        }
        let keys: Vec<AdSetKey> = self.ad_sets.keys().cloned().collect();
        let mut changes = Vec::new();
        for key in keys {
            self.settle(&key, at, &mut changes);
        }
        Ok(Reply::Observed { changes })
    }

    fn reading(&mut self, key: &AdSetKey, budget: Option<i64>, began: Time, at: Time) {
        self.ad_sets.entry(key.clone()).or_default();
        if let Some(budget) = budget {
            self.stands(key, budget, at);
        }
        let ad_set = &self.ad_sets[key];
        if ad_set.readings.iter().any(|reading| reading.began >= began) {
            return;
        }
        let quiet = ad_set
            .open()
            .all(|write| began > self.quiet_after(write.intent.not_after));
        let after = ad_set.writes.len();
        let reading = Reading {
            began,
            budget,
            quiet,
            after,
        };
        self.ad_sets.get_mut(key).unwrap().readings.push(reading);
    }

    fn settle(&mut self, key: &AdSetKey, at: Time, changes: &mut Vec<Change>) {
        let ad_set = &self.ad_sets[key];
        let Some(last) = ad_set.readings.last() else {
            return;
        };
        let open: Vec<Write> = ad_set.open().cloned().collect();
        let agreeing = ad_set.readings.iter().rev().take_while(|reading| {
            reading.quiet && reading.budget == last.budget && reading.after == ad_set.writes.len()
        });
        let enough = agreeing.count() >= self.config.read_backs as usize;
        let (read, before) = (last.budget, ad_set.confirmed);
        let shown = open.len() == 1 && {
            let to = open[0].intent.to.get();
            let heard = open[0].applied.last();
            heard.is_some_and(|(budget, heard)| *budget == to && last.began > *heard)
                && open[0].most() == to
                && read == Some(to)
        };
        if !open.is_empty() && !shown && !enough {
            return;
        }
        let listed = ad_set.readings.iter().rev().find(|r| r.budget.is_some());
        let long_missing = listed
            .is_none_or(|seen| last.began >= seen.began + seconds(self.config.gone_after_secs));
        let mut raised = before.unwrap_or(0);
        let mut explained = read == before;
        for write in &open {
            let Intent { id, to, .. } = write.intent;
            let stands = read == Some(to.get());
            let may_have_stood =
                stands || open.len() > 1 || !write.applied.is_empty() || read != before;
            let value = if may_have_stood { write.most() } else { 0 };
            self.stands(key, value, at);
            raised = raised.max(value);
            let until = self.quiet_after(write.intent.not_after);
            let ad_set = self.ad_sets.get_mut(key).unwrap();
            let ended = ad_set.writes.iter_mut().find(|other| other.intent.id == id);
            ended.unwrap().end = Some((value, until));
            let (key, intent, budget) = (key.clone(), id, to);
            changes.push(if stands {
                ad_set.confirmed = read;
                explained = true;
                Change::Confirmed {
                    key,
                    intent,
                    budget,
                }
            } else {
                Change::Expired {
                    key,
                    intent,
                    budget,
                    may_have_stood,
                }
            });
        }
        if explained {
            return;
        }
        let key_of_change = key.clone();
        let change = match (before.map(Micros::new), read.map(Micros::new)) {
            (Some(from), Some(to)) => Change::External {
                key: key_of_change,
                from,
                to,
            },
            (None, Some(budget)) => Change::New {
                key: key_of_change,
                budget,
            },
            (Some(_), None) if enough && long_missing => Change::Gone {
                key: key_of_change,
                from: Micros::new(raised),
            },
            _ => {
                // It may stand where nobody looks, and then at the highest that it may have.
                if before.is_some() {
                    self.ad_sets.get_mut(key).unwrap().confirmed = Some(raised);
                }
                return;
            }
        };
        changes.push(change);
        self.ad_sets.get_mut(key).unwrap().confirmed = read;
    }
}
