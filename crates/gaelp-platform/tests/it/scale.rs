//! A million rows, by work rather than by time: the same rows come out, and one hour's report
//! does not walk the others.

use gaelp_core::{AdSetKey, HourSpan, MetricRow, Metrics, Platform, Revision, UtcHour};
use gaelp_platform::AdPlatform;
use pollster::block_on;

use crate::support::{NOW, meta};

const AD_SETS: i32 = 50;
const HOURS: i32 = 20_000;

#[test]
fn a_million_rows_are_loaded_and_found_by_the_hour() {
    let platform = meta();
    let keys: Vec<AdSetKey> = (0..AD_SETS)
        .map(|number| AdSetKey::new(Platform::Meta, format!("ad-set-{number:03}")))
        .collect();
    let first: UtcHour = NOW.plus(-HOURS);
    let rows = (0..HOURS).flat_map(|hour| {
        keys.iter().map(move |key| MetricRow {
            key: key.clone(),
            span: HourSpan::hour(first.plus(hour)),
            revision: Revision::default(),
            metrics: Metrics::default(),
        })
    });
    platform.load(rows).unwrap();
    let mut found = 0;
    // Twenty thousand reports: quadratic work would take hours here, not a moment.
    for hour in 0..HOURS {
        let span = HourSpan::hour(first.plus(hour));
        found += block_on(platform.report(span)).unwrap().rows.len();
    }
    let unseen = 1; // the last hour is not an hour old
    assert_eq!(found, usize::try_from((HOURS - unseen) * AD_SETS).unwrap());
}
