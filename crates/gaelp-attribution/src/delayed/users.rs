//! Users, and the ring of touches that each of them has.

use super::chunks::Chunks;
use super::index::{Index, NONE};
use super::touches::Touches;
use crate::event::scatter;
use crate::{EventId, UserId};

/// Bits of a filter; the other 16 count touches.
const FILTER: u64 = 48;

/// One user.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) key: UserId,
    /// In the lower 48 bits a Bloom filter of the ids of the touches, above them their count.
    filter: u64,
    /// The newest touch; from it a ring leads to the oldest and on. `NONE` without touches.
    pub(super) newest: u32,
    /// Their conversions, in `Conversions`; `NONE` without any.
    pub(super) buyer: u32,
}

const _: () = assert!(size_of::<User>() == 24);

impl User {
    const EMPTY: Self = Self {
        key: UserId::new(0),
        filter: 0,
        newest: NONE,
        buyer: NONE,
    };

    /// How many touches are in the ring.
    #[inline]
    pub(super) fn count(&self) -> u64 {
        self.filter >> FILTER
    }

    #[inline]
    fn may_have(&self, id: EventId) -> bool {
        let bits = bits(id);
        self.filter & bits == bits
    }
}

/// Two bits of the filter.
#[inline]
fn bits(id: EventId) -> u64 {
    let hash = scatter(id.get());
    // The two halves are numbers below 2^32: the shift brings them below 48.
    let bit = |half: u64| 1 << ((half * FILTER) >> 32);
    bit(hash >> 32) | bit(hash & 0xffff_ffff)
}

/// All users that have touches or conversions.
#[derive(Clone, Debug, Default)]
pub(super) struct Users {
    slots: Chunks<User>,
    index: Index,
    free: Vec<u32>,
    fresh: u32,
}

impl Users {
    #[inline]
    pub(super) fn find(&self, key: UserId) -> Option<u32> {
        let is = |slot: u32| self.slots[slot].key == key;
        self.index.find(scatter(key.get()), is)
    }

    /// Reads where the slot of a key is noted.
    #[inline]
    pub(super) fn glance(&self, key: UserId) -> u64 {
        self.index.glance(scatter(key.get()))
    }

    /// The user that a key most likely has, with one look at the table.
    #[inline]
    pub(super) fn guess(&self, key: UserId) -> u32 {
        self.index.guess(scatter(key.get()))
    }

    /// As [`enter`](Self::enter), but looks first at a slot that they had not long ago, or none.
    #[inline]
    pub(super) fn enter_near(&mut self, key: UserId, slot: u32) -> u32 {
        if slot != NONE {
            let user = &self.slots[slot];
            // Between events whoever has a slot has touches or conversions; others have left it.
            if user.key == key && (user.newest != NONE || user.buyer != NONE) {
                return slot;
            }
        }
        self.enter(key)
    }

    /// The slot of a user, a new one where they have none.
    #[inline]
    pub(super) fn enter(&mut self, key: UserId) -> u32 {
        if let Some(slot) = self.find(key) {
            return slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.fresh += 1;
            self.fresh - 1
        });
        self.slots.reach(slot, User::EMPTY);
        self.slots[slot] = User { key, ..User::EMPTY };
        self.index.insert(scatter(key.get()), slot);
        slot
    }

    /// Frees the slot of a user who has nothing left.
    #[inline]
    pub(super) fn leave(&mut self, slot: u32) {
        let user = self.slots[slot];
        if user.newest == NONE && user.buyer == NONE {
            self.index.remove(scatter(user.key.get()), slot);
            self.free.push(slot);
        }
    }

    /// The touch of a user that has an id.
    #[inline]
    pub(super) fn known(&mut self, slot: u32, id: EventId, touches: &Touches) -> Option<u32> {
        let user = self.slots[slot];
        if user.newest == NONE || !user.may_have(id) {
            return None;
        }
        // What has gone is still in the filter: it is made anew, as all ids pass by.
        let (mut found, mut filter) = (None, 0);
        for place in ring(user.newest, touches) {
            let touch = touches[place].id;
            filter |= bits(touch);
            if touch == id {
                found = Some(place);
            }
        }
        self.slots[slot].filter = filter | user.count() << FILTER;
        found
    }

    /// The oldest touch of a user.
    #[inline]
    pub(super) fn oldest(&self, slot: u32, touches: &Touches) -> Option<u32> {
        let newest = self.slots[slot].newest;
        (newest != NONE).then(|| touches[newest].next)
    }

    /// The touches of a user, oldest first.
    #[inline]
    pub(super) fn journey<'a>(
        &self,
        slot: u32,
        touches: &'a Touches,
    ) -> impl Iterator<Item = u32> + use<'a> {
        ring(self.slots[slot].newest, touches)
    }

    /// Puts a touch into its user's ring, behind all that are not after it.
    #[inline]
    pub(super) fn link(&mut self, place: u32, touches: &mut Touches) {
        let touch = &mut touches[place];
        let order = touch.order();
        let user = &mut self.slots[touch.user];
        user.filter = (user.filter | bits(touch.id)) + (1 << FILTER);
        if user.newest == NONE {
            touch.next = place;
            user.newest = place;
            return;
        }
        let mut before = user.newest;
        let newest = &mut touches[before];
        if newest.order() <= order {
            user.newest = place;
            let oldest = std::mem::replace(&mut newest.next, place);
            touches[place].next = oldest;
            return;
        }
        // The newest is after it, so this ends at the newest at the latest.
        while touches[touches[before].next].order() <= order {
            before = touches[before].next;
        }
        touches[place].next = touches[before].next;
        touches[before].next = place;
    }

    /// Takes a touch out of its user's ring.
    #[inline]
    pub(super) fn unlink(&mut self, place: u32, touches: &mut Touches) {
        let user = &mut self.slots[touches[place].user];
        let mut before = user.newest;
        while touches[before].next != place {
            before = touches[before].next;
        }
        if before == place {
            (user.newest, user.filter) = (NONE, 0);
            return;
        }
        user.filter -= 1 << FILTER;
        touches[before].next = touches[place].next;
        if user.newest == place {
            user.newest = before;
        }
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.slots.bytes() + self.index.bytes() + self.free.capacity() * size_of::<u32>()
    }
}

/// The touches of a ring, oldest first.
#[inline]
fn ring(newest: u32, touches: &Touches) -> impl Iterator<Item = u32> {
    let mut next = if newest == NONE {
        None
    } else {
        Some(touches[newest].next)
    };
    std::iter::from_fn(move || {
        let place = next?;
        next = (place != newest).then(|| touches[place].next);
        Some(place)
    })
}

impl std::ops::Index<u32> for Users {
    type Output = User;

    #[inline]
    fn index(&self, slot: u32) -> &User {
        &self.slots[slot]
    }
}

impl std::ops::IndexMut<u32> for Users {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut User {
        &mut self.slots[slot]
    }
}
