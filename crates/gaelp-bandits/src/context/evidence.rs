//! What linear policies have learnt, without their priors.

use std::collections::BTreeMap;

use gaelp_core::UtcHour;
use serde::{Deserialize, Serialize};

use super::{LessonError, LinearSums};
use crate::{ArmKey, FeedbackError, Forgetting};

/// Evidence of linear models by arm and generation, without any prior: what shards exchange.
///
/// Merging is associative and commutative to the last bit, and since evidence carries no prior, a
/// policy counts its prior once. Evidence that fades merges where it stands at the same hour.
///
/// ```
/// use gaelp_bandits::{
///     Amount, ContextualOutcome, ContextualPolicy, Disjoint, Features, LinUcb, Ridge,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let arms = (0..2).map(ArmId::new);
/// let mut start = Disjoint::new(LinUcb::default(), Ridge::new(2, 1.0)?, arms)?;
/// let (mut left, mut right, mut both) = (start.clone(), start.clone(), start.clone());
/// let x = Features::new(&[1.0, 0.3])?;
/// let chosen = start.select(&x, &start.all(), Seed::new(7), DecisionId::new(1))?;
/// let [one, other] = [Amount::new(0.7)?, Amount::new(-0.2)?]
///     .map(|reward| ContextualOutcome::of(&chosen, UtcHour::new(0), &x, reward));
/// left.update(&[one])?;
/// right.update(&[other])?;
/// start.merge(&left.evidence())?;
/// start.merge(&right.evidence())?;
/// both.update(&[other, one])?;
/// assert_eq!(start.evidence(), both.evidence());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredEvidence", into = "StoredEvidence")]
pub struct LinearEvidence {
    pub(super) forgetting: Forgetting,
    pub(super) clock: UtcHour,
    pub(super) arms: BTreeMap<ArmKey, LinearSums>,
}

impl LinearEvidence {
    /// Adds other evidence.
    ///
    /// # Errors
    /// [`FeedbackError`] where models or clocks differ, and where sums would grow too large;
    /// nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), FeedbackError> {
        if (self.forgetting, self.clock) != (other.forgetting, other.clock) {
            return Err(FeedbackError::OtherClock);
        }
        let mut merged = self.arms.clone();
        for (&key, sums) in &other.arms {
            let held = merged
                .entry(key)
                .or_insert_with(|| LinearSums::new(sums.dimension()));
            held.merge(sums)
                .map_err(|error: LessonError| error.of(key))?;
        }
        self.arms = merged;
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.arms.is_empty()
    }
}

/// [`LinearEvidence`] as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredEvidence {
    forgetting: Forgetting,
    clock: UtcHour,
    arms: Vec<(ArmKey, LinearSums)>,
}

impl From<LinearEvidence> for StoredEvidence {
    fn from(evidence: LinearEvidence) -> Self {
        Self {
            forgetting: evidence.forgetting,
            clock: evidence.clock,
            arms: evidence.arms.into_iter().collect(),
        }
    }
}

impl From<StoredEvidence> for LinearEvidence {
    fn from(stored: StoredEvidence) -> Self {
        Self {
            forgetting: stored.forgetting,
            clock: stored.clock,
            arms: stored.arms.into_iter().collect(),
        }
    }
}
