//! Processes begin: from nothing, from a checkpoint, from one that was tampered with.

use std::collections::{BTreeMap, VecDeque};

use gaelp_core::{Micros, Ratio, UtcHour};
use gaelp_rollout::{Checkpoint, Event, Rollout, RolloutConfig};

use super::{Runner, Simulation, out_of_turn};
use crate::spent::Spent;
use crate::{FaultKind, Planned, Violation};

/// How long it takes until a person has put a configuration right, in seconds.
const REPAIR: i64 = 3_600;

/// What a process begins from.
#[derive(Debug, Default)]
struct Began {
    checkpoint: Option<Box<Checkpoint>>,
    /// What it was told of the last hours.
    spent: Spent,
}

impl Simulation {
    /// Starts the main process, where it can be.
    pub(super) fn start(&mut self, hour: UtcHour) {
        let now = self.border.world().now().timestamp();
        let mut poisoned = None;
        for fault in std::mem::take(&mut self.armed.bad_starts) {
            match fault.kind {
                FaultKind::PoisonedCheckpoint => poisoned = Some(fault),
                kind => {
                    self.count(kind);
                    if self.refused(fault) {
                        self.counters.branch("recovery/start_refused");
                        self.restart_at = now + REPAIR;
                    }
                }
            }
        }
        if self.restart_at > now {
            return;
        }
        let Some(ledger) = self.connect() else {
            self.counters.branch("recovery/ledger_refused");
            self.restart_at = now + 2 * REPAIR;
            return;
        };
        if self
            .log
            .damaged()
            .is_some_and(|seq| seq <= ledger.book().seq())
        {
            self.violations.push(Violation::Accepted {
                what: "a damaged log",
            });
        }
        let Some((rollout, kept)) = self.restored(hour, poisoned) else {
            self.violations.push(Violation::Start);
            return;
        };
        let mut runner = Runner {
            rollout,
            ledger,
            queue: VecDeque::new(),
            records: Vec::new(),
            pending: BTreeMap::new(),
            ahead: self.ahead,
            until: None,
            reconciled: false,
            history: self.replays.then(Vec::new),
            said: blake3::Hasher::new(),
            spent: kept.spent,
            began_from: kept.checkpoint,
            began_at: hour,
            ordered: None,
            asked: BTreeMap::new(),
            applied: Vec::new(),
        };
        let truth = self.border.world().now();
        if let Err(error) = runner.tell(truth, Event::Reconciles { at: hour }) {
            self.violations.push(out_of_turn(&error));
        }
        self.main = Some(Box::new(runner));
    }

    fn config(&mut self) -> RolloutConfig {
        self.begun += 1;
        RolloutConfig {
            runner: format!("runner-{}", self.begun),
            ..self.scenario.rollout.clone()
        }
    }

    /// A rollout from the latest checkpoint that can be believed, or from nothing.
    fn restored(&mut self, hour: UtcHour, poisoned: Option<Planned>) -> Option<(Rollout, Began)> {
        let config = self.config();
        let platforms = self.scenario.world.platforms.clone();
        if let (Some(fault), Some(kept)) = (poisoned, &self.disk.latest) {
            let bad = poison(&kept.checkpoint, fault.details);
            self.count(FaultKind::PoisonedCheckpoint);
            if let Some(bad) = bad {
                match Rollout::restore(config.clone(), platforms.clone(), bad, hour) {
                    Ok(_) => self.violations.push(Violation::Accepted {
                        what: "a poisoned checkpoint",
                    }),
                    Err(_) => self.counters.branch("recovery/checkpoint_refused"),
                }
            } else {
                self.counters.branch("recovery/checkpoint_unreadable");
            }
            self.disk.latest = self.disk.older.take();
        }
        // The hour by the clock that the process will have.
        let seen =
            UtcHour::containing(self.border.world().now() + chrono::Duration::seconds(self.ahead));
        for kept in [&self.disk.latest, &self.disk.older].into_iter().flatten() {
            let restored = Rollout::restore(
                config.clone(),
                platforms.clone(),
                (*kept.checkpoint).clone(),
                seen,
            );
            match restored {
                Ok(rollout) => {
                    self.counters.branch("recovery/restored");
                    let began = Began {
                        checkpoint: Some(kept.checkpoint.clone()),
                        spent: kept.spent.clone(),
                    };
                    return Some((rollout, began));
                }
                Err(_) => self.counters.branch("recovery/checkpoint_of_the_future"),
            }
        }
        self.counters.branch(if self.begun == 1 {
            "recovery/first_start"
        } else {
            "recovery/from_nothing"
        });
        Some((Rollout::new(config, platforms).ok()?, Began::default()))
    }

    /// Whether a start that must be refused is refused.
    fn refused(&mut self, fault: Planned) -> bool {
        let mut config = self.scenario.rollout.clone();
        let mut platforms = self.scenario.world.platforms.clone();
        let what = if fault.kind == FaultKind::CurrencyMismatch {
            if let Some(first) = platforms.first_mut()
                && let Ok(euro) = "EUR".parse()
                && let Ok(other) = first.with(|platform| platform.currency = euro)
            {
                *first = other;
            }
            "another currency"
        } else {
            slip(&mut config, fault.details);
            "a slipped figure"
        };
        let refused = Rollout::new(config, platforms).is_err();
        if !refused {
            self.violations.push(Violation::Accepted { what });
        }
        refused
    }
}

/// A figure of the configuration slips.
fn slip(config: &mut RolloutConfig, details: u64) {
    let rules = &mut config.guardrails;
    match details % 9 {
        0 => rules.delta_max = Ratio::from_ppm(10_000_000),
        1 => rules.delta_max_24h = Ratio::from_ppm(300_000_000),
        2 => rules.daily_cap = Micros::ZERO,
        3 => rules.daily_cap = Micros::new(-10_000_000),
        4 => rules.hourly_ceiling = Micros::new(1),
        5 => rules.canary = None,
        6 => config.multipliers = vec![Ratio::from_ppm(50_000_000), Ratio::ONE],
        7 => config.send_within_secs = 0,
        _ => config.lambda_spend = Ratio::from_ppm(-200_000),
    }
}

/// A checkpoint with a figure that cannot be; `None` where it cannot even be read.
fn poison(checkpoint: &Checkpoint, details: u64) -> Option<Checkpoint> {
    let text = serde_json::to_string(checkpoint).ok()?;
    let poisoned = match details % 6 {
        0 => text.replacen("\"format\":1", "\"format\":9", 1),
        1 => text.replacen("\"lambda\":", "\"lambda\":-7", 1),
        2 => text.replacen("\"decided_to\":", "\"decided_to\":9", 1),
        3 => text.replacen('{', "{\"unknown\":1,", 1),
        4 => text.replacen("\"budget\":", "\"budget\":-5", 1),
        _ => text.chars().take(text.len() / 2).collect(),
    };
    // Where the figure was not there, nothing was poisoned.
    if poisoned == text {
        return None;
    }
    serde_json::from_str(&poisoned).ok()
}
