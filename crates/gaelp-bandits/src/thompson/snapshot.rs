//! The stored form of a policy.

use gaelp_core::{ArmId, PolicyVersion};
use serde::{Deserialize, Serialize};

use super::{Arm, BetaThompson};
use crate::feedback::Sums;
use crate::{BetaPrior, SnapshotError};

/// The format written, and the only one read.
const FORMAT: u32 = 1;

/// A policy as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    format: u32,
    version: PolicyVersion,
    arms: Vec<StoredArm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredArm {
    arm: ArmId,
    prior: BetaPrior,
    seen: Sums,
}

impl From<BetaThompson> for Snapshot {
    fn from(policy: BetaThompson) -> Self {
        let store = |arm: Arm| StoredArm {
            arm: arm.id,
            prior: arm.prior,
            seen: arm.sums,
        };
        Self {
            format: FORMAT,
            version: policy.version,
            arms: policy.arms.into_iter().map(store).collect(),
        }
    }
}

impl TryFrom<Snapshot> for BetaThompson {
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot) -> Result<Self, Self::Error> {
        if snapshot.format != FORMAT {
            return Err(SnapshotError::Format {
                found: snapshot.format,
                expected: FORMAT,
            });
        }
        let restore = |stored: StoredArm| Arm {
            id: stored.arm,
            prior: stored.prior,
            sums: stored.seen,
        };
        let arms = snapshot.arms.into_iter().map(restore).collect();
        Ok(Self::checked(arms, snapshot.version)?)
    }
}
