//! The description of a table that is none of the known exports.

mod check;
mod sources;

use std::fmt;

use gaelp_core::{AccountZone, Currency, Platform};
use serde::{Deserialize, Serialize};

use crate::{Delimiter, Duplicates, Granularity, Metric, NumberFormat};

pub(crate) use check::{DateFormat, When};
pub use sources::{
    AdSetSource, Blank, Constant, CurrencySource, DateSource, MetricSource, YearSource,
};

/// What a column map says, unchecked: the fields of its TOML file.
///
/// A column is named as in the file's header, whatever its case. [`ColumnMap`] is the checked form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MapConfig {
    /// The platform whose ad sets these are: `meta`, `google`, `tiktok` or any other name. Needed.
    pub platform: Option<Platform>,
    /// What one row covers: `hour`, `day` or `total`. Needed.
    pub granularity: Option<Granularity>,
    /// What names an ad set. Needed.
    pub ad_set: AdSetSource,
    /// When it was; needed except for totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<DateSource>,
    /// The column of the hour of the day, 0 to 23, where the date has no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<String>,
    /// The zone of the dates and hours; default the one of the options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<AccountZone>,
    /// The currency: a code, or the column that has it. Default: the file does not state it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<CurrencySource>,
    /// What was paid. Needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend: Option<MetricSource>,
    /// How often an ad was shown. Default: the file does not state it; so for all that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impressions: Option<MetricSource>,
    /// How often it was clicked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clicks: Option<MetricSource>,
    /// Purchases, or what else is to be learnt from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversions: Option<MetricSource>,
    /// What they were worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<MetricSource>,
    /// Texts that mean that there is no value, such as `#N/A`; an empty one always does.
    pub missing: Vec<String>,
    /// Whether several rows of one ad set and span are summed. Default `refuse`.
    pub duplicates: Duplicates,
    /// What to do with a row whose date is missing. Default `refuse`: it is an error.
    pub undated: Undated,
    /// What to do with more than six decimals. Default `exact`: it is an error.
    pub decimals: Decimals,
    /// What separates the fields: `comma`, `semicolon` or `tab`. Default `comma`.
    pub delimiter: Delimiter,
    /// How numbers are written. Default: the options', or else `plain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberFormat>,
}

/// What to do with a row whose date is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undated {
    /// It is an error.
    #[default]
    Refuse,
    /// Skip it, and count it: its spend is then in no sum.
    Skip,
}

/// What to do with more than six decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decimals {
    /// They are an error: money is not rounded without being asked.
    #[default]
    Exact,
    /// Round to six, half to even: for sources that print binary floats, such as `1.429999948`.
    Round,
}

/// How to read a table that is none of the known exports.
///
/// ```
/// use gaelp_exports::ColumnMap;
///
/// let map = ColumnMap::from_toml(
///     "campaigns.toml",
///     r#"
///         platform = "exchange"
///         granularity = "day"
///         ad_set = ["campaign", "banner"]
///         date = { year = 2020, month = "month", day = "day" }
///         currency = "USD"
///         spend = "cost"
///         impressions = "displays"
///         clicks = { column = "clicks", blank = "zero" }
///         duplicates = "add"
///     "#,
/// )?;
/// assert!(map.config().impressions.is_some());
///
/// // All that is wrong is said at once.
/// let error = ColumnMap::from_toml("empty.toml", "granularity = 'day'").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "empty.toml: `platform` is missing; `ad_set` is missing; `spend` is missing; `date` is \
///      missing: rows of a day or an hour need one",
/// );
/// # Ok::<(), gaelp_exports::ColumnMapError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MapConfig", into = "MapConfig")]
pub struct ColumnMap {
    config: MapConfig,
    pub(crate) platform: Platform,
    pub(crate) granularity: Granularity,
    pub(crate) when: When,
    pub(crate) spend: MetricSource,
}

impl ColumnMap {
    /// Reads and checks the text of a TOML file.
    ///
    /// # Errors
    /// [`ColumnMapError`] names the file and says all that is wrong with it.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, ColumnMapError> {
        let config: MapConfig = toml::from_str(text).map_err(|source| ColumnMapError::Syntax {
            name: name.into(),
            source: Box::new(source),
        })?;
        Self::check(config).map_err(|violations| ColumnMapError::Invalid {
            name: name.into(),
            violations,
        })
    }

    /// What the map says.
    pub fn config(&self) -> &MapConfig {
        &self.config
    }

    /// The source of a metric, if the map has one.
    pub(crate) fn source(&self, metric: Metric) -> Option<&MetricSource> {
        match metric {
            Metric::Spend => Some(&self.spend),
            Metric::Impressions => self.config.impressions.as_ref(),
            Metric::Clicks => self.config.clicks.as_ref(),
            Metric::Conversions => self.config.conversions.as_ref(),
            Metric::Revenue => self.config.revenue.as_ref(),
        }
    }
}

impl TryFrom<MapConfig> for ColumnMap {
    type Error = ColumnMapError;

    fn try_from(config: MapConfig) -> Result<Self, Self::Error> {
        Self::check(config).map_err(|violations| ColumnMapError::Invalid {
            name: "column map".into(),
            violations,
        })
    }
}

impl From<ColumnMap> for MapConfig {
    fn from(map: ColumnMap) -> Self {
        map.config
    }
}

/// Why a column map is not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnMapError {
    /// It is no TOML, or has fields that a map does not have.
    #[error("{name}: {source}")]
    Syntax {
        /// The name of the file.
        name: Box<str>,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Its fields do not fit together.
    #[error("{name}: {}", join(.violations))]
    Invalid {
        /// The name of the file.
        name: Box<str>,
        /// All that is wrong.
        violations: Vec<MapViolation>,
    },
}

fn join(violations: &[MapViolation]) -> String {
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// One thing that is wrong with a column map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapViolation {
    /// A needed field is not there.
    #[error("`{field}` is missing")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// No column for the name of the ad set.
    #[error("`ad_set` is missing")]
    NoAdSet,
    /// A dated table without a date.
    #[error("`date` is missing: rows of a day or an hour need one")]
    NoDate,
    /// Totals with a date.
    #[error("`{field}` has no use where `granularity` is total")]
    DateOfTotals {
        /// Which.
        field: &'static str,
    },
    /// Hourly rows without an hour.
    #[error("`granularity` is hour, but neither `hour` nor the `format` of `date` tells the hour")]
    NoHour,
    /// Daily rows with an hour.
    #[error("`hour` has no use where `granularity` is {granularity}")]
    HourOfDays {
        /// What the map says.
        granularity: Granularity,
    },
    /// Two sources of the hour.
    #[error("both `hour` and the `format` of `date` tell the hour; keep one")]
    TwoHours,
    /// A date that is neither a column nor made of parts.
    #[error(
        "`date` needs either `column`, with a `format` or without, or all of `year`, `month` and \
         `day`"
    )]
    DateParts,
    /// A format that reads no date.
    #[error(
        "the `format` {format:?} reads no date: rfc3339 or a pattern such as %d.%m.%Y is needed"
    )]
    Format {
        /// What the map says.
        format: String,
    },
    /// A year that no calendar of ours has.
    #[error("the `year` {year} is not between 1970 and 2199")]
    Year {
        /// What the map says.
        year: i32,
    },
    /// A constant that the metric cannot have.
    #[error("the constant of `{metric}` is {constant}: {}", constant_rule(*.metric))]
    Constant {
        /// Which.
        metric: Metric,
        /// What the map says.
        constant: Constant,
    },
    /// A column or an ad set without a name.
    #[error("`{field}` has an empty name")]
    EmptyName {
        /// Which.
        field: &'static str,
    },
}

fn constant_rule(metric: Metric) -> &'static str {
    match metric {
        Metric::Impressions | Metric::Clicks => "a whole number that is not below zero is needed",
        _ => "an amount that is not below zero is needed",
    }
}

impl fmt::Display for Decimals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exact => "exact",
            Self::Round => "round",
        })
    }
}

/// The currency that a map states for the whole file.
pub(crate) fn constant_currency(source: Option<&CurrencySource>) -> Option<Currency> {
    match source {
        Some(CurrencySource::Constant(currency)) => Some(*currency),
        _ => None,
    }
}
