//! A part of the day on the account's clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Hours of the local day, such as the evening's peak: the first is in it, the end is not.
///
/// `18-22` covers the hours that begin at 18, 19, 20 and 21 o'clock: it ends when the clock
/// strikes 22. A range may wrap midnight: `22-2` covers 22, 23, 0 and 1. The whole day is `0-24`.
/// It is written and stored as that text.
///
/// ```
/// use gaelp_guardrails::HourRange;
///
/// let peak: HourRange = "18-22".parse()?;
/// assert!(peak.contains(18) && peak.contains(21));
/// assert!(!peak.contains(22));
///
/// let night: HourRange = "22-2".parse()?;
/// assert!(night.contains(23) && night.contains(1));
/// assert_eq!(night.hours(), 4);
/// # Ok::<(), gaelp_guardrails::ParseHourRangeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HourRange {
    /// The first hour, 0 to 23.
    start: u8,
    /// The hour after the last one, 1 to 24; not after `start` where the range wraps midnight.
    end: u8,
}

impl HourRange {
    /// The hours from `start` up to, not including, `end`.
    ///
    /// # Errors
    /// [`ParseHourRangeError`] where `start` is past 23 or `end` past 24, and where both are the
    /// same, which could mean no hour or all of them.
    ///
    /// ```
    /// # use gaelp_guardrails::HourRange;
    /// assert_eq!(HourRange::new(22, 0)?.to_string(), "22-24"); // midnight, either way
    /// assert!(HourRange::new(5, 5).is_err());
    /// # Ok::<(), gaelp_guardrails::ParseHourRangeError>(())
    /// ```
    pub fn new(start: u8, end: u8) -> Result<Self, ParseHourRangeError> {
        if start > 23 || end > 24 {
            return Err(ParseHourRangeError::OutOfDay { start, end });
        }
        if start == end {
            return Err(ParseHourRangeError::Ambiguous { hour: start });
        }
        let end = if end == 0 { 24 } else { end };
        Ok(Self { start, end })
    }

    /// The first hour, 0 to 23.
    pub const fn start(self) -> u8 {
        self.start
    }

    /// The hour after the last one, 1 to 24.
    pub const fn end(self) -> u8 {
        self.end
    }

    /// Whether an hour of the day (0 to 23) is one of them.
    pub const fn contains(self, hour: u8) -> bool {
        hour < 24 && (hour + 24 - self.start) % 24 < self.hours()
    }

    /// How many hours of an ordinary day it covers, 1 to 24.
    pub const fn hours(self) -> u8 {
        match (self.end + 24 - self.start) % 24 {
            0 => 24,
            hours => hours,
        }
    }
}

impl fmt::Display for HourRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}", self.start, self.end))
    }
}

/// Why a text or a pair of numbers is no range of hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseHourRangeError {
    /// It is not two whole numbers with a hyphen between them.
    #[error("two hours with a hyphen between them are expected, such as 18-22")]
    NotARange,
    /// An hour that no day has.
    #[error("{start}-{end} is outside of the day: 0 to 23 for the start, 0 to 24 for the end")]
    OutOfDay {
        /// The first hour.
        start: u8,
        /// The hour after the last one.
        end: u8,
    },
    /// It ends where it starts, which may mean no hour or all of them.
    #[error("{hour}-{hour} could be no hour or all of them: write 0-24 for the whole day")]
    Ambiguous {
        /// The hour.
        hour: u8,
    },
}

impl FromStr for HourRange {
    type Err = ParseHourRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `u8` would accept a plus sign, which no clock shows.
        let hour = |part: &str| match part.trim() {
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse::<u8>().ok(),
            _ => None,
        };
        let parts = text.split_once('-');
        let (start, end) = parts.ok_or(ParseHourRangeError::NotARange)?;
        match (hour(start), hour(end)) {
            (Some(start), Some(end)) => Self::new(start, end),
            _ => Err(ParseHourRangeError::NotARange),
        }
    }
}

impl TryFrom<String> for HourRange {
    type Error = ParseHourRangeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HourRange> for String {
    fn from(range: HourRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_covers_as_many_hours_as_it_says_and_survives_its_text() {
        for start in 0..=26_u8 {
            for end in 0..=26_u8 {
                match HourRange::new(start, end) {
                    Ok(range) => {
                        let covered = (0..=255).filter(|&h| range.contains(h)).count();
                        assert_eq!(covered, usize::from(range.hours()), "{range}");
                        assert!(range.contains(start));
                        assert!(end == 24 || range.hours() == 24 || !range.contains(end));
                        assert_eq!(range.to_string().parse(), Ok(range));
                        let json = serde_json::to_string(&range).unwrap();
                        assert_eq!(json, format!("\"{range}\""));
                        assert_eq!(serde_json::from_str::<HourRange>(&json).unwrap(), range);
                    }
                    Err(ParseHourRangeError::Ambiguous { hour }) => {
                        assert!(start == hour && end == hour && hour < 24);
                    }
                    Err(error) => {
                        assert!(start > 23 || end > 24);
                        assert_eq!(error, ParseHourRangeError::OutOfDay { start, end });
                    }
                }
            }
        }
    }

    #[test]
    fn texts_that_are_no_range_are_refused() {
        for text in [
            "", "18", "-", "18-", "-22", "18-22-3", "+18-22", "a-b", "300-2", "18–22",
        ] {
            let error = text.parse::<HourRange>().unwrap_err();
            assert_eq!(error, ParseHourRangeError::NotARange, "{text}");
        }
        assert_eq!(
            " 18 - 22 ".parse::<HourRange>().unwrap().to_string(),
            "18-22"
        );
        assert!(serde_json::from_str::<HourRange>("\"22-22\"").is_err());
    }
}
