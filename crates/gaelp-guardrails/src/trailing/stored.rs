//! The stored form of a record of the last hours. Restoring checks all of it.

use gaelp_core::{AdSetKey, HourSpan, MetricRow, Metrics, Revision};
use serde::{Deserialize, Serialize};

use super::{Slot, Trailing};
use crate::TrailingError;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    retain_hours: u32,
    key: Option<AdSetKey>,
    rows: Vec<StoredRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRow {
    span: HourSpan,
    revision: Revision,
    /// `None` where reports of this revision contradict each other.
    metrics: Option<Metrics>,
}

impl From<Trailing> for Stored {
    fn from(trailing: Trailing) -> Self {
        let row = |slot: &Slot| StoredRow {
            span: slot.span,
            revision: slot.revision,
            metrics: slot.metrics,
        };
        Self {
            retain_hours: trailing.retain_hours,
            rows: trailing.slots.iter().map(row).collect(),
            key: trailing.key,
        }
    }
}

impl TryFrom<Stored> for Trailing {
    type Error = TrailingError;

    fn try_from(stored: Stored) -> Result<Self, TrailingError> {
        let mut trailing = Self::new(stored.retain_hours);
        let Some(key) = stored.key else {
            return match stored.rows.first() {
                Some(row) => Err(TrailingError::Nameless(row.span)),
                None => Ok(trailing),
            };
        };
        for row in stored.rows {
            let disputed = row.metrics.is_none();
            trailing.record(&MetricRow {
                key: key.clone(),
                span: row.span,
                revision: row.revision,
                metrics: row.metrics.unwrap_or_default(),
            })?;
            if disputed && let Some(slot) = trailing.slots.iter_mut().find(|s| s.span == row.span) {
                slot.metrics = None;
            }
        }
        trailing.key = Some(key);
        Ok(trailing)
    }
}
