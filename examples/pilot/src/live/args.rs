//! The command line of the live commands.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::error::PilotError;
use crate::settings::{Given, Settings};

#[derive(Debug, Subcommand)]
pub(crate) enum LiveCommand {
    /// Run hour by hour against a running platform (in shadow mode unless MODE is pilot).
    ///
    /// It goes on where the last process of the same --run-name stopped, however that ended, takes
    /// the spend ledger over, and reconciles before it decides anything. It ends after the step
    /// under way on SIGINT or SIGTERM.
    ///
    /// Exit codes: 0 ended as asked; 2 a wrong call or setting; 3 the store is damaged; 4 the store
    /// cannot be used; 6 the platform does not answer; 7 another runner took over; 1 anything else.
    Live(HourlyArgs),
    /// Raise nothing until `resume`; decreases go on.
    ///
    /// It works while another process runs: that one hears it before its next write.
    Pause(OrderArgs),
    /// End a pause. A kill stays.
    Resume(OrderArgs),
    /// Stop: no more raises, by anyone, and budgets down to what is known to be safe.
    ///
    /// First a file `<store>.kill` is made, which every runner looks for before each write; it works
    /// when the store is damaged or gone. Then the kill is put into the spend ledger. With
    /// --platform-at, the ledger is taken over (a runner that still runs is fenced) and every ad
    /// set is lowered to the least of its budget, its last known good one and its share of the
    /// cap; with a damaged store, to the platform's minimum. It lasts until `rearm`.
    ///
    /// Exit codes as `live`; 3: it is latched, and the store is damaged.
    Kill(KillArgs),
    /// Lift a kill: the file goes and the spend ledger is rearmed. Budgets stay as they are.
    Rearm(RearmArgs),
    /// Say where everything stands, and in words what is wrong.
    ///
    /// Exit codes: 0 the store is sound; 2 a wrong call or setting; 3 the store is damaged; 4 it
    /// cannot be used.
    Status(StatusArgs),
    /// Take the spend ledger over, read the budgets, settle what can be settled.
    ///
    /// A runner that still runs is fenced: start it again afterwards.
    Reconcile(ReconcileArgs),
}

/// Where everything is.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceArgs {
    /// A TOML file with settings, as for a replay.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The SQLite file that keeps everything.
    #[arg(long, value_name = "PATH")]
    store: Option<String>,
    /// Any setting by its name.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// JSON instead of words, one document per line.
    #[arg(long)]
    pub(crate) json: bool,
    /// The name of the live run; it goes on under the same name after a restart.
    #[arg(long, value_name = "NAME", default_value = "live")]
    pub(crate) run_name: String,
}

impl PlaceArgs {
    /// The store's path as the command line names it: for when the settings cannot be read.
    pub(crate) fn named_store(&self) -> Option<PathBuf> {
        self.store.clone().map(PathBuf::from)
    }

    pub(crate) fn settings(&self) -> Result<Settings, PilotError> {
        let environment = |name: &str| std::env::var(name).ok();
        let store = self.store.clone().map(Given::from);
        let flags = vec![("STORE", store)];
        Ok(Settings::gather(
            self.config.as_deref(),
            environment,
            flags,
            &self.set,
        )?)
    }
}

/// How the platform is reached.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct TimeoutArgs {
    /// How long an answer of the platform is awaited.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 10_000)]
    timeout_ms: u64,
}

impl TimeoutArgs {
    pub(crate) fn timeout(self) -> Duration {
        Duration::from_millis(self.timeout_ms.max(1))
    }
}

#[derive(Debug, Args)]
pub(crate) struct HourlyArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Where the platform process listens.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) platform_at: SocketAddr,
    #[command(flatten)]
    pub(crate) timeout: TimeoutArgs,
    /// End after so many hours.
    #[arg(long, value_name = "COUNT")]
    pub(crate) hours: Option<u64>,
    /// Give up when the platform has not said for so long what time it is.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 60_000)]
    pub(crate) patience_ms: u64,
}

#[derive(Debug, Args)]
pub(crate) struct OrderArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Who says so; it is kept.
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct KillArgs {
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    /// Where the platform process listens; without it, nothing is lowered.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) platform_at: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) timeout: TimeoutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RearmArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Who lifts the kill; it is kept.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Where the platform process listens.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) platform_at: SocketAddr,
    #[command(flatten)]
    pub(crate) timeout: TimeoutArgs,
    /// Read again until every intent is settled. What a lost answer left open takes as long as a
    /// request may be under way, and readings after that.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Accept a ledger whose anchor is missing, damaged or ahead of it; what is lost is said first.
    #[arg(long)]
    pub(crate) accept_ledger: bool,
}
