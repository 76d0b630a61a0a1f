//! The hash chain that makes a changed log visible.

use std::fmt;

use crate::{Book, Entry, EntryError};

/// More bytes than most entries have.
const TYPICAL: usize = 1024;

/// A digest in the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// What stands before the first entry: the BLAKE3 digest of `gaelp-ledger log 1`. It does not
/// depend on the limits, which may change while a log goes on.
pub const GENESIS: Hash = Hash([
    0x21, 0xe5, 0x02, 0xc6, 0xd5, 0x60, 0xcc, 0x86, 0x9b, 0xec, 0x68, 0xef, 0xe0, 0xf0, 0x86, 0x62,
    0xb1, 0x0f, 0x64, 0xa4, 0x1a, 0x98, 0x07, 0xe8, 0x1a, 0x89, 0x0f, 0xb2, 0x91, 0x21, 0x00, 0xcf,
]);

/// An entry as a store keeps it.
///
/// `hash` is the BLAKE3 digest of the hash before it (32 bytes), `seq` (8 bytes, little-endian) and
/// the payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sealed {
    /// Its place in the log, counted from 1.
    pub seq: u64,
    /// The entry as JSON.
    pub payload: String,
    /// The digest of all that came before, and of this.
    pub hash: Hash,
}

impl Hash {
    /// The digest of an entry that follows on this one.
    #[must_use]
    pub fn then(self, seq: u64, payload: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(&seq.to_le_bytes());
        hasher.update(payload.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from(self.0).to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Book {
    /// An entry that follows on what this book has followed.
    ///
    /// # Errors
    /// [`ChainError::Full`] after 2⁶⁴ − 1 entries, and [`ChainError::Payload`] for an entry that
    /// JSON cannot hold, which is none.
    pub fn seal(&self, entry: &Entry) -> Result<Sealed, ChainError> {
        let seq = self.seq().checked_add(1).ok_or(ChainError::Full)?;
        let mut payload = Vec::with_capacity(TYPICAL);
        serde_json::to_writer(&mut payload, entry).map_err(|error| payload_error(seq, &error))?;
        payload.shrink_to_fit();
        let payload = String::from_utf8(payload).expect("JSON is UTF-8");
        let hash = self.head().then(seq, &payload);
        Ok(Sealed { seq, payload, hash })
    }

    /// Follows the next entry of a log: checks its place and its hash, reads it and applies it.
    ///
    /// # Errors
    /// [`ChainError`]; the book is then as it was before.
    pub fn follow(&mut self, sealed: &Sealed) -> Result<(), ChainError> {
        let mut after = self.clone();
        after.follow_in_place(sealed)?;
        *self = after;
        Ok(())
    }

    /// As [`follow`](Self::follow), but after an error the book is not to be used.
    pub(crate) fn follow_in_place(&mut self, sealed: &Sealed) -> Result<(), ChainError> {
        let (seq, expected) = (sealed.seq, self.seq().checked_add(1));
        let expected = expected.ok_or(ChainError::Full)?;
        if seq != expected {
            return Err(ChainError::Gap {
                expected,
                found: seq,
            });
        }
        if self.head().then(seq, &sealed.payload) != sealed.hash {
            return Err(ChainError::Hash { seq });
        }
        let entry = Entry::read(&sealed.payload).map_err(|error| payload_error(seq, &error))?;
        let applied = self.apply_in_place(&entry);
        applied.map_err(|error| ChainError::Entry { seq, error })?;
        self.moved_to(seq, sealed.hash);
        Ok(())
    }
}

fn payload_error(seq: u64, error: &serde_json::Error) -> ChainError {
    let (line, column) = (error.line(), error.column());
    ChainError::Payload { seq, line, column }
}

/// Why a log cannot be followed: it is damaged, or another's. Nothing may be raised on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// An entry is missing, or there twice.
    #[error("entry {found} where {expected} should be")]
    Gap {
        /// The place that should have come.
        expected: u64,
        /// The place that came.
        found: u64,
    },
    /// The entry is not what was written, or does not follow on what is before it.
    #[error("entry {seq} does not have the hash that it should")]
    Hash {
        /// Its place.
        seq: u64,
    },
    /// The payload is not an entry.
    #[error("entry {seq} cannot be read: line {line}, column {column}")]
    Payload {
        /// Its place.
        seq: u64,
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// The entry breaks the rules.
    #[error("entry {seq} breaks the rules")]
    Entry {
        /// Its place.
        seq: u64,
        /// Which rule.
        #[source]
        error: EntryError,
    },
    /// There is no room for another entry.
    #[error("the log is full")]
    Full,
}
