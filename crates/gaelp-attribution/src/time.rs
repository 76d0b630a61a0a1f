//! Moments and the spans between them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// A moment: microseconds since 1970-01-01T00:00Z.
///
/// **Units.** Microseconds, as [`RewardCorrection::observed_at`](gaelp_core::RewardCorrection).
/// Time comes in with events; nothing here reads a clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before every other moment.
    pub const MIN: Self = Self(i64::MIN);
    /// After every other moment.
    pub const MAX: Self = Self(i64::MAX);

    /// A moment from its count of microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A moment from milliseconds, or `None` past 292,000 years from 1970.
    pub const fn from_millis(millis: i64) -> Option<Self> {
        match millis.checked_mul(1_000) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// The count of microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment `span` later, or [`Timestamp::MAX`] past the range.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The moment `span` earlier, or [`Timestamp::MIN`] past the range.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` it is; `None` where it is before it. At most [`Span::MAX`].
    pub const fn since(self, earlier: Self) -> Option<Span> {
        if self.0 < earlier.0 {
            return None;
        }
        Some(Span(self.0.saturating_sub(earlier.0)))
    }
}

/// A length of time, never negative.
///
/// **Units.** Microseconds.
///
/// ```
/// use gaelp_attribution::{Span, Timestamp};
///
/// let noon = Timestamp::from_micros(43_200_000_000);
/// assert_eq!(noon.plus(Span::hours(1)).since(noon), Some(Span::hours(1)));
/// assert_eq!(noon.since(noon.plus(Span::hours(1))), None);
/// assert_eq!(Span::days(2).to_string(), "2d");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span, some 292,000 years.
    pub const MAX: Self = Self(i64::MAX);

    /// A span from its count of microseconds; `None` for a negative one.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros < 0 { None } else { Some(Self(micros)) }
    }

    /// So many seconds.
    pub const fn seconds(seconds: u32) -> Self {
        Self(seconds as i64 * SECOND)
    }

    /// So many hours.
    pub const fn hours(hours: u32) -> Self {
        Self(hours as i64 * 3_600 * SECOND)
    }

    /// So many days of 24 hours.
    pub const fn days(days: u32) -> Self {
        Self(days as i64 * 86_400 * SECOND)
    }

    /// The count of microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The span in hours, for statistics and models.
    #[expect(
        clippy::cast_precision_loss,
        reason = "statistics; exact below 285 years"
    )]
    pub const fn to_hours_f64(self) -> f64 {
        self.0 as f64 / 3.6e9
    }

    /// By how many microseconds it is longer than another, zero where it is not.
    pub(crate) const fn beyond(self, other: Self) -> u64 {
        self.0.unsigned_abs().saturating_sub(other.0.unsigned_abs())
    }

    /// The sum, or [`Span::MAX`] past the range.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Span {
    /// Prints the largest unit that divides the span: `7d`, `36h`, `90s`, `1500us`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("d", 86_400 * SECOND), ("h", 3_600 * SECOND), ("s", SECOND)];
        match units.iter().find(|(_, unit)| self.0 % unit == 0) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let micros = i64::deserialize(deserializer)?;
        Self::from_micros(micros)
            .ok_or_else(|| serde::de::Error::custom(format!("a span of {micros} microseconds")))
    }
}
