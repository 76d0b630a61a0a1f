//! Four strategies as arms, ready to use.

use gaelp_core::{ArmId, Choice, DecisionId, PolicyVersion, Propensity, Ratio, Seed};
use serde::{Deserialize, Serialize};

use crate::{
    ArmPosterior, BetaPrior, BetaThompson, CredibleInterval, CredibleLevel, Feedback,
    FeedbackError, SnapshotError, UnitReward,
};

/// How boldly a budget is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyArm {
    /// Less than planned: protects what was earned.
    Conservative,
    /// As planned.
    Balanced,
    /// More than planned where it pays.
    Aggressive,
    /// New audiences and creatives with a small part of the budget.
    Experimental,
}

impl StrategyArm {
    /// All of them, by rising arm.
    pub const ALL: [Self; 4] = [
        Self::Conservative,
        Self::Balanced,
        Self::Aggressive,
        Self::Experimental,
    ];

    /// The arm's id: 0 to 3.
    pub const fn arm(self) -> ArmId {
        ArmId::new(match self {
            Self::Conservative => 0,
            Self::Balanced => 1,
            Self::Aggressive => 2,
            Self::Experimental => 3,
        })
    }

    /// The strategy of an arm; `None` for other arms.
    pub fn of(arm: ArmId) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.arm() == arm)
    }

    /// What the planned budget is multiplied by, as a point to start from.
    pub const fn multiplier(self) -> Ratio {
        Ratio::from_ppm(match self {
            Self::Conservative => 800_000,
            Self::Balanced => 1_000_000,
            Self::Aggressive => 1_250_000,
            Self::Experimental => 1_100_000,
        })
    }
}

impl std::fmt::Display for StrategyArm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Conservative => "conservative",
            Self::Balanced => "balanced",
            Self::Aggressive => "aggressive",
            Self::Experimental => "experimental",
        })
    }
}

/// What is believed of a strategy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The strategy.
    pub strategy: StrategyArm,
    /// Its posterior.
    pub posterior: ArmPosterior,
    /// Where its success rate lies with the level asked for.
    pub interval: CredibleInterval,
    /// With what probability it is the best of the four.
    pub confidence: Propensity,
}

/// Thompson sampling over the four strategies. Serialised, it is a snapshot that is checked when
/// restored.
///
/// **Cost**: as [`BetaThompson`] with four arms: some 14 µs a choice.
///
/// **Source**: Thompson (1933); see [`BetaThompson`].
///
/// ```
/// use gaelp_bandits::{CredibleLevel, StrategyArm, StrategyArms, UnitReward};
/// use gaelp_core::{DecisionId, Seed};
///
/// let mut strategies = StrategyArms::default();
/// let (strategy, choice) = strategies.select(Seed::new(7), DecisionId::new(1));
/// assert_eq!((choice.arm, choice.propensity.get()), (strategy.arm(), 0.25));
///
/// for _ in 0..20 {
///     strategies.update(StrategyArm::Balanced, UnitReward::new(0.7)?)?;
///     strategies.update(StrategyArm::Experimental, UnitReward::new(0.2)?)?;
/// }
/// let [_, balanced, _, experimental] = strategies.standings(CredibleLevel::new(0.9)?);
/// assert!(experimental.interval.upper < balanced.interval.lower);
/// assert!(experimental.confidence < balanced.confidence);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BetaThompson", into = "BetaThompson")]
pub struct StrategyArms(BetaThompson);

impl From<StrategyArms> for BetaThompson {
    fn from(strategies: StrategyArms) -> Self {
        strategies.0
    }
}

impl TryFrom<BetaThompson> for StrategyArms {
    type Error = SnapshotError;

    /// The policy of stored strategies.
    fn try_from(policy: BetaThompson) -> Result<Self, Self::Error> {
        let arms = policy.arms().map(|arm| arm.id);
        if arms.eq(StrategyArm::ALL.map(StrategyArm::arm)) {
            Ok(Self(policy))
        } else {
            Err(SnapshotError::Impossible { what: "strategies" })
        }
    }
}

impl Default for StrategyArms {
    /// Nothing is known of any of them.
    fn default() -> Self {
        let arms = StrategyArm::ALL.map(|strategy| (strategy.arm(), BetaPrior::default()));
        Self(BetaThompson::new(arms).expect("four different arms under the default prior"))
    }
}

impl StrategyArms {
    /// Chooses a strategy.
    pub fn select(&self, seed: Seed, decision: DecisionId) -> (StrategyArm, Choice) {
        let choice = self.0.select(&self.0.all(), seed, decision);
        let strategy = StrategyArm::of(choice.arm).expect("the arms are the four strategies");
        (strategy, choice)
    }

    /// Learns how a strategy did.
    ///
    /// # Errors
    /// [`FeedbackError`] if it can hold no more.
    pub fn update(
        &mut self,
        strategy: StrategyArm,
        reward: UnitReward,
    ) -> Result<PolicyVersion, FeedbackError> {
        let arm = strategy.arm();
        self.0.update(&[Feedback { arm, reward }])
    }

    /// Takes back what was learnt.
    ///
    /// # Errors
    /// [`FeedbackError`] if it never was.
    pub fn undo(
        &mut self,
        strategy: StrategyArm,
        reward: UnitReward,
    ) -> Result<PolicyVersion, FeedbackError> {
        let arm = strategy.arm();
        self.0.undo(&[Feedback { arm, reward }])
    }

    /// What is believed of each of them, in the order of [`StrategyArm::ALL`].
    pub fn standings(&self, level: CredibleLevel) -> [Standing; 4] {
        let confidence = self.0.propensities(&self.0.all());
        StrategyArm::ALL.map(|strategy| {
            let mut arms = self.0.arms();
            let posterior = arms.find(|arm| arm.id == strategy.arm());
            let posterior = posterior.expect("the arms are the four strategies");
            Standing {
                strategy,
                posterior,
                interval: posterior.interval(level),
                confidence: confidence
                    .get(strategy.arm())
                    .unwrap_or(Propensity::CERTAIN),
            }
        })
    }

    /// The policy below, for eligible sets, evidence and storing.
    pub const fn policy(&self) -> &BetaThompson {
        &self.0
    }
}
