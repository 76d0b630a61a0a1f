//! What predicts rewards from features.

use crate::{ArmKey, FeedbackError};

use super::{Features, LinearSums};

/// A model that predicts what a choice earns.
///
/// Any model can stand behind [`SquareCb`](crate::SquareCb) and
/// [`EpsilonGreedy`](crate::EpsilonGreedy): a tree, a network, a table.
///
/// **To those who implement it.** `learn` takes all lessons or none. A prediction that is not a
/// number counts as the worst. A model that is cloned predicts the same.
///
/// ```
/// use gaelp_bandits::{
///     ContextualPolicy, Disjoint, Features, Lesson, LessonError, Regressor, SquareCb, UnitReward,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed};
///
/// /// The mean of all rewards, whatever the features.
/// #[derive(Clone)]
/// struct Mean(f64, f64);
///
/// impl Regressor for Mean {
///     type Reward = UnitReward;
///
///     fn dimension(&self) -> usize {
///         1
///     }
///
///     fn predict(&self, _: &Features) -> f64 {
///         (self.0 + 0.5) / (self.1 + 1.0)
///     }
///
///     fn learn(&mut self, lessons: &[Lesson<'_, UnitReward>]) -> Result<(), LessonError> {
///         for lesson in lessons {
///             self.0 += lesson.weight * lesson.reward.get();
///             self.1 += lesson.weight;
///         }
///         Ok(())
///     }
///
///     fn unlearn(&mut self, _: &[Lesson<'_, UnitReward>]) -> Result<(), LessonError> {
///         Err(LessonError::CannotUndo)
///     }
/// }
///
/// let policy = Disjoint::new(SquareCb::default(), Mean(0.0, 0.0), (0..4).map(ArmId::new))?;
/// let context = Features::new(&[1.0])?;
/// let chosen = policy.select(&context, &policy.all(), Seed::new(7), DecisionId::new(1))?;
/// assert_eq!(chosen.propensity.get(), 0.25);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Regressor: Clone {
    /// What a choice earns.
    type Reward: Copy;

    /// How many features it takes.
    fn dimension(&self) -> usize;

    /// The reward expected; for rewards from 0 to 1 within that range, if it can.
    fn predict(&self, features: &Features) -> f64;

    /// Learns from a batch: all of it or nothing.
    ///
    /// # Errors
    /// [`LessonError`] if it cannot; then nothing is changed.
    fn learn(&mut self, lessons: &[Lesson<'_, Self::Reward>]) -> Result<(), LessonError>;

    /// Takes a batch back: all of it or nothing.
    ///
    /// # Errors
    /// [`LessonError`] if it cannot; then nothing is changed.
    fn unlearn(&mut self, lessons: &[Lesson<'_, Self::Reward>]) -> Result<(), LessonError>;
}

/// A model that also says how sure it is: its score of given features is a normal variable.
///
/// What the score is, the model says: the reward expected, or anything that grows with it.
pub trait Uncertain: Regressor {
    /// What is believed of the score.
    fn belief(&self, features: &Features) -> Belief;

    /// What several models believe of the scores of the same features.
    fn beliefs(models: &[&Self], features: &Features) -> Vec<Belief> {
        models.iter().map(|model| model.belief(features)).collect()
    }

    /// What `score` makes of every model's belief, where only the largest counts: what surely is
    /// not the largest may be left at −∞.
    ///
    /// `score` is monotone in the deviation, rising or falling.
    fn contest(
        models: &[&Self],
        features: &Features,
        score: impl Fn(usize, Belief) -> f64,
    ) -> Vec<f64> {
        let beliefs = Self::beliefs(models, features).into_iter().enumerate();
        beliefs
            .map(|(place, belief)| score(place, belief))
            .collect()
    }

    /// Rows such that the scores of the features given are their means plus the rows times a
    /// vector of independent standard normal variables: what scores of one model have in common.
    fn spreads(&self, features: &[&Features]) -> Vec<Vec<f64>>;
}

/// A model of normal coefficients, whose evidence is sums: it fades, merges and is stored.
pub trait LinearModel: Uncertain {
    /// A model that knows only its prior, of the same kind.
    #[must_use]
    fn blank(&self) -> Self;

    /// Its evidence, without its prior.
    fn sums(&self) -> &LinearSums;

    /// The mean of every coefficient.
    fn coefficients(&self) -> &[f64];

    /// Takes in evidence gathered elsewhere.
    ///
    /// # Errors
    /// [`LessonError`] for another number of features, and where it would be too much; then
    /// nothing is changed.
    fn merge(&mut self, sums: &LinearSums) -> Result<(), LessonError>;

    /// Lets the evidence count only this share of what it did. The prior counts in full, so what
    /// is not renewed returns to it.
    fn fade(&mut self, share: f64);

    /// Computes what is believed anew from the evidence. After this it is a function of prior and
    /// evidence alone, whatever the order in which that came.
    fn refresh(&mut self);
}

/// What a model learns from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson<'a, R> {
    /// By what it was chosen.
    pub features: &'a Features,
    /// What it earned.
    pub reward: R,
    /// How much it counts: 1, or less where it comes late to a policy that forgets. Positive.
    pub weight: f64,
}

/// What is believed of a score: a normal variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation, for noise of variance 1.
    pub deviation: f64,
}

/// Why a model did not learn. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LessonError {
    /// The sums would pass what they can hold.
    #[error("the model cannot hold more")]
    Full,
    /// More is to be undone than it has learnt.
    #[error("what is to be undone was never learnt")]
    NotRecorded,
    /// The model cannot undo.
    #[error("the model cannot undo")]
    CannotUndo,
    /// Other features than it takes.
    #[error("{found} features, where the model takes {expected}")]
    Dimension {
        /// How many there are.
        found: usize,
        /// How many it takes.
        expected: usize,
    },
}

impl LessonError {
    pub(super) fn of(self, key: ArmKey) -> FeedbackError {
        match self {
            Self::Full => FeedbackError::Full { arm: key.arm },
            Self::NotRecorded => FeedbackError::NotRecorded { arm: key.arm },
            Self::CannotUndo => FeedbackError::CannotUndo { key },
            Self::Dimension { found, expected } => FeedbackError::Dimension {
                key,
                found,
                expected,
            },
        }
    }
}
