//! What has no say: rules that are only observed, and a policy on trial.

use gaelp_core::{AdSetKey, DecisionId, HourSpan, Micros, Reason};
use gaelp_guardrails::{Context, PolicyHash, Verdict};
use serde::{Deserialize, Serialize};

use crate::ad_set::AdSet;
use crate::{Record, Rollout, seeded};

/// What was said of a decision and did not count.
///
/// It is recorded beside the decision where rules are only
/// [observed](gaelp_guardrails::GuardrailConfig::observe) and one of them objected, and wherever a
/// [candidate](crate::RolloutConfig::candidate) is on trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// Of which decision.
    pub decision: DecisionId,
    /// Of which ad set.
    pub key: AdSetKey,
    /// For which hours.
    pub span: HourSpan,
    /// What rules of the policy in force said that are only observed.
    pub observed: Vec<Reason>,
    /// What the candidate would have allowed, and why; `None` where none is on trial.
    pub candidate: Option<Tried>,
}

/// The verdict of a policy on trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The digest of the policy.
    pub policy: PolicyHash,
    /// What it would have said. It was handed the same facts and the same proposal as the policy
    /// in force, and remembers its own freezes.
    pub verdict: Verdict,
}

impl Rollout {
    /// Asks the candidate about what the policy in force was asked.
    pub(crate) fn tried<'a>(
        &self,
        ad_set: &'a AdSet,
        context: impl FnOnce() -> Context<'a>,
        proposed: Micros,
    ) -> Option<Tried> {
        let policy = self.candidate.as_ref()?;
        let rules = policy.config();
        let beside = Context {
            memory: ad_set.trial_memory,
            audience: ad_set.audience(rules),
            usual: ad_set.usual_spend(spike_weeks(rules)),
            ..context()
        };
        Some(Tried {
            policy: policy.hash(),
            verdict: policy.evaluate(&beside, proposed),
        })
    }

    /// Records what did not count, where there is anything.
    pub(crate) fn note_trial(&mut self, trial: TrialRecord, records: &mut Vec<Record>) {
        let Some(ad_set) = self.ad_sets.get_mut(&trial.key) else {
            return;
        };
        if let Some(tried) = &trial.candidate {
            ad_set.trial_memory = tried.verdict.memory;
            if !seeded::kept(!tried.verdict.reasons.is_empty()) {
                return;
            }
        } else if trial.observed.is_empty() {
            return;
        }
        records.push(Record::Trial(Box::new(trial)));
    }
}

/// Over how many weeks a policy looks for a spike of spend; `None` where it does not.
pub(crate) fn spike_weeks(rules: &gaelp_guardrails::GuardrailConfig) -> Option<u32> {
    rules.max_spike.map(|_| rules.spike_min_weeks.max(1))
}
