//! The stored form of a machine.

use std::collections::BTreeSet;

use super::codec::{Reader, Writer, sum};
use super::index::NONE;
use super::table::Table;
use super::touches::Record;
use super::{DelayedRewards, Limits, SetupError, Statistics};
use crate::lag::{Durations, LagCounts, LagTable};
use crate::{Rules, Touch, UserId, Weigh};

mod conversions;

/// What a snapshot begins with.
const MAGIC: u64 = u64::from_le_bytes(*b"gaelpdrw");
/// The format written, and the only one read.
const FORMAT: u16 = 1;

/// Why a snapshot cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The bytes end too early, or promise more than there is.
    #[error("the bytes end too early")]
    Truncated,
    /// The bytes are no snapshot, or were damaged.
    #[error("the bytes are no snapshot, or damaged")]
    Damaged,
    /// Another format.
    #[error("format {found}, expected {expected}")]
    Format {
        /// The format found.
        found: u16,
        /// The one that is read.
        expected: u16,
    },
    /// It was made with another number of models, so its weights mean nothing here.
    #[error("{found} models, expected {expected}")]
    Models {
        /// How many it was made with.
        found: usize,
        /// How many were given.
        expected: usize,
    },
    /// A field holds what it never can.
    #[error("{what}: impossible value")]
    Content {
        /// The field.
        what: &'static str,
    },
    /// The machine for it cannot be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

impl<W: Weigh> DelayedRewards<W> {
    /// Everything that the machine holds, as bytes.
    ///
    /// A machine [restored](Self::restore) from them goes on exactly as this one would, and gives
    /// the same bytes. Rules and models are not in them.
    ///
    /// **Cost.** About 28 bytes a touch, 49 more for what led to it, and 70 a conversion.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u64(MAGIC);
        to.u16(FORMAT);
        to.len(self.models.len());
        to.at(self.watermark);
        to.u64(self.number);
        write_statistics(&mut to, &self.statistics);
        write_lags(&mut to, &self.lags);
        self.write_aliases(&mut to);
        let credits = self.write_touches(&mut to);
        self.write_conversions(&mut to, &credits);
        self.write_held(&mut to);
        to.u64(to.sum());
        to.0
    }

    /// The machine that gave a snapshot.
    ///
    /// The models must be the same in the same order, and should weigh as they did: conversions that
    /// change later are weighed anew. Rules and limits may have changed, such as windows that follow
    /// the lags of a channel: pending touches are kept as long as the new ones say.
    ///
    /// **Cost.** As that of taking all pending touches in again.
    ///
    /// # Errors
    /// [`SnapshotError`] for anything but a snapshot; never a panic.
    pub fn restore(
        rules: Rules,
        models: Vec<W>,
        limits: Limits,
        snapshot: &[u8],
    ) -> Result<Self, SnapshotError> {
        let mut machine = Self::new(rules, models, limits)?;
        let (content, check) = snapshot
            .split_last_chunk::<8>()
            .ok_or(SnapshotError::Truncated)?;
        let mut from = Reader(content);
        if from.u64()? != MAGIC || sum(content) != u64::from_le_bytes(*check) {
            return Err(SnapshotError::Damaged);
        }
        let found = from.u16()?;
        if found != FORMAT {
            return Err(SnapshotError::Format {
                found,
                expected: FORMAT,
            });
        }
        let found = from.len(1)?;
        if found != machine.models.len() {
            return Err(SnapshotError::Models {
                found,
                expected: machine.models.len(),
            });
        }
        machine.watermark = from.at()?;
        machine.number = from.u64()?;
        machine.statistics = read_statistics(&mut from)?;
        machine.lags = read_lags(&mut from)?;
        machine.read_aliases(&mut from)?;
        let places = machine.read_touches(&mut from)?;
        machine.read_conversions(&mut from, &places)?;
        machine.read_held(&mut from)?;
        if !from.0.is_empty() {
            return Err(SnapshotError::Content { what: "end" });
        }
        machine.check_counts()?;
        Ok(machine)
    }

    /// Whether the statistics are those of what is held, and have room to grow.
    fn check_counts(&self) -> Result<(), SnapshotError> {
        const MOST: u64 = 1 << 61;
        let counts = &self.statistics;
        let small = counts.counts().iter().all(|&count| count <= MOST)
            && counts.value.unsigned_abs() <= 1 << 120
            && self.number <= MOST;
        let places = self.touches.places();
        let pending = places.filter(|&(_, place)| !self.touches[place].is_dead());
        let pending = pending.count() as u64;
        let credited = self.conversions.places();
        let credited = credited.filter(|&slot| !self.conversions[slot].path.is_empty());
        let whole = small
            && counts.touches
                == counts.matured + counts.evicted + counts.merged_duplicates + pending
            && counts.attributed >= credited.count() as u64;
        if whole {
            Ok(())
        } else {
            Err(SnapshotError::Content { what: "statistics" })
        }
    }

    fn write_aliases(&self, to: &mut Writer) {
        let mut pairs: Vec<_> = self.aliases.iter().collect();
        pairs.sort_unstable();
        to.len(pairs.len());
        for (from, into) in pairs {
            to.u64(from.get());
            to.u64(into.get());
        }
    }

    fn read_aliases(&mut self, from: &mut Reader<'_>) -> Result<(), SnapshotError> {
        let wrong = SnapshotError::Content { what: "merges" };
        for _ in 0..from.len(16)? {
            let pair = (from.user()?, from.user()?);
            if self.aliases.insert(pair.0, pair.1).is_some() {
                return Err(wrong);
            }
        }
        // No one may lead back to themselves: following them must end.
        let mut ends = BTreeSet::new();
        let starts: Vec<UserId> = self.aliases.keys().copied().collect();
        for start in starts {
            let mut passed = Vec::new();
            let mut user = start;
            while let Some(&next) = self.aliases.get(&user) {
                if ends.contains(&user) {
                    break;
                }
                passed.push(user);
                if passed.len() > self.aliases.len() {
                    return Err(wrong);
                }
                user = next;
            }
            ends.extend(passed);
        }
        Ok(())
    }

    /// Writes the touches, and returns the place in their order of each that has a credit.
    fn write_touches(&self, to: &mut Writer) -> Table<u32, usize> {
        let mut credits = Table::default();
        to.len(self.touches.occupied());
        for (order, (_, place)) in self.touches.places().enumerate() {
            let touch = &self.touches[place];
            to.u8(u8::from(touch.is_dead()));
            to.at(touch.at);
            to.u16(touch.channel.get());
            to.interaction(touch.interaction());
            if touch.is_dead() {
                continue;
            }
            to.u64(touch.id.get());
            to.u64(self.users[touch.user].key.get());
            to.origin(self.touches.origin(place));
            if touch.credit != NONE {
                credits.insert(touch.credit, order);
            }
        }
        credits
    }

    fn read_touches(&mut self, from: &mut Reader<'_>) -> Result<Vec<u32>, SnapshotError> {
        let count = from.len(12)?;
        if count > Limits::MOST as usize {
            return Err(SnapshotError::Content { what: "touches" });
        }
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            let dead = from.flag("dead")?;
            let mut touch = Touch {
                id: crate::EventId::new(0),
                user: UserId::new(0),
                at: from.at()?,
                channel: from.channel()?,
                interaction: from.interaction()?,
            };
            let bucket = self
                .calendar
                .touch(touch.at, touch.channel, touch.interaction);
            if dead {
                let place = self.touches.push(bucket, Record::new(&touch, NONE), None);
                self.touches[place].kill();
                places.push(place);
                continue;
            }
            (touch.id, touch.user) = (from.id()?, from.user()?);
            let origin = from.origin()?;
            let user = self.users.enter(touch.user);
            if self.users[user].count() >= u64::from(u16::MAX) {
                return Err(SnapshotError::Content { what: "touches" });
            }
            let record = Record::new(&touch, user);
            let place = self.touches.push(bucket, record, origin.as_ref());
            self.users.link(place, &mut self.touches);
            places.push(place);
        }
        Ok(places)
    }
}

fn write_statistics(to: &mut Writer, statistics: &Statistics) {
    for count in statistics.counts() {
        to.u64(count);
    }
    to.i128(statistics.value);
    write_durations(to, &statistics.time_to_conversion);
    write_durations(to, &statistics.latency);
}

fn read_statistics(from: &mut Reader<'_>) -> Result<Statistics, SnapshotError> {
    let mut statistics = Statistics::default();
    for count in statistics.counts_mut() {
        *count = from.u64()?;
    }
    statistics.value = from.i128()?;
    statistics.time_to_conversion = read_durations(from)?;
    statistics.latency = read_durations(from)?;
    Ok(statistics)
}

fn write_lags(to: &mut Writer, lags: &LagTable) {
    to.len(lags.rows().len());
    for counts in lags.rows() {
        write_durations(to, &counts.converted);
        write_durations(to, &counts.waiting);
    }
}

fn read_lags(from: &mut Reader<'_>) -> Result<LagTable, SnapshotError> {
    let mut rows = Vec::new();
    for _ in 0..from.len(48)? {
        rows.push(LagCounts {
            converted: read_durations(from)?,
            waiting: read_durations(from)?,
        });
    }
    Ok(LagTable::from_rows(rows))
}

fn write_durations(to: &mut Writer, durations: &Durations) {
    let (cells, micros) = durations.parts();
    to.len(cells.len());
    for &cell in cells {
        to.u64(cell);
    }
    to.i128(micros);
}

fn read_durations(from: &mut Reader<'_>) -> Result<Durations, SnapshotError> {
    let mut cells = Vec::new();
    for _ in 0..from.len(8)? {
        cells.push(from.u64()?);
    }
    let durations = Durations::from_parts(cells, from.i128()?);
    durations.ok_or(SnapshotError::Content { what: "durations" })
}
