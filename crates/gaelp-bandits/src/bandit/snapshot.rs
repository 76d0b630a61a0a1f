//! The stored form of a bandit.

use gaelp_core::{ArmId, PolicyVersion, UtcHour};
use serde::{Deserialize, Serialize};

use super::{Bandit, HourlyEvidence, Rule, Slot};
use crate::arm::{Retired, Roster};
use crate::snapshot::{FORMAT, checked_format};
use crate::{ArmKey, Forgetting, Generation, SnapshotError, Tally};

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
        let arms = &bandit.arms;
        Self {
            format: FORMAT,
            forgetting: bandit.forgetting,
            clock: bandit.clock,
            version: bandit.version,
            evidence: HourlyEvidence::of(arms.iter().map(|(key, slot)| (key, &slot.history))),
            arms: arms
                .iter()
                .map(|(key, _)| (key.arm, key.generation))
                .collect(),
            rule: bandit.rule,
            retired: arms.retired().clone(),
        }
    }
}

impl<R: Rule> TryFrom<Snapshot<R>> for Bandit<R> {
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot<R>) -> Result<Self, Self::Error> {
        checked_format(snapshot.format)?;
        let slots = snapshot.arms.into_iter();
        let slots = slots.map(|(arm, generation)| (ArmKey { arm, generation }, Slot::default()));
        let violations = snapshot.rule.violations();
        let mut bandit = Self {
            rule: snapshot.rule,
            forgetting: Forgetting::Never,
            clock: snapshot.clock,
            version: PolicyVersion::default(),
            arms: Roster::restored(slots.collect(), snapshot.retired, violations)?,
        }
        .with_forgetting(snapshot.forgetting)?;
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
