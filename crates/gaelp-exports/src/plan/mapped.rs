//! The columns that a column map names.

use super::{
    AdSetColumns, Cell, CellSource, CurrencyColumn, DateColumns, HourColumn, Plan, Totals,
    WhenColumns, YearColumn,
};
use crate::file::Frame;
use crate::map::{
    AdSetSource, Blank, CurrencySource, DateFormat, MetricSource, When, YearSource,
    constant_currency,
};
use crate::number::Numbers;
use crate::{ColumnMap, ExportError, Metric, ReadOptions};

pub(super) fn plan(
    frame: &Frame,
    options: &ReadOptions,
    map: &ColumnMap,
) -> Result<Plan, ExportError> {
    let need = |name: &str| frame.header.find(name).ok_or_else(|| frame.missing(name));
    let config = map.config();
    let numbers = config.numbers.or(options.numbers);
    let numbers = numbers.map_or(Numbers::PLAIN, Numbers::Format);
    let cell = |source: &MetricSource| {
        let (from, blank) = match source {
            MetricSource::Column { column, blank } => (CellSource::Column(need(column)?), *blank),
            MetricSource::Constant(constant) => (CellSource::Constant(*constant), Blank::Refuse),
        };
        Ok(Cell {
            from,
            blank,
            numbers,
            decimals: config.decimals,
        })
    };
    let optional = |metric| map.source(metric).map(cell).transpose();
    let ad_set = match &config.ad_set {
        AdSetSource::Columns(names) => {
            let columns: Result<Vec<usize>, ExportError> = names.iter().map(|n| need(n)).collect();
            AdSetColumns::Columns(columns?)
        }
        AdSetSource::Constant(name) => AdSetColumns::Constant(name.as_str().into()),
    };
    let currency = match &config.currency {
        Some(CurrencySource::Column { column, only }) => CurrencyColumn {
            stated: None,
            column: Some(need(column)?),
            only: *only,
        },
        source => CurrencyColumn {
            stated: constant_currency(source.as_ref()),
            ..CurrencyColumn::default()
        },
    };
    Ok(Plan {
        platform: map.platform.clone(),
        granularity: map.granularity,
        duplicates: config.duplicates,
        zone: config.zone.unwrap_or(options.zone),
        when: when(frame, options, &map.when)?,
        undated: config.undated,
        ad_set,
        campaign: None,
        spend: cell(&map.spend)?,
        impressions: optional(Metric::Impressions)?,
        clicks: optional(Metric::Clicks)?,
        conversions: optional(Metric::Conversions)?,
        revenue: optional(Metric::Revenue)?,
        results: None,
        currency,
        totals: Totals::None,
        missing: config
            .missing
            .iter()
            .map(|text| text.trim().into())
            .collect(),
    })
}

fn when(frame: &Frame, options: &ReadOptions, when: &When) -> Result<WhenColumns, ExportError> {
    let need = |name: &str| frame.header.find(name).ok_or_else(|| frame.missing(name));
    let hour = |hour: &Option<String>| {
        let column = hour.as_deref().map(need).transpose()?;
        Ok::<_, ExportError>(column.map(HourColumn::Number))
    };
    Ok(match when {
        When::Never => WhenColumns::Never,
        When::Column {
            column,
            format,
            hour: hours,
        } => WhenColumns::Dated {
            date: match format {
                DateFormat::Plain => DateColumns::One {
                    column: need(column)?,
                    order: options.date_order,
                },
                format => DateColumns::Format {
                    column: need(column)?,
                    format: format.clone(),
                },
            },
            hour: hour(hours)?,
        },
        When::Parts {
            year,
            month,
            day,
            hour: hours,
        } => WhenColumns::Dated {
            date: DateColumns::Parts {
                year: match year {
                    YearSource::Constant(year) => YearColumn::Constant(*year),
                    YearSource::Column(name) => YearColumn::Column(need(name)?),
                },
                month: need(month)?,
                day: need(day)?,
            },
            hour: hour(hours)?,
        },
    })
}
