//! How often each transition was made: what chains are made of, and what merges.

mod keys;
mod pass;
mod single;

use gaelp_core::Micros;
use serde::{Deserialize, Serialize};

pub(super) use keys::Keys;
use pass::{add_to, count, index};

use super::tally::Tally;
use super::{Markov, Order};
use crate::{ChannelId, Code, FitError, Offset, PathTable};

/// The counts of a chain.
///
/// Counts of parts of the journeys merge into the counts of all: addition of integers, so neither
/// the parts nor their order make a difference to any bit of the model.
///
/// ```
/// use gaelp_attribution::{Journeys, MarkovCounts, Order, PathTable};
///
/// let journeys = Journeys::new(&[0_u8, 1], &[0_i32, 2], 2)?;
/// let some = MarkovCounts::count(&PathTable::new(journeys, &[1], &[5], &[2])?, Order::FIRST)?;
/// let more = MarkovCounts::count(&PathTable::new(journeys, &[3], &[7], &[0])?, Order::FIRST)?;
/// let both = MarkovCounts::count(&PathTable::new(journeys, &[4], &[12], &[2])?, Order::FIRST)?;
/// assert_eq!(some.merge(&more)?, both);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct MarkovCounts {
    stored: Stored,
}

/// The content of counts: a state's key has the digits of its channels, each one more than the
/// channel's number, to the base of the channels' count and one; a step's key has those of the
/// state that it leaves and of the channel that it goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    order: Order,
    channels: usize,
    /// By key.
    states: Vec<StateCount>,
    /// By key; steps that stay in their state are left out.
    steps: Vec<(u64, u64)>,
}

/// How often journeys began or ended in a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateCount {
    pub(super) key: u64,
    pub(super) began: u64,
    pub(super) converted: u64,
    pub(super) nulls: u64,
    pub(super) value: i64,
}

/// Where a transition comes from or goes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Before the first touch.
    Start,
    /// The last channels of a journey, oldest first.
    State(Vec<ChannelId>),
    /// The journey converted.
    Conversion,
    /// The journey ended without a conversion.
    Null,
}

/// A transition with its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// From where.
    pub from: Step,
    /// To where.
    pub to: Step,
    /// How often it was made.
    pub count: u64,
    /// Among all that were made from there.
    pub probability: f64,
}

impl MarkovCounts {
    /// Counts the transitions of a table.
    ///
    /// # Errors
    /// [`FitError::TooManyChannels`] where states of this order cannot be numbered with 64 bits:
    /// above 7,130 channels for order 4; [`FitError::Overflow`] where journeys times touches do
    /// not fit into 64 bits.
    pub fn count<C: Code, O: Offset>(
        table: &PathTable<'_, C, O>,
        order: Order,
    ) -> Result<Self, FitError> {
        let channels = table.journeys().channel_count();
        let keys = Keys::new(channels, order)?;
        let journeys = u128::from(table.conversions().unsigned_abs())
            + u128::from(table.nulls().unsigned_abs());
        // No step can be counted more often than this.
        let most = journeys * table.journeys().touches() as u128;
        u64::try_from(most).map_err(|_| FitError::Overflow)?;
        let mut states = Tally::<4>::new(keys.states);
        let mut steps = Tally::<1>::new(keys.steps);
        match (&mut states, &mut steps) {
            (Tally::Plain(states), Tally::Plain(steps)) => match table.single() {
                Some(rows) => single::count(table.journeys(), rows, &keys, states, steps),
                None => count(
                    table,
                    &keys,
                    |key, add| add_to(&mut states[index(key)], add),
                    |key, add| add_to(&mut steps[index(key)], [add]),
                ),
            },
            (Tally::Plain(states), Tally::Hashed(steps)) => count(
                table,
                &keys,
                |key, add| add_to(&mut states[index(key)], add),
                |key, add| add_to(steps.at(key), [add]),
            ),
            // There are more keys of steps than of states.
            (Tally::Hashed(states), steps) => count(
                table,
                &keys,
                |key, add| add_to(states.at(key), add),
                |key, add| add_to(steps.at(key), [add]),
            ),
        }
        let states = states.sorted().into_iter();
        let states = states.map(|(key, [began, converted, nulls, value])| StateCount {
            key,
            began,
            converted,
            nulls,
            value: value.cast_signed(),
        });
        let steps = steps
            .sorted()
            .into_iter()
            .map(|(key, [count])| (key, count));
        Ok(Self {
            stored: Stored {
                order,
                channels,
                states: states.collect(),
                steps: steps.filter(|&(key, _)| !keys.stays(key)).collect(),
            },
        })
    }

    /// The counts of both.
    ///
    /// # Errors
    /// [`FitError::Different`] for other channels or another order, [`FitError::Overflow`] where a
    /// sum does not fit into 64 bits.
    pub fn merge(&self, other: &Self) -> Result<Self, FitError> {
        let (a, b) = (&self.stored, &other.stored);
        if (a.order, a.channels) != (b.order, b.channels) {
            return Err(FitError::Different);
        }
        let states = merged(
            &a.states,
            &b.states,
            |state| state.key,
            |x, y| {
                Some(StateCount {
                    key: x.key,
                    began: x.began.checked_add(y.began)?,
                    converted: x.converted.checked_add(y.converted)?,
                    nulls: x.nulls.checked_add(y.nulls)?,
                    value: x.value.checked_add(y.value)?,
                })
            },
        );
        let steps = merged(
            &a.steps,
            &b.steps,
            |step| step.0,
            |x, y| Some((x.0, x.1.checked_add(y.1)?)),
        );
        let (Some(states), Some(steps)) = (states, steps) else {
            return Err(FitError::Overflow);
        };
        let stored = Stored {
            order: a.order,
            channels: a.channels,
            states,
            steps,
        };
        stored.totals().ok_or(FitError::Overflow)?;
        Ok(Self { stored })
    }

    /// The model of these counts.
    ///
    /// # Errors
    /// [`FitError::NoJourneys`] where nothing was counted, [`FitError::NotConverged`] where the
    /// iteration for large chains does not end.
    pub fn fit(&self) -> Result<Markov, FitError> {
        if self.stored.states.iter().all(|state| state.began == 0) {
            return Err(FitError::NoJourneys);
        }
        Markov::of(self)
    }

    /// How many channels a state remembers.
    pub const fn order(&self) -> Order {
        self.stored.order
    }

    /// How many channels there are, those that never occurred included.
    pub const fn channels(&self) -> usize {
        self.stored.channels
    }

    /// How many journeys converted, empty ones left out.
    pub fn conversions(&self) -> u64 {
        self.stored.states.iter().map(|state| state.converted).sum()
    }

    /// What they were worth.
    pub fn value(&self) -> Micros {
        Micros::new(self.stored.states.iter().map(|state| state.value).sum())
    }

    /// Every transition with its probability, in the order of states.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn transitions(&self) -> Vec<Transition> {
        let keys = self.keys();
        let chain = super::Chain::of(self);
        let began: u64 = self.stored.states.iter().map(|state| state.began).sum();
        let state = |key| Step::State(keys.channels(key));
        let mut found = Vec::new();
        let mut push = |from: Step, to: Step, count: u64, all: f64| {
            if count > 0 {
                let probability = count as f64 / all;
                found.push(Transition {
                    from,
                    to,
                    count,
                    probability,
                });
            }
        };
        for counted in &self.stored.states {
            push(Step::Start, state(counted.key), counted.began, began as f64);
        }
        for &(key, count) in &self.stored.steps {
            let (from, to) = keys.ends(key);
            push(state(from), state(to), count, chain.left(from));
        }
        for counted in &self.stored.states {
            let all = chain.left(counted.key);
            push(state(counted.key), Step::Conversion, counted.converted, all);
            push(state(counted.key), Step::Null, counted.nulls, all);
        }
        found
    }

    pub(super) fn states(&self) -> &[StateCount] {
        &self.stored.states
    }

    pub(super) fn steps(&self) -> &[(u64, u64)] {
        &self.stored.steps
    }

    pub(super) fn keys(&self) -> Keys {
        Keys::new(self.stored.channels, self.stored.order)
            .expect("counts exist only for channels and orders that have keys")
    }
}

impl Stored {
    /// The sums of all counts, where they fit into 64 bits.
    fn totals(&self) -> Option<()> {
        let mut size = 0_u64;
        let (mut began, mut ended) = (0_u64, 0_u64);
        for state in &self.states {
            size = size.checked_add(state.value.unsigned_abs())?;
            began = began.checked_add(state.began)?;
            ended = ended
                .checked_add(state.converted)?
                .checked_add(state.nulls)?;
        }
        i64::try_from(size).ok()?;
        let mut made = ended;
        for &(_, count) in &self.steps {
            made = made.checked_add(count)?;
        }
        Some(())
    }
}

impl TryFrom<Stored> for MarkovCounts {
    type Error = FitError;

    /// Checks that keys ascend and exist, and that as many journeys enter a state as leave it.
    fn try_from(stored: Stored) -> Result<Self, FitError> {
        let keys = Keys::new(stored.channels, stored.order)?;
        let ascending = stored.states.is_sorted_by(|a, b| a.key < b.key)
            && stored.steps.is_sorted_by(|a, b| a.0 < b.0);
        let known = stored.states.iter().all(|state| keys.is_state(state.key))
            && stored.steps.iter().all(|&(key, _)| keys.is_step(key));
        if !ascending || !known || stored.totals().is_none() {
            return Err(FitError::NoModel);
        }
        let mut flow = std::collections::BTreeMap::<u64, i128>::new();
        for state in &stored.states {
            *flow.entry(state.key).or_default() +=
                i128::from(state.began) - i128::from(state.converted) - i128::from(state.nulls);
        }
        for &(key, count) in &stored.steps {
            let (from, to) = keys.ends(key);
            *flow.entry(from).or_default() -= i128::from(count);
            *flow.entry(to).or_default() += i128::from(count);
        }
        if flow.values().any(|&difference| difference != 0) {
            return Err(FitError::NoModel);
        }
        Ok(Self { stored })
    }
}

impl From<MarkovCounts> for Stored {
    fn from(counts: MarkovCounts) -> Self {
        counts.stored
    }
}

/// Two ascending lists as one; items of one key are added.
fn merged<T: Copy>(
    a: &[T],
    b: &[T],
    key: impl Fn(&T) -> u64,
    add: impl Fn(T, T) -> Option<T>,
) -> Option<Vec<T>> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut both = Vec::new();
    loop {
        let item = match (a.peek(), b.peek()) {
            (None, None) => return Some(both),
            (Some(x), Some(y)) if key(x) == key(y) => {
                let (x, y) = (**x, **y);
                a.next();
                b.next();
                add(x, y)?
            }
            (Some(x), Some(y)) if key(y) < key(x) => {
                let y = **y;
                b.next();
                y
            }
            (None, Some(y)) => {
                let y = **y;
                b.next();
                y
            }
            (Some(x), _) => {
                let x = **x;
                a.next();
                x
            }
        };
        both.push(item);
    }
}
