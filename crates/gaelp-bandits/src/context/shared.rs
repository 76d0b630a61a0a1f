//! One model for all arms, features for each.

use gaelp_core::{ArmId, DecisionId, PolicyVersion, Seed, UtcHour};
use serde::{Deserialize, Serialize};

use super::snapshot::{SharedSnapshot, UNSET, checked_forgetting, share_left};
use super::{
    ArmFeatures, Change, ContextualOutcome, ContextualPolicy, Explorer, Features, LessonError,
    LinearModel, LinearSums, Regressor,
};
use crate::arm::Roster;
use crate::policy::drawn;
use crate::{
    ArmError, ArmKey, Chances, Eligible, FeedbackError, Forgetting, ForgettingError, Propensities,
    SelectError, Selection,
};

/// A contextual policy whose arms share one model, each with features of its own.
///
/// What is learnt of one arm tells of all that are like it: right for many arms, for new arms and
/// for arms that come and go. Features of arm and situation together, such as their products, let
/// arms differ by situation.
///
/// A retired arm's lessons stay in the model: they tell of the others. Its late feedback is refused
/// all the same.
///
/// **Shape**: K arms × d features each.
///
/// **Cost**: the explorer's to choose; a lesson is the model's.
///
/// **Source**: Chu, Li, Reyzin & Schapire (2011), Contextual bandits with linear payoff functions,
/// algorithm 1, whose arms share θ; here any model may be shared.
///
/// ```
/// use gaelp_bandits::{
///     Amount, ArmFeatures, ContextualOutcome, ContextualPolicy, Features, LinUcb, Ridge, Shared,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// // Three creatives, described by whether they show a person and how long they are.
/// let creatives = [[1.0, 0.0, 0.3], [1.0, 1.0, 0.3], [1.0, 1.0, 0.9]];
/// let arms = (0..).map(ArmId::new).zip(creatives);
/// let described: Result<Vec<_>, gaelp_bandits::FeaturesError> =
///     arms.map(|(arm, x)| Ok((arm, Features::new(&x)?))).collect();
/// let context = ArmFeatures::new(described?)?;
///
/// let mut policy = Shared::new(LinUcb::default(), Ridge::new(3, 1.0)?, (0..3).map(ArmId::new))?;
/// let all = policy.all();
/// for decision in (0..50).map(DecisionId::new) {
///     let chosen = policy.select(&context, &all, Seed::new(7), decision)?;
///     let arm = chosen.key.arm;
///     let x = context.get(arm).ok_or("no features")?;
///     let came = Amount::new(if arm == ArmId::new(2) { 0.5 } else { 0.1 })?;
///     policy.update(&[ContextualOutcome::of(&chosen, UtcHour::new(0), x, came)])?;
/// }
/// let last = policy.select(&context, &all, Seed::new(7), DecisionId::new(50))?;
/// assert_eq!(last.key.arm, ArmId::new(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SharedSnapshot<M, E>", into = "SharedSnapshot<M, E>")]
#[serde(bound(
    serialize = "M: Serialize + Clone, E: Serialize + Clone",
    deserialize = "M: Regressor + Deserialize<'de>, E: Explorer<M> + Deserialize<'de>"
))]
pub struct Shared<M, E> {
    pub(super) explorer: E,
    pub(super) model: M,
    pub(super) arms: Roster<()>,
    pub(super) forgetting: Forgetting,
    pub(super) clock: UtcHour,
    pub(super) version: PolicyVersion,
    /// How many outcomes were learnt.
    pub(super) trials: u64,
}

impl<M: Regressor, E: Explorer<M>> Shared<M, E> {
    /// A policy that knows what this model knows. The order of the arms does not matter.
    ///
    /// # Errors
    /// [`ArmError`] if there are no arms, or with all duplicates and all parameters of the explorer
    /// that cannot be used.
    pub fn new(
        explorer: E,
        model: M,
        arms: impl IntoIterator<Item = ArmId>,
    ) -> Result<Self, ArmError> {
        let arms = Roster::new(arms, || (), explorer.violations())?;
        Ok(Self {
            explorer,
            model,
            arms,
            forgetting: Forgetting::Never,
            clock: UNSET,
            version: PolicyVersion::default(),
            trials: 0,
        })
    }

    /// The explorer.
    pub const fn explorer(&self) -> &E {
        &self.explorer
    }

    /// The model.
    pub const fn model(&self) -> &M {
        &self.model
    }

    /// The living arms that `keep` keeps.
    ///
    /// # Errors
    /// [`SelectError::NoneEligible`] if it keeps none.
    pub fn eligible(&self, keep: impl FnMut(ArmId) -> bool) -> Result<Eligible, SelectError> {
        self.arms.eligible(keep)
    }

    /// Adds an arm. An id that was retired starts a new generation.
    ///
    /// # Errors
    /// [`ArmError`] if the arm lives already.
    pub fn add(&mut self, arm: ArmId) -> Result<ArmKey, ArmError> {
        let key = self.arms.add(arm, ())?;
        self.version = self.version.next();
        Ok(key)
    }

    /// Retires an arm. Feedback for it is refused from now on.
    ///
    /// # Errors
    /// [`ArmError`] if the policy does not have it, or has no other.
    pub fn retire(&mut self, arm: ArmId) -> Result<ArmKey, ArmError> {
        let key = self.arms.retire(arm)?;
        self.version = self.version.next();
        Ok(key)
    }

    /// The features of the eligible arms, where they live and their features fit.
    pub(super) fn features<'a>(
        &self,
        context: &'a ArmFeatures,
        eligible: &Eligible,
    ) -> Result<Vec<&'a Features>, SelectError> {
        self.arms.held(eligible)?;
        let expected = self.model.dimension();
        let features = eligible.iter().map(|arm| {
            let features = context.get(arm).ok_or(SelectError::NoFeatures { arm })?;
            let found = features.dimension();
            if found == expected {
                Ok(features)
            } else {
                Err(SelectError::Dimension { found, expected })
            }
        });
        features.collect()
    }

    fn change(
        &mut self,
        outcomes: &[ContextualOutcome<'_, M::Reward>],
        change: Change,
    ) -> Result<PolicyVersion, FeedbackError> {
        let Some(first) = outcomes.first() else {
            return Ok(self.version);
        };
        let next = self.version.next();
        if next == self.version {
            return Err(FeedbackError::VersionsUsedUp);
        }
        let dimension = self.model.dimension();
        let lessons = outcomes.iter().map(|came| {
            self.arms.check(came.outcome.key)?;
            came.lesson(dimension, self.forgetting, self.clock)
        });
        let lessons: Vec<_> = lessons.collect::<Result<_, FeedbackError>>()?;
        change.apply(&mut self.model, &lessons, first.outcome.key)?;
        self.trials = match change {
            Change::Learn => self.trials.saturating_add(outcomes.len() as u64),
            Change::Unlearn => self.trials.saturating_sub(outcomes.len() as u64),
        };
        self.version = next;
        Ok(next)
    }
}

impl<M: LinearModel, E: Explorer<M>> Shared<M, E> {
    /// The same policy, with evidence that fades as the clock goes on: see [`Shared::advance`].
    ///
    /// # Errors
    /// [`ForgettingError`] for a discount out of range, for a window, which sums cannot be seen
    /// through, and once the policy has evidence.
    pub fn with_forgetting(mut self, forgetting: Forgetting) -> Result<Self, ForgettingError> {
        checked_forgetting(forgetting)?;
        if self.model.sums().lessons() > 0 {
            return Err(ForgettingError::HasEvidence);
        }
        self.forgetting = forgetting;
        Ok(self)
    }

    /// Sets the clock, as [`Disjoint::advance`](crate::Disjoint::advance) does.
    ///
    /// **Cost**: O(d³), and nothing for a policy that forgets nothing.
    pub fn advance(&mut self, now: UtcHour) -> PolicyVersion {
        if now > self.clock && self.forgetting != Forgetting::Never {
            let share = share_left(self.forgetting, self.clock, now);
            self.clock = now;
            self.model.fade(share);
            self.version = self.version.next();
        }
        self.version
    }

    /// All that was learnt, without the prior: what shards exchange. Evidence that fades merges
    /// right only where both stand at the same hour.
    pub fn evidence(&self) -> &LinearSums {
        self.model.sums()
    }

    /// Learns from evidence that was gathered elsewhere.
    ///
    /// **Cost**: O(d³).
    ///
    /// # Errors
    /// [`LessonError`] for another number of features, and where it would be too much; then nothing
    /// is changed.
    pub fn merge(&mut self, evidence: &LinearSums) -> Result<PolicyVersion, LessonError> {
        if evidence.lessons() == 0 {
            return Ok(self.version);
        }
        let next = self.version.next();
        if next == self.version {
            return Err(LessonError::Full);
        }
        self.model.merge(evidence)?;
        self.trials = self.trials.saturating_add(evidence.lessons());
        self.version = next;
        Ok(next)
    }

    /// Computes what is believed anew from the evidence: see [`LinearModel::refresh`].
    pub fn refresh(&mut self) -> PolicyVersion {
        self.model.refresh();
        self.version = self.version.next();
        self.version
    }
}

impl<M: Regressor, E: Explorer<M>> ContextualPolicy for Shared<M, E> {
    type Context = ArmFeatures;
    type Reward = M::Reward;

    fn version(&self) -> PolicyVersion {
        self.version
    }

    fn key(&self, arm: ArmId) -> Option<ArmKey> {
        self.arms.key(arm)
    }

    fn all(&self) -> Eligible {
        self.arms.all()
    }

    fn propensities(
        &self,
        context: &ArmFeatures,
        eligible: &Eligible,
    ) -> Result<Propensities, SelectError> {
        let features = self.features(context, eligible)?;
        let Chances {
            probabilities,
            method,
        } = self.explorer.together(&self.model, &features, self.trials);
        Ok(Propensities::from_chances(
            eligible.iter().zip(probabilities),
            method,
        ))
    }

    fn select(
        &self,
        context: &ArmFeatures,
        eligible: &Eligible,
        seed: Seed,
        decision: DecisionId,
    ) -> Result<Selection, SelectError> {
        let propensities = self.propensities(context, eligible)?;
        drawn(&propensities, self.version, seed, decision, |arm| {
            self.arms.key(arm)
        })
    }

    fn update(
        &mut self,
        outcomes: &[ContextualOutcome<'_, M::Reward>],
    ) -> Result<PolicyVersion, FeedbackError> {
        self.change(outcomes, Change::Learn)
    }

    fn undo(
        &mut self,
        outcomes: &[ContextualOutcome<'_, M::Reward>],
    ) -> Result<PolicyVersion, FeedbackError> {
        self.change(outcomes, Change::Unlearn)
    }
}
