//! The stored form of a policy.

use gaelp_core::{ArmId, PolicyVersion};
use serde::{Deserialize, Serialize};

use super::{Arm, BetaThompson};
use crate::arm::Retired;
use crate::feedback::Sums;
use crate::snapshot::{FORMAT, checked_format};
use crate::{ArmKey, BetaPrior, Generation, SnapshotError};

/// A policy as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    format: u32,
    version: PolicyVersion,
    arms: Vec<StoredArm>,
    #[serde(default, skip_serializing_if = "Retired::is_empty")]
    retired: Retired,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredArm {
    arm: ArmId,
    #[serde(default, skip_serializing_if = "is_first")]
    generation: Generation,
    prior: BetaPrior,
    seen: Sums,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_first(generation: &Generation) -> bool {
    *generation == Generation::default()
}

impl From<BetaThompson> for Snapshot {
    fn from(policy: BetaThompson) -> Self {
        let store = |arm: Arm| StoredArm {
            arm: arm.id,
            generation: arm.generation,
            prior: arm.prior,
            seen: arm.sums,
        };
        Self {
            format: FORMAT,
            version: policy.version,
            arms: policy.arms.into_iter().map(store).collect(),
            retired: policy.retired,
        }
    }
}

impl TryFrom<Snapshot> for BetaThompson {
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot) -> Result<Self, Self::Error> {
        checked_format(snapshot.format)?;
        let restore = |stored: StoredArm| Arm {
            id: stored.arm,
            generation: stored.generation,
            prior: stored.prior,
            sums: stored.seen,
        };
        let arms: Vec<_> = snapshot.arms.into_iter().map(restore).collect();
        for &Arm { id, generation, .. } in &arms {
            let key = ArmKey {
                arm: id,
                generation,
            };
            if !snapshot.retired.precedes(key) {
                return Err(SnapshotError::Generation { arm: id });
            }
        }
        Ok(Self::checked(arms, snapshot.version, snapshot.retired)?)
    }
}
