//! Runs the simulated market against the real rollout, ledger and guardrails, for as long as
//! asked, and says what that proves.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints"
)]

mod report;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use gaelp_core::Seed;
use gaelp_sim::{Counters, Violation, run};

/// Runs seeds of the simulated market until the time or the seeds are over, on all cores.
///
/// Each seed is a week of an account with two or three ad sets, with faults drawn from the seed.
/// Exits with 1 and names the seed where an invariant was broken.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// For how long, in hours of real time.
    #[arg(long, conflicts_with = "seeds")]
    hours: Option<f64>,
    /// How many seeds; without this and without --hours, 20,000.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Simulated hours of each seed.
    #[arg(long, default_value_t = 168)]
    simulated_hours: u32,
    /// Threads; without this, one per core.
    #[arg(long)]
    threads: Option<usize>,
    /// Prints every counter.
    #[arg(long)]
    counters: bool,
    /// Goes on after a violation.
    #[arg(long)]
    keep_going: bool,
}

/// What all threads share.
#[derive(Debug)]
struct Shared {
    next: AtomicU64,
    end: u64,
    deadline: Option<Instant>,
    found: Mutex<Vec<(u64, Violation)>>,
    counters: Mutex<Counters>,
    done: AtomicU64,
}

#[expect(clippy::disallowed_methods, reason = "a program may look at the clock")]
fn now() -> Instant {
    Instant::now()
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let begun = now();
    let deadline = arguments
        .hours
        .and_then(|hours| Duration::try_from_secs_f64(hours * 3_600.0).ok())
        .and_then(|length| begun.checked_add(length));
    let seeds = match (deadline, arguments.seeds) {
        (Some(_), _) => u64::MAX - arguments.from,
        (None, seeds) => seeds.unwrap_or(20_000),
    };
    let shared = Shared {
        next: AtomicU64::new(arguments.from),
        end: arguments.from.saturating_add(seeds),
        deadline,
        found: Mutex::default(),
        counters: Mutex::default(),
        done: AtomicU64::new(0),
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = arguments.threads.unwrap_or(cores).max(1);
    let watched = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(&shared, &arguments)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().is_ok())
            .fold(true, |all, one| all & one)
    });
    let counters = shared
        .counters
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let found = shared
        .found
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let done = shared.done.load(Ordering::Relaxed);
    report::print(&report::Run {
        from: arguments.from,
        seeds: done,
        threads,
        took: begun.elapsed(),
        counters: &counters,
        all: arguments.counters,
    });
    for (seed, violation) in found.iter() {
        eprintln!("seed {seed}: {violation}");
    }
    if !watched {
        eprintln!("a thread panicked; its seed is named above");
    }
    if found.is_empty() && watched {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn work(shared: &Shared, arguments: &Arguments) {
    let mut counters = Counters::default();
    loop {
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        let over = shared.deadline.is_some_and(|deadline| now() >= deadline);
        if seed >= shared.end || over {
            break;
        }
        let outcome = match run(Seed::new(seed), arguments.simulated_hours) {
            Ok(outcome) => outcome,
            Err(error) => {
                eprintln!("seed {seed} cannot begin: {error}");
                break;
            }
        };
        counters.add(&outcome.counters);
        shared.done.fetch_add(1, Ordering::Relaxed);
        if let Some(first) = outcome.violations.into_iter().next() {
            let mut found = shared
                .found
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            found.push((seed, first));
            if !arguments.keep_going {
                shared.next.store(u64::MAX / 2, Ordering::Relaxed);
                break;
            }
        }
    }
    let mut all = shared
        .counters
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    all.add(&counters);
}
