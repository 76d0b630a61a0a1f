//! Orders of a shop.

use std::io::Read;

use chrono::{DateTime, Utc};
use gaelp_core::{Currency, Micros, OrderId};

use crate::date;
use crate::file::File;
use crate::number::{NumberReader, Numbers};
use crate::{
    Content, Decimals, Detection, ExportError, ExportKind, Note, Notes, ReadOptions, ValueProblem,
};

/// An order that was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderRow {
    /// The line it begins on.
    pub line: u64,
    /// Its id; its name, such as `#1001`, in files without ids.
    pub order: OrderId,
    /// When it was placed.
    pub at: DateTime<Utc>,
    /// What was paid, before refunds.
    pub total: Micros,
    /// What was paid back, whenever that was: the export has no date for it, so it belongs to the
    /// order's own time.
    pub refunded: Micros,
    /// In what currency.
    pub currency: Currency,
}

impl OrderRow {
    /// What the shop kept: total less refunds; negative where more was paid back.
    pub fn net(&self) -> Micros {
        let net = self.total.checked_sub(self.refunded);
        net.expect("the difference of two amounts that are not negative fits")
    }
}

/// The orders of a Shopify export, one after the other.
///
/// **What counts.** Orders whose `Financial Status` is `paid`, `partially_refunded` or `refunded`;
/// the refund is beside the total. Orders that are pending, authorized, partially paid, voided or
/// expired, and those with a date in `Cancelled at`, are skipped and counted in
/// [`notes`](Self::notes). An order has a row per line item; its amounts stand on the first.
///
/// **Personal data.** Names, addresses, phone numbers and notes are never looked at. No error
/// repeats a value of the file, because a shifted row could hold an address where a price should
/// be.
///
/// **Not seen.** An order that stands twice in a file, but not in a row, or in two files: whoever
/// keeps the orders knows it by its id.
///
/// ```
/// use gaelp_exports::{OrderRows, ReadOptions};
///
/// let export = "\
/// Name,Email,Financial Status,Currency,Total,Created at,Lineitem name,Cancelled at,Refunded Amount
/// #1002,a@example.com,partially_refunded,EUR,80.00,2026-05-14 11:23:45 +0200,Shoes,,30.00
/// #1002,a@example.com,,,,2026-05-14 11:23:45 +0200,Laces,,
/// #1001,b@example.com,pending,EUR,12.00,2026-05-13 09:00:00 +0200,Laces,,
/// ";
/// let mut orders = OrderRows::open("orders.csv", export.as_bytes(), &ReadOptions::default())?;
/// let order = orders.next().ok_or("no order")??;
/// assert_eq!(order.at.to_string(), "2026-05-14 09:23:45 UTC");
/// assert_eq!(order.net().to_string(), "50.00");
/// assert!(orders.next().is_none());
/// assert_eq!(orders.notes().to_string(), "1 further lines of an order, 1 pending orders skipped");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OrderRows<R> {
    file: File<R>,
    columns: Columns,
    numbers: Numbers,
    reader: NumberReader,
    currency: Option<Currency>,
    expected: Option<Currency>,
    /// The name of the order above, skipped or not.
    above: String,
    ended: bool,
}

#[derive(Debug)]
struct Columns {
    name: usize,
    status: usize,
    currency: usize,
    total: usize,
    created: usize,
    refunded: usize,
    cancelled: usize,
    id: Option<usize>,
}

/// What is to be done with an order.
enum Verdict {
    Count,
    Skip(Note),
}

impl<R: Read> OrderRows<R> {
    /// Opens an export. `name` is what errors call it; the reader need not be buffered. Of the
    /// options, `currency` and `numbers` are heeded; times have their offset in the file.
    ///
    /// # Errors
    /// What the head of the file shows: an [`ExportError`] for a file that is empty, of no known
    /// kind or of another content, or without a needed column.
    pub fn open(name: &str, reader: R, options: &ReadOptions) -> Result<Self, ExportError> {
        Self::of(File::open(name, reader, options.map.as_ref())?, options)
    }

    pub(crate) fn of(file: File<R>, options: &ReadOptions) -> Result<Self, ExportError> {
        let frame = &file.frame;
        if frame.detection.kind != ExportKind::ShopifyOrders {
            return Err(ExportError::WrongContent {
                at: frame.at_header(None),
                kind: frame.detection.kind,
                found: frame.detection.kind.content(),
                wanted: Content::Orders,
            });
        }
        let need = |name: &str| frame.header.find(name).ok_or_else(|| frame.missing(name));
        let columns = Columns {
            name: need("Name")?,
            status: need("Financial Status")?,
            currency: need("Currency")?,
            total: need("Total")?,
            created: need("Created at")?,
            refunded: need("Refunded Amount")?,
            cancelled: need("Cancelled at")?,
            id: frame.header.find("Id"),
        };
        Ok(Self {
            columns,
            numbers: options.numbers.map_or(Numbers::PLAIN, Numbers::Format),
            reader: NumberReader::default(),
            currency: None,
            expected: options.currency,
            above: String::new(),
            ended: false,
            file,
        })
    }

    /// What the file was found to be, and why.
    pub fn detection(&self) -> &Detection {
        &self.file.frame.detection
    }

    /// The currency of the orders read so far.
    pub fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// What was noted so far.
    pub fn notes(&self) -> &Notes {
        &self.file.notes
    }

    /// The place of the current row.
    pub(crate) fn at_row(&self) -> crate::Place {
        self.file.at_row()
    }

    fn advance(&mut self) -> Result<Option<OrderRow>, ExportError> {
        while self.file.advance()? {
            if self.continues()? {
                self.file.notes.take(Note::OrderContinued);
                continue;
            }
            match self.verdict()? {
                Verdict::Skip(note) => self.file.notes.take(note),
                Verdict::Count => return self.order().map(Some),
            }
        }
        Ok(None)
    }

    /// Whether the row continues the order above it.
    fn continues(&mut self) -> Result<bool, ExportError> {
        let record = &self.file.record;
        let name = record.get(self.columns.name);
        if name.is_empty() {
            return Err(self.file.refuse(self.columns.name, ValueProblem::Missing));
        }
        let same = name == self.above;
        let first = !record.get(self.columns.status).is_empty();
        match (same, first) {
            (true, true) => Err(ExportError::RepeatedOrder {
                at: self.file.at(self.columns.name),
            }),
            (false, false) => Err(ExportError::OrphanOrderLine {
                at: self.file.at(self.columns.status),
            }),
            (true, false) if !record.get(self.columns.total).is_empty() => {
                Err(self.file.refuse(self.columns.status, ValueProblem::Missing))
            }
            (true, false) => Ok(true),
            (false, true) => {
                self.above.clear();
                self.above.push_str(name);
                Ok(false)
            }
        }
    }

    fn verdict(&self) -> Result<Verdict, ExportError> {
        let record = &self.file.record;
        let skipped = match record.get(self.columns.status) {
            "paid" | "partially_refunded" | "refunded" => None,
            "pending" => Some(Note::OrderPending),
            "authorized" => Some(Note::OrderAuthorized),
            "partially_paid" => Some(Note::OrderPartiallyPaid),
            "voided" => Some(Note::OrderVoided),
            "expired" => Some(Note::OrderExpired),
            _ => {
                return Err(self
                    .file
                    .refuse(self.columns.status, ValueProblem::NotAStatus));
            }
        };
        let cancelled = !record.get(self.columns.cancelled).is_empty();
        let cancelled = cancelled.then_some(Note::OrderCancelled);
        Ok(skipped.or(cancelled).map_or(Verdict::Count, Verdict::Skip))
    }

    fn order(&mut self) -> Result<OrderRow, ExportError> {
        let columns = &self.columns;
        let record = &self.file.record;
        let name = record.get(columns.name);
        let id = columns.id.map(|column| record.get(column));
        let created = record.get(columns.created);
        if created.is_empty() {
            return Err(self.file.refuse(columns.created, ValueProblem::Missing));
        }
        let at = date::instant(created);
        let at = at.map_err(|problem| self.file.refuse(columns.created, problem))?;
        let total = record.get(columns.total);
        if total.is_empty() {
            return Err(self.file.refuse(columns.total, ValueProblem::Missing));
        }
        let total = self.reader.money(total, self.numbers, Decimals::Exact);
        let total = total.map_err(|problem| self.file.refuse(columns.total, problem))?;
        let refunded = match record.get(columns.refunded) {
            "" => Micros::ZERO,
            text => self
                .reader
                .money(text, self.numbers, Decimals::Exact)
                .map_err(|problem| self.file.refuse(columns.refunded, problem))?,
        };
        let currency = self.file.record.get(columns.currency);
        let problem = match currency {
            "" => ValueProblem::Missing,
            _ => ValueProblem::NotACurrency,
        };
        let currency = currency.parse::<Currency>();
        let currency = currency.map_err(|_| self.file.refuse(columns.currency, problem))?;
        let expected = self.currency.or(self.expected).unwrap_or(currency);
        if expected != currency {
            return Err(ExportError::Currency {
                at: self.file.at(columns.currency),
                expected,
                found: currency,
            });
        }
        self.currency = Some(currency);
        Ok(OrderRow {
            line: record.line(),
            order: OrderId::from(id.filter(|id| !id.is_empty()).unwrap_or(name)),
            at,
            total,
            refunded,
            currency,
        })
    }
}

impl<R: Read> Iterator for OrderRows<R> {
    type Item = Result<OrderRow, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl<R: Read> std::iter::FusedIterator for OrderRows<R> {}
