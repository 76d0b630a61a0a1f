//! The stored form of a bandit that is watched.

use serde::{Deserialize, Serialize};

use super::{Change, ChangeDetector, Restarting};
use crate::snapshot::{FORMAT, checked_format};
use crate::{ArmError, ArmKey, ArmViolation, Bandit, Rule, SnapshotError, UnitReward};

/// A [`Restarting`] as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(
    serialize = "R: Rule + Clone + Serialize, D: Serialize",
    deserialize = "R: Rule + Deserialize<'de>, D: Deserialize<'de>"
))]
pub(super) struct Snapshot<R, D> {
    format: u32,
    bandit: Bandit<R>,
    detector: D,
    watched: Vec<(ArmKey, D)>,
    exploration: f64,
    changes: Vec<Change>,
}

impl<R, D> From<Restarting<R, D>> for Snapshot<R, D> {
    fn from(restarting: Restarting<R, D>) -> Self {
        Self {
            format: FORMAT,
            bandit: restarting.bandit,
            detector: restarting.fresh,
            watched: restarting.watched,
            exploration: restarting.exploration,
            changes: restarting.changes,
        }
    }
}

impl<R, D> TryFrom<Snapshot<R, D>> for Restarting<R, D>
where
    R: Rule<Reward = UnitReward>,
    D: ChangeDetector + Clone,
{
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot<R, D>) -> Result<Self, Self::Error> {
        checked_format(snapshot.format)?;
        let mut restored = Self::new(snapshot.bandit, snapshot.detector, snapshot.exploration)?;
        for pair in snapshot.watched.windows(2) {
            if pair[0].0 >= pair[1].0 {
                return Err(SnapshotError::Record { key: pair[1].0 });
            }
        }
        for (_, detector) in &snapshot.watched {
            let violations = detector.violations();
            if !violations.is_empty() {
                let violations = violations.into_iter().map(ArmViolation::Parameter);
                return Err(ArmError::Invalid {
                    violations: violations.collect(),
                }
                .into());
            }
        }
        restored.watched = snapshot.watched;
        restored.changes = snapshot.changes;
        Ok(restored)
    }
}
