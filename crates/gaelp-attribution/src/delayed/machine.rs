//! The state machine.

use super::calendar::Calendar;
use super::conversions::Conversions;
use super::credits::Credits;
use super::held::Held;
use super::index::NONE;
use super::table::Table;
use super::touches::Touches;
use super::users::Users;
use super::{Arrival, Effect, Limits, ModelIndex, Rejection, SetupError, Statistics};
use crate::lag::LagTable;
use crate::{ChannelId, Event, EventId, Rules, Splitter, Timestamp, UserId, Weigh};

mod ask;
mod convert;
mod expire;
mod fetch;
mod settle;
mod touch;

pub use ask::{Attribution, Earned, Memory};

pub(super) use convert::LARGEST;

/// Arrivals whose memory is fetched together.
const GROUP: usize = 64;
/// How many of a user's touches are fetched ahead.
const AHEAD: u64 = 16;

/// Touches that wait for conversions, and conversions that may still change.
///
/// **For callers.** Hand in every event with [`handle`](Self::handle), or many at once with
/// [`handle_batch`](Self::handle_batch), and move the watermark with [`Event::Advance`]: it says
/// up to when events are believed to be complete. Take every [`Effect`] that comes out.
///
/// - A touch counts for a conversion where the [`Rules`] say so: windows, scope, views, direct.
/// - An event is late where it is further behind the watermark than the lateness; it is rejected.
/// - The first delivery of an id counts, later ones are duplicates: a touch's among its user's
///   pending touches, a conversion's among all that can still be adjusted.
/// - A late touch, a merge of users or an earlier conversion changes the credits of conversions
///   that are still open: not further behind the watermark than the lateness.
/// - An adjustment sets the value of a conversion; the latest one counts, in whatever order they
///   come, before the conversion or until its refund horizon has passed.
/// - A touch whose windows have passed, late conversions included, matures. That is noticed when the
///   watermark passes the next of 256 steps of the longest window.
///
/// The models run side by side; the credits of the first one are rewards. The machine holds no
/// state per model but weights, and no state per episode but its credited touches: an episode that
/// has ended receives corrections as any other, and
/// [`corrections_for`](Self::corrections_for) tells what it has received.
///
/// **Cost.** A touch costs `O(1)` and two accesses to memory that is far away, where it is later than
/// its user's others; a conversion `O(touches of its user)`. In batches the accesses of neighbouring events overlap. See [`Limits`] for memory.
///
/// ```
/// use gaelp_attribution::{
///     ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, Model, RulesConfig, Span,
///     Timestamp, Touch, UserId,
/// };
/// use gaelp_attribution::delayed::{Arrival, DelayedRewards, Effect, Limits};
/// use gaelp_core::{Currency, Micros, Money};
///
/// let rules = RulesConfig::default().validate()?;
/// let mut machine = DelayedRewards::new(rules, vec![Model::Linear], Limits::default())?;
/// let mut effects = Vec::new();
///
/// let morning = Timestamp::from_micros(1_800_000_000_000_000);
/// let user = UserId::new(7);
/// for (id, hours) in [(1, 0), (2, 5)] {
///     let touch = Touch {
///         id: EventId::new(id),
///         user,
///         at: morning.plus(Span::hours(hours)),
///         channel: ChannelId::new(0),
///         interaction: Interaction::Click,
///     };
///     machine.handle(&Arrival::new(touch.at, Event::Touch(touch)), &mut effects)?;
/// }
/// let conversion = Conversion {
///     id: EventId::new(3),
///     user,
///     at: morning.plus(Span::hours(30)),
///     value: Money::new(Micros::new(9_000_001), Currency::USD),
///     kind: ConversionKind::Purchase,
/// };
/// machine.handle(&Arrival::new(conversion.at, Event::Conversion(conversion)), &mut effects)?;
///
/// let deltas: Vec<i64> = effects
///     .iter()
///     .filter_map(|effect| match effect {
///         Effect::Correction(correction) => Some(correction.delta.get()),
///         _ => None,
///     })
///     .collect();
/// assert_eq!(deltas, [4_500_001, 4_500_000]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DelayedRewards<W> {
    pub(super) rules: Rules,
    pub(super) models: Vec<W>,
    pub(super) limits: Limits,
    pub(super) calendar: Calendar,
    pub(super) watermark: Timestamp,
    /// The number of the next correction.
    pub(super) number: u64,
    pub(super) touches: Touches,
    pub(super) users: Users,
    pub(super) conversions: Conversions,
    pub(super) credits: Credits,
    pub(super) held: Held,
    /// Users that became others.
    pub(super) aliases: Table<UserId, UserId>,
    pub(super) statistics: Statistics,
    /// The lags of the touches that have matured.
    pub(super) lags: LagTable,
    splitter: Splitter,
    scratch: Scratch,
}

/// Memory that is kept from one event to the next.
#[derive(Debug, Default)]
struct Scratch {
    places: Vec<u32>,
    slots: Vec<u32>,
    channels: Vec<ChannelId>,
    times: Vec<Timestamp>,
    weights: Vec<u64>,
    all_weights: Vec<u64>,
    /// What touches had from a conversion before it changed, by credit.
    before: Vec<(u32, i64)>,
}

impl<W: Weigh> DelayedRewards<W> {
    /// A machine in which nothing has happened yet.
    ///
    /// # Errors
    /// [`SetupError`] for no models or more than 255, and for limits that cannot be kept.
    pub fn new(rules: Rules, models: Vec<W>, limits: Limits) -> Result<Self, SetupError> {
        if models.is_empty() || models.len() > usize::from(u8::MAX) {
            return Err(SetupError::Models {
                found: models.len(),
            });
        }
        let violations = limits.violations();
        if !violations.is_empty() {
            return Err(SetupError::Limits(violations));
        }
        Ok(Self {
            calendar: Calendar::new(&rules),
            rules,
            models,
            limits,
            watermark: Timestamp::MIN,
            number: 0,
            touches: Touches::default(),
            users: Users::default(),
            conversions: Conversions::default(),
            credits: Credits::default(),
            held: Held::default(),
            aliases: Table::default(),
            statistics: Statistics::default(),
            lags: LagTable::default(),
            splitter: Splitter::default(),
            scratch: Scratch::default(),
        })
    }

    /// Takes one event, and adds to `effects` what follows from it.
    ///
    /// # Errors
    /// [`Rejection`] for an event that is not taken. Nothing has changed then but the statistics.
    pub fn handle(
        &mut self,
        arrival: &Arrival,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Rejection> {
        self.take(arrival, NONE, effects)
    }

    /// Takes one event; `slot` is the one that its user most likely has.
    #[inline]
    fn take(
        &mut self,
        arrival: &Arrival,
        slot: u32,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Rejection> {
        let now = arrival.received;
        match &arrival.event {
            Event::Touch(touch) => self.touch(now, touch, arrival.origin.as_ref(), slot, effects),
            Event::Conversion(conversion) => self.convert(now, conversion, slot, effects),
            Event::Adjustment(adjustment) => self.adjust(now, adjustment, effects),
            Event::Merge(merge) => self.merge(now, merge, effects),
            Event::Advance(watermark) => {
                self.advance(*watermark, effects);
                Ok(())
            }
        }
    }

    /// Takes events in their order, and adds to `effects` what follows from them, rejections
    /// included. Returns how many were taken.
    ///
    /// The same as handling one after the other, but several times faster where the machine is
    /// larger than the processor's caches. Hand in some hundreds to a few thousand at a time: what
    /// follows from them is then still in the caches when it is taken.
    pub fn handle_batch(&mut self, arrivals: &[Arrival], effects: &mut Vec<Effect>) -> usize {
        let mut taken = 0;
        for group in arrivals.chunks(GROUP) {
            let slots = self.fetch(group);
            for (arrival, slot) in group.iter().zip(slots) {
                match self.take(arrival, slot, effects) {
                    Ok(()) => taken += 1,
                    Err(reason) => effects.push(Effect::Rejected {
                        id: id_of(&arrival.event),
                        reason,
                    }),
                }
            }
        }
        taken
    }

    /// Up to when events are believed to be complete.
    pub const fn watermark(&self) -> Timestamp {
        self.watermark
    }

    /// The rules.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What has been counted so far.
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// How many touches wait.
    pub fn pending(&self) -> u64 {
        let counts = &self.statistics;
        counts.touches - counts.matured - counts.evicted - counts.merged_duplicates
    }

    /// How many conversions may still be adjusted.
    pub fn adjustable(&self) -> usize {
        self.conversions.len()
    }

    /// The user under whose id another one goes on.
    fn canonical(&self, user: UserId) -> UserId {
        let mut user = user;
        if !self.aliases.is_empty() {
            while let Some(&other) = self.aliases.get(&user) {
                user = other;
            }
        }
        user
    }
}

impl<W> std::fmt::Debug for DelayedRewards<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DelayedRewards")
            .field("watermark", &self.watermark)
            .field("touches", &self.touches.occupied())
            .field("conversions", &self.conversions.len())
            .field("credited", &self.credits.len())
            .finish_non_exhaustive()
    }
}

fn index_of(model: usize) -> ModelIndex {
    ModelIndex::new(u8::try_from(model).expect("there are at most 255 models"))
}

fn id_of(event: &Event) -> EventId {
    match event {
        Event::Touch(touch) => touch.id,
        Event::Conversion(conversion) => conversion.id,
        Event::Adjustment(adjustment) => adjustment.id,
        Event::Merge(merge) => EventId::new(merge.from.get()),
        Event::Advance(_) => EventId::new(0),
    }
}
