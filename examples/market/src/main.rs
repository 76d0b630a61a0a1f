//! A simulated advertising market as a process.

use std::io::{self, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Parser, ValueEnum};
use gaelp_core::{AccountZone, Currency};
use gaelp_market::{Faults, MarketConfig, Pace, World, serve};

/// A simulated market: ad platforms and a shop behind a line-delimited JSON protocol on loopback.
///
/// It prints `listening on 127.0.0.1:PORT` once it can be asked. Its time passes by itself, an hour
/// in so many real seconds, or on request.
#[derive(Debug, Parser)]
#[command(name = "gaelp-market", version)]
struct Cli {
    /// The port; 0 takes one that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The seed of traffic, sales and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many real seconds an hour takes; without it, time passes when a client says so.
    #[arg(long, value_name = "SECONDS")]
    seconds_per_hour: Option<f64>,
    /// How long a write is under way, there and back, in real milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MILLISECONDS")]
    latency_ms: u64,
    /// When it begins.
    #[arg(long, default_value = "2026-03-02T00:00:00Z", value_name = "TIME")]
    begin: DateTime<Utc>,
    /// The accounts' zone.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    timezone: AccountZone,
    /// The accounts' currency.
    #[arg(long, default_value = "USD", value_name = "CODE")]
    currency: Currency,
    /// What goes wrong.
    #[arg(long, value_enum, default_value_t = Weather::Calm)]
    faults: Weather,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Weather {
    /// Nothing goes wrong.
    Calm,
    /// A third of all writes go wrong, and some reads.
    Rough,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "gaelp-market: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Box<dyn std::error::Error>> {
    let faults = match cli.faults {
        Weather::Calm => Faults::none(),
        Weather::Rough => Faults::rough(),
    };
    let pace = match cli.seconds_per_hour {
        None => Pace::OnRequest,
        Some(seconds) => Pace::Hour(Duration::try_from_secs_f64(seconds)?),
    };
    let config = MarketConfig::sample(cli.seed, cli.begin, cli.timezone, cli.currency, faults)?;
    let world = World::new(config)?;
    let listener = TcpListener::bind(("127.0.0.1", cli.port))?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    serve(
        &listener,
        world,
        pace,
        Duration::from_millis(cli.latency_ms),
    )?;
    Ok(())
}
