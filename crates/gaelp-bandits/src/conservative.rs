//! Never much worse than what was done before.

mod snapshot;

use std::collections::BTreeMap;

use gaelp_core::{ArmId, DecisionId, PolicyVersion, Propensity, Seed};
use serde::{Deserialize, Serialize};

use snapshot::Snapshot;

use crate::numeric::elementary::ln;
use crate::rule::{kl_lower, kl_upper};
use crate::{
    ArmError, ArmKey, ArmViolation, Eligible, FeedbackError, Outcome, ParameterViolation, Policy,
    Propensities, SelectError, Selection, UnitReward,
};

/// What a conservative policy promises.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConservativeTerms {
    /// The arm that was played before: what the others are compared with.
    pub baseline: ArmId,
    /// α, from 0.001 to 1: how much of the baseline's reward may be risked.
    pub alpha: f64,
    /// δ, from 1e-12 to 0.5: with what probability the promise may be broken, ever.
    pub delta: f64,
}

/// Why the baseline was played instead of what the policy wanted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineReason {
    /// What the policy wanted.
    pub wanted: ArmKey,
    /// The reward that would have been certain with it, in sum over all decisions.
    pub certain: f64,
    /// What was promised: 1 − α of the baseline's at its most.
    pub promised: f64,
}

/// A choice of a [`Conservative`] policy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConservativeChoice {
    /// What is played.
    pub selection: Selection,
    /// Why it is the baseline, where that was forced.
    pub forced: Option<BaselineReason>,
}

/// A policy that keeps its sum of expected rewards above 1 − α of what the baseline alone would
/// have earned, at all times at once, with probability 1 − δ.
///
/// Another arm is played only where the rewards that are certain so far, taken at their lower
/// confidence bounds, with the baseline's own taken at whatever mean is the worst for the promise,
/// still keep it. What has not been fed back counts for nothing, so late feedback makes it more
/// careful, never less. The baseline's mean need not be known.
///
/// **Propensities**: what the policy's probability gives to arms that the promise forbids goes to
/// the baseline; as exact as the policy's.
///
/// Serialised, it is a snapshot that is checked when restored, if its policy can be.
///
/// **Cost**: a bisection per arm on top of the policy's, some 1 µs.
///
/// **Source**: Wu, Shariff, Lattimore & Szepesvári (2016), Conservative bandits: the promise,
/// algorithm 1, and its extension to a baseline that is not known. The bounds are
/// Chernoff's, nᵢ kl ≤ ln(2 K n (n + 1) ÷ δ), which hold for all n and arms together; the source
/// has sub-Gaussian ones.
///
/// ```
/// use gaelp_bandits::{Bandit, Conservative, ConservativeTerms, KlUcb};
/// use gaelp_core::{ArmId, DecisionId, Seed};
///
/// let terms = ConservativeTerms { baseline: ArmId::new(0), alpha: 0.1, delta: 0.05 };
/// let bandit = Bandit::new(KlUcb::default(), (0..3).map(ArmId::new))?;
/// let mut policy = Conservative::new(bandit, terms)?;
/// let all = policy.all();
/// let mut forced = 0;
/// for decision in (0..20).map(DecisionId::new) {
///     let choice = policy.select(&all, Seed::new(7), decision)?;
///     if let Some(reason) = choice.forced {
///         assert!(reason.certain < reason.promised);
///         assert_eq!(choice.selection.key.arm, terms.baseline);
///         forced += 1;
///     }
/// }
/// assert!(forced > 5); // nothing is certain yet
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot<P>", into = "Snapshot<P>")]
#[serde(bound(
    serialize = "P: Serialize + Clone",
    deserialize = "P: Policy<Reward = UnitReward> + Deserialize<'de>"
))]
pub struct Conservative<P> {
    policy: P,
    terms: ConservativeTerms,
    /// What was seen of every life of every arm: decisions, trials fed back, rewards.
    seen: BTreeMap<ArmKey, Record>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    chosen: u64,
    /// In millionths, so that undoing is exact.
    trials: i64,
    reward: i64,
}

impl<P: Policy<Reward = UnitReward>> Conservative<P> {
    /// A policy under these terms.
    ///
    /// # Errors
    /// [`ArmError`] for terms out of range, and if the policy does not have the baseline.
    pub fn new(policy: P, terms: ConservativeTerms) -> Result<Self, ArmError> {
        let all = [
            ParameterViolation::check("alpha", terms.alpha, 1e-3, 1.0),
            ParameterViolation::check("delta", terms.delta, 1e-12, 0.5),
        ];
        let violations: Vec<_> = all
            .into_iter()
            .flatten()
            .map(ArmViolation::Parameter)
            .collect();
        if !violations.is_empty() {
            return Err(ArmError::Invalid { violations });
        }
        if policy.key(terms.baseline).is_none() {
            return Err(ArmError::NotLiving {
                arm: terms.baseline,
            });
        }
        Ok(Self {
            policy,
            terms,
            seen: BTreeMap::new(),
        })
    }

    /// All arms of the policy.
    pub fn all(&self) -> Eligible {
        self.policy.all()
    }

    /// The policy.
    pub const fn policy(&self) -> &P {
        &self.policy
    }

    /// With what probability each eligible arm is chosen now.
    ///
    /// # Errors
    /// [`SelectError`] for an eligible arm, or a baseline, that the policy does not have or that
    /// is not eligible.
    pub fn propensities(&self, eligible: &Eligible) -> Result<Propensities, SelectError> {
        let arm = self.terms.baseline;
        if !eligible.contains(arm) {
            return Err(SelectError::NotLiving { arm });
        }
        let own = self.policy.propensities(eligible)?;
        let mut shifted = 0.0;
        let mut chances: Vec<_> = own
            .iter()
            .map(|(arm, propensity)| {
                let kept = self
                    .policy
                    .key(arm)
                    .is_some_and(|key| self.objection(key).is_none());
                if kept {
                    (arm, propensity.get())
                } else {
                    shifted += propensity.get();
                    (arm, 0.0)
                }
            })
            .collect();
        if shifted > 0.0 {
            match chances.binary_search_by_key(&arm, |&(arm, _)| arm) {
                Ok(place) => chances[place].1 += shifted,
                Err(place) => chances.insert(place, (arm, shifted)),
            }
        }
        chances.retain(|(_, chance)| *chance > 0.0);
        Ok(Propensities::from_chances(
            chances.into_iter(),
            own.method(),
        ))
    }

    /// Chooses, and counts the choice: until feedback comes, it counts as having earned nothing.
    ///
    /// # Errors
    /// [`SelectError`] for an eligible arm, or a baseline, that the policy does not have or that
    /// is not eligible.
    pub fn select(
        &mut self,
        eligible: &Eligible,
        seed: Seed,
        decision: DecisionId,
    ) -> Result<ConservativeChoice, SelectError> {
        let propensities = self.propensities(eligible)?;
        let wanted = self.policy.select(eligible, seed, decision)?;
        let forced = self.objection(wanted.key);
        let arm = self.terms.baseline;
        let key = match forced {
            None => wanted.key,
            Some(_) => self.policy.key(arm).ok_or(SelectError::NotLiving { arm })?,
        };
        let selection = Selection {
            key,
            propensity: propensities.get(key.arm).unwrap_or(Propensity::CERTAIN),
            ..wanted
        };
        self.seen.entry(key).or_default().chosen += 1;
        Ok(ConservativeChoice { selection, forced })
    }

    /// Learns from a batch, as the policy does.
    ///
    /// # Errors
    /// [`FeedbackError`] if any of it cannot be taken; then nothing is.
    pub fn update(
        &mut self,
        outcomes: &[Outcome<UnitReward>],
    ) -> Result<PolicyVersion, FeedbackError> {
        let version = self.policy.update(outcomes)?;
        self.record(outcomes, 1);
        Ok(version)
    }

    /// Takes a batch back, as the policy does.
    ///
    /// # Errors
    /// [`FeedbackError`] if any of it cannot be taken back; then nothing is.
    pub fn undo(
        &mut self,
        outcomes: &[Outcome<UnitReward>],
    ) -> Result<PolicyVersion, FeedbackError> {
        let version = self.policy.undo(outcomes)?;
        self.record(outcomes, -1);
        Ok(version)
    }

    fn record(&mut self, outcomes: &[Outcome<UnitReward>], sign: i64) {
        for outcome in outcomes {
            let record = self.seen.entry(outcome.key).or_default();
            record.trials += sign * i64::from(outcome.trial.millionths());
            record.reward += sign * i64::from(outcome.reward.millionths());
        }
    }

    /// Why an arm must not be played now.
    fn objection(&self, wanted: ArmKey) -> Option<BaselineReason> {
        let baseline = self.policy.key(self.terms.baseline)?;
        if wanted == baseline {
            return None;
        }
        let mut lives: Vec<_> = self
            .seen
            .iter()
            .map(|(key, record)| (*key, *record))
            .collect();
        if !self.seen.contains_key(&wanted) {
            lives.push((wanted, Record::default()));
        }
        let count = f64::from(u32::try_from(lives.len() + 1).unwrap_or(u32::MAX));
        let (mut certain, mut decisions, mut of_baseline) = (0.0, 1.0, 0.0);
        for (key, record) in &lives {
            decisions += record.chosen();
            if *key == baseline {
                of_baseline = record.chosen();
            } else {
                let lower = record.lower(self.evidence(record, count));
                certain += record.trials() * lower;
                if *key == wanted {
                    certain += lower;
                }
            }
        }
        let own = self.seen.get(&baseline).copied().unwrap_or_default();
        let evidence = self.evidence(&own, count);
        // The baseline's mean appears on both sides: taken where the promise is hardest to keep.
        let share = 1.0 - self.terms.alpha;
        let mean = if of_baseline < share * decisions {
            own.upper(evidence)
        } else {
            own.lower(evidence)
        };
        let reason = BaselineReason {
            wanted,
            certain: certain + of_baseline * mean,
            promised: share * decisions * mean,
        };
        (reason.certain < reason.promised).then_some(reason)
    }

    /// nᵢ kl may reach this in all trials of all arms, but with probability δ.
    fn evidence(&self, record: &Record, arms: f64) -> f64 {
        let n = record.trials().max(1.0);
        ln(2.0 * arms * n * (n + 1.0) / self.terms.delta)
    }
}

#[expect(clippy::cast_precision_loss, reason = "statistics")]
impl Record {
    fn chosen(&self) -> f64 {
        self.chosen as f64
    }

    fn trials(&self) -> f64 {
        self.trials.max(0) as f64 / 1e6
    }

    fn mean(&self) -> f64 {
        (self.reward as f64 / self.trials.max(1) as f64).clamp(0.0, 1.0)
    }

    fn lower(&self, evidence: f64) -> f64 {
        if self.trials <= 0 {
            return 0.0;
        }
        kl_lower(self.mean(), evidence / self.trials()).max(0.0)
    }

    fn upper(&self, evidence: f64) -> f64 {
        if self.trials <= 0 {
            return 1.0;
        }
        kl_upper(self.mean(), evidence / self.trials())
    }
}
