//! Files that are not taken, each with the exact words in which that is said.

mod figures;
mod maps;
mod meaning;
mod shape;
mod time;

use gaelp_exports::{ColumnMap, ReadOptions, validate};

const META: &str = "Ad set name,Day,Impressions,Link clicks,Amount spent (USD)\n";
const HOURLY: &str = "Ad set name,Day,Time of day (ad account time zone),Amount spent (USD)\n";
const RANGED: &str = "Ad set name,Amount spent (USD),Reporting starts,Reporting ends\n";
const RANGED_HOURLY: &str = "Ad set name,Time of day (ad account time zone),Amount spent (USD),\
                             Reporting starts,Reporting ends\n";
const API: &str = "date_start,date_stop,adset_id,account_currency,spend\n";
const GOOGLE: &str = "Campaign report\nAll time\nDay,Campaign,Currency code,Cost,Impr.\n";
const GOOGLE_API: &str = "segments.date,segments.hour,campaign.id,metrics.cost_micros\n";
const TIKTOK: &str = "stat_time_hour,adgroup_id,spend,complete_payment\n";
const SHOPIFY: &str = "Name,Email,Financial Status,Currency,Total,Created at,Cancelled at,\
                       Refunded Amount\n";

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    options: ReadOptions,
    expected: &'static str,
}

fn case(name: &'static str, text: impl AsRef<[u8]>, expected: &'static str) -> Case {
    Case {
        name,
        bytes: text.as_ref().to_vec(),
        options: ReadOptions::default(),
        expected,
    }
}

impl Case {
    fn with(self, options: ReadOptions) -> Self {
        Self { options, ..self }
    }
}

/// A file of one header and some rows.
fn under(header: &str, rows: &str) -> Vec<u8> {
    [header, rows].concat().into_bytes()
}

fn mapped(map: &str) -> ReadOptions {
    ReadOptions {
        map: Some(ColumnMap::from_toml("map.toml", map).unwrap()),
        ..ReadOptions::default()
    }
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

fn expecting(code: &str) -> ReadOptions {
    ReadOptions {
        currency: Some(code.parse().unwrap()),
        ..ReadOptions::default()
    }
}

#[test]
fn each_is_refused_in_its_own_words() {
    let tables = [
        shape::cases(),
        time::cases(),
        figures::cases(),
        meaning::cases(),
        maps::cases(),
    ];
    let mut failed = Vec::new();
    let mut count = 0;
    for case in tables.into_iter().flatten() {
        count += 1;
        let said = match validate("file.csv", case.bytes.as_slice(), &case.options) {
            Ok(summary) => format!("{} rows were taken", summary.rows),
            Err(error) => error.to_string(),
        };
        if said != case.expected {
            failed.push(format!(
                "{}\n  said     {said}\n  expected {}",
                case.name, case.expected
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(count, 89, "no case is lost");
}

#[test]
fn a_reader_that_fails_is_named() {
    struct Fails(&'static [u8]);

    impl std::io::Read for Fails {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the disk is gone")),
                count => Ok(count),
            }
        }
    }

    // In the head, and behind it.
    let error = validate("file.csv", Fails(META.as_bytes()), &ReadOptions::default());
    let expected = "file.csv: cannot be read (the disk is gone); try again";
    assert_eq!(error.unwrap_err().to_string(), expected);
    let long = under(META, &"A,2026-09-01,1,1,1\n".repeat(5_000)).leak();
    let error = validate("file.csv", Fails(long), &ReadOptions::default());
    let expected = "file.csv, line 5002, column `Ad set name`: cannot be read (the disk is gone); \
                    try again";
    assert_eq!(error.unwrap_err().to_string(), expected);
}
