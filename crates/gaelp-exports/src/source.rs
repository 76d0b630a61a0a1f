//! From the bytes of a file to UTF-8, a chunk at a time.

use std::fmt;
use std::io::{self, Read};

use crate::{Encoding, HEAD_BYTES};

/// The longest a chunk gets; a file's head is its first chunk.
const CHUNK: usize = HEAD_BYTES;

/// Why no more text comes.
#[derive(Debug)]
pub(crate) enum SourceError {
    Io(io::Error),
    BrokenUtf16,
}

/// A reader whose text is UTF-8 without a byte order mark.
///
/// UTF-16 is transcoded here. UTF-8 passes unchecked, so that the row that breaks it can be named.
pub(crate) struct Source<R> {
    reader: R,
    encoding: Encoding,
    /// What was read of UTF-16 and not yet transcoded, up to `read`: at most half a unit.
    raw: Vec<u8>,
    read: usize,
    /// What can be taken, from `taken` up to `filled`.
    text: Vec<u8>,
    taken: usize,
    filled: usize,
    /// The first half of a surrogate pair.
    half: Option<u16>,
    ended: bool,
    broken: bool,
    /// Whether there was no byte at all.
    empty: bool,
}

impl<R> fmt::Debug for Source<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Source<R> {
    /// Reads the head of the file, tells its encoding and drops its byte order mark.
    pub(crate) fn open(reader: R) -> io::Result<Self> {
        let mut source = Self {
            reader,
            encoding: Encoding::Utf8,
            raw: Vec::new(),
            read: 0,
            text: Vec::new(),
            taken: 0,
            filled: 0,
            half: None,
            ended: false,
            broken: false,
            empty: false,
        };
        let mut head = vec![0; CHUNK];
        let mut filled = 0;
        while filled < head.len() && !source.ended {
            let read = read(&mut source.reader, &mut head[filled..])?;
            source.ended = read == 0;
            filled += read;
        }
        source.empty = filled == 0;
        let mark = match &head[..filled] {
            [0xEF, 0xBB, 0xBF, ..] => 3,
            [0xFF, 0xFE, ..] => {
                source.encoding = Encoding::Utf16Le;
                2
            }
            [0xFE, 0xFF, ..] => {
                source.encoding = Encoding::Utf16Be;
                2
            }
            _ => 0,
        };
        if source.encoding == Encoding::Utf8 {
            source.text = head;
            source.taken = mark;
            source.filled = filled;
        } else {
            source.raw = head;
            source.read = filled;
            source.transcode(mark);
        }
        Ok(source)
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether the file has no byte.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Whether the text breaks off in the middle of a character, behind what is ready.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// The text that is ready.
    pub(crate) fn ready(&self) -> &[u8] {
        &self.text[self.taken..self.filled]
    }

    /// The next text, at least a byte of it; none at the end of the file.
    pub(crate) fn chunk(&mut self) -> Result<&[u8], SourceError> {
        while self.taken == self.filled {
            if self.broken {
                return Err(SourceError::BrokenUtf16);
            }
            if self.ended {
                return Ok(&[]);
            }
            self.refill().map_err(SourceError::Io)?;
        }
        Ok(self.ready())
    }

    /// Takes that many bytes of the chunk.
    pub(crate) fn consume(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.filled);
    }

    /// Fills the buffers, which keep their length: a reader of small pieces must not cost more.
    fn refill(&mut self) -> io::Result<()> {
        self.taken = 0;
        self.filled = 0;
        if self.encoding == Encoding::Utf8 {
            self.filled = read(&mut self.reader, &mut self.text)?;
            self.ended = self.filled == 0;
        } else {
            let count = read(&mut self.reader, &mut self.raw[self.read..])?;
            self.ended = count == 0;
            self.read += count;
            self.text.clear();
            self.transcode(0);
        }
        Ok(())
    }

    /// Moves what is whole from `raw` to `text`, from a place on.
    fn transcode(&mut self, from: usize) {
        let mut utf8 = [0; 4];
        let pairs = self.raw[from..self.read].chunks_exact(2);
        let rest = pairs.remainder().first().copied();
        for pair in pairs {
            let bytes = [pair[0], pair[1]];
            let unit = match self.encoding {
                Encoding::Utf16Be => u16::from_be_bytes(bytes),
                _ => u16::from_le_bytes(bytes),
            };
            let decoded = match (self.half.take(), unit) {
                (None, 0xD800..=0xDBFF) => {
                    self.half = Some(unit);
                    continue;
                }
                (Some(high), _) => char::decode_utf16([high, unit]).next(),
                (None, _) => char::decode_utf16([unit]).next(),
            };
            if let Some(Ok(character)) = decoded {
                let encoded = character.encode_utf8(&mut utf8);
                self.text.extend_from_slice(encoded.as_bytes());
            } else {
                self.broken = true;
                break;
            }
        }
        self.filled = self.text.len();
        self.read = 0;
        if let Some(byte) = rest {
            self.raw[0] = byte;
            self.read = 1;
        }
        self.broken |= self.ended && (self.half.is_some() || self.read > 0);
    }
}

fn read<R: Read>(reader: &mut R, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A reader that claims more than it was given must not make us panic.
            other => return other.map(|count| count.min(buffer.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], step: usize) -> Result<String, SourceError> {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let end = self.1.min(buffer.len());
                (&mut self.0).take(end as u64).read(buffer)
            }
        }
        let mut source = Source::open(Slow(bytes, step)).map_err(SourceError::Io)?;
        let mut text = Vec::new();
        loop {
            let chunk = source.chunk()?;
            if chunk.is_empty() {
                return Ok(String::from_utf8(text).unwrap());
            }
            text.extend_from_slice(chunk);
            let count = chunk.len();
            source.consume(count);
        }
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(order).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        // Longer than the head, with pairs that fall onto every boundary.
        let text = "Anzeigengruppe €, 🦊;\n".repeat(7_000);
        for step in [1, 3, 7, 100_000] {
            let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
            assert_eq!(all(text.as_bytes(), step).unwrap(), text);
            assert_eq!(all(&marked, step).unwrap(), text);
            assert_eq!(all(&utf16(&text, u16::to_le_bytes), step).unwrap(), text);
            assert_eq!(all(&utf16(&text, u16::to_be_bytes), step).unwrap(), text);
        }
    }

    #[test]
    fn half_of_a_character_is_an_error() {
        let mut bytes = utf16("spend", u16::to_le_bytes);
        bytes.pop();
        assert!(matches!(all(&bytes, 9), Err(SourceError::BrokenUtf16)));
        let lone_high = utf16("a", u16::to_le_bytes);
        let lone_high = [lone_high, vec![0x00, 0xD8]].concat();
        assert!(matches!(all(&lone_high, 9), Err(SourceError::BrokenUtf16)));
        let lone_low = [0xFF, 0xFE, 0x00, 0xDC];
        assert!(matches!(all(&lone_low, 9), Err(SourceError::BrokenUtf16)));
    }

    #[test]
    fn what_the_reader_says_is_passed_on() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        let error = Source::open(Fails).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
