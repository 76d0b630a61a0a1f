//! The removal effect of every channel in a Markov chain of journeys.

use gaelp_core::{Micros, SplitError, split_by};
use serde::{Deserialize, Serialize};

use crate::credit::share_by_channel;
use crate::{FitError, Journey, Weigh};

mod chain;
mod counts;
mod dense;
mod iterate;
mod tally;

pub use counts::{MarkovCounts, Step, Transition};

use chain::Chain;

/// Up to how many states the chain is solved by inverting one matrix; above, by iteration.
const DENSE: usize = 128;

/// How many of the last channels a state of the chain remembers: from 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Order(u8);

impl Order {
    /// The last channel alone.
    pub const FIRST: Self = Self(1);
    /// The last two channels.
    pub const SECOND: Self = Self(2);
    /// The last three channels.
    pub const THIRD: Self = Self(3);
    /// The last four channels.
    pub const FOURTH: Self = Self(4);
    /// All of them.
    pub const ALL: [Self; 4] = [Self::FIRST, Self::SECOND, Self::THIRD, Self::FOURTH];

    /// How many channels.
    pub const fn get(self) -> u8 {
        self.0
    }

    const fn length(self) -> usize {
        self.0 as usize
    }
}

impl TryFrom<u8> for Order {
    type Error = FitError;

    fn try_from(order: u8) -> Result<Self, FitError> {
        match order {
            1..=4 => Ok(Self(order)),
            _ => Err(FitError::Order { order }),
        }
    }
}

impl From<Order> for u8 {
    fn from(order: Order) -> Self {
        order.0
    }
}

/// A Markov chain of journeys with the removal effect of every channel.
///
/// The removal effect of a channel is the share of conversions that would be lost if every visit
/// to it led to nothing: 1 − P(conversion without it) ÷ P(conversion). It is computed by solving
/// linear equations, never by simulation, and the same counts give the same bits everywhere.
///
/// A state is the last channels of a journey, as many as the order says; a shorter journey is one
/// state. Repetitions that do not change the state are left out.
///
/// As a [`Weigh`], it gives the channels of a path the weights of their removal effects, each
/// split over the channel's touches.
///
/// **Cost.** Counting is one pass over the touches. Solving a chain of order 1 over `n` channels
/// takes `O(n³)`; larger chains take `O(n)` for every transition and round of the iteration, of
/// which there are some thirty.
/// **Source.** Anderl et al., *Mapping the customer journey* (2016). Entrance distributions:
/// Kemeny and Snell, *Finite Markov Chains* (1960), chapter 3.
///
/// ```
/// use gaelp_attribution::{Journeys, MarkovCounts, Order, PathTable};
///
/// // C1 > C2 > C3 converts; C1 alone and C2 > C3 do not.
/// let journeys = Journeys::new(&[0_u8, 1, 2, 0, 1, 2], &[0_i32, 3, 4, 6], 3)?;
/// let table = PathTable::new(journeys, &[1, 0, 0], &[6_000_000, 0, 0], &[0, 1, 1])?;
/// let model = MarkovCounts::count(&table, Order::FIRST)?.fit()?;
/// assert!((model.removal_effects()[0] - 0.5).abs() < 1e-15);
/// assert!((model.conversions()[2] - 0.4).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Markov {
    stored: Stored,
}

/// The content of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    order: Order,
    states: usize,
    conversions: u64,
    value: Micros,
    probability: f64,
    removal_effects: Vec<f64>,
    value_removal_effects: Vec<f64>,
}

impl Markov {
    /// Solves the chain of counts.
    fn of(counts: &MarkovCounts) -> Result<Self, FitError> {
        let chain = Chain::of(counts);
        let solved = if chain.len() <= DENSE {
            dense::solve(&chain)?
        } else {
            iterate::solve(&chain)?
        };
        Self::checked(Stored {
            order: counts.order(),
            states: chain.len(),
            conversions: counts.conversions(),
            value: counts.value(),
            probability: solved.probability,
            removal_effects: solved.removal_effects,
            value_removal_effects: solved.value_removal_effects,
        })
    }

    fn checked(stored: Stored) -> Result<Self, FitError> {
        let shares = stored.removal_effects.iter();
        let usable = |share: &f64| (0.0..=1.0).contains(share);
        let values = stored.value_removal_effects.iter();
        let shaped = stored.removal_effects.len() == stored.value_removal_effects.len();
        if shaped
            && usable(&stored.probability)
            && shares.clone().all(usable)
            && values.clone().all(|share| share.is_finite())
        {
            Ok(Self { stored })
        } else {
            Err(FitError::NoModel)
        }
    }

    /// How many channels a state remembers.
    pub const fn order(&self) -> Order {
        self.stored.order
    }

    /// How many states the chain has.
    pub const fn states(&self) -> usize {
        self.stored.states
    }

    /// The probability of a conversion: that of the journeys counted, for every order.
    pub const fn probability_of_conversion(&self) -> f64 {
        self.stored.probability
    }

    /// The removal effect of every channel, by number; zero for channels that never occur.
    pub fn removal_effects(&self) -> &[f64] {
        &self.stored.removal_effects
    }

    /// The share of the value that would be lost without each channel. Where values of both signs
    /// occur, it may lie outside of 0 to 1.
    pub fn value_removal_effects(&self) -> &[f64] {
        &self.stored.value_removal_effects
    }

    /// The conversions counted, shared out by removal effects.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn conversions(&self) -> Vec<f64> {
        shared(&self.stored.removal_effects, self.stored.conversions as f64)
    }

    /// The value counted in micros, shared out by removal effects of the value; for statistics.
    /// For money there is [`Markov::credit`].
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn values(&self) -> Vec<f64> {
        let total = self.stored.value.get() as f64;
        shared(&self.stored.value_removal_effects, total)
    }

    /// The value counted, split by removal effects of the value so that it sums exactly.
    ///
    /// # Errors
    /// [`SplitError`] where no channel has an effect, and where one is below zero.
    pub fn credit(&self) -> Result<Vec<Micros>, SplitError> {
        split_by(self.stored.value, &self.stored.value_removal_effects)
    }
}

impl Weigh for Markov {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        let effects = &self.stored.removal_effects;
        let effect = |channel: usize| effects.get(channel).copied().unwrap_or(0.0);
        share_by_channel(journey, effect, weights);
    }
}

impl TryFrom<Stored> for Markov {
    type Error = FitError;

    fn try_from(stored: Stored) -> Result<Self, FitError> {
        Self::checked(stored)
    }
}

impl From<Markov> for Stored {
    fn from(model: Markov) -> Self {
        model.stored
    }
}

/// A total in proportion to effects; nothing to anyone where they sum to zero.
fn shared(effects: &[f64], total: f64) -> Vec<f64> {
    let sum: f64 = effects.iter().sum();
    let part = |effect: &f64| {
        if sum.abs() > 0.0 {
            effect / sum * total
        } else {
            0.0
        }
    };
    effects.iter().map(part).collect()
}

/// What solving a chain gives.
#[derive(Debug)]
struct Solved {
    probability: f64,
    removal_effects: Vec<f64>,
    value_removal_effects: Vec<f64>,
}
