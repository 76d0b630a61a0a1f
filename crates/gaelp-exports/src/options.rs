//! What the reader is told about a file, because the file does not say it itself.

use std::fmt;

use gaelp_core::{AccountZone, Currency};
use serde::{Deserialize, Serialize};

use crate::ColumnMap;

/// What a file does not say about itself.
///
/// The default reads every file whose meaning is plain: dates in ISO order, numbers with a decimal
/// point. Where a file is not plain, the error names the option that settles it.
///
/// ```
/// use gaelp_exports::{DateOrder, ReadOptions};
///
/// let options = ReadOptions {
///     zone: "Europe/Berlin".parse()?,
///     currency: Some("EUR".parse()?),
///     date_order: Some(DateOrder::DayFirst),
///     ..ReadOptions::default()
/// };
/// assert!(options.map.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// The zone of the account's clock, in which the file's dates and hours are; default UTC. The
    /// `zone` of a column map goes before it.
    pub zone: AccountZone,
    /// The currency that the file must be in; a file in another one is an error. A file that
    /// does not state its currency passes. Default: any.
    pub currency: Option<Currency>,
    /// The order of day and month in dates such as `01/09/2026`. Default: unknown, so that such a
    /// date is an error; `2026-09-01` is always read.
    pub date_order: Option<DateOrder>,
    /// How numbers are written. Default: as the kind of file writes them, see [`NumberFormat`].
    /// The `numbers` of a column map go before it.
    pub numbers: Option<NumberFormat>,
    /// How to read a table that is none of the known exports; where it is given, the file is read
    /// by it and nothing is detected.
    pub map: Option<ColumnMap>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            zone: AccountZone::UTC,
            currency: None,
            date_order: None,
            numbers: None,
            map: None,
        }
    }
}

/// The order of day and month in a date that is not in ISO order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DateOrder {
    /// `31/12/2026`, `31.12.2026` or `31-12-2026`.
    DayFirst,
    /// `12/31/2026`, `12.31.2026` or `12-31-2026`.
    MonthFirst,
}

/// How a number with thousands and decimals is written.
///
/// Without one, each kind is read as its platform writes it:
///
/// | kind | read | refused |
/// |---|---|---|
/// | Meta Ads Manager | `1250.50`; `1,250.50` and `1,234,567`, which have one meaning only; `1,234` in columns of whole numbers | `1,234` in money (1234, or 1.234?); `1.234,56` |
/// | Google Ads report, English | as `comma_dot` | |
/// | Google Ads report, German | as `dot_comma` | |
/// | the APIs, Shopify, column maps | as `plain` | any separator of thousands |
///
/// ```
/// # use gaelp_exports::NumberFormat;
/// let format: NumberFormat = "dot_comma".parse()?;
/// assert_eq!(format.to_string(), "dot_comma");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NumberFormat {
    /// `1250.50`: no separator of thousands.
    Plain,
    /// `1,250.50`: English.
    CommaDot,
    /// `1.250,50`: German, Spanish, Italian, Portuguese of Brazil.
    DotComma,
    /// `1 250,50`: French, Polish, Swedish; the space may be a no-break space.
    SpaceComma,
    /// `1'250.50`: Swiss.
    ApostropheDot,
    /// `1,00,250.50`: Indian, three digits and then groups of two.
    Indian,
}

impl NumberFormat {
    /// All formats.
    pub const ALL: [Self; 6] = [
        Self::Plain,
        Self::CommaDot,
        Self::DotComma,
        Self::SpaceComma,
        Self::ApostropheDot,
        Self::Indian,
    ];

    /// The name it has in configuration files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::CommaDot => "comma_dot",
            Self::DotComma => "dot_comma",
            Self::SpaceComma => "space_comma",
            Self::ApostropheDot => "apostrophe_dot",
            Self::Indian => "indian",
        }
    }
}

impl DateOrder {
    /// Both orders.
    pub const ALL: [Self; 2] = [Self::DayFirst, Self::MonthFirst];

    /// The name it has in configuration files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DayFirst => "day_first",
            Self::MonthFirst => "month_first",
        }
    }
}

/// A text that names no value of an option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not one of {expected}")]
pub struct ParseOptionError {
    found: String,
    expected: &'static str,
}

impl std::str::FromStr for NumberFormat {
    type Err = ParseOptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|f| f.as_str() == text);
        named.ok_or_else(|| ParseOptionError {
            found: text.to_owned(),
            expected: "plain, comma_dot, dot_comma, space_comma, apostrophe_dot, indian",
        })
    }
}

impl std::str::FromStr for DateOrder {
    type Err = ParseOptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|o| o.as_str() == text);
        named.ok_or_else(|| ParseOptionError {
            found: text.to_owned(),
            expected: "day_first, month_first",
        })
    }
}

impl fmt::Display for NumberFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for DateOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one row of a file covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Granularity {
    /// One hour.
    Hour,
    /// One local day.
    Day,
    /// All of an unknown time.
    Total,
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Total => "total",
        })
    }
}

/// What several rows of one ad set and one span mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// They are parts of it, such as the ads of an ad set, and are summed.
    Add,
    /// They are a mistake. The reader works in constant memory and cannot see it: whoever keeps
    /// the rows has to refuse the second one.
    #[default]
    Refuse,
}

/// One of the figures of [`gaelp_core::Metrics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// What was paid for advertising.
    Spend,
    /// How often an ad was shown.
    Impressions,
    /// How often it was clicked.
    Clicks,
    /// Purchases.
    Conversions,
    /// What they were worth.
    Revenue,
}

impl Metric {
    /// All of them, in the order of [`gaelp_core::Metrics`].
    pub const ALL: [Self; 5] = [
        Self::Spend,
        Self::Impressions,
        Self::Clicks,
        Self::Conversions,
        Self::Revenue,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spend => "spend",
            Self::Impressions => "impressions",
            Self::Clicks => "clicks",
            Self::Conversions => "conversions",
            Self::Revenue => "revenue",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The metrics that a file states. What it does not state reads as zero in its rows and means
/// nothing: a file without a column of conversions does not say that there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MetricSet(u8);

impl MetricSet {
    /// Whether the file states it.
    pub const fn contains(self, metric: Metric) -> bool {
        self.0 & (1 << metric as u8) != 0
    }

    /// The metrics that it states, in order.
    pub fn iter(self) -> impl Iterator<Item = Metric> {
        Metric::ALL.into_iter().filter(move |&m| self.contains(m))
    }

    pub(crate) const fn with(self, metric: Metric) -> Self {
        Self(self.0 | 1 << metric as u8)
    }
}

impl fmt::Display for MetricSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, metric) in self.iter().enumerate() {
            write!(f, "{}{metric}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
