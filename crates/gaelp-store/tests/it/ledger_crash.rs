//! Processes that write to a ledger are killed at random moments. What they said was acknowledged
//! is there, in its place and with its hash; and the ledger opens again, without anybody's help.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use gaelp_ledger::{Ledger, Reply, Request};
use gaelp_store::SqliteLedger;
use pollster::block_on;

use crate::support::{ACCOUNT, NOON, limits, read_log};

/// Where the child writes.
const PATH: &str = "GAELP_STORE_LEDGER_PATH";
/// How often one writing process is killed, and how often one of two.
const KILLS: u64 = 60;
const KILLS_OF_TWO: u64 = 20;

#[test]
#[ignore = "the child of the tests below: writes until it is killed"]
fn ledger_child() {
    let path = PathBuf::from(std::env::var_os(PATH).expect("run by its parent"));
    let log = SqliteLedger::open(path, ACCOUNT).expect("opens");
    let mut ledger = block_on(Ledger::open(limits(), log)).expect("a good chain");
    loop {
        // A takeover is an entry whatever others do meanwhile.
        let take = Request::Take {
            runner: format!("process {}", std::process::id()),
            at: NOON.start(),
        };
        let reply = block_on(ledger.execute(take)).expect("a reply");
        assert!(matches!(reply, Reply::Taken { .. }), "{reply:?}");
        let (seq, hash) = (ledger.book().seq(), ledger.book().head());
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {seq} {hash}").expect("the parent listens");
        out.flush().expect("the parent listens");
    }
}

/// What a child acknowledged: places and hashes.
type Told = Vec<(u64, String)>;

struct Writer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    told: Told,
}

impl Writer {
    /// Starts a child and waits for its first entry, so that every one gets that far.
    fn start(path: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .args([
                "ledger_crash::ledger_child",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env(PATH, path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut writer = Self {
            child,
            lines,
            told: Vec::new(),
        };
        while writer.told.is_empty() {
            assert!(writer.read_line(), "the child wrote nothing");
        }
        writer
    }

    fn read_line(&mut self) -> bool {
        let Some(Ok(line)) = self.lines.next() else {
            return false;
        };
        // The harness prints its own words on the same line as the first. The last line may be torn.
        let told = line.rsplit_once("acknowledged ").and_then(|(_, told)| {
            let (seq, hash) = told.split_once(' ')?;
            Some((seq.parse().ok()?, hash.to_owned()))
        });
        self.told.extend(told.filter(|(_, hash)| hash.len() == 64));
        true
    }

    fn kill(mut self) -> Told {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        while self.read_line() {}
        self.told
    }
}

/// Pauses that hit different phases of a transaction: 0 to 60 ms in steps that are not regular.
fn pause(n: u64) -> Duration {
    Duration::from_micros(n * 7_919 % 60_000)
}

/// The log must open, verify, and hold all that was told.
fn verify(path: &Path, told: &Told) -> u64 {
    let mut log = SqliteLedger::open(path, ACCOUNT).expect("a kill is no damage");
    let entries = read_log(&mut log, 0).expect("a log");
    for (seq, hash) in told {
        let place = usize::try_from(*seq).expect("few") - 1;
        let entry = entries.get(place);
        let found = entry.map(|entry| (entry.seq, entry.hash.to_string()));
        assert_eq!(found.as_ref(), Some(&(*seq, hash.clone())));
    }
    let ledger = block_on(Ledger::open(limits(), log)).expect("a good chain");
    assert_eq!(ledger.book().seq(), entries.len() as u64);
    ledger.book().seq()
}

#[test]
fn a_killed_ledger_keeps_what_it_acknowledged() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let (mut all, mut unheard) = (Told::new(), 0);
    for n in 0..KILLS {
        let writer = Writer::start(&path);
        std::thread::sleep(pause(n));
        all.extend(writer.kill());
        let entries = verify(&path, &all);
        // The last one may have been appended without being told, but no more than one.
        let last = all.last().map_or(0, |(seq, _)| *seq);
        assert!(
            [last, last + 1].contains(&entries),
            "{entries} after {last}"
        );
        unheard += entries - last;
    }
    println!(
        "{KILLS} kills, {} acknowledged, {unheard} unheard",
        all.len()
    );
    Ok(())
}

/// Two processes write at once and one is killed: the other goes on, and both were right.
#[test]
fn a_killed_ledger_does_not_hinder_another() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let mut all = Told::new();
    let mut survivor = Writer::start(&path);
    for n in 0..KILLS_OF_TWO {
        let victim = Writer::start(&path);
        std::thread::sleep(pause(n));
        all.extend(victim.kill());
        let before = survivor.told.len();
        while survivor.told.len() < before + 2 {
            assert!(survivor.read_line(), "the survivor ended");
        }
    }
    all.extend(survivor.kill());
    let entries = verify(&path, &all);
    all.sort();
    let told = all.len();
    all.dedup();
    assert_eq!(all.len(), told, "an entry was acknowledged to two");
    // Each victim may have left one entry that nobody was told of, and so may the survivor.
    let unheard = entries - told as u64;
    assert!(
        unheard <= KILLS_OF_TWO + 1,
        "{unheard} of {entries} unheard"
    );
    Ok(())
}
