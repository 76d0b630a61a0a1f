//! Rows of what platforms report about ad sets.

use std::io::Read;

use gaelp_core::{AdSetKey, Currency, HourSpan, Metrics};

use crate::table::Table;
use crate::{
    Content, Detection, Duplicates, ExportError, Granularity, MetricSet, Notes, Place, ReadOptions,
};

/// What a platform reports about an ad set during an hour or a local day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InsightRow {
    /// The line it stands on.
    pub line: u64,
    /// The ad set.
    pub key: AdSetKey,
    /// The hour, or the hours of the local day.
    pub span: HourSpan,
    /// What happened. What the file does not state is zero, see [`InsightRows::measured`].
    pub metrics: Metrics,
}

/// What a file without dates says about an ad set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TotalRow {
    /// The line it stands on.
    pub line: u64,
    /// The ad set.
    pub key: AdSetKey,
    /// What happened, nobody knows when.
    pub metrics: Metrics,
}

/// The dated rows of an export, one after the other.
///
/// After an error there is no further row. A file is taken as a whole or not at all: whoever keeps
/// the rows keeps them aside until the last one was read.
///
/// **Hours that the clock shows twice.** When summer time ends, an hour of the day comes twice,
/// and a platform's report does not say which one it means. Where an ad set has one row for it,
/// the row is booked on the first of both hours; where it has two, in any order of the file, the
/// first row is the first hour and the second row the second. Both are counted in
/// [`notes`](Self::notes).
///
/// **Names.** An ad set is keyed by its id where the file has it, and by its name where not; a
/// name that stands in two campaigns is an error. Files with ids and files with names do not meet.
///
/// **Cost.** Some 1.2 µs a row; memory is constant but for the names of the ad sets, of which there
/// are at most 100,000.
///
/// ```
/// use gaelp_exports::{InsightRows, ReadOptions};
///
/// let export = "\
/// Ad set name,Day,Time of day (ad account time zone),Impressions,Link clicks,Amount spent (USD)
/// Shoes,2026-09-01,18:00:00 - 18:59:59,1204,31,4.18
/// Shoes,2026-09-01,19:00:00 - 19:59:59,988,,3.02
/// ,,,2192,31,7.20
/// ";
/// let options = ReadOptions {
///     zone: "America/New_York".parse()?,
///     ..ReadOptions::default()
/// };
/// let mut rows = InsightRows::open("meta.csv", export.as_bytes(), &options)?;
/// let evening = rows.next().ok_or("no row")??;
/// assert_eq!(evening.span.from.to_string(), "2026-09-01T22Z");
/// assert_eq!(evening.metrics.spend.to_string(), "4.18");
///
/// assert_eq!(rows.by_ref().collect::<Result<Vec<_>, _>>()?.len(), 1);
/// assert_eq!(rows.currency().map(|c| c.to_string()).as_deref(), Some("USD"));
/// assert_eq!(rows.measured().to_string(), "spend, impressions, clicks");
/// assert_eq!(rows.notes().to_string(), "1 rows of totals skipped, 1 empty values read as zero");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InsightRows<R> {
    table: Table<R>,
}

impl<R: Read> InsightRows<R> {
    /// Opens an export. `name` is what errors call it; the reader need not be buffered.
    ///
    /// # Errors
    /// What the head of the file shows: an [`ExportError`] for a file that is empty, of no known
    /// kind or of another content, or without a needed column, and for sums of hours over days.
    pub fn open(name: &str, reader: R, options: &ReadOptions) -> Result<Self, ExportError> {
        Self::of(Table::open(name, reader, options)?)
    }

    pub(crate) fn of(table: Table<R>) -> Result<Self, ExportError> {
        if table.granularity() == Granularity::Total {
            return Err(wrong(&table, Content::Totals, Content::Insights));
        }
        Ok(Self { table })
    }

    /// What the file was found to be, and why.
    pub fn detection(&self) -> &Detection {
        self.table.detection()
    }

    /// What a row covers: [`Granularity::Hour`] or [`Granularity::Day`].
    pub fn granularity(&self) -> Granularity {
        self.table.granularity()
    }

    /// The currency that the file states, as far as it was read; `None` where it states none.
    pub fn currency(&self) -> Option<Currency> {
        self.table.currency()
    }

    /// The metrics that the file states; the others are zero in all its rows.
    pub fn measured(&self) -> MetricSet {
        self.table.measured()
    }

    /// What several rows of one key and span mean.
    pub fn duplicates(&self) -> Duplicates {
        self.table.duplicates()
    }

    /// What was noted so far.
    pub fn notes(&self) -> &Notes {
        self.table.notes()
    }

    /// The place of the current row.
    pub(crate) fn at_row(&self) -> Place {
        self.table.at_row()
    }
}

impl<R: Read> Iterator for InsightRows<R> {
    type Item = Result<InsightRow, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.table.next_row()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        // Only tables of totals have rows without a span, and they were refused above.
        let span = row.span?;
        Some(Ok(InsightRow {
            line: row.line,
            key: row.key,
            span,
            metrics: row.metrics,
        }))
    }
}

impl<R: Read> std::iter::FusedIterator for InsightRows<R> {}

/// The rows of a table without dates, one after the other.
///
/// Only a column map with `granularity = "total"` opens one. Such rows say how ad sets compare, and
/// nothing about hours or days: there is nothing in them to decide by from hour to hour, which is
/// why they are of a type of their own.
///
/// ```
/// use gaelp_exports::{ColumnMap, ReadOptions, TotalRows};
///
/// let map = ColumnMap::from_toml(
///     "totals.toml",
///     "platform = 'meta'\ngranularity = 'total'\nad_set = ['ad_id']\nspend = 'Spent'",
/// )?;
/// let options = ReadOptions { map: Some(map), ..ReadOptions::default() };
/// let rows = TotalRows::open("totals.csv", "ad_id,Spent\n7,1.43\n8,0\n".as_bytes(), &options)?;
/// let spend: Result<Vec<_>, _> = rows.map(|row| row.map(|row| row.metrics.spend)).collect();
/// assert_eq!(spend?, ["1.43".parse()?, "0".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TotalRows<R> {
    table: Table<R>,
}

impl<R: Read> TotalRows<R> {
    /// Opens a table by the map of the options.
    ///
    /// # Errors
    /// As [`InsightRows::open`]; here a file with dates is of another content.
    pub fn open(name: &str, reader: R, options: &ReadOptions) -> Result<Self, ExportError> {
        Self::of(Table::open(name, reader, options)?)
    }

    pub(crate) fn of(table: Table<R>) -> Result<Self, ExportError> {
        if table.granularity() != Granularity::Total {
            return Err(wrong(&table, Content::Insights, Content::Totals));
        }
        Ok(Self { table })
    }

    /// What the file was found to be, and why.
    pub fn detection(&self) -> &Detection {
        self.table.detection()
    }

    /// The currency that the file states, as far as it was read; `None` where it states none.
    pub fn currency(&self) -> Option<Currency> {
        self.table.currency()
    }

    /// The metrics that the file states; the others are zero in all its rows.
    pub fn measured(&self) -> MetricSet {
        self.table.measured()
    }

    /// What several rows of one key mean.
    pub fn duplicates(&self) -> Duplicates {
        self.table.duplicates()
    }

    /// What was noted so far.
    pub fn notes(&self) -> &Notes {
        self.table.notes()
    }

    /// The place of the current row.
    pub(crate) fn at_row(&self) -> Place {
        self.table.at_row()
    }
}

impl<R: Read> Iterator for TotalRows<R> {
    type Item = Result<TotalRow, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.table.next_row()?;
        Some(row.map(|row| TotalRow {
            line: row.line,
            key: row.key,
            metrics: row.metrics,
        }))
    }
}

impl<R: Read> std::iter::FusedIterator for TotalRows<R> {}

fn wrong<R: Read>(table: &Table<R>, found: Content, wanted: Content) -> ExportError {
    ExportError::WrongContent {
        at: table.at_header(),
        kind: table.detection().kind,
        found,
        wanted,
    }
}
