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
    /// The correction for a replay buffer or a bandit; `None` under any model but the first, whose
    /// credits are the rewards, and where no decision led to the touch.
    ///
    /// Each model credits the whole value of a conversion, so the corrections of several together
    /// would count it several times.
    ///
    /// The number is cut to 32 bits. A touch is corrected within the refund horizon only, in which
    /// two of its corrections would have to be 2³² apart to meet.
    pub fn reward(&self) -> Option<RewardCorrection> {
        self.reward_under(ModelIndex::REWARD)
    }

    /// As [`reward`](Self::reward), for a learner whose rewards are another model's credits.
    ///
    /// Ask for one and the same model throughout: what one learner is given under two models counts
    /// twice.
    pub fn reward_under(&self, model: ModelIndex) -> Option<RewardCorrection> {
        let origin = self.origin.filter(|_| self.model == model)?;
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

/// What a replay buffer or a bandit is to learn of effects: the changes of rewards, under the first
/// model alone. The other models stand beside it for comparison.
///
/// ```
/// use gaelp_attribution::{
///     ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, Model, RulesConfig,
///     Timestamp, Touch, UserId,
/// };
/// use gaelp_attribution::delayed::{Arrival, DelayedRewards, Limits, Origin, rewards};
/// use gaelp_core::{Currency, DecisionId, Micros, Money};
///
/// let rules = RulesConfig::default().validate()?;
/// let models = vec![Model::Linear, Model::Last, Model::First];
/// let mut machine = DelayedRewards::new(rules, models, Limits::default())?;
/// let (now, user) = (Timestamp::from_micros(1_800_000_000_000_000), UserId::new(7));
/// let touch = Touch {
///     id: EventId::new(1), user, at: now, channel: ChannelId::new(0),
///     interaction: Interaction::Click,
/// };
/// let sale = Conversion {
///     id: EventId::new(2), user, at: now, value: Money::new(Micros::new(9), Currency::USD),
///     kind: ConversionKind::Purchase,
/// };
/// let origin = Origin { decision: DecisionId::new(71), ..Origin::default() };
/// let mut effects = Vec::new();
/// machine.handle(&Arrival::of(now, Event::Touch(touch), origin), &mut effects)?;
/// machine.handle(&Arrival::new(now, Event::Conversion(sale)), &mut effects)?;
/// assert_eq!(effects.len(), 3, "a correction under each model");
///
/// let learnt: Vec<_> = rewards(&effects).map(|it| (it.decision.get(), it.delta.get())).collect();
/// assert_eq!(learnt, [(71, 9)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn rewards(effects: &[Effect]) -> impl Iterator<Item = RewardCorrection> {
    effects.iter().filter_map(|effect| match effect {
        Effect::Correction(correction) => correction.reward(),
        _ => None,
    })
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
