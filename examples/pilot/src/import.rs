//! Files in: checked whole, then stored in one transaction.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gaelp::core::{AccountZone, AdSetKey, Currency, HourSpan, Metrics, Micros};
use gaelp::platform::OrderEvent;
use gaelp_exports::{
    ColumnMap, Content, DateOrder, Duplicates, Export, FileSummary, Metric, NumberFormat,
    ReadOptions, validate,
};
use gaelp_store::{FileId, FileStatus, Import, OnDuplicate, Store, StoreError};

use crate::error::PilotError;
use crate::progress::Progress;
use crate::settings::{InsightsFile, Settings};
use crate::stats::Stats;
use crate::summary::{Granularity, Input};

/// Why files that are right by themselves cannot be taken together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// Two currencies.
    #[error(
        "{file} is in {found}, {first} in {expected}: gaelp does not convert; give files of one \
         currency"
    )]
    Currencies {
        file: String,
        found: Currency,
        first: String,
        expected: Currency,
    },
    /// No currency at all.
    #[error("no file states its currency: pass --currency, such as --currency USD")]
    NoCurrency,
    /// Hours beside days.
    #[error(
        "{file} is {found:?}, {first} is {expected:?}: hours and days would be added up; give \
         files of one kind, or run the pilot once for each"
    )]
    Granularities {
        file: String,
        found: Granularity,
        first: String,
        expected: Granularity,
    },
    /// Days of another clock.
    #[error(
        "{file}, line {line}: its day is {found}, which is no day of {zone}; pass --timezone with \
         the zone that the file (or its column map) counts days in"
    )]
    ForeignDay {
        file: String,
        line: u64,
        found: HourSpan,
        zone: AccountZone,
    },
    /// Two rows for the same thing.
    #[error(
        "{file}, line {line}: a second row for {key} in {span}; remove one, or let a column map \
         say `duplicates = \"add\"` if they are parts of one figure"
    )]
    Duplicate {
        file: String,
        line: u64,
        key: AdSetKey,
        span: HourSpan,
    },
    /// Two undated rows for the same thing.
    #[error(
        "{file}, line {line}: a second row for {key}; let the column map say `duplicates = \
         \"add\"` if they are parts of one figure"
    )]
    DuplicateTotal {
        file: String,
        line: u64,
        key: AdSetKey,
    },
    /// Orders where reports belong, or the reverse.
    #[error("{file} holds {found}, and was given as {given}: use {instead}")]
    WrongPlace {
        file: String,
        found: &'static str,
        given: &'static str,
        instead: &'static str,
    },
    /// Orders beside reports without dates.
    #[error("{file} holds totals without dates: leave the orders away, they cannot be matched")]
    OrdersWithoutDates { file: String },
    /// Not a single row.
    #[error("no file holds a row with a date")]
    Empty,
}

/// What was taken in.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) inputs: Vec<Input>,
    pub(crate) reports: Vec<FileId>,
    pub(crate) orders: Vec<FileId>,
    pub(crate) currency: Currency,
    pub(crate) granularity: Granularity,
    /// The sums of undated rows, where the reports have no dates.
    pub(crate) totals: Vec<(AdSetKey, Metrics)>,
    /// The net revenue of the orders.
    pub(crate) order_revenue: Micros,
    /// How many rows a later file has restated; known once the store was asked.
    pub(crate) restated: u64,
    /// What the files state; the rest is missing, not zero.
    pub(crate) stated: Stated,
    /// The digest of all files, in order.
    pub(crate) digest: blake3::Hash,
}

/// Which outcomes the files state at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stated {
    pub(crate) revenue: bool,
    pub(crate) conversions: bool,
}

/// How the files of a run are read.
struct Reading {
    zone: AccountZone,
    currency: Option<Currency>,
    date_order: Option<DateOrder>,
    numbers: Option<NumberFormat>,
}

/// A file that was read once and found right.
struct Checked {
    path: PathBuf,
    name: String,
    options: ReadOptions,
    summary: FileSummary,
    granularity: Granularity,
    account: AccountZone,
    digest: [u8; 32],
}

/// Checks all files, then stores them: all, or none.
pub(crate) fn take(
    settings: &Settings,
    store: &Store,
    progress: Progress,
    stats: &mut Stats,
) -> Result<Taken, PilotError> {
    let reports = settings.insights();
    if reports.is_empty() {
        return Err(PilotError::NoInput);
    }
    let reading = Reading {
        zone: settings.zone()?,
        currency: settings.currency()?,
        date_order: settings.date_order()?,
        numbers: settings.numbers()?,
    };
    let orders = settings.orders();
    let paths = reports.iter().map(|file| &file.path).chain(&orders);
    let bytes: u64 = paths
        .map(|path| path.metadata().map_or(0, |m| m.len()))
        .sum();
    let bar = progress.bytes("checking", bytes);
    let (reports, orders) = stats.time("checking", "rows", || {
        let reports = reports
            .iter()
            .map(|file| check(file, &reading, Content::Insights, &bar))
            .collect::<Result<Vec<_>, _>>()?;
        let orders = orders
            .into_iter()
            .map(|path| {
                check(
                    &InsightsFile { path, map: None },
                    &reading,
                    Content::Orders,
                    &bar,
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let rows = reports
            .iter()
            .chain(&orders)
            .map(|file| file.summary.rows)
            .sum();
        Ok::<_, PilotError>(((reports, orders), rows))
    })?;
    bar.finish_and_clear();
    let granularity = granularity(&reports)?;
    if let (Granularity::Total, Some(file), false) =
        (granularity, reports.first(), orders.is_empty())
    {
        let file = file.name.clone();
        return Err(InputError::OrdersWithoutDates { file }.into());
    }
    let currency = currency(&reading, reports.iter().chain(&orders))?;
    let bar = progress.bytes("importing", bytes);
    let taken = stats.time("importing", "rows", || {
        let mut taken = Taken {
            inputs: reports
                .iter()
                .chain(&orders)
                .map(|file| describe(file, currency))
                .collect(),
            reports: Vec::new(),
            orders: Vec::new(),
            currency,
            granularity,
            totals: Vec::new(),
            order_revenue: orders
                .iter()
                .map(|file| file.summary.metrics.revenue)
                .try_fold(Micros::ZERO, Micros::checked_add)
                .unwrap_or(Micros::MAX),
            restated: 0,
            stated: stated(reports.iter().chain(&orders)),
            digest: digest(&reports, &orders),
        };
        let mut import = store.import()?;
        for file in &reports {
            taken
                .reports
                .push(store_file(&mut import, file, &bar, &mut taken.totals)?);
        }
        for file in &orders {
            taken
                .orders
                .push(store_file(&mut import, file, &bar, &mut taken.totals)?);
        }
        import.commit()?;
        let rows = taken.inputs.iter().map(|input| input.rows).sum();
        Ok::<_, PilotError>((taken, rows))
    })?;
    bar.finish_and_clear();
    Ok(taken)
}

fn stated<'a>(files: impl Iterator<Item = &'a Checked>) -> Stated {
    let mut stated = Stated {
        revenue: false,
        conversions: false,
    };
    for file in files {
        stated.revenue |= file.summary.measured.contains(Metric::Revenue);
        stated.conversions |= file.summary.measured.contains(Metric::Conversions);
    }
    stated
}

/// The digest of all files, in order: the same files make the same run.
fn digest(reports: &[Checked], orders: &[Checked]) -> blake3::Hash {
    let mut all = blake3::Hasher::new();
    for file in reports {
        all.update(&file.digest);
    }
    all.update(b"orders");
    for file in orders {
        all.update(&file.digest);
    }
    all.finalize()
}

fn check(
    file: &InsightsFile,
    reading: &Reading,
    given: Content,
    bar: &indicatif::ProgressBar,
) -> Result<Checked, PilotError> {
    let map = file.map.as_deref().map(read_map).transpose()?;
    let options = ReadOptions {
        zone: reading.zone,
        currency: reading.currency,
        date_order: reading.date_order,
        numbers: reading.numbers,
        map,
    };
    let name = display_name(&file.path);
    let mut hasher = blake3::Hasher::new();
    // The same bytes read in another way are another file.
    let how = serde_json::to_vec(&options).unwrap_or_default();
    hasher
        .update(&(how.len() as u64).to_le_bytes())
        .update(&how);
    let reader = Hashed {
        inner: bar.wrap_read(open(&file.path)?),
        hasher: &mut hasher,
    };
    let summary = validate(&name, reader, &options)?;
    match (given, summary.content) {
        (Content::Insights, Content::Orders) => {
            let (found, instead) = ("a shop's orders", "--orders");
            let wrong = InputError::WrongPlace {
                file: name,
                found,
                given: "a report",
                instead,
            };
            return Err(wrong.into());
        }
        (Content::Orders, Content::Insights | Content::Totals) => {
            let (found, instead) = ("an ad platform's report", "--insights");
            let wrong = InputError::WrongPlace {
                file: name,
                found,
                given: "orders",
                instead,
            };
            return Err(wrong.into());
        }
        _ => {}
    }
    let digest = *hasher.finalize().as_bytes();
    // The header says how fine the rows are.
    let granularity = match Export::open(&name, open(&file.path)?, &options)? {
        Export::Insights(rows) if rows.granularity() == gaelp_exports::Granularity::Hour => {
            Granularity::Hourly
        }
        Export::Totals(_) => Granularity::Total,
        _ => Granularity::Daily,
    };
    Ok(Checked {
        path: file.path.clone(),
        name,
        options,
        summary,
        granularity,
        account: reading.zone,
        digest,
    })
}

fn read_map(path: &Path) -> Result<ColumnMap, PilotError> {
    let text = std::fs::read_to_string(path).map_err(|source| PilotError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(ColumnMap::from_toml(&display_name(path), &text)?)
}

fn open(path: &Path) -> Result<File, PilotError> {
    File::open(path).map_err(|source| PilotError::File {
        path: path.to_owned(),
        source,
    })
}

/// A file's name without its folder: what it is called must not depend on where it lies.
fn display_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn granularity(reports: &[Checked]) -> Result<Granularity, InputError> {
    let mut first: Option<(&str, Granularity)> = None;
    for file in reports {
        let found = file.granularity;
        match first {
            Some((name, expected)) if expected != found => {
                let (file, first) = (file.name.clone(), name.to_owned());
                return Err(InputError::Granularities {
                    file,
                    found,
                    first,
                    expected,
                });
            }
            _ => first = first.or(Some((&file.name, found))),
        }
    }
    first
        .map(|(_, granularity)| granularity)
        .ok_or(InputError::Empty)
}

fn currency<'a>(
    reading: &Reading,
    files: impl Iterator<Item = &'a Checked>,
) -> Result<Currency, InputError> {
    let mut first: Option<(&str, Currency)> = None;
    for file in files {
        let Some(found) = file.summary.currency else {
            continue;
        };
        match first {
            Some((name, expected)) if expected != found => {
                let (file, first) = (file.name.clone(), name.to_owned());
                return Err(InputError::Currencies {
                    file,
                    found,
                    first,
                    expected,
                });
            }
            _ => first = first.or(Some((&file.name, found))),
        }
    }
    reading
        .currency
        .or(first.map(|(_, found)| found))
        .ok_or(InputError::NoCurrency)
}

fn describe(file: &Checked, currency: Currency) -> Input {
    let mut notes: Vec<String> = file
        .summary
        .notes
        .iter()
        .map(|(note, count)| format!("{count} × {note}"))
        .collect();
    if file.summary.currency.is_none() {
        notes.push(format!(
            "it does not state its currency; taken as {currency}"
        ));
    }
    Input {
        name: file.name.clone(),
        kind: file.summary.detection.kind.to_string(),
        reason: file.summary.detection.reason.clone(),
        rows: file.summary.rows,
        notes,
    }
}

fn store_file(
    import: &mut Import,
    file: &Checked,
    bar: &indicatif::ProgressBar,
    totals: &mut Vec<(AdSetKey, Metrics)>,
) -> Result<FileId, PilotError> {
    let kind = file.summary.detection.kind.as_str();
    let status = import.file(file.digest, &file.name, kind)?;
    let (id, new) = match status {
        FileStatus::New(id) => (id, true),
        FileStatus::Known(id) => (id, false),
    };
    // Known content is in the store; totals are needed all the same, because they are not replayed.
    if !new && file.summary.content != Content::Totals {
        bar.inc(file.path.metadata().map_or(0, |m| m.len()));
        return Ok(id);
    }
    let reader = bar.wrap_read(open(&file.path)?);
    match Export::open(&file.name, reader, &file.options)? {
        Export::Insights(rows) => {
            let duplicates = on_duplicate(rows.duplicates());
            for row in rows {
                let row = row?;
                if file.granularity == Granularity::Daily {
                    same_clock(file, row.line, row.span)?;
                }
                import
                    .metric(id, &row.key, row.span, &row.metrics, duplicates)
                    .map_err(|error| placed(error, &file.name, row.line))?;
            }
        }
        Export::Totals(rows) => {
            let duplicates = on_duplicate(rows.duplicates());
            for row in rows {
                let row = row?;
                if new {
                    import
                        .total(id, &row.key, &row.metrics, duplicates)
                        .map_err(|error| placed(error, &file.name, row.line))?;
                }
                totals.push((row.key, row.metrics));
            }
        }
        Export::Orders(rows) => {
            for row in rows {
                let row = row?;
                let sale = OrderEvent::sale(row.order.clone(), row.at, row.total)
                    .map_err(StoreError::from)?;
                import.order(id, &sale)?;
                if let Some(back) = row
                    .refunded
                    .checked_neg()
                    .filter(|amount| !amount.is_zero())
                {
                    // The export has no date for refunds: they count where the order does.
                    let refund =
                        OrderEvent::refund(row.order, 1, row.at, back).map_err(StoreError::from)?;
                    import.order(id, &refund)?;
                }
            }
        }
        // A kind of file that this program does not know yet holds nothing it could take.
        _ => {}
    }
    Ok(id)
}

/// A day of the file must be a day of the account, or nothing that is decided by the account's days
/// would ever meet it.
fn same_clock(file: &Checked, line: u64, span: HourSpan) -> Result<(), InputError> {
    let zone = file.account;
    if zone.day(zone.local(span.from).date) == Some(span) {
        return Ok(());
    }
    let (file, found) = (file.name.clone(), span);
    Err(InputError::ForeignDay {
        file,
        line,
        found,
        zone,
    })
}

fn on_duplicate(duplicates: Duplicates) -> OnDuplicate {
    match duplicates {
        Duplicates::Add => OnDuplicate::Add,
        Duplicates::Refuse => OnDuplicate::Refuse,
    }
}

/// Says where in the file a row stands that the store refuses.
fn placed(error: StoreError, file: &str, line: u64) -> PilotError {
    let file = file.to_owned();
    match error {
        StoreError::Duplicate { key, span } => InputError::Duplicate {
            file,
            line,
            key,
            span,
        }
        .into(),
        StoreError::DuplicateTotal { key } => InputError::DuplicateTotal { file, line, key }.into(),
        other => other.into(),
    }
}

/// Digests what is read.
struct Hashed<'a, R> {
    inner: R,
    hasher: &'a mut blake3::Hasher,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
