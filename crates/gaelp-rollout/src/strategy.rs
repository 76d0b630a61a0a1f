//! The choices of an ad set, and what each would have been worth.

use gaelp_bandits::{
    ArmError, BetaPrior, BetaThompson, Eligible, Feedback, PreparedThompson, UnitReward,
};
use gaelp_core::{ArmId, Choice, DecisionId, Metrics, Micros, Ratio, Rounding, Seed};
use serde::{Deserialize, Serialize};

use crate::{Lambda, RolloutConfig};

/// One half, in millionths: the reward of holding.
const EVEN: i128 = 500_000;

/// The multipliers as arms, and the model that scores them.
///
/// **The reward of a multiplier.** No hour shows what another budget would have earned. So each
/// closed day scores every multiplier m by a model: spend would have been C · m, revenue
/// R · m^elasticity, value = margin · R · m^elasticity − (1 + λ) · C · m. Its reward is
/// ½ + (value(m) − value(1)) ÷ (2 · daily target), clipped to [0, 1]: the advantage over holding,
/// counted in daily budgets. Money keeps its size, so one good order outweighs many quiet hours as
/// it does in the till; a reward that only counted good hours would starve a shop that sells twice
/// a day. The same scores are used in every mode: what shadow shows is what pilot does.
#[derive(Clone, Debug)]
pub(crate) struct Strategy {
    multipliers: Vec<Ratio>,
    /// m^elasticity, rounded to millionths once, so that scoring is exact on every machine.
    responses: Vec<Ratio>,
    margin: Ratio,
    target: Micros,
}

impl Strategy {
    pub(crate) fn new(config: &RolloutConfig) -> Self {
        let elasticity = config.response_elasticity.to_f64();
        let response = |m: &Ratio| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "multipliers are at most 10"
            )]
            let ppm = (m.to_f64().powf(elasticity) * 1e6).round() as i64;
            Ratio::from_ppm(ppm)
        };
        Self {
            responses: config.multipliers.iter().map(response).collect(),
            multipliers: config.multipliers.clone(),
            margin: config.margin,
            target: config.daily_budget_target,
        }
    }

    /// Whether a restored policy chooses among these multipliers.
    pub(crate) fn fits(&self, learner: &Learner) -> bool {
        self.arms().eq(learner.policy.arms().map(|arm| arm.id))
    }

    /// Whether an arm asks for more than the one that is believed to be best.
    pub(crate) fn explores(&self, learner: &Learner, arm: ArmId) -> bool {
        let best = learner
            .policy
            .arms()
            .max_by(|a, b| a.mean().total_cmp(&b.mean()).then(b.id.cmp(&a.id)));
        best.is_some_and(|best| self.multiplier(arm) > self.multiplier(best.id).max(Ratio::ONE))
    }

    /// A policy that knows nothing yet.
    pub(crate) fn policy(&self) -> Result<BetaThompson, ArmError> {
        BetaThompson::new(self.arms().map(|arm| (arm, BetaPrior::default())))
    }

    pub(crate) fn multiplier(&self, arm: ArmId) -> Ratio {
        usize::try_from(arm.get())
            .ok()
            .and_then(|index| self.multipliers.get(index).copied())
            .unwrap_or(Ratio::ONE)
    }

    fn arms(&self) -> impl Iterator<Item = ArmId> {
        (0_u32..)
            .zip(&self.multipliers)
            .map(|(number, _)| ArmId::new(number))
    }

    /// What each multiplier would have earned on a day with these metrics; `None` where the day
    /// says nothing, because nothing was spent and nothing came in.
    pub(crate) fn score(&self, day: &Metrics, lambda: Lambda) -> Option<Vec<Feedback>> {
        if day.spend.is_zero() && day.revenue.is_zero() {
            return None;
        }
        let income = day.revenue.checked_scale(self.margin, Rounding::Down)?;
        let cost = day.spend.checked_scale(lambda.price(), Rounding::Up)?;
        let value = |multiplier: Ratio, response: Ratio| {
            let earned = income.checked_scale(response, Rounding::Down)?;
            earned.checked_sub(cost.checked_scale(multiplier, Rounding::Up)?)
        };
        let hold = value(Ratio::ONE, Ratio::ONE)?;
        let mut feedback = Vec::with_capacity(self.multipliers.len());
        for ((arm, &multiplier), &response) in
            self.arms().zip(&self.multipliers).zip(&self.responses)
        {
            let gain = value(multiplier, response)?.checked_sub(hold)?;
            let scaled = EVEN + i128::from(gain.get()) * EVEN / i128::from(self.target.get());
            let clipped = u32::try_from(scaled.clamp(0, 2 * EVEN)).expect("clipped to a million");
            let reward = UnitReward::from_millionths(clipped).expect("clipped to a million");
            feedback.push(Feedback { arm, reward });
        }
        Some(feedback)
    }
}

/// A policy together with what it has prepared since its last update.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "BetaThompson", into = "BetaThompson")]
pub(crate) struct Learner {
    policy: BetaThompson,
    all: Option<PreparedThompson>,
    no_raise: Option<PreparedThompson>,
}

impl From<BetaThompson> for Learner {
    fn from(policy: BetaThompson) -> Self {
        Self::new(policy)
    }
}

impl From<Learner> for BetaThompson {
    fn from(learner: Learner) -> Self {
        learner.policy
    }
}

/// What is prepared follows from the policy.
impl PartialEq for Learner {
    fn eq(&self, other: &Self) -> bool {
        self.policy == other.policy
    }
}

impl Learner {
    pub(crate) fn new(policy: BetaThompson) -> Self {
        Self {
            policy,
            all: None,
            no_raise: None,
        }
    }

    /// Chooses among the multipliers; those above one only where a raise is allowed.
    pub(crate) fn select(
        &mut self,
        strategy: &Strategy,
        raise: Raise,
        seed: Seed,
        decision: DecisionId,
    ) -> Choice {
        let policy = &self.policy;
        let prepared = match raise {
            Raise::Allowed => self
                .all
                .get_or_insert_with(|| policy.prepare(&policy.all())),
            Raise::Forbidden => self.no_raise.get_or_insert_with(|| {
                let keep = |arm| strategy.multiplier(arm) <= Ratio::ONE;
                let eligible: Eligible = policy
                    .eligible(keep)
                    .expect("a checked configuration has the multiplier 1");
                policy.prepare(&eligible)
            }),
        };
        prepared.select(seed, decision)
    }

    /// Learns from a day. Feedback that the policy refuses changes nothing.
    pub(crate) fn learn(&mut self, feedback: &[Feedback]) {
        if self.policy.update(feedback).is_ok() {
            self.all = None;
            self.no_raise = None;
        }
    }
}

/// Whether an ad set's rate may go up at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raise {
    /// A raise would survive the rules.
    Allowed,
    /// No raise would.
    Forbidden,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewards(spend: i64, revenue: i64, lambda: i64) -> Vec<u32> {
        let strategy = Strategy::new(&RolloutConfig::default());
        let max = Ratio::from_ppm(10_000_000);
        let lambda = Lambda::new(Ratio::from_ppm(lambda), Ratio::ZERO, max);
        let day = Metrics {
            spend: Micros::new(spend),
            revenue: Micros::new(revenue),
            ..Metrics::default()
        };
        let feedback = strategy.score(&day, lambda).unwrap_or_default();
        feedback
            .iter()
            .map(|feedback| feedback.reward.millionths())
            .collect()
    }

    #[test]
    fn rewards_are_the_advantage_over_holding_in_daily_budgets() {
        // Spend 4, revenue 10, λ 0.2, elasticity 0.7, target 10, computed by hand:
        // value(m) = 10 · m^0.7 − 4.8 · m; value(1) = 5.2.
        // m = 0.5: 10 · 0.615572 − 2.4 = 3.75572 → ½ − 1.44428/20 = 0.427786.
        // m = 0.75: 10 · 0.817605 − 3.6 = 4.57605 → ½ − 0.62395/20 = 0.468802 (rounded down).
        // m = 1.25: 10 · 1.169061 − 6 = 5.69061 → ½ + 0.49061/20 = 0.524530.
        let expected = [427_786, 468_802, 500_000, 524_530];
        for (reward, expected) in rewards(4_000_000, 10_000_000, 200_000).iter().zip(expected) {
            assert!(reward.abs_diff(expected) <= 1, "{reward} is not {expected}");
        }
    }

    #[test]
    fn spending_without_earning_favours_the_smallest() {
        let rewards = rewards(4_000_000, 0, 0);
        assert!(rewards.is_sorted_by(|a, b| a > b), "{rewards:?}");
    }

    #[test]
    fn rewards_are_clipped_and_a_silent_day_says_nothing() {
        assert_eq!(
            rewards(1_000_000, 900_000_000, 0),
            [0, 0, 500_000, 1_000_000]
        );
        assert_eq!(rewards(0, 0, 0), [0_u32; 0]);
        // What does not fit is not learnt from.
        assert_eq!(rewards(i64::MAX, 1, 200_000), [0_u32; 0]);
    }
}
