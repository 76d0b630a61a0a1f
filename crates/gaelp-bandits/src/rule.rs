//! The rules that a [`Bandit`](crate::Bandit) may choose by.

mod exp3;
mod exploring;
mod gamma;
mod index;
mod normal;
mod revenue;
mod simulated;
mod success;
mod toptwo;
mod upper;

pub use exp3::Exp3Ix;
pub use exploring::{EpsilonGreedy, Softmax};
pub use gamma::{Events, EventsError, GammaPoisson};
pub use index::{Field, Index, IndexRule};
pub use normal::{Amount, AmountError, NormalInverseGamma};
pub use revenue::{Revenue, ZeroInflatedLognormal};
pub(crate) use simulated::simulated;
pub use success::BetaBernoulli;
pub(crate) use success::prior_violations;
pub use toptwo::TopTwo;
pub use upper::{BayesUcb, Imed, KlUcb, KlUcbPlus, Ucb1, UcbV};
pub(crate) use upper::{kl, kl_lower, kl_upper};

use crate::{Outcome, Tally, UnitReward};

/// What a reward from 0 to 1 adds: a trial, the reward, and its square.
pub(crate) fn unit_tally(outcome: &Outcome<UnitReward>) -> Tally {
    let reward = i128::from(outcome.reward.millionths());
    Tally {
        trials: i128::from(outcome.trial.millionths()),
        amount: reward,
        square: reward * reward,
        extra: 0,
    }
}
