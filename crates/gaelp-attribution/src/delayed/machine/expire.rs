//! Time passes: touches mature, conversions become final, and what exceeds the limits goes.

use gaelp_core::Micros;

use super::ask::share;
use super::{AHEAD, DelayedRewards, GROUP};
use crate::delayed::index::NONE;
use crate::delayed::{Effect, Settled};
use crate::{Span, Splitter, Timestamp, Weigh};

impl<W: Weigh> DelayedRewards<W> {
    /// Moves the watermark; it never moves back.
    pub(super) fn advance(&mut self, watermark: Timestamp, effects: &mut Vec<Effect>) {
        if watermark <= self.watermark {
            return;
        }
        self.watermark = watermark;
        while let Some(first) = self.touches.first() {
            if !self.calendar.touches_due(first, watermark) {
                break;
            }
            self.mature(first, effects);
        }
        while let Some(first) = self.conversions.first() {
            if !self.calendar.conversions_due(first, watermark) {
                break;
            }
            if let Some(slot) = self.conversions.pop() {
                self.retire(slot);
            }
        }
        while let Some(first) = self.held.first() {
            if !self.rules.is_late(first, watermark) {
                break;
            }
            self.held.pop();
            self.statistics.unmatched += 1;
        }
    }

    /// Lets the touches of the bucket that is due go.
    fn mature(&mut self, bucket: i64, effects: &mut Vec<Effect>) {
        let mut places = std::mem::take(&mut self.scratch.places);
        let taken = self.touches.take_first(&mut places);
        for group in places.chunks(GROUP) {
            self.fetch_going(group);
            for &place in group {
                let touch = self.touches[place];
                if touch.is_dead() {
                    continue;
                }
                let own = self
                    .calendar
                    .touch(touch.at, touch.channel, touch.interaction());
                if own > bucket {
                    self.postpone(own, place);
                    continue;
                }
                self.statistics.matured += 1;
                let settled = self.settled(place);
                self.note_lag(place);
                effects.push(Effect::Matured(settled));
                self.drop_touch(place);
            }
        }
        if let Some(taken) = taken {
            self.touches.give_back(taken);
        }
        places.clear();
        self.scratch.places = places;
    }

    /// Puts a touch into its own bucket that was in an earlier one for want of buckets.
    fn postpone(&mut self, bucket: i64, place: u32) {
        self.users.unlink(place, &mut self.touches);
        let origin = self.touches.origin(place).copied();
        let record = self.touches[place];
        let moved = self.touches.push(bucket, record, origin.as_ref());
        if record.credit != NONE {
            self.credits[record.credit].record = moved;
        }
        self.users.link(moved, &mut self.touches);
    }

    /// Gives up touches, those that would expire soonest, while there are too many.
    pub(super) fn evict(&mut self, effects: &mut Vec<Effect>) {
        while self.touches.occupied() > self.limits.touches as usize {
            let Some(place) = self.touches.pop() else {
                return;
            };
            if self.touches[place].is_dead() {
                continue;
            }
            self.statistics.evicted += 1;
            effects.push(Effect::Evicted(self.settled(place)));
            self.drop_touch(place);
        }
    }

    /// Takes a touch that has gone from its user.
    fn drop_touch(&mut self, place: u32) {
        let user = self.touches[place].user;
        self.users.unlink(place, &mut self.touches);
        self.users.leave(user);
        self.forget(place);
    }

    /// Cuts a touch that has gone from its credit, which stays while conversions know it.
    pub(super) fn forget(&mut self, place: u32) {
        let credit = self.touches[place].credit;
        if credit != NONE {
            self.credits.orphan(credit);
        }
    }

    /// What is known of a touch in the end.
    pub(super) fn settled(&self, place: u32) -> Settled {
        let touch = &self.touches[place];
        Settled {
            touch: touch.id,
            channel: touch.channel,
            at: touch.at,
            origin: self.touches.origin(place).copied(),
            total: self.total(touch.credit),
        }
    }

    /// What a touch has from all conversions under the first model.
    fn total(&self, credit: u32) -> Option<Micros> {
        if credit == NONE {
            return Some(Micros::ZERO);
        }
        let mut splitter = Splitter::default();
        let parts = self.credits[credit]
            .conversions
            .as_slice()
            .iter()
            .map(|&slot| {
                let part = share(&self.conversions[slot], credit, 0, &mut splitter);
                i128::from(part.get())
            });
        i64::try_from(parts.sum::<i128>()).ok().map(Micros::new)
    }

    /// From a touch to its first conversion, where it has one.
    pub(super) fn first_lag(&self, credit: u32) -> Option<Span> {
        if credit == NONE {
            return None;
        }
        let credit = &self.credits[credit];
        let conversions = credit.conversions.as_slice().iter();
        conversions
            .filter_map(|&slot| self.conversions[slot].at.since(credit.at))
            .min()
    }

    /// Counts how long a matured touch took to convert, or that it waited in vain.
    fn note_lag(&mut self, place: u32) {
        let touch = self.touches[place];
        if let Some(lag) = self.first_lag(touch.credit) {
            self.statistics.matured_credited += 1;
            self.lags.converted(touch.channel, lag);
        } else {
            let window = self.calendar.retention(touch.channel, touch.interaction());
            self.lags.waiting(touch.channel, window);
        }
    }

    /// Reads the users and the credits of touches that are about to go, as `fetch` does.
    fn fetch_going(&self, group: &[u32]) {
        let mut cursors = [NONE; GROUP];
        let mut credits = [NONE; GROUP];
        for ((cursor, credit), &place) in cursors.iter_mut().zip(&mut credits).zip(group) {
            let touch = &self.touches[place];
            if !touch.is_dead() {
                *cursor = self.users[touch.user].newest;
                *credit = touch.credit;
            }
        }
        let mut read = 0;
        for &place in group {
            let touch = &self.touches[place];
            // Who has nothing else leaves the table.
            if !touch.is_dead() && self.users[touch.user].count() == 1 {
                read ^= self.users.glance(self.users[touch.user].key);
            }
        }
        std::hint::black_box(read);
        self.fetch_credits(&mut credits);
        // A touch is found from the newest of its user's on.
        for _ in 0..AHEAD {
            let mut read = false;
            for (cursor, &place) in cursors.iter_mut().zip(group) {
                if *cursor != NONE && *cursor != place {
                    *cursor = self.touches[*cursor].next;
                    read = true;
                }
            }
            if !read {
                break;
            }
        }
        std::hint::black_box(&cursors);
    }

    /// Reads credits and their first conversions.
    fn fetch_credits(&self, credits: &mut [u32; GROUP]) {
        for slot in credits.iter_mut().filter(|slot| **slot != NONE) {
            let conversions = self.credits[*slot].conversions.as_slice();
            *slot = conversions.first().copied().unwrap_or(NONE);
        }
        let mut read = 0;
        for &slot in credits.iter().filter(|slot| **slot != NONE) {
            read ^= self.conversions[slot].original;
        }
        std::hint::black_box(read);
        let mut read = 0;
        for &slot in credits.iter().filter(|slot| **slot != NONE) {
            read ^= self.conversions[slot].weights.first().unwrap_or(&0);
        }
        std::hint::black_box(read);
    }
}
