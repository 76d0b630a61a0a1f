//! Thompson sampling of means of amounts.

use gaelp_core::PropensityMethod;
use serde::{Deserialize, Serialize};

use crate::bandit::{Chances, Rule, Table};
use crate::numeric::maximum::maximum;
use crate::numeric::student::Student;
use crate::{FeedbackError, Figures, Outcome, ParameterViolation, Tally};

/// Thompson sampling of the mean of amounts that may be of any sign, such as profit, where neither
/// mean nor variance is known.
///
/// Before the first trial the variance is inverse-gamma(`shape`, `scale`) and the mean, given the
/// variance σ², normal around `mean` with variance σ² ÷ `weight`. So what is believed of a mean is
/// a t distribution, and an arm is chosen as often as its mean is believed to be the largest.
///
/// **Cost**: a quadrature per choice, some 100 µs for 4 arms.
///
/// **Source**: Murphy (2007), Conjugate Bayesian analysis of the Gaussian distribution, §6.
///
/// ```
/// use gaelp_bandits::{Amount, Bandit, NormalInverseGamma, Outcome, Policy};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut policy = Bandit::new(NormalInverseGamma::default(), (0..2).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// policy.update(&[Outcome::of(&chosen, UtcHour::new(0), Amount::new(-12.5)?)])?;
/// let after = policy.propensities(&policy.all())?;
/// assert!(after.get(chosen.key.arm) < Some(chosen.propensity));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalInverseGamma {
    /// The mean believed before the first trial, within ±1e9.
    pub mean: f64,
    /// How many trials that belief is worth, from 1e-6 to 1e9.
    pub weight: f64,
    /// The shape of the variance's law, half the trials it is worth, from 0.5 to 1e9.
    pub shape: f64,
    /// Its scale: `shape` times the variance believed, from 1e-9 to 1e18.
    pub scale: f64,
}

impl Default for NormalInverseGamma {
    /// Worth one trial around 0 and two for a variance of about 1.
    fn default() -> Self {
        Self {
            mean: 0.0,
            weight: 1.0,
            shape: 1.0,
            scale: 1.0,
        }
    }
}

impl NormalInverseGamma {
    /// What is believed of the mean, given figures of values less `mean`.
    pub(super) fn marginal(&self, trials: f64, amount: f64, square: f64) -> Student {
        let (weight, scale) = self.posterior(trials, amount, square);
        let shape = self.shape + 0.5 * trials;
        Student {
            place: self.mean + amount / weight,
            scale: (scale / (shape * weight)).sqrt(),
            freedom: 2.0 * shape,
        }
    }

    /// The posterior's weight and scale.
    pub(super) fn posterior(&self, trials: f64, amount: f64, square: f64) -> (f64, f64) {
        let weight = self.weight + trials;
        let spread = (square - amount * amount / weight).max(0.0);
        (weight, self.scale + 0.5 * spread)
    }

    /// A value less the believed mean, so that sums of squares do not drown in it.
    pub(super) fn centred(&self, micros: i128) -> i128 {
        #[expect(clippy::cast_possible_truncation, reason = "within ±1e15")]
        let mean = (self.mean * 1e6).round() as i128;
        micros - mean
    }
}

impl Rule for NormalInverseGamma {
    type Reward = Amount;

    fn violations(&self) -> Vec<ParameterViolation> {
        let all = [
            ParameterViolation::check("mean", self.mean, -1e9, 1e9),
            ParameterViolation::check("weight", self.weight, 1e-6, 1e9),
            ParameterViolation::check("shape", self.shape, 0.5, 1e9),
            ParameterViolation::check("scale", self.scale, 1e-9, 1e18),
        ];
        all.into_iter().flatten().collect()
    }

    fn tally(&self, outcome: &Outcome<Amount>) -> Result<Tally, FeedbackError> {
        let value = self.centred(i128::from(outcome.reward.micros));
        Ok(Tally {
            trials: i128::from(outcome.trial.millionths()),
            amount: value,
            square: value * value,
            extra: 0,
        })
    }

    fn chances(&self, table: &Table<'_>) -> Chances {
        let law = |arm: &Figures| self.marginal(arm.trials, arm.amount, arm.square);
        let laws: Vec<_> = table.arms.iter().map(law).collect();
        let solved = maximum(Student::shared(&laws));
        Chances {
            probabilities: solved.probabilities,
            method: PropensityMethod::Quadrature {
                error: solved.error,
            },
        }
    }
}

/// A value of any sign, kept to the millionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    micros: i64,
}

impl Amount {
    /// A value.
    ///
    /// # Errors
    /// [`AmountError`] beyond ±1e9, and for NaN.
    pub fn new(value: f64) -> Result<Self, AmountError> {
        if !(-1e9..=1e9).contains(&value) {
            return Err(AmountError { value });
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "within ±1e15 by the check above"
        )]
        let micros = (value * 1e6).round() as i64;
        Ok(Self { micros })
    }

    /// The value in millionths.
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// The value.
    #[expect(clippy::cast_precision_loss, reason = "at most 1e15, which is exact")]
    pub fn get(self) -> f64 {
        self.micros as f64 / 1e6
    }
}

/// A number that is no amount.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{value} is no amount: a number within ±1e9 is expected")]
pub struct AmountError {
    /// The number.
    pub value: f64,
}
