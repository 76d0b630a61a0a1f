//! How fast exported files are read.
//!
//! The input is generated in memory: 40 ad sets with 24 rows a day in New York's time, as Meta Ads
//! Manager exports them, and the same figures as other kinds of file write them.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gaelp_exports::{Export, ReadOptions, detect};

const AD_SETS: u32 = 40;
const DAYS: u32 = 28;
const ROWS: u32 = AD_SETS * DAYS * 24;

/// One row's figures: cheap, fixed, and different from row to row.
struct Figures {
    day: u32,
    hour: u32,
    ad_set: u32,
    impressions: u32,
    clicks: u32,
    cents: u32,
}

fn figures() -> impl Iterator<Item = Figures> {
    (0..ROWS).map(|row| {
        let mixed = row.wrapping_mul(2_654_435_761) >> 12;
        Figures {
            day: row / 24 % DAYS + 1,
            hour: row % 24,
            ad_set: row / 24 / DAYS,
            impressions: mixed % 5_000,
            clicks: mixed % 97,
            cents: mixed % 300,
        }
    })
}

fn file(header: &str, mut row: impl FnMut(&mut String, Figures)) -> Vec<u8> {
    let mut text = format!("{header}\n");
    for figures in figures() {
        row(&mut text, figures);
    }
    text.into_bytes()
}

fn meta_hourly() -> Vec<u8> {
    let header = "Campaign name,Ad set name,Ad set ID,Day,Time of day (ad account time zone),\
                  Impressions,Link clicks,Website purchases,Amount spent (USD),Reporting starts,\
                  Reporting ends";
    file(header, |text, f| {
        let (ad_set, day, hour) = (f.ad_set, f.day, f.hour);
        writeln!(
            text,
            "Autumn sale,Lookalike {ad_set},23851234567890{ad_set:03},2026-09-{day:02},\
             {hour:02}:00:00 - {hour:02}:59:59,{},{},,{}.{:02},2026-09-01,2026-09-28",
            f.impressions,
            f.clicks,
            f.cents / 100,
            f.cents % 100,
        )
        .expect("a string takes what is written");
    })
}

fn google_api_hourly() -> Vec<u8> {
    let header = "segments.date,segments.hour,campaign.id,campaign.name,customer.currency_code,\
                  metrics.cost_micros,metrics.impressions,metrics.clicks,metrics.conversions,\
                  metrics.conversions_value";
    file(header, |text, f| {
        writeln!(
            text,
            "2026-09-{:02},{},1790000{:03},Search,USD,{}0000,{},{},0.333333333333,12.5",
            f.day, f.hour, f.ad_set, f.cents, f.impressions, f.clicks,
        )
        .expect("a string takes what is written");
    })
}

fn tiktok_hourly() -> Vec<u8> {
    let header = "stat_time_hour,campaign_id,adgroup_id,spend,impressions,clicks,complete_payment";
    file(header, |text, f| {
        writeln!(
            text,
            "2026-09-{:02} {:02}:00:00,170,171{:03},{}.{:02},{},{},0",
            f.day,
            f.hour,
            f.ad_set,
            f.cents / 100,
            f.cents % 100,
            f.impressions,
            f.clicks,
        )
        .expect("a string takes what is written");
    })
}

fn shopify_orders() -> Vec<u8> {
    let header = "Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Created at,\
                  Lineitem quantity,Lineitem name,Billing Name,Cancelled at,Refunded Amount,Id";
    let mut number = 1_000;
    file(header, |text, f| {
        number += 1;
        let (day, hour) = (f.day, f.hour);
        writeln!(
            text,
            "#{number},someone@example.com,paid,2026-09-{day:02} {hour:02}:00:07 -0400,USD,{}.00,\
             {}.00,2026-09-{day:02} {hour:02}:00:03 -0400,1,\"Shoes, blue\",Someone,,0.00,55{number}",
            f.cents, f.cents,
        )
        .expect("a string takes what is written");
    })
}

fn read(bytes: &[u8], options: &ReadOptions) -> usize {
    let export = Export::open("bench.csv", bytes, options).expect("the file opens");
    let mut count = 0;
    let mut take = |fine: bool| {
        assert!(fine, "every row is read");
        count += 1;
    };
    match export {
        Export::Insights(rows) => rows.for_each(|row| take(black_box(row).is_ok())),
        Export::Orders(rows) => rows.for_each(|row| take(black_box(row).is_ok())),
        _ => panic!("no totals are generated"),
    }
    count
}

fn rows(criterion: &mut Criterion) {
    let options = ReadOptions {
        zone: "America/New_York".parse().expect("a zone"),
        ..ReadOptions::default()
    };
    let mut group = criterion.benchmark_group("exports/rows");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    for (name, bytes) in [
        ("meta_hourly", meta_hourly()),
        ("google_api_hourly", google_api_hourly()),
        ("tiktok_hourly", tiktok_hourly()),
        ("shopify_orders", shopify_orders()),
    ] {
        group.bench_function(format!("{name}/n{ROWS}"), |bencher| {
            bencher.iter(|| {
                assert_eq!(read(&bytes, &options), ROWS as usize);
            });
        });
    }
    group.finish();
}

fn head(criterion: &mut Criterion) {
    let bytes = shopify_orders();
    criterion.bench_function("exports/detect/64KiB", |bencher| {
        bencher.iter_batched(
            || &bytes[..gaelp_exports::HEAD_BYTES],
            |head| detect("bench.csv", head).expect("a known kind"),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, rows, head);
criterion_main!(benches);
