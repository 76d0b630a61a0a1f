use std::collections::BTreeMap;
use std::fs;

use gaelp::core::Resolved;

use super::*;

/// The fields of a CSV text, by RFC 4180. Panics where a quote stands in an odd place.
pub(super) fn parse(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = vec![String::new()];
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        let field = row.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => {
                quoted = false;
                assert!(matches!(chars.peek(), Some(',' | '\n')), "after {field:?}");
            }
            '"' => {
                assert!(field.is_empty(), "a quote within {field:?}");
                quoted = true;
            }
            ',' if !quoted => row.push(String::new()),
            '\n' if !quoted => rows.push(std::mem::replace(&mut row, vec![String::new()])),
            other => field.push(other),
        }
    }
    assert!(!quoted && row == [""], "the text ends within a row");
    rows
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn violations(config: &SampleConfig) -> Vec<SampleViolation> {
    match Plan::try_from(config) {
        Err(SampleError::Config { violations }) => violations,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_bundled_samples_are_what_the_code_writes() {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &SampleConfig::default()).unwrap();
    let (bundled, written) = (files(&bundled), files(dir.path()));
    // The journeys of `attribute` are samples of their own.
    let tables = bundled
        .keys()
        .filter(|name| !name.starts_with("attribution_"))
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "csv"));
    assert!(
        tables.clone().all(|name| written.contains_key(name)),
        "a table too many"
    );
    assert_eq!(tables.count(), 4);
    for (name, bytes) in &written {
        assert!(
            &bundled[name] == bytes,
            "{name} differs from what the code writes: see samples/README.md for the command"
        );
    }
    let size: usize = bundled.values().map(Vec::len).sum();
    assert!(size < 600_000, "{size} bytes");
}

#[test]
fn the_seed_makes_the_samples() {
    let render = |seed| {
        let config = SampleConfig {
            seed,
            days: 3,
            ..SampleConfig::default()
        };
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &config).unwrap();
        files(dir.path())
    };
    assert_eq!(render(1), render(1));
    let (one, two) = (render(1), render(2));
    for (name, bytes) in &one {
        assert_ne!(bytes, &two[name], "{name}");
    }
}

#[test]
fn what_was_written_is_told_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("not/there/yet");
    let written = write(&folder, &SampleConfig::default()).unwrap();
    assert_eq!(written.files.len(), FILES.len());
    for file in &written.files {
        let text = fs::read_to_string(&file.path).unwrap();
        assert_eq!(text.len() as u64, file.bytes);
        assert!(text.ends_with('\n') && !text.contains('\r'));
        if let Some(rows) = file.rows {
            assert_eq!(parse(&text).len() as u64, rows + 1, "{:?}", file.path);
        }
    }
    let lines = written.to_string();
    assert_eq!(lines.lines().count(), 5);
    assert!(lines.lines().all(|line| line.ends_with(" bytes")));
}

#[test]
fn somebodys_real_exports_are_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let config = SampleConfig::default();
    let real = dir.path().join(SHOPIFY_FILE);
    fs::write(&real, "Name,Email\n#1,a person\n").unwrap();
    let error = write(dir.path(), &config).unwrap_err();
    assert!(matches!(&error, SampleError::Foreign { path } if *path == real));
    assert!(error.to_string().contains("somebody's real export"));
    assert_eq!(files(dir.path()).len(), 1, "nothing was written");

    // Nor is somebody's README.
    fs::remove_file(&real).unwrap();
    fs::write(dir.path().join(readme::FILE), "# My shop\n").unwrap();
    assert!(matches!(
        write(dir.path(), &config),
        Err(SampleError::Foreign { .. })
    ));

    // Our own are.
    fs::remove_file(dir.path().join(readme::FILE)).unwrap();
    write(dir.path(), &config).unwrap();
    fs::write(dir.path().join(META_FILE), "changed").unwrap();
    write(dir.path(), &config).unwrap();
    let meta = fs::read_to_string(dir.path().join(META_FILE)).unwrap();
    assert!(meta.starts_with(insights::META_HEADER));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = dir.path().join("file");
    fs::write(&taken, "").unwrap();
    let error = write(&taken, &SampleConfig::default()).unwrap_err();
    let SampleError::Io { path, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*path, taken);
}

#[test]
fn all_violations_are_told_at_once() {
    let config = SampleConfig {
        days: 0,
        ad_sets: 0,
        start: NaiveDate::from_ymd_opt(1999, 12, 31).unwrap(),
        rows: Some(0),
        ..SampleConfig::default()
    };
    let start = config.start;
    assert_eq!(
        violations(&config),
        [
            SampleViolation::Days { days: 0 },
            SampleViolation::AdSets { ad_sets: 0 },
            SampleViolation::Start { start },
            SampleViolation::NoRows,
        ]
    );
    assert_eq!(
        Plan::try_from(&config).unwrap_err().to_string(),
        "days is 0: 1 to 366 can be simulated; \
         ad_sets is 0: rows can be spread over 1 to 10000; \
         start is 1999-12-31: a year from 2000 to 2100 is expected; \
         rows is 0: leave it out for the small shop"
    );
}

#[test]
fn the_limits_are_where_they_are_said_to_be() {
    let config = SampleConfig::default();
    let days = |days| SampleConfig {
        days,
        ..config.clone()
    };
    assert!(Plan::try_from(&days(366)).is_ok());
    assert_eq!(
        violations(&days(367)),
        [SampleViolation::Days { days: 367 }]
    );

    let rows = |rows| SampleConfig {
        rows: Some(rows),
        ad_sets: 1,
        ..config.clone()
    };
    let most = 24 * 36_500;
    assert!(Plan::try_from(&rows(most)).is_ok());
    let [violation] = &violations(&rows(most + 1))[..] else {
        panic!("one violation");
    };
    assert_eq!(
        violation.to_string(),
        "rows is 876001: with 1 ad sets, 876000 are a century and the most"
    );
}

#[test]
fn a_month_ends_where_its_last_local_day_ends() {
    let mut plan = Plan::try_from(&SampleConfig::default()).unwrap();
    // 2026-11-09 00:00 in New York, which is at -05:00 again.
    assert_eq!(plan.end(28).to_string(), "2026-11-09T05Z");
    // Samoa skipped 2011-12-30.
    plan.zone = "Pacific/Apia".parse().unwrap();
    plan.first = NaiveDate::from_ymd_opt(2011, 12, 30).unwrap();
    assert_eq!(plan.end(1).to_string(), "2011-12-30T10Z");
    assert_eq!(plan.end(2).to_string(), "2011-12-31T10Z");
}

#[test]
fn rows_are_as_many_as_asked_for_and_in_the_order_of_time() {
    const ROWS: u64 = 20_001;
    let config = SampleConfig {
        rows: Some(ROWS),
        ad_sets: 37,
        ..SampleConfig::default()
    };
    let dir = tempfile::tempdir().unwrap();
    let written = write(dir.path(), &config).unwrap();
    let rows: Vec<_> = written.files.iter().map(|file| file.rows).collect();
    assert_eq!(rows[..2], [None, Some(ROWS)]);

    let meta = parse(&fs::read_to_string(dir.path().join(META_FILE)).unwrap());
    assert_eq!(meta.len() as u64, ROWS + 1);
    let keys: Vec<_> = meta[1..]
        .iter()
        .map(|row| (row[2].clone(), row[3].clone(), row[1].clone()))
        .collect();
    assert!(keys.is_sorted_by(|one, next| one < next), "no row twice");
    let ad_sets: std::collections::BTreeSet<_> = keys.iter().map(|key| &key.2).collect();
    assert_eq!(ad_sets.len(), 37);

    let shop = parse(&fs::read_to_string(dir.path().join(SHOPIFY_FILE)).unwrap());
    let created: Vec<_> = shop[1..]
        .iter()
        .filter(|row| !row[15].is_empty())
        .map(|row| chrono::DateTime::parse_from_str(&row[15], "%Y-%m-%d %H:%M:%S %z").unwrap())
        .collect();
    assert!(created.len() > 300 && created.is_sorted());
    let numbers: Vec<_> = shop[1..]
        .iter()
        .filter(|row| !row[15].is_empty())
        .map(|row| row[0][1..].parse::<usize>().unwrap())
        .collect();
    assert!(numbers.iter().copied().eq(1001..1001 + numbers.len()));
}

#[test]
fn clocks_are_shown_with_the_offset_of_the_day() {
    let zone: AccountZone = "America/New_York".parse().unwrap();
    let stamp = |at: &str| shopify::stamp(zone, at.parse().unwrap());
    assert_eq!(stamp("2026-10-12T12:34:56Z"), "2026-10-12 08:34:56 -0400");
    // The hour that is shown twice.
    assert_eq!(stamp("2026-11-01T05:59:59Z"), "2026-11-01 01:59:59 -0400");
    assert_eq!(stamp("2026-11-01T06:00:00Z"), "2026-11-01 01:00:00 -0500");
    let (date, hour) = (NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(), 1);
    assert!(matches!(zone.resolve(date, hour), Resolved::Twice(..)));
    // Half an hour is lost to the offset, none to the instant.
    let zone: AccountZone = "Asia/Kolkata".parse().unwrap();
    let shown = shopify::stamp(zone, "2026-10-12T12:34:56Z".parse().unwrap());
    let format = "%Y-%m-%d %H:%M:%S %z";
    let read = chrono::DateTime::parse_from_str(&shown, format).unwrap();
    assert_eq!(read.to_utc().to_string(), "2026-10-12 12:34:56 UTC");
}
