//! What holds for all files.

use std::fmt::Write as _;
use std::io::Read;

use gaelp_core::{HourSpan, Micros};
use gaelp_exports::{
    ColumnMap, ExportError, InsightRow, InsightRows, OrderRows, ReadOptions, detect, validate,
};
use proptest::prelude::*;

use crate::support::zone;

/// A reader that gives a few bytes at a time.
struct Slow<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let end = self.step.min(buffer.len()).min(self.bytes.len());
        buffer[..end].copy_from_slice(&self.bytes[..end]);
        self.bytes = &self.bytes[end..];
        Ok(end)
    }
}

/// A row that was generated, before it is written.
#[derive(Clone, Debug)]
struct Generated {
    ad_set: String,
    days: u16,
    hour: u8,
    spend: i64,
    clicks: Option<u32>,
}

fn generated() -> impl Strategy<Value = Generated> {
    let name = "[a-zA-Zäé€🦊\",; \n-]{0,12}x";
    (
        name,
        0_u16..400,
        0_u8..24,
        0_i64..9_000_000_000,
        proptest::option::of(0_u32..500),
    )
        .prop_map(|(ad_set, days, hour, spend, clicks)| Generated {
            ad_set,
            days,
            hour,
            spend,
            clicks,
        })
}

/// The rows as Meta Ads Manager writes them.
fn written(rows: &[Generated], separator: &str, line_break: &str) -> String {
    let columns = [
        "Ad set name",
        "Day",
        "Time of day (ad account time zone)",
        "Link clicks",
        "Amount spent (USD)",
    ];
    let mut text = columns.join(separator) + line_break;
    let first = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    for row in rows {
        let name = row.ad_set.replace('"', "\"\"");
        let day = first + chrono::Duration::days(i64::from(row.days));
        let clicks = row
            .clicks
            .map(|clicks| clicks.to_string())
            .unwrap_or_default();
        let fields = [
            format!("\"{name}\""),
            day.to_string(),
            format!("{0:02}:00:00 - {0:02}:59:59", row.hour),
            clicks,
            Micros::new(row.spend).to_string(),
        ];
        write!(text, "{}{line_break}", fields.join(separator)).unwrap();
    }
    text
}

fn rows_of(reader: impl Read, options: &ReadOptions) -> Result<Vec<InsightRow>, ExportError> {
    InsightRows::open("file.csv", reader, options)?.collect()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Bytes with the shape of a file, so that more than the first line is reached.
fn nearly_a_file() -> impl Strategy<Value = Vec<u8>> {
    let header = prop_oneof![
        Just("Ad set name,Day,Impressions,Link clicks,Amount spent (USD)\n"),
        Just("Ad set name,Amount spent (USD),Reporting starts,Reporting ends\n"),
        Just("date_start,date_stop,adset_id,account_currency,spend\n"),
        Just("Campaign report\nAll time\nDay,Campaign,Currency code,Cost,Impr.\n"),
        Just("Tag,Kampagne,Währungscode,Kosten,Impr.\n"),
        Just("segments.date,segments.hour,campaign.id,metrics.cost_micros\n"),
        Just("stat_time_hour,adgroup_id,spend,complete_payment\n"),
        Just("Name,Financial Status,Currency,Total,Created at,Cancelled at,Refunded Amount\n"),
    ];
    let field = prop_oneof![
        Just("2026-09-01".to_owned()),
        Just("2026-09-01 18:00:00".to_owned()),
        Just("2026-09-01 18:00:00 +0200".to_owned()),
        Just("USD".to_owned()),
        Just("paid".to_owned()),
        Just("--".to_owned()),
        Just("Total: x".to_owned()),
        "-?[0-9]{0,14}[.,]?[0-9]{0,8}",
        "\"[^\"]{0,6}\"?",
        "\\PC{0,8}",
    ];
    let row = proptest::collection::vec(field, 1..8).prop_map(|fields| fields.join(","));
    let rows = proptest::collection::vec(row, 0..6).prop_map(|rows| rows.join("\n"));
    (header, rows, any::<bool>()).prop_map(|(header, rows, wide)| {
        let text = [header, &rows].concat();
        if wide {
            utf16(&text)
        } else {
            text.into_bytes()
        }
    })
}

fn options() -> impl Strategy<Value = ReadOptions> {
    let map = ColumnMap::from_toml(
        "map.toml",
        "platform = 'x'\ngranularity = 'hour'\nad_set = ['Ad set name']\nspend = 'Impressions'\n\
         date = { column = 'Day', format = '%Y-%m-%d %H:%M:%S' }\ndecimals = 'round'",
    );
    let map = map.unwrap();
    prop_oneof![
        Just(zone("")),
        Just(zone("America/New_York")),
        Just(ReadOptions {
            date_order: Some("day_first".parse().unwrap()),
            numbers: Some("indian".parse().unwrap()),
            ..zone("Asia/Kolkata")
        }),
        Just(ReadOptions {
            map: Some(map),
            ..ReadOptions::default()
        }),
    ]
}

/// Reads a file in every way; nothing may panic, and nothing may follow an error.
fn read_in_every_way(bytes: &[u8], options: &ReadOptions) {
    let _ = detect("file.csv", bytes);
    let _ = validate("file.csv", bytes, options);
    if let Ok(mut rows) = InsightRows::open("file.csv", bytes, options) {
        while let Some(row) = rows.next() {
            if row.is_err() {
                assert!(rows.next().is_none());
            }
        }
    }
    if let Ok(mut orders) = OrderRows::open("file.csv", bytes, options) {
        while let Some(order) = orders.next() {
            if let Ok(order) = order {
                assert!(!order.total.is_negative());
            } else {
                assert!(orders.next().is_none());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), options in options()) {
        read_in_every_way(&bytes, &options);
    }

    #[test]
    fn nothing_near_a_file_makes_it_panic(bytes in nearly_a_file(), options in options()) {
        read_in_every_way(&bytes, &options);
    }

    #[test]
    fn a_cut_or_damaged_file_says_so_or_is_shorter(
        rows in proptest::collection::vec(generated(), 1..6),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let whole = written(&rows, ",", "\n").into_bytes();
        let at = at.index(whole.len());
        read_in_every_way(&whole[..at], &zone(""));
        let mut damaged = whole.clone();
        damaged[at] = byte;
        read_in_every_way(&damaged, &zone(""));
        // A file that is cut never yields a row more than the whole one.
        if let Ok(rows_of_cut) = rows_of(&whole[..at], &zone("")) {
            prop_assert!(rows_of_cut.len() <= rows.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_was_written_is_read(
        rows in proptest::collection::vec(generated(), 1..30),
        separator in prop_oneof![Just(","), Just("\t"), Just(";")],
        line_break in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let text = written(&rows, separator, line_break);
        let read = rows_of(text.as_bytes(), &zone("")).unwrap();
        prop_assert_eq!(read.len(), rows.len());
        let mut sum = 0;
        for (read, row) in read.iter().zip(&rows) {
            prop_assert_eq!(read.key.ad_set.as_str(), row.ad_set.trim_ascii());
            prop_assert_eq!(read.metrics.spend, Micros::new(row.spend));
            prop_assert_eq!(read.metrics.clicks, u64::from(row.clicks.unwrap_or(0)));
            // 2026-01-01T00Z is hour 490,896 since 1970.
            let hours = 490_896 + i32::from(row.days) * 24 + i32::from(row.hour);
            prop_assert_eq!(read.span, HourSpan::hour(gaelp_core::UtcHour::new(hours)));
            sum += row.spend;
        }
        let summary = validate("file.csv", text.as_bytes(), &zone("")).unwrap();
        prop_assert_eq!(summary.metrics.spend, Micros::new(sum));
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter(
        rows in proptest::collection::vec(generated(), 1..20),
        step in 1_usize..40,
        line_break in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        wide in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = written(&rows, ",", line_break);
        let bytes = if wide { utf16(&text) } else { text.into_bytes() };
        for end in [bytes.len(), cut.index(bytes.len())] {
            let bytes = &bytes[..end];
            let at_once = rows_of(bytes, &zone("")).map_err(|error| error.to_string());
            let slowly = rows_of(Slow { bytes, step }, &zone(""));
            prop_assert_eq!(slowly.map_err(|error| error.to_string()), at_once);
        }
    }

    #[test]
    fn rows_are_those_that_the_csv_crate_sees(
        rows in proptest::collection::vec(generated(), 1..30),
        line_break in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let text = written(&rows, ",", line_break);
        let read = rows_of(text.as_bytes(), &zone("")).unwrap();
        let mut reference = csv::Reader::from_reader(text.as_bytes());
        let reference: Vec<csv::StringRecord> = reference.records().map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), reference.len());
        for (read, reference) in read.iter().zip(&reference) {
            prop_assert_eq!(read.key.ad_set.as_str(), reference[0].trim_ascii());
            // The csv crate counts a row from the line feed of the one above it.
            if line_break == "\n" {
                prop_assert_eq!(read.line, reference.position().unwrap().line());
            }
            prop_assert_eq!(read.metrics.spend, reference[4].parse().unwrap());
        }
    }
}

/// More than the head of a file is read in pieces of the reader's own size.
#[test]
fn long_files_are_read_past_the_head() {
    let row = |index: i64| Generated {
        ad_set: format!("Ad set {}", index % 7),
        days: u16::try_from(index / 24 % 365).unwrap(),
        hour: u8::try_from(index % 24).unwrap(),
        spend: index * 10_000,
        clicks: None,
    };
    let rows: Vec<Generated> = (0..20_000).map(row).collect();
    let text = written(&rows, ",", "\r\n");
    let expected = Micros::new((0..20_000).map(|index| index * 10_000).sum());
    for (bytes, step) in [(text.clone().into_bytes(), 4_099), (utf16(&text), 4_099)] {
        let slow = Slow {
            bytes: &bytes,
            step,
        };
        let summary = validate("file.csv", slow, &zone("Europe/Berlin"));
        // The hour that Berlin skipped is in it: a generated file that no account would give.
        let error = summary.unwrap_err().to_string();
        assert!(
            error.contains("the clock in Europe/Berlin skipped 2026-03-29 02:00"),
            "{error}"
        );
        let slow = Slow {
            bytes: &bytes,
            step,
        };
        let summary = validate("file.csv", slow, &zone("")).unwrap();
        assert_eq!((summary.rows, summary.metrics.spend), (20_000, expected));
    }
}
