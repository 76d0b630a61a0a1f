//! Policies that know in what situation they choose.

mod disjoint;
mod evidence;
mod explorer;
mod features;
mod logistic;
mod posterior;
mod regressor;
mod ridge;
mod shared;
mod snapshot;
mod squarecb;
mod sums;
mod thompson;

use gaelp_core::{ArmId, DecisionId, PolicyVersion, Seed, UtcHour};

pub use disjoint::Disjoint;
pub use evidence::LinearEvidence;
pub use explorer::{Explorer, LinUcb};
pub use features::{ArmFeatures, Features, FeaturesError};
pub use logistic::Logistic;
pub use regressor::{Belief, Lesson, LessonError, LinearModel, Regressor, Uncertain};
pub use ridge::Ridge;
pub use shared::Shared;
pub use squarecb::SquareCb;
pub use sums::LinearSums;
pub use thompson::LinTs;

use crate::{
    ArmKey, Eligible, FeedbackError, Forgetting, Outcome, Propensities, SelectError, Selection,
    Share,
};

/// A policy that chooses by a context and learns from what came of it.
///
/// It keeps what [`Policy`](crate::Policy) promises: choosing is a pure function of the policy's
/// state, the context, the eligible arms, the seed and the decision's id; an arm that is not
/// eligible is never chosen; a batch is taken whole or not at all; whatever changes a choice's
/// probability changes the version. What [`ContextualPolicy::undo`] leaves behind is said there.
///
/// The trait can be made into an object.
///
/// ```
/// use gaelp_bandits::{
///     ContextualOutcome, ContextualPolicy, Disjoint, Features, LinTs, LinUcb, Logistic, Ridge,
///     UnitReward,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let ids = || (0..3).map(ArmId::new);
/// let policy: &mut dyn ContextualPolicy<Context = Features, Reward = UnitReward> =
///     &mut Disjoint::new(LinTs::default(), Logistic::new(2, 1.0)?, ids())?;
/// let evening = Features::new(&[1.0, 0.8])?;
/// let chosen = policy.select(&evening, &policy.all(), Seed::new(7), DecisionId::new(1))?;
/// let came = ContextualOutcome::of(&chosen, UtcHour::new(0), &evening, UnitReward::SUCCESS);
/// policy.update(&[came])?;
/// assert!(policy.propensities(&evening, &policy.all())?.get(chosen.key.arm)
///     > Some(chosen.propensity));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ContextualPolicy {
    /// What is known when a choice is made.
    type Context;
    /// What a choice earns.
    type Reward: Copy;

    /// The version: it grows with every change.
    fn version(&self) -> PolicyVersion;

    /// The living generation of an arm; `None` if the policy does not have it.
    fn key(&self, arm: ArmId) -> Option<ArmKey>;

    /// All living arms.
    fn all(&self) -> Eligible;

    /// With what probability each eligible arm is chosen in this context.
    ///
    /// # Errors
    /// [`SelectError`] for an eligible arm that the policy does not have, and for a context that
    /// does not fit.
    fn propensities(
        &self,
        context: &Self::Context,
        eligible: &Eligible,
    ) -> Result<Propensities, SelectError>;

    /// Chooses.
    ///
    /// # Errors
    /// [`SelectError`] for an eligible arm that the policy does not have, and for a context that
    /// does not fit.
    fn select(
        &self,
        context: &Self::Context,
        eligible: &Eligible,
        seed: Seed,
        decision: DecisionId,
    ) -> Result<Selection, SelectError>;

    /// Learns from a batch.
    ///
    /// # Errors
    /// [`FeedbackError`] if any of it cannot be taken; then nothing is.
    fn update(
        &mut self,
        outcomes: &[ContextualOutcome<'_, Self::Reward>],
    ) -> Result<PolicyVersion, FeedbackError>;

    /// Takes a batch back.
    ///
    /// A linear policy's evidence is then exactly what it was, unless it fades: then to the
    /// rounding of its weights. What is believed is computed anew from that evidence and agrees
    /// with what was believed to the rounding of numbers; [`Ridge`] says by how much. A
    /// [`Logistic`] policy cannot undo, and says so.
    ///
    /// # Errors
    /// [`FeedbackError`] if any of it cannot be taken back; then nothing is.
    fn undo(
        &mut self,
        outcomes: &[ContextualOutcome<'_, Self::Reward>],
    ) -> Result<PolicyVersion, FeedbackError>;
}

macro_rules! forward {
    ($($kind:ty),*) => {$(
        impl<P: ContextualPolicy + ?Sized> ContextualPolicy for $kind {
            type Context = P::Context;
            type Reward = P::Reward;

            fn version(&self) -> PolicyVersion {
                (**self).version()
            }

            fn key(&self, arm: ArmId) -> Option<ArmKey> {
                (**self).key(arm)
            }

            fn all(&self) -> Eligible {
                (**self).all()
            }

            fn propensities(
                &self,
                context: &P::Context,
                eligible: &Eligible,
            ) -> Result<Propensities, SelectError> {
                (**self).propensities(context, eligible)
            }

            fn select(
                &self,
                context: &P::Context,
                eligible: &Eligible,
                seed: Seed,
                decision: DecisionId,
            ) -> Result<Selection, SelectError> {
                (**self).select(context, eligible, seed, decision)
            }

            fn update(
                &mut self,
                outcomes: &[ContextualOutcome<'_, P::Reward>],
            ) -> Result<PolicyVersion, FeedbackError> {
                (**self).update(outcomes)
            }

            fn undo(
                &mut self,
                outcomes: &[ContextualOutcome<'_, P::Reward>],
            ) -> Result<PolicyVersion, FeedbackError> {
                (**self).undo(outcomes)
            }
        }
    )*};
}

forward!(&mut P, Box<P>);

/// What came of a choice in a context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContextualOutcome<'a, R> {
    /// What came of it.
    pub outcome: Outcome<R>,
    /// The features by which it was chosen: the context's, or where every arm has its own, those
    /// of the chosen arm.
    pub features: &'a Features,
}

impl<'a, R> ContextualOutcome<'a, R> {
    /// What came of a selection made at this hour by these features.
    pub fn of(selection: &Selection, at: UtcHour, features: &'a Features, reward: R) -> Self {
        Self {
            outcome: Outcome::of(selection, at, reward),
            features,
        }
    }

    /// The outcome as a model learns it now, where it is whole, fits and still counts.
    fn lesson(
        &self,
        dimension: usize,
        forgetting: Forgetting,
        now: UtcHour,
    ) -> Result<Lesson<'a, R>, FeedbackError>
    where
        R: Copy,
    {
        let Outcome { key, at, .. } = self.outcome;
        if self.outcome.trial != Share::FULL {
            return Err(FeedbackError::PartOfTrial { key });
        }
        let found = self.features.dimension();
        if found != dimension {
            return Err(FeedbackError::Dimension {
                key,
                found,
                expected: dimension,
            });
        }
        let weight = forgetting.weight(now, at);
        if weight <= 0.0 {
            return Err(FeedbackError::Forgotten { key, at });
        }
        Ok(Lesson {
            features: self.features,
            reward: self.outcome.reward,
            weight,
        })
    }
}

/// Which way a batch goes.
#[derive(Clone, Copy)]
enum Change {
    Learn,
    Unlearn,
}

impl Change {
    fn apply<M: Regressor>(
        self,
        model: &mut M,
        lessons: &[Lesson<'_, M::Reward>],
        key: ArmKey,
    ) -> Result<(), FeedbackError> {
        let changed = match self {
            Self::Learn => model.learn(lessons),
            Self::Unlearn => model.unlearn(lessons),
        };
        changed.map_err(|error| error.of(key))
    }
}
