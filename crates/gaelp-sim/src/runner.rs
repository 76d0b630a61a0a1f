//! A process that runs a rollout, with its own clock and its own idea of the ledger.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chrono::{DateTime, Duration, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros, Platform, UtcHour};
use gaelp_ledger::{Book, Ledger};
use gaelp_rollout::{ActionRecord, Checkpoint, Command, Event, Record, Rollout, RolloutError};

use crate::SharedLog;
use crate::spent::Spent;

/// A running process.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) rollout: Rollout,
    pub(crate) ledger: Ledger<SharedLog>,
    pub(crate) queue: VecDeque<Command>,
    /// Appended, and not yet durable.
    pub(crate) records: Vec<Record>,
    /// The decisions of this step that are to be written, as they were recorded.
    pub(crate) pending: BTreeMap<DecisionId, Box<ActionRecord>>,
    /// How far its clock is ahead, in seconds.
    pub(crate) ahead: i64,
    /// The first hour in which it is ended, for one that was taken over.
    pub(crate) until: Option<UtcHour>,
    /// Whether it has reconciled since it began.
    pub(crate) reconciled: bool,
    /// Everything that was handled, where a replay is asked for.
    pub(crate) history: Option<Vec<(DateTime<Utc>, Event)>>,
    /// A digest of all commands, where a replay is asked for.
    pub(crate) said: blake3::Hasher,
    /// What it began from.
    pub(crate) began_from: Option<Box<Checkpoint>>,
    pub(crate) began_at: UtcHour,
    /// The sum of the orders of this step, until they are credited.
    pub(crate) ordered: Option<Micros>,
    /// When each platform was last asked for its budgets, by this process's clock.
    pub(crate) asked: BTreeMap<Platform, DateTime<Utc>>,
    /// What it was told of the last hours.
    pub(crate) spent: Spent,
    /// Writes that were applied, by the true time.
    pub(crate) applied: Vec<(AdSetKey, DateTime<Utc>)>,
}

impl Runner {
    /// The time by its clock.
    pub(crate) fn now(&self, truth: DateTime<Utc>) -> DateTime<Utc> {
        truth + Duration::seconds(self.ahead)
    }

    /// Hands it an event.
    pub(crate) fn tell(&mut self, truth: DateTime<Utc>, event: Event) -> Result<(), RolloutError> {
        let now = self.now(truth);
        if let Some(history) = &mut self.history {
            history.push((now, event.clone()));
        }
        let commands = self.rollout.handle(now, event)?;
        if self.history.is_some() {
            say(&mut self.said, &commands);
        }
        self.queue.extend(commands);
        Ok(())
    }

    /// The book as its ledger knows it.
    pub(crate) fn book(&self) -> &Book {
        self.ledger.book()
    }
}

/// Puts commands into a digest.
pub(crate) fn say(digest: &mut blake3::Hasher, commands: &[Command]) {
    for command in commands {
        digest.update(format!("{command:?}").as_bytes());
    }
}

/// Awaits what is always ready: everything here lies in memory.
pub(crate) fn ready<F: Future>(future: F) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
