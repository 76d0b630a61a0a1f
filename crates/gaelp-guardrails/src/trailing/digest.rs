//! Which reports a figure was made of.

use std::fmt;

use gaelp_core::{HourSpan, Revision};
use serde::{Deserialize, Serialize};

/// A short name for a list of reports: their spans and revisions, newest first.
///
/// Two figures with different digests were made of different reports. It tells honest reports
/// apart and is no protection against forged ones. Zero is the digest of no report.
///
/// **Source.** For each report in turn, the state is rotated left by 5 bits, combined by exclusive
/// or with the report's word, and multiplied by `0x517c_c1b7_2722_0a95`, as in `FxHash`. The word is
/// the first hour in the upper half and the hour after the last one in the lower half, combined by
/// exclusive or with the revision times `0x9e37_79b9_7f4a_7c15`. The finaliser of `SplitMix64` (Steele,
/// Lea, Flood 2014) mixes the state in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionDigest(u64);

impl RevisionDigest {
    /// The 64 bits.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The digest of a list of reports, from the state after its last one.
    pub(super) const fn of(state: ReportList) -> Self {
        if state.reports == 0 {
            return Self(0);
        }
        let word = state.bits;
        let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(word ^ word >> 31)
    }
}

/// A list of reports, while it is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReportList {
    bits: u64,
    pub(super) reports: u32,
}

impl ReportList {
    pub(super) fn push(&mut self, span: HourSpan, revision: Revision) {
        let bits = |hour: i32| u64::from(hour.cast_unsigned());
        let hours = (bits(span.from.get()) << 32) + bits(span.to.get());
        let revision = u64::from(revision.get()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let word = self.bits.rotate_left(5) ^ hours ^ revision;
        self.bits = word.wrapping_mul(0x517c_c1b7_2722_0a95);
        self.reports += 1;
    }
}

impl fmt::Display for RevisionDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
