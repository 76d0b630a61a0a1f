//! Every zone of the tz database, around every change of its clock.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Duration, NaiveDate, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use gaelp_core::{AccountZone, HourSpan, LocalHour, Resolved, UtcHour};

/// How far a window reaches to either side of a change, in hours.
const WINDOW: i32 = 60;

fn zones() -> impl Iterator<Item = (AccountZone, Tz)> {
    TZ_VARIANTS
        .iter()
        .map(|tz| (tz.name().parse().expect("its own name"), *tz))
}

fn year(year: i32) -> UtcHour {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).and_then(|date| date.and_hms_opt(0, 0, 0));
    UtcHour::containing(first.expect("a first of January").and_utc())
}

/// Local hours on one line, as if no clock were ever changed.
fn on_a_line(local: LocalHour) -> i64 {
    let midnight = local
        .date
        .and_hms_opt(0, 0, 0)
        .expect("a midnight")
        .and_utc();
    midnight.timestamp() / 3600 + i64::from(local.hour)
}

/// Where a zone's clock shows something else than the next hour, to within twelve hours. No clock
/// was ever changed twice within a day, so no change hides another.
fn changes(zone: AccountZone, since: i32) -> Vec<UtcHour> {
    let (from, to) = (year(since), year(2038));
    let mut found = Vec::new();
    let mut shown = on_a_line(zone.local(from));
    for hour in (from.get()..to.get()).step_by(24).map(UtcHour::new).skip(1) {
        let next = on_a_line(zone.local(hour));
        if next != shown + 24 {
            found.push(hour.plus(-12));
        }
        shown = next;
    }
    found
}

/// What the clock shows in each hour of a window.
fn window(zone: AccountZone, change: UtcHour) -> Vec<(UtcHour, LocalHour)> {
    (-WINDOW..WINDOW)
        .map(|h| change.plus(h))
        .map(|hour| (hour, zone.local(hour)))
        .collect()
}

/// The hour that begins on the wall within a UTC hour, found by looking at every quarter of it.
fn by_looking(tz: Tz, hour: UtcHour) -> Option<LocalHour> {
    (0..4).find_map(|quarter| {
        let instant: DateTime<Utc> = hour.start() + Duration::minutes(15 * quarter);
        let wall = instant.with_timezone(&tz);
        (wall.minute() == 0).then(|| LocalHour {
            date: wall.date_naive(),
            hour: u8::try_from(wall.hour()).expect("below 24"),
        })
    })
}

#[test]
fn the_clock_is_read_as_by_looking_at_it() {
    let mut compared = 0_u32;
    for (zone, tz) in zones() {
        for change in changes(zone, 1970) {
            for (hour, local) in window(zone, change).into_iter().filter(|(h, _)| {
                // Until 1972 Liberia's clocks were 44 minutes and a half behind.
                tz != Tz::Africa__Monrovia || *h >= year(1973)
            }) {
                // An hour without a beginning was cut short by the change.
                if let Some(looked) = by_looking(tz, hour) {
                    assert_eq!(local, looked, "{zone} {hour}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 3_000_000, "only {compared} hours");
}

/// From 1880 on, through local mean times and days that were lived twice.
#[test]
fn resolving_is_the_inverse_of_reading() {
    let mut apart: BTreeMap<i64, u32> = BTreeMap::new();
    for (zone, _) in zones() {
        for change in changes(zone, 1880) {
            let window = window(zone, change);
            let mut shown: Vec<(LocalHour, UtcHour)> =
                window.iter().map(|&(hour, local)| (local, hour)).collect();
            shown.sort_unstable();
            // Away from the edges, where all hours of a local hour lie within the window.
            let inner = &window[30..window.len() - 30];
            let (first, last) = (inner[0].1, inner[inner.len() - 1].1);
            for date in first.date.iter_days().take_while(|&day| day <= last.date) {
                for hour in 0..24 {
                    let local = LocalHour { date, hour };
                    if local < first || local > last {
                        continue;
                    }
                    let start = shown.partition_point(|(other, _)| *other < local);
                    let end = start + shown[start..].partition_point(|(other, _)| *other == local);
                    let expected = match shown[start..end] {
                        [] => Resolved::Never,
                        [(_, only)] => Resolved::One(only),
                        [(_, one), (_, other)] => {
                            if one >= year(1970) {
                                *apart.entry(other.since(one)).or_default() += 1;
                            }
                            Resolved::Twice(one, other)
                        }
                        ref more => panic!("{zone} showed {local} in {more:?}"),
                    };
                    assert_eq!(zone.resolve(date, hour), expected, "{zone} {local}");
                }
            }
        }
    }
    // Since 1970, repeated hours lie one hour apart; in a few places two or three, once seven.
    assert_eq!(apart.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 7]);
}

#[test]
fn every_hour_is_in_exactly_one_day() {
    let mut lengths: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut broken = BTreeSet::new();
    let mut backwards = BTreeSet::new();
    for (zone, _) in zones() {
        for change in changes(zone, 1970) {
            let window = window(zone, change);
            let middle = zone.local(change).date;
            for offset in 0..3 {
                let day = middle - Days::new(1) + Days::new(offset);
                let hours: Vec<UtcHour> = window
                    .iter()
                    .filter(|(_, local)| local.date == day)
                    .map(|&(hour, _)| hour)
                    .collect();
                assert_eq!(zone.hours_of_day(day), hours, "{zone} {day}");
                lengths
                    .entry(hours.len())
                    .or_default()
                    .insert(format!("{zone} {day}"));
                match zone.day(day) {
                    None => assert!(hours.is_empty(), "{zone} {day}"),
                    Some(span) => {
                        assert_eq!(Some(&span.from), hours.first(), "{zone} {day}");
                        assert_eq!(
                            Some(span.to),
                            hours.last().map(|h| h.plus(1)),
                            "{zone} {day}"
                        );
                        if span.len() as usize != hours.len() {
                            broken.insert(format!("{zone} {day}"));
                        }
                    }
                }
            }
            for pair in window.windows(2) {
                if pair[1].1.date < pair[0].1.date {
                    backwards.insert(format!("{zone} {}", pair[0].1.date));
                }
            }
        }
    }
    let unusual: Vec<usize> = lengths.keys().copied().collect();
    assert_eq!(unusual, [0, 17, 21, 22, 23, 24, 25, 26, 27, 31]);
    assert_eq!(
        lengths[&0].iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "Kwajalein 1993-08-21",
            "Pacific/Apia 2011-12-30",
            "Pacific/Enderbury 1994-12-31",
            "Pacific/Fakaofo 2011-12-30",
            "Pacific/Kanton 1994-12-31",
            "Pacific/Kiritimati 1994-12-31",
            "Pacific/Kwajalein 1993-08-21",
        ]
    );
    assert_eq!(
        lengths[&17].iter().collect::<Vec<_>>(),
        ["Antarctica/Vostok 1994-11-01"]
    );
    assert_eq!(
        lengths[&31].iter().collect::<Vec<_>>(),
        ["Antarctica/Vostok 1994-01-31"]
    );
    // Midnights that the clock showed, took back, and showed again: the days on either side.
    assert_eq!(
        broken.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "America/Goose_Bay 1988-10-29",
            "America/Goose_Bay 1988-10-30",
            "America/St_Johns 1988-10-29",
            "America/St_Johns 1988-10-30",
            "Antarctica/Casey 2010-03-04",
            "Antarctica/Casey 2010-03-05",
            "Canada/Newfoundland 1988-10-29",
            "Canada/Newfoundland 1988-10-30",
        ]
    );
    assert_eq!(
        backwards.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "America/Goose_Bay 1988-10-30",
            "America/St_Johns 1988-10-30",
            "Antarctica/Casey 2010-03-05",
            "Canada/Newfoundland 1988-10-30",
        ]
    );
}

/// Also far from any change: the years that accounts live in.
#[test]
fn four_years_are_read_and_found_again() {
    for (zone, _) in zones() {
        // Every fifth hour: in five days each hour of the day has its turn.
        for hour in HourSpan::new(year(2024), year(2028)).iter().step_by(5) {
            let local = zone.local(hour);
            let found = match zone.resolve(local.date, local.hour) {
                Resolved::One(only) => only == hour,
                Resolved::Twice(one, other) => one < other && (one == hour || other == hour),
                Resolved::Never => false,
            };
            assert!(found, "{zone} {hour} shows {local}");
        }
        let mut next = None;
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a date");
        for day in first.iter_days().take(4 * 365 + 1) {
            let Some(span) = zone.day(day) else {
                panic!("{zone} skipped {day}");
            };
            assert!(next.is_none_or(|hour| hour == span.from), "{zone} {day}");
            next = Some(span.to);
        }
    }
}
