//! Rows of ad sets, whatever the kind of file.

use std::collections::HashSet;
use std::io::Read;

use chrono::format::{ParseError, ParseErrorKind};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike, Utc};
use gaelp_core::{AdSetId, AdSetKey, Currency, HourSpan, Metrics, Quantity, Resolved, UtcHour};

use crate::cells::Cells;
use crate::clock::Clock;
use crate::date;
use crate::file::File;
use crate::ids::Ids;
use crate::map::DateFormat;
use crate::number::NumberReader;
use crate::plan::{
    CellSource, DateColumns, HourColumn, Plan, Totals, WhenColumns, YearColumn, summed,
};
use crate::{
    Detection, Duplicates, ExportError, Granularity, MetricSet, Note, Notes, Place, ReadOptions,
    Undated, ValueProblem,
};

/// The rows of a table of ad sets.
#[derive(Debug)]
pub(crate) struct Table<R> {
    file: File<R>,
    plan: Plan,
    clock: Clock,
    ids: Ids,
    numbers: NumberReader,
    currency: Option<Currency>,
    expected: Option<Currency>,
    /// The ad sets that had a row in the first of two hours that the clock showed alike.
    repeated: HashSet<(AdSetId, UtcHour)>,
    /// A row of totals that may only be the last one.
    total: Option<Place>,
    ended: bool,
}

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) key: AdSetKey,
    /// `None` for totals.
    pub(crate) span: Option<HourSpan>,
    pub(crate) metrics: Metrics,
}

/// A moment as a row tells it.
enum Moment {
    Day(NaiveDate),
    Hour(NaiveDate, u8),
    Instant(DateTime<Utc>),
}

impl<R: Read> Table<R> {
    pub(crate) fn open(name: &str, reader: R, options: &ReadOptions) -> Result<Self, ExportError> {
        let file = File::open(name, reader, options.map.as_ref())?;
        Self::of(file, options)
    }

    pub(crate) fn of(file: File<R>, options: &ReadOptions) -> Result<Self, ExportError> {
        let plan = Plan::new(&file.frame, options)?;
        let currency = plan.currency.stated;
        if let (Some(expected), Some(found)) = (options.currency, currency)
            && expected != found
        {
            let column = match plan.spend.from {
                CellSource::Column(column) | CellSource::Micros(column) => Some(column),
                CellSource::Constant(_) => None,
            };
            return Err(ExportError::Currency {
                at: file.frame.at_header(column),
                expected,
                found,
            });
        }
        Ok(Self {
            clock: Clock::new(plan.zone),
            ids: Ids::new(plan.platform.clone()),
            numbers: NumberReader::default(),
            currency,
            expected: options.currency,
            repeated: HashSet::new(),
            total: None,
            ended: false,
            file,
            plan,
        })
    }

    pub(crate) fn detection(&self) -> &Detection {
        &self.file.frame.detection
    }

    pub(crate) fn granularity(&self) -> Granularity {
        self.plan.granularity
    }

    pub(crate) fn currency(&self) -> Option<Currency> {
        self.currency
    }

    pub(crate) fn measured(&self) -> MetricSet {
        self.plan.measured()
    }

    pub(crate) fn duplicates(&self) -> Duplicates {
        self.plan.duplicates
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.file.notes
    }

    /// The place of the header, for what concerns the file as a whole.
    pub(crate) fn at_header(&self) -> Place {
        self.file.frame.at_header(None)
    }

    /// The place of the current row.
    pub(crate) fn at_row(&self) -> Place {
        self.file.at_row()
    }

    /// The next row; after an error or the end, none.
    pub(crate) fn next_row(&mut self) -> Option<Result<Row, ExportError>> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }

    fn advance(&mut self) -> Result<Option<Row>, ExportError> {
        while self.file.advance()? {
            if let Some(at) = self.total.take() {
                return Err(ExportError::NoAdSet { at });
            }
            if self.is_total() {
                self.file.notes.take(Note::TotalRow);
                continue;
            }
            if !self.check_currency()? {
                self.file.notes.take(Note::OtherCurrency);
                continue;
            }
            if self.plan.undated == Undated::Skip && self.is_undated() {
                self.file.notes.take(Note::UndatedRow);
                continue;
            }
            let key = self.ids.key(&self.file, &self.plan)?;
            let span = self.span(&key.ad_set)?;
            let metrics = self.metrics()?;
            return Ok(Some(Row {
                line: self.file.record.line(),
                key,
                span,
                metrics,
            }));
        }
        Ok(None)
    }

    fn is_missing(&self, text: &str) -> bool {
        text.is_empty() || self.plan.missing.iter().any(|missing| **missing == *text)
    }

    /// Whether the row has no date at all; one with a part of it is wrong.
    fn is_undated(&self) -> bool {
        let mut columns = self.plan.when.date_columns().into_iter().flatten();
        columns.all(|column| self.is_missing(self.file.record.get(column)))
    }

    /// Whether the row sums other rows.
    fn is_total(&mut self) -> bool {
        let record = &self.file.record;
        let silent = |columns: &[usize]| columns.iter().all(|&c| self.is_missing(record.get(c)));
        match &self.plan.totals {
            Totals::None => false,
            Totals::Unnamed { columns } => {
                let total = silent(columns);
                // Above all rows it is as good as below.
                if total && self.file.rows() > 1 {
                    self.total = Some(self.file.at(self.plan.ad_set.first()));
                }
                total
            }
            Totals::Named { starts, columns } => {
                let first = record.get(0);
                starts.iter().any(|start| first.starts_with(start)) && silent(columns)
            }
        }
    }

    /// Whether the row is in the file's currency; `false` where it is to be skipped.
    fn check_currency(&mut self) -> Result<bool, ExportError> {
        let Some(column) = self.plan.currency.column else {
            return Ok(true);
        };
        let text = self.file.record.get(column);
        if self.is_missing(text) {
            return Err(self.file.refuse(column, ValueProblem::Missing));
        }
        let Ok(found) = text.parse::<Currency>() else {
            return Err(self.file.refuse(column, ValueProblem::NotACurrency));
        };
        if self.plan.currency.only.is_some_and(|only| only != found) {
            return Ok(false);
        }
        let expected = self.currency.or(self.expected).unwrap_or(found);
        if expected != found {
            return Err(ExportError::Currency {
                at: self.file.at(column),
                expected,
                found,
            });
        }
        self.currency = Some(found);
        Ok(true)
    }

    /// The hours of the row.
    fn span(&mut self, ad_set: &AdSetId) -> Result<Option<HourSpan>, ExportError> {
        let (moment, column) = match &self.plan.when {
            WhenColumns::Never => return Ok(None),
            &WhenColumns::StampedHour(column) => {
                let (date, hour) = self.parse(column, date::stamped_hour)?;
                (Moment::Hour(date, hour), column)
            }
            &WhenColumns::StampedDay(column) => {
                (Moment::Day(self.parse(column, date::stamped_day)?), column)
            }
            WhenColumns::Dated { date, hour } => {
                let (moment, column) = self.date(date)?;
                match (moment, *hour) {
                    (Moment::Day(date), Some(hour)) => {
                        let value = match hour {
                            HourColumn::Number(column) => self.parse(column, date::hour)?,
                            HourColumn::Range(column) => self.parse(column, date::hour_range)?,
                        };
                        (Moment::Hour(date, value), hour.index())
                    }
                    (moment, _) => (moment, column),
                }
            }
        };
        let by_hour = self.plan.granularity == Granularity::Hour;
        let date = match moment {
            Moment::Hour(date, hour) if by_hour => {
                let hour = self.resolve(ad_set, date, hour, column)?;
                return Ok(Some(HourSpan::hour(hour)));
            }
            Moment::Instant(instant) if by_hour => {
                return Ok(Some(HourSpan::hour(self.clock.hour_at(instant))));
            }
            Moment::Instant(instant) => self.clock.date_at(instant),
            Moment::Day(date) | Moment::Hour(date, _) => date,
        };
        let span = self
            .clock
            .day(date)
            .ok_or_else(|| ExportError::SkippedDay {
                at: self.file.at(column),
                zone: self.clock.zone(),
                date,
            })?;
        Ok(Some(span))
    }

    /// The UTC hour of an hour on the account's clock.
    ///
    /// What a platform books on an hour that the clock shows twice is not said. A single row is
    /// booked on the first of both; where an ad set has two, the second is the second hour.
    fn resolve(
        &mut self,
        ad_set: &AdSetId,
        date: NaiveDate,
        hour: u8,
        column: usize,
    ) -> Result<UtcHour, ExportError> {
        match self.clock.hour(date, hour) {
            Resolved::One(hour) => Ok(hour),
            Resolved::Twice(first, second) => {
                let seen = !self.repeated.insert((ad_set.clone(), first));
                // The ads of an ad set have a row each, and all of them stand for both hours.
                if seen && self.plan.duplicates == Duplicates::Refuse {
                    self.file.notes.take(Note::SecondHour);
                    return Ok(second);
                }
                self.file.notes.take(Note::RepeatedHour);
                Ok(first)
            }
            Resolved::Never => Err(ExportError::SkippedHour {
                at: self.file.at(column),
                zone: self.clock.zone(),
                date,
                hour,
            }),
        }
    }

    /// The date of the row, perhaps with a time, and the column that tells it.
    fn date(&self, columns: &DateColumns) -> Result<(Moment, usize), ExportError> {
        match *columns {
            DateColumns::One { column, order } => {
                let date = self.parse(column, |text| date::date(text, order))?;
                Ok((Moment::Day(date), column))
            }
            DateColumns::Range { first, last, order } => {
                let from = self.parse(first, |text| date::date(text, order))?;
                let to = self.parse(last, |text| date::date(text, order))?;
                if from != to {
                    let at = self.file.at(first);
                    return Err(summed(at, (from, to), self.plan.granularity));
                }
                Ok((Moment::Day(from), first))
            }
            DateColumns::Format { column, ref format } => {
                let moment = self.parse(column, |text| formatted(text, format))?;
                Ok((moment, column))
            }
            DateColumns::Parts {
                ref year,
                month,
                day,
            } => {
                let year = match *year {
                    YearColumn::Constant(year) => year,
                    YearColumn::Column(column) => self.parse(column, date::year)?,
                };
                let month = self.parse(month, date::month)?;
                let date = self.parse(day, |text| date::day_of(year, month, text))?;
                Ok((Moment::Day(date), day))
            }
        }
    }

    fn parse<T>(
        &self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, ValueProblem>,
    ) -> Result<T, ExportError> {
        let text = self.file.record.get(column);
        if self.is_missing(text) {
            return Err(self.file.refuse(column, ValueProblem::Missing));
        }
        parse(text).map_err(|problem| self.file.refuse(column, problem))
    }

    fn metrics(&mut self) -> Result<Metrics, ExportError> {
        let plan = &self.plan;
        let mut cells = Cells::new(&self.file, &plan.missing, &mut self.numbers);
        let mut metrics = Metrics {
            spend: cells.spend(&plan.spend)?,
            impressions: cells.count(plan.impressions.as_ref())?,
            clicks: cells.count(plan.clicks.as_ref())?,
            conversions: cells.quantity(plan.conversions.as_ref())?,
            revenue: cells.amount(plan.revenue.as_ref())?,
        };
        let blanks = cells.blanks();
        let other_results = !metrics.conversions.is_zero()
            && plan
                .results
                .is_some_and(|column| !is_purchase(self.file.record.get(column)));
        let notes = &mut self.file.notes;
        notes.add(Note::BlankAsZero, blanks);
        if other_results {
            notes.take(Note::OtherResults);
            metrics.conversions = Quantity::ZERO;
        }
        if plan.impressions.is_some() && metrics.clicks > metrics.impressions {
            notes.take(Note::ClicksAboveImpressions);
        }
        Ok(metrics)
    }
}

/// Whether the results that an indicator names, such as
/// `actions:offsite_conversion.fb_pixel_purchase`, are purchases.
fn is_purchase(indicator: &str) -> bool {
    indicator.to_lowercase().contains("purchase")
}

/// A date by the pattern of a column map.
fn formatted(text: &str, format: &DateFormat) -> Result<Moment, ValueProblem> {
    let wrong = |error: ParseError| match error.kind() {
        ParseErrorKind::OutOfRange | ParseErrorKind::Impossible => ValueProblem::ImpossibleDate,
        _ => ValueProblem::NotInFormat,
    };
    Ok(match format {
        DateFormat::Plain => Moment::Day(date::date(text, None)?),
        DateFormat::Rfc3339 => {
            let instant = DateTime::parse_from_rfc3339(text).map_err(wrong)?;
            Moment::Instant(instant.with_timezone(&Utc))
        }
        DateFormat::Date(pattern) => {
            Moment::Day(NaiveDate::parse_from_str(text, pattern).map_err(wrong)?)
        }
        DateFormat::Time(pattern) => {
            let time = NaiveDateTime::parse_from_str(text, pattern).map_err(wrong)?;
            let hour = u8::try_from(time.hour()).map_err(|_| ValueProblem::NotAnHour)?;
            Moment::Hour(time.date(), hour)
        }
    })
}
