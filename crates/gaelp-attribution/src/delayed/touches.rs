//! The pending touches, in the order in which they expire.

use std::collections::{BTreeMap, VecDeque};

use super::chunks::{CHUNK, Chunks};
use super::index::NONE;
use crate::delayed::Origin;
use crate::{ChannelId, EventId, Interaction, Timestamp};

/// Records of a segment.
const SEGMENT: u16 = 256;
/// More buckets than this are never kept: clocks that run wild must not cost memory.
const MOST_BUCKETS: usize = 4_096;

/// One touch, in half a cache line and never across two.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Record {
    pub(super) id: EventId,
    pub(super) at: Timestamp,
    /// The slot of its user.
    pub(super) user: u32,
    /// The user's touch before it in time; of their oldest it says nothing.
    pub(super) next: u32,
    /// What it has earned, in `Credits`; `NONE` for nothing so far.
    pub(super) credit: u32,
    pub(super) channel: ChannelId,
    flags: u16,
}

const _: () = assert!(size_of::<Record>() == 32);

impl Record {
    const VIEW: u16 = 1;
    const DEAD: u16 = 2;
    const ORIGIN: u16 = 4;

    pub(super) const EMPTY: Self = Self {
        id: EventId::new(0),
        at: Timestamp::from_micros(0),
        user: NONE,
        next: NONE,
        credit: NONE,
        channel: ChannelId::new(0),
        flags: 0,
    };

    #[inline]
    pub(super) fn new(touch: &crate::Touch, user: u32) -> Self {
        let flags = match touch.interaction {
            Interaction::Click => 0,
            Interaction::View => Self::VIEW,
        };
        Self {
            id: touch.id,
            at: touch.at,
            user,
            channel: touch.channel,
            flags,
            ..Self::EMPTY
        }
    }

    #[inline]
    pub(super) fn interaction(&self) -> Interaction {
        if self.flags & Self::VIEW == 0 {
            Interaction::Click
        } else {
            Interaction::View
        }
    }

    /// Its place in a journey.
    #[inline]
    pub(super) fn order(&self) -> (Timestamp, EventId) {
        (self.at, self.id)
    }

    /// Whether it counts no longer, and only waits for its bucket to go.
    #[inline]
    pub(super) fn is_dead(&self) -> bool {
        self.flags & Self::DEAD != 0
    }

    pub(super) fn kill(&mut self) {
        self.flags |= Self::DEAD;
        self.next = NONE;
        self.credit = NONE;
    }
}

/// Touches that expire at about the same time, in the order of their arrival.
#[derive(Clone, Debug, Default)]
struct Bucket {
    segments: VecDeque<u32>,
    /// Records of the first segment that have gone.
    start: u16,
    /// Records of the last segment that are in use.
    end: u16,
}

impl Bucket {
    /// Its records in the order of their arrival.
    fn places(&self) -> impl Iterator<Item = u32> {
        let last = self.segments.len().saturating_sub(1);
        let segments = self.segments.iter().enumerate();
        segments.flat_map(move |(index, segment)| {
            let start = if index == 0 { self.start } else { 0 };
            let end = if index == last { self.end } else { SEGMENT };
            let base = segment * u32::from(SEGMENT);
            (start..end).map(move |offset| base + u32::from(offset))
        })
    }
}

/// A bucket that was taken.
#[derive(Debug)]
pub(super) struct Taken(Bucket);

/// All touches.
///
/// Records lie in segments, segments in buckets by the time of expiry. A record never moves, so its
/// number is a link; a segment whose last record has gone is used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    records: Chunks<Record>,
    /// What led to the touches, a chunk for every chunk of records in which there is any.
    origins: Vec<Option<Box<[Origin]>>>,
    buckets: BTreeMap<i64, u32>,
    pool: Vec<Bucket>,
    spare: Vec<u32>,
    free: Vec<u32>,
    fresh: u32,
    /// The buckets that were used last, a view's and a click's.
    recent: [Option<(i64, u32)>; 2],
    occupied: usize,
}

impl Touches {
    /// Adds a record to a bucket.
    #[inline]
    pub(super) fn push(&mut self, number: i64, record: Record, origin: Option<&Origin>) -> u32 {
        let bucket = self.bucket(number, usize::from(record.flags & Record::VIEW));
        let bucket = &mut self.pool[bucket as usize];
        if bucket.segments.is_empty() || bucket.end == SEGMENT {
            let segment = self.free.pop().unwrap_or_else(|| {
                self.fresh += 1;
                self.fresh - 1
            });
            bucket.segments.push_back(segment);
            bucket.end = 0;
        }
        let segment = *bucket.segments.back().expect("one was just added");
        let place = segment * u32::from(SEGMENT) + u32::from(bucket.end);
        bucket.end += 1;
        self.occupied += 1;
        self.records.reach(place, Record::EMPTY);
        self.records[place] = record;
        if let Some(origin) = origin {
            self.records[place].flags |= Record::ORIGIN;
            self.set_origin(place, origin);
        }
        place
    }

    /// The number of the bucket that expires first.
    #[inline]
    pub(super) fn first(&self) -> Option<i64> {
        self.buckets.keys().next().copied()
    }

    /// Takes the longest waiting record out of the bucket that expires first. Its content stays
    /// readable until the next record is added.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let (&number, &slot) = self.buckets.iter().next()?;
        let bucket = &mut self.pool[slot as usize];
        let segment = *bucket.segments.front()?;
        let place = segment * u32::from(SEGMENT) + u32::from(bucket.start);
        bucket.start += 1;
        self.occupied -= 1;
        let last = bucket.segments.len() == 1;
        if bucket.start == SEGMENT || (last && bucket.start == bucket.end) {
            bucket.segments.pop_front();
            bucket.start = 0;
            self.free.push(segment);
        }
        if bucket.segments.is_empty() {
            self.buckets.remove(&number);
            self.spare.push(slot);
            self.recent = [None; 2];
        }
        Some(place)
    }

    /// Takes the bucket that expires first, with the places of its records. They stay readable until
    /// the bucket is given back.
    pub(super) fn take_first(&mut self, places: &mut Vec<u32>) -> Option<Taken> {
        places.clear();
        let (_, slot) = self.buckets.pop_first()?;
        let bucket = std::mem::take(&mut self.pool[slot as usize]);
        places.extend(bucket.places());
        self.spare.push(slot);
        self.recent = [None; 2];
        self.occupied -= places.len();
        Some(Taken(bucket))
    }

    /// Lets the segments of a bucket be used again.
    pub(super) fn give_back(&mut self, taken: Taken) {
        self.free.extend(taken.0.segments);
    }

    /// All records in the order in which they would go, the dead ones too.
    pub(super) fn places(&self) -> impl Iterator<Item = (i64, u32)> {
        self.buckets.iter().flat_map(|(&number, &slot)| {
            let places = self.pool[slot as usize].places();
            places.map(move |place| (number, place))
        })
    }

    /// What led to a touch.
    #[inline]
    pub(super) fn origin(&self, place: u32) -> Option<&Origin> {
        if self.records[place].flags & Record::ORIGIN == 0 {
            return None;
        }
        let chunk = self.origins.get(place as usize / CHUNK)?.as_ref()?;
        chunk.get(place as usize % CHUNK)
    }

    /// How many records there are, the dead ones too.
    #[inline]
    pub(super) fn occupied(&self) -> usize {
        self.occupied
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        let origins = self.origins.iter().flatten().count() * CHUNK * size_of::<Origin>();
        let buckets = self
            .pool
            .iter()
            .map(|bucket| bucket.segments.capacity() * 4);
        self.records.bytes()
            + origins
            + buckets.sum::<usize>()
            + self.pool.capacity() * size_of::<Bucket>()
            + (self.free.capacity() + self.spare.capacity()) * size_of::<u32>()
    }

    /// The bucket of a number: its own, or where there are too many an earlier one, at whose expiry
    /// the record is looked at again.
    #[inline]
    fn bucket(&mut self, number: i64, hint: usize) -> u32 {
        if let Some((recent, slot)) = self.recent[hint & 1]
            && recent == number
        {
            return slot;
        }
        let slot = match self.buckets.get(&number) {
            Some(&slot) => slot,
            None if self.buckets.len() >= MOST_BUCKETS => return self.earlier(number),
            None => {
                let slot = self.spare.pop().unwrap_or_else(|| {
                    self.pool.push(Bucket::default());
                    u32::try_from(self.pool.len() - 1).expect("few buckets are kept")
                });
                let bucket = &mut self.pool[slot as usize];
                (bucket.start, bucket.end) = (0, 0);
                self.buckets.insert(number, slot);
                slot
            }
        };
        self.recent[hint & 1] = Some((number, slot));
        slot
    }

    #[cold]
    fn earlier(&mut self, number: i64) -> u32 {
        if let Some((_, &slot)) = self.buckets.range(..number).next_back() {
            return slot;
        }
        // It is the earliest: the first bucket is brought forward.
        let (_, slot) = self.buckets.pop_first().expect("there are many buckets");
        self.buckets.insert(number, slot);
        self.recent = [None; 2];
        slot
    }

    fn set_origin(&mut self, place: u32, origin: &Origin) {
        let chunk = place as usize / CHUNK;
        if self.origins.len() <= chunk {
            self.origins.resize_with(chunk + 1, || None);
        }
        let chunk = self.origins[chunk]
            .get_or_insert_with(|| vec![Origin::default(); CHUNK].into_boxed_slice());
        chunk[place as usize % CHUNK] = *origin;
    }
}

impl std::ops::Index<u32> for Touches {
    type Output = Record;

    #[inline]
    fn index(&self, place: u32) -> &Record {
        &self.records[place]
    }
}

impl std::ops::IndexMut<u32> for Touches {
    #[inline]
    fn index_mut(&mut self, place: u32) -> &mut Record {
        &mut self.records[place]
    }
}
