//! Users, and the touches that each of them has.

use super::chunks::Chunks;
use super::index::{Index, NONE};
use super::touches::Touches;
use crate::event::scatter;
use crate::{EventId, Timestamp, UserId};

/// The lower bits of [`User::recent`], which count touches.
const COUNT: i64 = 0xffff;
/// Bits of a filter for each touch: of five touches one in two hundred is found that is not there.
const BITS: u32 = 4;

/// One user, in half a cache line and never across two.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct User {
    pub(super) key: UserId,
    /// A Bloom filter of the ids of the touches.
    filter: u64,
    /// When the newest touch was, to 65 milliseconds: one that comes later is put before it without
    /// a look at it. In the lower 16 bits how many touches there are.
    recent: i64,
    /// The newest touch, from which links lead to the older ones; their count says where they end.
    /// `NONE` without touches.
    pub(super) newest: u32,
    /// Their conversions, in `Conversions`; `NONE` without any.
    pub(super) buyer: u32,
}

const _: () = assert!(size_of::<User>() == 32);

impl User {
    const EMPTY: Self = Self {
        key: UserId::new(0),
        filter: 0,
        recent: 0,
        newest: NONE,
        buyer: NONE,
    };

    /// How many touches there are.
    #[inline]
    pub(super) fn count(&self) -> u64 {
        (self.recent & COUNT).cast_unsigned()
    }

    /// Whether a touch of an id may be among them; most that are not are known not to be.
    #[inline]
    pub(super) fn may_have(&self, id: EventId) -> bool {
        let bits = bits(id);
        self.filter & bits == bits
    }

    /// Whether a touch at a moment is surely later than the newest.
    #[inline]
    fn is_before(&self, at: Timestamp) -> bool {
        at.micros() & !COUNT > self.recent & !COUNT
    }

    #[inline]
    fn set_newest(&mut self, place: u32, at: Timestamp) {
        self.newest = place;
        self.recent = at.micros() & !COUNT | self.recent & COUNT;
    }

    #[inline]
    fn clear(&mut self) {
        (self.newest, self.filter, self.recent) = (NONE, 0, 0);
    }
}

/// The bits of an id in a filter.
#[inline]
fn bits(id: EventId) -> u64 {
    let hash = scatter(id.get());
    (0..BITS).fold(0, |bits, place| bits | 1 << (hash >> (place * 6) & 63))
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
        for place in self.newest_first(slot, touches) {
            let touch = touches[place].id;
            filter |= bits(touch);
            if touch == id {
                found = Some(place);
            }
        }
        self.slots[slot].filter = filter;
        found
    }

    /// The oldest touch of a user.
    pub(super) fn oldest(&self, slot: u32, touches: &Touches) -> Option<u32> {
        self.newest_first(slot, touches).last()
    }

    /// The touches of a user, newest first.
    #[inline]
    pub(super) fn newest_first<'a>(
        &self,
        slot: u32,
        touches: &'a Touches,
    ) -> impl Iterator<Item = u32> + use<'a> {
        let user = &self.slots[slot];
        let (mut next, mut left) = (user.newest, user.count());
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let place = next;
            if left > 0 {
                next = touches[place].next;
            }
            Some(place)
        })
    }

    /// Lets go of all touches of a user at once; they still link to each other.
    pub(super) fn release(&mut self, slot: u32) {
        self.slots[slot].clear();
    }

    /// Puts a touch among its user's, behind all that are not after it.
    #[inline]
    pub(super) fn link(&mut self, place: u32, touches: &mut Touches) {
        let touch = &mut touches[place];
        let (order, id, at) = (touch.order(), touch.id, touch.at);
        let user = &mut self.slots[touch.user];
        let mut older = user.count();
        assert!(
            older < COUNT.unsigned_abs(),
            "touches of a user are limited"
        );
        user.filter |= bits(id);
        user.recent += 1;
        let mut before = user.newest;
        if older == 0 || user.is_before(at) || touches[before].order() <= order {
            user.set_newest(place, at);
            touches[place].next = before;
            return;
        }
        older -= 1;
        while older > 0 && touches[touches[before].next].order() > order {
            before = touches[before].next;
            older -= 1;
        }
        touches[place].next = touches[before].next;
        touches[before].next = place;
    }

    /// Takes a touch away from its user.
    #[inline]
    pub(super) fn unlink(&mut self, place: u32, touches: &mut Touches) {
        let user = &mut self.slots[touches[place].user];
        let mut older = user.count() - 1;
        if older == 0 {
            user.clear();
            return;
        }
        user.recent -= 1;
        let next = touches[place].next;
        if user.newest == place {
            user.set_newest(next, touches[next].at);
            return;
        }
        let mut before = user.newest;
        while touches[before].next != place {
            before = touches[before].next;
            older -= 1;
        }
        // Nothing follows the link of the oldest: most go as that, and their neighbours stay unwritten.
        if older > 1 {
            touches[before].next = next;
        }
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.slots.bytes() + self.index.bytes() + self.free.capacity() * size_of::<u32>()
    }
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
