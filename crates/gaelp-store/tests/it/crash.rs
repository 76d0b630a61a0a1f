//! A writing process is killed at random moments. What it said was committed is there; nothing is
//! there in part.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gaelp_core::HourSpan;
use gaelp_rollout::{ActionStatus, Record};
use gaelp_store::{FileStatus, OnDuplicate, RunId, Store};

use crate::support::{NOON, action, commit, experience, key, records, spend};

const RUN: RunId = RunId::new([7; 32]);
/// Where the child writes, and what.
const PATH: &str = "GAELP_STORE_CRASH_PATH";
/// Rows of each file that the importing child imports.
const ROWS: i32 = 400;
/// Files per import.
const FILES: u32 = 3;
const KILLS: u64 = 30;

/// Decision `n` in full: what is stored when a commit is.
fn batch(n: u32) -> Vec<Record> {
    let mut batch = records(n);
    batch.push(Record::Action(Box::new(action(n, ActionStatus::Applied))));
    batch.push(Record::Experience(Box::new(experience(n + 1_000_000))));
    batch
}

fn digest(n: u32) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&n.to_le_bytes());
    digest
}

fn tell(n: u32) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "committed {n}").expect("the parent listens");
    out.flush().expect("the parent listens");
}

#[test]
#[ignore = "the child of the test below: writes until it is killed"]
fn journal_child() {
    let path = PathBuf::from(std::env::var_os(PATH).expect("run by its parent"));
    let store = Store::open(path).expect("opens");
    let mut journal = store.journal(RUN);
    let done = u32::try_from(store.counts(RUN).expect("counts").alerts).expect("few");
    for n in done.. {
        commit(&mut journal, batch(n)).expect("commits");
        tell(n);
    }
}

#[test]
#[ignore = "the child of the test below: writes until it is killed"]
fn import_child() {
    let path = PathBuf::from(std::env::var_os(PATH).expect("run by its parent"));
    let store = Store::open(path).expect("opens");
    for n in 0.. {
        let mut import = store.import().expect("begins");
        for part in 0..FILES {
            let status = import.file(digest(n * FILES + part), "a file", "test");
            let FileStatus::New(file) = status.expect("a file") else {
                continue;
            };
            for row in 0..ROWS {
                let hour = HourSpan::hour(NOON.plus(row));
                let taken = import.metric(file, &key("a"), hour, &spend(1), OnDuplicate::Refuse);
                taken.expect("a row");
            }
        }
        import.commit().expect("commits");
        tell(n);
    }
}

fn child(test: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().expect("a path"))
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts")
}

/// Lets a child write for a while, kills it, and gives the last number that it told.
fn kill_after(mut child: Child, pause: Duration) -> Option<u32> {
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let number = |line: std::io::Result<String>| -> Option<u32> {
        // The harness prints its own words on the same line as the first.
        line.ok()?.rsplit_once("committed ")?.1.parse().ok()
    };
    // Wait for the first commit, so that every child gets that far.
    let mut last = lines.by_ref().find_map(number);
    assert!(last.is_some(), "the child wrote nothing");
    std::thread::sleep(pause);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    for line in lines {
        last = number(line).or(last);
    }
    last
}

/// Pauses that hit different phases of a commit: 0 to 60 ms in steps that are not regular.
fn pauses() -> impl Iterator<Item = Duration> {
    (0..KILLS).map(|n| Duration::from_micros(n * 7_919 % 60_000))
}

#[test]
fn a_killed_journal_keeps_what_it_acknowledged() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    drop(Store::open(&path)?);
    for pause in pauses() {
        let told = kill_after(child("crash::journal_child", &path), pause);
        let told = u64::from(told.expect("at least one"));
        let store = Store::open(&path)?;
        store.check_integrity()?;
        let counts = store.counts(RUN)?;
        // The last one may have been committed without being told.
        assert!(
            [told + 1, told + 2].contains(&counts.alerts),
            "{counts:?} after {told}"
        );
        let whole = counts.alerts;
        assert_eq!((counts.actions, counts.experiences), (whole, 2 * whole));
        assert_eq!((counts.corrections, counts.metrics), (whole, whole));
        assert_eq!(counts.budget_states, whole);
    }
    // What survived is what would have been written without any kill.
    let store = Store::open(&path)?;
    let whole = u32::try_from(store.counts(RUN)?.alerts)?;
    let calm = Store::open_in_memory()?;
    for n in 0..whole {
        commit(&mut calm.journal(RUN), batch(n))?;
    }
    assert_eq!(
        store.actions(RUN).collect::<Result<Vec<_>, _>>()?,
        calm.actions(RUN).collect::<Result<Vec<_>, _>>()?
    );
    assert_eq!(
        store.experiences(RUN).collect::<Result<Vec<_>, _>>()?,
        calm.experiences(RUN).collect::<Result<Vec<_>, _>>()?
    );
    assert_eq!(store.budget_states(RUN)?, calm.budget_states(RUN)?);
    Ok(())
}

#[test]
fn a_killed_import_is_whole_or_absent() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let mut told = 0;
    for pause in pauses() {
        // Each child begins with what is known, so a slow one may be killed before it has news.
        let last = kill_after(child("crash::import_child", &path), pause).expect("at least one");
        told = told.max(last);
        let store = Store::open(&path)?;
        store.check_integrity()?;
        let mut import = store.import()?;
        let mut files = Vec::new();
        for n in 0.. {
            match import.file(digest(n), "a file", "test")? {
                FileStatus::Known(file) => files.push(file),
                FileStatus::New(_) => break,
            }
        }
        drop(import);
        let imports = u32::try_from(files.len())? / FILES;
        assert_eq!(
            u32::try_from(files.len())? % FILES,
            0,
            "an import is there in part"
        );
        assert!(
            [told + 1, told + 2].contains(&imports),
            "{imports} after {told}"
        );
        for file in files {
            assert_eq!(store.coverage(&[file])?.rows, u64::try_from(ROWS)?);
        }
    }
    Ok(())
}
