//! Memory that the next events need, read ahead of them.

use super::{AHEAD, DelayedRewards, GROUP};
use crate::delayed::Arrival;
use crate::delayed::index::NONE;
use crate::{Event, Weigh};

impl<W: Weigh> DelayedRewards<W> {
    /// Reads what the next events will read. These reads do not wait for each other, so that the
    /// delays of memory overlap; what they find only steers the next ones. Returns the slots that the
    /// users most likely have.
    pub(super) fn fetch(&self, group: &[Arrival]) -> [u32; GROUP] {
        let mut read = 0;
        for arrival in group {
            read ^= match &arrival.event {
                Event::Touch(touch) => self.users.glance(touch.user),
                Event::Conversion(conversion) => {
                    self.users.glance(conversion.user) ^ self.conversions.glance(conversion.id)
                }
                _ => 0,
            };
        }
        std::hint::black_box(read);
        let mut cursors = [NONE; GROUP];
        for (cursor, arrival) in cursors.iter_mut().zip(group) {
            *cursor = match &arrival.event {
                Event::Touch(touch) => self.users.guess(touch.user),
                Event::Conversion(conversion) => self.users.guess(conversion.user),
                _ => NONE,
            };
        }
        let slots = cursors;
        // Nothing is asked of what is read, so that no wrong guess of an answer stops the reading.
        let mut read = 0;
        for &slot in slots.iter().filter(|&&slot| slot != NONE) {
            read ^= self.users[slot].key.get();
        }
        std::hint::black_box(read);
        let mut left = [0_u64; GROUP];
        for ((cursor, left), arrival) in cursors.iter_mut().zip(&mut left).zip(group) {
            if *cursor == NONE {
                continue;
            }
            let user = &self.users[*cursor];
            // A conversion looks at all touches of its user; another touch at those that may be the
            // same, and a buyer's at all.
            let walks = match &arrival.event {
                Event::Conversion(_) => true,
                Event::Touch(touch) => user.may_have(touch.id) || user.buyer != NONE,
                _ => false,
            };
            *left = if walks { user.count().min(AHEAD) } else { 0 };
            *cursor = user.newest;
        }
        let mut read = 0;
        let mut more = true;
        while std::mem::take(&mut more) {
            for (cursor, left) in cursors.iter_mut().zip(&mut left) {
                if *left > 0 {
                    *left -= 1;
                    if let Some(origin) = self.touches.origin(*cursor) {
                        read ^= origin.episode.get();
                    }
                    *cursor = self.touches[*cursor].next;
                    more |= *left > 0;
                }
            }
        }
        std::hint::black_box(read);
        std::hint::black_box(&cursors);
        slots
    }
}
