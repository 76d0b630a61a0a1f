//! Names of what a store holds.

use std::fmt;
use std::str::FromStr;

/// The identity of a run: a digest over everything that its records depend on (configuration,
/// seed, input files, version of the program), made by the caller.
///
/// Two runs with the same identity append the same records, so the second one changes nothing.
/// Printed as 64 hexadecimal digits.
///
/// ```
/// use gaelp_store::RunId;
///
/// let run = RunId::new([7; 32]);
/// assert_eq!(run.to_string().parse(), Ok(run));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId([u8; 32]);

impl RunId {
    /// A run from its digest.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for RunId {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a run id: 64 hexadecimal digits are expected")]
pub struct ParseRunIdError(String);

impl FromStr for RunId {
    type Err = ParseRunIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseRunIdError(text.to_owned());
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(error());
        }
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| error())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| error())?;
        }
        Ok(Self(digest))
    }
}

/// An imported file, by its number in one store. Numbers grow in the order of import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(i64);

impl FileId {
    pub(crate) const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an import knows about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a known file must not be imported again"]
pub enum FileStatus {
    /// Its content is new: give its rows.
    New(FileId),
    /// A file with the same content was imported before: skip it.
    Known(FileId),
}

impl FileStatus {
    /// The file, new or known.
    pub const fn id(self) -> FileId {
        match self {
            Self::New(id) | Self::Known(id) => id,
        }
    }
}

/// What to do with a second row of one file for the same ad set and hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDuplicate {
    /// Add it up: the rows are parts of one figure, such as a breakdown by age.
    Add,
    /// Refuse it: one of the rows would be counted twice.
    Refuse,
}
