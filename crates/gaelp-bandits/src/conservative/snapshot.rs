//! The stored form of a conservative policy.

use serde::{Deserialize, Serialize};

use super::{Conservative, ConservativeTerms, Record};
use crate::snapshot::{FORMAT, checked_format};
use crate::{ArmKey, Policy, SnapshotError, UnitReward};

/// A [`Conservative`] as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot<P> {
    format: u32,
    policy: P,
    terms: ConservativeTerms,
    seen: Vec<(ArmKey, Record)>,
}

impl<P> From<Conservative<P>> for Snapshot<P> {
    fn from(conservative: Conservative<P>) -> Self {
        Self {
            format: FORMAT,
            policy: conservative.policy,
            terms: conservative.terms,
            seen: conservative.seen.into_iter().collect(),
        }
    }
}

impl<P: Policy<Reward = UnitReward>> TryFrom<Snapshot<P>> for Conservative<P> {
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot<P>) -> Result<Self, Self::Error> {
        checked_format(snapshot.format)?;
        let mut restored = Self::new(snapshot.policy, snapshot.terms)?;
        for (key, record) in snapshot.seen {
            let living = restored.policy.key(key.arm);
            let begun = living.is_none_or(|living| key.generation <= living.generation);
            let sound = record.trials >= 0 && record.reward >= 0;
            if !begun || !sound || restored.seen.insert(key, record).is_some() {
                return Err(SnapshotError::Record { key });
            }
        }
        Ok(restored)
    }
}
