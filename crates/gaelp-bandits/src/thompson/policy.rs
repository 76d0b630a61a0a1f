//! [`BetaThompson`] as a [`Policy`].

use gaelp_core::{ArmId, DecisionId, PolicyVersion, Seed};

use super::{BetaThompson, Change, in_sums};
use crate::{
    ArmKey, Eligible, Feedback, FeedbackError, Outcome, Policy, Propensities, SelectError,
    Selection, Share, UnitReward,
};

impl BetaThompson {
    /// Whether all eligible arms live.
    fn living(&self, eligible: &Eligible) -> Result<(), SelectError> {
        let missing = eligible.iter().find(|&arm| self.place(arm).is_err());
        missing.map_or(Ok(()), |arm| Err(SelectError::NotLiving { arm }))
    }

    fn learn(
        &mut self,
        outcomes: &[Outcome<UnitReward>],
        change: Change,
    ) -> Result<PolicyVersion, FeedbackError> {
        for outcome in outcomes {
            let live = Policy::key(self, outcome.key.arm);
            self.retired
                .check(outcome.key, live.map(|key| key.generation))?;
            if outcome.trial != Share::FULL {
                return Err(FeedbackError::PartOfTrial { key: outcome.key });
            }
        }
        let sums = outcomes.iter().map(|outcome| {
            in_sums(Feedback {
                arm: outcome.key.arm,
                reward: outcome.reward,
            })
        });
        self.change(sums, change)
    }
}

impl Policy for BetaThompson {
    type Reward = UnitReward;

    fn version(&self) -> PolicyVersion {
        self.version
    }

    fn key(&self, arm: ArmId) -> Option<ArmKey> {
        let place = self.place(arm).ok()?;
        let generation = self.arms.get(place)?.generation;
        Some(ArmKey { arm, generation })
    }

    fn all(&self) -> Eligible {
        self.all()
    }

    fn propensities(&self, eligible: &Eligible) -> Result<Propensities, SelectError> {
        self.living(eligible)?;
        Ok(self.propensities(eligible))
    }

    fn select(
        &self,
        eligible: &Eligible,
        seed: Seed,
        decision: DecisionId,
    ) -> Result<Selection, SelectError> {
        self.living(eligible)?;
        let choice = self.select(eligible, seed, decision);
        let arm = choice.arm;
        Ok(Selection {
            key: Policy::key(self, arm).ok_or(SelectError::NotLiving { arm })?,
            propensity: choice.propensity,
            method: choice.method,
            policy: choice.policy,
        })
    }

    fn update(&mut self, outcomes: &[Outcome<UnitReward>]) -> Result<PolicyVersion, FeedbackError> {
        self.learn(outcomes, Change::Add)
    }

    fn undo(&mut self, outcomes: &[Outcome<UnitReward>]) -> Result<PolicyVersion, FeedbackError> {
        self.learn(outcomes, Change::TakeBack)
    }
}
