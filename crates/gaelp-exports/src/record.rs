//! Rows of fields, read strictly.
//!
//! Common readers of CSV take an unclosed quote or text after a quote without a word, and buffer a
//! row of any length. Here each of them is an error with its place, and memory is bounded.

use std::io::Read;
use std::ops::Range;

use crate::Delimiter;
use crate::source::{Source, SourceError};

/// The longest field, in bytes: ten times what an export's longest column, a list of tags, has.
pub(crate) const FIELD_LIMIT: usize = 64 * 1024;
/// The longest row, in bytes.
pub(crate) const ROW_LIMIT: usize = 1024 * 1024;
/// The most fields of a row: a hundred times what exports have.
pub(crate) const FIELDS_LIMIT: usize = 10_000;

/// One row.
#[derive(Debug, Default)]
pub(crate) struct Record {
    text: String,
    fields: Vec<Range<usize>>,
    line: u64,
    terminated: bool,
}

impl Record {
    /// How many fields it has.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The text of a field without the spaces around it; empty past the end.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> &str {
        let range = self.fields.get(index).cloned().unwrap_or(0..0);
        // Fields end at characters' ends, for each was checked by itself.
        self.text.get(range).unwrap_or("").trim_ascii()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The line it begins on.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Whether a line break follows it.
    pub(crate) fn is_terminated(&self) -> bool {
        self.terminated
    }
}

/// Why a row cannot be read: what, on which line, and in which field, counted from 0.
#[derive(Debug)]
pub(crate) struct RecordError {
    pub(crate) line: u64,
    pub(crate) field: Option<usize>,
    pub(crate) fault: Fault,
}

#[derive(Debug)]
pub(crate) enum Fault {
    Source(SourceError),
    Nul,
    NotUtf8,
    UnclosedQuote,
    TextAfterQuote,
    FieldTooLong,
    RowTooLong,
    TooManyFields,
}

/// The rows of a text.
#[derive(Debug)]
pub(crate) struct Records<R> {
    source: Source<R>,
    delimiter: u8,
    /// Bytes that end a run of plain ones.
    special: Box<[bool; 256]>,
    /// The line that the next byte is on.
    line: u64,
    /// The last byte was a carriage return that ended a row: a line feed belongs to it.
    after_return: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    QuoteClosed,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(source: Source<R>, delimiter: Delimiter) -> Self {
        let delimiter = delimiter.byte();
        let mut special = Box::new([false; 256]);
        for byte in [delimiter, b'\n', b'\r', 0] {
            special[usize::from(byte)] = true;
        }
        Self {
            source,
            delimiter,
            special,
            line: 1,
            after_return: false,
        }
    }

    /// Reads the next row that is not an empty line; `false` at the end.
    pub(crate) fn read(&mut self, record: &mut Record) -> Result<bool, RecordError> {
        loop {
            let more = self.read_line(record)?;
            let blank = record.text == "\n" && record.terminated;
            if !more || !blank {
                return Ok(more);
            }
        }
    }

    fn read_line(&mut self, record: &mut Record) -> Result<bool, RecordError> {
        let mut bytes = std::mem::take(&mut record.text).into_bytes();
        bytes.clear();
        record.fields.clear();
        record.line = self.line;
        record.terminated = false;
        let read = self.fill(&mut bytes, record)?;
        let line = record.line;
        match String::from_utf8(bytes) {
            Ok(text) => record.text = text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let field = record.fields.iter().position(|field| at <= field.end);
                return Err(RecordError {
                    line,
                    field,
                    fault: Fault::NotUtf8,
                });
            }
        }
        Ok(read)
    }

    /// Appends the bytes of one row, each field followed by a separator so that no character can
    /// be put together from the ends of two.
    fn fill(&mut self, bytes: &mut Vec<u8>, record: &mut Record) -> Result<bool, RecordError> {
        let mut state = State::FieldStart;
        let mut start = 0;
        let mut quote_line = self.line;
        let mut begun = false;
        loop {
            let line = self.line;
            let fault = |fault, fields: &[Range<usize>]| RecordError {
                line,
                field: Some(fields.len()),
                fault,
            };
            let chunk = match self.source.chunk() {
                Ok(chunk) => chunk,
                Err(error) => return Err(fault(Fault::Source(error), &record.fields)),
            };
            if self.after_return {
                self.after_return = false;
                if chunk.first() == Some(&b'\n') {
                    self.source.consume(1);
                    continue;
                }
            }
            let Some(&byte) = chunk.first() else {
                if state == State::Quoted {
                    return Err(RecordError {
                        line: quote_line,
                        field: Some(record.fields.len()),
                        fault: Fault::UnclosedQuote,
                    });
                }
                if begun {
                    end_field(record, bytes, start).map_err(|f| fault(f, &record.fields))?;
                }
                return Ok(begun);
            };
            begun = true;
            if byte == 0 {
                return Err(fault(Fault::Nul, &record.fields));
            }
            let mut taken = 1;
            match state {
                State::FieldStart if byte == b'"' => {
                    state = State::Quoted;
                    quote_line = line;
                }
                State::QuoteClosed if byte == b'"' => {
                    bytes.push(b'"');
                    state = State::Quoted;
                }
                State::Quoted => {
                    taken = quoted(chunk, bytes);
                    match chunk[..taken].last() {
                        Some(b'"') => state = State::QuoteClosed,
                        Some(b'\n') => self.line += 1,
                        _ => {}
                    }
                }
                _ if byte == self.delimiter => {
                    end_field(record, bytes, start).map_err(|f| fault(f, &record.fields))?;
                    start = bytes.len();
                    state = State::FieldStart;
                }
                _ if byte == b'\n' || byte == b'\r' => {
                    end_field(record, bytes, start).map_err(|f| fault(f, &record.fields))?;
                    record.terminated = true;
                    self.after_return = byte == b'\r';
                    self.line += 1;
                    self.source.consume(1);
                    return Ok(true);
                }
                State::QuoteClosed => return Err(fault(Fault::TextAfterQuote, &record.fields)),
                State::FieldStart | State::Plain => {
                    state = State::Plain;
                    let ends = |&b: &u8| self.special[usize::from(b)];
                    taken = chunk.iter().position(ends).unwrap_or(chunk.len());
                    bytes.extend_from_slice(&chunk[..taken]);
                }
            }
            self.source.consume(taken);
            if bytes.len() - start > FIELD_LIMIT {
                return Err(fault(Fault::FieldTooLong, &record.fields));
            }
            if bytes.len() > ROW_LIMIT {
                return Err(fault(Fault::RowTooLong, &record.fields));
            }
        }
    }
}

/// Appends what is quoted, up to the end of the line or of the quote; how much of the chunk that is.
fn quoted(chunk: &[u8], bytes: &mut Vec<u8>) -> usize {
    let ends = |b: &u8| matches!(b, b'"' | b'\n' | 0);
    let run = chunk.iter().position(ends).unwrap_or(chunk.len());
    bytes.extend_from_slice(&chunk[..run]);
    match chunk.get(run) {
        Some(b'"') => run + 1,
        Some(b'\n') => {
            bytes.push(b'\n');
            run + 1
        }
        _ => run,
    }
}

fn end_field(record: &mut Record, bytes: &mut Vec<u8>, start: usize) -> Result<(), Fault> {
    if record.fields.len() == FIELDS_LIMIT {
        return Err(Fault::TooManyFields);
    }
    record.fields.push(start..bytes.len());
    bytes.push(b'\n');
    Ok(())
}
