//! What the machine says.

use gaelp_core::{Micros, RewardCorrection, TouchpointId};
use serde::{Deserialize, Serialize};

use super::Origin;
use crate::{ChannelId, EventId, Timestamp};

/// A model by its place in the list that the machine was made with.
///
/// The first model is the one whose credits are rewards; the others run beside it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ModelIndex(u8);

impl ModelIndex {
    /// The model whose credits are rewards.
    pub const REWARD: Self = Self(0);

    /// A model from its place.
    pub const fn new(place: u8) -> Self {
        Self(place)
    }

    /// The place.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What follows from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// A touch's credit from a conversion changes.
    Correction(Correction),
    /// A conversion finds no touch to credit, or no longer any.
    Unattributed {
        /// The conversion.
        conversion: EventId,
    },
    /// No conversion can be credited to the touch any more, but refunds of earlier ones may follow.
    ///
    /// Said of every touch, also of those that earned nothing: a learner needs these most.
    Matured(Settled),
    /// The touch was given up before its time, so that memory stays within its limits.
    Evicted(Settled),
    /// An event was not taken.
    Rejected {
        /// The id of the touch, conversion or adjustment; of a merge the number of its user.
        id: EventId,
        /// Why.
        reason: Rejection,
    },
}

/// The change of one touch's credit from one conversion under one model.
///
/// The sum of all changes is the credit. They are numbered without gaps over the whole machine, so
/// a correction that is delivered twice is known by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Its number.
    pub number: u64,
    /// The touch.
    pub touch: EventId,
    /// The channel of the touch.
    pub channel: ChannelId,
    /// What led to the touch, where that is known.
    pub origin: Option<Origin>,
    /// The conversion.
    pub conversion: EventId,
    /// The model.
    pub model: ModelIndex,
    /// By how much the credit changes, never zero.
    pub delta: Micros,
    /// When the change became known: when the event that led to it was received.
    pub at: Timestamp,
}

impl Correction {
    /// The correction for a replay buffer or a bandit; `None` where no decision led to the touch.
    ///
    /// The number is cut to 32 bits. A touch is corrected within the refund horizon only, in which
    /// two of its corrections would have to be 2³² apart to meet.
    pub fn reward(&self) -> Option<RewardCorrection> {
        let origin = self.origin?;
        let low = self.number & u64::from(u32::MAX);
        Some(RewardCorrection {
            touchpoint: touchpoint(self.touch),
            number: u32::try_from(low).expect("32 bits are left"),
            decision: origin.decision,
            delta: self.delta,
            observed_at: self.at.micros(),
        })
    }
}

/// The name of a touch outside of this crate: its number in decimal digits.
///
/// ```
/// use gaelp_attribution::{EventId, delayed::touchpoint};
///
/// assert_eq!(touchpoint(EventId::new(17)).as_str(), "17");
/// ```
pub fn touchpoint(touch: EventId) -> TouchpointId {
    TouchpointId::new(touch.to_string())
}

/// A touch of which all is known that will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The touch.
    pub touch: EventId,
    /// Its channel.
    pub channel: ChannelId,
    /// When it happened.
    pub at: Timestamp,
    /// What led to it, where that is known.
    pub origin: Option<Origin>,
    /// Its credit from all conversions under the first model, zero for none; `None` where the sum
    /// is out of range.
    pub total: Option<Micros>,
}

/// Why an event is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// It was taken before; the first delivery counts, whatever the second says.
    #[error("the event was already taken")]
    Duplicate,
    /// It is further behind the watermark than the lateness allows.
    #[error("the event came too late")]
    Late,
    /// Its value is in another currency than the rules'.
    #[error("the value is in another currency")]
    Currency,
    /// Its value is so large that differences of values could overflow.
    #[error("the value is out of range")]
    OutOfRange,
    /// The refund horizon of its conversion has passed, or the conversion never came.
    #[error("the conversion can no longer be adjusted")]
    Unmatched,
    /// A later adjustment was taken before.
    #[error("a later adjustment counts")]
    Superseded,
    /// There is no room for another merge.
    #[error("no room for another merged user")]
    Full,
}
