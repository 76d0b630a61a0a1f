//! What happens: touches, conversions, and what changes them later.

use std::fmt;

use gaelp_core::Money;
use serde::{Deserialize, Serialize};

use crate::{ChannelId, Timestamp};

/// The finaliser of `SplitMix64`: a bijection that scatters neighbouring numbers.
///
/// **Source.** Steele, Lea and Flood, *Fast splittable pseudorandom number generators* (2014).
#[inline]
pub(crate) const fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A user, by a number: what journeys are keyed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(u64);

impl UserId {
    /// A user from their number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Which of `partitions` the user belongs to; the same on every machine and in every version.
    ///
    /// A count of zero is taken as one.
    ///
    /// ```
    /// use gaelp_attribution::UserId;
    ///
    /// assert_eq!(UserId::new(7).partition(4096), 3_543);
    /// ```
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a remainder is below its 32-bit divisor"
    )]
    pub const fn partition(self, partitions: u32) -> u32 {
        let partitions = if partitions == 0 { 1 } else { partitions };
        (scatter(self.0) % partitions as u64) as u32
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number by which an event is known again when it is delivered twice.
///
/// Ids of touches and conversions are unique together: a touch and a conversion never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(u64);

impl EventId {
    /// An id from its number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the user did with the advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interaction {
    /// They clicked on it.
    Click,
    /// They saw it.
    View,
}

/// What kind of success a conversion is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConversionKind {
    /// An order was paid.
    #[default]
    Purchase,
    /// An account was opened.
    Signup,
    /// Contact details were left.
    Lead,
    /// A product was looked at.
    ViewContent,
    /// A product was put into the cart.
    AddToCart,
    /// The checkout was begun.
    BeginCheckout,
    /// Another kind, by the caller's number.
    Custom(u8),
}

/// A user's contact with an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// By which it is known again.
    pub id: EventId,
    /// Whose it is.
    pub user: UserId,
    /// When it happened, by the event's own clock.
    pub at: Timestamp,
    /// Through which channel.
    pub channel: ChannelId,
    /// Click or view.
    pub interaction: Interaction,
}

/// A success that is to be credited to touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// By which it is known again.
    pub id: EventId,
    /// Whose it is.
    pub user: UserId,
    /// When it happened, by the event's own clock.
    pub at: Timestamp,
    /// What it was worth; below zero for a cost.
    pub value: Money,
    /// What kind it is.
    pub kind: ConversionKind,
}

/// A refund or a restatement: the value of a conversion from now on, not the change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// By which it is known again.
    pub id: EventId,
    /// The conversion that it changes.
    pub conversion: EventId,
    /// When it was made; the latest one counts, and among those of one moment the greatest id.
    pub at: Timestamp,
    /// What the conversion is worth now; zero for a full refund.
    pub value: Money,
}

/// Two users turn out to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// The user that was known under another id.
    pub from: UserId,
    /// The user under whose id both go on.
    pub into: UserId,
}

/// Anything that happens, in the order of its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A touch.
    Touch(Touch),
    /// A conversion.
    Conversion(Conversion),
    /// A refund or a restatement.
    Adjustment(Adjustment),
    /// Two users are one.
    Merge(Merge),
    /// The watermark moves to this moment: nothing much older is expected any more.
    Advance(Timestamp),
}
