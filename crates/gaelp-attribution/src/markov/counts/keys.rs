//! The numbers of states and steps.

use super::super::Order;
use crate::{ChannelId, FitError};

/// How states and steps are numbered.
#[derive(Clone, Copy, Debug)]
pub(in crate::markov) struct Keys {
    pub(super) order: usize,
    /// One more than there are channels.
    pub(super) base: u64,
    /// The base to the power of the order: above every key of a state.
    pub(super) states: u64,
    /// The base to the power after it: above every key of a step.
    pub(super) steps: u64,
}

impl Keys {
    pub(super) fn new(channels: usize, order: Order) -> Result<Self, FitError> {
        let too_many = FitError::TooManyChannels { channels };
        let base = channels as u64 + 1;
        let power = u32::from(order.get());
        let states = base.checked_pow(power).ok_or(too_many)?;
        let steps = states.checked_mul(base).ok_or(too_many)?;
        Ok(Self {
            order: order.length(),
            base,
            states,
            steps,
        })
    }

    /// The states that a step leads from and to.
    pub(in crate::markov) const fn ends(&self, step: u64) -> (u64, u64) {
        (step / self.base, step % self.states)
    }

    /// The channels of a state, oldest first.
    pub(in crate::markov) fn channels(&self, state: u64) -> Vec<ChannelId> {
        let mut channels: Vec<ChannelId> = self.digits(state).collect();
        channels.reverse();
        channels
    }

    /// The channels of a state, newest first.
    pub(in crate::markov) fn digits(&self, state: u64) -> impl Iterator<Item = ChannelId> {
        let base = self.base;
        let rests = std::iter::successors(Some(state), move |rest| Some(rest / base));
        rests.take_while(|&rest| rest > 0).map(move |rest| {
            let number = (rest % base).saturating_sub(1);
            ChannelId::new(u16::try_from(number).unwrap_or(u16::MAX))
        })
    }

    /// Whether a step leads from a state to itself.
    pub(super) fn stays(&self, step: u64) -> bool {
        let (from, to) = self.ends(step);
        from == to
    }

    pub(super) fn is_state(&self, key: u64) -> bool {
        key > 0 && key < self.states && !self.has_gap(key)
    }

    pub(super) fn is_step(&self, key: u64) -> bool {
        // Only states of full length are left for another.
        key < self.steps && key >= self.states && !self.has_gap(key) && !self.stays(key)
    }

    /// Whether there is a digit of zero below the highest.
    fn has_gap(&self, key: u64) -> bool {
        let mut rest = key;
        while rest > 0 {
            if rest.is_multiple_of(self.base) {
                return true;
            }
            rest /= self.base;
        }
        false
    }
}
