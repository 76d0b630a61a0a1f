//! Touches come, and users turn out to be one.

use super::DelayedRewards;
use crate::delayed::index::NONE;
use crate::delayed::touches::Record;
use crate::delayed::{Effect, Origin, Rejection};
use crate::{Merge, Timestamp, Touch, Weigh};

impl<W: Weigh> DelayedRewards<W> {
    pub(super) fn touch(
        &mut self,
        now: Timestamp,
        touch: &Touch,
        origin: Option<&Origin>,
        slot: u32,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Rejection> {
        if self.rules.is_late(touch.at, self.watermark) {
            self.statistics.late_touches += 1;
            return Err(Rejection::Late);
        }
        let user = self.users.enter_near(self.canonical(touch.user), slot);
        if self.users.known(user, touch.id, &self.touches).is_some() {
            self.statistics.duplicate_touches += 1;
            return Err(Rejection::Duplicate);
        }
        self.statistics.touches += 1;
        let bucket = self
            .calendar
            .touch(touch.at, touch.channel, touch.interaction);
        let place = self.touches.push(bucket, Record::new(touch, user), origin);
        self.users.link(place, &mut self.touches);
        self.trim(user, effects);
        if self.users[user].buyer != NONE {
            self.reconsider(now, user, touch.at, effects);
        }
        self.evict(effects);
        Ok(())
    }

    pub(super) fn merge(
        &mut self,
        now: Timestamp,
        merge: &Merge,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Rejection> {
        let (from, into) = (self.canonical(merge.from), self.canonical(merge.into));
        if from == into {
            return Ok(());
        }
        if self.aliases.len() >= self.limits.merges as usize {
            self.statistics.refused += 1;
            return Err(Rejection::Full);
        }
        self.aliases.insert(from, into);
        self.statistics.merges += 1;
        let Some(source) = self.users.find(from) else {
            return Ok(());
        };
        let target = self.users.enter(into);
        self.move_touches(source, target, effects);
        self.move_conversions(source, target);
        self.users.leave(source);
        self.reconsider(now, target, Timestamp::MIN, effects);
        self.trim_conversions(target);
        Ok(())
    }

    fn move_touches(&mut self, source: u32, target: u32, effects: &mut Vec<Effect>) {
        let mut places = std::mem::take(&mut self.scratch.places);
        places.clear();
        places.extend(self.users.newest_first(source, &self.touches));
        self.users.release(source);
        for &place in places.iter().rev() {
            let id = self.touches[place].id;
            if self.users.known(target, id, &self.touches).is_some() {
                // It was delivered under both ids.
                self.statistics.merged_duplicates += 1;
                self.forget(place);
                self.touches[place].kill();
                continue;
            }
            self.touches[place].user = target;
            self.users.link(place, &mut self.touches);
            self.trim(target, effects);
        }
        self.scratch.places = places;
    }

    fn move_conversions(&mut self, source: u32, target: u32) {
        let list = std::mem::replace(&mut self.users[source].buyer, NONE);
        if list == NONE {
            return;
        }
        let moved = self.conversions.buyers.remove(list);
        for &conversion in moved.as_slice() {
            self.conversions[conversion].user = target;
            self.enlist(target, conversion);
        }
    }

    /// Gives up the oldest touch of a user who has more than are kept.
    fn trim(&mut self, user: u32, effects: &mut Vec<Effect>) {
        if self.users[user].count() <= u64::from(self.limits.per_user) {
            return;
        }
        if let Some(oldest) = self.users.oldest(user, &self.touches) {
            self.users.unlink(oldest, &mut self.touches);
            self.statistics.evicted += 1;
            effects.push(Effect::Evicted(self.settled(oldest)));
            self.forget(oldest);
            self.touches[oldest].kill();
        }
    }
}
