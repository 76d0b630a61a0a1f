//! The policy in force, the one on trial and the one that waits.

use gaelp_core::{Micros, PersonId, UtcHour};
use serde::{Deserialize, Serialize};

use super::fields::{Direction, FieldChange, changes, narrowed};
use super::{Policy, PolicyHash};
use crate::{ConfigViolations, Context, GuardrailConfig, Memory, Verdict};

/// The policy in force; a candidate that is evaluated beside it and decides nothing; and a wider
/// policy that waits.
///
/// What narrows takes effect at once. What widens waits for its delay and for the approval of
/// somebody else than who proposed it. Since a delay only helps where somebody looks, both are
/// needed. A new proposal replaces one that waits.
///
/// ```
/// use gaelp_core::UtcHour;
/// use gaelp_guardrails::{GuardrailConfig, Policies, Policy};
///
/// let config = GuardrailConfig::default(); // 10.00 a day, raises of 10 % an hour
/// let mut policies = Policies::new(Policy::new(config.clone())?, 24);
/// let monday = UtcHour::new(500_000);
/// let proposal = GuardrailConfig {
///     daily_cap: "20.00".parse()?,
///     delta_max: 0.05.try_into()?,
///     ..config
/// };
/// let proposed = policies.propose(proposal, "ada".into(), monday)?;
/// let live = policies.live().config();
/// assert_eq!(live.delta_max, 0.05.try_into()?); // at once
/// assert_eq!(live.daily_cap, "10.00".parse()?);
///
/// let waiting = proposed.waits.ok_or("a wider cap waits")?;
/// assert!(policies.approve(waiting, "ada".into(), monday).is_err());
/// policies.approve(waiting, "bob".into(), monday.plus(1))?;
/// assert_eq!(policies.advance(monday.plus(23)), None);
/// assert_eq!(policies.advance(monday.plus(24)), Some(waiting));
/// assert_eq!(policies.live().config().daily_cap, "20.00".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    live: Policy,
    candidate: Option<Policy>,
    pending: Option<Pending>,
    widening_delay_hours: u32,
}

/// A policy that waits until it may widen the one in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// What is proposed.
    pub policy: Policy,
    /// By whom.
    pub proposed_by: PersonId,
    /// When.
    pub proposed_at: UtcHour,
    /// Who approved it, where somebody has.
    pub approval: Option<Approval>,
}

/// That somebody else agreed to a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: UtcHour,
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what widens waits, and somebody has to approve it"]
pub struct Proposed {
    /// What it changes.
    pub changes: Vec<FieldChange>,
    /// The policy in force after it.
    pub live: PolicyHash,
    /// The policy that waits for its time and for an approval; `None` where nothing widens.
    pub waits: Option<PolicyHash>,
}

/// What both policies say about the same facts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the verdict in force has to be obeyed"]
pub struct Both {
    /// The one in force: this is what is done.
    pub live: Verdict,
    /// The candidate: this is what would be done.
    pub candidate: Option<Verdict>,
}

/// Why a proposal is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// Its settings are not valid.
    #[error("{0}")]
    Invalid(ConfigViolations),
    /// What it narrows would be in force alone until the rest is, and is not valid by itself:
    /// propose it in two steps.
    #[error("what it narrows is not valid by itself: {0}")]
    InvalidAlone(ConfigViolations),
}

/// Why an approval is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// No such policy waits; it may have been replaced.
    #[error("no policy {0} waits for an approval")]
    NotWaiting(PolicyHash),
    /// Who proposed it cannot approve it.
    #[error("a proposal is approved by somebody else than who made it")]
    SamePerson,
}

impl Policies {
    /// A policy in force, and how many hours what widens it has to wait.
    pub const fn new(live: Policy, widening_delay_hours: u32) -> Self {
        Self {
            live,
            candidate: None,
            pending: None,
            widening_delay_hours,
        }
    }

    /// The policy in force.
    pub const fn live(&self) -> &Policy {
        &self.live
    }

    /// The policy on trial.
    pub const fn candidate(&self) -> Option<&Policy> {
        self.candidate.as_ref()
    }

    /// The policy that waits.
    pub const fn pending(&self) -> Option<&Pending> {
        self.pending.as_ref()
    }

    /// Evaluates a policy beside the one in force from now on, or none. It has no say, so it needs
    /// no approval.
    pub fn try_out(&mut self, candidate: Option<Policy>) {
        self.candidate = candidate;
    }

    /// Proposes settings: what narrows takes effect now, what widens waits.
    ///
    /// # Errors
    /// [`ProposalError`], and nothing is changed.
    pub fn propose(
        &mut self,
        config: GuardrailConfig,
        by: PersonId,
        now: UtcHour,
    ) -> Result<Proposed, ProposalError> {
        let policy = Policy::new(config).map_err(ProposalError::Invalid)?;
        let (old, new) = (self.live.config(), policy.config());
        let changes = changes(old, new);
        let live = narrowed(old, new);
        self.live = Policy::new(live).map_err(ProposalError::InvalidAlone)?;
        let widens = |change: &FieldChange| change.direction == Direction::Wider;
        self.pending = changes.iter().any(widens).then_some(Pending {
            policy,
            proposed_by: by,
            proposed_at: now,
            approval: None,
        });
        Ok(Proposed {
            changes,
            live: self.live.hash(),
            waits: self.pending.as_ref().map(|pending| pending.policy.hash()),
        })
    }

    /// Approves the policy that waits, by its digest.
    ///
    /// # Errors
    /// [`ApprovalError`] where another or none waits, or the same person proposed it.
    pub fn approve(
        &mut self,
        hash: PolicyHash,
        by: PersonId,
        now: UtcHour,
    ) -> Result<(), ApprovalError> {
        let waiting = self.pending.as_mut();
        let waiting = waiting.filter(|pending| pending.policy.hash() == hash);
        let pending = waiting.ok_or(ApprovalError::NotWaiting(hash))?;
        if pending.proposed_by == by {
            return Err(ApprovalError::SamePerson);
        }
        pending.approval.get_or_insert(Approval { by, at: now });
        Ok(())
    }

    /// Takes the proposal back that waits.
    pub fn withdraw(&mut self) -> Option<Pending> {
        self.pending.take()
    }

    /// Puts the policy that waits into force where it is approved and its time has come; its
    /// digest, where that happened. To be called every hour.
    pub fn advance(&mut self, now: UtcHour) -> Option<PolicyHash> {
        let delay = i64::from(self.widening_delay_hours);
        let due = |pending: &mut Pending| {
            pending.approval.is_some() && now.since(pending.proposed_at) >= delay
        };
        let pending = self.pending.take_if(due)?;
        self.live = pending.policy;
        Some(self.live.hash())
    }

    /// What the policy in force and the candidate say about the same facts.
    ///
    /// The candidate has a memory of its own, from its own last verdict on the ad set.
    pub fn evaluate(
        &self,
        context: &Context<'_>,
        candidate_memory: Memory,
        proposed: Micros,
    ) -> Both {
        let beside = Context {
            memory: candidate_memory,
            ..*context
        };
        let candidate = self.candidate.as_ref();
        Both {
            live: self.live.evaluate(context, proposed),
            candidate: candidate.map(|policy| policy.evaluate(&beside, proposed)),
        }
    }
}
