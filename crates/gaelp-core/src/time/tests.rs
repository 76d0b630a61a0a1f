use super::*;

fn zone(name: &str) -> AccountZone {
    name.parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn hour(text: &str) -> UtcHour {
    UtcHour::containing(format!("{text}:00:00Z").parse().unwrap())
}

#[test]
fn hours_contain_their_instants() {
    let containing = |text: &str| UtcHour::containing(text.parse().unwrap()).get();
    assert_eq!(containing("1970-01-01T00:00:00Z"), 0);
    assert_eq!(containing("1970-01-01T00:59:59.999999999Z"), 0);
    assert_eq!(containing("1970-01-01T01:00:00Z"), 1);
    assert_eq!(containing("1969-12-31T23:59:59.999999999Z"), -1);
    assert_eq!(containing("1969-12-31T23:00:00Z"), -1);
    assert_eq!(containing("1969-12-31T22:59:59Z"), -2);
    for number in [i32::MIN, -1, 0, 1, 490_000, i32::MAX] {
        assert_eq!(
            UtcHour::containing(UtcHour::new(number).start()).get(),
            number
        );
    }
    assert_eq!(
        UtcHour::containing(DateTime::<Utc>::MAX_UTC).get(),
        i32::MAX
    );
    assert_eq!(
        UtcHour::containing(DateTime::<Utc>::MIN_UTC).get(),
        i32::MIN
    );
}

#[test]
fn hours_are_counted_and_stop_at_the_ends() {
    let (first, last) = (UtcHour::new(i32::MIN), UtcHour::new(i32::MAX));
    assert_eq!(last.plus(1), last);
    assert_eq!(first.plus(-1), first);
    assert_eq!(last.since(first), i64::from(u32::MAX));
    assert_eq!(first.since(last), -i64::from(u32::MAX));
    assert_eq!(HourSpan::new(first, last).len(), u32::MAX);
    assert!(
        HourSpan::hour(last).is_empty(),
        "the hour after the last one is not known"
    );
    assert_eq!(format!("{first:?}"), first.to_string());
}

#[test]
fn a_span_leaves_out_its_end() {
    let span = HourSpan::new(UtcHour::new(5), UtcHour::new(8));
    let hours: Vec<i32> = span.iter().map(UtcHour::get).collect();
    assert_eq!(hours, [5, 6, 7]);
    assert_eq!(span.len(), 3);
    assert!(!span.contains(UtcHour::new(4)) && span.contains(UtcHour::new(5)));
    assert!(span.contains(UtcHour::new(7)) && !span.contains(UtcHour::new(8)));
    assert_eq!(span.to_string(), "1970-01-01T05Z..1970-01-01T08Z");
    for backwards in [
        HourSpan::new(span.to, span.from),
        HourSpan::new(span.from, span.from),
    ] {
        assert!(backwards.is_empty());
        assert_eq!((backwards.len(), backwards.iter().count()), (0, 0));
        assert!(!backwards.contains(span.from));
    }
}

#[test]
fn local_hours_know_their_weekday() {
    let local = zone("America/New_York").local(hour("2026-11-20T04"));
    assert_eq!(local.to_string(), "2026-11-19 23:00");
    assert_eq!(local.weekday(), Weekday::Thu);
    let json = serde_json::to_string(&local).unwrap();
    assert_eq!(json, r#"{"date":"2026-11-19","hour":23}"#);
    assert_eq!(serde_json::from_str::<LocalHour>(&json).unwrap(), local);
}

#[test]
fn days_have_the_hours_that_the_clock_gives_them() {
    let table = [
        ("UTC", "2026-03-29", 24),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        // These change at midnight: it is skipped in spring, and 23 o'clock repeated in autumn.
        ("America/Santiago", "2025-09-07", 23),
        ("America/Santiago", "2025-04-05", 25),
        ("Africa/Cairo", "2025-04-25", 23),
        ("Africa/Cairo", "2025-10-30", 25),
        ("Asia/Beirut", "2025-03-30", 23),
        ("America/Havana", "2025-03-09", 23),
        ("America/Havana", "2025-11-02", 25),
        ("Asia/Gaza", "2025-04-12", 23),
        // Half-hour zones keep their clocks; Newfoundland changes by an hour.
        ("Asia/Kolkata", "2026-03-29", 24),
        ("Asia/Kathmandu", "2026-03-29", 24),
        ("America/St_Johns", "2026-03-08", 23),
        ("America/St_Johns", "2026-11-01", 25),
        // By half an hour, which no count of hours shows.
        ("Australia/Lord_Howe", "2026-04-05", 24),
        ("Australia/Lord_Howe", "2026-10-04", 24),
        // By two hours.
        ("Antarctica/Troll", "2026-03-29", 22),
        ("Antarctica/Troll", "2026-10-25", 26),
        // Across the date line: a day that never was.
        ("Pacific/Apia", "2011-12-29", 24),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Pacific/Apia", "2011-12-31", 24),
        // Greenland, in 2023: from 22:00 to 23:00 on the 25th of March.
        ("America/Nuuk", "2023-03-25", 23),
        ("America/Nuuk", "2024-10-26", 25),
    ];
    for (name, day, hours) in table {
        assert_eq!(
            zone(name).hours_of_day(date(day)).len(),
            hours,
            "{name} on {day}"
        );
        let span = zone(name).day(date(day));
        assert_eq!(
            span.map_or(0, HourSpan::len) as usize,
            hours,
            "{name} on {day}"
        );
    }
}

#[test]
fn local_times_are_resolved() {
    let one = |text| Resolved::One(hour(text));
    let twice = |a, b| Resolved::Twice(hour(a), hour(b));
    let table = [
        ("UTC", "2026-11-20", 10, one("2026-11-20T10")),
        ("Europe/Berlin", "2026-03-29", 1, one("2026-03-29T00")),
        ("Europe/Berlin", "2026-03-29", 2, Resolved::Never),
        ("Europe/Berlin", "2026-03-29", 3, one("2026-03-29T01")),
        (
            "Europe/Berlin",
            "2026-10-25",
            2,
            twice("2026-10-25T00", "2026-10-25T01"),
        ),
        ("America/Santiago", "2025-09-07", 0, Resolved::Never),
        (
            "America/Santiago",
            "2025-04-05",
            23,
            twice("2025-04-06T02", "2025-04-06T03"),
        ),
        ("Pacific/Apia", "2011-12-30", 12, Resolved::Never),
        ("Asia/Kolkata", "1970-01-01", 6, one("1970-01-01T00")),
        ("Asia/Kathmandu", "2026-01-01", 0, one("2025-12-31T18")),
        // The clock jumps from 02:00 to 02:30; the hour has only its second half.
        ("Australia/Lord_Howe", "2026-10-04", 2, one("2026-10-03T15")),
        // The second half of one o'clock is repeated; one o'clock begins but once.
        ("Australia/Lord_Howe", "2026-04-05", 1, one("2026-04-04T14")),
        // Two hours back, and three.
        (
            "Antarctica/Troll",
            "2026-10-25",
            1,
            twice("2026-10-24T23", "2026-10-25T01"),
        ),
        (
            "Antarctica/Casey",
            "2018-03-11",
            1,
            twice("2018-03-10T14", "2018-03-10T17"),
        ),
    ];
    for (name, day, o_clock, resolved) in table {
        assert_eq!(
            zone(name).resolve(date(day), o_clock),
            resolved,
            "{name} {day} {o_clock}"
        );
    }
    for o_clock in [24, 25, u8::MAX] {
        assert_eq!(
            zone("UTC").resolve(date("2026-01-01"), o_clock),
            Resolved::Never
        );
    }
}

#[test]
fn the_ends_of_the_calendar_are_no_trouble() {
    for name in [
        "UTC",
        "Asia/Kolkata",
        "Pacific/Kiritimati",
        "America/New_York",
    ] {
        for end in [NaiveDate::MIN, NaiveDate::MAX] {
            assert_eq!(zone(name).resolve(end, 12), Resolved::Never, "{name} {end}");
            assert_eq!(zone(name).hours_of_day(end), []);
            assert_eq!(zone(name).day(end), None);
        }
        for end in [i32::MIN, i32::MAX] {
            let local = zone(name).local(UtcHour::new(end));
            assert_eq!(
                zone(name).resolve(local.date, local.hour),
                Resolved::One(UtcHour::new(end)),
                "{name}"
            );
            assert!(
                zone(name)
                    .hours_of_day(local.date)
                    .contains(&UtcHour::new(end))
            );
        }
    }
}

#[test]
fn zones_go_by_their_iana_names() {
    assert_eq!(zone("UTC"), AccountZone::UTC);
    assert_eq!(zone("Asia/Kolkata").name(), "Asia/Kolkata");
    assert_eq!(format!("[{:>5}]", AccountZone::UTC), "[  UTC]");
    for name in [
        "",
        "utc",
        "Europe/berlin",
        "CEST",
        "+02:00",
        "Mars/Olympus",
        "UTC ",
    ] {
        assert_eq!(
            name.parse::<AccountZone>(),
            Err(ParseZoneError(name.to_owned())),
            "{name:?}"
        );
    }
    let json = serde_json::to_string(&zone("America/St_Johns")).unwrap();
    assert_eq!(json, r#""America/St_Johns""#);
    assert_eq!(
        serde_json::from_str::<AccountZone>(&json).unwrap(),
        zone("America/St_Johns")
    );
    let error = serde_json::from_str::<AccountZone>(r#""Mars""#)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("\"Mars\" is not an IANA time zone"),
        "{error}"
    );
}
