//! Files as text, and what is read of them.

use gaelp_core::AccountZone;
use gaelp_exports::{
    Export, ExportError, InsightRow, InsightRows, OrderRow, OrderRows, ReadOptions,
};

/// Options with a zone, or UTC for an empty name.
pub(crate) fn zone(name: &str) -> ReadOptions {
    let zone = if name.is_empty() { "UTC" } else { name };
    ReadOptions {
        zone: zone.parse::<AccountZone>().unwrap(),
        ..ReadOptions::default()
    }
}

pub(crate) fn insights(
    text: impl AsRef<[u8]>,
    options: &ReadOptions,
) -> Result<Vec<InsightRow>, ExportError> {
    InsightRows::open("file.csv", text.as_ref(), options)?.collect()
}

pub(crate) fn orders(text: impl AsRef<[u8]>) -> Result<Vec<OrderRow>, ExportError> {
    OrderRows::open("file.csv", text.as_ref(), &ReadOptions::default())?.collect()
}

/// The notes of a file that is read to its end.
pub(crate) fn notes(text: &str, options: &ReadOptions) -> String {
    let mut export = Export::open("file.csv", text.as_bytes(), options).unwrap();
    match &mut export {
        Export::Insights(rows) => rows.for_each(|row| drop(row.unwrap())),
        Export::Totals(rows) => rows.for_each(|row| drop(row.unwrap())),
        Export::Orders(rows) => rows.for_each(|row| drop(row.unwrap())),
        _ => unreachable!("there are three contents"),
    }
    export.notes().to_string()
}

/// Rows as short text: line, ad set, first hour and length, and what is not zero.
pub(crate) fn short(rows: &[InsightRow]) -> Vec<String> {
    let line = |row: &InsightRow| {
        let m = &row.metrics;
        format!(
            "{} {} {}+{} {} {}/{} {} {}",
            row.line,
            row.key,
            row.span.from,
            row.span.len(),
            m.spend,
            m.clicks,
            m.impressions,
            m.conversions,
            m.revenue,
        )
    };
    rows.iter().map(line).collect()
}
