//! Evidence by hour, so that forgetting is a way of looking at it and undoing stays exact.

use std::collections::BTreeMap;

use gaelp_core::UtcHour;
use serde::{Deserialize, Serialize};

use crate::{ArmKey, FeedbackError, Figures, Forgetting, Tally};

/// What one arm has shown, by hour; under [`Forgetting::Never`] all in the hour 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History(Vec<(UtcHour, Tally)>);

impl History {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds or takes back; `None` if that cannot be, and then the history is not to be used.
    pub(super) fn change(
        &mut self,
        hour: UtcHour,
        tally: Tally,
        with: fn(Tally, Tally) -> Option<Tally>,
    ) -> Option<()> {
        let place = self.0.binary_search_by_key(&hour, |&(held, _)| held);
        let place = match place {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (hour, Tally::default()));
                place
            }
        };
        let sum = with(self.0[place].1, tally)?;
        if sum.is_zero() {
            self.0.remove(place);
        } else {
            self.0[place].1 = sum;
        }
        Some(())
    }

    /// Drops what counts no more.
    pub(super) fn prune(&mut self, forgetting: Forgetting, now: UtcHour) {
        let counts = |&(hour, _): &(UtcHour, Tally)| forgetting.weight(now, hour) > 0.0;
        let first = self.0.iter().position(counts).unwrap_or(self.0.len());
        self.0.drain(..first);
    }

    pub(super) fn figures(&self, forgetting: Forgetting, now: UtcHour) -> Figures {
        self.0
            .iter()
            .fold(Figures::default(), |sum, (hour, tally)| {
                sum.plus(forgetting.weight(now, *hour), tally.figures())
            })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (UtcHour, Tally)> + '_ {
        self.0.iter().copied()
    }
}

/// Evidence by arm, generation and hour, without any prior: what shards exchange.
///
/// Merging is associative and commutative, so partitions may be combined in any order, and since
/// evidence carries no prior, a policy counts its prior once. Discounted policies merge too:
/// evidence is kept as it came, by hour, and each policy discounts by its own clock.
///
/// ```
/// use gaelp_bandits::{Bandit, KlUcb, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let start = Bandit::new(KlUcb::default(), (0..2).map(ArmId::new))?;
/// let (mut left, mut right, mut both) = (start.clone(), start.clone(), start.clone());
/// let chosen = start.select(&start.all(), Seed::new(7), DecisionId::new(1))?;
/// let [won, lost] = [UnitReward::SUCCESS, UnitReward::FAILURE]
///     .map(|reward| Outcome::of(&chosen, UtcHour::new(0), reward));
/// left.update(&[won])?;
/// right.update(&[lost])?;
/// left.merge(&right.evidence())?;
/// both.update(&[lost])?;
/// both.update(&[won])?;
/// assert_eq!(left, both);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Stored>", into = "Vec<Stored>")]
pub struct HourlyEvidence(BTreeMap<(ArmKey, UtcHour), Tally>);

impl HourlyEvidence {
    pub(super) fn of<'a>(histories: impl Iterator<Item = (ArmKey, &'a History)>) -> Self {
        let all = histories.flat_map(|(key, history)| {
            history
                .iter()
                .map(move |(hour, tally)| ((key, hour), tally))
        });
        Self(all.collect())
    }

    /// Adds other evidence.
    ///
    /// # Errors
    /// [`FeedbackError::Full`] where sums grow too large; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), FeedbackError> {
        let mut sum = self.0.clone();
        for (&at, &tally) in &other.0 {
            let held = sum.entry(at).or_default();
            let full = FeedbackError::Full { arm: at.0.arm };
            *held = held.plus(tally).ok_or(full)?;
        }
        self.0 = sum;
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ArmKey, UtcHour, Tally)> + '_ {
        self.0
            .iter()
            .map(|(&(key, hour), &tally)| (key, hour, tally))
    }
}

/// [`HourlyEvidence`] as it is stored.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    key: ArmKey,
    hour: UtcHour,
    seen: Tally,
}

impl From<HourlyEvidence> for Vec<Stored> {
    fn from(evidence: HourlyEvidence) -> Self {
        let store = |(key, hour, seen)| Stored { key, hour, seen };
        evidence.iter().map(store).collect()
    }
}

impl TryFrom<Vec<Stored>> for HourlyEvidence {
    type Error = EvidenceError;

    fn try_from(stored: Vec<Stored>) -> Result<Self, Self::Error> {
        let mut evidence = BTreeMap::new();
        for Stored { key, hour, seen } in stored {
            if !seen.is_sound() || evidence.insert((key, hour), seen).is_some() {
                return Err(EvidenceError { key });
            }
        }
        Ok(Self(evidence))
    }
}

/// Stored evidence that no feedback adds up to, or twice for the same hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("arm {key}: evidence that no feedback adds up to, or twice for one hour")]
pub(super) struct EvidenceError {
    key: ArmKey,
}
