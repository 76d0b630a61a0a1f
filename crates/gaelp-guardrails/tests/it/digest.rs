//! Which reports a figure was made of.

use gaelp_core::{AdSetKey, HourSpan, MetricRow, Metrics, Platform, Revision, UtcHour};
use gaelp_guardrails::Trailing;

/// Computed by another implementation of the documented steps, in Python.
#[test]
fn i12_the_digest_of_reports_is_the_documented_one() {
    let first = UtcHour::new(490_000);
    let mut trailing = Trailing::new(72);
    let mut digests = vec![trailing.window(first, 24).revisions];
    for (hour, revision) in [(0, 0), (1, 3)] {
        trailing
            .record(&MetricRow {
                key: AdSetKey::new(Platform::Meta, "a"),
                span: HourSpan::hour(first.plus(hour)),
                revision: Revision::new(revision),
                metrics: Metrics::default(),
            })
            .unwrap();
        digests.push(trailing.window(first.plus(2), 24).revisions);
    }
    let numbers: Vec<u64> = digests.iter().map(|digest| digest.get()).collect();
    assert_eq!(numbers, [0, 0x29b4_312a_b06d_cf44, 0x7fb1_343e_012b_6150]);
    assert_eq!(digests[1].to_string(), "29b4312ab06dcf44");
    assert_eq!(digests[0].to_string(), "0000000000000000");
}
