//! Arms, their evidence, and a rule that chooses by it.

mod evidence;
mod snapshot;

use gaelp_core::{ArmId, DecisionId, PolicyVersion, PropensityMethod, Seed, UtcHour};
use serde::{Deserialize, Serialize};

use evidence::History;
pub use evidence::HourlyEvidence;
use snapshot::Snapshot;

use crate::arm::Roster;
use crate::policy::choose;
use crate::{
    ArmError, ArmKey, Eligible, FeedbackError, Figures, Forgetting, ForgettingError, Outcome,
    ParameterViolation, Policy, Propensities, SelectError, Selection, Tally,
};

/// How a bandit chooses by what it has seen.
///
/// A rule holds parameters and no state. It says what an outcome adds to the evidence, and with
/// what probability each arm is chosen given the evidence. Everything else is [`Bandit`]'s:
/// lifes of arms, undoing, forgetting, merging, snapshots, drawing.
pub trait Rule {
    /// What a choice earns.
    type Reward: Copy;

    /// All parameters that cannot be used.
    fn violations(&self) -> Vec<ParameterViolation>;

    /// What an outcome adds to its arm's evidence.
    ///
    /// # Errors
    /// [`FeedbackError`] for values that the rule cannot learn from.
    fn tally(&self, outcome: &Outcome<Self::Reward>) -> Result<Tally, FeedbackError>;

    /// The probability of every arm of the table to be chosen.
    fn chances(&self, table: &Table<'_>) -> Chances;
}

/// What a rule chooses by.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The evidence of the eligible arms, by rising id: at least one.
    pub arms: &'a [Figures],
    /// The trials of all living arms, the ineligible ones included.
    pub trials: f64,
}

/// The probabilities of the arms, in the order of the table, and how they were computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Chances {
    /// One probability for each arm.
    pub probabilities: Vec<f64>,
    /// How they were computed.
    pub method: PropensityMethod,
}

/// A rule over arms that come and go, with evidence that can be undone, forgotten and merged.
///
/// **Shape**: K arms, none of which influences another.
///
/// **Cost**: choosing is the rule's; learning O(log K), and with forgetting also O(hours kept) for
/// the arm. 100 bytes per arm, and with forgetting as much per hour that is kept.
///
/// ```
/// use gaelp_bandits::{Bandit, FeedbackError, KlUcb, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut policy = Bandit::new(KlUcb::default(), (0..3).map(ArmId::new))?;
/// let hour = UtcHour::new(490_000);
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// policy.update(&[Outcome::of(&chosen, hour, UnitReward::new(0.4)?)])?;
///
/// // The arm is retired. What still comes in for it is refused, even under a new life of its id.
/// policy.retire(chosen.key.arm)?;
/// let late = [Outcome::of(&chosen, hour, UnitReward::SUCCESS)];
/// assert_eq!(policy.update(&late), Err(FeedbackError::Retired { key: chosen.key }));
/// let again = policy.add(chosen.key.arm)?;
/// assert_eq!(again.generation.get(), 1);
/// assert!(policy.update(&late).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot<R>", into = "Snapshot<R>")]
#[serde(bound(
    serialize = "R: Serialize + Clone",
    deserialize = "R: Rule + Deserialize<'de>"
))]
pub struct Bandit<R> {
    rule: R,
    forgetting: Forgetting,
    /// What is younger than this is not forgotten.
    clock: UtcHour,
    version: PolicyVersion,
    arms: Roster<Slot>,
}

/// What was seen of a living arm.
#[derive(Clone, Debug, Default, PartialEq)]
struct Slot {
    history: History,
    /// The history as the rule sees it now.
    figures: Figures,
}

impl<R: Rule> Bandit<R> {
    /// A bandit that has seen nothing, and forgets nothing. The order of the arms does not matter.
    ///
    /// # Errors
    /// [`ArmError`] if there are no arms, or with all duplicates and all parameters of the rule
    /// that cannot be used.
    pub fn new(rule: R, arms: impl IntoIterator<Item = ArmId>) -> Result<Self, ArmError> {
        let arms = Roster::new(arms, Slot::default, rule.violations())?;
        Ok(Self {
            rule,
            forgetting: Forgetting::Never,
            clock: UtcHour::new(i32::MIN),
            version: PolicyVersion::default(),
            arms,
        })
    }

    /// The same bandit, with evidence that fades as the clock goes on: see [`Bandit::advance`].
    ///
    /// # Errors
    /// [`ForgettingError`] for parameters out of range, and once the bandit has evidence, because
    /// the hours of that may not have been kept.
    pub fn with_forgetting(mut self, forgetting: Forgetting) -> Result<Self, ForgettingError> {
        forgetting.check()?;
        if self.arms.iter().any(|(_, slot)| !slot.history.is_empty()) {
            return Err(ForgettingError::HasEvidence);
        }
        self.forgetting = forgetting;
        Ok(self)
    }

    /// The rule.
    pub const fn rule(&self) -> &R {
        &self.rule
    }

    /// Sets the clock, after which older evidence counts less. A clock never goes back: an earlier
    /// hour changes nothing.
    ///
    /// **Cost**: O(K × hours kept), and nothing for a bandit that forgets nothing.
    pub fn advance(&mut self, now: UtcHour) -> PolicyVersion {
        if now > self.clock && self.forgetting != Forgetting::Never {
            self.clock = now;
            let (forgetting, clock) = (self.forgetting, self.clock);
            for slot in self.arms.iter_mut() {
                slot.history.prune(forgetting, clock);
                slot.figures = slot.history.figures(forgetting, clock);
            }
            self.version = self.version.next();
        }
        self.version
    }

    /// Adds an arm. An id that was retired starts a new generation.
    ///
    /// # Errors
    /// [`ArmError`] if the arm lives already.
    pub fn add(&mut self, arm: ArmId) -> Result<ArmKey, ArmError> {
        let key = self.arms.add(arm, Slot::default())?;
        self.version = self.version.next();
        Ok(key)
    }

    /// Retires an arm with all that was learnt of it. Feedback for it is refused from now on.
    ///
    /// # Errors
    /// [`ArmError`] if the bandit does not have it, or has no other.
    pub fn retire(&mut self, arm: ArmId) -> Result<ArmKey, ArmError> {
        let key = self.arms.retire(arm)?;
        self.version = self.version.next();
        Ok(key)
    }

    /// Starts an arm anew: all that was learnt of it is dropped, as when its market has changed.
    /// What comes in late for the old generation is refused.
    ///
    /// # Errors
    /// [`ArmError`] if the bandit does not have it.
    pub fn restart(&mut self, arm: ArmId) -> Result<ArmKey, ArmError> {
        let key = self.arms.restart(arm, Slot::default())?;
        self.version = self.version.next();
        Ok(key)
    }

    /// The living arms with what was seen of them, by rising id.
    pub fn arms(&self) -> impl ExactSizeIterator<Item = (ArmKey, Figures)> + '_ {
        self.arms.iter().map(|(key, slot)| (key, slot.figures))
    }

    /// The living arms that `keep` keeps.
    ///
    /// # Errors
    /// [`SelectError::NoneEligible`] if it keeps none.
    pub fn eligible(&self, keep: impl FnMut(ArmId) -> bool) -> Result<Eligible, SelectError> {
        self.arms.eligible(keep)
    }

    /// All that was learnt, without any prior: what shards exchange.
    pub fn evidence(&self) -> HourlyEvidence {
        HourlyEvidence::of(self.arms.iter().map(|(key, slot)| (key, &slot.history)))
    }

    /// Learns from evidence that was gathered elsewhere.
    ///
    /// # Errors
    /// [`FeedbackError`] if any of it cannot be taken; then none is.
    pub fn merge(&mut self, evidence: &HourlyEvidence) -> Result<PolicyVersion, FeedbackError> {
        let entries: Vec<_> = evidence.iter().collect();
        self.change(&entries, Tally::plus)
    }

    /// What an outcome adds, and where.
    fn entry(&self, outcome: &Outcome<R::Reward>) -> Result<Entry, FeedbackError> {
        let hour = match self.forgetting {
            Forgetting::Never => UtcHour::new(0),
            _ => outcome.at,
        };
        Ok((outcome.key, hour, self.rule.tally(outcome)?))
    }

    fn change(
        &mut self,
        entries: &[Entry],
        with: fn(Tally, Tally) -> Option<Tally>,
    ) -> Result<PolicyVersion, FeedbackError> {
        let refusal = |key: ArmKey| {
            if std::ptr::fn_addr_eq(with, Tally::plus as fn(Tally, Tally) -> Option<Tally>) {
                FeedbackError::Full { arm: key.arm }
            } else {
                FeedbackError::NotRecorded { arm: key.arm }
            }
        };
        if entries.is_empty() {
            return Ok(self.version);
        }
        let next = self.version.next();
        if next == self.version {
            return Err(FeedbackError::VersionsUsedUp);
        }
        // Checked on copies of the histories that change: small, and nothing is ever half done.
        let mut changed: Vec<(usize, History)> = Vec::new();
        for &(key, hour, tally) in entries {
            let place = self.arms.check(key)?;
            if self.forgetting.weight(self.clock, hour) <= 0.0 {
                return Err(FeedbackError::Forgotten { key, at: hour });
            }
            let held = changed.iter().position(|(held, _)| *held == place);
            let copy = held.unwrap_or_else(|| {
                changed.push((place, self.arms.at(place).history.clone()));
                changed.len() - 1
            });
            let history = &mut changed[copy].1;
            history
                .change(hour, tally, with)
                .ok_or_else(|| refusal(key))?;
        }
        for (place, history) in changed {
            let slot = self.arms.at_mut(place);
            slot.figures = history.figures(self.forgetting, self.clock);
            slot.history = history;
        }
        self.version = next;
        Ok(next)
    }

    /// The eligible arms' evidence.
    pub(crate) fn seen(&self, eligible: &Eligible) -> Result<Vec<Figures>, SelectError> {
        let slots = self.arms.held(eligible)?;
        Ok(slots.into_iter().map(|slot| slot.figures).collect())
    }

    fn chances(&self, eligible: &Eligible) -> Result<Chances, SelectError> {
        let seen = self.seen(eligible)?;
        Ok(self.rule.chances(&Table {
            arms: &seen,
            trials: self.arms.iter().map(|(_, slot)| slot.figures.trials).sum(),
        }))
    }
}

/// One change of evidence.
type Entry = (ArmKey, UtcHour, Tally);

impl<R: Rule> Policy for Bandit<R> {
    type Reward = R::Reward;

    fn version(&self) -> PolicyVersion {
        self.version
    }

    fn key(&self, arm: ArmId) -> Option<ArmKey> {
        self.arms.key(arm)
    }

    fn all(&self) -> Eligible {
        self.arms.all()
    }

    fn propensities(&self, eligible: &Eligible) -> Result<Propensities, SelectError> {
        let Chances {
            probabilities,
            method,
        } = self.chances(eligible)?;
        Ok(Propensities::from_chances(
            eligible.iter().zip(probabilities),
            method,
        ))
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

    fn update(&mut self, outcomes: &[Outcome<R::Reward>]) -> Result<PolicyVersion, FeedbackError> {
        let entries: Result<Vec<_>, _> = outcomes.iter().map(|one| self.entry(one)).collect();
        self.change(&entries?, Tally::plus)
    }

    fn undo(&mut self, outcomes: &[Outcome<R::Reward>]) -> Result<PolicyVersion, FeedbackError> {
        let entries: Result<Vec<_>, _> = outcomes.iter().map(|one| self.entry(one)).collect();
        self.change(&entries?, Tally::minus)
    }
}
