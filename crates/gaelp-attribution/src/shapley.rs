//! Shapley values: what each channel adds, averaged over all orders in which they could join.

use serde::{Deserialize, Serialize};

use crate::columns::ids;
use crate::credit::share_by_channel;
use crate::groups::{Groups, rate};
use crate::{ChannelId, Code, FitError, Journey, Offset, PathTable, Weigh};

mod exact;
mod sampled;

pub use exact::shapley;
pub use sampled::{Sampled, Sampling, shapley_sampled};

/// The Shapley values of the game in which a set of channels is worth the conversions of all
/// journeys that touch no other channel.
///
/// In closed form they are every journey's worth split equally over its distinct channels. As a
/// [`Weigh`], it gives a live journey the same split; repetitions of a channel share its part.
///
/// **Source.** Zhao, Mahboobi and Bagheri, *Shapley value methods for attribution modeling in
/// online advertising* (2018), simplified formula.
///
/// ```
/// use gaelp_attribution::{ChannelId, Journey, ShapleySetValue, Weigh};
///
/// let channels = [0, 1, 0].map(ChannelId::new);
/// let journey = Journey::of_channels(&channels).ok_or("empty")?;
/// let mut weights = Vec::new();
/// ShapleySetValue.weigh(&journey, &mut weights);
/// assert_eq!(weights[0] * 2, weights[1]);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapleySetValue;

/// What every channel earned, by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Earned {
    /// Conversions.
    pub conversions: Vec<f64>,
    /// Value in micros; for statistics. For money there is
    /// [`credit_channels_by`](crate::credit_channels_by).
    pub values: Vec<f64>,
}

impl ShapleySetValue {
    /// What every channel of a table earned.
    ///
    /// **Cost.** One pass.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn earned<C: Code, O: Offset>(table: &PathTable<'_, C, O>) -> Earned {
        let channels = table.journeys().channel_count();
        let (mut conversions, mut values) = (vec![0.0; channels], vec![0.0; channels]);
        // The row in which a channel was met last, counted from 1.
        let mut met = vec![0_usize; channels];
        let mut distinct = Vec::new();
        for ((path, outcome), row) in table.rows().zip(1..) {
            if outcome.conversions == 0 && outcome.value == 0 {
                continue;
            }
            distinct.clear();
            for code in path {
                let channel = code.index();
                if met[channel] != row {
                    met[channel] = row;
                    distinct.push(channel);
                }
            }
            let share = distinct.len() as f64;
            let converted = outcome.conversions as f64 / share;
            let value = outcome.value as f64 / share;
            for &channel in &distinct {
                conversions[channel] += converted;
                values[channel] += value;
            }
        }
        Earned {
            conversions,
            values,
        }
    }
}

impl Weigh for ShapleySetValue {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        share_by_channel(journey, |_| 1.0, weights);
    }
}

/// How often journeys over each set of channels converted.
///
/// Counts of parts of the journeys merge into those of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetCounts {
    sets: Groups,
}

impl SetCounts {
    /// The counts of a table.
    pub fn count<C: Code, O: Offset>(table: &PathTable<'_, C, O>) -> Self {
        let mut sets = Groups::new(table.journeys().channel_count());
        let mut key = Vec::new();
        for (path, outcome) in table.rows() {
            ids(path, &mut key);
            key.sort_unstable();
            key.dedup();
            sets.add(&key, outcome);
        }
        Self { sets }
    }

    /// The counts of both.
    ///
    /// # Errors
    /// [`FitError::Different`] for other channels, [`FitError::Overflow`] for sums past 64 bits.
    pub fn merge(&self, other: &Self) -> Result<Self, FitError> {
        let sets = self.sets.merge(&other.sets)?;
        Ok(Self { sets })
    }

    /// The Shapley values of the game in which a set of channels is worth the share of converting
    /// journeys among those that touch no other channel, and nothing where there are none.
    ///
    /// They sum to the share among all journeys, may be below zero, and ignore how much a channel
    /// is used: a figure for the curious. To credit conversions, use [`ShapleySetValue`] or
    /// [`ShapleyRate`].
    ///
    /// **Cost.** `O(n · 2ⁿ)` time and 24 · 2ⁿ bytes for n channels that occur.
    ///
    /// # Errors
    /// [`FitError::TooManyChannels`] above 20 that occur.
    pub fn rate_game(&self) -> Result<Vec<f64>, FitError> {
        let mut players: Vec<ChannelId> =
            self.sets.iter().flat_map(|(set, _)| set).copied().collect();
        players.sort_unstable();
        players.dedup();
        let worth = worths(&self.sets, &players)?;
        let values = shapley(players.len(), |set| {
            worth.get(set as usize).map_or(0.0, |&(c, n)| rate(c, n))
        })?;
        let mut by_channel = vec![0.0; self.sets.channels()];
        for (player, value) in players.iter().zip(values) {
            by_channel[player.index()] = value;
        }
        Ok(by_channel)
    }

    /// The model that credits live journeys, with the weight of its prior in journeys.
    ///
    /// # Errors
    /// [`FitError::Parameter`] for a weight that is not finite or not above zero.
    pub fn fit(self, prior_journeys: f64) -> Result<ShapleyRate, FitError> {
        ShapleyRate::new(self, prior_journeys)
    }
}

/// Conversions and other journeys inside of every set of players.
fn worths(sets: &Groups, players: &[ChannelId]) -> Result<Vec<(u64, u64)>, FitError> {
    let too_many = FitError::TooManyChannels {
        channels: players.len(),
    };
    if players.len() > exact::MOST_PLAYERS {
        return Err(too_many);
    }
    let mut inside = vec![(0_u64, 0_u64); 1 << players.len()];
    for (set, group) in sets.iter().filter(|(set, _)| !set.is_empty()) {
        let places = set.iter().map(|channel| players.binary_search(channel));
        let mask = places.fold(0, |mask, place| mask | 1_usize << place.unwrap_or_default());
        inside[mask].0 += group.conversions;
        inside[mask].1 += group.nulls;
    }
    for player in 0..players.len() {
        for set in (0..inside.len()).filter(|set| set >> player & 1 == 1) {
            let smaller = inside[set ^ 1 << player];
            inside[set].0 += smaller.0;
            inside[set].1 += smaller.1;
        }
    }
    Ok(inside)
}

/// Credits a journey by the Shapley values of its own channels, in the game in which a set of
/// channels is worth the share of converting journeys over exactly this set.
///
/// Shares of rare sets are drawn towards the share among all journeys: a set is worth
/// (conversions + a · p) ÷ (journeys + a), where p is that share and a the weight of the prior. A
/// channel whose value is below zero gets nothing; where all do, all channels share equally.
///
/// **Cost.** A weight needs `2ⁿ` look-ups for n distinct channels up to 12, and 32 n² above, where
/// orders are sampled, always the same ones.
///
/// ```
/// use gaelp_attribution::{ChannelId, Journey, Journeys, PathTable, SetCounts, Weigh};
///
/// let journeys = Journeys::new(&[0_u8, 1, 0, 1], &[0_i32, 2, 3, 4], 2)?;
/// let table = PathTable::new(journeys, &[50, 30, 1], &[0; 3], &[50, 70, 99])?;
/// let model = SetCounts::count(&table).fit(1.0)?;
/// let channels = [0, 1].map(ChannelId::new);
/// let mut weights = Vec::new();
/// model.weigh(&Journey::of_channels(&channels).ok_or("empty")?, &mut weights);
/// assert!(weights[0] > 2 * weights[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ShapleyRate {
    counts: SetCounts,
    prior_journeys: f64,
    /// The share of converting journeys among all.
    overall: f64,
}

/// The content of a model.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    counts: SetCounts,
    prior_journeys: f64,
}

impl ShapleyRate {
    /// Up to how many distinct channels of a journey orders are not sampled.
    pub const EXACT: usize = 12;

    fn new(counts: SetCounts, prior_journeys: f64) -> Result<Self, FitError> {
        if !(prior_journeys.is_finite() && prior_journeys > 0.0) {
            return Err(FitError::Parameter {
                field: "prior_journeys",
            });
        }
        let groups = || counts.sets.iter().filter(|(set, _)| !set.is_empty());
        let conversions = groups().map(|(_, group)| group.conversions).sum();
        let nulls = groups().map(|(_, group)| group.nulls).sum();
        Ok(Self {
            overall: rate(conversions, nulls),
            counts,
            prior_journeys,
        })
    }

    /// What it was fitted to, to be merged with the counts of other journeys.
    pub const fn counts(&self) -> &SetCounts {
        &self.counts
    }

    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    fn worth(&self, set: &[ChannelId]) -> f64 {
        if set.is_empty() {
            return 0.0;
        }
        let group = self.counts.sets.get(set).copied().unwrap_or_default();
        let journeys = group.conversions as f64 + group.nulls as f64;
        (group.conversions as f64 + self.prior_journeys * self.overall)
            / (journeys + self.prior_journeys)
    }

    /// The Shapley value of every channel of a set.
    fn values(&self, channels: &[ChannelId]) -> Vec<f64> {
        let mut set = Vec::with_capacity(channels.len());
        let mut worth = |contains: &dyn Fn(usize) -> bool| {
            set.clear();
            let members = channels.iter().enumerate();
            set.extend(
                members
                    .filter(|&(place, _)| contains(place))
                    .map(|(_, &c)| c),
            );
            self.worth(&set)
        };
        let values = if channels.len() <= Self::EXACT {
            shapley(channels.len(), |set| worth(&|place| set >> place & 1 == 1)).ok()
        } else {
            let sampling = Sampling {
                blocks: 32,
                ..Sampling::default()
            };
            shapley_sampled(channels.len(), &sampling, |set| worth(&|place| set[place]))
                .ok()
                .map(|sampled| sampled.values)
        };
        values.unwrap_or_else(|| vec![1.0; channels.len()])
    }
}

impl Weigh for ShapleyRate {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        let mut channels = journey.channels().to_vec();
        channels.sort_unstable();
        channels.dedup();
        let values = self.values(&channels);
        let value = |channel: usize| {
            let place = channels.binary_search_by_key(&channel, |channel| channel.index());
            place.map_or(0.0, |place| values[place])
        };
        let any = values.iter().any(|&value| value > 0.0);
        share_by_channel(
            journey,
            |channel| if any { value(channel) } else { 1.0 },
            weights,
        );
    }
}

impl TryFrom<Stored> for ShapleyRate {
    type Error = FitError;

    fn try_from(stored: Stored) -> Result<Self, FitError> {
        Self::new(stored.counts, stored.prior_journeys)
    }
}

impl From<ShapleyRate> for Stored {
    fn from(model: ShapleyRate) -> Self {
        Self {
            counts: model.counts,
            prior_journeys: model.prior_journeys,
        }
    }
}
