//! A model for every arm, one context for all.

use std::collections::BTreeMap;

use gaelp_core::{ArmId, DecisionId, PolicyVersion, Seed, UtcHour};
use serde::{Deserialize, Serialize};

use super::snapshot::{DisjointSnapshot, UNSET, checked_forgetting, share_left};
use super::{
    Change, ContextualOutcome, ContextualPolicy, Explorer, Features, LinearEvidence, LinearModel,
    LinearSums, Regressor,
};
use crate::arm::Roster;
use crate::policy::drawn;
use crate::{
    ArmError, ArmKey, Chances, Eligible, FeedbackError, Forgetting, ForgettingError, Propensities,
    SelectError, Selection,
};

/// A contextual policy whose arms have a model each, and all see the same context.
///
/// What is learnt of one arm says nothing of the others: right where arms are few and nothing is
/// known of how they are alike. Where arms have features, see [`Shared`](crate::Shared).
///
/// **Shape**: K arms × one context of d features.
///
/// **Cost**: the explorer's to choose; a lesson is the model's. A model of d features takes some
/// 12 d² bytes.
///
/// **Source**: Li, Chu, Langford & Schapire (2010), A contextual-bandit approach to personalized
/// news article recommendation, §3.1, disjoint linear models; here any model may stand behind an arm.
///
/// ```
/// use gaelp_bandits::{
///     Amount, ContextualOutcome, ContextualPolicy, Disjoint, FeedbackError, Features, LinTs,
///     Ridge,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let arms = (0..3).map(ArmId::new);
/// let mut policy = Disjoint::new(LinTs::default(), Ridge::new(3, 1.0)?, arms)?;
/// let context = Features::new(&[1.0, 0.2, -0.5])?;
/// let all = policy.all();
/// let chosen = policy.select(&context, &all, Seed::new(7), DecisionId::new(1))?;
/// let came = ContextualOutcome::of(&chosen, UtcHour::new(0), &context, Amount::new(1.5)?);
/// policy.update(&[came])?;
///
/// policy.retire(chosen.key.arm)?;
/// assert_eq!(policy.update(&[came]), Err(FeedbackError::Retired { key: chosen.key }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "DisjointSnapshot<M, E>", into = "DisjointSnapshot<M, E>")]
#[serde(bound(
    serialize = "M: Serialize + Clone, E: Serialize + Clone",
    deserialize = "M: Regressor + Deserialize<'de>, E: Explorer<M> + Deserialize<'de>"
))]
pub struct Disjoint<M, E> {
    pub(super) explorer: E,
    /// What an arm begins with.
    pub(super) blank: M,
    pub(super) arms: Roster<M>,
    pub(super) forgetting: Forgetting,
    pub(super) clock: UtcHour,
    pub(super) version: PolicyVersion,
    /// How many outcomes were learnt, of retired arms too.
    pub(super) trials: u64,
}

impl<M: Regressor, E: Explorer<M>> Disjoint<M, E> {
    /// A policy that has seen nothing, whose arms all begin with a copy of this model. The order
    /// of the arms does not matter.
    ///
    /// # Errors
    /// [`ArmError`] if there are no arms, or with all duplicates and all parameters of the explorer
    /// that cannot be used.
    pub fn new(
        explorer: E,
        blank: M,
        arms: impl IntoIterator<Item = ArmId>,
    ) -> Result<Self, ArmError> {
        let arms = Roster::new(arms, || blank.clone(), explorer.violations())?;
        Ok(Self {
            explorer,
            blank,
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

    /// The living arms with their models, by rising id.
    pub fn arms(&self) -> impl ExactSizeIterator<Item = (ArmKey, &M)> + '_ {
        self.arms.iter()
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
        let key = self.arms.add(arm, self.blank.clone())?;
        self.version = self.version.next();
        Ok(key)
    }

    /// Retires an arm with all that was learnt of it. Feedback for it is refused from now on.
    ///
    /// # Errors
    /// [`ArmError`] if the policy does not have it, or has no other.
    pub fn retire(&mut self, arm: ArmId) -> Result<ArmKey, ArmError> {
        let key = self.arms.retire(arm)?;
        self.version = self.version.next();
        Ok(key)
    }

    /// Starts an arm anew, as when its market has changed. What comes in late for the old
    /// generation is refused.
    ///
    /// # Errors
    /// [`ArmError`] if the policy does not have it.
    pub fn restart(&mut self, arm: ArmId) -> Result<ArmKey, ArmError> {
        let key = self.arms.restart(arm, self.blank.clone())?;
        self.version = self.version.next();
        Ok(key)
    }

    /// The models of the eligible arms, where the context fits them.
    pub(super) fn models(
        &self,
        context: &Features,
        eligible: &Eligible,
    ) -> Result<Vec<&M>, SelectError> {
        let (found, expected) = (context.dimension(), self.blank.dimension());
        if found != expected {
            return Err(SelectError::Dimension { found, expected });
        }
        self.arms.held(eligible)
    }

    fn change(
        &mut self,
        outcomes: &[ContextualOutcome<'_, M::Reward>],
        change: Change,
    ) -> Result<PolicyVersion, FeedbackError> {
        if outcomes.is_empty() {
            return Ok(self.version);
        }
        let next = self.version.next();
        if next == self.version {
            return Err(FeedbackError::VersionsUsedUp);
        }
        let (dimension, forgetting, clock) = (self.blank.dimension(), self.forgetting, self.clock);
        if let [came] = outcomes {
            let place = self.arms.check(came.outcome.key)?;
            let lesson = came.lesson(dimension, forgetting, clock)?;
            // A model takes its lessons whole or not at all.
            change.apply(self.arms.at_mut(place), &[lesson], came.outcome.key)?;
        } else {
            let mut by_arm: BTreeMap<usize, (ArmKey, Vec<_>)> = BTreeMap::new();
            for came in outcomes {
                let key = came.outcome.key;
                let place = self.arms.check(key)?;
                let lesson = came.lesson(dimension, forgetting, clock)?;
                let lessons = &mut by_arm.entry(place).or_insert((key, Vec::new())).1;
                lessons.push(lesson);
            }
            let mut changed = Vec::with_capacity(by_arm.len());
            for (place, (key, lessons)) in by_arm {
                let mut model = self.arms.at(place).clone();
                change.apply(&mut model, &lessons, key)?;
                changed.push((place, model));
            }
            for (place, model) in changed {
                *self.arms.at_mut(place) = model;
            }
        }
        self.trials = match change {
            Change::Learn => self.trials.saturating_add(outcomes.len() as u64),
            Change::Unlearn => self.trials.saturating_sub(outcomes.len() as u64),
        };
        self.version = next;
        Ok(next)
    }
}

impl<M: LinearModel, E: Explorer<M>> Disjoint<M, E> {
    /// The same policy, with evidence that fades as the clock goes on: see [`Disjoint::advance`].
    ///
    /// # Errors
    /// [`ForgettingError`] for a discount out of range, for a window, which sums cannot be seen
    /// through, and once the policy has evidence.
    pub fn with_forgetting(mut self, forgetting: Forgetting) -> Result<Self, ForgettingError> {
        checked_forgetting(forgetting)?;
        if self
            .arms
            .iter()
            .any(|(_, model)| model.sums().lessons() > 0)
        {
            return Err(ForgettingError::HasEvidence);
        }
        self.forgetting = forgetting;
        Ok(self)
    }

    /// Sets the clock, after which older evidence counts less and what is believed returns towards
    /// the prior. A clock never goes back: an earlier hour changes nothing. Set it before the first
    /// feedback, which counts as of the clock's hour where its own is later.
    ///
    /// **Cost**: O(K d³), and nothing for a policy that forgets nothing.
    pub fn advance(&mut self, now: UtcHour) -> PolicyVersion {
        if now > self.clock && self.forgetting != Forgetting::Never {
            let share = share_left(self.forgetting, self.clock, now);
            self.clock = now;
            for model in self.arms.iter_mut() {
                model.fade(share);
            }
            self.version = self.version.next();
        }
        self.version
    }

    /// All that was learnt, without any prior: what shards exchange.
    pub fn evidence(&self) -> LinearEvidence {
        let arms = self.arms.iter();
        LinearEvidence {
            forgetting: self.forgetting,
            clock: self.clock,
            arms: arms
                .filter(|(_, model)| model.sums().lessons() > 0)
                .map(|(key, model)| (key, model.sums().clone()))
                .collect(),
        }
    }

    /// Learns from evidence that was gathered elsewhere. What is believed of the arms that learn is
    /// then a function of prior and evidence alone, whatever was merged first.
    ///
    /// **Cost**: O(d³) per arm of the evidence.
    ///
    /// # Errors
    /// [`FeedbackError`] if any of it cannot be taken; then none is. Evidence that fades must stand
    /// at the same hour: advance both first.
    pub fn merge(&mut self, evidence: &LinearEvidence) -> Result<PolicyVersion, FeedbackError> {
        if evidence.arms.is_empty() {
            return Ok(self.version);
        }
        let next = self.version.next();
        if next == self.version {
            return Err(FeedbackError::VersionsUsedUp);
        }
        if (evidence.forgetting, evidence.clock) != (self.forgetting, self.clock) {
            return Err(FeedbackError::OtherClock);
        }
        let mut merged = Vec::with_capacity(evidence.arms.len());
        for (&key, sums) in &evidence.arms {
            let place = self.arms.check(key)?;
            let mut model = self.arms.at(place).clone();
            model.merge(sums).map_err(|error| error.of(key))?;
            merged.push((place, model));
        }
        for (place, model) in merged {
            *self.arms.at_mut(place) = model;
        }
        let learnt = evidence.arms.values().map(LinearSums::lessons);
        self.trials = self.trials.saturating_add(learnt.sum());
        self.version = next;
        Ok(next)
    }

    /// Computes what is believed anew from the evidence: see [`LinearModel::refresh`].
    ///
    /// **Cost**: O(K d³).
    pub fn refresh(&mut self) -> PolicyVersion {
        for model in self.arms.iter_mut() {
            model.refresh();
        }
        self.version = self.version.next();
        self.version
    }
}

impl<M: Regressor, E: Explorer<M>> ContextualPolicy for Disjoint<M, E> {
    type Context = Features;
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
        context: &Features,
        eligible: &Eligible,
    ) -> Result<Propensities, SelectError> {
        let models = self.models(context, eligible)?;
        let Chances {
            probabilities,
            method,
        } = self.explorer.apart(&models, context, self.trials);
        Ok(Propensities::from_chances(
            eligible.iter().zip(probabilities),
            method,
        ))
    }

    fn select(
        &self,
        context: &Features,
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
