//! What an entry does to the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use gaelp_core::{AdSetKey, Micros};

use super::Book;
use super::calendar::is_in_calendar;
use super::line::Line;
use crate::{
    Answer, BudgetsRead, Change, Entry, EntryError, Epoch, Intent, Limits, MAX_AMOUNT, Observation,
    Order, Refusal, seeded,
};

impl Book {
    /// Carries out an entry, without moving in the hash chain.
    ///
    /// Rules that depend on the limits are not checked again: the limits may have changed since.
    /// The rest is.
    ///
    /// # Errors
    /// [`EntryError`] for an entry that cannot follow on the ones before it; the book is then as
    /// it was before.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), EntryError> {
        let mut after = self.clone();
        after.apply_in_place(entry)?;
        *self = after;
        Ok(())
    }

    /// As [`apply`](Self::apply), but after an error the book is not to be used.
    pub(crate) fn apply_in_place(&mut self, entry: &Entry) -> Result<(), EntryError> {
        check_time(entry.at())?;
        match entry {
            Entry::Taken { epoch, at, .. } => {
                self.advance(*at);
                self.taken(*epoch)?;
                self.taken_at = Some(*at);
            }
            Entry::Observed {
                observation,
                changes,
            } => self.observed(observation, changes)?,
            Entry::Admitted { intent } => self.admitted(intent)?,
            Entry::Answered { intent, answer, at } => {
                self.advance(*at);
                if let Answer::Applied { daily_budget } = answer {
                    check_amount(*daily_budget)?;
                }
                let limits = &*self.limits;
                let lines = Arc::make_mut(&mut self.lines);
                let line = lines
                    .values_mut()
                    .find(|line| line.is_news(*intent, *answer))
                    .ok_or(EntryError::NotOpen { intent: *intent })?;
                line.answered(*intent, *answer, *at, limits);
            }
            Entry::Ordered { order, by, at } => {
                self.advance(*at);
                let nameless = *order == Order::Rearm && by.trim().is_empty();
                let operator = self.operator.after(*order);
                if nameless || operator == self.operator {
                    return Err(EntryError::Order);
                }
                self.operator = operator;
            }
        }
        Ok(())
    }

    fn taken(&mut self, found: Epoch) -> Result<(), EntryError> {
        let current = self.epoch;
        if current.next() != Some(found) {
            return Err(EntryError::Epoch { current, found });
        }
        self.operator = seeded::after_takeover(self.operator);
        self.epoch = found;
        self.read.clear();
        Ok(())
    }

    fn observed(
        &mut self,
        observation: &Observation,
        changes: &[Change],
    ) -> Result<(), EntryError> {
        self.check_epoch_of_entry(observation.epoch)?;
        observation.check().map_err(|refusal| match refusal {
            Refusal::Amount { value, .. } => EntryError::Amount { value },
            _ => EntryError::Observation,
        })?;
        for read in &observation.reads {
            check_time(read.began)?;
        }
        self.note(observation);
        self.change(changes)
    }

    /// Carries out changes that follow from what was noted.
    pub(super) fn change(&mut self, changes: &[Change]) -> Result<(), EntryError> {
        if changes.is_empty() {
            return Ok(());
        }
        let lines = Arc::make_mut(&mut self.lines);
        for change in changes {
            let line = lines.get_mut(change.key());
            let line = line.filter(|line| line.fits(change));
            let Some(line) = line else {
                let key = change.key().clone();
                return Err(EntryError::Change { key });
            };
            line.change(change, &self.limits);
        }
        Ok(())
    }

    fn admitted(&mut self, intent: &Intent) -> Result<(), EntryError> {
        let id = intent.id;
        check_time(intent.not_after)?;
        check_amount(intent.to)?;
        self.check_epoch_of_entry(intent.epoch)?;
        if self.knows(id) {
            return Err(EntryError::Known { intent: id });
        }
        self.advance(intent.at);
        let line = Arc::make_mut(&mut self.lines).get_mut(&intent.key);
        let fits = |from| from == intent.from && intent.at <= intent.not_after;
        let line = line.filter(|line| line.confirmed.is_some() && fits(line.confirmed));
        let line = line.ok_or(EntryError::Intent { intent: id })?;
        line.admit(intent.clone());
        Ok(())
    }

    /// Takes down the facts of an observation.
    pub(super) fn note(&mut self, observation: &Observation) {
        self.advance(observation.at);
        let (today, eve) = (self.today, self.eve);
        for read in &observation.reads {
            self.note_platform(read);
        }
        let lines = Arc::make_mut(&mut self.lines);
        // Only here, so that no answer is decided on an ad set that its own time lets go.
        lines.retain(|_, line| !line.is_over());
        for read in &observation.reads {
            note_read(lines, read, &self.limits);
        }
        for spent in &observation.spent {
            let date = Some(spent.date);
            let counts = date == today || date == eve;
            let Some(line) = counts.then(|| line_of(lines, &spent.key)) else {
                continue;
            };
            if date == today {
                line.spend_today(spent.upper);
            } else {
                line.spend_on_eve(spent.upper);
            }
        }
        for (key, budget) in &observation.known_good {
            if let Some(line) = lines.get_mut(key) {
                line.known_good = Some(*budget);
            }
        }
    }

    /// Notes that a platform's budgets were read in this epoch.
    fn note_platform(&mut self, read: &BudgetsRead) {
        let in_epoch = self.taken_at.is_some_and(|taken| read.began >= taken);
        if in_epoch && !self.read.contains(&read.platform) {
            self.read.push(read.platform.clone());
            self.read.sort_unstable();
        }
    }

    /// The changes that follow from what is noted.
    pub(super) fn due(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (key, line) in self.lines.iter() {
            line.changes(key, &self.limits, &mut changes);
        }
        changes
    }

    fn check_epoch_of_entry(&self, found: Epoch) -> Result<(), EntryError> {
        let current = self.epoch;
        if found == seeded::epoch(current, found) && current != Epoch::NONE {
            Ok(())
        } else {
            Err(EntryError::Epoch { current, found })
        }
    }
}

/// The line of an ad set, begun where there is none.
fn line_of<'a>(lines: &'a mut BTreeMap<AdSetKey, Line>, key: &AdSetKey) -> &'a mut Line {
    if !lines.contains_key(key) {
        lines.insert(key.clone(), Line::default());
    }
    lines.get_mut(key).expect("it was inserted above")
}

/// Notes a list of budgets, and what is not in it.
fn note_read(lines: &mut BTreeMap<AdSetKey, Line>, read: &BudgetsRead, limits: &Limits) {
    for (ad_set, budget) in &read.budgets {
        let key = AdSetKey::new(read.platform.clone(), ad_set.clone());
        let line = lines.entry(key).or_default();
        line.note_read(Some(*budget), read.began, limits);
    }
    for (key, line) in lines {
        // What was listed has a reading of this time, and a second one says nothing.
        if key.platform == read.platform {
            line.note_read(None, read.began, limits);
        }
    }
}

fn check_time(at: chrono::DateTime<chrono::Utc>) -> Result<(), EntryError> {
    if is_in_calendar(at) {
        Ok(())
    } else {
        Err(EntryError::OutOfCalendar { at })
    }
}

fn check_amount(value: Micros) -> Result<(), EntryError> {
    if (Micros::ZERO..=MAX_AMOUNT).contains(&value) {
        Ok(())
    } else {
        Err(EntryError::Amount { value })
    }
}
