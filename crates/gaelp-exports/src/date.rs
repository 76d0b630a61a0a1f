//! Dates and times as exports write them.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::{DateOrder, ValueProblem};

/// A date as `2026-09-01`, or as `01/09/2026` where the order is known.
#[inline]
pub(crate) fn date(text: &str, order: Option<DateOrder>) -> Result<NaiveDate, ValueProblem> {
    let bytes = text.as_bytes();
    if let &[a, b, c, d, b'-', e, f, b'-', g, h] = bytes {
        let year = number(&[a, b, c, d]);
        let (month, day) = (number(&[e, f]), number(&[g, h]));
        return calendar(year, month, day);
    }
    ordered(text, order)
}

fn calendar(
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
) -> Result<NaiveDate, ValueProblem> {
    let (Some(year), Some(month), Some(day)) = (year, month, day) else {
        return Err(ValueProblem::NotADate);
    };
    // Four digits at most.
    let year = i32::try_from(year).map_err(|_| ValueProblem::NotADate)?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or(ValueProblem::ImpossibleDate)
}

#[cold]
fn ordered(text: &str, order: Option<DateOrder>) -> Result<NaiveDate, ValueProblem> {
    let separator = ['/', '.', '-'].into_iter().find(|&c| text.contains(c));
    let separator = separator.ok_or(ValueProblem::NotADate)?;
    let mut parts = text.split(separator);
    let mut part = |lengths: std::ops::RangeInclusive<usize>| {
        let part = parts.next()?;
        let fits = lengths.contains(&part.len());
        fits.then(|| number(part.as_bytes())).flatten()
    };
    let (first, second, year) = (part(1..=2), part(1..=2), part(4..=4));
    if first.is_none() || second.is_none() || year.is_none() || parts.next().is_some() {
        return Err(ValueProblem::NotADate);
    }
    match order {
        Some(DateOrder::DayFirst) => calendar(year, second, first),
        Some(DateOrder::MonthFirst) => calendar(year, first, second),
        None => Err(ValueProblem::DateOrder),
    }
}

/// A number of ASCII digits and nothing else, few enough to fit.
#[inline]
fn number(digits: &[u8]) -> Option<u32> {
    let digit = |value: u32, &byte: &u8| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value * 10 + u32::from(digit))
    };
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0, digit)
}

/// A date of three parts, the month by number or by English name.
pub(crate) fn year(text: &str) -> Result<i32, ValueProblem> {
    match number(text.as_bytes()).and_then(|year| i32::try_from(year).ok()) {
        Some(year) if text.len() == 4 => Ok(year),
        _ => Err(ValueProblem::NotAYear),
    }
}

/// A month by its number, its English name or the name's first three letters.
pub(crate) fn month(text: &str) -> Result<u32, ValueProblem> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    if let Some(month) = number(text.as_bytes()) {
        let fits = text.len() <= 2 && (1..=12).contains(&month);
        return if fits {
            Ok(month)
        } else {
            Err(ValueProblem::NotAMonth)
        };
    }
    let is_it =
        |name: &&str| text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(&name[..3]);
    let found = (1..).zip(NAMES).find(|(_, name)| is_it(name));
    found.map(|(month, _)| month).ok_or(ValueProblem::NotAMonth)
}

/// The date that a year, a month and the text of a day make.
pub(crate) fn day_of(year: i32, month: u32, day: &str) -> Result<NaiveDate, ValueProblem> {
    let day = number(day.as_bytes()).filter(|_| day.len() <= 2);
    let day = day.ok_or(ValueProblem::NotADate)?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or(ValueProblem::ImpossibleDate)
}

/// An hour of the day, 0 to 23.
#[inline]
pub(crate) fn hour(text: &str) -> Result<u8, ValueProblem> {
    let hour = number(text.as_bytes()).filter(|&hour| text.len() <= 2 && hour < 24);
    let hour = hour.and_then(|hour| u8::try_from(hour).ok());
    hour.ok_or(ValueProblem::NotAnHour)
}

/// An hour as Meta writes it, `18:00:00 - 18:59:59`.
#[inline]
pub(crate) fn hour_range(text: &str) -> Result<u8, ValueProblem> {
    let Some((from, to)) = text.split_once(" - ") else {
        return Err(ValueProblem::NotOneHour);
    };
    let (&[a, b, ref from @ ..], &[c, d, ref to @ ..]) = (from.as_bytes(), to.as_bytes()) else {
        return Err(ValueProblem::NotOneHour);
    };
    if [a, b] != [c, d] || from != b":00:00" || to != b":59:59" {
        return Err(ValueProblem::NotOneHour);
    }
    hour(&text[..2])
}

/// A day with or without a time of midnight, as TikTok writes it, `2026-09-01 00:00:00`.
pub(crate) fn stamped_day(text: &str) -> Result<NaiveDate, ValueProblem> {
    date(text.strip_suffix(" 00:00:00").unwrap_or(text), None)
}

/// An hour as TikTok writes it, `2026-09-01 18:00:00`.
pub(crate) fn stamped_hour(text: &str) -> Result<(NaiveDate, u8), ValueProblem> {
    let (day, time) = text.split_once(' ').ok_or(ValueProblem::NotOneHour)?;
    let time = time
        .strip_suffix(":00:00")
        .ok_or(ValueProblem::NotOneHour)?;
    Ok((date(day, None)?, hour(time)?))
}

/// An instant as Shopify writes it, `2026-05-14 11:23:45 +0100`.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, ValueProblem> {
    let mut parts = text.split(' ');
    let (Some(day), Some(time), Some(offset), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ValueProblem::NotATime);
    };
    let day = date(day, None).map_err(|problem| match problem {
        ValueProblem::ImpossibleDate => problem,
        _ => ValueProblem::NotATime,
    })?;
    let clock = |text: &[u8]| match *text {
        [a, b, b':', c, d, b':', e, f] => {
            let (hour, minute) = (number(&[a, b])?, number(&[c, d])?);
            NaiveTime::from_hms_opt(hour, minute, number(&[e, f])?)
        }
        _ => None,
    };
    let seconds = |text: &[u8]| match *text {
        [sign @ (b'+' | b'-'), a, b, c, d] => {
            let (hours, minutes) = (number(&[a, b])?, number(&[c, d])?);
            let seconds = i64::from(hours * 3600 + minutes * 60);
            // Offsets lie within 14 hours of UTC.
            let fits = hours <= 14 && minutes < 60;
            fits.then_some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    };
    let offset = if offset == "UTC" {
        Some(0)
    } else {
        seconds(offset.as_bytes())
    };
    let (Some(time), Some(offset)) = (clock(time.as_bytes()), offset) else {
        return Err(ValueProblem::NotATime);
    };
    let offset = chrono::Duration::seconds(offset);
    let instant = day.and_time(time).and_utc().checked_sub_signed(offset);
    instant.ok_or(ValueProblem::NotATime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let iso = NaiveDate::from_ymd_opt(2026, 9, 1).unwrap();
        let (day_first, month_first) = (Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst));
        assert_eq!(date("2026-09-01", None), Ok(iso));
        assert_eq!(date("2026-09-01", month_first), Ok(iso));
        for text in ["01/09/2026", "1.9.2026", "01-09-2026"] {
            assert_eq!(date(text, day_first), Ok(iso), "{text}");
            assert_eq!(date(text, None), Err(ValueProblem::DateOrder), "{text}");
        }
        assert_eq!(date("09/01/2026", month_first), Ok(iso));
        assert_eq!(
            date("25/09/2026", month_first),
            Err(ValueProblem::ImpossibleDate)
        );
        for text in ["2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31"] {
            assert_eq!(
                date(text, None),
                Err(ValueProblem::ImpossibleDate),
                "{text}"
            );
        }
        for text in [
            "",
            "today",
            "2026-9-1",
            "1/9/26",
            "1/9",
            "1/2/3/2026",
            "2026/09/01",
            "20x6-09-01",
        ] {
            assert_eq!(date(text, day_first), Err(ValueProblem::NotADate), "{text}");
        }
    }

    #[test]
    fn months_and_years() {
        assert_eq!(month("April"), Ok(4));
        assert_eq!(month("dec"), Ok(12));
        assert_eq!(month("09"), Ok(9));
        for text in ["", "0", "13", "004", "Mai", "Ma"] {
            assert_eq!(month(text), Err(ValueProblem::NotAMonth), "{text}");
        }
        assert_eq!(year("2020"), Ok(2020));
        assert_eq!(year("20"), Err(ValueProblem::NotAYear));
        assert!(day_of(2020, 2, "29").is_ok());
        assert_eq!(day_of(2021, 2, "29"), Err(ValueProblem::ImpossibleDate));
    }

    #[test]
    fn hours() {
        assert_eq!(hour("0"), Ok(0));
        assert_eq!(hour("23"), Ok(23));
        for text in ["24", "", "-1", "007", "1.0", "x"] {
            assert_eq!(hour(text), Err(ValueProblem::NotAnHour), "{text}");
        }
        assert_eq!(hour_range("18:00:00 - 18:59:59"), Ok(18));
        assert_eq!(
            hour_range("24:00:00 - 24:59:59"),
            Err(ValueProblem::NotAnHour)
        );
        for text in [
            "18:00:00 - 19:59:59",
            "18:00:00",
            "",
            " - ",
            "18:30:00 - 18:59:59",
        ] {
            assert_eq!(hour_range(text), Err(ValueProblem::NotOneHour), "{text}");
        }
        assert_eq!(
            stamped_hour("2026-09-01 18:00:00").map(|(_, hour)| hour),
            Ok(18)
        );
        assert_eq!(
            stamped_hour("2026-09-01 18:30:00"),
            Err(ValueProblem::NotOneHour)
        );
        assert!(stamped_day("2026-09-01 00:00:00").is_ok());
        assert_eq!(
            stamped_day("2026-09-01 01:00:00"),
            Err(ValueProblem::NotADate)
        );
    }

    #[test]
    fn instants() {
        let utc = |text| instant(text).map(|instant| instant.to_string());
        assert_eq!(
            utc("2026-05-14 11:23:45 +0100").as_deref(),
            Ok("2026-05-14 10:23:45 UTC")
        );
        assert_eq!(
            utc("2026-05-14 23:23:45 -0730").as_deref(),
            Ok("2026-05-15 06:53:45 UTC")
        );
        assert_eq!(
            utc("2026-05-14 11:23:45 UTC").as_deref(),
            Ok("2026-05-14 11:23:45 UTC")
        );
        assert_eq!(
            utc("2026-02-30 11:23:45 UTC"),
            Err(ValueProblem::ImpossibleDate)
        );
        for text in [
            "",
            "2026-05-14",
            "2026-05-14 11:23:45",
            "2026-05-14 25:00:00 +0100",
            "2026-05-14 11:23:45 +9900",
        ] {
            assert_eq!(utc(text), Err(ValueProblem::NotATime), "{text}");
        }
    }
}
