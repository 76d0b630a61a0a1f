//! The program is killed at moments all over its run. Run again on the same store, it ends as if
//! nothing had been.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{pilot, run};
use crate::support::{Desk, assert_sound, content, count};

/// Hourly rows of the report: several batches of records.
const ROWS: u32 = 40_000;
/// How often the program is killed, at moments that are spread evenly over its run.
const KILLS: u32 = 12;
/// As many as there are processors to count on.
const AT_ONCE: usize = 2;

/// The arguments of the run, with its store.
fn arguments(samples: &Path, store: &Path) -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<std::ffi::OsString> = Vec::new();
    arguments.extend(["--timezone", "America/New_York", "--report", "none"].map(Into::into));
    arguments.extend(["--json", "--quiet", "--insights"].map(Into::into));
    arguments.push(samples.join("meta_hourly.csv").into());
    arguments.extend(["--orders".into(), samples.join("shopify_orders.csv").into()]);
    arguments.extend(["--store".into(), store.into()]);
    arguments
}

/// Starts the program and kills it after a while; whether it was still at it.
fn killed(samples: &Path, store: &Path, after: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gaelp-pilot"))
        .env_clear()
        .args(arguments(samples, store))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    thread::sleep(after);
    let running = child.try_wait().expect("is our child").is_none();
    child.kill().expect("is our child");
    // It may have ended between the two.
    let status = child.wait().expect("is our child");
    running && status.code().is_none()
}

#[test]
fn a_killed_run_can_be_run_again() {
    let desk = Desk::new();
    let samples = desk.path("samples");
    let rows = ROWS.to_string();
    run(pilot()
        .args(["sample", "--rows", &rows, "--out"])
        .arg(&samples))
    .well();

    let undisturbed = desk.path("undisturbed.db");
    #[expect(
        clippy::disallowed_methods,
        reason = "the moments to kill at are parts of a run's time"
    )]
    let started = Instant::now();
    let expected = run(pilot().args(arguments(&samples, &undisturbed)))
        .well()
        .stdout;
    let took = started.elapsed();
    let kept = content(&undisturbed);
    assert!(kept["actions_log"].0 > 0 && kept["experiences"].0 > 0 && kept["orders"].0 > 0);
    assert_eq!(kept["metrics_hourly"].0, u64::from(ROWS));

    let left = Mutex::new((0..KILLS).collect::<Vec<_>>());
    let next = || left.lock().expect("no one panicked with it").pop();
    let worker = || {
        let mut stages = Vec::new();
        while let Some(kill) = next() {
            let store = desk.path(&format!("killed-{kill}.db"));
            disturb(&samples, &store, took * (2 * kill + 1) / (2 * KILLS));
            // Looking into it brings it up to date; every second one is left to the program.
            if kill % 2 == 0 {
                stages.push(stage(&store));
            }
            let again = run(pilot().args(arguments(&samples, &store))).well();
            assert!(again.stdout == expected, "the JSON after kill {kill}");
            assert_eq!(content(&store), kept, "the store after kill {kill}");
            assert_sound(&store);
            remove(&store);
        }
        stages
    };
    let stages: BTreeSet<Stage> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().expect("a worker"))
            .collect()
    });
    // Kills that all hit the same stage would show little.
    assert!(stages.contains(&Stage::Nothing), "{stages:?}");
    assert!(
        stages.iter().any(|stage| *stage != Stage::Nothing),
        "{stages:?}"
    );
}

/// Kills a run on a new store about that time after its start.
fn disturb(samples: &Path, store: &Path, mut after: Duration) {
    while !killed(samples, store, after) {
        // Faster than when it was measured: earlier, then, and on a new store.
        remove(store);
        after = after * 4 / 5;
    }
}

/// How far a killed run had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// There is no file yet, or nothing in it.
    Nothing,
    /// The reports and orders are in.
    Imported,
    /// Decisions are, too.
    Decided,
}

/// Looks at what is there: all files, or none, and no decision without its files.
fn stage(store: &Path) -> Stage {
    let table = "SELECT count(*) FROM sqlite_schema WHERE name = 'actions_log'";
    if !store.exists() || count(store, table) == 0 {
        return Stage::Nothing;
    }
    let [files, sealed, rows, actions] = [
        "files",
        "files WHERE sealed = 1",
        "metrics_hourly",
        "actions_log",
    ]
    .map(|what| count(store, &format!("SELECT count(*) FROM {what}")));
    match (files, sealed, rows, actions) {
        (0, 0, 0, 0) => Stage::Nothing,
        (2, 2, rows, 0) if rows == i64::from(ROWS) => Stage::Imported,
        (2, 2, rows, _) if rows == i64::from(ROWS) => Stage::Decided,
        part => panic!("(files, sealed, rows, actions) are {part:?}: a batch in part"),
    }
}

/// Removes a database with what lies beside it.
fn remove(store: &Path) {
    for end in ["", "-wal", "-shm"] {
        let path = PathBuf::from(format!("{}{end}", store.display()));
        if path.exists() {
            std::fs::remove_file(path).expect("removes");
        }
    }
}
