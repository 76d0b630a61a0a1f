//! The pilot is killed two hundred times, at moments all over its work, and started again.
//!
//! The platform is a process of its own, with a network on which a third of all writes go wrong. The
//! moments come from a seed; where in the work they fall does not, so it is counted, and phases that
//! no kill hit fail the test. `GAELP_KILLS` and `GAELP_SEED` run another number or seed.

#![expect(
    clippy::print_stdout,
    reason = "where the kills fell is what this test has to say"
)]

#[allow(dead_code, reason = "the other live tests use the rest of it")]
mod live_support;
#[path = "real_kill/log.rs"]
mod log;
#[path = "real_kill/process.rs"]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::{Duration, Instant};

use gaelp::core::{DecisionId, Micros};
use gaelp::ledger::Entry;
use gaelp_market::{Faults, Pace, serve};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::live_support::{Account, Client, world};
use crate::log::Log;
use crate::process::{Live, Ticking};

/// Set in the environment of the process that is the platform.
const MARKET: &str = "GAELP_REAL_KILL_MARKET";
/// The account's cap, as in the settings.
const CAP: Micros = Micros::new(40_000_000);
/// How long a write is under way to the platform, and its answer back: so that kills fall there.
const LATENCY: Duration = Duration::from_millis(10);
/// Settings that press upward, so that it is the ledger's cap that holds.
const UPWARD: [&str; 12] = [
    "--set",
    "MULTIPLIERS=0.95,1,1.25",
    "--set",
    "BUDGET_DELTA_MAX=0.25",
    "--set",
    "BUDGET_DELTA_MAX_24H=1",
    "--set",
    "FREEZE_IF_ROAS_LT=none",
    "--set",
    "LAMBDA_SPEND=0",
    "--set",
    "DAILY_BUDGET_TARGET=60",
];
/// An hour passes when the pilot has decided one, and a part of one after so long.
const IDLE: Duration = Duration::from_millis(250);
/// The most hours that a process may decide before it is killed.
const MOST_HOURS: u64 = 5;
/// How long to wait for a process that decides nothing: it may be fenced, or its ledger closed.
const PATIENCE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    if std::env::var_os(MARKET).is_some() {
        market();
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let name = "the_cap_holds_and_nothing_is_lost_over_two_hundred_kills";
    // It takes minutes.
    let asked = std::env::var_os("GAELP_KILLS").is_some();
    let trial = Trial::test(name, || run().map_err(Failed::from)).with_ignored_flag(!asked);
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

/// The platform process: it says where it listens, on its standard output.
fn market() {
    let seed = number("GAELP_SEED", 1);
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    println!("{}", listener.local_addr().expect("has one"));
    let world = world(seed, Faults::rough());
    serve(&listener, world, Pace::OnRequest, LATENCY).expect("serves");
}

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().expect("a number"))
}

/// The platform process, killed with the test.
struct MarketProcess(Child, SocketAddr);

impl MarketProcess {
    fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().expect("we run"));
        command.env(MARKET, "1").stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().expect("it is piped"));
        std::io::BufRead::read_line(&mut out, &mut line).expect("reads");
        let address = line.trim().parse().expect("an address");
        Self(child, address)
    }
}

impl Drop for MarketProcess {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn run() -> Result<(), String> {
    let (kills, seed) = (number("GAELP_KILLS", 200), number("GAELP_SEED", 1));
    let folder = tempfile::tempdir().expect("a folder");
    let market = MarketProcess::start();
    let account = Account {
        store: folder.path().join("live.db"),
        platform: market.1,
    };
    let began = instant();
    let mut test = Test::new(account, seed);
    test.measure();
    for round in 0..kills {
        test.round(round);
    }
    test.settle();
    let entries = test.log.book.seq();
    println!(
        "{kills} kills, seed {seed}, {entries} ledger entries, {} intents, {:.0} s",
        test.log.admitted.len(),
        began.elapsed().as_secs_f64()
    );
    for (what, count) in &test.counts {
        println!("  {count:>6}  {what}");
    }
    test.must_have_happened(kills)
}

/// What is known, and what was counted.
struct Test {
    account: Account,
    dice: Dice,
    log: Log,
    counts: BTreeMap<&'static str, u64>,
    /// From the start of a process until its first hour was decided.
    first_hour: Duration,
}

impl Test {
    fn new(account: Account, seed: u64) -> Self {
        Self {
            account,
            dice: Dice(seed),
            log: Log::new(),
            counts: BTreeMap::new(),
            first_hour: Duration::ZERO,
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// How long a process takes here, so that kills fall into its work.
    fn measure(&mut self) {
        let mut longest = Duration::ZERO;
        for _ in 0..3 {
            let began = instant();
            self.account.hours(1, &UPWARD).well();
            longest = longest.max(began.elapsed());
        }
        self.first_hour = longest;
    }

    /// One process: started, disturbed, killed, examined, reconciled.
    fn round(&mut self, round: u64) {
        let live = Live::start(&self.account);
        let second = (round % 13 == 5).then(|| {
            thread::sleep(self.first_hour / 2);
            Live::start(&self.account)
        });
        let hours = self.dice.below(MOST_HOURS + 1);
        let spread = u32::try_from(self.dice.below(1_000)).expect("is below");
        let part = self.first_hour * spread / 1_000;
        match round % 10 {
            3 => {
                live.works(hours, part);
                self.command("status", &[], false, &[0]);
                self.count("status beside a running process");
            }
            6 => {
                self.command("pause", &["--by", "test"], false, &[0]);
                live.works(hours, part);
            }
            8 => {
                live.works(hours, part);
                self.command("resume", &["--by", "test"], false, &[0]);
            }
            9 if round % 20 == 9 => {
                live.works(hours, part);
                // On this network a kill may have to be repeated.
                self.command("kill", &["--by", "test"], true, &[0, 1]);
                self.count("kill commands");
            }
            _ => live.works(hours, part),
        }
        let mut said = BTreeSet::new();
        let mut fenced = false;
        for process in [Some(live), second].into_iter().flatten() {
            let ended = process.kill();
            said.extend(ended.sent);
            match ended.code {
                None => self.count("killed while running"),
                Some(7) => {
                    fenced = true;
                    self.count("runners that were fenced, and ended");
                }
                other => panic!("round {round}: it ended with {other:?}: {}", ended.stderr),
            }
        }
        self.examine(&said);
        if fenced {
            self.count("rounds with a fenced runner");
        }
        self.command("reconcile", &[], true, &[0]);
        self.count("reconciled");
        if round % 20 == 9 {
            self.command("rearm", &["--by", "test"], false, &[0]);
        }
        self.command("status", &[], false, &[0]);
    }

    fn command(&self, name: &str, arguments: &[&str], reach: bool, codes: &[i32]) {
        let mut command = if reach {
            self.account.reaching(name, arguments)
        } else {
            self.account.command(name, arguments)
        };
        let output = command.output().expect("starts");
        let code = output.status.code().expect("it ends by itself");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(codes.contains(&code), "{name} ended with {code}: {stderr}");
    }

    /// What the dead process left: the log is whole, and whatever reached the platform or was said
    /// is in it.
    fn examine(&mut self, said: &BTreeSet<DecisionId>) {
        self.log.read(&self.account.store);
        let phase = match &self.log.last {
            None => "an empty log",
            Some(Entry::Taken { .. }) => "after a takeover",
            Some(Entry::Observed { .. }) => "after an observation",
            Some(Entry::Admitted { .. }) => "between an intent and its answer",
            Some(Entry::Answered { .. }) => "after an answer",
            Some(Entry::Ordered { .. }) => "after an order",
            Some(_) => "after something else",
        };
        self.count(match phase {
            "an empty log" => "left: an empty log",
            "after a takeover" => "left: after a takeover",
            "after an observation" => "left: after an observation",
            "between an intent and its answer" => "left: between an intent and its answer",
            "after an answer" => "left: after an answer",
            _ => "left: after an order",
        });
        if self.log.book.all_open().next().is_some() {
            self.count("left: with open intents");
        }
        if self.log.book.operator().paused {
            self.count("left: paused");
        }
        for id in said {
            assert!(
                self.log.admitted.contains_key(id),
                "{id} was said to be sent: it is lost"
            );
        }
        self.check_writes();
    }

    /// Every write at the platform has an earlier intent in the ledger.
    fn check_writes(&mut self) {
        let audit = Client::new(self.account.platform).audit();
        for write in &audit.writes {
            let intent = self.log.admitted.get(&write.decision);
            let intent = intent.unwrap_or_else(|| panic!("{write:?} has no intent"));
            assert_eq!((&intent.key, intent.to), (&write.key, write.to));
            assert!(intent.at <= write.sent, "{write:?} before {intent:?}");
            assert!(
                write.sent <= intent.not_after,
                "{write:?} too late for {intent:?}"
            );
        }
        for day in &audit.days {
            assert!(day.worst <= CAP, "{day:?} could have cost more than {CAP}");
            assert!(day.spent <= day.worst, "{day:?}");
        }
    }

    /// In the end everything settles, and nothing was lost.
    fn settle(&mut self) {
        let platform = self.account.platform;
        let ticking = Ticking::start(platform, Arc::new(AtomicU64::new(0)), Duration::ZERO);
        self.command("reconcile", &["--wait"], true, &[0]);
        drop(ticking);
        self.log.read(&self.account.store);
        self.check_writes();
        assert_eq!(self.log.book.all_open().count(), 0);
        assert!(self.log.book.reconciled());
        for id in self.log.admitted.keys() {
            let ended = self.log.ended.get(id).copied().unwrap_or(0);
            assert_eq!(ended, 1, "{id} came to {ended} ends");
        }
        let audit = Client::new(platform).audit();
        println!(
            "{} days; at most {} spent in one, at most {} could have been, of {CAP}",
            audit.days.len(),
            audit.largest_spend,
            audit.largest_worst
        );
        let names: BTreeMap<String, u64> = audit.counts;
        println!("the platform: {names:?}");
        for fate in [
            "applied",
            "unanswered",
            "lost",
            "held_up",
            "doubled",
            "rejected",
        ] {
            let seen = names.get(fate).copied().unwrap_or(0);
            // Of two hundred processes' writes one in twenty-five is doubled, the rarest fate.
            assert!(seen > 0 || audit.writes.len() < 150, "no write was {fate}");
        }
        let raised = audit.writes.iter();
        let raised = raised
            .filter(|w| w.fate.took_effect() && w.before < Some(w.to))
            .count();
        let lowered = audit.writes.iter();
        let lowered = lowered
            .filter(|w| w.fate.took_effect() && w.before > Some(w.to))
            .count();
        println!("{raised} raises and {lowered} decreases took effect");
        assert!(raised > 0 && lowered > 0);
        // It began at 31.50: a cap that nobody came near would show little.
        assert!(audit.largest_worst > Micros::new(32_000_000) || audit.writes.len() < 150);
    }

    /// A kill that hits nothing shows nothing.
    fn must_have_happened(&self, kills: u64) -> Result<(), String> {
        let wanted = [
            ("killed while running", kills * 4 / 5),
            ("left: with open intents", kills / 20),
            ("left: between an intent and its answer", kills / 200),
            ("left: after an observation", 1),
            ("left: after an answer", 1),
            ("left: paused", 1),
            ("runners that were fenced, and ended", 1),
            ("kill commands", kills / 20),
            ("status beside a running process", kills / 10),
            ("reconciled", kills),
        ];
        let missed: Vec<String> = wanted
            .iter()
            .filter(|(what, least)| self.counts.get(what).copied().unwrap_or(0) < *least)
            .map(|(what, least)| format!("{what}: fewer than {least}"))
            .collect();
        if missed.is_empty() {
            return Ok(());
        }
        Err(missed.join("; "))
    }
}

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

fn instant() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "the moments to kill at are parts of a process's time"
    )]
    Instant::now()
}
