//! The orders export of Shopify.

use chrono::{DateTime, FixedOffset, Utc};
use gaelp::core::{AccountZone, Micros, Platform, UtcHour};

use super::csv::Csv;
use super::order::{Order, Status};
use super::truth::{Product, TAXED};

/// The columns, as Shopify names them.
pub(crate) const HEADER: &str = "Name,Email,Financial Status,Paid at,Fulfillment Status,\
Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,\
Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,\
Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,\
Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,\
Billing Company,Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,\
Shipping Name,Shipping Street,Shipping Address1,Shipping Address2,Shipping Company,\
Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Notes,\
Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,\
Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,\
Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,\
Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,\
Shipping Province Name,Payment ID,Payment Terms Name,Next Payment Due At,Payment References";

/// The maker of everything that the shop sells.
const VENDOR: &str = "Sample Candle Works";
/// Shopify numbers all orders of the world; ours begin here.
const FIRST_ID: u64 = 6_100_000_000_000;

/// What the address of a click says about where it was.
#[derive(Debug)]
pub(crate) struct Tags<'a> {
    pub(crate) source: &'a Platform,
    pub(crate) campaign: &'a str,
    pub(crate) ad_set: &'a str,
}

/// Writes an order: a row for each of its products, the first one with what concerns the whole
/// order, the others without.
pub(crate) fn write(csv: &mut Csv, order: &Order, tags: Option<&Tags<'_>>, zone: AccountZone) {
    for (place, line) in order.basket.lines().enumerate() {
        csv.value(format_args!("#{}", order.number));
        csv.value(email(order));
        if place == 0 {
            first_row(csv, order, line, tags, zone);
        } else {
            csv.empty(14);
            product(csv, order, line);
            // Of what follows the product only two columns are its own.
            csv.empty(26).text(VENDOR);
            csv.empty(8).value(Micros::ZERO).empty(19);
        }
        csv.end();
    }
}

fn first_row(
    csv: &mut Csv,
    order: &Order,
    line: (&Product, u32),
    tags: Option<&Tags<'_>>,
    zone: AccountZone,
) {
    let basket = &order.basket;
    let stamp = |at| stamp(zone, at);
    let paid = !matches!(order.status, Status::Pending | Status::Voided { .. });
    let code = if basket.discount().is_zero() {
        ""
    } else {
        "SAMPLE10"
    };
    let attributes = tags.filter(|_| order.tagged).map(note_attributes);
    let (cancelled_at, outstanding) = match order.status {
        Status::Cancelled { at } | Status::Voided { at } => (Some(at), Micros::ZERO),
        Status::Pending => (None, basket.total()),
        _ => (None, Micros::ZERO),
    };
    let (method, reference) = if order.status == Status::Pending {
        ("Bank Deposit", String::new())
    } else {
        ("Shopify Payments", format!("sample-{}", order.number))
    };
    let taxed = basket.province == TAXED;

    csv.text(financial_status(order.status));
    csv.text(&optional(paid.then(|| stamp(order.at))));
    csv.text(fulfillment(order, "unfulfilled"));
    csv.text(&optional(order.sent_at.map(stamp)));
    csv.text(if order.accepts_marketing { "yes" } else { "no" });
    csv.text("USD").value(basket.subtotal());
    csv.value(basket.shipping());
    csv.value(basket.tax()).value(basket.total());
    csv.text(code).value(basket.discount());
    csv.text("Standard").value(stamp(order.at));
    product(csv, order, line);
    address(csv, order);
    address(csv, order);
    csv.empty(1).text(&attributes.unwrap_or_default());
    csv.text(&optional(cancelled_at.map(stamp)));
    csv.text(method).text(&reference);
    csv.value(order.refunded()).text(VENDOR).value(outstanding);
    csv.empty(3)
        .value(FIRST_ID + u64::from(order.number) * 32_768);
    csv.empty(1).text("Low").text("web").value(Micros::ZERO);
    if taxed {
        csv.text("New York State Tax 8%").value(basket.tax());
    } else {
        csv.empty(2);
    }
    // Four more taxes, a phone, a receipt and duties.
    csv.empty(11);
    csv.text(basket.province.1).text(basket.province.1);
    csv.text(&reference).empty(3);
}

/// The eight columns of a product.
fn product(csv: &mut Csv, order: &Order, (product, quantity): (&Product, u32)) {
    csv.value(quantity).text(product.name).value(product.price);
    csv.empty(1).text(product.sku).text("true").text("true");
    csv.text(fulfillment(order, "pending"));
}

/// The ten columns of an address, filled so that everybody sees that nobody lives there.
fn address(csv: &mut Csv, order: &Order) {
    let customer = order.customer;
    csv.value(format_args!("Sample Customer {customer}"));
    csv.value(format_args!("{customer} Sample Street"));
    csv.value(format_args!("{customer} Sample Street"));
    csv.empty(2).text("Sampletown");
    // Shopify puts an apostrophe there, so that spreadsheets keep the zeros.
    csv.text("'00000").text(order.basket.province.0).text("US");
    // 555-0100 to 555-0199 are kept free for fiction.
    csv.value(format_args!("+1 212-555-01{:02}", customer % 100));
}

/// Tags that an app of the shop keeps with an order; each stands on a line of its own.
fn note_attributes(tags: &Tags<'_>) -> String {
    format!(
        "utm_source: {}\nutm_medium: paid\nutm_campaign: {}\nutm_content: {}",
        tags.source, tags.campaign, tags.ad_set
    )
}

fn email(order: &Order) -> String {
    format!("sample{}@example.com", order.customer)
}

const fn financial_status(status: Status) -> &'static str {
    match status {
        Status::Paid => "paid",
        Status::PartiallyRefunded => "partially_refunded",
        Status::Refunded | Status::Cancelled { .. } => "refunded",
        Status::Pending => "pending",
        Status::Voided { .. } => "voided",
    }
}

/// Orders say "unfulfilled" and products "pending" until they are sent.
const fn fulfillment(order: &Order, before: &'static str) -> &'static str {
    if order.sent_at.is_some() {
        "fulfilled"
    } else {
        before
    }
}

/// A time as the shop's clock shows it, with the offset of that day: `2026-10-12 08:30:00 -0400`.
///
/// In zones that are off by half an hour the offset is rounded up to whole hours; the instant is
/// exact there too.
pub(crate) fn stamp(zone: AccountZone, at: DateTime<Utc>) -> String {
    let hour = UtcHour::containing(at);
    let shown = zone.local(hour);
    let shown = shown
        .date
        .and_hms_opt(u32::from(shown.hour), 0, 0)
        .expect("hours of the day are below 24");
    let ahead = shown.and_utc().timestamp() - hour.start().timestamp();
    let offset = i32::try_from(ahead)
        .ok()
        .and_then(FixedOffset::east_opt)
        .expect("no clock is a day away from UTC");
    let local = at.with_timezone(&offset);
    local.format("%Y-%m-%d %H:%M:%S %z").to_string()
}

fn optional(text: Option<String>) -> String {
    text.unwrap_or_default()
}
