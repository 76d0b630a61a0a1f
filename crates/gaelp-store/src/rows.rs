//! Reading raw figures in order of time, from several sources at once.

use std::collections::VecDeque;
use std::fmt;

use gaelp_core::{HourSpan, MetricRow, Metrics, Platform, Revision};
use rusqlite::{OptionalExtension, params};

use crate::codec::{Row, start};
use crate::error::engine;
use crate::store::Inner;
use crate::{FileId, RunId, Store, StoreError};

/// What a source holds of a platform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// The source's place among those asked for: the higher one wins.
    rank: u32,
    source: i64,
    platform: i64,
    /// Where its first row begins.
    first: i64,
    /// Where its last row begins.
    last: i64,
    /// Where the row that ends last does.
    pub(crate) end: i64,
}

/// A row as it is stored, with what it is to be compared by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRow {
    ts: i64,
    pub(crate) ad_set: i64,
    pub(crate) span: HourSpan,
    rank: u32,
    revision: u32,
    pub(crate) metrics: Metrics,
}

impl Extent {
    /// The extents of files, of one platform or of all.
    ///
    /// # Errors
    /// [`StoreError::UnknownFile`] for a file that is not in the store.
    pub(crate) fn of_files(
        inner: &Inner,
        files: &[FileId],
        platform: Option<&Platform>,
    ) -> Result<Vec<Self>, StoreError> {
        let only = match platform {
            None => None,
            // No file has rows of a platform that has no number; -1 is none.
            Some(platform) => {
                Some(crate::names::known_platform(&inner.conn, platform)?.unwrap_or(-1))
            }
        };
        let sql = "SELECT platform, ts_first, ts_last, ts_end FROM recordings WHERE source = ?1 \
                   AND (?2 IS NULL OR platform = ?2)";
        let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
        let mut extents = Vec::new();
        for (rank, &file) in files.iter().enumerate() {
            known(inner, file)?;
            let mut rows = statement.query(params![file.get(), only]).map_err(engine)?;
            while let Some(row) = rows.next().map_err(engine)? {
                extents.push(Self::read(&Row::new("recordings", row), rank, file.get())?);
            }
        }
        Ok(extents)
    }

    /// The extents of a run; none where it reported nothing.
    fn of_run(inner: &Inner, run: RunId) -> Result<Vec<Self>, StoreError> {
        let Some(source) = crate::append::run_number(inner, run)? else {
            return Ok(Vec::new());
        };
        let sql = "SELECT platform, min(ts), max(ts), max(ts_end) FROM metrics_hourly \
                   WHERE source = ?1 GROUP BY platform";
        let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
        let mut rows = statement.query([source]).map_err(engine)?;
        let mut extents = Vec::new();
        while let Some(row) = rows.next().map_err(engine)? {
            extents.push(Self::read(&Row::new("metrics_hourly", row), 0, source)?);
        }
        Ok(extents)
    }

    fn read(row: &Row<'_>, rank: usize, source: i64) -> Result<Self, StoreError> {
        Ok(Self {
            rank: u32::try_from(rank).unwrap_or(u32::MAX),
            source,
            platform: row.int(0, "platform")?,
            first: row.int(1, "ts_first")?,
            last: row.int(2, "ts_last")?,
            end: row.int(3, "ts_end")?,
        })
    }
}

/// Whether a file's import was committed.
pub(crate) fn known(inner: &Inner, file: FileId) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM files WHERE id = ?1 AND sealed = 1";
    let found = inner.conn.prepare_cached(sql);
    match found.and_then(|mut find| find.exists([file.get()])) {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::UnknownFile { file }),
        Err(error) => Err(engine(error)),
    }
}

/// The rows that begin in a window, by time and ad set: each ad set and span once, the highest
/// rank and revision of it. The second part is how many others there were.
pub(crate) fn window(
    inner: &Inner,
    extents: &[Extent],
    from: i64,
    to: i64,
) -> Result<(Vec<RawRow>, usize), StoreError> {
    let sql = "SELECT ts, ts_end, adset, revision, spend, impressions, clicks, conversions, \
               revenue FROM metrics_hourly WHERE source = ?1 AND platform = ?2 AND ts >= ?3 \
               AND ts < ?4";
    let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
    let mut found = Vec::new();
    for extent in extents.iter().filter(|e| e.first < to && from <= e.last) {
        let place = params![extent.source, extent.platform, from, to];
        let mut rows = statement.query(place).map_err(engine)?;
        while let Some(row) = rows.next().map_err(engine)? {
            let row = Row::new("metrics_hourly", row);
            found.push(RawRow {
                ts: row.int(0, "ts")?,
                span: row.span(0, 1)?,
                ad_set: row.int(2, "adset")?,
                rank: extent.rank,
                revision: row.whole(3, "revision")?,
                metrics: row.metrics(4)?,
            });
        }
    }
    // Highest last, so that it replaces those before it. One source without revisions comes
    // sorted, and sorting it again is one pass.
    found.sort_by_key(|row| (row.ts, row.ad_set, row.span.to, row.rank, row.revision));
    let before = found.len();
    found.dedup_by(|later, kept| {
        let same = (later.span, later.ad_set) == (kept.span, kept.ad_set);
        if same {
            *kept = *later;
        }
        same
    });
    let superseded = before - found.len();
    Ok((found, superseded))
}

/// Goes through all rows of some extents, a window at a time.
pub(crate) struct Windows {
    extents: Vec<Extent>,
    /// Where the next window begins; `None` at the end.
    next: Option<i64>,
    hours: i64,
    pub(crate) superseded: usize,
}

/// How many rows a window should have: enough to make a query worth it.
const WINDOW_ROWS: std::ops::Range<usize> = 2_000..8_000;
/// The longest window, against the long tail of a sparse file.
const WINDOW_HOURS: i64 = 1_024;

impl Windows {
    pub(crate) fn new(extents: Vec<Extent>) -> Self {
        Self {
            next: extents.iter().map(|extent| extent.first).min(),
            extents,
            hours: 24,
            superseded: 0,
        }
    }

    /// The next rows, or `None` after the last.
    pub(crate) fn next(&mut self, inner: &Inner) -> Result<Option<Vec<RawRow>>, StoreError> {
        while let Some(from) = self.next {
            let to = from.saturating_add(self.hours * start(gaelp_core::UtcHour::new(1)));
            let (rows, superseded) = window(inner, &self.extents, from, to)?;
            self.superseded += superseded;
            if rows.len() > WINDOW_ROWS.end {
                self.hours = (self.hours / 2).max(1);
            } else if rows.len() < WINDOW_ROWS.start {
                self.hours = (self.hours * 2).min(WINDOW_HOURS);
            }
            let open = self.extents.iter().filter(|extent| extent.last >= to);
            self.next = match open.clone().next() {
                None => None,
                Some(_) if !rows.is_empty() => Some(to),
                // A gap: go on where something is.
                Some(_) => {
                    let mut first = None;
                    for extent in open {
                        first = earlier(first, extent.next(inner, to)?);
                    }
                    first
                }
            };
            if self.next.is_some_and(|next| next <= from) {
                // Only times at the very end of 64 bits, which no hour has.
                return Err(StoreError::Invalid {
                    table: "metrics_hourly",
                    column: "ts",
                });
            }
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }
}

fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

impl Extent {
    /// Where its first row at or after a time begins.
    fn next(&self, inner: &Inner, from: i64) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT ts FROM metrics_hourly WHERE source = ?1 AND platform = ?2 AND ts >= ?3 \
                   ORDER BY ts LIMIT 1";
        let place = params![self.source, self.platform, from];
        inner
            .conn
            .prepare_cached(sql)
            .and_then(|mut find| find.query_row(place, |row| row.get(0)).optional())
            .map_err(engine)
    }
}

/// Raw rows in order of time, platform name and ad set.
///
/// It reads a few thousand rows at a time and holds no lock in between; rows that are added
/// meanwhile may or may not be among them.
#[must_use = "an iterator reads nothing until it is asked"]
pub struct MetricRows {
    store: Store,
    windows: Windows,
    ready: VecDeque<MetricRow>,
}

impl MetricRows {
    pub(crate) fn of_files(store: Store, files: &[FileId]) -> Result<Self, StoreError> {
        let extents = Extent::of_files(&store.lock(), files, None)?;
        Ok(Self::new(store, extents))
    }

    pub(crate) fn of_run(store: Store, run: RunId) -> Result<Self, StoreError> {
        let extents = Extent::of_run(&store.lock(), run)?;
        Ok(Self::new(store, extents))
    }

    fn new(store: Store, extents: Vec<Extent>) -> Self {
        Self {
            store,
            windows: Windows::new(extents),
            ready: VecDeque::new(),
        }
    }

    fn fill(&mut self) -> Result<(), StoreError> {
        let mut inner = self.store.lock();
        if let Some(rows) = self.windows.next(&inner)? {
            self.ready.extend(named(&mut inner, &rows)?);
        }
        Ok(())
    }
}

impl Iterator for MetricRows {
    type Item = Result<MetricRow, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && let Err(error) = self.fill()
        {
            // What follows an error is not to be trusted.
            self.windows.next = None;
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }
}

impl fmt::Debug for MetricRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricRows").finish_non_exhaustive()
    }
}

/// Rows with their names, in order of time, platform name and ad set.
pub(crate) fn named(inner: &mut Inner, rows: &[RawRow]) -> Result<Vec<MetricRow>, StoreError> {
    let mut named = Vec::with_capacity(rows.len());
    for row in rows {
        named.push(MetricRow {
            key: inner.names.key(&inner.conn, row.ad_set)?,
            span: row.span,
            // Of files, the rank is what tells restatements apart; of a run, the revision.
            revision: Revision::new(row.rank.max(row.revision)),
            metrics: row.metrics,
        });
    }
    named.sort_by(|a, b| {
        let by_name = |row: &MetricRow| (row.span.from, row.span.to);
        a.span
            .from
            .cmp(&b.span.from)
            .then_with(|| a.key.platform.as_str().cmp(b.key.platform.as_str()))
            .then_with(|| a.key.ad_set.cmp(&b.key.ad_set))
            .then_with(|| by_name(a).cmp(&by_name(b)))
    });
    Ok(named)
}
