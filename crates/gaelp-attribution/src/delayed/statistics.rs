//! What the machine has counted.

use serde::{Deserialize, Serialize};

use crate::lag::Durations;

/// Counts since the machine was new.
///
/// Those of machines that share the users merge by adding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Statistics {
    /// Touches taken.
    pub touches: u64,
    /// Touches whose time ran out.
    pub matured: u64,
    /// Of these, those that had been credited to at least one conversion.
    pub matured_credited: u64,
    /// Touches given up early, so that memory stays within its limits.
    pub evicted: u64,
    /// Touches that turned out to be duplicates when two users became one.
    pub merged_duplicates: u64,
    /// Conversions taken.
    pub conversions: u64,
    /// Conversions credited to at least one touch, as known now.
    pub attributed: u64,
    /// Conversions given up early; their credits stand, but cannot be adjusted any more.
    pub conversions_evicted: u64,
    /// The value of the attributed conversions in micros, as known now.
    pub value: i128,
    /// Adjustments taken.
    pub adjustments: u64,
    /// Adjustments that a later one had overtaken.
    pub superseded: u64,
    /// Adjustments whose conversion never came, or whose horizon had passed.
    pub unmatched: u64,
    /// Users that became another one.
    pub merges: u64,
    /// Corrections made.
    pub corrections: u64,
    /// Touches delivered again.
    pub duplicate_touches: u64,
    /// Conversions delivered again.
    pub duplicate_conversions: u64,
    /// Adjustments delivered again.
    pub duplicate_adjustments: u64,
    /// Touches that came too late.
    pub late_touches: u64,
    /// Conversions that came too late.
    pub late_conversions: u64,
    /// Conversions and adjustments in another currency or out of range, and merges without room.
    pub refused: u64,
    /// From the first credited touch to the conversion, for the attributed conversions as known now.
    pub time_to_conversion: Durations,
    /// From a conversion to its arrival.
    pub latency: Durations,
}

impl Statistics {
    /// The share of the matured touches that had been credited: of these nothing is still to come,
    /// so delays do not bias it. `None` before the first has matured.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn conversion_rate(&self) -> Option<f64> {
        (self.matured > 0).then(|| self.matured_credited as f64 / self.matured as f64)
    }

    /// Adds another machine's counts.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts_mut().into_iter().zip(other.counts()) {
            *mine = mine.saturating_add(theirs);
        }
        self.value = self.value.saturating_add(other.value);
        self.time_to_conversion.merge(&other.time_to_conversion);
        self.latency.merge(&other.latency);
    }

    /// All plain counts, in the order of the fields.
    pub(super) fn counts(&self) -> [u64; Self::COUNTS] {
        let mut copy = self.clone();
        copy.counts_mut().map(|count| *count)
    }

    pub(super) const COUNTS: usize = 19;

    pub(super) fn counts_mut(&mut self) -> [&mut u64; Self::COUNTS] {
        [
            &mut self.touches,
            &mut self.matured,
            &mut self.matured_credited,
            &mut self.evicted,
            &mut self.merged_duplicates,
            &mut self.conversions,
            &mut self.attributed,
            &mut self.conversions_evicted,
            &mut self.adjustments,
            &mut self.superseded,
            &mut self.unmatched,
            &mut self.merges,
            &mut self.corrections,
            &mut self.duplicate_touches,
            &mut self.duplicate_conversions,
            &mut self.duplicate_adjustments,
            &mut self.late_touches,
            &mut self.late_conversions,
            &mut self.refused,
        ]
    }
}
