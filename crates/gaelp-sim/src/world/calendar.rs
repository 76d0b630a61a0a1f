//! Local midnights, to the second.

use chrono::{NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;
use gaelp_core::AccountZone;

pub(super) const HOUR: i64 = 3_600;
/// Offsets of zones change, and midnights come, at quarters of an hour.
const QUARTER: i64 = 900;

/// The account's clock. Unlike [`AccountZone`], which keys whole hours, it knows that midnight in
/// a half-hour zone lies in the middle of a UTC hour, as a platform's billing day does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar(Tz);

impl Calendar {
    pub(super) fn new(zone: AccountZone) -> Self {
        Self(
            zone.name()
                .parse()
                .expect("the zone was parsed from the same names"),
        )
    }

    fn local(self, second: i64) -> NaiveDateTime {
        let utc = chrono::DateTime::from_timestamp(second, 0)
            .unwrap_or_default()
            .naive_utc();
        let offset = self.0.offset_from_utc_datetime(&utc).fix();
        utc + offset
    }

    pub(super) fn date(self, second: i64) -> NaiveDate {
        self.local(second).date()
    }

    /// What the clock shows, 0 to 23.
    pub(super) fn hour(self, second: i64) -> u8 {
        u8::try_from(self.local(second).hour()).expect("an hour of the day is below 24")
    }

    /// The local day of a second: its date, its first second and the first of the next day.
    pub(super) fn day(self, second: i64) -> (NaiveDate, i64, i64) {
        let date = self.date(second);
        let quarter = second.div_euclid(QUARTER) * QUARTER;
        let mut begin = quarter;
        while self.date(begin - QUARTER) == date {
            begin -= QUARTER;
        }
        let mut end = quarter + QUARTER;
        while self.date(end) == date {
            end += QUARTER;
        }
        (date, begin, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, instant: &str) -> (String, i64) {
        let calendar = Calendar::new(zone.parse().unwrap());
        let second: chrono::DateTime<chrono::Utc> = instant.parse().unwrap();
        let (date, begin, end) = calendar.day(second.timestamp());
        assert!((begin..end).contains(&second.timestamp()));
        let first = chrono::DateTime::from_timestamp(begin, 0).unwrap();
        (
            format!("{date} from {}", first.format("%dT%H:%M")),
            (end - begin) / 60,
        )
    }

    #[test]
    fn days_begin_at_local_midnight_and_have_their_own_length() {
        let of = |date: &str, hours: i64| (date.to_owned(), hours * 60);
        assert_eq!(
            day("UTC", "2026-03-08T12:00:00Z"),
            of("2026-03-08 from 08T00:00", 24)
        );
        assert_eq!(
            day("America/New_York", "2026-03-08T12:00:00Z"),
            of("2026-03-08 from 08T05:00", 23)
        );
        assert_eq!(
            day("America/New_York", "2026-11-01T12:00:00Z"),
            of("2026-11-01 from 01T04:00", 25)
        );
        assert_eq!(
            day("Asia/Kolkata", "2026-01-02T18:29:59Z"),
            of("2026-01-02 from 01T18:30", 24)
        );
        // Midnight is skipped: the day begins at one o'clock.
        assert_eq!(
            day("Africa/Cairo", "2026-04-24T12:00:00Z"),
            of("2026-04-24 from 23T22:00", 23)
        );
        // And changes by half an hour.
        assert_eq!(
            day("Australia/Lord_Howe", "2026-04-05T01:00:00Z"),
            ("2026-04-05 from 04T13:00".to_owned(), 24 * 60 + 30)
        );
    }
}
