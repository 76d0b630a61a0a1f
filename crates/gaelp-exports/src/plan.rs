//! Which column of a file says what: found once, before the first row.

mod google;
mod mapped;
mod meta;
mod tiktok;

use chrono::NaiveDate;
use gaelp_core::{AccountZone, AdSetId, Currency, Platform};

use crate::file::Frame;
use crate::map::{Blank, Constant, DateFormat};
use crate::number::Numbers;
use crate::{
    Content, DateOrder, Decimals, Duplicates, ExportError, ExportKind, Granularity, Metric,
    MetricSet, Place, ReadOptions, Undated,
};

/// How the rows of a file are read.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) platform: Platform,
    pub(crate) granularity: Granularity,
    pub(crate) duplicates: Duplicates,
    pub(crate) zone: AccountZone,
    pub(crate) when: WhenColumns,
    pub(crate) undated: Undated,
    pub(crate) ad_set: AdSetColumns,
    /// Where ad sets are known by name alone: the column that must not differ for one name.
    pub(crate) campaign: Option<usize>,
    pub(crate) spend: Cell,
    pub(crate) impressions: Option<Cell>,
    pub(crate) clicks: Option<Cell>,
    pub(crate) conversions: Option<Cell>,
    pub(crate) revenue: Option<Cell>,
    /// The column that says whether the conversions of a row are purchases.
    pub(crate) results: Option<usize>,
    pub(crate) currency: CurrencyColumn,
    pub(crate) totals: Totals,
    /// Texts that mean that there is no value.
    pub(crate) missing: Vec<Box<str>>,
}

/// What names the ad set of a row.
#[derive(Debug)]
pub(crate) enum AdSetColumns {
    Columns(Vec<usize>),
    Constant(AdSetId),
}

impl AdSetColumns {
    fn one(column: usize) -> Self {
        Self::Columns(vec![column])
    }

    /// The column to point at when something is wrong with the name.
    pub(crate) fn first(&self) -> usize {
        match self {
            Self::Columns(columns) => columns.first().copied().unwrap_or(0),
            Self::Constant(_) => 0,
        }
    }
}

/// When a row was.
#[derive(Debug)]
pub(crate) enum WhenColumns {
    Never,
    Dated {
        date: DateColumns,
        hour: Option<HourColumn>,
    },
    /// TikTok's `stat_time_hour`.
    StampedHour(usize),
    /// TikTok's `stat_time_day`.
    StampedDay(usize),
}

#[derive(Debug)]
pub(crate) enum DateColumns {
    /// One column.
    One {
        column: usize,
        order: Option<DateOrder>,
    },
    /// The first and the last day of what the row sums.
    Range {
        first: usize,
        last: usize,
        order: Option<DateOrder>,
    },
    /// A pattern of the column map, perhaps with a time.
    Format { column: usize, format: DateFormat },
    /// Three columns.
    Parts {
        year: YearColumn,
        month: usize,
        day: usize,
    },
}

#[derive(Debug)]
pub(crate) enum YearColumn {
    Constant(i32),
    Column(usize),
}

impl WhenColumns {
    /// The columns of the date, without that of the hour.
    pub(crate) fn date_columns(&self) -> [Option<usize>; 3] {
        match *self {
            Self::Never => [None; 3],
            Self::StampedHour(column) | Self::StampedDay(column) => [Some(column), None, None],
            Self::Dated { ref date, .. } => match *date {
                DateColumns::One { column, .. } | DateColumns::Format { column, .. } => {
                    [Some(column), None, None]
                }
                DateColumns::Range { first, last, .. } => [Some(first), Some(last), None],
                DateColumns::Parts {
                    ref year,
                    month,
                    day,
                } => match *year {
                    YearColumn::Constant(_) => [Some(month), Some(day), None],
                    YearColumn::Column(year) => [Some(year), Some(month), Some(day)],
                },
            },
        }
    }
}

/// A column of the hour of the day.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HourColumn {
    /// `18`
    Number(usize),
    /// `18:00:00 - 18:59:59`
    Range(usize),
}

impl HourColumn {
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Number(column) | Self::Range(column) => column,
        }
    }
}

/// Where a metric comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) from: CellSource,
    pub(crate) blank: Blank,
    pub(crate) numbers: Numbers,
    pub(crate) decimals: Decimals,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum CellSource {
    Column(usize),
    /// A column of whole micros.
    Micros(usize),
    Constant(Constant),
}

/// Where the currency comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CurrencyColumn {
    pub(crate) stated: Option<Currency>,
    pub(crate) column: Option<usize>,
    pub(crate) only: Option<Currency>,
}

/// How rows that sum other rows are told.
#[derive(Debug)]
pub(crate) enum Totals {
    /// There are none.
    None,
    /// All of these columns are empty. There is one at most, above or below all other rows.
    Unnamed { columns: Vec<usize> },
    /// The first column begins so, and these others say nothing.
    Named {
        starts: &'static [&'static str],
        columns: Vec<usize>,
    },
}

impl Plan {
    pub(crate) fn new(frame: &Frame, options: &ReadOptions) -> Result<Self, ExportError> {
        match (frame.detection.kind, &options.map) {
            (ExportKind::MetaAdsManager, _) => meta::ads_manager(frame, options),
            (ExportKind::MetaApi, _) => meta::api(frame, options),
            (ExportKind::GoogleAds, _) => google::report(frame, options, &google::ENGLISH),
            (ExportKind::GoogleAdsGerman, _) => google::report(frame, options, &google::GERMAN),
            (ExportKind::GoogleAdsApi, _) => google::api(frame, options),
            (ExportKind::TikTokApi, _) => tiktok::api(frame, options),
            (ExportKind::Mapped, Some(map)) => mapped::plan(frame, options, map),
            (kind @ (ExportKind::ShopifyOrders | ExportKind::Mapped), _) => {
                Err(ExportError::WrongContent {
                    at: frame.at_header(None),
                    kind,
                    found: kind.content(),
                    wanted: Content::Insights,
                })
            }
        }
    }

    /// The metrics that the file states.
    pub(crate) fn measured(&self) -> MetricSet {
        let spend = MetricSet::default().with(Metric::Spend);
        [
            (Metric::Impressions, self.impressions.is_some()),
            (Metric::Clicks, self.clicks.is_some()),
            (Metric::Conversions, self.conversions.is_some()),
            (Metric::Revenue, self.revenue.is_some()),
        ]
        .into_iter()
        .filter(|&(_, stated)| stated)
        .fold(spend, |set, (metric, _)| set.with(metric))
    }
}

impl Cell {
    /// A column in which each row has a value.
    fn needed(column: usize, numbers: Numbers) -> Self {
        Self {
            from: CellSource::Column(column),
            blank: Blank::Refuse,
            numbers,
            decimals: Decimals::Exact,
        }
    }

    /// A column that is empty where there was nothing.
    fn blank_is_zero(column: usize, numbers: Numbers) -> Self {
        Self {
            blank: Blank::Zero,
            ..Self::needed(column, numbers)
        }
    }

    /// The same column, with the binary floats that the platform's own arithmetic leaves.
    fn rounded(self) -> Self {
        Self {
            decimals: Decimals::Round,
            ..self
        }
    }
}

/// Rows below the level of an ad set are its parts.
fn duplicates(frame: &Frame, finer: &[&str]) -> Duplicates {
    if frame.header.has_any(finer) {
        Duplicates::Add
    } else {
        Duplicates::Refuse
    }
}

/// The first and the last day of a row differ: it sums what is between.
#[cold]
pub(crate) fn summed(
    at: Place,
    (from, to): (NaiveDate, NaiveDate),
    granularity: Granularity,
) -> ExportError {
    match granularity {
        Granularity::Hour => ExportError::HoursSummedOverDays { at, from, to },
        _ => ExportError::DaysSummed { at, from, to },
    }
}
