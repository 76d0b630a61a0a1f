//! How many calls were made, and failed, in the time before now.

use serde::{Deserialize, Serialize};

use super::BreakerConfig;

/// Into how many parts the window is divided: what is older than the window is forgotten part by
/// part.
pub(super) const PARTS: usize = 6;

/// A ring of counts, one for each part of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Calls([Part; PARTS]);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// Which part of all time it is.
    number: i64,
    calls: u32,
    failures: u32,
}

impl Calls {
    /// Counts a call.
    pub(super) fn count(&mut self, config: &BreakerConfig, now: i64, failed: bool) {
        let number = part_of(config, now);
        let ring = i64::try_from(PARTS).unwrap_or(i64::MAX);
        let place = usize::try_from(number.rem_euclid(ring)).unwrap_or(0);
        let Some(part) = self.0.get_mut(place) else {
            return;
        };
        if part.number != number {
            *part = Part {
                number,
                ..Part::default()
            };
        }
        part.calls = part.calls.saturating_add(1);
        part.failures = part.failures.saturating_add(u32::from(failed));
    }

    /// The calls within the window, and how many of them failed.
    pub(super) fn within(&self, config: &BreakerConfig, now: i64) -> (u64, u64) {
        let last = part_of(config, now);
        let ring = i64::try_from(PARTS).unwrap_or(i64::MAX);
        // What lies in the future was counted by a clock that was wrong.
        let inside = |part: &&Part| (0..ring).contains(&last.saturating_sub(part.number));
        let parts = self.0.iter().filter(inside);
        parts.fold((0, 0), |(calls, failures), part| {
            (
                calls + u64::from(part.calls),
                failures + u64::from(part.failures),
            )
        })
    }
}

fn part_of(config: &BreakerConfig, now: i64) -> i64 {
    now.div_euclid(config.part())
}
