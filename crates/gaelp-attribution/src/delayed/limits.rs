//! How much the machine may hold.

use serde::{Deserialize, Serialize};

/// Touches that fit into less than half of a gigabyte.
const TOUCHES: u32 = 10_000_000;
/// Conversions are fewer than touches, but are kept until no refund can come.
const CONVERSIONS: u32 = 2_000_000;
/// Longer journeys are those of robots.
const PER_USER: u16 = 512;
/// An adjustment rarely overtakes its conversion.
const ADJUSTMENTS: u32 = 100_000;
/// As many as there may be users.
const MERGES: u32 = 10_000_000;

/// The limits of a machine's memory.
///
/// What exceeds them is evicted, soonest to expire first, and counted; only merges are refused
/// then, because forgetting one would tear a user apart.
///
/// **Units.** 32 bytes a touch, about 11 more for its share of a user at four touches each, and 48
/// for what led to it where that is given. A conversion takes about 200 bytes, and 80 with each
/// touch that it credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Pending touches. Default 10 million, at most 4 billion.
    pub touches: u32,
    /// Conversions whose value may still change. Default 2 million.
    pub conversions: u32,
    /// Pending touches, and likewise conversions, of one user. Default 512.
    pub per_user: u16,
    /// Adjustments that wait for their conversion. Default 100,000.
    pub adjustments: u32,
    /// Users that became another one. Default 10 million.
    pub merges: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            touches: TOUCHES,
            conversions: CONVERSIONS,
            per_user: PER_USER,
            adjustments: ADJUSTMENTS,
            merges: MERGES,
        }
    }
}

impl Limits {
    /// The most touches or conversions that can be numbered, less what partly filled segments take.
    pub(super) const MOST: u32 = 4_000_000_000;

    /// Everything that is wrong with the limits.
    pub(super) fn violations(&self) -> Vec<LimitViolation> {
        let counts = [
            ("touches", self.touches, Self::MOST),
            ("conversions", self.conversions, Self::MOST),
            (
                "per_user",
                u32::from(self.per_user),
                u32::from(u16::MAX) - 1,
            ),
        ];
        let wrong = counts
            .into_iter()
            .filter(|&(_, value, most)| value == 0 || value > most);
        wrong
            .map(|(field, value, most)| LimitViolation { field, value, most })
            .collect()
    }
}

/// A limit that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}: from 1 to {most} is allowed")]
pub struct LimitViolation {
    /// The setting.
    pub field: &'static str,
    /// Its value.
    pub value: u32,
    /// The largest allowed.
    pub most: u32,
}

/// Why a machine cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// There are no models, or more than 255.
    #[error("{found} models were given: from 1 to 255 are allowed")]
    Models {
        /// How many.
        found: usize,
    },
    /// Limits that cannot be kept, all of them.
    #[error("limits: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Limits(Vec<LimitViolation>),
}
