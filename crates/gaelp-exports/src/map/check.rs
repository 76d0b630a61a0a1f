//! From what a map says to what can be read by it.

use chrono::format::{Item, StrftimeItems};
use chrono::{NaiveDate, NaiveDateTime};

use super::{
    AdSetSource, ColumnMap, CurrencySource, DateSource, MapConfig, MapViolation, MetricSource,
};
use crate::map::{Undated, YearSource};
use crate::{Granularity, Metric};

/// The years that a map may state: those that 32-bit hours and every zone's rules are sure of.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;

/// When a row was, by columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum When {
    /// Nobody knows.
    Never,
    /// A column has it, perhaps together with another one for the hour.
    Column {
        column: String,
        format: DateFormat,
        hour: Option<String>,
    },
    /// Three columns have it.
    Parts {
        year: YearSource,
        month: String,
        day: String,
        hour: Option<String>,
    },
}

/// How a date or a time is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DateFormat {
    /// As `2026-09-01`.
    Plain,
    /// A time with its offset.
    Rfc3339,
    /// A pattern with a date only.
    Date(String),
    /// A pattern with a date and a time on the account's clock.
    Time(String),
}

impl DateFormat {
    fn new(format: Option<&str>) -> Result<Self, MapViolation> {
        let pattern = match format {
            None => return Ok(Self::Plain),
            Some("rfc3339") => return Ok(Self::Rfc3339),
            Some(pattern) => pattern,
        };
        let broken = || MapViolation::Format {
            format: pattern.to_owned(),
        };
        if StrftimeItems::new(pattern).any(|item| matches!(item, Item::Error)) {
            return Err(broken());
        }
        // What the pattern reads is found by letting it read what it has written.
        let sample = NaiveDate::from_ymd_opt(2026, 9, 21)
            .and_then(|date| date.and_hms_opt(13, 45, 59))
            .expect("13:45:59 on 21 September 2026 exists");
        let mut text = String::new();
        let written = std::fmt::write(&mut text, format_args!("{}", sample.format(pattern)));
        written.map_err(|_| broken())?;
        match NaiveDateTime::parse_from_str(&text, pattern) {
            Ok(time) if time.date() == sample.date() => return Ok(Self::Time(pattern.to_owned())),
            _ => {}
        }
        match NaiveDate::parse_from_str(&text, pattern) {
            Ok(date) if date == sample.date() => Ok(Self::Date(pattern.to_owned())),
            _ => Err(broken()),
        }
    }

    fn has_hour(&self) -> bool {
        matches!(self, Self::Rfc3339 | Self::Time(_))
    }
}

impl ColumnMap {
    pub(super) fn check(config: MapConfig) -> Result<Self, Vec<MapViolation>> {
        let mut violations = Vec::new();
        let missing = |field| MapViolation::Missing { field };
        if config.platform.is_none() {
            violations.push(missing("platform"));
        }
        if config.granularity.is_none() {
            violations.push(missing("granularity"));
        }
        if config.ad_set == AdSetSource::default() {
            violations.push(MapViolation::NoAdSet);
        }
        if config.spend.is_none() {
            violations.push(missing("spend"));
        }
        let when = config
            .granularity
            .and_then(|granularity| when(&config, granularity, &mut violations));
        constants(&config, &mut violations);
        empty_names(&config, &mut violations);
        match (&config.platform, config.granularity, when, &config.spend) {
            (Some(platform), Some(granularity), Some(when), Some(spend))
                if violations.is_empty() =>
            {
                Ok(Self {
                    platform: platform.clone(),
                    granularity,
                    when,
                    spend: spend.clone(),
                    config,
                })
            }
            _ => Err(violations),
        }
    }
}

fn when(
    config: &MapConfig,
    granularity: Granularity,
    violations: &mut Vec<MapViolation>,
) -> Option<When> {
    if granularity == Granularity::Total {
        for (field, given) in [
            ("date", config.date.is_some()),
            ("hour", config.hour.is_some()),
            ("undated", config.undated == Undated::Skip),
        ] {
            if given {
                violations.push(MapViolation::DateOfTotals { field });
            }
        }
        return Some(When::Never);
    }
    if granularity == Granularity::Day && config.hour.is_some() {
        violations.push(MapViolation::HourOfDays { granularity });
    }
    let Some(date) = &config.date else {
        violations.push(MapViolation::NoDate);
        return None;
    };
    let hour = config.hour.clone();
    let when = match date {
        DateSource {
            column: Some(column),
            format,
            year: None,
            month: None,
            day: None,
        } => match DateFormat::new(format.as_deref()) {
            Ok(format) => When::Column {
                column: column.clone(),
                format,
                hour,
            },
            Err(violation) => {
                violations.push(violation);
                return None;
            }
        },
        DateSource {
            column: None,
            format: None,
            year: Some(year),
            month: Some(month),
            day: Some(day),
        } => When::Parts {
            year: year.clone(),
            month: month.clone(),
            day: day.clone(),
            hour,
        },
        _ => {
            violations.push(MapViolation::DateParts);
            return None;
        }
    };
    if let Some(YearSource::Constant(year)) = date.year
        && !YEARS.contains(&year)
    {
        violations.push(MapViolation::Year { year });
    }
    let timed = matches!(&when, When::Column { format, .. } if format.has_hour());
    match (granularity, timed, config.hour.is_some()) {
        (Granularity::Hour, false, false) => violations.push(MapViolation::NoHour),
        (Granularity::Hour, true, true) => violations.push(MapViolation::TwoHours),
        _ => {}
    }
    Some(when)
}

fn metrics(config: &MapConfig) -> [(Metric, Option<&MetricSource>); 5] {
    [
        (Metric::Spend, config.spend.as_ref()),
        (Metric::Impressions, config.impressions.as_ref()),
        (Metric::Clicks, config.clicks.as_ref()),
        (Metric::Conversions, config.conversions.as_ref()),
        (Metric::Revenue, config.revenue.as_ref()),
    ]
}

fn constants(config: &MapConfig, violations: &mut Vec<MapViolation>) {
    for (metric, source) in metrics(config) {
        let Some(&MetricSource::Constant(constant)) = source else {
            continue;
        };
        let fits = match metric {
            Metric::Impressions | Metric::Clicks => constant.count().is_some(),
            _ => !constant.get().is_negative(),
        };
        if !fits {
            violations.push(MapViolation::Constant { metric, constant });
        }
    }
}

fn empty_names(config: &MapConfig, violations: &mut Vec<MapViolation>) {
    let mut check = |field: &'static str, name: Option<&str>| {
        if name.is_some_and(|name| name.trim().is_empty()) {
            violations.push(MapViolation::EmptyName { field });
        }
    };
    match &config.ad_set {
        AdSetSource::Columns(names) => {
            for name in names {
                check("ad_set", Some(name));
            }
        }
        AdSetSource::Constant(name) => check("ad_set", Some(name)),
    }
    if let Some(date) = &config.date {
        check("date", date.column.as_deref());
        check("month", date.month.as_deref());
        check("day", date.day.as_deref());
        if let Some(YearSource::Column(name)) = &date.year {
            check("year", Some(name));
        }
    }
    check("hour", config.hour.as_deref());
    if let Some(CurrencySource::Column { column, .. }) = &config.currency {
        check("currency", Some(column));
    }
    for (metric, source) in metrics(config) {
        if let Some(MetricSource::Column { column, .. }) = source {
            check(metric.as_str(), Some(column));
        }
    }
}
