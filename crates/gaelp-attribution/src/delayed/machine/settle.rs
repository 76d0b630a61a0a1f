//! Journeys and values become credits, and changes of them corrections.

use gaelp_core::Micros;

use super::{DelayedRewards, index_of};
use crate::delayed::conversions::Adjusted;
use crate::delayed::credits::Credit;
use crate::delayed::index::NONE;
use crate::delayed::path::Path;
use crate::delayed::{Correction, Effect};
use crate::{Journey, Scope, Timestamp, Weigh};

impl<W: Weigh> DelayedRewards<W> {
    /// Looks again at the open conversions of a user from a moment on.
    pub(super) fn reconsider(
        &mut self,
        now: Timestamp,
        user: u32,
        from: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let mut slots = std::mem::take(&mut self.scratch.slots);
        slots.clear();
        let list = self.conversions.buyers.list(self.users[user].buyer);
        slots.extend(list.iter().rev().copied().take_while(|&slot| {
            let at = self.conversions[slot].at;
            at >= from && self.calendar.is_open(at, self.watermark)
        }));
        for &slot in slots.iter().rev() {
            self.attribute(now, slot, false, effects);
        }
        self.scratch.slots = slots;
    }

    /// Finds the touches of a conversion, and corrects the credits where they have changed.
    pub(super) fn attribute(
        &mut self,
        now: Timestamp,
        slot: u32,
        first: bool,
        effects: &mut Vec<Effect>,
    ) {
        let mut places = std::mem::take(&mut self.scratch.places);
        self.eligible(slot, &mut places);
        let record = &self.conversions[slot];
        let known = |(&place, &credit): (&u32, &u32)| self.touches[place].credit == credit;
        let same =
            record.path.len() == places.len() && places.iter().zip(record.path.iter()).all(known);
        if !same {
            let weights = self.weigh(slot, &places);
            let path = places.iter().map(|&place| self.credited(place)).collect();
            self.settle(now, slot, path, weights, effects);
        }
        if places.is_empty() && (first || !same) {
            let conversion = self.conversions[slot].id;
            effects.push(Effect::Unattributed { conversion });
        }
        self.scratch.places = places;
    }

    /// The touches that a conversion may be credited to, oldest first.
    fn eligible(&self, slot: u32, places: &mut Vec<u32>) {
        places.clear();
        let record = &self.conversions[slot];
        let after = match self.rules.config().scope {
            Scope::Lookback => None,
            Scope::SincePrevious => self.previous_of_kind(slot),
        };
        for place in self.users.newest_first(record.user, &self.touches) {
            let touch = &self.touches[place];
            if after.is_some_and(|after| touch.order() <= after) {
                break;
            }
            let reached = self.rules.reaches(
                record.kind,
                record.at,
                touch.channel,
                touch.interaction(),
                touch.at,
            );
            if reached {
                places.push(place);
            }
        }
        places.reverse();
        self.rules.narrow(places, |&place| {
            let touch = &self.touches[place];
            (touch.channel, touch.interaction())
        });
    }

    /// The place of the last conversion of the same user and kind before a conversion.
    fn previous_of_kind(&self, slot: u32) -> Option<(Timestamp, crate::EventId)> {
        let record = &self.conversions[slot];
        let list = self.conversions.buyers.list(self.users[record.user].buyer);
        let place = list.iter().position(|&other| other == slot)?;
        let mut earlier = list[..place]
            .iter()
            .rev()
            .map(|&other| &self.conversions[other]);
        let previous = earlier.find(|other| other.kind == record.kind)?;
        Some(previous.order())
    }

    /// The weights of touches under each model in turn.
    fn weigh(&mut self, slot: u32, places: &[u32]) -> Box<[u64]> {
        let record = &self.conversions[slot];
        let scratch = &mut self.scratch;
        scratch.channels.clear();
        scratch.times.clear();
        scratch.all_weights.clear();
        for &place in places {
            scratch.channels.push(self.touches[place].channel);
            scratch.times.push(self.touches[place].at);
        }
        let journey = Journey::new(&scratch.channels, &scratch.times, record.at, record.kind);
        if let Some(journey) = journey {
            for model in &self.models {
                model.weigh(&journey, &mut scratch.weights);
                // A model that keeps to its contract gives as many weights, some positive.
                let sound = scratch.weights.len() == places.len()
                    && scratch.weights.iter().any(|&weight| weight > 0);
                if !sound {
                    scratch.weights.clear();
                    scratch.weights.resize(places.len(), 1);
                }
                scratch.all_weights.extend_from_slice(&scratch.weights);
            }
        }
        scratch.all_weights.as_slice().into()
    }

    /// The credit of a pending touch, a new one where it has none yet.
    fn credited(&mut self, place: u32) -> u32 {
        let touch = &self.touches[place];
        if touch.credit != NONE {
            return touch.credit;
        }
        let credit = Credit::new(touch.id, touch.at, touch.channel, place);
        let origin = self.touches.origin(place).copied();
        let credit = self.credits.add(credit, origin);
        self.touches[place].credit = credit;
        credit
    }

    /// Gives a conversion another value.
    pub(super) fn revalue(
        &mut self,
        now: Timestamp,
        slot: u32,
        adjusted: Adjusted,
        effects: &mut Vec<Effect>,
    ) {
        let record = &mut self.conversions[slot];
        let before = record.value();
        record.adjusted = Some(adjusted);
        if record.path.is_empty() || before == adjusted.value {
            return;
        }
        let path = record.path.clone();
        self.statistics.value += i128::from(adjusted.value) - i128::from(before);
        for model in 0..self.models.len() {
            self.note_parts(slot, &path, model, before);
            self.correct(now, slot, model, effects);
        }
    }

    /// Gives a conversion other touches.
    fn settle(
        &mut self,
        now: Timestamp,
        slot: u32,
        path: Path,
        weights: Box<[u64]>,
        effects: &mut Vec<Effect>,
    ) {
        let record = &mut self.conversions[slot];
        let value = record.value();
        let old_path = std::mem::replace(&mut record.path, path);
        let old_weights = std::mem::replace(&mut record.weights, weights);
        for model in 0..self.models.len() {
            self.scratch.before.clear();
            if !old_path.is_empty() {
                let touches = old_path.len();
                let weights = &old_weights[model * touches..(model + 1) * touches];
                if let Ok(parts) = self.splitter.split(Micros::new(value), weights) {
                    let parts = old_path.iter().zip(parts);
                    let parts = parts.map(|(&credit, part)| (credit, part.get()));
                    self.scratch.before.extend(parts);
                }
            }
            self.correct(now, slot, model, effects);
        }
        self.recount(slot, &old_path);
        let path = &self.conversions[slot].path;
        for &credit in old_path.iter() {
            if !path.contains(&credit) {
                self.credits.unlink(credit, slot);
            }
        }
        for &credit in path.iter() {
            if !old_path.contains(&credit) {
                self.credits[credit].conversions.push(slot);
            }
        }
    }

    /// Notes what touches had from a conversion under one model when it had another value.
    fn note_parts(&mut self, slot: u32, path: &[u32], model: usize, value: i64) {
        self.scratch.before.clear();
        let weights = self.conversions[slot].weights_of(model);
        if let Ok(parts) = self.splitter.split(Micros::new(value), weights) {
            let parts = path.iter().zip(parts);
            let parts = parts.map(|(&credit, part)| (credit, part.get()));
            self.scratch.before.extend(parts);
        }
    }

    /// Says by how much credits differ from those that were noted.
    fn correct(&mut self, now: Timestamp, slot: u32, model: usize, effects: &mut Vec<Effect>) {
        let before = &mut self.scratch.before;
        let record = &self.conversions[slot];
        let mut say = |credit: u32, delta: i64| {
            if delta == 0 {
                return;
            }
            let touch = &self.credits[credit];
            effects.push(Effect::Correction(Correction {
                number: self.number,
                touch: touch.touch,
                channel: touch.channel,
                origin: self.credits.origin(credit),
                conversion: record.id,
                model: index_of(model),
                delta: Micros::new(delta),
                at: now,
            }));
            self.number += 1;
            self.statistics.corrections += 1;
        };
        // What touches lose that are no longer credited, and then what the others win.
        for &(credit, part) in before.iter() {
            if !record.path.contains(&credit) {
                say(credit, -part);
            }
        }
        if record.path.is_empty() {
            return;
        }
        before.sort_unstable();
        let value = Micros::new(record.value());
        if let Ok(parts) = self.splitter.split(value, record.weights_of(model)) {
            for (&credit, part) in record.path.iter().zip(parts) {
                let had = before
                    .binary_search_by_key(&credit, |&(known, _)| known)
                    .map_or(0, |found| before[found].1);
                say(credit, part.get() - had);
            }
        }
    }

    /// Keeps the statistics true when a conversion's touches change.
    fn recount(&mut self, slot: u32, old_path: &[u32]) {
        let record = &self.conversions[slot];
        let value = i128::from(record.value());
        let lag = |path: &[u32]| {
            let oldest = self.credits[*path.first()?].at;
            record.at.since(oldest)
        };
        let counts = &mut self.statistics;
        if let Some(lag) = lag(old_path) {
            counts.attributed -= 1;
            counts.value -= value;
            counts.time_to_conversion.remove(lag);
        }
        if let Some(lag) = lag(&record.path) {
            counts.attributed += 1;
            counts.value += value;
            counts.time_to_conversion.add(lag);
        }
    }
}
