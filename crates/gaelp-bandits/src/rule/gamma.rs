//! Thompson sampling of rates: events per exposure.

use gaelp_core::PropensityMethod;
use serde::{Deserialize, Serialize};

use crate::bandit::{Chances, Rule, Table};
use crate::numeric::log_gamma::LogGamma;
use crate::numeric::maximum::maximum;
use crate::{FeedbackError, Figures, Outcome, ParameterViolation, Tally};

/// Thompson sampling of a rate of events, such as orders per dollar or clicks per thousand views.
///
/// Events come as a Poisson process of rate λ over the exposure; λ is Gamma(`shape`, `rate`)
/// before any was seen, and Gamma(`shape` + events, `rate` + exposure) after.
///
/// **Cost**: a quadrature per choice, some 100 µs for 4 arms.
///
/// **Source**: Gelman et al. (2013), Bayesian data analysis, 3rd edition, §2.6;
/// the propensity is the integral of each density times the distribution functions of the others.
///
/// ```
/// use gaelp_bandits::{Bandit, Events, GammaPoisson, Outcome, Policy};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut policy = Bandit::new(GammaPoisson::default(), (0..2).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// // Three orders for 41.50 of spend.
/// let orders = Events::new(3, 41.5)?;
/// policy.update(&[Outcome::of(&chosen, UtcHour::new(0), orders)])?;
/// assert!(policy.propensities(&policy.all())?.error() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaPoisson {
    /// Events believed to have been seen before the first, from 0.001 to 1e9.
    pub shape: f64,
    /// The exposure in which they are believed to have been seen, from 1e-9 to 1e9.
    pub rate: f64,
}

impl Default for GammaPoisson {
    /// As if one event had been seen in one unit of exposure.
    fn default() -> Self {
        Self {
            shape: 1.0,
            rate: 1.0,
        }
    }
}

impl Rule for GammaPoisson {
    type Reward = Events;

    fn violations(&self) -> Vec<ParameterViolation> {
        let shape = ParameterViolation::check("shape", self.shape, 1e-3, 1e9);
        let rate = ParameterViolation::check("rate", self.rate, 1e-9, 1e9);
        shape.into_iter().chain(rate).collect()
    }

    fn tally(&self, outcome: &Outcome<Events>) -> Result<Tally, FeedbackError> {
        let mut tally = outcome.reward.tally();
        tally.trials = tally.trials * i128::from(outcome.trial.millionths()) / 1_000_000;
        Ok(tally)
    }

    fn chances(&self, table: &Table<'_>) -> Chances {
        let law = |arm: &Figures| {
            LogGamma::new(
                self.shape + arm.amount.max(0.0),
                self.rate + arm.trials.max(0.0),
            )
        };
        let solved = maximum(table.arms.iter().map(law));
        Chances {
            probabilities: solved.probabilities,
            method: PropensityMethod::Quadrature {
                error: solved.error,
            },
        }
    }
}

/// How many events came of how much exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Events {
    count: u32,
    /// In millionths.
    exposure: u64,
}

impl Events {
    /// So many events in so much exposure: time, spend, views. It is kept to the millionth.
    ///
    /// # Errors
    /// [`EventsError`] for an exposure that is not from 0 to 1e12.
    pub fn new(count: u32, exposure: f64) -> Result<Self, EventsError> {
        if !(0.0..=1e12).contains(&exposure) {
            return Err(EventsError { exposure });
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 1e18 by the check above"
        )]
        let exposure = (exposure * 1e6).round() as u64;
        Ok(Self { count, exposure })
    }

    /// What they add to the evidence.
    pub(crate) fn tally(self) -> Tally {
        Tally {
            trials: i128::from(self.exposure),
            amount: i128::from(self.count) * 1_000_000,
            ..Tally::default()
        }
    }
}

/// A number that is no exposure.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{exposure} is no exposure: a number from 0 to 1e12 is expected")]
pub struct EventsError {
    /// The number.
    pub exposure: f64,
}
