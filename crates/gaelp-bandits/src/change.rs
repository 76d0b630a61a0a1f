//! Noticing that an arm's market has changed, and starting that arm anew.

mod cusum;
mod glr;
mod snapshot;

use std::collections::BTreeMap;

use gaelp_core::{ArmId, DecisionId, PolicyVersion, PropensityMethod, Seed, UtcHour};
use serde::{Deserialize, Serialize};

pub use cusum::Cusum;
pub use glr::Glr;
use snapshot::Snapshot;

use crate::policy::choose;
use crate::{
    ArmError, ArmKey, ArmViolation, Bandit, Eligible, FeedbackError, Outcome, ParameterViolation,
    Policy, Propensities, Rule, SelectError, Selection, UnitReward,
};

/// A test, reward by reward, for a change of an arm's mean.
pub trait ChangeDetector {
    /// All parameters that cannot be used.
    fn violations(&self) -> Vec<ParameterViolation>;

    /// Takes in the next reward; says so when the mean has changed, after which the detector is
    /// done and a fresh one is needed.
    fn observe(&mut self, reward: UnitReward) -> Option<Shift>;
}

/// What a detector compared when it found a change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// The test's statistic.
    pub statistic: f64,
    /// What it had to reach.
    pub threshold: f64,
    /// The mean before.
    pub before: f64,
    /// The mean after, as far as it was seen.
    pub after: f64,
}

/// An arm that was started anew.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The life that ended.
    pub ended: ArmKey,
    /// The life that began.
    pub began: ArmKey,
    /// The hour of the reward that showed it.
    pub at: UtcHour,
    /// What was compared.
    pub shift: Shift,
}

/// A bandit that watches each of its arms for a change, starts an arm anew when it finds one, and
/// reports it. The other arms keep what they have learnt.
///
/// An arm that is not played shows no change. So with probability `exploration` any eligible arm
/// is chosen, all alike; propensities include it, and stay as exact as the rule's.
///
/// Detection follows the order in which rewards come in; what [`Policy::undo`] takes back is taken
/// from the evidence and not from the detectors. Serialised, it is a snapshot that is checked when
/// restored.
///
/// **Cost**: O(K) on top of the rule's to choose; a detector's step per reward, and a detector per
/// arm.
///
/// **Source**: Besson, Kaufmann, Maillard & Seznec (2022), Efficient change-point detection for
/// tackling piecewise-stationary bandits, algorithm 1 with local restarts; Liu, Lee & Shroff
/// (2018), A change-detection based framework for piecewise-stationary multi-armed bandit problem,
/// for the exploration.
///
/// ```
/// use gaelp_bandits::{Bandit, Glr, KlUcb, Outcome, Policy, Restarting, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let bandit = Bandit::new(KlUcb::default(), (0..2).map(ArmId::new))?;
/// let mut policy = Restarting::new(bandit, Glr::default(), 0.02)?;
/// for hour in 0..400 {
///     let decision = DecisionId::new(hour as u128);
///     let chosen = policy.select(&policy.all(), Seed::new(7), decision)?;
///     // Arm 0 is the best until hour 200, and then the worst.
///     let won = (chosen.key.arm == ArmId::new(0)) == (hour < 200);
///     let reward = if won { UnitReward::SUCCESS } else { UnitReward::FAILURE };
///     policy.update(&[Outcome::of(&chosen, UtcHour::new(hour), reward)])?;
/// }
/// let changes = policy.take_changes();
/// assert_eq!(changes[0].ended.arm, ArmId::new(0));
/// assert!((200..230).contains(&changes[0].at.get()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot<R, D>", into = "Snapshot<R, D>")]
#[serde(bound(
    serialize = "R: Rule + Clone + Serialize, D: Clone + Serialize",
    deserialize = "R: Rule<Reward = UnitReward> + Deserialize<'de>, \
                   D: ChangeDetector + Clone + Deserialize<'de>"
))]
pub struct Restarting<R, D> {
    bandit: Bandit<R>,
    /// A detector that has seen nothing.
    fresh: D,
    watched: Vec<(ArmKey, D)>,
    exploration: f64,
    changes: Vec<Change>,
}

impl<R, D> Restarting<R, D>
where
    R: Rule<Reward = UnitReward>,
    D: ChangeDetector + Clone,
{
    /// A bandit whose arms are watched by copies of a detector that has seen nothing.
    ///
    /// # Errors
    /// [`ArmError`] for parameters that cannot be used; the exploration is from 0 to 1.
    pub fn new(bandit: Bandit<R>, detector: D, exploration: f64) -> Result<Self, ArmError> {
        let mut violations = detector.violations();
        violations.extend(ParameterViolation::check(
            "exploration",
            exploration,
            0.0,
            1.0,
        ));
        if !violations.is_empty() {
            let violations = violations
                .into_iter()
                .map(ArmViolation::Parameter)
                .collect();
            return Err(ArmError::Invalid { violations });
        }
        Ok(Self {
            bandit,
            fresh: detector,
            watched: Vec::new(),
            exploration,
            changes: Vec::new(),
        })
    }

    /// The bandit. What is done to it directly, such as adding arms, the detectors follow.
    pub const fn bandit(&self) -> &Bandit<R> {
        &self.bandit
    }

    /// The bandit, to add and retire arms or set its clock.
    pub const fn bandit_mut(&mut self) -> &mut Bandit<R> {
        &mut self.bandit
    }

    /// The changes that were found since they were last taken.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    fn detector(&mut self, key: ArmKey) -> &mut D {
        let place = match self.watched.binary_search_by_key(&key, |(held, _)| *held) {
            Ok(place) => place,
            Err(place) => {
                self.watched.insert(place, (key, self.fresh.clone()));
                place
            }
        };
        &mut self.watched[place].1
    }
}

impl<R, D> Policy for Restarting<R, D>
where
    R: Rule<Reward = UnitReward>,
    D: ChangeDetector + Clone,
{
    type Reward = UnitReward;

    fn version(&self) -> PolicyVersion {
        self.bandit.version()
    }

    fn key(&self, arm: ArmId) -> Option<ArmKey> {
        Policy::key(&self.bandit, arm)
    }

    fn all(&self) -> Eligible {
        self.bandit.all()
    }

    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 arms")]
    fn propensities(&self, eligible: &Eligible) -> Result<Propensities, SelectError> {
        let own = self.bandit.propensities(eligible)?;
        if self.exploration <= 0.0 {
            return Ok(own);
        }
        let share = self.exploration / eligible.len() as f64;
        let mixed = eligible.iter().map(|arm| {
            let chance = own.get(arm).map_or(0.0, gaelp_core::Propensity::get);
            (arm, share + (1.0 - self.exploration) * chance)
        });
        let method: PropensityMethod = own.method();
        Ok(Propensities::from_chances(mixed, method))
    }

    fn select(
        &self,
        eligible: &Eligible,
        seed: Seed,
        decision: DecisionId,
    ) -> Result<Selection, SelectError> {
        let propensities = self.propensities(eligible)?;
        choose(self, &propensities, seed, decision)
    }

    fn update(&mut self, outcomes: &[Outcome<UnitReward>]) -> Result<PolicyVersion, FeedbackError> {
        self.bandit.update(outcomes)?;
        for outcome in outcomes {
            let ended = outcome.key;
            if Policy::key(&self.bandit, ended.arm) != Some(ended) {
                continue; // Started anew by an earlier outcome of this batch.
            }
            if let Some(shift) = self.detector(ended).observe(outcome.reward) {
                self.watched.retain(|(key, _)| *key != ended);
                if let Ok(began) = self.bandit.restart(ended.arm) {
                    self.changes.push(Change {
                        ended,
                        began,
                        at: outcome.at,
                        shift,
                    });
                }
            }
        }
        let living: BTreeMap<_, _> = self.bandit.arms().map(|(key, _)| (key, ())).collect();
        self.watched.retain(|(key, _)| living.contains_key(key));
        Ok(self.bandit.version())
    }

    fn undo(&mut self, outcomes: &[Outcome<UnitReward>]) -> Result<PolicyVersion, FeedbackError> {
        self.bandit.undo(outcomes)
    }
}
