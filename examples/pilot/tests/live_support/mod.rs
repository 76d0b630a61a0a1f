//! A market, a store and the program, for tests of what lives.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gaelp::core::{AccountZone, Currency};
use gaelp_market::{Audit, Faults, MarketConfig, Pace, World, serve};
use serde_json::{Value, json};

/// The settings of the samples.
pub(crate) const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/live.toml");
/// A midnight.
pub(crate) const BEGIN: &str = "2026-03-02T00:00:00Z";

/// A client of a market.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the market listens");
        let patience = Some(Duration::from_mins(1));
        stream.set_read_timeout(patience).expect("sets");
        Self(BufReader::new(stream))
    }

    pub(crate) fn ask(&mut self, ask: &Value) -> Value {
        writeln!(self.0.get_mut(), "{ask}").expect("asks");
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("is answered");
        serde_json::from_str(&answer).expect("an answer")
    }

    pub(crate) fn advance(&mut self, seconds: u64) {
        self.ask(&json!({"ask": "advance", "seconds": seconds}));
    }

    pub(crate) fn now(&mut self) -> DateTime<Utc> {
        let now = self.ask(&json!({"ask": "now"}));
        serde_json::from_value(now["now"].clone()).expect("a time")
    }

    pub(crate) fn audit(&mut self) -> Audit {
        let answer = self.ask(&json!({"ask": "audit"}));
        serde_json::from_value(answer["audit"].clone()).expect("an audit")
    }

    /// The daily budgets that stand, in major units' millionths.
    pub(crate) fn budgets(&mut self) -> Vec<(String, i64)> {
        let mut all = Vec::new();
        for platform in ["meta", "google"] {
            let answer = loop {
                let answer = self.ask(&json!({"ask": "budgets", "platform": platform}));
                if answer["answer"] == "budgets" {
                    break answer;
                }
            };
            for reading in answer["readings"].as_array().expect("a list") {
                let name = reading["key"]["ad_set"].as_str().expect("a name");
                let budget = reading["daily_budget"].as_i64().expect("an amount");
                all.push((name.to_owned(), budget));
            }
        }
        all
    }
}

/// A market whose time passes on request.
pub(crate) fn world(seed: u64, faults: Faults) -> World {
    let begin = BEGIN.parse().expect("a time");
    let config = MarketConfig::sample(seed, begin, AccountZone::UTC, Currency::USD, faults);
    World::new(config.expect("amounts that fit")).expect("a market")
}

/// Serves a market on a thread of this process, until it is dropped.
pub(crate) struct Market {
    pub(crate) address: SocketAddr,
    server: Option<JoinHandle<()>>,
}

impl Market {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let address = listener.local_addr().expect("has one");
        let world = world(seed, faults);
        let serve = move || {
            serve(&listener, world, Pace::OnRequest, Duration::ZERO).expect("serves");
        };
        Self {
            address,
            server: Some(thread::spawn(serve)),
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        self.client().ask(&json!({"ask": "stop"}));
        if let Some(server) = self.server.take() {
            let served = server.join();
            assert!(served.is_ok() || thread::panicking());
        }
    }
}

/// A store, and the platform that it is about.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) store: PathBuf,
    pub(crate) platform: SocketAddr,
}

impl Account {
    /// A command of the program on this store, without the caller's environment.
    pub(crate) fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gaelp-pilot"));
        command
            .env_clear()
            .arg(name)
            .args(["--config", CONFIG, "--json"]);
        command.arg("--store").arg(&self.store).args(arguments);
        command
    }

    /// The same, with the platform.
    pub(crate) fn reaching(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.command(name, arguments);
        command.arg("--platform-at").arg(self.platform.to_string());
        command
    }

    pub(crate) fn kill_file(&self) -> PathBuf {
        beside(&self.store, ".kill")
    }

    /// Runs the pilot for so many hours; time passes whenever it has said something.
    pub(crate) fn hours(&self, hours: u32, arguments: &[&str]) -> Hours {
        let hours = hours.to_string();
        let mut command = self.reaching("live", &["--hours", &hours]);
        command.args(arguments);
        let mut running = Running::start(command);
        let mut client = Client::new(self.platform);
        let mut other = Client::new(self.platform);
        let mut lines = Vec::new();
        // The hour under way may be decided already; then nothing is said until the next.
        while let Some(line) = running.line_or(|| other.advance(3600)) {
            if line["step"] == "hour" {
                client.advance(3600);
            }
            lines.push(line);
        }
        let (code, stderr) = running.end();
        Hours {
            lines,
            code,
            stderr,
        }
    }
}

/// What came of some hours.
pub(crate) struct Hours {
    pub(crate) lines: Vec<Value>,
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

impl Hours {
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// The lines of the hours alone.
    pub(crate) fn steps(&self) -> Vec<&Value> {
        self.lines
            .iter()
            .filter(|line| line["step"] == "hour")
            .collect()
    }
}

/// A process whose lines are read as they come. It is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<Value>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("a JSON document on a line");
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line; `None` at the end.
    pub(crate) fn line(&mut self) -> Option<Value> {
        self.lines.recv().ok()
    }

    /// The next line; `otherwise` whenever none came for a while.
    pub(crate) fn line_or(&mut self, mut otherwise: impl FnMut()) -> Option<Value> {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(2)) {
                Ok(line) => return Some(line),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => otherwise(),
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end; the exit code and standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        while self.line().is_some() {}
        let status: ExitStatus = self.child.wait().expect("is our child");
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            std::io::Read::read_to_string(&mut pipe, &mut stderr).expect("reads");
        }
        (status.code(), stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A file whose name is another's with something after it.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
