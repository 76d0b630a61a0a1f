//! What imported files hold together.

use std::collections::BTreeMap;

use gaelp_core::{AdSetKey, HourSpan, Metrics, MetricsOverflow, Platform};

use crate::codec::{Row, hour_of};
use crate::error::engine;
use crate::recorded::OrderExtent;
use crate::rows::{Extent, Windows};
use crate::store::Inner;
use crate::{FileId, Store, StoreError};

/// How long the spans of rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Granularity {
    /// One hour each.
    Hourly,
    /// A local day each: 24 hours, or up to three more or less where a clock is changed.
    Daily,
    /// Anything else, such as weeks.
    Other,
    /// Not all the same.
    Mixed,
}

impl Granularity {
    fn of(span: HourSpan) -> Self {
        match span.len() {
            1 => Self::Hourly,
            21..=27 => Self::Daily,
            _ => Self::Other,
        }
    }

    fn with(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }
}

/// What imported files hold together, each ad set and span counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// From the first hour of any row to the end of the last; `None` without dated rows.
    pub span: Option<HourSpan>,
    /// How long the spans are; `None` without dated rows.
    pub granularity: Option<Granularity>,
    /// Every distinct span, by beginning and end: the steps of a run over the past.
    pub spans: Vec<HourSpan>,
    /// How many rows count.
    pub rows: u64,
    /// How many rows a later file has restated.
    pub superseded: u64,
    /// The platforms that have dated rows, by name.
    pub platforms: Vec<PlatformCoverage>,
    /// The ad sets that have dated rows, by platform and id.
    pub ad_sets: Vec<AdSetCoverage>,
    /// Ad sets of files without dates, with what they did in all; the last file counts.
    pub totals: Vec<(AdSetKey, Metrics)>,
    /// From the hour of the first order or refund to the one after the last.
    pub orders: Option<HourSpan>,
}

/// What files hold of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlatformCoverage {
    /// Which platform.
    pub platform: Platform,
    /// From the first hour to the end of the last.
    pub span: HourSpan,
    /// How long its rows' spans are.
    pub granularity: Granularity,
    /// How many rows count.
    pub rows: u64,
    /// Their sum.
    pub metrics: Metrics,
}

/// What files hold of an ad set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdSetCoverage {
    /// Which ad set.
    pub key: AdSetKey,
    /// From its first hour to the end of its last.
    pub span: HourSpan,
    /// How long its rows' spans are.
    pub granularity: Granularity,
    /// How many rows count.
    pub rows: u64,
    /// Their sum.
    pub metrics: Metrics,
}

struct Sum {
    span: HourSpan,
    granularity: Granularity,
    rows: u64,
    metrics: Metrics,
}

impl Sum {
    fn new(span: HourSpan) -> Self {
        Self {
            span,
            granularity: Granularity::of(span),
            rows: 0,
            metrics: Metrics::default(),
        }
    }

    fn add(
        &mut self,
        span: HourSpan,
        granularity: Granularity,
        rows: u64,
        metrics: &Metrics,
    ) -> Result<(), MetricsOverflow> {
        self.span.from = self.span.from.min(span.from);
        self.span.to = self.span.to.max(span.to);
        self.granularity = self.granularity.with(granularity);
        self.rows += rows;
        self.metrics = self.metrics.merge(metrics)?;
        Ok(())
    }
}

pub(crate) fn of(store: &Store, files: &[FileId]) -> Result<Coverage, StoreError> {
    let mut windows = Windows::new(Extent::of_files(&store.lock(), files, None)?);
    let mut sums = BTreeMap::<i64, Sum>::new();
    let mut coverage = Coverage::default();
    loop {
        let inner = &mut *store.lock();
        let Some(rows) = windows.next(inner)? else {
            break;
        };
        let mut overflow = |ad_set, MetricsOverflow { field }| {
            let key = inner.names.key(&inner.conn, ad_set);
            key.map_or_else(|error| error, |key| StoreError::Overflow { key, field })
        };
        for row in rows {
            note(&mut coverage.spans, row.span);
            let sum = sums.entry(row.ad_set).or_insert_with(|| Sum::new(row.span));
            sum.add(row.span, Granularity::of(row.span), 1, &row.metrics)
                .map_err(|error| overflow(row.ad_set, error))?;
        }
    }
    coverage.superseded = windows.superseded as u64;
    let inner = &mut *store.lock();
    coverage.name(inner, &sums)?;
    coverage.totals = totals(inner, files)?;
    coverage.orders = orders(inner, files)?;
    Ok(coverage)
}

impl Coverage {
    /// Fills in what follows from the sums per ad set.
    fn name(&mut self, inner: &mut Inner, sums: &BTreeMap<i64, Sum>) -> Result<(), StoreError> {
        let mut platforms = BTreeMap::<Platform, Sum>::new();
        for (&ad_set, sum) in sums {
            let key = inner.names.key(&inner.conn, ad_set)?;
            platforms
                .entry(key.platform.clone())
                .or_insert_with(|| Sum {
                    rows: 0,
                    metrics: Metrics::default(),
                    ..*sum
                })
                .add(sum.span, sum.granularity, sum.rows, &sum.metrics)
                .map_err(|MetricsOverflow { field }| StoreError::Overflow {
                    key: key.clone(),
                    field,
                })?;
            self.ad_sets.push(AdSetCoverage {
                key,
                span: sum.span,
                granularity: sum.granularity,
                rows: sum.rows,
                metrics: sum.metrics,
            });
        }
        self.ad_sets.sort_by(|a, b| a.key.cmp(&b.key));
        for (platform, sum) in platforms {
            self.rows += sum.rows;
            self.granularity = Some(match self.granularity {
                None => sum.granularity,
                Some(granularity) => granularity.with(sum.granularity),
            });
            self.span = Some(join(self.span, sum.span));
            self.platforms.push(PlatformCoverage {
                platform,
                span: sum.span,
                granularity: sum.granularity,
                rows: sum.rows,
                metrics: sum.metrics,
            });
        }
        self.platforms
            .sort_by(|a, b| a.platform.as_str().cmp(b.platform.as_str()));
        Ok(())
    }
}

/// Adds a span to those in order of beginning and end. Rows come in order of beginning, so only
/// the last few can be equal to it or after it.
fn note(spans: &mut Vec<HourSpan>, span: HourSpan) {
    let order = |s: &HourSpan| (s.from, s.to);
    let place = spans
        .iter()
        .rposition(|known| order(known) <= order(&span))
        .map_or(0, |place| place + 1);
    if place == 0 || spans[place - 1] != span {
        spans.insert(place, span);
    }
}

fn join(a: Option<HourSpan>, b: HourSpan) -> HourSpan {
    a.map_or(b, |a| HourSpan::new(a.from.min(b.from), a.to.max(b.to)))
}

fn totals(inner: &mut Inner, files: &[FileId]) -> Result<Vec<(AdSetKey, Metrics)>, StoreError> {
    let sql = "SELECT adset, spend, impressions, clicks, conversions, revenue FROM adset_totals \
               WHERE source = ?1";
    let mut found = BTreeMap::new();
    let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
    for file in files {
        let mut rows = statement.query([file.get()]).map_err(engine)?;
        while let Some(row) = rows.next().map_err(engine)? {
            let row = Row::new("adset_totals", row);
            let key = inner.names.key(&inner.conn, row.int(0, "adset")?)?;
            found.insert(key, row.metrics(1)?);
        }
    }
    Ok(found.into_iter().collect())
}

fn orders(inner: &Inner, files: &[FileId]) -> Result<Option<HourSpan>, StoreError> {
    let mut span = None;
    for extent in OrderExtent::of_files(inner, files)? {
        let (Some(first), Some(last)) = (hour_of(extent.first), hour_of(extent.last)) else {
            return Err(StoreError::Invalid {
                table: "orders",
                column: "ts",
            });
        };
        span = Some(join(span, HourSpan::new(first, last.plus(1))));
    }
    Ok(span)
}
