//! Which reports a figure was made of.

use std::fmt;

use gaelp_core::{HourSpan, Revision};
use serde::{Deserialize, Serialize};

/// A short name for a list of reports: their spans and revisions, newest first.
///
/// Two figures with different digests were made of different reports. It tells honest reports
/// apart and is no protection against forged ones. Zero is the digest of no report.
///
/// **Source.** The finaliser of `SplitMix64` (Steele, Lea, Flood 2014), over the words of each
/// report in turn: its first hour and the hour after its last, 32 bits each, and its revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionDigest(u64);

impl RevisionDigest {
    /// The 64 bits.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The digest of the list with one more report.
    pub(crate) fn then(self, span: HourSpan, revision: Revision) -> Self {
        let bits = |hour: i32| u64::from(hour.cast_unsigned());
        let hours = bits(span.from.get()) << 32 | bits(span.to.get());
        let with_hours = mix(self.0 ^ hours);
        Self(mix(with_hours ^ u64::from(revision.get())))
    }
}

impl fmt::Display for RevisionDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}
