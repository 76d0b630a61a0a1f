//! Why a file was not taken: the file, the line, the column, and what to do.

use std::fmt;
use std::io;
use std::sync::Arc;

use chrono::NaiveDate;
use gaelp_core::{AccountZone, Currency};

use crate::{ExportKind, Metric, NumberFormat};

/// A place in a file.
///
/// Prints as ``ads.csv, line 3, column `Clicks` ``, with what of it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The name of the file, as the reader was given it.
    pub file: Arc<str>,
    /// The line, counted from 1. Where a quoted value runs over several lines, the first of them.
    pub line: Option<u64>,
    /// The column, by its header.
    pub column: Option<Arc<str>>,
}

impl Place {
    pub(crate) fn file(name: &Arc<str>) -> Self {
        Self {
            file: Arc::clone(name),
            line: None,
            column: None,
        }
    }

    pub(crate) fn line(name: &Arc<str>, line: u64) -> Self {
        Self {
            line: Some(line),
            ..Self::file(name)
        }
    }

    pub(crate) fn cell(name: &Arc<str>, line: u64, column: Option<&Arc<str>>) -> Self {
        Self {
            column: column.map(Arc::clone),
            ..Self::line(name, line)
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        Ok(())
    }
}

/// A value as an error shows it: its beginning, or only its length where the file holds personal
/// data and a shifted column could show an address instead of a price.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Excerpt {
    /// The value, or its beginning.
    Shown(Box<str>),
    /// A value that is not repeated.
    Hidden {
        /// How many characters it has.
        characters: usize,
    },
}

/// Characters of a value that an error repeats.
const SHOWN: usize = 40;

impl Excerpt {
    pub(crate) fn shown(value: &str) -> Self {
        match value.char_indices().nth(SHOWN) {
            Some((end, _)) => Self::Shown(format!("{}…", &value[..end]).into()),
            None => Self::Shown(value.into()),
        }
    }

    pub(crate) fn hidden(value: &str) -> Self {
        Self::Hidden {
            characters: value.chars().count(),
        }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(text) if text.is_empty() => f.write_str("the empty field"),
            Self::Hidden { characters: 0 } => f.write_str("the empty field"),
            Self::Shown(text) => write!(f, "{text:?}"),
            Self::Hidden { characters } => write!(f, "a value of {characters} characters (hidden)"),
        }
    }
}

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Content {
    /// Spend and results of ad sets, by hour or day: [`InsightRows`](crate::InsightRows).
    Insights,
    /// Spend and results of ad sets without a date: [`TotalRows`](crate::TotalRows).
    Totals,
    /// Orders of a shop: [`OrderRows`](crate::OrderRows).
    Orders,
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Insights => "dated insights",
            Self::Totals => "totals without dates",
            Self::Orders => "orders",
        })
    }
}

/// Why a file was not taken.
///
/// Each one prints the place and what to do about it. After an error nothing of the file may be
/// kept: the rows before it were right by themselves, but the batch is not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The reader below failed.
    #[error("{at}: cannot be read ({source}); try again")]
    Io {
        /// Where.
        at: Place,
        /// Why.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("{at}: the file is empty; export it again")]
    Empty {
        /// Which file.
        at: Place,
    },
    /// A header and nothing below.
    #[error("{at}: there is no row below the header; export a period that has data")]
    NoRows {
        /// The header.
        at: Place,
    },
    /// It looks like none of the known exports.
    #[error(
        "{at}: this is no known export; looked in the first {searched} lines for the columns of \
         Meta Ads Manager (Ad set name, Amount spent, Reporting starts), the Meta API (date_start, \
         adset_id, spend), Google Ads (Campaign, Impr., Cost), the Google Ads API (segments.date, \
         metrics.cost_micros), the TikTok API (stat_time_hour, adgroup_id, spend) and Shopify \
         orders (Financial Status, Created at); export in English, or describe the table by a \
         column map"
    )]
    UnknownKind {
        /// Which file.
        at: Place,
        /// How many lines were looked at.
        searched: usize,
    },
    /// It was opened as something that it is not.
    #[error("{at}: this is {kind} with {found}, not {wanted}; read it as {found}")]
    WrongContent {
        /// Which file.
        at: Place,
        /// Its kind.
        kind: ExportKind,
        /// What it is about.
        found: Content,
        /// What was wanted.
        wanted: Content,
    },
    /// A needed column is not there.
    #[error("{at}: there is no column `{wanted}`; {}", add_column(*.kind))]
    MissingColumn {
        /// The header.
        at: Place,
        /// The kind of file.
        kind: ExportKind,
        /// The column, or those of which one is needed.
        wanted: Box<str>,
    },
    /// Two columns have one name.
    #[error("{at}: the columns {first} and {second} have the same name; remove or rename one")]
    DuplicateColumn {
        /// The header.
        at: Place,
        /// The place of the one, counted from 1.
        first: usize,
        /// The place of the other.
        second: usize,
    },
    /// Hours of another clock than the account's.
    #[error(
        "{at}: these hours are on each viewer's own clock; export with the breakdown \"Time of \
         day (ad account time zone)\""
    )]
    ViewersClock {
        /// The column.
        at: Place,
    },
    /// An hourly breakdown that sums the same hour of several days.
    #[error(
        "{at}: the row sums an hour of the day from {from} to {to}; add the \"Day\" breakdown \
         (time_increment=1 in the API) and export again"
    )]
    HoursSummedOverDays {
        /// The row.
        at: Place,
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// A row that sums several days.
    #[error(
        "{at}: the row sums the days from {from} to {to}; add the \"Day\" breakdown \
         (time_increment=1 in the API) and export again"
    )]
    DaysSummed {
        /// The row.
        at: Place,
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// No column says when.
    #[error(
        "{at}: no column says on which day a row was, so each row sums the whole period; add \
         {wanted} and export again"
    )]
    Undated {
        /// The header.
        at: Place,
        /// What to add.
        wanted: &'static str,
    },
    /// A row of the wrong number of fields.
    #[error(
        "{at}: {found} fields where the header has {expected}; a separator is missing or not \
         quoted, export again instead of editing by hand"
    )]
    Width {
        /// The row.
        at: Place,
        /// How many the header has.
        expected: usize,
        /// How many the row has.
        found: usize,
    },
    /// The last line stops in the middle.
    #[error(
        "{at}: the file ends after {found} of {expected} fields; it was cut, download it again"
    )]
    Truncated {
        /// The row.
        at: Place,
        /// How many the header has.
        expected: usize,
        /// How many the row has.
        found: usize,
    },
    /// A quote that is never closed.
    #[error(
        "{at}: the quote that opens here is not closed by the end of the file; it was cut or a \
         quote was lost, download it again"
    )]
    UnclosedQuote {
        /// Where it opens.
        at: Place,
    },
    /// Text between a closing quote and the next separator.
    #[error(
        "{at}: there is text between a closing quote and the next separator; a quote inside of a \
         value is written twice, export again instead of editing by hand"
    )]
    TextAfterQuote {
        /// Where.
        at: Place,
    },
    /// Bytes that are no UTF-8.
    #[error("{at}: the text is not UTF-8; save it as CSV UTF-8")]
    NotUtf8 {
        /// Where.
        at: Place,
    },
    /// UTF-16 with half a character.
    #[error("{at}: the UTF-16 text is broken here; it was cut or damaged, download it again")]
    BrokenUtf16 {
        /// Where.
        at: Place,
    },
    /// A NUL character.
    #[error(
        "{at}: there is a NUL character; the file is damaged, or UTF-16 without a byte order \
         mark: save it as CSV UTF-8"
    )]
    Nul {
        /// Where.
        at: Place,
    },
    /// A field longer than any that an export has.
    #[error("{at}: a field is longer than {limit} bytes; a quote is probably lost, export again")]
    FieldTooLong {
        /// Where.
        at: Place,
        /// The limit.
        limit: usize,
    },
    /// A row longer than any that an export has.
    #[error("{at}: the row is longer than {limit} bytes; this is no export, or it is damaged")]
    RowTooLong {
        /// Where.
        at: Place,
        /// The limit.
        limit: usize,
    },
    /// More columns than any export has.
    #[error("{at}: the row has more than {limit} fields; this is no export, or it is damaged")]
    TooManyFields {
        /// Where.
        at: Place,
        /// The limit.
        limit: usize,
    },
    /// More ad sets than the reader keeps the names of.
    #[error(
        "{at}: there are more than {limit} ad sets; check that the column names an ad set, or \
         split the file"
    )]
    TooManyAdSets {
        /// Where.
        at: Place,
        /// The limit.
        limit: usize,
    },
    /// The row names no ad set.
    #[error("{at}: the row names no ad set; remove it if it is a total, or export again")]
    NoAdSet {
        /// Where.
        at: Place,
    },
    /// Two ad sets with one name, and no id to tell them apart.
    #[error(
        "{at}: the ad set {name} is in two campaigns, and its name alone does not tell which; \
         add the column `Ad set ID` and export again"
    )]
    AmbiguousAdSet {
        /// Where.
        at: Place,
        /// Its name.
        name: Excerpt,
    },
    /// Another currency than before, or than expected.
    #[error(
        "{at}: the amount is in {found}, not in {expected}; amounts are not converted, export one \
         currency at a time or set the currency that you expect"
    )]
    Currency {
        /// Where.
        at: Place,
        /// The currency in force.
        expected: Currency,
        /// The other one.
        found: Currency,
    },
    /// A value that cannot be taken.
    #[error("{at}: {value} {problem}")]
    Value {
        /// Where.
        at: Place,
        /// The value.
        value: Excerpt,
        /// What is wrong with it.
        problem: ValueProblem,
    },
    /// The hour never was.
    #[error(
        "{at}: the clock in {zone} skipped {date} {hour:02}:00; set the zone of the ad account"
    )]
    SkippedHour {
        /// Where.
        at: Place,
        /// The zone.
        zone: AccountZone,
        /// The day.
        date: NaiveDate,
        /// The hour.
        hour: u8,
    },
    /// The day never was.
    #[error("{at}: the calendar in {zone} skipped {date}; set the zone of the ad account")]
    SkippedDay {
        /// Where.
        at: Place,
        /// The zone.
        zone: AccountZone,
        /// The day.
        date: NaiveDate,
    },
    /// A line of an order whose first line is not above it.
    #[error(
        "{at}: the row has no financial status and does not continue the order above it; export \
         again, sorted as Shopify does"
    )]
    OrphanOrderLine {
        /// Where.
        at: Place,
    },
    /// An order that is there twice in a row.
    #[error("{at}: the order of the row above is here a second time; remove one of them")]
    RepeatedOrder {
        /// Where.
        at: Place,
    },
    /// A sum that does not fit.
    #[error(
        "{at}: the sum of {metric} passes the largest amount, about 9.2 trillion; check that the \
         column holds what its name says"
    )]
    SumOverflow {
        /// Where.
        at: Place,
        /// Which.
        metric: Metric,
    },
}

impl ExportError {
    /// Where it happened.
    pub fn place(&self) -> &Place {
        match self {
            Self::Io { at, .. }
            | Self::Empty { at }
            | Self::NoRows { at }
            | Self::UnknownKind { at, .. }
            | Self::WrongContent { at, .. }
            | Self::MissingColumn { at, .. }
            | Self::DuplicateColumn { at, .. }
            | Self::ViewersClock { at }
            | Self::HoursSummedOverDays { at, .. }
            | Self::DaysSummed { at, .. }
            | Self::Undated { at, .. }
            | Self::Width { at, .. }
            | Self::Truncated { at, .. }
            | Self::UnclosedQuote { at }
            | Self::TextAfterQuote { at }
            | Self::NotUtf8 { at }
            | Self::BrokenUtf16 { at }
            | Self::Nul { at }
            | Self::FieldTooLong { at, .. }
            | Self::RowTooLong { at, .. }
            | Self::TooManyFields { at, .. }
            | Self::TooManyAdSets { at, .. }
            | Self::NoAdSet { at }
            | Self::AmbiguousAdSet { at, .. }
            | Self::Currency { at, .. }
            | Self::Value { at, .. }
            | Self::SkippedHour { at, .. }
            | Self::SkippedDay { at, .. }
            | Self::OrphanOrderLine { at }
            | Self::RepeatedOrder { at }
            | Self::SumOverflow { at, .. } => at,
        }
    }
}

fn add_column(kind: ExportKind) -> &'static str {
    match kind {
        ExportKind::Mapped => "correct the column map or the file",
        _ => "add it to the report and export again",
    }
}

/// What is wrong with a value; each prints as the end of a sentence that begins with the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueProblem {
    /// Nothing where something is needed.
    #[error("is no value, and one is needed here; export again with this column filled")]
    Missing,
    /// A character that no number has.
    #[error(
        "is not a number in the format {format}: unexpected {found:?} at character {position}; \
         export plain numbers or set `numbers` to the format of the file"
    )]
    NotANumber {
        /// The format that was expected.
        format: NumberFormat,
        /// The character.
        found: char,
        /// Its place, counted from 1.
        position: usize,
    },
    /// The same of a value that is hidden.
    #[error("is not a number in the format {format}; export plain numbers or set `numbers`")]
    NoNumber {
        /// The format that was expected.
        format: NumberFormat,
    },
    /// `NaN` or infinity.
    #[error("is not a finite number; correct it at its source")]
    NotFinite,
    /// `1e-5`.
    #[error("is in exponent notation; export plain decimal numbers")]
    Exponent,
    /// More than six decimals.
    #[error(
        "has more than six decimals; export fewer, or read the file by a column map with \
         `decimals = \"round\"`"
    )]
    TooPrecise,
    /// More than fits.
    #[error("is out of range: the largest amount is about 9.2 trillion; correct it at its source")]
    OutOfRange,
    /// Below zero.
    #[error("is below zero; correct it at its source")]
    Negative,
    /// A fraction of a count.
    #[error("is not a whole number; check that the column holds a count")]
    NotWhole,
    /// `1,234`: a thousand, or one and a fraction?
    #[error(
        "can be read in two ways; set `numbers` to comma_dot if the comma separates thousands, \
         to dot_comma if it is the decimal sign"
    )]
    Ambiguous,
    /// Groups of digits that are not groups of thousands.
    #[error("has separators that make no thousands in the format {format}; set `numbers`")]
    Grouping {
        /// The format.
        format: NumberFormat,
    },
    /// Not a date.
    #[error("is not a date such as 2026-09-01; export dates in that form or use a column map")]
    NotADate,
    /// `01/09/2026`.
    #[error(
        "can be read as two dates; set `date_order` to day_first or month_first, or export dates \
         such as 2026-09-01"
    )]
    DateOrder,
    /// 30 February.
    #[error("is a date that no calendar has; correct it, or check `date_order`")]
    ImpossibleDate,
    /// Not in the format that the column map states.
    #[error("is not in the date format of the column map; correct its `format`")]
    NotInFormat,
    /// Not a year.
    #[error("is not a year of four digits; correct it")]
    NotAYear,
    /// Not a month.
    #[error("is not a month, neither 1 to 12 nor an English name; correct it")]
    NotAMonth,
    /// Not an hour as the kind of file writes it.
    #[error("is not an hour of the day from 0 to 23; correct it")]
    NotAnHour,
    /// `10:00:00 - 11:59:59`, or half past something.
    #[error(
        "is not one whole hour, written as 18:00:00 or 18:00:00 - 18:59:59; export the hourly \
         breakdown"
    )]
    NotOneHour,
    /// Not a time with an offset.
    #[error("is not a time with its offset such as 2026-05-14 11:23:45 +0100; export again")]
    NotATime,
    /// Not a currency.
    #[error("is not a currency code of three capital letters such as USD; correct it")]
    NotACurrency,
    /// Not a financial status that Shopify documents.
    #[error(
        "is none of paid, partially_refunded, refunded, pending, authorized, partially_paid, \
         voided, expired; export again in English"
    )]
    NotAStatus,
}
