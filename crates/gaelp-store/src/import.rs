//! Taking in files: a whole batch, or nothing of it.

use std::collections::BTreeMap;
use std::fmt;

use gaelp_core::{AdSetKey, HourSpan, Metrics, MetricsOverflow};
use gaelp_platform::{OrderEvent, OrderKind};
use rusqlite::{OptionalExtension, params, params_from_iter};

use crate::codec::{Row, figures, start};
use crate::error::{RecordKey, engine};
use crate::store::{Inner, Writer};
use crate::{FileId, FileStatus, OnDuplicate, Store, StoreError};

/// A batch of files on its way into a store. Dropping it leaves the store as it was.
///
/// A file is known by the digest of its content: one that was imported before is
/// [`Known`](FileStatus::Known) and must be skipped. After any error the batch can still be given
/// rows, to find what else is wrong with it, but no longer be committed.
///
/// **Cost.** About two microseconds a row; constant memory.
///
/// ```
/// use gaelp_core::{AdSetKey, HourSpan, Metrics, Platform, UtcHour};
/// use gaelp_store::{FileStatus, OnDuplicate, Store};
///
/// let store = Store::open_in_memory()?;
/// let key = AdSetKey::new(Platform::Meta, "prospecting");
/// let span = HourSpan::hour(UtcHour::new(490_000));
/// let digest = [7; 32]; // of the file's bytes
///
/// let mut import = store.import()?;
/// if let FileStatus::New(file) = import.file(digest, "meta.csv", "meta_ads_manager")? {
///     let metrics = Metrics { clicks: 8, ..Metrics::default() };
///     import.metric(file, &key, span, &metrics, OnDuplicate::Refuse)?;
/// }
/// import.commit()?;
///
/// let mut again = store.import()?;
/// assert!(matches!(again.file(digest, "copy of meta.csv", "meta_ads_manager")?, FileStatus::Known(_)));
/// # Ok::<(), gaelp_store::StoreError>(())
/// ```
pub struct Import {
    writer: Writer,
    /// The new files of this batch, and what they hold per platform.
    files: BTreeMap<FileId, BTreeMap<i64, Extent>>,
}

impl Import {
    pub(crate) fn begin(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            writer: Writer::begin(store)?,
            files: BTreeMap::new(),
        })
    }

    /// Announces a file by the digest of its content, with a name and a kind for people.
    ///
    /// # Errors
    /// Only those of the database.
    pub fn file(
        &mut self,
        digest: [u8; 32],
        name: &str,
        kind: &str,
    ) -> Result<FileStatus, StoreError> {
        let status = self.writer.write(|inner| {
            let known = inner
                .conn
                .prepare_cached("SELECT id FROM files WHERE digest = ?1")
                .and_then(|mut find| find.query_row([digest], |row| row.get(0)).optional())
                .map_err(engine)?;
            if let Some(id) = known {
                return Ok(FileStatus::Known(FileId::new(id)));
            }
            let id = new_source(inner, "file")?;
            inner
                .conn
                .prepare_cached(
                    "INSERT INTO files (id, digest, name, kind) VALUES (?1, ?2, ?3, ?4)",
                )
                .and_then(|mut insert| insert.execute(params![id, digest, name, kind]))
                .map_err(engine)?;
            Ok(FileStatus::New(FileId::new(id)))
        })?;
        if let FileStatus::New(id) = status {
            self.files.insert(id, BTreeMap::new());
        }
        Ok(status)
    }

    /// Takes a row: what happened to an ad set in an hour or a local day.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a second row of this file with the same ad set and hours
    /// under [`OnDuplicate::Refuse`], [`StoreError::Overflow`] under [`OnDuplicate::Add`];
    /// [`StoreError::UnknownFile`] for a file that is not one of this import's new ones;
    /// [`StoreError::EmptySpan`], [`StoreError::Unstorable`].
    pub fn metric(
        &mut self,
        file: FileId,
        key: &AdSetKey,
        span: HourSpan,
        metrics: &Metrics,
        duplicates: OnDuplicate,
    ) -> Result<(), StoreError> {
        let files = &mut self.files;
        self.writer.write(|inner| {
            let extents = files
                .get_mut(&file)
                .ok_or(StoreError::UnknownFile { file })?;
            if span.is_empty() {
                let key = key.clone();
                return Err(StoreError::EmptySpan { key, span });
            }
            let numbers = inner.names.numbers(&inner.conn, key)?;
            let (ts, ts_end) = (start(span.from), start(span.to));
            let place = [file.get(), numbers.platform, ts, numbers.ad_set, ts_end];
            match METRICS.put(inner, place, key, metrics, duplicates)? {
                Placed::New => extents.entry(numbers.platform).or_default().add(ts, ts_end),
                Placed::Added => {}
                Placed::Refused => {
                    let key = key.clone();
                    return Err(StoreError::Duplicate { key, span });
                }
            }
            Ok(())
        })
    }

    /// Takes a row without a date: what an ad set did in all.
    ///
    /// # Errors
    /// As [`Import::metric`], with [`StoreError::DuplicateTotal`].
    pub fn total(
        &mut self,
        file: FileId,
        key: &AdSetKey,
        metrics: &Metrics,
        duplicates: OnDuplicate,
    ) -> Result<(), StoreError> {
        let known = self.files.contains_key(&file);
        self.writer.write(|inner| {
            if !known {
                return Err(StoreError::UnknownFile { file });
            }
            let numbers = inner.names.numbers(&inner.conn, key)?;
            let place = [file.get(), numbers.ad_set];
            match TOTALS.put(inner, place, key, metrics, duplicates)? {
                Placed::New | Placed::Added => Ok(()),
                Placed::Refused => Err(StoreError::DuplicateTotal { key: key.clone() }),
            }
        })
    }

    /// Takes an order or a refund; the same event again changes nothing.
    ///
    /// Its time is kept to the microsecond.
    ///
    /// # Errors
    /// [`StoreError::Order`] for an event that contradicts itself, [`StoreError::Conflict`] for
    /// one that contradicts an earlier row of this file, [`StoreError::UnknownFile`].
    pub fn order(&mut self, file: FileId, event: &OrderEvent) -> Result<(), StoreError> {
        let known = self.files.contains_key(&file);
        self.writer.write(|inner| {
            if !known {
                return Err(StoreError::UnknownFile { file });
            }
            let event = event.clone().checked()?;
            let kind = kind_name(event.kind)?;
            let (order, at) = (event.order.as_str(), event.at.timestamp_micros());
            let amount = event.amount.get();
            let sql = "INSERT INTO orders (source, order_id, number, ts, amount, kind) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            let fields = params![file.get(), order, event.number, at, amount, kind];
            let inserted = inner
                .conn
                .prepare_cached(sql)
                .and_then(|mut insert| insert.execute(fields))
                .map_err(engine)?;
            let same = "SELECT 1 FROM orders WHERE source = ?1 AND order_id = ?2 AND number = ?3 \
                        AND ts = ?4 AND amount = ?5 AND kind = ?6";
            let is_same = || {
                let fields = params![file.get(), order, event.number, at, amount, kind];
                let found = inner.conn.prepare_cached(same);
                found
                    .and_then(|mut find| find.exists(fields))
                    .map_err(engine)
            };
            if inserted == 1 || is_same()? {
                return Ok(());
            }
            Err(StoreError::Conflict {
                table: "orders",
                key: Box::new(RecordKey::Order {
                    order: event.order.clone(),
                    number: event.number,
                }),
            })
        })
    }

    /// Stores the whole batch; it is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Spoiled`] after an earlier error, [`StoreError::Full`]; nothing is stored
    /// then.
    pub fn commit(mut self) -> Result<(), StoreError> {
        let files = std::mem::take(&mut self.files);
        self.writer.write(|inner| {
            for (file, extents) in &files {
                for (platform, extent) in extents {
                    let sql = "INSERT INTO recordings (source, platform, rows, ts_first, ts_last, \
                               ts_end) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                    let Extent {
                        rows,
                        first,
                        last,
                        end,
                    } = extent;
                    inner
                        .conn
                        .prepare_cached(sql)
                        .and_then(|mut insert| {
                            insert.execute(params![file.get(), platform, rows, first, last, end])
                        })
                        .map_err(engine)?;
                }
                inner
                    .conn
                    .prepare_cached("UPDATE files SET sealed = 1 WHERE id = ?1")
                    .and_then(|mut seal| seal.execute([file.get()]))
                    .map_err(engine)?;
            }
            Ok(())
        })?;
        self.writer.commit()
    }
}

impl fmt::Debug for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import")
            .field("files", &self.files.keys())
            .field("writer", &self.writer)
            .finish()
    }
}

/// What a file holds of a platform.
#[derive(Default)]
struct Extent {
    rows: i64,
    first: i64,
    last: i64,
    end: i64,
}

impl Extent {
    fn add(&mut self, ts: i64, ts_end: i64) {
        if self.rows == 0 {
            (self.first, self.last, self.end) = (ts, ts, ts_end);
        }
        self.rows += 1;
        self.first = self.first.min(ts);
        self.last = self.last.max(ts);
        self.end = self.end.max(ts_end);
    }
}

/// A table of figures: how to put a row into it, and to add to one.
struct Figures<const N: usize> {
    table: &'static str,
    insert: &'static str,
    select: &'static str,
    update: &'static str,
}

enum Placed {
    New,
    Added,
    Refused,
}

const METRICS: Figures<5> = Figures {
    table: "metrics_hourly",
    insert: "INSERT INTO metrics_hourly (source, platform, ts, adset, ts_end, revision, spend, \
             impressions, clicks, conversions, revenue) \
             VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
    select: "SELECT spend, impressions, clicks, conversions, revenue FROM metrics_hourly \
             WHERE source = ?1 AND platform = ?2 AND ts = ?3 AND adset = ?4 AND ts_end = ?5 \
             AND revision = 0",
    update: "UPDATE metrics_hourly SET spend = ?6, impressions = ?7, clicks = ?8, \
             conversions = ?9, revenue = ?10 WHERE source = ?1 AND platform = ?2 AND ts = ?3 \
             AND adset = ?4 AND ts_end = ?5 AND revision = 0",
};

const TOTALS: Figures<2> = Figures {
    table: "adset_totals",
    insert: "INSERT INTO adset_totals (source, adset, spend, impressions, clicks, conversions, \
             revenue) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    select: "SELECT spend, impressions, clicks, conversions, revenue FROM adset_totals \
             WHERE source = ?1 AND adset = ?2",
    update: "UPDATE adset_totals SET spend = ?3, impressions = ?4, clicks = ?5, \
             conversions = ?6, revenue = ?7 WHERE source = ?1 AND adset = ?2",
};

impl<const N: usize> Figures<N> {
    /// Puts figures at a place, or deals with those that are there.
    fn put(
        &self,
        inner: &Inner,
        place: [i64; N],
        key: &AdSetKey,
        metrics: &Metrics,
        duplicates: OnDuplicate,
    ) -> Result<Placed, StoreError> {
        if self.run(self.insert, inner, place, metrics)? == 1 {
            return Ok(Placed::New);
        }
        if duplicates == OnDuplicate::Refuse {
            return Ok(Placed::Refused);
        }
        let found = self.find(inner, place)?;
        let merged = found.merge(metrics).map_err(|MetricsOverflow { field }| {
            let key = key.clone();
            StoreError::Overflow { key, field }
        })?;
        self.run(self.update, inner, place, &merged)?;
        Ok(Placed::Added)
    }

    fn run(
        &self,
        sql: &str,
        inner: &Inner,
        place: [i64; N],
        metrics: &Metrics,
    ) -> Result<usize, StoreError> {
        let values = place.into_iter().chain(figures(metrics, self.table)?);
        inner
            .conn
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params_from_iter(values)))
            .map_err(engine)
    }

    fn find(&self, inner: &Inner, place: [i64; N]) -> Result<Metrics, StoreError> {
        let mut statement = inner.conn.prepare_cached(self.select).map_err(engine)?;
        let mut rows = statement.query(params_from_iter(place)).map_err(engine)?;
        let gone = StoreError::Invalid {
            table: self.table,
            column: "source",
        };
        Row::new(self.table, rows.next().map_err(engine)?.ok_or(gone)?).metrics(0)
    }
}

/// A number for a new file or run.
pub(crate) fn new_source(inner: &Inner, kind: &str) -> Result<i64, StoreError> {
    inner
        .conn
        .prepare_cached("INSERT INTO sources (kind) VALUES (?1)")
        .and_then(|mut insert| insert.insert([kind]))
        .map_err(engine)
}

fn kind_name(kind: OrderKind) -> Result<&'static str, StoreError> {
    match kind {
        OrderKind::Sale => Ok("sale"),
        OrderKind::Refund => Ok("refund"),
        _ => Err(StoreError::Unstorable {
            table: "orders",
            column: "kind",
        }),
    }
}
