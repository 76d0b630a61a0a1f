//! Many seeds at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use gaelp_core::Seed;
use gaelp_sim::{FaultKind, Outcome};

/// A number from the environment, so that a programme can be made shorter or longer.
pub(crate) fn scaled(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|number| number.parse().ok())
        .unwrap_or(default)
}

/// Runs `each` for all numbers below `count`, on all cores.
pub(crate) fn on_all_cores(count: u64, each: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    each(number);
                }
            });
        }
    });
}

/// The seeds and their first violation, sorted; fails the test where there is any.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<Vec<String>>);

impl Failures {
    pub(crate) fn note(&self, outcome: &Outcome) {
        self.note_as(outcome.seed, "", outcome);
    }

    pub(crate) fn note_as(&self, seed: Seed, how: &str, outcome: &Outcome) {
        if let Some(first) = outcome.violations.first() {
            let kinds: Vec<&str> = outcome
                .counters
                .injected
                .kinds()
                .iter()
                .map(FaultKind::as_str)
                .collect();
            let text = format!("seed {}{how}: {first} with {}", seed.get(), kinds.join(" "));
            self.0.lock().unwrap().push(text);
        }
    }

    pub(crate) fn assert_none(&self) {
        let mut found = self.0.lock().unwrap();
        found.sort();
        let shown: Vec<&String> = found.iter().take(20).collect();
        assert!(
            found.is_empty(),
            "{} violations, among them {shown:#?}",
            found.len()
        );
    }
}
