//! What the disk may do to a store with a ledger: cuts at every byte and flipped bits. Each time
//! the ledger is there with every entry that was acknowledged, or it is refused with an error that
//! says why. It is never there with an entry lost or changed.
//!
//! The pages of these stores have 1 KiB, so that few bytes are many pages.

use std::fs;
use std::path::{Path, PathBuf};

use gaelp_ledger::{Ledger, Sealed};
use gaelp_store::{Damage, LedgerDamage, RunId, SqliteLedger, Store, StoreError};
use pollster::block_on;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{ACCOUNT, alert, commit, limits, order, read_log};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const RUN: RunId = RunId::new([7; 32]);
const PAGE: u32 = 1_024;
/// How many bits are flipped, each in a store of its own.
const FLIPS: u32 = 10_000;
/// Entries that were moved into the database before it was opened for the last time.
const EARLY: u32 = 12;
/// Entries of the write-ahead log.
const LATE: u32 = 9;

/// A store as its files were when its process ended without closing it.
struct Recorded {
    files: Files,
    log: Vec<Sealed>,
    /// After each transaction: how long the write-ahead log was, how many entries were
    /// acknowledged, and what the anchor said.
    moments: Vec<(usize, usize, Vec<u8>)>,
}

#[derive(Clone)]
struct Files {
    database: Vec<u8>,
    wal: Vec<u8>,
    head: Vec<u8>,
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Memory is a faster disk, where there is one that is a folder.
fn folder() -> std::io::Result<TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

fn record() -> Outcome<Recorded> {
    let folder = folder()?;
    let path = folder.path().join("s.sqlite");
    let new = Connection::open(&path)?;
    new.pragma_update(None, "page_size", PAGE)?;
    new.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    drop(new);
    let mut ledger = block_on(Ledger::open(limits(), SqliteLedger::open(&path, ACCOUNT)?))?;
    for n in 0..EARLY {
        block_on(ledger.execute(order(n)))?;
    }
    drop(ledger);

    let store = Store::open(&path)?;
    let mut ledger = block_on(Ledger::open(limits(), SqliteLedger::open(&path, ACCOUNT)?))?;
    let mut journal = store.journal(RUN);
    let mut moments = Vec::new();
    let mut moment = |entries: u64| -> Outcome {
        let wal = fs::metadata(beside(&path, "-wal")).map_or(0, |file| file.len());
        let head = fs::read(beside(&path, ".head"))?;
        moments.push((usize::try_from(wal)?, usize::try_from(entries)?, head));
        Ok(())
    };
    moment(ledger.book().seq())?;
    for n in 0..LATE {
        block_on(ledger.execute(order(EARLY + n)))?;
        moment(ledger.book().seq())?;
        if n % 3 == 2 {
            commit(&mut journal, vec![gaelp_rollout::Record::Alert(alert(n))])?;
            moment(ledger.book().seq())?;
        }
    }
    let files = Files {
        database: fs::read(&path)?,
        wal: fs::read(beside(&path, "-wal"))?,
        head: fs::read(beside(&path, ".head"))?,
    };
    let log = read_log(&mut ledger.into_store(), 0)?;
    assert_eq!(log.len(), usize::try_from(EARLY + LATE)?);
    Ok(Recorded {
        files,
        log,
        moments,
    })
}

/// What came of damaged stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    recovered: u32,
    refused: u32,
}

impl Tally {
    /// A test in which one of them never occurs shows less than it says.
    fn has_both(self) {
        let both = self.recovered > 0 && self.refused > 0;
        assert!(both, "one never occurred: {self:?}");
    }
}

/// Opens a damaged store and reads its log. It must be refused, or be what was recorded with at
/// least so many entries.
fn open(
    path: &Path,
    files: &Files,
    log: &[Sealed],
    least: usize,
) -> Result<SqliteLedger, StoreError> {
    drop(fs::remove_file(beside(path, "-shm")));
    fs::write(path, &files.database).expect("room");
    fs::write(beside(path, "-wal"), &files.wal).expect("room");
    fs::write(beside(path, ".head"), &files.head).expect("room");
    let mut ledger = SqliteLedger::open(path, ACCOUNT)?;
    let read = read_log(&mut ledger, 0)?;
    assert!(read.len() >= least, "{} of {least} entries", read.len());
    assert!(read.len() <= log.len(), "entries out of nowhere");
    assert_eq!(read, log[..read.len()], "changed entries");
    Ok(ledger)
}

/// Opens so many damaged stores, each of which must hold all entries or be refused for a cause that
/// is expected.
fn try_all(
    cases: usize,
    log: &[Sealed],
    damage: impl Fn(usize) -> Files + Sync,
    expected: impl Fn(&StoreError) -> bool + Sync,
) -> Outcome<Tally> {
    let (damage, expected) = (&damage, &expected);
    let part = |first: usize, step: usize| -> std::io::Result<Tally> {
        let folder = folder()?;
        let path = folder.path().join("s.sqlite");
        let mut tally = Tally::default();
        for case in (first..cases).step_by(step) {
            match open(&path, &damage(case), log, log.len()) {
                Ok(_) => tally.recovered += 1,
                Err(error) => {
                    assert!(expected(&error), "case {case}: {error:?}");
                    tally.refused += 1;
                }
            }
        }
        Ok(tally)
    };
    let threads = std::thread::available_parallelism()?.get().min(4);
    let parts: Vec<_> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || part(first, threads)))
            .collect();
        parts
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect()
    });
    let mut all = Tally::default();
    for part in parts {
        let part = part.expect("no panic")?;
        all.recovered += part.recovered;
        all.refused += part.refused;
    }
    Ok(all)
}

fn is_behind(error: &StoreError) -> bool {
    use LedgerDamage::Behind;
    matches!(
        error,
        StoreError::Damaged(Damage::Ledger {
            damage: Behind { .. },
            ..
        })
    )
}

/// Every length of the write-ahead log, with the anchor of the whole. Only what came after the last
/// entry can be cut off unnoticed; with an entry gone, the log is behind its anchor.
#[test]
fn every_cut_of_the_write_ahead_log_is_recovered_or_refused() -> Outcome {
    let Recorded { files, log, .. } = record()?;
    let length = files.wal.len();
    assert!((20_000..60_000).contains(&length), "{length}");
    let cut = |length: usize| Files {
        wal: files.wal[..length].to_vec(),
        ..files.clone()
    };
    let tally = try_all(length, &log, cut, is_behind)?;
    println!("cuts of the write-ahead log: {tally:?}");
    tally.has_both();
    Ok(())
}

/// Lengths of the write-ahead log with the anchor that stood when it was that long: what a loss of
/// power leaves. Nothing is damaged, so nothing may be refused, and the next entry finds its place.
/// Every eleventh length, which is every place in a frame in turn, and those around each commit.
#[test]
fn a_torn_end_is_recovered_with_all_that_was_acknowledged() -> Outcome {
    let Recorded {
        files,
        log,
        moments,
    } = record()?;
    let folder = folder()?;
    let path = folder.path().join("s.sqlite");
    let commits = moments
        .iter()
        .flat_map(|(end, ..)| [end.saturating_sub(1), *end, end + 1]);
    let lengths = (0..files.wal.len()).step_by(11).chain(commits);
    let mut lengths: Vec<usize> = lengths
        .filter(|length| *length <= files.wal.len())
        .collect();
    lengths.sort_unstable();
    lengths.dedup();
    let mut ahead = 0;
    for length in lengths {
        // The anchor follows the commit: at its very end, the one before it may still stand.
        let before = moments.iter().rfind(|(end, ..)| *end < length);
        let upon = moments.iter().rfind(|(end, ..)| *end <= length);
        for moment in [before, upon].into_iter().flatten() {
            let (_, acknowledged, head) = moment;
            let (wal, head) = (files.wal[..length].to_vec(), head.clone());
            let database = files.database.clone();
            let torn = Files {
                database,
                wal,
                head,
            };
            let store = open(&path, &torn, &log, *acknowledged)?;
            let mut ledger = block_on(Ledger::open(limits(), store))?;
            ahead += u32::from(ledger.book().seq() > *acknowledged as u64);
            let next = u32::try_from(ledger.book().seq())?;
            block_on(ledger.execute(order(next)))?;
            assert_eq!(ledger.book().seq(), u64::from(next) + 1);
        }
    }
    assert_eq!(
        ahead, LATE,
        "each entry was once committed and not yet anchored"
    );
    Ok(())
}

/// Every length of the database file, beside the whole write-ahead log.
#[test]
fn every_cut_of_the_database_is_recovered_or_refused() -> Outcome {
    let Recorded { files, log, .. } = record()?;
    let cut = |length: usize| Files {
        database: files.database[..length].to_vec(),
        ..files.clone()
    };
    let whole = files.database.len();
    // The whole file is a case too: else none could be recovered.
    let tally = try_all(whole + 1, &log, cut, |error| {
        !matches!(error, StoreError::Busy)
    })?;
    println!("cuts of the database: {tally:?}");
    tally.has_both();
    Ok(())
}

/// Which of the files.
type Part = fn(&mut Files) -> &mut Vec<u8>;

/// A generator that needs no state but its place: splitmix64.
fn random(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn flipped_bits_are_recovered_or_refused() -> Outcome {
    let Recorded { files, log, .. } = record()?;
    let flip = |bytes: &mut [u8], case: usize| {
        let bits = bytes.len() as u64 * 8;
        let bit = usize::try_from(random(case as u64 + 1) % bits).expect("few bits");
        bytes[bit / 8] ^= 1 << (bit % 8);
    };
    let one = |cases: u32, part: Part| {
        let flipped = |case| {
            let mut files = files.clone();
            flip(part(&mut files), case);
            files
        };
        let typed = |error: &StoreError| !matches!(error, StoreError::Busy);
        try_all(cases as usize, &log, flipped, typed)
    };
    let database = one(FLIPS / 5 * 2, |files| &mut files.database)?;
    println!("flipped bits of the database: {database:?}");
    database.has_both();
    let wal = one(FLIPS / 5 * 2, |files| &mut files.wal)?;
    println!("flipped bits of the write-ahead log: {wal:?}");
    wal.has_both();
    // Every bit of the anchor counts.
    let anchor = one(FLIPS / 5, |files| &mut files.head)?;
    println!("flipped bits of the anchor: {anchor:?}");
    assert_eq!(anchor.refused, FLIPS / 5);
    Ok(())
}
