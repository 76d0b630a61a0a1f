//! A file of rows and columns: where each value stands, and what it should be.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use super::AttributeError;

/// A table that is read row by row.
pub(super) struct Rows {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
    header: Vec<String>,
}

/// A row with its place.
pub(super) struct Row<'a> {
    path: &'a Path,
    line: u64,
    record: &'a ByteRecord,
}

/// A column by its name and place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    name: &'static str,
    place: usize,
}

impl Rows {
    /// Reads the header.
    pub(super) fn new(path: &Path, file: File) -> Result<Self, AttributeError> {
        let mut file = BufReader::with_capacity(1 << 16, file);
        skip_mark(&mut file).map_err(|source| AttributeError::File {
            path: path.to_owned(),
            source,
        })?;
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file);
        let header = match reader.headers() {
            Ok(header) => header.iter().map(str::to_ascii_lowercase).collect(),
            Err(error) => return Err(of(path, error)),
        };
        let rows = Self {
            path: path.to_owned(),
            reader,
            header,
        };
        if rows.header.iter().all(String::is_empty) {
            return Err(AttributeError::content(path, "the file is empty"));
        }
        for (place, name) in rows.header.iter().enumerate() {
            if !name.is_empty() && rows.header[..place].contains(name) {
                let what = format!("the column {name} is there twice");
                return Err(AttributeError::content(path, what));
            }
        }
        Ok(rows)
    }

    /// A column that may be left out.
    pub(super) fn optional(&self, name: &'static str) -> Option<Column> {
        let place = self.header.iter().position(|known| known == name)?;
        Some(Column { name, place })
    }

    /// A column that must be there.
    pub(super) fn column(&self, name: &'static str) -> Result<Column, AttributeError> {
        self.optional(name).ok_or_else(|| AttributeError::Column {
            path: self.path.clone(),
            column: name,
            found: self.header.join(", "),
        })
    }

    /// Calls `take` with every row.
    pub(super) fn each(
        mut self,
        mut take: impl FnMut(&Row<'_>) -> Result<(), AttributeError>,
    ) -> Result<(), AttributeError> {
        let mut record = ByteRecord::new();
        loop {
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(of(&self.path, error)),
            }
            let line = record.position().map_or(0, csv::Position::line);
            take(&Row {
                path: &self.path,
                line,
                record: &record,
            })?;
        }
    }
}

impl Row<'_> {
    /// The text of a cell.
    pub(super) fn text(&self, column: Column) -> Result<&str, AttributeError> {
        let bytes = self.record.get(column.place).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| {
            let found = String::from_utf8_lossy(bytes);
            self.wrong(column, &found, "text in UTF-8")
        })
    }

    /// A count, not negative.
    pub(super) fn count(&self, column: Column) -> Result<i64, AttributeError> {
        let text = self.text(column)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let count = digits.then(|| text.parse().ok()).flatten();
        count.ok_or_else(|| self.wrong(column, text, "a whole number from 0 on"))
    }

    /// A whole number.
    pub(super) fn whole(&self, column: Column) -> Result<i64, AttributeError> {
        let text = self.text(column)?;
        let number = text.parse();
        number.map_err(|_| self.wrong(column, text, "a whole number"))
    }

    /// A decimal number in micros.
    pub(super) fn micros(&self, column: Column) -> Result<i64, AttributeError> {
        let text = self.text(column)?;
        micros(text).ok_or_else(|| self.wrong(column, text, "a decimal number, as in 12.50"))
    }

    /// That a cell is not what it should be.
    pub(super) fn wrong(
        &self,
        column: Column,
        found: &str,
        expected: &'static str,
    ) -> AttributeError {
        AttributeError::Cell {
            path: self.path.to_owned(),
            line: self.line,
            column: column.name,
            found: found.chars().take(80).collect(),
            expected,
        }
    }

    /// That something else is wrong with the row.
    pub(super) fn refuse(&self, what: impl Into<String>) -> AttributeError {
        AttributeError::Line {
            path: self.path.to_owned(),
            line: self.line,
            what: what.into(),
        }
    }
}

/// A decimal number in millionths, rounded to the nearest where it has more digits, half to even.
fn micros(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut micros = whole.checked_mul(1_000_000)?;
    let mut part = 0;
    for place in 0..6 {
        let digit = fraction
            .as_bytes()
            .get(place)
            .map_or(0, |digit| digit - b'0');
        part = part * 10 + i64::from(digit);
    }
    // What is left out, from the seventh digit on: half a micro goes to the even neighbour.
    let rest = fraction.as_bytes().get(6..).unwrap_or_default();
    let exceeds = |rest: &[u8]| rest.iter().any(|&digit| digit != b'0');
    let up = match rest.split_first() {
        Some((b'5', rest)) => part % 2 == 1 || exceeds(rest),
        Some((&digit, _)) => digit > b'5',
        None => false,
    };
    micros = micros.checked_add(part + i64::from(up))?;
    Some(if negative { -micros } else { micros })
}

/// Some programs begin a file with a mark that says that it is in UTF-8.
fn skip_mark(file: &mut BufReader<File>) -> std::io::Result<()> {
    if file.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        file.consume(3);
    }
    Ok(())
}

/// What the reader of rows says, with the place.
fn of(path: &Path, error: csv::Error) -> AttributeError {
    let line = error.position().map_or(1, csv::Position::line);
    let path = path.to_owned();
    let what = match error.into_kind() {
        csv::ErrorKind::Io(source) => return AttributeError::File { path, source },
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} columns, but the header has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "the header is not in UTF-8".to_owned(),
        other => format!("{other:?}"),
    };
    AttributeError::Line { path, line, what }
}

#[cfg(test)]
mod tests {
    use super::micros;

    #[test]
    fn decimals_become_micros_to_the_nearest() {
        for (text, expected) in [
            ("0", 0),
            ("12.50", 12_500_000),
            ("2.4019999999999997", 2_402_000),
            ("0.0000004", 0),
            ("0.0000005", 0),
            ("0.0000015", 2),
            ("0.00000050", 0),
            ("0.00000051", 1),
            (".5", 500_000),
            ("5.", 5_000_000),
            ("-1.25", -1_250_000),
            ("9223372036854.775807", i64::MAX),
        ] {
            assert_eq!(micros(text), Some(expected), "{text}");
        }
        for text in [
            "",
            ".",
            "-",
            "1e3",
            "1,5",
            "+1",
            "--1",
            "NaN",
            "inf",
            "9223372036854.775808",
            " 1",
            "12a",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
