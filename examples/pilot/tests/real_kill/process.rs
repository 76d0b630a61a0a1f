//! Running pilots, and the time that passes for them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gaelp::core::DecisionId;
use serde_json::Value;

use crate::live_support::{Account, Client};
use crate::{IDLE, PATIENCE, UPWARD, instant};

/// A running pilot, what it says, and the time that passes for it.
pub(crate) struct Live {
    child: Child,
    lines: mpsc::Receiver<Value>,
    /// Hours that it said it had decided.
    said: Arc<AtomicU64>,
    /// Whether it says nothing more.
    silent: Arc<AtomicBool>,
    ticking: Ticking,
}

/// What is left of it.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    /// The decisions that it said it had sent.
    pub(crate) sent: BTreeSet<DecisionId>,
}

impl Live {
    pub(crate) fn start(account: &Account) -> Self {
        let mut command = account.reaching("live", &UPWARD);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let out = child.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        let said = Arc::new(AtomicU64::new(0));
        let ticking = Ticking::start(account.platform, Arc::clone(&said), IDLE);
        let silent = Arc::new(AtomicBool::new(false));
        let (hours, end) = (Arc::clone(&said), Arc::clone(&silent));
        thread::spawn(move || {
            let lines = std::io::BufRead::lines(std::io::BufReader::new(out));
            for line in lines.map_while(Result::ok) {
                // The last line of a killed process may be half a line.
                let Ok(line) = serde_json::from_str(&line) else {
                    break;
                };
                let line: Value = line;
                if line["step"] == "hour" {
                    hours.fetch_add(1, Ordering::SeqCst);
                }
                if sender.send(line).is_err() {
                    break;
                }
            }
            end.store(true, Ordering::SeqCst);
        });
        Self {
            child,
            lines,
            said,
            silent,
            ticking,
        }
    }

    /// Lets it work until it has decided so many hours, however fast the machine is, and then for a
    /// part of the next.
    pub(crate) fn works(&self, hours: u64, part: Duration) {
        let began = instant();
        while self.said.load(Ordering::SeqCst) < hours
            && !self.silent.load(Ordering::SeqCst)
            && began.elapsed() < PATIENCE
        {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(part);
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().expect("is our child");
        let output = self.child.wait_with_output().expect("is our child");
        drop(self.ticking);
        let sent = self.lines.iter().flat_map(|line| sent(&line)).collect();
        Ended {
            code: output.status.code(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            sent,
        }
    }
}

/// The decisions of a line that were sent, whatever came of them.
fn sent(line: &Value) -> Vec<DecisionId> {
    let decided = line["decided"].as_array().into_iter().flatten();
    let tried = decided.filter(|decided| {
        let status = decided["status"].as_str().unwrap_or_default();
        ["applied", "unknown"].contains(&status) && decided["sent"].is_i64()
    });
    tried
        .map(|decided| serde_json::from_value(decided["id"].clone()).expect("an id"))
        .collect()
}

/// Lets time pass: when an hour was decided, or after a while.
pub(crate) struct Ticking {
    done: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Ticking {
    pub(crate) fn start(platform: SocketAddr, said: Arc<AtomicU64>, idle: Duration) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&done);
        let tick = move || {
            let mut client = Client::new(platform);
            let (mut heard, mut since, mut due) = (0, instant(), 0);
            while !stop.load(Ordering::SeqCst) {
                let now = said.load(Ordering::SeqCst);
                if now > heard {
                    (heard, since, due) = (now, instant(), 3);
                }
                if due > 0 || since.elapsed() >= idle {
                    // Three make more than an hour. Not all at once: requests are under way while
                    // time passes.
                    client.advance(1_300);
                    (since, due) = (instant(), due.max(1) - 1);
                }
                thread::sleep(Duration::from_millis(8));
            }
        };
        Self {
            done,
            thread: Some(thread::spawn(tick)),
        }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let ticked = thread.join();
            assert!(ticked.is_ok() || thread::panicking());
        }
    }
}
