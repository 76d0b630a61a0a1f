//! A table of rows under a header: what all kinds of file have in common.

use std::io::Read;
use std::sync::Arc;

use crate::detect::search;
use crate::error::{Excerpt, Place};
use crate::header::Header;
use crate::record::{FIELD_LIMIT, FIELDS_LIMIT, Fault, ROW_LIMIT, Record, RecordError, Records};
use crate::source::{Source, SourceError};
use crate::{ColumnMap, Detection, ExportError, ExportKind, Note, Notes, ValueProblem};

/// What is known of a file before its first row.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) name: Arc<str>,
    pub(crate) header: Header,
    pub(crate) detection: Detection,
}

impl Frame {
    /// The place of a column in the header.
    pub(crate) fn at_header(&self, column: Option<usize>) -> Place {
        let name = column.and_then(|column| self.header.name(column));
        Place::cell(&self.name, self.header.line(), name)
    }

    /// A needed column is not there.
    #[cold]
    pub(crate) fn missing(&self, wanted: &str) -> ExportError {
        ExportError::MissingColumn {
            at: self.at_header(None),
            kind: self.detection.kind,
            wanted: wanted.into(),
        }
    }
}

/// A file whose header has been read.
#[derive(Debug)]
pub(crate) struct File<R> {
    pub(crate) frame: Frame,
    pub(crate) record: Record,
    pub(crate) notes: Notes,
    records: Records<R>,
    rows: u64,
}

impl<R: Read> File<R> {
    /// Opens a file, by a column map or by what it looks like.
    pub(crate) fn open(
        name: &str,
        reader: R,
        map: Option<&ColumnMap>,
    ) -> Result<Self, ExportError> {
        let name: Arc<str> = name.into();
        let source = Source::open(reader).map_err(|source| ExportError::Io {
            at: Place::file(&name),
            source,
        })?;
        if source.is_empty() {
            return Err(ExportError::Empty {
                at: Place::file(&name),
            });
        }
        let detection = match map {
            None => search(&name, &source)?,
            Some(map) => Detection {
                kind: ExportKind::Mapped,
                encoding: source.encoding(),
                delimiter: map.config().delimiter,
                header_line: 1,
                reason: "a column map is given".to_owned(),
            },
        };
        Self::read_header(name, source, detection, map.is_some())
    }

    fn read_header(
        name: Arc<str>,
        source: Source<R>,
        mut detection: Detection,
        mapped: bool,
    ) -> Result<Self, ExportError> {
        let mut records = Records::new(source, detection.delimiter);
        let mut record = Record::default();
        loop {
            let read = records.read(&mut record);
            if !read.map_err(|error| unreadable(&name, None, error))? {
                return Err(ExportError::Empty {
                    at: Place::file(&name),
                });
            }
            if mapped {
                detection.header_line = record.line();
            }
            if record.line() >= detection.header_line {
                break;
            }
        }
        let header = Header::new(&record);
        if let Some((first, second)) = header.duplicate() {
            return Err(ExportError::DuplicateColumn {
                at: Place::cell(&name, header.line(), header.name(second)),
                first: first + 1,
                second: second + 1,
            });
        }
        Ok(Self {
            frame: Frame {
                name,
                header,
                detection,
            },
            record,
            notes: Notes::default(),
            records,
            rows: 0,
        })
    }

    /// Reads the next row into `record`; `false` at the end of the file.
    pub(crate) fn advance(&mut self) -> Result<bool, ExportError> {
        let read = self.records.read(&mut self.record);
        let read =
            read.map_err(|error| unreadable(&self.frame.name, Some(&self.frame.header), error))?;
        if !read {
            if self.rows == 0 {
                let at = Place::line(&self.frame.name, self.frame.header.line());
                return Err(ExportError::NoRows { at });
            }
            return Ok(false);
        }
        self.rows += 1;
        let (expected, found) = (self.frame.header.len(), self.record.len());
        if found != expected {
            let at = Place::line(&self.frame.name, self.record.line());
            return Err(if found < expected && !self.record.is_terminated() {
                ExportError::Truncated {
                    at,
                    expected,
                    found,
                }
            } else {
                ExportError::Width {
                    at,
                    expected,
                    found,
                }
            });
        }
        if !self.record.is_terminated() {
            self.notes.take(Note::NoFinalLineBreak);
        }
        Ok(true)
    }

    /// How many rows were read.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The place of the current row.
    pub(crate) fn at_row(&self) -> Place {
        Place::line(&self.frame.name, self.record.line())
    }

    /// The place of a field of the current row.
    pub(crate) fn at(&self, column: usize) -> Place {
        Place::cell(
            &self.frame.name,
            self.record.line(),
            self.frame.header.name(column),
        )
    }

    /// Something is wrong with a field of the current row.
    #[cold]
    pub(crate) fn refuse(&self, column: usize, problem: ValueProblem) -> ExportError {
        let text = self.record.get(column);
        // A shop's file holds personal data, and a shifted row has it anywhere.
        let personal = self.frame.detection.kind == ExportKind::ShopifyOrders;
        let (value, problem) = match problem {
            ValueProblem::NotANumber { format, .. } if personal => {
                (Excerpt::hidden(text), ValueProblem::NoNumber { format })
            }
            problem if personal => (Excerpt::hidden(text), problem),
            problem => (Excerpt::shown(text), problem),
        };
        ExportError::Value {
            at: self.at(column),
            value,
            problem,
        }
    }
}

/// Gives the fault of a row its place.
#[cold]
pub(crate) fn unreadable(
    file: &Arc<str>,
    header: Option<&Header>,
    error: RecordError,
) -> ExportError {
    let column = error.field.zip(header);
    let column = column.and_then(|(field, header)| header.name(field));
    let at = Place::cell(file, error.line, column);
    match error.fault {
        Fault::Source(SourceError::Io(source)) => ExportError::Io { at, source },
        Fault::Source(SourceError::BrokenUtf16) => ExportError::BrokenUtf16 { at },
        Fault::Nul => ExportError::Nul { at },
        Fault::NotUtf8 => ExportError::NotUtf8 { at },
        Fault::UnclosedQuote => ExportError::UnclosedQuote { at },
        Fault::TextAfterQuote => ExportError::TextAfterQuote { at },
        Fault::FieldTooLong => ExportError::FieldTooLong {
            at,
            limit: FIELD_LIMIT,
        },
        Fault::RowTooLong => ExportError::RowTooLong {
            at,
            limit: ROW_LIMIT,
        },
        Fault::TooManyFields => ExportError::TooManyFields {
            at,
            limit: FIELDS_LIMIT,
        },
    }
}
