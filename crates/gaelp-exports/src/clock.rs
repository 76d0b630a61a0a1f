//! From the account's clock to UTC hours, remembered by day.

use std::fmt;

use chrono::{DateTime, Datelike, Duration, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use gaelp_core::{AccountZone, HourSpan, Resolved, UtcHour};

/// How many days are remembered: more than a year, so that a file sorted by ad set finds them
/// again. At some 400 bytes each.
const DAYS: i32 = 512;

/// An account's clock.
pub(crate) struct Clock {
    zone: AccountZone,
    tz: Tz,
    days: Vec<Option<Box<Day>>>,
}

struct Day {
    date: NaiveDate,
    /// None for a day that the zone skipped.
    span: Option<HourSpan>,
    /// As far as they were asked for.
    hours: [Option<Resolved>; 24],
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.zone).finish()
    }
}

impl Clock {
    pub(crate) fn new(zone: AccountZone) -> Self {
        let tz = zone.name().parse();
        Self {
            zone,
            tz: tz.expect("an account's zone is known by its name"),
            days: (0..DAYS).map(|_| None).collect(),
        }
    }

    pub(crate) fn zone(&self) -> AccountZone {
        self.zone
    }

    fn remembered(&mut self, date: NaiveDate) -> &mut Day {
        // Dates that follow each other have slots of their own.
        let slot = date.num_days_from_ce().rem_euclid(DAYS);
        let slot = &mut self.days[usize::try_from(slot).unwrap_or(0)];
        let zone = self.zone;
        let fresh = || {
            Box::new(Day {
                date,
                span: zone.day(date),
                hours: [None; 24],
            })
        };
        let day = slot.get_or_insert_with(fresh);
        if day.date != date {
            *day = fresh();
        }
        day
    }

    /// The hours during which the clock shows `date` and `hour`.
    pub(crate) fn hour(&mut self, date: NaiveDate, hour: u8) -> Resolved {
        let zone = self.zone;
        match self.remembered(date).hours.get_mut(usize::from(hour)) {
            Some(known) => *known.get_or_insert_with(|| zone.resolve(date, hour)),
            None => Resolved::Never,
        }
    }

    /// The hours of a local day.
    pub(crate) fn day(&mut self, date: NaiveDate) -> Option<HourSpan> {
        self.remembered(date).span
    }

    /// The day that the clock shows at an instant.
    pub(crate) fn date_at(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.tz).date_naive()
    }

    /// The hour of the clock that an instant lies in, by the UTC hour in which it begins.
    pub(crate) fn hour_at(&self, instant: DateTime<Utc>) -> UtcHour {
        let local = instant.with_timezone(&self.tz);
        let past = i64::from(local.minute() * 60 + local.second());
        UtcHour::containing(instant - Duration::seconds(past))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_without_mixing_days_up() {
        for name in [
            "UTC",
            "Europe/Berlin",
            "Asia/Kolkata",
            "Australia/Lord_Howe",
        ] {
            let zone: AccountZone = name.parse().unwrap();
            let mut clock = Clock::new(zone);
            let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
            // Far enough for each slot to be taken three times, and asked twice.
            for days in (0..1_400).chain(0..1_400) {
                let date = first + Duration::days(days);
                assert_eq!(clock.day(date), zone.day(date), "{name} {date}");
                for hour in [0, 2, 3, 23, 24] {
                    let resolved = zone.resolve(date, hour);
                    assert_eq!(clock.hour(date, hour), resolved, "{name} {date} {hour}");
                }
            }
        }
    }

    #[test]
    fn an_instant_lies_in_the_hour_that_the_clock_shows() {
        for name in ["UTC", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"] {
            let zone: AccountZone = name.parse().unwrap();
            let clock = Clock::new(zone);
            let start: DateTime<Utc> = "2026-10-30T00:07:31Z".parse().unwrap();
            for minutes in 0..5_000 {
                let instant = start + Duration::minutes(minutes);
                let local = instant.with_timezone(&clock.tz);
                let hour = zone.local(clock.hour_at(instant));
                assert_eq!(hour.date, local.date_naive(), "{name} {instant}");
                assert_eq!(u32::from(hour.hour), local.hour(), "{name} {instant}");
                assert_eq!(
                    clock.date_at(instant),
                    local.date_naive(),
                    "{name} {instant}"
                );
            }
        }
    }
}
