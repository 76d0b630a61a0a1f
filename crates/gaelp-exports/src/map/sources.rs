//! Where the values of a map come from, and how that is written in TOML.

use std::fmt;

use gaelp_core::{Currency, Micros};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Where the name of an ad set comes from: `["campaign", "banner"]`, or `{ constant = "cpc" }` for a
/// table of a single one.
#[derive(Clone, Debug, PartialEq)]
pub enum AdSetSource {
    /// Columns, whose values are joined by ` / `.
    Columns(Vec<String>),
    /// The same for all rows.
    Constant(String),
}

impl Default for AdSetSource {
    fn default() -> Self {
        Self::Columns(Vec::new())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdSetTable {
    constant: String,
}

impl Serialize for AdSetSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Columns(columns) => columns.serialize(serializer),
            Self::Constant(name) => AdSetTable {
                constant: name.clone(),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AdSetSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;

        impl<'de> Visitor<'de> for Source {
            type Value = AdSetSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of columns or a table { constant }")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, columns: A) -> Result<AdSetSource, A::Error> {
                let columns = Vec::deserialize(SeqAccessDeserializer::new(columns))?;
                Ok(AdSetSource::Columns(columns))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AdSetSource, A::Error> {
                let table = AdSetTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(AdSetSource::Constant(table.constant))
            }
        }

        deserializer.deserialize_any(Source)
    }
}

/// Where a date comes from: either a column, or three parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DateSource {
    /// The column of the date or the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How it is written: `rfc3339` for a time with its offset, or a pattern of
    /// [`chrono::format::strftime`]. Default: as `2026-09-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The year, a number, or the column that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<YearSource>,
    /// The column of the month: 1 to 12, or an English name, whole or its first three letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// The column of the day of the month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
}

/// Where a year comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum YearSource {
    /// The same for all rows, because the file does not say it.
    Constant(i32),
    /// A column.
    Column(String),
}

impl<'de> Deserialize<'de> for YearSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Year;

        impl Visitor<'_> for Year {
            type Value = YearSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a year such as 2020 or the name of a column")
            }

            fn visit_i64<E: de::Error>(self, year: i64) -> Result<YearSource, E> {
                let year =
                    i32::try_from(year).map_err(|_| E::custom("the year is out of range"))?;
                Ok(YearSource::Constant(year))
            }

            fn visit_u64<E: de::Error>(self, year: u64) -> Result<YearSource, E> {
                self.visit_i64(i64::try_from(year).unwrap_or(i64::MAX))
            }

            fn visit_str<E: de::Error>(self, column: &str) -> Result<YearSource, E> {
                Ok(YearSource::Column(column.to_owned()))
            }
        }

        deserializer.deserialize_any(Year)
    }
}

/// Where the currency comes from: `"USD"`, or `{ column = "currency", only = "RUB" }`.
#[derive(Clone, Debug, PartialEq)]
pub enum CurrencySource {
    /// The same for all rows.
    Constant(Currency),
    /// A column.
    Column {
        /// Its name.
        column: String,
        /// The rows to read; those in another currency are skipped and counted. Without it, a
        /// second currency is an error.
        only: Option<Currency>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrencyTable {
    column: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<Currency>,
}

impl Serialize for CurrencySource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(currency) => currency.serialize(serializer),
            Self::Column { column, only } => CurrencyTable {
                column: column.clone(),
                only: *only,
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CurrencySource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;

        impl<'de> Visitor<'de> for Source {
            type Value = CurrencySource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a currency code such as \"USD\" or a table { column, only }")
            }

            fn visit_str<E: de::Error>(self, code: &str) -> Result<CurrencySource, E> {
                code.parse()
                    .map(CurrencySource::Constant)
                    .map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CurrencySource, A::Error> {
                let table = CurrencyTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(CurrencySource::Column {
                    column: table.column,
                    only: table.only,
                })
            }
        }

        deserializer.deserialize_any(Source)
    }
}

/// What a missing value of a metric means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blank {
    /// That something is wrong.
    #[default]
    Refuse,
    /// Zero, because the source writes none for zero.
    Zero,
}

/// A value that all rows have: an integer, or a decimal number as text (`"0.5"`), which TOML's
/// floats could not hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Constant(Micros);

impl Constant {
    /// A constant from its value in millionths.
    pub const fn new(millionths: Micros) -> Self {
        Self(millionths)
    }

    /// The value in millionths.
    pub const fn get(self) -> Micros {
        self.0
    }

    /// The value as a count, if it is one.
    pub(crate) fn count(self) -> Option<u64> {
        let millionths = u64::try_from(self.0.get()).ok()?;
        (millionths % 1_000_000 == 0).then_some(millionths / 1_000_000)
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Constant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Constant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer, or a decimal number as text such as \"0.5\"")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Constant, E> {
                let units = Micros::from_major(number);
                units
                    .map(Constant)
                    .ok_or_else(|| E::custom("the number is out of range"))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Constant, E> {
                self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Constant, E> {
                text.parse().map(Constant).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Number)
    }
}

/// Where a metric comes from: `"Clicks"`, `{ column = "Clicks", blank = "zero" }` or
/// `{ constant = 1 }`.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricSource {
    /// A column.
    Column {
        /// Its name.
        column: String,
        /// What a missing value means.
        blank: Blank,
    },
    /// The same for all rows.
    Constant(Constant),
}

impl MetricSource {
    /// A column in which each row must have a value.
    pub fn column(name: impl Into<String>) -> Self {
        Self::Column {
            column: name.into(),
            blank: Blank::Refuse,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MetricTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blank: Option<Blank>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constant: Option<Constant>,
}

impl Serialize for MetricSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let table = match self {
            Self::Column { column, blank } => MetricTable {
                column: Some(column.clone()),
                blank: Some(*blank),
                constant: None,
            },
            Self::Constant(constant) => MetricTable {
                constant: Some(*constant),
                ..MetricTable::default()
            },
        };
        table.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MetricSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;

        impl<'de> Visitor<'de> for Source {
            type Value = MetricSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column or a table { column, blank } or { constant }")
            }

            fn visit_str<E: de::Error>(self, column: &str) -> Result<MetricSource, E> {
                Ok(MetricSource::column(column))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MetricSource, A::Error> {
                let table = MetricTable::deserialize(MapAccessDeserializer::new(map))?;
                match table {
                    MetricTable {
                        column: Some(column),
                        blank,
                        constant: None,
                    } => Ok(MetricSource::Column {
                        column,
                        blank: blank.unwrap_or_default(),
                    }),
                    MetricTable {
                        column: None,
                        blank: None,
                        constant: Some(constant),
                    } => Ok(MetricSource::Constant(constant)),
                    _ => Err(de::Error::custom(
                        "either `column`, with `blank` or without, or `constant` is needed",
                    )),
                }
            }
        }

        deserializer.deserialize_any(Source)
    }
}
