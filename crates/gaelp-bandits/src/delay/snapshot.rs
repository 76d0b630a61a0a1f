//! The stored form of a policy that learns from reports.

use std::collections::BTreeMap;

use gaelp_core::UtcHour;
use serde::{Deserialize, Serialize};

use super::{Delayed, LagDistribution, Report, weight};
use crate::snapshot::{FORMAT, checked_format};
use crate::{Policy, SnapshotError};

/// A [`Delayed`] as it is stored. Restoring checks all of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(
    serialize = "P: Serialize, P::Reward: Serialize",
    deserialize = "P: Deserialize<'de>, P::Reward: Deserialize<'de>"
))]
pub(super) struct Snapshot<P: Policy> {
    format: u32,
    policy: P,
    lag: LagDistribution,
    clock: UtcHour,
    closed: UtcHour,
    known: Vec<Report<P::Reward>>,
}

impl<P: Policy> From<Delayed<P>> for Snapshot<P> {
    fn from(delayed: Delayed<P>) -> Self {
        Self {
            format: FORMAT,
            policy: delayed.policy,
            lag: delayed.lag,
            clock: delayed.clock,
            closed: delayed.closed,
            known: delayed.known.into_values().collect(),
        }
    }
}

impl<P: Policy> TryFrom<Snapshot<P>> for Delayed<P> {
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot<P>) -> Result<Self, Self::Error> {
        checked_format(snapshot.format)?;
        let mut known = BTreeMap::new();
        for report in snapshot.known {
            let decision = report.decision;
            // What was learnt of a report is its trial as it had aged by the clock.
            let aged = report.outcome.trial == weight(&snapshot.lag, snapshot.clock, &report);
            let open = report.outcome.at >= snapshot.closed;
            if !aged || !open || known.insert(decision, report).is_some() {
                return Err(SnapshotError::Decision { decision });
            }
        }
        Ok(Self {
            policy: snapshot.policy,
            lag: snapshot.lag,
            clock: snapshot.clock,
            closed: snapshot.closed,
            known,
        })
    }
}
