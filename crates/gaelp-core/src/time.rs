//! Hours in UTC, and the account's own clock.
//!
//! Everything is keyed by [`UtcHour`]: an hour that every clock on Earth agrees on. What people
//! and platforms mean by "today" and "18 o'clock" follows from the account's time zone, an
//! [`AccountZone`]. Local days have 23, 24 or 25 hours; a few zones skip a midnight, repeat one,
//! or have skipped a whole day.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Offset, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Seconds in an hour.
const SECONDS: i64 = 3600;
/// Seconds in a day on which no clock is changed.
const DAY: i64 = 24 * SECONDS;
/// No clock was ever further from UTC than this, in seconds: Manila was 15 h 56 min behind it.
const REACH: i64 = 16 * SECONDS;

/// An hour, counted in whole hours from 1970-01-01T00:00Z.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use gaelp_core::UtcHour;
///
/// let instant: DateTime<Utc> = "2026-11-20T10:57:12Z".parse()?;
/// let hour = UtcHour::containing(instant);
/// assert_eq!(hour.to_string(), "2026-11-20T10Z");
/// assert_eq!(hour.plus(2).since(hour), 2);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcHour(i32);

impl UtcHour {
    /// An hour from its count since 1970-01-01T00:00Z.
    pub const fn new(hours: i32) -> Self {
        Self(hours)
    }

    /// The count since 1970-01-01T00:00Z.
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The hour that an instant lies in.
    pub fn containing(instant: DateTime<Utc>) -> Self {
        let hours = hour_of(instant.timestamp());
        // chrono's years, ±262,000, are ±2.3e9 hours at the very ends.
        Self(i32::try_from(hours).unwrap_or(if hours < 0 { i32::MIN } else { i32::MAX }))
    }

    /// The instant at which it begins.
    pub fn start(self) -> DateTime<Utc> {
        DateTime::from_timestamp(i64::from(self.0) * SECONDS, 0)
            .expect("32-bit hours lie within chrono's range of years")
    }

    /// The hour that many hours later, or earlier for a negative count; stops at the ends.
    #[must_use]
    pub const fn plus(self, hours: i32) -> Self {
        Self(self.0.saturating_add(hours))
    }

    /// How many hours lie between `earlier` and this one; negative where it is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 as i64 - earlier.0 as i64
    }
}

impl fmt::Display for UtcHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.start();
        write!(f, "{}T{:02}Z", start.date_naive(), start.hour())
    }
}

impl fmt::Debug for UtcHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A run of hours: `from` is in it, `to` is not.
///
/// ```
/// use gaelp_core::{HourSpan, UtcHour};
///
/// let evening = HourSpan::new(UtcHour::new(18), UtcHour::new(22));
/// assert_eq!(evening.len(), 4);
/// assert!(evening.contains(UtcHour::new(18)) && !evening.contains(UtcHour::new(22)));
/// assert_eq!(evening.to_string(), "1970-01-01T18Z..1970-01-01T22Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HourSpan {
    /// The first hour.
    pub from: UtcHour,
    /// The hour after the last one.
    pub to: UtcHour,
}

impl HourSpan {
    /// The hours from `from` up to, not including, `to`.
    pub const fn new(from: UtcHour, to: UtcHour) -> Self {
        Self { from, to }
    }

    /// One hour.
    pub const fn hour(hour: UtcHour) -> Self {
        Self {
            from: hour,
            to: hour.plus(1),
        }
    }

    /// How many hours it has; none where `to` is not after `from`.
    pub fn len(self) -> u32 {
        u32::try_from(self.to.since(self.from)).unwrap_or(0)
    }

    /// Whether it has no hour.
    pub fn is_empty(self) -> bool {
        self.to <= self.from
    }

    /// Whether the hour is one of them.
    pub fn contains(self, hour: UtcHour) -> bool {
        self.from <= hour && hour < self.to
    }

    /// The hours in order.
    pub fn iter(self) -> impl Iterator<Item = UtcHour> {
        (self.from.0..self.to.0.max(self.from.0)).map(UtcHour)
    }
}

impl fmt::Display for HourSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

/// What the account's clock shows during an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalHour {
    /// The day on the wall.
    pub date: NaiveDate,
    /// The hour of the day, 0 to 23.
    pub hour: u8,
}

impl LocalHour {
    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        self.date.weekday()
    }
}

impl fmt::Display for LocalHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:00", self.date, self.hour)
    }
}

/// The hours that a local time stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// One hour, as nearly always.
    One(UtcHour),
    /// The clock showed it twice, as clocks do when summer time ends.
    Twice(UtcHour, UtcHour),
    /// The clock never showed it, as when summer time begins.
    Never,
}

/// The time zone of an account, by its IANA name.
///
/// **Half-hour zones.** In India the clock's hours begin at half past. A local hour is keyed by
/// the UTC hour in which it begins, so that each UTC hour has one local hour in every zone. Where
/// a clock is moved by half an hour, as on Lord Howe Island, the hour that is cut short or drawn
/// out keeps its key, and the day has 24 hours as ever.
///
/// **What holds.** Tests check it around every change of every clock from 1970 to 2037. The hours
/// of the local days partition the UTC hours; a local hour is shown once, twice or never; and a
/// day has 23, 24 or 25 hours, but for these:
/// - 0: the day was skipped, as 2011-12-30 in Samoa and Tokelau;
/// - 22 or 26: the clock moved by two hours, as it does twice a year at Troll;
/// - 21 or 27: by three hours, as at Casey;
/// - 17 or 31: by seven hours, at Vostok in 1994.
///
/// ```
/// use gaelp_core::AccountZone;
///
/// let zone: AccountZone = "Europe/Berlin".parse()?;
/// let date = "2026-10-25".parse().expect("a date");
/// assert_eq!(zone.hours_of_day(date).len(), 25); // summer time ends
/// # Ok::<(), gaelp_core::ParseZoneError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountZone(Tz);

impl AccountZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What the clock shows when an hour begins in it.
    ///
    /// **Cost.** One search among the zone's changes of the clock; two in half-hour zones.
    ///
    /// ```
    /// # use gaelp_core::{AccountZone, UtcHour};
    /// let zone: AccountZone = "Asia/Kolkata".parse()?;
    /// // 1970-01-01T00Z holds 06:00 in India (half past five when it begins).
    /// assert_eq!(zone.local(UtcHour::new(0)).to_string(), "1970-01-01 06:00");
    /// # Ok::<(), gaelp_core::ParseZoneError>(())
    /// ```
    pub fn local(self, hour: UtcHour) -> LocalHour {
        let start = i64::from(hour.0) * SECONDS;
        let shown = start + self.offset(start);
        let past = shown.rem_euclid(SECONDS);
        let shown = if past == 0 {
            shown
        } else {
            // The local hour begins later in this UTC hour, perhaps under another offset.
            let begins = start + SECONDS - past;
            begins + self.offset(begins)
        };
        let shown = instant(shown).naive_utc();
        LocalHour {
            date: shown.date(),
            hour: u8::try_from(shown.hour()).expect("an hour of the day is below 24"),
        }
    }

    /// The hours during which the clock shows `date` and `hour` (0 to 23).
    ///
    /// It is the inverse of [`AccountZone::local`].
    ///
    /// ```
    /// # use gaelp_core::{AccountZone, Resolved};
    /// let zone: AccountZone = "America/New_York".parse()?;
    /// let Resolved::Twice(first, second) = zone.resolve("2026-11-01".parse()?, 1) else {
    ///     return Err("summer time ends at two o'clock".into());
    /// };
    /// assert_eq!(second.since(first), 1);
    /// assert_eq!(zone.resolve("2026-03-08".parse()?, 2), Resolved::Never);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resolve(self, date: NaiveDate, hour: u8) -> Resolved {
        if hour > 23 {
            return Resolved::Never;
        }
        let shown = midnight(date) + i64::from(hour) * SECONDS;
        // No clock was ever changed twice within the width of this bracket, so the offset is one
        // of these two, and mostly they are the same.
        let (before, after) = (self.offset(shown - REACH), self.offset(shown + REACH));
        let (one, other) = (hour_of(shown - before), hour_of(shown - after));
        // A change within the hour can push its beginning into a neighbour.
        let margin = i64::from(before != after);
        let wanted = LocalHour { date, hour };
        let mut found = (one.min(other) - margin..=one.max(other) + margin)
            .filter_map(|hour| i32::try_from(hour).ok().map(UtcHour))
            .filter(|&hour| self.local(hour) == wanted);
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Resolved::Twice(first, second),
            (Some(only), None) => Resolved::One(only),
            (None, _) => Resolved::Never,
        }
    }

    /// The hours of a local day, in order: 24 of them, or 23 or 25 when the clock is changed, and
    /// none on a day that the zone skipped.
    ///
    /// Every hour is in exactly one day.
    pub fn hours_of_day(self, date: NaiveDate) -> Vec<UtcHour> {
        let midnight = midnight(date);
        let (before, after) = (
            self.offset(midnight - REACH),
            self.offset(midnight + DAY + REACH),
        );
        let window = if before == after {
            let first = hour_of(midnight - before);
            first..first + 24
        } else {
            hour_of(midnight - REACH)..hour_of(midnight + DAY + REACH)
        };
        window
            .filter_map(|hour| i32::try_from(hour).ok().map(UtcHour))
            .filter(|&hour| before == after || self.local(hour).date == date)
            .collect()
    }

    /// The hours of a local day as a span: from its first hour to the one after its last.
    ///
    /// `None` for a day that the zone skipped, such as 2011-12-30 in Samoa. The span has the hours
    /// of the day and no others, except where a clock was turned back past a midnight that it had
    /// shown already; then two spans overlap. That was so at Casey on 2010-03-05, in Newfoundland
    /// and Goose Bay on 1988-10-30, and nowhere else since 1970.
    ///
    /// ```
    /// # use gaelp_core::AccountZone;
    /// let samoa: AccountZone = "Pacific/Apia".parse()?;
    /// let day = samoa.day("2011-12-31".parse()?).ok_or("a day")?;
    /// assert_eq!(day.to_string(), "2011-12-30T10Z..2011-12-31T10Z");
    /// assert_eq!(samoa.day("2011-12-30".parse()?), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn day(self, date: NaiveDate) -> Option<HourSpan> {
        let hours = self.hours_of_day(date);
        Some(HourSpan::new(*hours.first()?, hours.last()?.plus(1)))
    }

    /// How far the clock is ahead of UTC at an instant, in seconds.
    fn offset(self, second: i64) -> i64 {
        let instant = instant(second).naive_utc();
        i64::from(
            self.0
                .offset_from_utc_datetime(&instant)
                .fix()
                .local_minus_utc(),
        )
    }
}

/// The hour that a second lies in, both counted from 1970-01-01T00:00Z.
fn hour_of(second: i64) -> i64 {
    second.div_euclid(SECONDS)
}

/// Seconds from 1970-01-01T00:00Z to a day's midnight in UTC.
fn midnight(date: NaiveDate) -> i64 {
    date.and_time(NaiveTime::MIN).and_utc().timestamp()
}

/// An instant by its seconds; the nearest one that chrono has, past the ends of its calendar.
fn instant(second: i64) -> DateTime<Utc> {
    let end = if second < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    };
    DateTime::from_timestamp(second, 0).unwrap_or(end)
}

impl fmt::Display for AccountZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an IANA time zone: a name such as Europe/Berlin or UTC is expected")]
pub struct ParseZoneError(String);

impl FromStr for AccountZone {
    type Err = ParseZoneError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.parse()
            .map(Self)
            .map_err(|_| ParseZoneError(name.to_owned()))
    }
}

impl TryFrom<String> for AccountZone {
    type Error = ParseZoneError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<AccountZone> for String {
    fn from(zone: AccountZone) -> Self {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests;
