//! Touches that have earned something, for as long as it may change.

use super::index::NONE;
use super::list::List;
use super::table::Table;
use super::{EpisodeId, Origin};
use crate::{ChannelId, EventId, Timestamp};

/// A touch that at least one conversion is credited to, or was.
///
/// It outlives the touch's record: a refund may come when the touch itself has long expired.
#[derive(Clone, Debug)]
pub(super) struct Credit {
    pub(super) touch: EventId,
    pub(super) at: Timestamp,
    pub(super) channel: ChannelId,
    /// The record, or `NONE` when it has gone.
    pub(super) record: u32,
    /// What led to it, in `origins`, or `NONE`.
    origin: u32,
    /// The conversions that credit it.
    pub(super) conversions: List,
}

const _: () = assert!(size_of::<Credit>() == 48);

impl Credit {
    /// A touch that no conversion is credited to yet.
    #[inline]
    pub(super) fn new(touch: EventId, at: Timestamp, channel: ChannelId, record: u32) -> Self {
        Self {
            touch,
            at,
            channel,
            record,
            origin: NONE,
            conversions: List::default(),
        }
    }
}

/// All credited touches.
#[derive(Clone, Debug, Default)]
pub(super) struct Credits {
    slots: Vec<Credit>,
    free: Vec<u32>,
    origins: Vec<Origin>,
    free_origins: Vec<u32>,
    episodes: Table<EpisodeId, List>,
}

impl Credits {
    #[inline]
    pub(super) fn add(&mut self, mut credit: Credit, origin: Option<Origin>) -> u32 {
        if let Some(origin) = origin {
            credit.origin = self.keep(origin);
        }
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = credit;
            slot
        } else {
            self.slots.push(credit);
            u32::try_from(self.slots.len() - 1).expect("credits are fewer than touches")
        };
        if let Some(origin) = origin {
            self.episodes.entry(origin.episode).or_default().push(slot);
        }
        slot
    }

    /// What led to the touch.
    #[inline]
    pub(super) fn origin(&self, slot: u32) -> Option<Origin> {
        self.origins.get(self[slot].origin as usize).copied()
    }

    fn keep(&mut self, origin: Origin) -> u32 {
        if let Some(place) = self.free_origins.pop() {
            self.origins[place as usize] = origin;
            return place;
        }
        self.origins.push(origin);
        u32::try_from(self.origins.len() - 1).expect("origins are fewer than touches")
    }

    /// Notes that the touch's record has gone.
    pub(super) fn orphan(&mut self, slot: u32) {
        self[slot].record = NONE;
        self.release(slot);
    }

    /// Notes that a conversion no longer credits the touch.
    pub(super) fn unlink(&mut self, slot: u32, conversion: u32) {
        self[slot].conversions.remove(conversion);
        self.release(slot);
    }

    /// The touches of an episode.
    pub(super) fn of(&self, episode: EpisodeId) -> &[u32] {
        self.episodes.get(&episode).map_or(&[], List::as_slice)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        let of_slots: usize = self.slots.iter().map(|slot| slot.conversions.bytes()).sum();
        let of_episodes: usize = self.episodes.values().map(List::bytes).sum();
        self.slots.capacity() * size_of::<Credit>()
            + self.origins.capacity() * size_of::<Origin>()
            + (self.free.capacity() + self.free_origins.capacity()) * size_of::<u32>()
            + self.episodes.capacity() * (size_of::<(EpisodeId, List)>() + 1)
            + of_slots
            + of_episodes
    }

    /// Frees a slot that neither a record nor a conversion knows.
    fn release(&mut self, slot: u32) {
        let credit = &mut self[slot];
        if credit.record != NONE || !credit.conversions.as_slice().is_empty() {
            return;
        }
        credit.conversions = List::default();
        let place = std::mem::replace(&mut credit.origin, NONE);
        if let Some(origin) = self.origins.get(place as usize) {
            self.free_origins.push(place);
            let episode = self
                .episodes
                .get_mut(&origin.episode)
                .expect("a credit with an origin is listed under its episode");
            episode.remove(slot);
            if episode.as_slice().is_empty() {
                self.episodes.remove(&origin.episode);
            }
        }
        self.free.push(slot);
    }
}

impl std::ops::Index<u32> for Credits {
    type Output = Credit;

    #[inline]
    fn index(&self, slot: u32) -> &Credit {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Credits {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Credit {
        &mut self.slots[slot as usize]
    }
}
