//! What every context-free policy can do.

use gaelp_core::{
    ArmId, Choice, DecisionId, DecisionKey, PolicyVersion, Propensity, PropensityMethod, Seed,
    UtcHour,
};
use serde::{Deserialize, Serialize};

use crate::numeric::sampler::open_unit;
use crate::{ArmKey, Eligible, FeedbackError, Propensities, SelectError, Share};

/// A policy that chooses among arms and learns from what came of it.
///
/// **To those who call it.** Choosing takes `&self` and no generator: a choice is a pure function
/// of the policy's state, the eligible arms, the seed and the decision's id, so it needs no lock
/// and can be repeated later. A batch of outcomes is taken whole or not at all.
///
/// **To those who implement it.** An arm that is not eligible is never chosen. The propensity
/// stated is the probability with which this very call chooses that arm over all decision ids.
/// [`Policy::undo`] after [`Policy::update`] with the same batch leaves the state as it was, but
/// for the version. Whatever changes a choice's probability changes the version.
///
/// The trait can be made into an object.
///
/// ```
/// use gaelp_bandits::{Bandit, BetaThompson, BetaPrior, KlUcb, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let ids = || (0..3).map(ArmId::new);
/// let mut policies: Vec<Box<dyn Policy<Reward = UnitReward>>> = vec![
///     Box::new(Bandit::new(KlUcb::default(), ids())?),
///     Box::new(BetaThompson::new(ids().map(|arm| (arm, BetaPrior::default())))?),
/// ];
/// for policy in &mut policies {
///     let eligible = policy.all();
///     let chosen = policy.select(&eligible, Seed::new(7), DecisionId::new(1))?;
///     let hour = UtcHour::new(490_000);
///     policy.update(&[Outcome::of(&chosen, hour, UnitReward::SUCCESS)])?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Policy {
    /// What a choice earns.
    type Reward: Copy;

    /// The version: it grows with every change.
    fn version(&self) -> PolicyVersion;

    /// The living generation of an arm; `None` if the policy does not have it.
    fn key(&self, arm: ArmId) -> Option<ArmKey>;

    /// All living arms.
    fn all(&self) -> Eligible;

    /// With what probability each eligible arm is chosen.
    ///
    /// # Errors
    /// [`SelectError::NotLiving`] for an eligible arm that the policy does not have.
    fn propensities(&self, eligible: &Eligible) -> Result<Propensities, SelectError>;

    /// Chooses.
    ///
    /// # Errors
    /// [`SelectError::NotLiving`] for an eligible arm that the policy does not have.
    fn select(
        &self,
        eligible: &Eligible,
        seed: Seed,
        decision: DecisionId,
    ) -> Result<Selection, SelectError>;

    /// Learns from a batch, in any order.
    ///
    /// # Errors
    /// [`FeedbackError`] if any of it cannot be taken; then nothing is.
    fn update(
        &mut self,
        outcomes: &[Outcome<Self::Reward>],
    ) -> Result<PolicyVersion, FeedbackError>;

    /// Takes a batch back: the exact inverse of [`Policy::update`].
    ///
    /// # Errors
    /// [`FeedbackError`] if any of it cannot be taken back; then nothing is.
    fn undo(&mut self, outcomes: &[Outcome<Self::Reward>]) -> Result<PolicyVersion, FeedbackError>;
}

/// Chooses by stated propensities.
pub(crate) fn choose<P: Policy + ?Sized>(
    policy: &P,
    propensities: &Propensities,
    seed: Seed,
    decision: DecisionId,
) -> Result<Selection, SelectError> {
    drawn(propensities, policy.version(), seed, decision, |arm| {
        policy.key(arm)
    })
}

/// A choice by stated propensities, of arms whose living generation `key` knows.
pub(crate) fn drawn(
    propensities: &Propensities,
    policy: PolicyVersion,
    seed: Seed,
    decision: DecisionId,
    key: impl Fn(ArmId) -> Option<ArmKey>,
) -> Result<Selection, SelectError> {
    let drawn_from = DecisionKey {
        seed,
        policy,
        decision,
    };
    let only = propensities.only();
    let (arm, propensity) =
        only.unwrap_or_else(|| propensities.draw(open_unit(&mut drawn_from.generator())));
    Ok(Selection {
        key: key(arm).ok_or(SelectError::NotLiving { arm })?,
        propensity,
        method: propensities.method(),
        policy,
    })
}

macro_rules! forward {
    ($($kind:ty),*) => {$(
        impl<P: Policy + ?Sized> Policy for $kind {
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

            fn propensities(&self, eligible: &Eligible) -> Result<Propensities, SelectError> {
                (**self).propensities(eligible)
            }

            fn select(
                &self,
                eligible: &Eligible,
                seed: Seed,
                decision: DecisionId,
            ) -> Result<Selection, SelectError> {
                (**self).select(eligible, seed, decision)
            }

            fn update(
                &mut self,
                outcomes: &[Outcome<P::Reward>],
            ) -> Result<PolicyVersion, FeedbackError> {
                (**self).update(outcomes)
            }

            fn undo(
                &mut self,
                outcomes: &[Outcome<P::Reward>],
            ) -> Result<PolicyVersion, FeedbackError> {
                (**self).undo(outcomes)
            }
        }
    )*};
}

forward!(&mut P, Box<P>);

/// What a policy chose: a [`Choice`] that also says which life of the arm is meant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The arm and its generation.
    pub key: ArmKey,
    /// The probability with which this version chooses this arm among the eligible ones.
    pub propensity: Propensity,
    /// How that probability was computed.
    pub method: PropensityMethod,
    /// The version of the policy.
    pub policy: PolicyVersion,
}

impl From<Selection> for Choice {
    fn from(selection: Selection) -> Self {
        Self {
            arm: selection.key.arm,
            propensity: selection.propensity,
            method: selection.method,
            policy: selection.policy,
        }
    }
}

/// What came of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome<R> {
    /// The arm and its generation.
    pub key: ArmKey,
    /// With what probability it was chosen.
    pub propensity: Propensity,
    /// When it was chosen: by this it is forgotten.
    pub at: UtcHour,
    /// What it earned.
    pub reward: R,
    /// How much of a trial this is: all of it, unless more may still come in. See
    /// [`Delayed`](crate::Delayed).
    pub trial: Share,
}

impl<R> Outcome<R> {
    /// What came of a selection made at this hour, in full.
    pub fn of(selection: &Selection, at: UtcHour, reward: R) -> Self {
        Self {
            key: selection.key,
            propensity: selection.propensity,
            at,
            reward,
            trial: Share::FULL,
        }
    }
}
