//! Files on the disk.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::csv::Csv;
use super::{FILES, SampleError, readme};

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct WrittenFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The rows of a table, without its header; none for a text.
    pub(crate) rows: Option<u64>,
    /// Its size.
    pub(crate) bytes: u64,
}

/// Makes the folder where it is missing, and refuses one that holds a file of ours by name, but
/// not beside our README: somebody's real exports have the same names.
pub(crate) fn prepare(dir: &Path) -> Result<(), SampleError> {
    fs::create_dir_all(dir).map_err(|source| SampleError::io(dir, source))?;
    if is_ours(&dir.join(readme::FILE)) {
        return Ok(());
    }
    match FILES
        .iter()
        .map(|name| dir.join(name))
        .find(|path| path.exists())
    {
        Some(path) => Err(SampleError::Foreign { path }),
        None => Ok(()),
    }
}

/// Whether a file begins as our README does.
fn is_ours(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut first = String::new();
    // Whatever else it is, its first line need not be long.
    let read = BufReader::new(file.take(200)).read_line(&mut first);
    read.is_ok() && first.trim_end() == readme::TITLE
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct OutFile {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
}

impl OutFile {
    /// Begins a file of that name in the folder.
    pub(crate) fn create(dir: &Path, name: &str) -> Result<Self, SampleError> {
        let path = dir.join(name);
        let file = File::create(&path).map_err(|source| SampleError::io(&path, source))?;
        Ok(Self {
            path,
            file: BufWriter::new(file),
            bytes: 0,
        })
    }

    /// Writes a file at once.
    pub(crate) fn whole(
        dir: &Path,
        name: &str,
        rows: Option<u64>,
        text: &str,
    ) -> Result<WrittenFile, SampleError> {
        let mut file = Self::create(dir, name)?;
        file.write(text)?;
        file.finish(rows)
    }

    /// Moves what a table holds into the file.
    pub(crate) fn take(&mut self, table: &mut Csv) -> Result<(), SampleError> {
        self.write(table.as_str())?;
        table.clear();
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self, rows: Option<u64>) -> Result<WrittenFile, SampleError> {
        self.file
            .flush()
            .map_err(|source| SampleError::io(&self.path, source))?;
        Ok(WrittenFile {
            path: self.path,
            rows,
            bytes: self.bytes,
        })
    }

    fn write(&mut self, text: &str) -> Result<(), SampleError> {
        self.bytes += text.len() as u64;
        self.file
            .write_all(text.as_bytes())
            .map_err(|source| SampleError::io(&self.path, source))
    }
}
