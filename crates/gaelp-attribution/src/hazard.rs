//! Additive hazards: each touch makes a conversion likelier, for a while.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::columns::ids;
use crate::credit::grid;
use crate::heuristic::Decay;
use crate::{
    ChannelId, Code, ColumnError, FitError, Journey, Offset, PathTable, Span, Times, Timestamp,
    Weigh,
};

mod fit;

pub use fit::HazardFit;

/// Until which age each class of recency goes; older touches have no effect.
const CLASSES: [Span; 12] = [
    Span::hours(1),
    Span::hours(3),
    Span::hours(6),
    Span::hours(12),
    Span::days(1),
    Span::days(2),
    Span::days(3),
    Span::days(5),
    Span::days(7),
    Span::days(14),
    Span::days(30),
    Span::days(90),
];

/// What a hazard model is fitted to: how long touches were under observation, by channel and
/// recency, and which touches stood before each conversion.
///
/// Journeys without a conversion count: they are the time in which nothing happened. Counts of
/// parts of the journeys merge into those of all, in integers.
///
/// **Shape.** A row's moments are those of its touches and of its end: the conversion, or the last
/// moment under observation. Touches after the end are left out.
///
/// **Cost.** One pass; memory for every distinct set of channels with recencies that converted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct HazardCounts {
    channels: usize,
    /// Microseconds under observation by channel, then class of recency.
    exposure: Vec<u128>,
    /// Microseconds from the first touch of journeys to their ends.
    observed: u128,
    conversions: BTreeMap<Box<[Seen]>, u64>,
}

/// A touch before a conversion: its channel and its class of recency.
type Seen = (ChannelId, u8);

/// The content of counts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    channels: usize,
    exposure: Vec<u128>,
    observed: u128,
    conversions: Vec<(Box<[Seen]>, u64)>,
}

impl HazardCounts {
    /// How long a touch can have an effect: 90 days.
    pub const HORIZON: Span = CLASSES[CLASSES.len() - 1];

    /// The counts of a table with the moments of touches and ends.
    ///
    /// # Errors
    /// [`ColumnError::Length`] for times of another length than the table.
    pub fn count<C: Code, O: Offset>(
        table: &PathTable<'_, C, O>,
        times: Times<'_>,
    ) -> Result<Self, ColumnError> {
        let journeys = table.journeys();
        times.check(journeys.column().len(), journeys.len())?;
        let channels = journeys.channel_count();
        let mut counts = Self {
            channels,
            exposure: vec![0; channels * CLASSES.len()],
            ..Self::default()
        };
        let (mut path, mut seen) = (Vec::new(), Vec::new());
        let rows = journeys.ranges().zip(times.ends()).zip(table.rows());
        for ((range, &end), (codes, outcome)) in rows {
            ids(codes, &mut path);
            let moments = &times.touches()[range];
            let end = Timestamp::from_micros(end);
            let weight = u128::from(outcome.conversions) + u128::from(outcome.nulls);
            seen.clear();
            let mut longest = Span::ZERO;
            for (&channel, &moment) in path.iter().zip(moments) {
                let Some(age) = end.since(Timestamp::from_micros(moment)) else {
                    continue;
                };
                longest = longest.max(age.min(Self::HORIZON));
                let first = channel.index() * CLASSES.len();
                let exposed = &mut counts.exposure[first..first + CLASSES.len()];
                for (class, sum) in exposed.iter_mut().enumerate() {
                    *sum += weight * u128::from(within(age, class));
                }
                let class = CLASSES.iter().position(|&until| age <= until);
                if let Some(class) = class.and_then(|class| u8::try_from(class).ok()) {
                    seen.push((channel, class));
                }
            }
            counts.observed += weight * u128::from(longest.micros().unsigned_abs());
            if outcome.conversions > 0 && !seen.is_empty() {
                seen.sort_unstable();
                if let Some(count) = counts.conversions.get_mut(&*seen) {
                    *count += outcome.conversions;
                } else {
                    counts
                        .conversions
                        .insert((&*seen).into(), outcome.conversions);
                }
            }
        }
        Ok(counts)
    }

    /// The counts of both.
    ///
    /// # Errors
    /// [`FitError::Different`] for other channels, [`FitError::Overflow`] for sums that do not fit.
    pub fn merge(&self, other: &Self) -> Result<Self, FitError> {
        if self.channels != other.channels {
            return Err(FitError::Different);
        }
        let mut both = self.clone();
        let sum = |a: u128, b: u128| a.checked_add(b).ok_or(FitError::Overflow);
        for (mine, more) in both.exposure.iter_mut().zip(&other.exposure) {
            *mine = sum(*mine, *more)?;
        }
        both.observed = sum(both.observed, other.observed)?;
        for (seen, more) in &other.conversions {
            let count = both.conversions.entry(seen.clone()).or_default();
            *count = count.checked_add(*more).ok_or(FitError::Overflow)?;
        }
        Ok(both)
    }

    /// Fits the model with the likeliest of these half-lives.
    ///
    /// # Errors
    /// [`FitError::NoJourneys`] without any conversion, [`FitError::Parameter`] for no half-life or
    /// one of zero, [`FitError::NotConverged`] where the iteration does not end.
    pub fn fit(&self, half_lives: &[Span]) -> Result<HazardFit, FitError> {
        fit::best(self, half_lives)
    }

    /// The time that touches of a channel were under observation in a class of recency, in hours.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    fn exposed(&self, channel: usize, class: usize) -> f64 {
        self.exposure[channel * CLASSES.len() + class] as f64 / 3.6e9
    }
}

/// How many microseconds of an age lie within a class of recency.
fn within(age: Span, class: usize) -> u64 {
    let from = begin(class);
    let until = CLASSES[class].min(age);
    until.beyond(from)
}

/// The age at which a class of recency begins.
fn begin(class: usize) -> Span {
    class
        .checked_sub(1)
        .map_or(Span::ZERO, |before| CLASSES[before])
}

impl TryFrom<Stored> for HazardCounts {
    type Error = FitError;

    fn try_from(stored: Stored) -> Result<Self, FitError> {
        let known = |&(channel, class): &Seen| {
            channel.index() < stored.channels && usize::from(class) < CLASSES.len()
        };
        let valid = |(seen, count): &(Box<[Seen]>, u64)| {
            *count > 0 && !seen.is_empty() && seen.is_sorted() && seen.iter().all(known)
        };
        if Some(stored.exposure.len()) != stored.channels.checked_mul(CLASSES.len())
            || !stored.conversions.is_sorted_by(|a, b| a.0 < b.0)
            || !stored.conversions.iter().all(valid)
        {
            return Err(FitError::NoModel);
        }
        Ok(Self {
            channels: stored.channels,
            exposure: stored.exposure,
            observed: stored.observed,
            conversions: stored.conversions.into_iter().collect(),
        })
    }
}

impl From<HazardCounts> for Stored {
    fn from(counts: HazardCounts) -> Self {
        Self {
            channels: counts.channels,
            exposure: counts.exposure,
            observed: counts.observed,
            conversions: counts.conversions.into_iter().collect(),
        }
    }
}

/// A hazard model: what every channel adds to the rate of conversions, and how fast that fades.
///
/// The rate at which a user converts is a base rate plus, for each touch, its channel's effect
/// halved for every half-life since. A touch's credit is in proportion to what it adds at the
/// moment of the conversion, which is the probability that it was the reason, if any touch was.
///
/// **Source.** Zhang, Wei and Ren, *Multi-touch attribution in online advertising with survival
/// theory* (2014), with a base rate and grouped recencies.
///
/// ```
/// use gaelp_attribution::{Hazard, HazardCounts, Journeys, PathTable, Span, Times};
///
/// // Ten journeys of a day with a touch each; four convert after two hours.
/// let hour = 3_600_000_000;
/// let journeys = Journeys::new(&[0_u8, 0], &[0_i32, 1, 2], 1)?;
/// let table = PathTable::new(journeys, &[4, 0], &[40, 0], &[0, 6])?;
/// let (touches, ends) = ([0, 0], [2 * hour, 24 * hour]);
/// let times = Times::new(&touches, &ends);
/// let model: Hazard = HazardCounts::count(&table, times)?.fit(&[Span::days(1)])?.model;
/// assert!(model.effects()[0] > model.base());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredModel", into = "StoredModel")]
pub struct Hazard {
    base: f64,
    effects: Vec<f64>,
    half_life: Span,
}

/// The content of a model.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredModel {
    base: f64,
    effects: Vec<f64>,
    half_life: Span,
}

impl Hazard {
    /// Conversions per hour that come without any touch's doing.
    pub const fn base(&self) -> f64 {
        self.base
    }

    /// Conversions per hour that a fresh touch of each channel adds, by number.
    pub fn effects(&self) -> &[f64] {
        &self.effects
    }

    /// After which time a touch adds half as much.
    pub const fn half_life(&self) -> Span {
        self.half_life
    }
}

impl Weigh for Hazard {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        let decay = Decay::new(self.half_life);
        let age = |touch: usize| match journey.times().get(touch) {
            Some(&moment) => journey.end().since(moment).unwrap_or(Span::ZERO),
            None => Span::ZERO,
        };
        let effect = |channel: ChannelId| self.effects.get(channel.index()).copied();
        let shares: Vec<f64> = journey
            .channels()
            .iter()
            .enumerate()
            .map(|(touch, &channel)| effect(channel).unwrap_or(0.0) * decay.fraction(age(touch)))
            .collect();
        grid(&shares, weights);
    }
}

impl TryFrom<StoredModel> for Hazard {
    type Error = FitError;

    fn try_from(stored: StoredModel) -> Result<Self, FitError> {
        let valid = |rate: &f64| rate.is_finite() && *rate >= 0.0;
        if stored.half_life == Span::ZERO
            || !valid(&stored.base)
            || !stored.effects.iter().all(valid)
        {
            return Err(FitError::NoModel);
        }
        Ok(Self {
            base: stored.base,
            effects: stored.effects,
            half_life: stored.half_life,
        })
    }
}

impl From<Hazard> for StoredModel {
    fn from(model: Hazard) -> Self {
        Self {
            base: model.base,
            effects: model.effects,
            half_life: model.half_life,
        }
    }
}
