//! How far writing may lag behind.

use serde::{Deserialize, Serialize};

use super::Arrival;
use crate::Span;

/// A commit of a thousand events costs little more than one of a single event.
const EVENTS: u32 = 1_000;
/// Nobody waits for a reward by the second.
const WITHIN: Span = Span::seconds(1);

/// When waiting events are written: what a crash may lose at most.
///
/// A crash loses what was taken in since the last commit, and nothing else: fewer than `events`
/// events, that were received within `within` of each other. They were not acknowledged, so their
/// source sends them again.
///
/// The machine has no clock: `within` is noticed when the next event is taken in. Where none may come
/// for long, commit now and then as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WriteBehind {
    /// Events that are written together. Default 1,000; with 0 or 1 each is written at once.
    pub events: u32,
    /// From the arrival of the oldest event that waits to that of the newest. Default a second.
    pub within: Span,
}

impl Default for WriteBehind {
    fn default() -> Self {
        Self {
            events: EVENTS,
            within: WITHIN,
        }
    }
}

impl WriteBehind {
    /// Whether it is time to write what waits.
    pub(super) fn is_due(&self, waiting: &[Arrival]) -> bool {
        let (Some(oldest), Some(newest)) = (waiting.first(), waiting.last()) else {
            return false;
        };
        let waited = newest.received.since(oldest.received);
        waiting.len() >= self.events as usize || waited.is_some_and(|waited| waited >= self.within)
    }
}
