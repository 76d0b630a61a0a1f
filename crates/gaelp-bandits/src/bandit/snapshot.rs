//! The stored form of a bandit.

use gaelp_core::{ArmId, PolicyVersion, UtcHour};
use serde::{Deserialize, Serialize};

use super::{Bandit, HourlyEvidence, Rule, Slot};
use crate::arm::Retired;
use crate::{ArmKey, Forgetting, Generation, SnapshotError, Tally};

/// The format written, and the only one read.
const FORMAT: u32 = 1;

/// A bandit as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot<R> {
    format: u32,
    rule: R,
    forgetting: Forgetting,
    clock: UtcHour,
    version: PolicyVersion,
    arms: Vec<(ArmId, Generation)>,
    retired: Retired,
    evidence: HourlyEvidence,
}

impl<R: Clone> From<Bandit<R>> for Snapshot<R> {
    fn from(bandit: Bandit<R>) -> Self {
        let slots = &bandit.slots;
        Self {
            format: FORMAT,
            forgetting: bandit.forgetting,
            clock: bandit.clock,
            version: bandit.version,
            arms: slots
                .iter()
                .map(|slot| (slot.key.arm, slot.key.generation))
                .collect(),
            evidence: HourlyEvidence::of(slots.iter().map(|slot| (slot.key, &slot.history))),
            rule: bandit.rule,
            retired: bandit.retired,
        }
    }
}

impl<R: Rule> TryFrom<Snapshot<R>> for Bandit<R> {
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot<R>) -> Result<Self, Self::Error> {
        if snapshot.format != FORMAT {
            return Err(SnapshotError::Format {
                found: snapshot.format,
                expected: FORMAT,
            });
        }
        let ids = snapshot.arms.iter().map(|&(arm, _)| arm);
        let mut bandit = Self::new(snapshot.rule, ids)?;
        bandit = bandit.with_forgetting(snapshot.forgetting)?;
        bandit.clock = snapshot.clock;
        for &(arm, generation) in &snapshot.arms {
            if !snapshot.retired.precedes(ArmKey { arm, generation }) {
                return Err(SnapshotError::Generation { arm });
            }
            if let Ok(place) = bandit.place(arm) {
                bandit.slots[place] = Slot::new(ArmKey { arm, generation });
            }
        }
        bandit.retired = snapshot.retired;
        // The version is set last, so a policy that has used them all up can be restored.
        if !snapshot.evidence.is_empty() {
            let entries: Vec<_> = snapshot.evidence.iter().collect();
            bandit
                .change(&entries, Tally::plus)
                .map_err(SnapshotError::Evidence)?;
        }
        bandit.version = snapshot.version;
        Ok(bandit)
    }
}
