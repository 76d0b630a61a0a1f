//! The file beside the database that says how far each ledger reaches at least.
//!
//! A database that lost the end of its write-ahead log is a whole database of an earlier time: the
//! hash chain holds, and nothing in the file tells. What was acknowledged must therefore be known
//! outside of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use gaelp_ledger::{GENESIS, Hash};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// The first line of the file.
const FORMAT: &str = "gaelp ledger heads 1";
/// What stands before the digest in the last line.
const DIGEST: &str = "blake3 ";
/// The largest file that is read: some thousand accounts.
const MAX_BYTES: u64 = 1 << 20;

/// Where a log ends: its last entry's place and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LedgerHead {
    /// The place, counted from 1; 0 where the log is empty.
    pub seq: u64,
    /// The hash, which stands for all that came before as well.
    pub hash: Hash,
}

impl LedgerHead {
    /// Where a log begins.
    pub(super) const START: Self = Self {
        seq: 0,
        hash: GENESIS,
    };
}

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Anchors {
    heads: BTreeMap<String, LedgerHead>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    account: String,
    seq: u64,
    hash: String,
}

impl Anchors {
    pub(super) fn get(&self, account: &str) -> Option<LedgerHead> {
        self.heads.get(account).copied()
    }

    pub(super) fn set(&mut self, account: &str, head: LedgerHead) {
        self.heads.insert(account.to_owned(), head);
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        let mut text = format!("{FORMAT}\n");
        for (account, head) in &self.heads {
            let line = Line {
                account: account.clone(),
                seq: head.seq,
                hash: head.hash.to_string(),
            };
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
        }
        let digest = blake3::hash(text.as_bytes()).to_hex();
        text.push_str(DIGEST);
        text.push_str(&digest);
        text.push('\n');
        Ok(text)
    }

    /// What a file says, if it is exactly what [`encode`](Self::encode) would write.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut anchors = Self::default();
        let lines = text.lines().skip(1);
        for line in lines.take_while(|line| !line.starts_with(DIGEST)) {
            let line: Line = serde_json::from_str(line).ok()?;
            let hash = Hash(*blake3::Hash::from_hex(&line.hash).ok()?.as_bytes());
            let seq = line.seq;
            anchors.heads.insert(line.account, LedgerHead { seq, hash });
        }
        (anchors.encode().ok()? == text).then_some(anchors)
    }
}

/// The file, which only the holder of the database's write lock writes.
#[derive(Clone, Debug)]
pub(super) struct AnchorFile {
    path: PathBuf,
}

impl AnchorFile {
    /// The file beside a database that exists: also where it was named through a link, so that all
    /// who open the database agree on it.
    pub(super) fn beside(database: &Path) -> io::Result<Self> {
        let mut path = database.canonicalize()?.into_os_string();
        path.push(".head");
        let path = path.into();
        Ok(Self { path })
    }

    /// What the file says; nothing where there is none, and an error within where it was damaged.
    pub(super) fn read(&self) -> Result<Result<Anchors, Unreadable>, StoreError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ok(Anchors::default())),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(failed)?;
        let short = bytes.len() as u64 <= MAX_BYTES;
        let anchors = short.then(|| Anchors::decode(&bytes)).flatten();
        Ok(anchors.ok_or(Unreadable))
    }

    /// Replaces the file in one piece. When it returns, the new one is on the disk.
    pub(super) fn write(&self, anchors: &Anchors) -> Result<(), StoreError> {
        let text = anchors.encode().map_err(|error| failed(error.into()))?;
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let new = PathBuf::from(new);
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            sync_directory(&self.path)
        });
        written.map_err(failed)
    }
}

/// The file is there, and is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Makes a renaming durable, where directories can be synced.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn failed(error: io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
        _ => StoreError::Io {
            source: Box::new(error),
        },
    }
}

#[cfg(test)]
mod tests;
