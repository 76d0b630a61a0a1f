//! From logged choices to columns.

use gaelp_core::{Choice, Propensity, PropensityMethod};

use super::error::LogError;
use super::log::Log;

/// The columns of a log, gathered choice by choice.
///
/// A log of decisions holds, for each, a [`Choice`] with its exact propensity. What is missing is
/// what it earned, and with what probability the target policy would have chosen the same arm, given
/// what was known then.
///
/// ```
/// use gaelp_bandits::evaluation::{Columns, Estimator, Requirements};
/// use gaelp_bandits::{Bandit, EpsilonGreedy, Outcome, Policy, Softmax, UnitReward};
/// use gaelp_core::{ArmId, Choice, DecisionId, Seed, UtcHour};
///
/// let ids = || (0..3).map(ArmId::new);
/// let exploring = EpsilonGreedy { start: 0.3, floor: 0.3, ..EpsilonGreedy::default() };
/// let mut logging = Bandit::new(exploring, ids())?;
/// let target = Bandit::new(Softmax::default(), ids())?; // has learnt nothing: it plays evenly
/// let mut columns = Columns::default();
/// for decision in 0..2000_u32 {
///     let eligible = logging.all();
///     let selection = logging.select(&eligible, Seed::new(7), DecisionId::new(decision.into()))?;
///     // What the world answers: arm 2 earns most.
///     let reward = UnitReward::new(f64::from(selection.key.arm.get()) / 4.0)?;
///
///     let choice = Choice::from(selection); // this is what a log of decisions holds
///     let wanted = target.propensities(&eligible)?.get(choice.arm);
///     columns.push(&choice, wanted, reward.get());
///
///     logging.update(&[Outcome::of(&selection, UtcHour::new(490_000), reward)])?;
/// }
/// let log = columns.log()?;
/// let answer = log.evaluate(Estimator::Snips, &Requirements::default())?;
/// assert!((answer.value() - 0.25).abs() < 3.0 * answer.standard_error());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    rewards: Vec<f64>,
    logged: Vec<f64>,
    target: Vec<f64>,
    simulated: usize,
}

impl Columns {
    /// Adds a decision: what was chosen, with what probability the target policy would have chosen
    /// the same (`None`: never), and what it earned.
    pub fn push(&mut self, choice: &Choice, target: Option<Propensity>, reward: f64) {
        self.rewards.push(reward);
        self.logged.push(choice.propensity.get());
        self.target.push(target.map_or(0.0, Propensity::get));
        self.simulated += usize::from(matches!(choice.method, PropensityMethod::MonteCarlo { .. }));
    }

    /// How many of the logged propensities were simulated. Their noise biases every weight upwards,
    /// by about (1 − p) ÷ (p × draws) of it, which no audit of the log can see.
    pub const fn simulated(&self) -> usize {
        self.simulated
    }

    /// The log.
    ///
    /// # Errors
    /// As [`Log::new`].
    pub fn log(&self) -> Result<Log<'_>, LogError> {
        Log::new(&self.rewards, &self.logged, &self.target)
    }
}
