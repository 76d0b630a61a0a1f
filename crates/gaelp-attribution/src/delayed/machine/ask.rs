//! What the machine can be asked.

use gaelp_core::Micros;

use super::{DelayedRewards, index_of};
use crate::delayed::{EpisodeId, ModelIndex, Origin};
use crate::lag::LagTable;
use crate::{ChannelId, EventId, Splitter, Timestamp, UserId, Weigh};

/// A conversion's credits as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// What the conversion is worth now.
    pub value: Micros,
    /// The touches that it credits, oldest first.
    pub touches: Vec<(EventId, ChannelId)>,
    /// Their credits under each model; each list sums to the value.
    pub credits: Vec<Vec<Micros>>,
}

/// What a touch has from a conversion now: the sum of its corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earned {
    /// The touch.
    pub touch: EventId,
    /// When the touch happened.
    pub at: Timestamp,
    /// What led to it.
    pub origin: Option<Origin>,
    /// The conversion.
    pub conversion: EventId,
    /// The model.
    pub model: ModelIndex,
    /// The credit.
    pub credit: Micros,
}

/// The bytes that the parts of a machine hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Pending touches and what led to them.
    pub touches: usize,
    /// Users.
    pub users: usize,
    /// Conversions and their weights.
    pub conversions: usize,
    /// Credited touches and their episodes.
    pub credits: usize,
    /// Merged users and waiting adjustments.
    pub other: usize,
}

impl Memory {
    /// All together.
    pub const fn total(&self) -> usize {
        self.touches + self.users + self.conversions + self.credits + self.other
    }
}

impl<W: Weigh> DelayedRewards<W> {
    /// The memory that is held.
    ///
    /// **Cost.** `O(conversions)`: it looks at every list.
    pub fn memory(&self) -> Memory {
        Memory {
            touches: self.touches.bytes(),
            users: self.users.bytes(),
            conversions: self.conversions.bytes(),
            credits: self.credits.bytes(),
            other: self.held.bytes() + self.aliases.capacity() * (size_of::<[UserId; 2]>() + 1),
        }
    }

    /// A conversion's credits as they are now; `None` where it is not known or can no longer change.
    pub fn attribution(&self, conversion: EventId) -> Option<Attribution> {
        let record = &self.conversions[self.conversions.find(conversion)?];
        let value = Micros::new(record.value());
        let touches = record.path.iter().map(|&slot| {
            let credit = &self.credits[slot];
            (credit.touch, credit.channel)
        });
        let mut splitter = Splitter::default();
        let mut of_model = |model| match splitter.split(value, record.weights_of(model)) {
            Ok(parts) => parts.to_vec(),
            Err(_) => Vec::new(),
        };
        Some(Attribution {
            value,
            touches: touches.collect(),
            credits: (0..self.models.len()).map(&mut of_model).collect(),
        })
    }

    /// What the touches of an episode have earned so far, ended or not: by touch in time, then by
    /// conversion and model; credits of zero are left out.
    ///
    /// Known until the refund horizons of the conversions have passed; what is said then is final.
    ///
    /// **Cost.** `O(credited touches of the episode)`, times their conversions.
    pub fn corrections_for(&self, episode: EpisodeId) -> Vec<Earned> {
        let mut earned = Vec::new();
        let mut splitter = Splitter::default();
        for &slot in self.credits.of(episode) {
            let credit = &self.credits[slot];
            for &conversion in credit.conversions.as_slice() {
                let record = &self.conversions[conversion];
                for model in 0..self.models.len() {
                    let share = share(record, slot, model, &mut splitter);
                    if !share.is_zero() {
                        earned.push(Earned {
                            touch: credit.touch,
                            at: credit.at,
                            origin: self.credits.origin(slot),
                            conversion: record.id,
                            model: index_of(model),
                            credit: share,
                        });
                    }
                }
            }
        }
        earned.sort_unstable_by_key(|one| (one.at, one.touch, one.conversion, one.model));
        earned
    }

    /// How long conversions take, by channel, from matured and pending touches as of `now`.
    ///
    /// **Cost.** `O(pending touches)`.
    pub fn lags(&self, now: Timestamp) -> LagTable {
        let mut lags = self.lags.clone();
        for (_, place) in self.touches.places() {
            let touch = &self.touches[place];
            if touch.is_dead() {
                continue;
            }
            let window = self.calendar.retention(touch.channel, touch.interaction());
            match self.first_lag(touch.credit) {
                Some(lag) => lags.converted(touch.channel, lag),
                None => {
                    if let Some(age) = now.since(touch.at) {
                        lags.waiting(touch.channel, age.min(window));
                    }
                }
            }
        }
        lags
    }
}

/// The share of one touch in a conversion.
pub(super) fn share(
    record: &crate::delayed::conversions::Record,
    credit: u32,
    model: usize,
    splitter: &mut Splitter,
) -> Micros {
    let place = record.path.iter().position(|&slot| slot == credit);
    let parts = splitter.split(Micros::new(record.value()), record.weights_of(model));
    match (place, parts) {
        (Some(place), Ok(parts)) => parts[place],
        _ => Micros::ZERO,
    }
}
