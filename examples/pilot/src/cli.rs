//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::attribute::AttributeArgs;
use crate::live::LiveCommand;
use crate::settings::Given;

/// What gaelp would have done with your advertising budget, and why.
///
/// Reads exported reports (Meta, Google, TikTok, or any table through a column map) and orders
/// (Shopify), decides hour by hour what each ad set should have got, and shows it: as a table, as
/// JSON, and as one HTML page. In shadow mode, the default, nothing is written to any platform.
///
/// `gaelp-pilot attribute` says what each channel earned of a table of paths or a list of events.
///
/// `gaelp-pilot live` runs against a platform instead of files; pause, resume, kill, rearm, status
/// and reconcile are for whoever watches it.
///
/// Settings come from the command line, the environment, a TOML file (--config) and the defaults,
/// in this order. `gaelp-pilot settings` lists them all.
///
/// Exit codes: 0 done; 2 a wrong call or setting; 3 a file was refused, or the store is damaged;
/// 4 the store; 5 an output could not be written; 6 the platform does not answer; 7 another runner
/// took over; 1 anything else.
#[derive(Debug, Parser)]
#[command(name = "gaelp-pilot", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A TOML file with settings; paths in it are relative to it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Exported reports; FILE@MAP.toml reads one with a column map.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    insights: Vec<String>,
    /// Exported orders; revenue then comes from them alone.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    orders: Vec<String>,
    /// The column map for reports that name none.
    #[arg(long, value_name = "FILE")]
    map: Option<String>,
    /// shadow: read and log only (default); pilot: rehearse writes on a platform in memory.
    #[arg(long)]
    mode: Option<String>,
    /// The account's IANA time zone, such as `America/New_York`.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The account's currency, where no file states one.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Local hours in which raises are allowed, end excluded.
    #[arg(long, value_name = "FROM-TO")]
    peak_hours: Option<String>,
    /// The most that the account may spend in a local day.
    #[arg(long, value_name = "AMOUNT")]
    daily_cap: Option<String>,
    /// The largest change of an ad set's rate per hour, as a share.
    #[arg(long, value_name = "SHARE")]
    delta_max: Option<String>,
    /// The only ad sets that may be changed, by commas; needed in pilot mode.
    #[arg(long, value_name = "IDS")]
    canary_list: Option<String>,
    /// λ at the start: a spent unit counts as 1 + λ.
    #[arg(long, value_name = "NUMBER")]
    lambda_spend: Option<String>,
    /// What the account is to spend in a local day.
    #[arg(long, value_name = "AMOUNT")]
    daily_budget_target: Option<String>,
    /// classic: each ad set by itself (default); paced: the account's hour is planned as a whole.
    #[arg(long)]
    budgeting: Option<String>,
    /// How fast λ follows the spend, once a day.
    #[arg(long, value_name = "NUMBER")]
    lagrange_step: Option<String>,
    /// The seed of every draw.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<String>,
    /// The SQLite file that keeps everything; :memory: keeps nothing.
    #[arg(long, value_name = "PATH")]
    store: Option<String>,
    /// Where the HTML report goes; none: nowhere.
    #[arg(long, value_name = "PATH")]
    report: Option<String>,
    /// Any setting by its name.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Print the summary as JSON instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Say on standard error how long each stage took, and the peak of memory.
    #[arg(long)]
    pub(crate) stats: bool,
    /// No progress bars.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List every setting with its default and meaning.
    Settings,
    /// Write sample exports to try the pilot with; they are simulated.
    Sample {
        /// The folder to write to.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// The seed of the simulation; the bundled samples are those of the default.
        #[arg(long, value_name = "NUMBER")]
        seed: Option<u64>,
        /// So many hourly rows instead of four weeks, for measuring.
        #[arg(long, value_name = "COUNT")]
        rows: Option<u64>,
    },
    Attribute(Box<AttributeArgs>),
    #[command(flatten)]
    Live(LiveCommand),
}

impl RunArgs {
    /// The flags by the names of the settings.
    pub(crate) fn flags(&self) -> Vec<(&'static str, Option<Given>)> {
        let list = |parts: &[String]| (!parts.is_empty()).then(|| Given::from(parts.to_vec()));
        let text = |value: &Option<String>| value.clone().map(Given::from);
        vec![
            ("INSIGHTS", list(&self.insights)),
            ("ORDERS", list(&self.orders)),
            ("MAP", text(&self.map)),
            ("MODE", text(&self.mode)),
            ("TIMEZONE", text(&self.timezone)),
            ("CURRENCY", text(&self.currency)),
            ("PEAK_HOURS", text(&self.peak_hours)),
            ("DAILY_CAP_TOTAL", text(&self.daily_cap)),
            ("BUDGET_DELTA_MAX", text(&self.delta_max)),
            ("CANARY_LIST", text(&self.canary_list)),
            ("LAMBDA_SPEND", text(&self.lambda_spend)),
            ("DAILY_BUDGET_TARGET", text(&self.daily_budget_target)),
            ("LAGRANGE_STEP", text(&self.lagrange_step)),
            ("BUDGETING", text(&self.budgeting)),
            ("SEED", text(&self.seed)),
            ("STORE", text(&self.store)),
            ("REPORT", text(&self.report)),
        ]
    }
}
