//! Feedback that comes late, in parts, twice, or in the wrong order.

mod lag;
mod snapshot;

use std::collections::BTreeMap;

use gaelp_core::{DecisionId, PolicyVersion, UtcHour};
use serde::{Deserialize, Serialize};

pub use lag::{LagDistribution, LagError};
use snapshot::Snapshot;

use crate::{FeedbackError, Outcome, Policy, Share};

/// What is known so far of what came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report<R> {
    /// The decision.
    pub decision: DecisionId,
    /// Of several reports the one with the highest revision holds.
    pub revision: u32,
    /// Whether more may still come in.
    pub stage: Stage,
    /// What came of it so far. Its `trial` is set here, by the stage and the age.
    pub outcome: Outcome<R>,
}

/// Whether a report is the last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// More may come in: the trial counts for the share of conversions that arrive by its age.
    Provisional,
    /// All that will come in has; a later revision may still correct it.
    Final,
}

/// What was done with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receipt {
    /// It was the first of its decision, and was learnt.
    Learnt,
    /// What was learnt from an earlier report was undone, and this learnt instead.
    Corrected,
    /// It was known already, and changed nothing.
    Repeated,
    /// A later revision was known already, so it changed nothing.
    Outdated,
}

/// A policy for feedback that arrives in any order, late, in batches, and more than once.
///
/// - **Once**: a decision is counted once, however often it is reported.
/// - **In any order**: the highest revision holds, whenever it came.
/// - **Corrected exactly**: a new revision first undoes what the last one taught, to the last bit.
/// - **In part**: a trial that may still convert counts only for the share of conversions that
///   arrive by its age, so waiting does not look like failing. [`Delayed::advance`] lets it age.
///
/// It keeps what it learnt of every decision until [`Delayed::close`]. Serialised, it is a snapshot
/// that is checked when restored, if its policy can be.
///
/// **Cost**: O(log decisions kept) and the policy's undo and update per report; advancing costs
/// that for every decision that is not final. 150 bytes per decision kept.
///
/// **Source**: the weights are those of Vernade, Cappé & Perchet (2017), Stochastic bandit models
/// for delayed conversions, §5.1, equation (5): successes ÷ Σ of the shares is unbiased.
///
/// ```
/// use gaelp_bandits::{
///     Bandit, BetaBernoulli, Delayed, LagDistribution, Outcome, Policy, Receipt, Report, Stage,
///     UnitReward,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let bandit = Bandit::new(BetaBernoulli::default(), (0..2).map(ArmId::new))?;
/// // Of the orders, half come within the hour, three quarters within two, all within three.
/// let mut policy = Delayed::new(bandit, LagDistribution::new(&[0.5, 0.75])?);
/// let (decision, hour) = (DecisionId::new(1), UtcHour::new(100));
/// let chosen = policy.policy().select(&policy.policy().all(), Seed::new(7), decision)?;
///
/// policy.advance(hour);
/// let mut report = Report {
///     decision,
///     revision: 0,
///     stage: Stage::Provisional,
///     outcome: Outcome::of(&chosen, hour, UnitReward::FAILURE),
/// };
/// assert_eq!(policy.receive(&[report])?, [Receipt::Learnt]);
/// assert_eq!(policy.receive(&[report])?, [Receipt::Repeated]);
/// let trials = |policy: &Delayed<Bandit<BetaBernoulli>>| -> f64 {
///     policy.policy().arms().map(|(_, seen)| seen.trials).sum()
/// };
/// assert_eq!(trials(&policy), 0.5);
/// policy.advance(UtcHour::new(101));
/// assert_eq!(trials(&policy), 0.75);
///
/// report.revision = 1;
/// report.stage = Stage::Final;
/// report.outcome.reward = UnitReward::SUCCESS;
/// assert_eq!(policy.receive(&[report])?, [Receipt::Corrected]);
/// assert_eq!(trials(&policy), 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot<P>", into = "Snapshot<P>")]
#[serde(bound(
    serialize = "P: Serialize + Clone, P::Reward: Serialize",
    deserialize = "P: Deserialize<'de>, P::Reward: Deserialize<'de>"
))]
pub struct Delayed<P: Policy> {
    policy: P,
    lag: LagDistribution,
    clock: UtcHour,
    closed: UtcHour,
    known: BTreeMap<DecisionId, Report<P::Reward>>,
}

impl<P: Policy> Delayed<P>
where
    P::Reward: PartialEq,
{
    /// A policy that is taught through reports only, with the law of how late conversions come.
    pub const fn new(policy: P, lag: LagDistribution) -> Self {
        Self {
            policy,
            lag,
            clock: UtcHour::new(i32::MIN),
            closed: UtcHour::new(i32::MIN),
            known: BTreeMap::new(),
        }
    }

    /// The policy, to choose by.
    pub const fn policy(&self) -> &P {
        &self.policy
    }

    /// The policy, to add and retire arms or set its clock. What is learnt past the reports cannot
    /// be corrected by them.
    pub const fn policy_mut(&mut self) -> &mut P {
        &mut self.policy
    }

    /// How many decisions are kept for corrections.
    pub fn open(&self) -> usize {
        self.known.len()
    }

    /// Takes in a batch of reports: whole or not at all.
    ///
    /// # Errors
    /// [`ReportError`] if any of it cannot be taken; then nothing is.
    pub fn receive(&mut self, reports: &[Report<P::Reward>]) -> Result<Vec<Receipt>, ReportError> {
        let mut receipts = Vec::with_capacity(reports.len());
        let mut latest: BTreeMap<DecisionId, Report<P::Reward>> = BTreeMap::new();
        for report in reports {
            let aged = self.aged(*report);
            let known = latest
                .get(&report.decision)
                .or_else(|| self.known.get(&report.decision));
            let receipt = self.compare(&aged, known)?;
            if matches!(receipt, Receipt::Learnt | Receipt::Corrected) {
                latest.insert(report.decision, aged);
            }
            receipts.push(receipt);
        }
        let undone: Vec<_> = latest
            .keys()
            .filter_map(|decision| self.known.get(decision))
            .map(|report| report.outcome)
            .collect();
        let learnt: Vec<_> = latest.values().map(|report| report.outcome).collect();
        self.policy.undo(&undone)?;
        if let Err(error) = self.policy.update(&learnt) {
            self.policy.update(&undone)?;
            return Err(error.into());
        }
        self.known.append(&mut latest);
        Ok(receipts)
    }

    /// What a report is to what is known of its decision.
    fn compare(
        &self,
        report: &Report<P::Reward>,
        known: Option<&Report<P::Reward>>,
    ) -> Result<Receipt, ReportError> {
        let decision = report.decision;
        let Some(known) = known else {
            return if report.outcome.at < self.closed {
                Err(ReportError::Closed { decision })
            } else {
                Ok(Receipt::Learnt)
            };
        };
        let about = |report: &Report<P::Reward>| {
            let Outcome {
                key,
                propensity,
                at,
                ..
            } = report.outcome;
            (key, propensity, at)
        };
        if about(report) != about(known) {
            return Err(ReportError::OtherChoice { decision });
        }
        let says = |report: &Report<P::Reward>| (report.stage, report.outcome.reward);
        match report.revision.cmp(&known.revision) {
            std::cmp::Ordering::Less => Ok(Receipt::Outdated),
            std::cmp::Ordering::Greater => Ok(Receipt::Corrected),
            std::cmp::Ordering::Equal if says(report) == says(known) => Ok(Receipt::Repeated),
            std::cmp::Ordering::Equal => Err(ReportError::Contradiction {
                decision,
                revision: report.revision,
            }),
        }
    }

    /// Sets the clock: trials that are not final count for the share that has arrived by now. A
    /// clock never goes back.
    ///
    /// What belongs to arms that were retired, or is too old to count, is let go.
    pub fn advance(&mut self, now: UtcHour) -> PolicyVersion {
        if now <= self.clock {
            return self.policy.version();
        }
        self.clock = now;
        let (policy, lag) = (&mut self.policy, &self.lag);
        self.known.retain(|_, report| {
            let trial = weight(lag, now, report);
            if trial == report.outcome.trial {
                return true;
            }
            let old = report.outcome;
            if policy.undo(std::slice::from_ref(&old)).is_err() {
                return false;
            }
            report.outcome.trial = trial;
            policy.update(std::slice::from_ref(&report.outcome)).is_ok()
        });
        self.policy.version()
    }

    /// Lets go of decisions made before an hour. What was learnt of them stays; reports of them are
    /// refused from now on.
    pub fn close(&mut self, before: UtcHour) {
        self.closed = self.closed.max(before);
        let closed = self.closed;
        self.known.retain(|_, report| report.outcome.at >= closed);
    }

    /// The report with the weight that its trial has now.
    fn aged(&self, mut report: Report<P::Reward>) -> Report<P::Reward> {
        report.outcome.trial = weight(&self.lag, self.clock, &report);
        report
    }
}

/// What share of the trial counts by now.
fn weight<R>(lag: &LagDistribution, now: UtcHour, report: &Report<R>) -> Share {
    match report.stage {
        Stage::Final => Share::FULL,
        Stage::Provisional => lag.arrived(now.since(report.outcome.at)),
    }
}

/// A report that cannot be taken. Nothing of its batch has been.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The policy refuses it.
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
    /// Its decision was let go.
    #[error("decision {decision} is closed")]
    Closed {
        /// The decision.
        decision: DecisionId,
    },
    /// Earlier reports of the decision are of another arm, hour or propensity.
    #[error("decision {decision} is reported for another arm, hour or propensity than before")]
    OtherChoice {
        /// The decision.
        decision: DecisionId,
    },
    /// Two reports of one revision differ.
    #[error("two reports of decision {decision}, revision {revision}, differ")]
    Contradiction {
        /// The decision.
        decision: DecisionId,
        /// The revision.
        revision: u32,
    },
}
