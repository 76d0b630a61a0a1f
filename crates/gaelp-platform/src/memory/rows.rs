//! Rows by the hour that they begin in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use gaelp_core::{
    AdSetKey, HourSpan, MetricRow, Metrics, Micros, Platform, Ratio, Restated, Revision, Rounding,
    UtcHour,
};

/// Rows that cannot be taken. None of the batch is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A row of another platform.
    #[error("{key} is not on {platform}")]
    ForeignPlatform {
        /// The row's ad set.
        key: AdSetKey,
        /// The platform that was to take it.
        platform: Platform,
    },
    /// A row about no hours.
    #[error("a row of {key} has the empty span {span}")]
    EmptySpan {
        /// The row's ad set.
        key: AdSetKey,
        /// Its span.
        span: HourSpan,
    },
    /// The same revision with other figures.
    #[error("two rows of {key} for {span} have revision {} and different figures", .revision.get())]
    Contradicted {
        /// The rows' ad set.
        key: AdSetKey,
        /// Their span.
        span: HourSpan,
        /// Their revision.
        revision: Revision,
    },
}

/// The hour that a row begins in, its ad set, and the hour that it ends before. `None` stands
/// before every ad set, so that a range can begin at an hour.
type RowKey = (UtcHour, Option<AdSetKey>, UtcHour);

/// The latest revision of every row.
#[derive(Debug, Default)]
pub(super) struct Rows(BTreeMap<RowKey, (Revision, Metrics)>);

impl Rows {
    /// Takes a batch over, whole or not at all.
    ///
    /// **Cost.** O(k log n) for k rows.
    pub(super) fn load(
        &mut self,
        platform: &Platform,
        rows: impl IntoIterator<Item = MetricRow>,
    ) -> Result<(), LoadError> {
        let mut batch = Self::default();
        for row in rows {
            if row.key.platform != *platform {
                return Err(LoadError::ForeignPlatform {
                    key: row.key,
                    platform: platform.clone(),
                });
            }
            if row.span.is_empty() {
                return Err(LoadError::EmptySpan {
                    key: row.key,
                    span: row.span,
                });
            }
            batch.take(&row)?;
        }
        if self.0.is_empty() {
            *self = batch;
            return Ok(());
        }
        for (key, &(revision, metrics)) in &batch.0 {
            let Some(&(known, figures)) = self.0.get(key) else {
                continue;
            };
            if known == revision && figures != metrics {
                return Err(contradiction(&row(key, revision, metrics)));
            }
        }
        for (key, (revision, metrics)) in batch.0 {
            self.take(&row(&key, revision, metrics))?;
        }
        Ok(())
    }

    fn take(&mut self, new: &MetricRow) -> Result<(), LoadError> {
        let key = (new.span.from, Some(new.key.clone()), new.span.to);
        match self.0.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert((new.revision, new.metrics));
            }
            Entry::Occupied(mut entry) => {
                let &(revision, metrics) = entry.get();
                let mut known = MetricRow {
                    revision,
                    metrics,
                    ..new.clone()
                };
                match known.restate(new) {
                    Restated::Contradicted => return Err(contradiction(new)),
                    Restated::Newer => {
                        entry.insert((new.revision, new.metrics));
                    }
                    Restated::Known | Restated::Older => {}
                }
            }
        }
        Ok(())
    }

    /// The rows that begin in a span and have ended before an hour.
    ///
    /// **Cost.** O(log n) and the rows of the span.
    pub(super) fn of(&self, span: HourSpan, ended_by: UtcHour) -> Vec<MetricRow> {
        if span.is_empty() {
            return Vec::new();
        }
        self.0
            .range(start_of(span.from)..start_of(span.to))
            .filter(|((_, _, to), _)| *to <= ended_by)
            .map(|(key, &(revision, metrics))| row(key, revision, metrics))
            .collect()
    }

    /// Corrects the rows that [`Rows::of`] gives for the same arguments.
    pub(super) fn restate(&mut self, span: HourSpan, ended_by: UtcHour, spend: Ratio) {
        for mut row in self.of(span, ended_by) {
            scale_spend(&mut row, spend);
            let next = Revision::new(row.revision.get().saturating_add(1));
            let key = (row.span.from, Some(row.key), row.span.to);
            self.0.insert(key, (next, row.metrics));
        }
    }
}

/// Multiplies a row's spend, rounded down; past the range it becomes the largest amount.
pub(super) fn scale_spend(row: &mut MetricRow, by: Ratio) {
    let spend = row.metrics.spend.checked_scale(by, Rounding::Down);
    row.metrics.spend = spend.unwrap_or(Micros::MAX);
}

fn start_of(hour: UtcHour) -> RowKey {
    (hour, None, UtcHour::new(i32::MIN))
}

fn row((from, key, to): &RowKey, revision: Revision, metrics: Metrics) -> MetricRow {
    MetricRow {
        key: key
            .clone()
            .expect("only the bounds of a range have no ad set"),
        span: HourSpan::new(*from, *to),
        revision,
        metrics,
    }
}

fn contradiction(row: &MetricRow) -> LoadError {
    LoadError::Contradicted {
        key: row.key.clone(),
        span: row.span,
        revision: row.revision,
    }
}
