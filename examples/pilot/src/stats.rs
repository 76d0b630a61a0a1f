//! How long a run took, and how much memory: for `--stats`, never part of a result.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::table::grouped;

/// The stages of a run.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    stages: Vec<Stage>,
}

#[derive(Debug)]
struct Stage {
    name: &'static str,
    unit: &'static str,
    count: u64,
    took: Duration,
}

impl Stats {
    /// Does something and notes how long it took and how much of what it did.
    pub(crate) fn time<T, E>(
        &mut self,
        name: &'static str,
        unit: &'static str,
        work: impl FnOnce() -> Result<(T, u64), E>,
    ) -> Result<T, E> {
        let begun = now();
        let (done, count) = work()?;
        self.stages.push(Stage {
            name,
            unit,
            count,
            took: begun.elapsed(),
        });
        Ok(done)
    }

    /// A line per stage, and the peak of memory where the system tells it.
    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        for Stage {
            name,
            unit,
            count,
            took,
        } in &self.stages
        {
            let seconds = took.as_secs_f64();
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rate for people"
            )]
            let rate = if seconds > 0.0 {
                (*count as f64 / seconds) as u64
            } else {
                0
            };
            let (count, rate) = (grouped(*count), grouped(rate));
            let _ = writeln!(
                text,
                "{name:>10}: {count} {unit} in {seconds:.2} s, {rate} {unit}/s"
            );
        }
        if let Some(kib) = peak_kib() {
            let _ = writeln!(text, "      peak: {} MiB of memory", grouped(kib / 1024));
        }
        text
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program may look at the clock; no result does"
)]
fn now() -> Instant {
    Instant::now()
}

/// The largest resident set so far, as Linux tells it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
