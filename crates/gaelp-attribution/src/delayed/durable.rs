//! A machine that outlives its process.

use super::{
    Arrival, DelayedRewards, Effect, EventLog, Limits, LogGap, Position, SnapshotError, WriteBehind,
};
use crate::{Rules, Weigh};

/// Events that are read back at a time.
const CHUNK: usize = 4_096;

/// A machine whose events are written down before they take effect.
///
/// 1. [`offer`](Self::offer) an event: it waits in memory. A crash loses it, so no more than what
///    was offered since the last commit is ever lost.
/// 2. [`commit`](Self::commit): all waiting events are written in one step and then take effect.
///    When it returns they are **acknowledged**: no crash loses them. Commit in batches; writing is
///    what costs. [`take`](Self::take) does both steps, as a [`WriteBehind`] says.
/// 3. Store the effects, each under its number: [`Correction::number`](super::Correction::number).
/// 4. Now and then, when all effects so far are stored, [`checkpoint`](Self::checkpoint), so that a
///    restart has little to read.
///
/// After a crash [`open`](Self::open) reads the last checkpoint and takes in what was written since.
/// Its effects come out once more, with the same numbers: stored under these, nothing counts twice.
///
/// ```
/// use gaelp_attribution::delayed::{Arrival, Durable, Limits, MemoryLog};
/// use gaelp_attribution::{Event, Model, RulesConfig, Timestamp};
///
/// let rules = RulesConfig::default().validate()?;
/// let mut effects = Vec::new();
/// let (models, limits) = (vec![Model::Linear], Limits::default());
/// let mut durable = Durable::open(
///     MemoryLog::default(), rules.clone(), models.clone(), limits, &mut effects,
/// )?;
/// let now = Timestamp::from_micros(1_800_000_000_000_000);
/// durable.offer(Arrival::new(now, Event::Advance(now)));
/// assert_eq!(durable.commit(&mut effects)?, 1);
///
/// // The process ends, the log stays.
/// let log = durable.into_log();
/// let durable = Durable::open(log, rules, models, limits, &mut effects)?;
/// assert_eq!(durable.machine().watermark(), now);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Durable<W, L> {
    machine: DelayedRewards<W>,
    log: L,
    waiting: Vec<Arrival>,
    /// The position after the last event that took effect.
    position: Position,
}

/// Why a machine cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError<E> {
    /// The log could not be read.
    #[error("log: {0}")]
    Log(E),
    /// The snapshot cannot be restored, or the machine not be made.
    #[error("snapshot: {0}")]
    Snapshot(#[from] SnapshotError),
    /// The log ends before its snapshot, or lacks events after it.
    #[error("the log ends at {end}, before {expected}")]
    Gap {
        /// Where it ends.
        end: Position,
        /// Where it should.
        expected: Position,
    },
}

impl<W: Weigh, L: EventLog> Durable<W, L> {
    /// The machine that a log describes, a new one for an empty log. Adds to `effects` what has
    /// followed from the events since the last checkpoint.
    ///
    /// # Errors
    /// [`RecoverError`] where the log or its snapshot cannot be read.
    pub fn open(
        log: L,
        rules: Rules,
        models: Vec<W>,
        limits: Limits,
        effects: &mut Vec<Effect>,
    ) -> Result<Self, RecoverError<L::Error>> {
        let latest = log.latest().map_err(RecoverError::Log)?;
        let (position, machine) = if let Some((position, snapshot)) = latest {
            let machine = DelayedRewards::restore(rules, models, limits, &snapshot)?;
            (position, machine)
        } else {
            let machine = DelayedRewards::new(rules, models, limits);
            (0, machine.map_err(SnapshotError::from)?)
        };
        let mut durable = Self {
            machine,
            log,
            waiting: Vec::new(),
            position,
        };
        durable.catch_up(effects)?;
        Ok(durable)
    }

    fn catch_up(&mut self, effects: &mut Vec<Effect>) -> Result<(), RecoverError<L::Error>> {
        let end = self.log.end().map_err(RecoverError::Log)?;
        while self.position < end {
            let arrivals = self.log.read(self.position, CHUNK);
            let arrivals = arrivals.map_err(RecoverError::Log)?;
            if arrivals.is_empty() {
                break;
            }
            self.machine.handle_batch(&arrivals, effects);
            self.position += arrivals.len() as u64;
        }
        if self.position == end {
            Ok(())
        } else {
            Err(RecoverError::Gap {
                end,
                expected: self.position,
            })
        }
    }

    /// Lets an event wait for the next commit. Returns how many wait.
    pub fn offer(&mut self, arrival: Arrival) -> usize {
        self.waiting.push(arrival);
        self.waiting.len()
    }

    /// Offers an event, and commits where as much waits as may. Returns the position up to which
    /// events are acknowledged, where it has moved.
    ///
    /// # Errors
    /// Those of [`commit`](Self::commit). The event waits with the others then: do not offer it again.
    pub fn take(
        &mut self,
        arrival: Arrival,
        behind: &WriteBehind,
        effects: &mut Vec<Effect>,
    ) -> Result<Option<Position>, L::Error> {
        self.offer(arrival);
        if behind.is_due(&self.waiting) {
            self.commit(effects).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Whether all is there that was acknowledged: call it after [`open`](Self::open), with the last
    /// position of which the source of the events knows.
    ///
    /// A log that lost its end, to a disk that did not keep its word or to an old copy, is a whole
    /// log of an earlier time; only somebody outside of it can tell. A source that goes on from
    /// [`position`](Self::position) heals it, as events at the same positions have the same effects
    /// under the same numbers. One that cannot send so far back must know of the loss.
    ///
    /// # Errors
    /// [`LogGap`] where the log ends before `acknowledged`.
    pub const fn require(&self, acknowledged: Position) -> Result<(), LogGap> {
        if self.position < acknowledged {
            return Err(LogGap {
                end: self.position,
                at: acknowledged,
            });
        }
        Ok(())
    }

    /// How many events wait: what a crash would lose now.
    pub const fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Writes all waiting events down, lets them take effect, and adds what follows to `effects`.
    /// Returns the position up to which events are acknowledged.
    ///
    /// # Errors
    /// Those of the log. The events still wait then and have had no effect; commit again.
    pub fn commit(&mut self, effects: &mut Vec<Effect>) -> Result<Position, L::Error> {
        if !self.waiting.is_empty() {
            self.log.append(self.position, &self.waiting)?;
            self.machine.handle_batch(&self.waiting, effects);
            self.position += self.waiting.len() as u64;
            self.waiting.clear();
        }
        Ok(self.position)
    }

    /// Writes a snapshot, so that the next start reads no events before it.
    ///
    /// Call it only when all effects so far are stored: they do not come out again.
    ///
    /// # Errors
    /// Those of the log; the snapshot before it then still counts.
    pub fn checkpoint(&mut self) -> Result<(), L::Error> {
        self.log.save(self.position, &self.machine.snapshot())
    }

    /// The machine, to ask it.
    pub const fn machine(&self) -> &DelayedRewards<W> {
        &self.machine
    }

    /// The position up to which events are acknowledged.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The log; what waits is lost, as in a crash.
    pub fn into_log(self) -> L {
        self.log
    }
}
