//! Where events are written down before they are handed in.

use super::Arrival;

/// The place of an event in a log, counted from zero without gaps.
pub type Position = u64;

/// A durable list of events, and the latest snapshot of the machine that reads them.
///
/// **For implementers.** What a call wrote is durable when it returns, as a whole or not at all. A
/// call whose outcome is unknown is repeated by the caller with the same arguments and must then
/// have the same effect as once. Run
/// [`conformance::event_log`](super::conformance::event_log) on yours.
///
/// **For callers.** One writer at a time. Use [`Durable`](super::Durable), which keeps to the order
/// in which things must be written.
pub trait EventLog {
    /// What can go wrong.
    type Error: std::error::Error;

    /// Writes events at a position. Those at positions that the log holds already are left out.
    ///
    /// # Errors
    /// Where they could not be written, and for a position past the end: nothing is written then.
    fn append(&mut self, at: Position, arrivals: &[Arrival]) -> Result<(), Self::Error>;

    /// The position after the last event.
    ///
    /// # Errors
    /// Where it could not be read.
    fn end(&self) -> Result<Position, Self::Error>;

    /// Reads up to `most` events from a position on, in their order; fewer only at the end.
    ///
    /// Events before the latest snapshot may have been dropped.
    ///
    /// # Errors
    /// Where they could not be read.
    fn read(&self, from: Position, most: usize) -> Result<Vec<Arrival>, Self::Error>;

    /// Keeps a snapshot of the machine as it was after all events before a position, in place of the
    /// one before it. Events before the position are not needed any more.
    ///
    /// # Errors
    /// Where it could not be written; the one before it is then still there.
    fn save(&mut self, at: Position, snapshot: &[u8]) -> Result<(), Self::Error>;

    /// The latest snapshot and its position, if there is one.
    ///
    /// # Errors
    /// Where it could not be read.
    fn latest(&self) -> Result<Option<(Position, Vec<u8>)>, Self::Error>;
}

macro_rules! forward {
    ($($holder:ty),*) => {$(
        impl<L: EventLog + ?Sized> EventLog for $holder {
            type Error = L::Error;

            fn append(&mut self, at: Position, arrivals: &[Arrival]) -> Result<(), L::Error> {
                (**self).append(at, arrivals)
            }

            fn end(&self) -> Result<Position, L::Error> {
                (**self).end()
            }

            fn read(&self, from: Position, most: usize) -> Result<Vec<Arrival>, L::Error> {
                (**self).read(from, most)
            }

            fn save(&mut self, at: Position, snapshot: &[u8]) -> Result<(), L::Error> {
                (**self).save(at, snapshot)
            }

            fn latest(&self) -> Result<Option<(Position, Vec<u8>)>, L::Error> {
                (**self).latest()
            }
        }
    )*};
}

forward!(&mut L, Box<L>);

/// A log in memory: the reference for others, and enough where nothing need outlive the process.
///
/// ```
/// use gaelp_attribution::{Event, Timestamp};
/// use gaelp_attribution::delayed::{Arrival, EventLog, MemoryLog};
///
/// let mut log = MemoryLog::default();
/// let now = Timestamp::from_micros(0);
/// log.append(0, &[Arrival::new(now, Event::Advance(now))])?;
/// assert_eq!(log.end()?, 1);
/// # Ok::<(), gaelp_attribution::delayed::LogGap>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryLog {
    /// The position of the first event that is kept.
    start: Position,
    arrivals: Vec<Arrival>,
    snapshot: Option<(Position, Vec<u8>)>,
}

impl EventLog for MemoryLog {
    type Error = LogGap;

    fn append(&mut self, at: Position, arrivals: &[Arrival]) -> Result<(), LogGap> {
        let end = self.start + self.arrivals.len() as u64;
        let known = end.checked_sub(at).ok_or(LogGap { at, end })?;
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let new = arrivals.get(known..).unwrap_or_default();
        self.arrivals.extend_from_slice(new);
        Ok(())
    }

    fn end(&self) -> Result<Position, LogGap> {
        Ok(self.start + self.arrivals.len() as u64)
    }

    fn read(&self, from: Position, most: usize) -> Result<Vec<Arrival>, LogGap> {
        let skip = usize::try_from(from.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let wanted = self.arrivals.iter().skip(skip).take(most);
        Ok(wanted.copied().collect())
    }

    fn save(&mut self, at: Position, snapshot: &[u8]) -> Result<(), LogGap> {
        let end = self.start + self.arrivals.len() as u64;
        if at > end {
            return Err(LogGap { at, end });
        }
        let old = usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.arrivals.drain(..old.min(self.arrivals.len()));
        self.start = self.start.max(at);
        self.snapshot = Some((at, snapshot.to_vec()));
        Ok(())
    }

    fn latest(&self) -> Result<Option<(Position, Vec<u8>)>, LogGap> {
        Ok(self.snapshot.clone())
    }
}

/// A position past the end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {at} is past the end of the log, {end}")]
pub struct LogGap {
    /// The position.
    pub at: Position,
    /// The end.
    pub end: Position,
}
