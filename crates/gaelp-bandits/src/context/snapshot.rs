//! The stored forms of contextual policies, and their clocks.

use gaelp_core::{PolicyVersion, UtcHour};
use serde::{Deserialize, Serialize};

use super::{Disjoint, Explorer, Regressor, Shared};
use crate::arm::{Retired, Roster};
use crate::snapshot::{FORMAT, checked_format};
use crate::{ArmKey, Forgetting, ForgettingError, SnapshotError};

/// The clock of a policy that was not told the hour.
pub(super) const UNSET: UtcHour = UtcHour::new(i32::MIN);

/// Whether sums can fade like this.
pub(super) fn checked_forgetting(forgetting: Forgetting) -> Result<(), ForgettingError> {
    forgetting.check()?;
    match forgetting {
        Forgetting::Window { .. } => Err(ForgettingError::Sums),
        Forgetting::Never | Forgetting::Discount { .. } => Ok(()),
    }
}

/// What evidence counts once the clock has moved; all of it when the clock is first set.
pub(super) fn share_left(forgetting: Forgetting, before: UtcHour, now: UtcHour) -> f64 {
    if before == UNSET {
        1.0
    } else {
        forgetting.weight(now, before)
    }
}

/// A [`Disjoint`] policy as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DisjointSnapshot<M, E> {
    format: u32,
    explorer: E,
    blank: M,
    forgetting: Forgetting,
    clock: UtcHour,
    version: PolicyVersion,
    trials: u64,
    arms: Vec<(ArmKey, M)>,
    retired: Retired,
}

impl<M, E> From<Disjoint<M, E>> for DisjointSnapshot<M, E> {
    fn from(policy: Disjoint<M, E>) -> Self {
        let (arms, retired) = policy.arms.into_parts();
        Self {
            format: FORMAT,
            explorer: policy.explorer,
            blank: policy.blank,
            forgetting: policy.forgetting,
            clock: policy.clock,
            version: policy.version,
            trials: policy.trials,
            arms,
            retired,
        }
    }
}

impl<M: Regressor, E: Explorer<M>> TryFrom<DisjointSnapshot<M, E>> for Disjoint<M, E> {
    type Error = SnapshotError;

    fn try_from(snapshot: DisjointSnapshot<M, E>) -> Result<Self, Self::Error> {
        checked_format(snapshot.format)?;
        checked_forgetting(snapshot.forgetting)?;
        let expected = snapshot.blank.dimension();
        let mut models = snapshot.arms.iter();
        if let Some((key, _)) = models.find(|(_, model)| model.dimension() != expected) {
            return Err(SnapshotError::Model { arm: key.arm });
        }
        let violations = snapshot.explorer.violations();
        Ok(Self {
            arms: Roster::restored(snapshot.arms, snapshot.retired, violations)?,
            explorer: snapshot.explorer,
            blank: snapshot.blank,
            forgetting: snapshot.forgetting,
            clock: snapshot.clock,
            version: snapshot.version,
            trials: snapshot.trials,
        })
    }
}

/// A [`Shared`] policy as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SharedSnapshot<M, E> {
    format: u32,
    explorer: E,
    model: M,
    forgetting: Forgetting,
    clock: UtcHour,
    version: PolicyVersion,
    trials: u64,
    arms: Vec<ArmKey>,
    retired: Retired,
}

impl<M, E> From<Shared<M, E>> for SharedSnapshot<M, E> {
    fn from(policy: Shared<M, E>) -> Self {
        let (arms, retired) = policy.arms.into_parts();
        Self {
            format: FORMAT,
            explorer: policy.explorer,
            model: policy.model,
            forgetting: policy.forgetting,
            clock: policy.clock,
            version: policy.version,
            trials: policy.trials,
            arms: arms.into_iter().map(|(key, ())| key).collect(),
            retired,
        }
    }
}

impl<M: Regressor, E: Explorer<M>> TryFrom<SharedSnapshot<M, E>> for Shared<M, E> {
    type Error = SnapshotError;

    fn try_from(snapshot: SharedSnapshot<M, E>) -> Result<Self, Self::Error> {
        checked_format(snapshot.format)?;
        checked_forgetting(snapshot.forgetting)?;
        let arms = snapshot.arms.into_iter().map(|key| (key, ()));
        let violations = snapshot.explorer.violations();
        Ok(Self {
            arms: Roster::restored(arms.collect(), snapshot.retired, violations)?,
            explorer: snapshot.explorer,
            model: snapshot.model,
            forgetting: snapshot.forgetting,
            clock: snapshot.clock,
            version: snapshot.version,
            trials: snapshot.trials,
        })
    }
}
