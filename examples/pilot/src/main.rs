//! A command-line pilot: what gaelp would have done with your advertising budget, and why.

mod attribute;
mod cli;
mod error;
mod import;
mod live;
mod observe;
mod progress;
mod report;
mod run;
mod sample;
mod settings;
mod stats;
mod summarise;
mod summary;
mod table;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, RunArgs};
use crate::error::PilotError;
use crate::progress::Progress;
use crate::sample::SampleConfig;
use crate::settings::{SETTINGS, Settings};
use crate::stats::Stats;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Settings) => print(&list_settings()),
        Some(Command::Sample { out, seed, rows }) => write_samples(&out, seed, rows),
        Some(Command::Attribute(args)) => attribute::run(&args).map_err(PilotError::from),
        Some(Command::Live(command)) => live::run(&command),
        None => pilot(&cli.run),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even standard error is gone, the exit code still tells.
            let _ = writeln!(io::stderr(), "gaelp-pilot: {error}");
            error.exit_code()
        }
    }
}

fn pilot(args: &RunArgs) -> Result<(), PilotError> {
    let environment = |name: &str| std::env::var(name).ok();
    let settings = Settings::gather(args.config.as_deref(), environment, args.flags(), &args.set)?;
    let progress = if args.quiet {
        Progress::Hidden
    } else {
        Progress::Shown
    };
    let mut stats = Stats::default();
    let summary = run::run(&settings, progress, &mut stats)?;
    if args.stats {
        let _ = write!(io::stderr(), "{}", stats.lines());
    }
    if let Some(path) = settings.report() {
        let page = report::render(&summary)?;
        std::fs::write(&path, page).map_err(|source| PilotError::Output {
            path: path.clone(),
            source,
        })?;
        // Standard output is for the result alone.
        let _ = writeln!(io::stderr(), "report: {}", path.display());
    }
    if args.json {
        let mut text = serde_json::to_string_pretty(&summary)
            .map_err(io::Error::from)
            .map_err(|source| PilotError::Output {
                path: "standard output".into(),
                source,
            })?;
        text.push('\n');
        print(&text)
    } else {
        print(&table::render(&summary))
    }
}

fn write_samples(out: &Path, seed: Option<u64>, rows: Option<u64>) -> Result<(), PilotError> {
    let default = SampleConfig::default();
    let config = SampleConfig {
        seed: seed.unwrap_or(default.seed),
        rows,
        ..default
    };
    let written = sample::write(out, &config)?;
    print(&format!("{written}\n"))
}

/// Writes to standard output; a reader that has had enough is no error.
fn print(text: &str) -> Result<(), PilotError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(PilotError::Output {
            path: "standard output".into(),
            source,
        }),
        _ => Ok(()),
    }
}

fn list_settings() -> String {
    use std::fmt::Write;

    let mut text = String::from(
        "Settings, by the name that the environment and the configuration file use.\n\
         The command line wins over the environment, that over the file, that over the default.\n\n",
    );
    for (name, default, meaning) in SETTINGS {
        let default = if default.is_empty() { "-" } else { default };
        let _ = writeln!(text, "{name:<30} {default:<18} {meaning}");
    }
    text
}
