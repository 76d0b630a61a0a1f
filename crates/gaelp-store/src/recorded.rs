//! Imported files as a platform and as a shop, so that the loop can run over the past.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use chrono::DateTime;
use gaelp_core::{HourSpan, OrderId, UtcHour};
use gaelp_platform::{
    AdPlatform, BudgetReading, Capabilities, ErrorKind, OrderEvent, OrderKind, PlatformError,
    Report, RevenueSource, SetBudget, WriteOutcome,
};
use rusqlite::params;

use crate::codec::{Row, hour_at, start};
use crate::error::engine;
use crate::rows::{Extent, known, named, window};
use crate::store::Inner;
use crate::{FileId, Store, StoreError};

/// The figures of imported files as an ad platform of the past.
///
/// [`report`](AdPlatform::report) gives the rows that begin in the span, in order of time and ad
/// set; their revision is the place of their file among the files asked for, and the later file
/// wins. Hours are complete up to the end of the last row. A recording knows no budgets, and
/// setting one is [`WriteOutcome::Rejected`].
///
/// **Cost.** A report of one hour is one search per file that covers it.
#[derive(Clone)]
pub struct RecordedPlatform {
    store: Store,
    files: Arc<[FileId]>,
    capabilities: Capabilities,
    extents: OnceLock<Arc<[Extent]>>,
}

impl RecordedPlatform {
    pub(crate) fn new(store: Store, files: &[FileId], capabilities: Capabilities) -> Self {
        Self {
            store,
            files: files.into(),
            capabilities,
            extents: OnceLock::new(),
        }
    }

    fn read(&self, span: HourSpan) -> Result<Report, StoreError> {
        let mut inner = self.store.lock();
        let extents = self.extents(&inner)?;
        let (rows, _) = window(&inner, extents, start(span.from), start(span.to))?;
        let rows = named(&mut inner, &rows)?;
        let end = extents.iter().map(|extent| extent.end).max();
        Ok(Report {
            rows,
            complete_before: end.and_then(hour_at).unwrap_or(UtcHour::new(i32::MIN)),
        })
    }

    /// What the files hold; read once, because files do not change.
    fn extents(&self, inner: &Inner) -> Result<&[Extent], StoreError> {
        if let Some(extents) = self.extents.get() {
            return Ok(extents);
        }
        let platform = &self.capabilities.platform;
        let read = Extent::of_files(inner, &self.files, Some(platform))?;
        Ok(self.extents.get_or_init(|| read.into()))
    }
}

#[async_trait]
impl AdPlatform for RecordedPlatform {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn report(&self, span: HourSpan) -> Result<Report, PlatformError> {
        self.read(span).map_err(unreadable)
    }

    async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError> {
        Ok(Vec::new())
    }

    async fn set_budget(&self, _request: &SetBudget) -> WriteOutcome {
        WriteOutcome::Rejected(PlatformError::rejected("a recording cannot be written"))
    }
}

impl fmt::Debug for RecordedPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedPlatform")
            .field("files", &self.files)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

/// The orders of imported files as a shop of the past.
///
/// Where several files have the same order event, the last of them counts.
#[derive(Clone)]
pub struct RecordedShop {
    store: Store,
    files: Arc<[FileId]>,
    extents: OnceLock<Arc<[OrderExtent]>>,
}

/// When a file's orders were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderExtent {
    source: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl RecordedShop {
    pub(crate) fn new(store: Store, files: &[FileId]) -> Self {
        Self {
            store,
            files: files.into(),
            extents: OnceLock::new(),
        }
    }

    fn read(&self, span: HourSpan) -> Result<Vec<OrderEvent>, StoreError> {
        let inner = self.store.lock();
        let extents = self.extents(&inner)?;
        let (from, to) = (start(span.from), start(span.to));
        let mut events = Vec::new();
        for (place, extent) in extents.iter().enumerate() {
            if extent.first < to && from <= extent.last {
                extent.events(&inner, &extents[place + 1..], from, to, &mut events)?;
            }
        }
        events.sort_by(|a, b| {
            let by_order = |event: &OrderEvent| (event.at, event.number);
            by_order(a)
                .cmp(&by_order(b))
                .then_with(|| a.order.cmp(&b.order))
        });
        Ok(events)
    }

    fn extents(&self, inner: &Inner) -> Result<&[OrderExtent], StoreError> {
        if let Some(extents) = self.extents.get() {
            return Ok(extents);
        }
        let read = OrderExtent::of_files(inner, &self.files)?;
        Ok(self.extents.get_or_init(|| read.into()))
    }
}

impl OrderExtent {
    pub(crate) fn of_files(inner: &Inner, files: &[FileId]) -> Result<Vec<Self>, StoreError> {
        let sql = "SELECT (SELECT min(ts) FROM orders WHERE source = ?1), \
                   (SELECT max(ts) FROM orders WHERE source = ?1)";
        let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
        let mut extents = Vec::new();
        for &file in files {
            known(inner, file)?;
            let mut rows = statement.query([file.get()]).map_err(engine)?;
            let Some(row) = rows.next().map_err(engine)? else {
                continue;
            };
            let row = Row::new("orders", row);
            if let Some(first) = row.optional(0, "ts", Row::int)? {
                extents.push(Self {
                    source: file.get(),
                    first,
                    last: row.int(1, "ts")?,
                });
            }
        }
        Ok(extents)
    }

    /// The events of this file in a window, but for those that a later file has too.
    fn events(
        &self,
        inner: &Inner,
        later: &[Self],
        from: i64,
        to: i64,
        events: &mut Vec<OrderEvent>,
    ) -> Result<(), StoreError> {
        let sql = "SELECT order_id, number, ts, amount, kind FROM orders \
                   WHERE source = ?1 AND ts >= ?2 AND ts < ?3";
        let again = "SELECT 1 FROM orders WHERE source = ?1 AND order_id = ?2 AND number = ?3";
        let mut statement = inner.conn.prepare_cached(sql).map_err(engine)?;
        let mut again = inner.conn.prepare_cached(again).map_err(engine)?;
        let mut rows = statement
            .query(params![self.source, from, to])
            .map_err(engine)?;
        'rows: while let Some(row) = rows.next().map_err(engine)? {
            let row = Row::new("orders", row);
            let (order, number) = (row.text(0, "order_id")?, row.whole(1, "number")?);
            for file in later {
                if again
                    .exists(params![file.source, order, number])
                    .map_err(engine)?
                {
                    continue 'rows;
                }
            }
            let at = DateTime::from_timestamp_micros(row.int(2, "ts")?);
            let event = OrderEvent {
                order: OrderId::from(order),
                number,
                at: at.ok_or_else(|| row.invalid("ts"))?,
                amount: row.micros(3, "amount")?,
                kind: match row.text(4, "kind")? {
                    "sale" => OrderKind::Sale,
                    _ => OrderKind::Refund,
                },
            };
            events.push(event.checked().map_err(|_| row.invalid("amount"))?);
        }
        Ok(())
    }
}

#[async_trait]
impl RevenueSource for RecordedShop {
    async fn orders(&self, span: HourSpan) -> Result<Vec<OrderEvent>, PlatformError> {
        self.read(span).map_err(unreadable)
    }
}

impl fmt::Debug for RecordedShop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedShop")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

fn unreadable(error: StoreError) -> PlatformError {
    let kind = match error {
        StoreError::Busy => ErrorKind::Retryable,
        _ => ErrorKind::Other,
    };
    PlatformError::new(kind, "the recording cannot be read").with_source(error)
}
