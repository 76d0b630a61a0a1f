//! What led to a touch, and how events arrive.

use std::fmt;

use gaelp_core::{ArmId, DecisionId, Micros};
use serde::{Deserialize, Serialize};

use crate::{Event, Timestamp};

/// An episode of learning, by its number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct EpisodeId(u64);

impl EpisodeId {
    /// An episode from its number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for EpisodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the state of a touch is kept, by a number of the replay store's.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct StateRef(u64);

impl StateRef {
    /// A reference from its number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What led to a touch: the decision whose reward is still to come.
///
/// The state itself stays in the replay store; here is only what a correction must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The decision.
    pub decision: DecisionId,
    /// The episode in which it was made.
    pub episode: EpisodeId,
    /// Where its state is kept.
    pub state: StateRef,
    /// What it earned at once, without any conversion.
    pub reward: Micros,
    /// The action.
    pub action: ArmId,
}

const _: () = assert!(size_of::<Origin>() <= 48);

impl Default for Origin {
    fn default() -> Self {
        Self {
            decision: DecisionId::new(0),
            episode: EpisodeId::default(),
            state: StateRef::default(),
            reward: Micros::ZERO,
            action: ArmId::new(0),
        }
    }
}

/// An event as it arrives.
///
/// ```
/// use gaelp_attribution::{Event, Timestamp, delayed::Arrival};
///
/// let midnight = Timestamp::from_micros(0);
/// let arrival = Arrival::new(midnight, Event::Advance(midnight));
/// assert_eq!(arrival.origin, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// When it arrived: what corrections name as the moment at which they became known. It has no
    /// influence on credits.
    pub received: Timestamp,
    /// What happened.
    pub event: Event,
    /// What led to it, for a touch that came of a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl Arrival {
    /// An event that no decision led to.
    pub const fn new(received: Timestamp, event: Event) -> Self {
        Self {
            received,
            event,
            origin: None,
        }
    }

    /// An event, a touch, that a decision led to.
    pub const fn of(received: Timestamp, event: Event, origin: Origin) -> Self {
        Self {
            received,
            event,
            origin: Some(origin),
        }
    }
}
