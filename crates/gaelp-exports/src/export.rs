//! A file of any kind, and a look through a whole file.

use std::io::Read;

use gaelp_core::{Currency, HourSpan, Metrics, MetricsOverflow, Quantity, UtcHour};

use crate::file::File;
use crate::table::Table;
use crate::{
    Content, Detection, ExportError, ExportKind, Granularity, InsightRows, Metric, MetricSet,
    Notes, OrderRows, Place, ReadOptions, TotalRows,
};

/// A file of any kind, opened as what it was found to be.
///
/// ```
/// use gaelp_exports::{Content, Export, ReadOptions};
///
/// let file = "date_start,date_stop,adset_id,spend\n2026-09-01,2026-09-01,238,9.71\n";
/// let export = Export::open("insights.csv", file.as_bytes(), &ReadOptions::default())?;
/// assert_eq!(export.content(), Content::Insights);
/// assert_eq!(
///     export.detection().reason,
///     "the header on line 1 has the columns `date_start` and `date_stop`: a Meta API table",
/// );
/// if let Export::Insights(rows) = export {
///     assert_eq!(rows.count(), 1);
/// }
/// # Ok::<(), gaelp_exports::ExportError>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Export<R> {
    /// Spend and results by hour or day.
    Insights(InsightRows<R>),
    /// Spend and results without a date.
    Totals(TotalRows<R>),
    /// Orders.
    Orders(OrderRows<R>),
}

impl<R: Read> Export<R> {
    /// Opens a file. `name` is what errors call it; the reader need not be buffered.
    ///
    /// # Errors
    /// As [`InsightRows::open`] and [`OrderRows::open`], but no content is wrong.
    pub fn open(name: &str, reader: R, options: &ReadOptions) -> Result<Self, ExportError> {
        let file = File::open(name, reader, options.map.as_ref())?;
        if file.frame.detection.kind == ExportKind::ShopifyOrders {
            return OrderRows::of(file, options).map(Self::Orders);
        }
        let table = Table::of(file, options)?;
        match table.granularity() {
            Granularity::Total => TotalRows::of(table).map(Self::Totals),
            _ => InsightRows::of(table).map(Self::Insights),
        }
    }

    /// What the file is about.
    pub fn content(&self) -> Content {
        match self {
            Self::Insights(_) => Content::Insights,
            Self::Totals(_) => Content::Totals,
            Self::Orders(_) => Content::Orders,
        }
    }

    /// What the file was found to be, and why.
    pub fn detection(&self) -> &Detection {
        match self {
            Self::Insights(rows) => rows.detection(),
            Self::Totals(rows) => rows.detection(),
            Self::Orders(rows) => rows.detection(),
        }
    }

    /// The currency that the file states, as far as it was read.
    pub fn currency(&self) -> Option<Currency> {
        match self {
            Self::Insights(rows) => rows.currency(),
            Self::Totals(rows) => rows.currency(),
            Self::Orders(rows) => rows.currency(),
        }
    }

    /// What was noted so far.
    pub fn notes(&self) -> &Notes {
        match self {
            Self::Insights(rows) => rows.notes(),
            Self::Totals(rows) => rows.notes(),
            Self::Orders(rows) => rows.notes(),
        }
    }

    /// The metrics that the file states.
    pub fn measured(&self) -> MetricSet {
        match self {
            Self::Insights(rows) => rows.measured(),
            Self::Totals(rows) => rows.measured(),
            Self::Orders(_) => MetricSet::default()
                .with(Metric::Conversions)
                .with(Metric::Revenue),
        }
    }

    /// The place of the current row.
    fn at_row(&self) -> Place {
        match self {
            Self::Insights(rows) => rows.at_row(),
            Self::Totals(rows) => rows.at_row(),
            Self::Orders(rows) => rows.at_row(),
        }
    }

    /// The hours and the metrics of the next row, whatever the content.
    fn next_row(&mut self) -> Option<Result<(Option<HourSpan>, Metrics), ExportError>> {
        Some(match self {
            Self::Insights(rows) => rows.next()?.map(|row| (Some(row.span), row.metrics)),
            Self::Totals(rows) => rows.next()?.map(|row| (None, row.metrics)),
            Self::Orders(rows) => rows.next()?.map(|order| {
                let metrics = Metrics {
                    conversions: Quantity::from_millionths(1_000_000),
                    revenue: order.net(),
                    ..Metrics::default()
                };
                (Some(HourSpan::hour(UtcHour::containing(order.at))), metrics)
            }),
        })
    }
}

/// What a whole file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileSummary {
    /// What it is.
    pub detection: Detection,
    /// What it is about.
    pub content: Content,
    /// How many rows, or orders, it yields.
    pub rows: u64,
    /// From the first hour to the last; `None` for totals without dates and where there is no row.
    pub span: Option<HourSpan>,
    /// The currency that it states.
    pub currency: Option<Currency>,
    /// The sums; for orders, their number as conversions and their net total as revenue.
    pub metrics: Metrics,
    /// Which of the metrics it states.
    pub measured: MetricSet,
    /// What was noted.
    pub notes: Notes,
}

/// Reads a whole file and keeps nothing of it: whether it can be taken, and what it holds.
///
/// Memory is constant, so that a program can look through files of any size before it takes the
/// first row of the first of them.
///
/// ```
/// use gaelp_exports::{ReadOptions, validate};
///
/// let file = "\
/// stat_time_hour,adgroup_id,spend,complete_payment,total_complete_payment_rate
/// 2026-09-01 18:00:00,171,1.25,1,29.90
/// 2026-09-01 19:00:00,171,0.75,0,0
/// ";
/// let summary = validate("tiktok.csv", file.as_bytes(), &ReadOptions::default())?;
/// assert_eq!(summary.rows, 2);
/// assert_eq!(summary.metrics.spend.to_string(), "2.00");
/// assert_eq!(summary.span.map(|s| s.to_string()).as_deref(), Some("2026-09-01T18Z..2026-09-01T20Z"));
/// # Ok::<(), gaelp_exports::ExportError>(())
/// ```
///
/// # Errors
/// The first [`ExportError`] of the file.
pub fn validate<R: Read>(
    name: &str,
    reader: R,
    options: &ReadOptions,
) -> Result<FileSummary, ExportError> {
    let mut export = Export::open(name, reader, options)?;
    let (mut rows, mut span, mut metrics) = (0, None, Metrics::default());
    while let Some(row) = export.next_row() {
        let (hours, row) = row?;
        rows += 1;
        span = cover(span, hours);
        metrics = metrics
            .merge(&row)
            .map_err(|error| ExportError::SumOverflow {
                at: export.at_row(),
                metric: overflowed(error),
            })?;
    }
    Ok(FileSummary {
        detection: export.detection().clone(),
        content: export.content(),
        rows,
        span,
        currency: export.currency(),
        metrics,
        measured: export.measured(),
        notes: export.notes().clone(),
    })
}

/// The shortest span that covers both.
fn cover(a: Option<HourSpan>, b: Option<HourSpan>) -> Option<HourSpan> {
    match (a, b) {
        (Some(a), Some(b)) => Some(HourSpan::new(a.from.min(b.from), a.to.max(b.to))),
        (a, b) => a.or(b),
    }
}

fn overflowed(error: MetricsOverflow) -> Metric {
    let is_it = |metric: &Metric| metric.as_str() == error.field;
    Metric::ALL.into_iter().find(is_it).unwrap_or(Metric::Spend)
}
