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
                Event::Conversion(conversion) => self.users.glance(conversion.user),
                _ => 0,
            };
        }
        std::hint::black_box(read);
        let mut cursors = [NONE; GROUP];
        for (cursor, arrival) in cursors.iter_mut().zip(group) {
            *cursor = match &arrival.event {
                Event::Touch(touch) => self.users.guess(touch.user),
                Event::Conversion(conversion) => {
                    std::hint::black_box(self.conversions.find(conversion.id));
                    self.users.guess(conversion.user)
                }
                _ => NONE,
            };
        }
        let slots = cursors;
        let mut read = 0;
        for cursor in cursors.iter_mut().filter(|cursor| **cursor != NONE) {
            // A user may lie across two lines of the cache.
            let user = &self.users[*cursor];
            read ^= user.key.get();
            *cursor = user.newest;
        }
        for step in 0..AHEAD {
            let mut more = false;
            for (cursor, arrival) in cursors.iter_mut().zip(group) {
                let converts = matches!(arrival.event, Event::Conversion(_));
                if (converts || step == 0) && *cursor != NONE {
                    if converts && let Some(origin) = self.touches.origin(*cursor) {
                        read ^= origin.episode.get();
                    }
                    *cursor = self.touches[*cursor].next;
                    more = true;
                }
            }
            if !more {
                break;
            }
        }
        std::hint::black_box(read);
        std::hint::black_box(&cursors);
        slots
    }
}
