//! Times in the log, as [`chrono`] writes and reads them, but for whole seconds many times faster.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use serde::de::{self, IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What most times look like; each `0` is a digit.
const PATTERN: [u8; 20] = *b"0000-00-00T00:00:00Z";

pub(crate) fn serialize<S: Serializer>(
    at: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match written(*at) {
        Some(text) => {
            let text = str::from_utf8(&text).expect("digits and signs are ASCII");
            serializer.serialize_str(text)
        }
        None => at.serialize(serializer),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<DateTime<Utc>, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = DateTime<Utc>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a time as RFC 3339 has it")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<DateTime<Utc>, E> {
            match read(text) {
                Some(at) => Ok(at),
                None => DateTime::deserialize(text.into_deserializer()),
            }
        }
    }

    deserializer.deserialize_str(Text)
}

/// A time of whole seconds, of years with four digits.
fn written(at: DateTime<Utc>) -> Option<[u8; 20]> {
    let at = at.naive_utc();
    let year = u32::try_from(at.year())
        .ok()
        .filter(|year| *year <= 9_999)?;
    if at.nanosecond() != 0 {
        return None;
    }
    let mut text = PATTERN;
    let parts = [
        (2, year / 100),
        (4, year),
        (7, at.month()),
        (10, at.day()),
        (13, at.hour()),
        (16, at.minute()),
        (19, at.second()),
    ];
    // The last two digits of each.
    for (end, part) in parts {
        let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or(0);
        (text[end - 2], text[end - 1]) = (digit(part / 10), digit(part));
    }
    Some(text)
}

/// A time as [`written`] gives it.
fn read(text: &str) -> Option<DateTime<Utc>> {
    let text: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let fits = |(found, pattern): (&u8, &u8)| match pattern {
        b'0' => found.is_ascii_digit(),
        sign => found == sign,
    };
    if !text.iter().zip(&PATTERN).all(fits) {
        return None;
    }
    let pair = |end: usize| u32::from(text[end - 2] - b'0') * 10 + u32::from(text[end - 1] - b'0');
    let year = i32::try_from(pair(2) * 100 + pair(4)).ok()?;
    let date = NaiveDate::from_ymd_opt(year, pair(7), pair(10))?;
    let at = date.and_hms_opt(pair(13), pair(16), pair(19))?;
    Some(at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(transparent)]
    struct Ours(#[serde(with = "super")] DateTime<Utc>);

    /// Texts and times against chrono's own, over the seconds of a leap day and all of the years.
    #[test]
    fn times_are_written_and_read_as_chrono_does() {
        let mut seconds: Vec<i64> = (1_709_164_790..1_709_164_810).collect();
        seconds.extend((-400..4_000).map(|n: i64| n * 86_399 * 37 + n * n * 1_013));
        seconds.extend([0, -1, 253_402_300_799, 253_402_300_800, -62_167_219_201]);
        for second in seconds {
            for nanos in [0, 1, 500_000_000, 999_999_999] {
                let at = DateTime::from_timestamp(second, nanos).unwrap();
                let theirs = serde_json::to_string(&at).unwrap();
                let quick = nanos == 0 && (0..=9_999).contains(&at.year());
                let text = written(at).map(|text| String::from_utf8(text.into()).unwrap());
                assert_eq!(text.is_some(), quick, "{at}");
                assert!(!quick || text.as_deref().and_then(read) == Some(at), "{at}");
                assert_eq!(serde_json::to_string(&Ours(at)).unwrap(), theirs);
                assert_eq!(serde_json::from_str::<Ours>(&theirs).unwrap(), Ours(at));
            }
        }
    }

    #[test]
    fn other_texts_are_read_or_refused_as_chrono_does() {
        for text in [
            "2026-11-21T10:00:00+00:00",
            "2026-11-21T10:00:00+02:00",
            "2026-11-21t10:00:00z",
            "2026-11-21 10:00:00Z",
            "2026-11-21T10:00:60Z",
            "2026-11-21T24:00:00Z",
            "2026-02-29T10:00:00Z",
            "2026-13-01T10:00:00Z",
            "2026-00-00T00:00:00Z",
            "2026-11-21T10:00:00",
            "+026-11-21T10:00:00Z",
            "2026-11-21T1\u{b9}0:00Z",
            "",
        ] {
            let json = serde_json::to_string(text).unwrap();
            let ours = serde_json::from_str::<Ours>(&json).map(|ours| ours.0);
            let theirs = serde_json::from_str::<DateTime<Utc>>(&json);
            assert_eq!(ours.ok(), theirs.ok(), "{text}");
        }
        let number = serde_json::from_str::<Ours>("5").unwrap_err().to_string();
        assert!(
            number.contains("expected a time as RFC 3339 has it"),
            "{number}"
        );
    }
}
