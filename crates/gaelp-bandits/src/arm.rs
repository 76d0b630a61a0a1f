//! Which life of an arm is meant.

mod roster;

use std::collections::BTreeMap;
use std::fmt;

use gaelp_core::ArmId;
use serde::{Deserialize, Serialize};

pub(crate) use roster::Roster;

use crate::FeedbackError;

/// How often an arm's id had been used before: 0 in its first life.
///
/// An id that is retired and added again, or whose arm is restarted, stands for a new life. What
/// comes back late for an earlier one is then told apart and refused.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Generation(u32);

impl Generation {
    /// A generation from its number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The generation after this one; `None` after 2³² of them.
    pub(crate) const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

/// One life of an arm: its id and its generation.
///
/// ```
/// use gaelp_bandits::{ArmKey, Generation};
/// use gaelp_core::ArmId;
///
/// let key = ArmKey { arm: ArmId::new(3), generation: Generation::new(1) };
/// assert_eq!(key.to_string(), "3 (generation 1)");
/// assert_eq!(ArmKey::first(ArmId::new(3)).to_string(), "3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmKey {
    /// The arm.
    pub arm: ArmId,
    /// Which life of it.
    pub generation: Generation,
}

impl ArmKey {
    /// The first life of an arm.
    pub const fn first(arm: ArmId) -> Self {
        Self {
            arm,
            generation: Generation::new(0),
        }
    }
}

impl fmt::Display for ArmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.generation.get() == 0 {
            write!(f, "{}", self.arm)
        } else {
            write!(f, "{} (generation {})", self.arm, self.generation.get())
        }
    }
}

/// The last generation of every arm that was retired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Retired(BTreeMap<ArmId, Generation>);

impl Retired {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why no arm of this id lives.
    pub(crate) fn missing(&self, arm: ArmId) -> FeedbackError {
        match self.0.get(&arm) {
            Some(&generation) => FeedbackError::Retired {
                key: ArmKey { arm, generation },
            },
            None => FeedbackError::UnknownArm { arm },
        }
    }

    /// Whether a living key is later than what was retired under its id.
    pub(crate) fn precedes(&self, key: ArmKey) -> bool {
        self.0
            .get(&key.arm)
            .is_none_or(|last| *last < key.generation)
    }

    /// Remembers a life that ended.
    pub(crate) fn end(&mut self, key: ArmKey) {
        self.0.insert(key.arm, key.generation);
    }

    /// The key of an arm's next life; `None` if it has had too many.
    pub(crate) fn next(&self, arm: ArmId) -> Option<ArmKey> {
        let generation = match self.0.get(&arm) {
            None => Generation::default(),
            Some(last) => last.next()?,
        };
        Some(ArmKey { arm, generation })
    }

    /// Why feedback for a key is refused, where `live` is the living generation of its arm.
    pub(crate) fn check(&self, key: ArmKey, live: Option<Generation>) -> Result<(), FeedbackError> {
        let ArmKey { arm, generation } = key;
        if live == Some(generation) {
            return Ok(());
        }
        let last = live.or_else(|| self.0.get(&arm).copied());
        if last.is_some_and(|last| generation <= last) {
            Err(FeedbackError::Retired { key })
        } else {
            Err(FeedbackError::UnknownArm { arm })
        }
    }
}
