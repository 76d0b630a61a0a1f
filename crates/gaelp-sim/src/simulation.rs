//! The market, the runners, the people and the faults, hour by hour.

mod beside;
mod check;
mod faults;
mod perform;
mod start;

use std::collections::BTreeMap;

use chrono::Duration;
use gaelp_core::{AdSetKey, HourSpan, Micros, Ratio, UtcHour};
use gaelp_ledger::{Book, Ledger, Limits};
use gaelp_rollout::{Checkpoint, Event, Rollout};

use crate::audit::{Audit, Delivered};
use crate::outcome::{Counters, Outcome, Violation};
use crate::runner::{Runner, ready};
use crate::spent::Spent;
use crate::{Border, Dice, FaultKind, Scenario, SharedLog, World, WorldError};
use faults::Armed;
pub use faults::{Crash, CrashPoint};

/// The stream of a seed that the course of events is drawn from.
const COURSE: u64 = 13;
/// In the last hours nothing goes wrong, so that everything open can come to rest.
const CALM_HOURS: u32 = 5;
/// How many steps without trouble a kill may take.
const KILL_STEPS: u32 = 4;
/// One seed in so many is replayed from its events.
const REPLAYED: u64 = 256;
/// One seed in so many is read anew from its log at the end.
const READ_ANEW: u64 = 8;

/// A run that is under way.
#[derive(Debug)]
pub struct Simulation {
    scenario: Scenario,
    border: Border,
    log: SharedLog,
    limits: Limits,
    /// The process that should run; `None` while it is down.
    main: Option<Box<Runner>>,
    /// Processes that were taken over and do not know it, and others that should not be.
    others: Vec<Box<Runner>>,
    /// Processes begun so far.
    begun: u32,
    /// When the main process is started again.
    restart_at: i64,
    disk: Disk,
    armed: Armed,
    audit: Audit,
    kill: Option<Kill>,
    /// The believable rows of each ad set that were ever handed out.
    delivered: BTreeMap<AdSetKey, Delivered>,
    /// What is added to the next runner's clock.
    ahead: i64,
    /// The first hour of the run.
    begin: UtcHour,
    /// The hour since which nothing was wrong.
    calm_since: UtcHour,
    dice: Dice,
    hash: blake3::Hasher,
    decided: blake3::Hasher,
    counters: Counters,
    violations: Vec<Violation>,
    replays: bool,
    /// Commands carried out.
    step: u64,
    /// Errors that contained the token when records were last searched for it.
    tokens_told: u64,
    /// Connections of processes that ended, which the next one takes over.
    retired: Vec<Ledger<SharedLog>>,
}

/// What outlives a process, besides the ledger.
#[derive(Debug, Default)]
struct Disk {
    latest: Option<Kept>,
    /// The one before.
    older: Option<Kept>,
}

/// A checkpoint, with what the process that made it had been told.
#[derive(Debug)]
struct Kept {
    checkpoint: Box<Checkpoint>,
    spent: Spent,
}

/// A kill switch that was pulled.
#[derive(Clone, Debug)]
struct Kill {
    /// What each ad set may not exceed any more.
    allowed: BTreeMap<AdSetKey, Micros>,
    /// What each was good at: where it goes back to after a person raised it.
    good: BTreeMap<AdSetKey, Micros>,
    /// Steps without trouble since.
    steps: u32,
}

/// Why a simulation cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The world cannot be.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The rollout refuses its configuration.
    #[error(transparent)]
    Rollout(#[from] gaelp_rollout::RolloutError),
}

/// Runs a seed for so many hours.
///
/// # Errors
/// [`SimulationError`] where what was drawn does not fit together.
///
/// ```
/// use gaelp_core::Seed;
///
/// let outcome = gaelp_sim::run(Seed::new(1), 48)?;
/// assert!(outcome.violations.is_empty());
/// assert_eq!(outcome.counters.hours, 48);
/// # Ok::<(), gaelp_sim::SimulationError>(())
/// ```
pub fn run(seed: gaelp_core::Seed, hours: u32) -> Result<Outcome, SimulationError> {
    Ok(Simulation::new(Scenario::drawn(seed, hours))?.run())
}

impl Simulation {
    /// A simulation of a scenario, at its first second.
    ///
    /// # Errors
    /// [`SimulationError`] where the scenario does not fit together.
    pub fn new(scenario: Scenario) -> Result<Self, SimulationError> {
        let seed = scenario.seed;
        let mut world = World::new(scenario.world.clone(), seed)?;
        world.advance(scenario.history.saturating_mul(3_600));
        let limits = Rollout::new(scenario.rollout.clone(), scenario.world.platforms.clone())?
            .limits()
            .clone();
        let lifetime = i64::from(scenario.rollout.request_lifetime_secs);
        let begin = world.hour();
        Ok(Self {
            border: Border::new(world, Duration::seconds(lifetime), seed),
            log: SharedLog::new(),
            limits,
            main: None,
            others: Vec::new(),
            begun: 0,
            restart_at: i64::MIN,
            disk: Disk::default(),
            armed: Armed::default(),
            audit: Audit::default(),
            kill: None,
            delivered: BTreeMap::new(),
            ahead: 0,
            begin,
            calm_since: begin,
            dice: Dice::new(seed, COURSE),
            hash: blake3::Hasher::new(),
            decided: blake3::Hasher::new(),
            counters: Counters::default(),
            violations: Vec::new(),
            replays: seed.get().is_multiple_of(REPLAYED),
            step: 0,
            tokens_told: 0,
            retired: Vec::new(),
            scenario,
        })
    }

    /// Kills the process at certain steps besides what is planned.
    #[must_use]
    pub fn with_crashes(mut self, crashes: impl IntoIterator<Item = Crash>) -> Self {
        self.armed.at_steps.extend(crashes);
        self
    }

    /// Replays the runners' events at their end, whatever the seed.
    #[must_use]
    pub fn with_replay(mut self) -> Self {
        self.replays = true;
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Outcome {
        for hour in 0..self.scenario.hours {
            self.hour(hour);
        }
        self.finish();
        let seed = self.scenario.seed;
        self.counters.injected = self.border.injected().clone();
        for day in self.border.world().truth().days() {
            for amount in day.spent.iter().chain(&day.high) {
                self.hash.update(&amount.get().to_le_bytes());
            }
        }
        Outcome {
            seed,
            hash: *self.hash.finalize().as_bytes(),
            decided: *self.decided.finalize().as_bytes(),
            counters: self.counters,
            violations: self.violations,
        }
    }

    fn hour(&mut self, number: u32) {
        let hour = self.border.world().hour();
        self.counters.hours += 1;
        let last = self.scenario.hours.saturating_sub(CALM_HOURS);
        if number == last {
            self.calm_down();
        }
        self.begin_faults(number);
        let people = self.people();
        // The loop wakes up within the first minutes.
        let wakes = self.dice.between(1, 150);
        for (second, act) in people.iter().filter(|(second, _)| *second < wakes) {
            self.until(hour, *second);
            self.act(act);
        }
        self.until(hour, wakes);
        self.wake(hour);
        self.work(hour);
        for (second, act) in people.iter().filter(|(second, _)| *second >= wakes) {
            self.until(hour, *second);
            self.act(act);
            self.work(hour);
        }
        // A process that died within the hour is started again in it or later.
        if self.main.is_none() && self.restart_at < hour.plus(1).start().timestamp() {
            let second = self.restart_at - hour.start().timestamp();
            self.until(hour, second);
            self.wake(hour);
            self.work(hour);
        }
        self.until(hour, 3_600);
        self.look();
        self.end_hour();
    }

    /// Lets time pass until a second of the hour; never back.
    fn until(&mut self, hour: UtcHour, second: i64) {
        let target = hour.start().timestamp() + second;
        let now = self.border.world().now().timestamp();
        if let Ok(seconds) = u32::try_from(target - now) {
            self.border.world_mut().advance(seconds);
        }
    }

    /// Begins the hour's step in every process.
    fn wake(&mut self, hour: UtcHour) {
        let truth = self.border.world().now();
        if self.main.is_none() && truth.timestamp() >= self.restart_at {
            self.start(hour);
        }
        let steps = self.main.iter_mut().chain(&mut self.others);
        for runner in steps {
            let at = UtcHour::containing(runner.now(truth));
            if !runner.reconciled || !runner.queue.is_empty() {
                continue;
            }
            if runner.rollout.decided_to().is_some_and(|to| at < to) {
                self.counters.branch("step/decided_already");
                continue;
            }
            let span = HourSpan::hour(at);
            if let Err(error) = runner.tell(truth, Event::StepBegins { span }) {
                self.violations.push(out_of_turn(&error));
            }
        }
    }

    /// Carries out commands until all processes wait for the next hour; whose comes first is
    /// drawn.
    fn work(&mut self, hour: UtcHour) {
        loop {
            let busy = |runner: &Runner| !runner.queue.is_empty();
            let main = self.main.as_deref().is_some_and(busy);
            let other = self.others.iter().position(|other| busy(other));
            let turn = match (main, other) {
                (false, None) => break,
                (true, None) => None,
                (false, other) => other,
                (true, other) => other.filter(|_| self.dice.chance(Ratio::from_ppm(500_000))),
            };
            let place = match turn {
                None => self.main.take(),
                Some(index) => Some(self.others.swap_remove(index)),
            };
            let Some(mut runner) = place else { break };
            self.step += 1;
            let lives = self.perform(&mut runner);
            self.look_with(Some(runner.book()));
            if !lives {
                self.died(runner, turn.is_none());
                continue;
            }
            if runner.queue.is_empty() {
                self.rest(&mut runner, hour);
            }
            match turn {
                None => self.main = Some(runner),
                Some(_) => self.others.push(runner),
            }
            if turn.is_none() {
                self.jump();
                self.split_brain(hour);
            }
        }
    }

    /// A step is over: what was recorded is kept.
    fn rest(&mut self, runner: &mut Runner, hour: UtcHour) {
        self.commit(runner);
        runner.pending.clear();
        if runner.reconciled {
            return;
        }
        runner.reconciled = true;
        let truth = self.border.world().now();
        let at = UtcHour::containing(runner.now(truth));
        if runner.rollout.decided_to().is_none_or(|to| at >= to) && at == hour {
            let span = HourSpan::hour(at);
            if let Err(error) = runner.tell(truth, Event::StepBegins { span }) {
                self.violations.push(out_of_turn(&error));
            }
        }
    }

    /// Compares the world with what the main process believes.
    fn look(&mut self) {
        let main = self.main.take();
        self.look_with(main.as_deref().map(Runner::book));
        self.main = main;
    }

    /// Compares the world with a book, where that is the latest.
    fn look_with(&mut self, book: Option<&Book>) {
        let appended = self.log.take_appended();
        let (audit, found) = (&mut self.audit, &mut self.violations);
        audit.read(&appended, &mut self.counters, found);
        let latest = book.filter(|book| audit.is_latest(book));
        let cap = self.scenario.rollout.guardrails.daily_cap;
        audit.look(self.border.world(), cap, latest, found);
    }

    fn end_hour(&mut self) {
        let cap = self.scenario.rollout.guardrails.daily_cap;
        let found = &mut self.violations;
        self.audit.end_hour(self.border.world(), cap, found);
        let now = self.border.world().hour();
        let ended: Vec<Box<Runner>> = self
            .others
            .extract_if(.., |other| other.until.is_some_and(|until| until <= now))
            .collect();
        for other in ended {
            self.counters.branch("recovery/zombie_ended");
            self.retire(other);
        }
        let calm = self.border.is_calm() && self.main.is_some() && !self.armed.busy();
        if !calm {
            self.calm_since = now;
        }
        self.check_kill(calm);
    }

    /// I7: once killed, everything comes down within some steps that nothing disturbs.
    fn check_kill(&mut self, calm: bool) {
        let Some(kill) = &mut self.kill else { return };
        kill.steps = if calm { kill.steps + 1 } else { 0 };
        if kill.steps < KILL_STEPS {
            return;
        }
        self.counters.branch("kill/checked");
        let world = self.border.world();
        for (key, &allowed) in &kill.allowed {
            let Some(live) = world.standing(key) else {
                continue;
            };
            if live > allowed && !self.audit.unseen(world, key) {
                self.violations.push(Violation::StillUp {
                    key: key.clone(),
                    live,
                    allowed,
                });
            }
        }
    }

    fn finish(&mut self) {
        self.look();
        let mut main = self.main.take();
        if let Some(main) = &mut main {
            // An operator's last word may be newer than its last look.
            let refreshed = ready(main.ledger.refresh());
            if !matches!(refreshed, Some(Ok(_))) {
                let what = "the ledger cannot be read";
                self.violations.push(Violation::Stuck { what });
            }
            // I9: who followed the log and who reads it anew believe the same.
            let anew = self.scenario.seed.get().is_multiple_of(READ_ANEW) || self.replays;
            if anew && self.read_anew().as_ref() != Some(main.book()) {
                self.violations.push(Violation::Replay { what: "the book" });
            }
            self.settle(main.book());
        } else if self.restart_at + 3_600 < self.border.world().now().timestamp() {
            self.violations.push(Violation::Stuck {
                what: "no process runs",
            });
        }
        self.replay(main.as_deref());
        if self.audit.admitted() > 0 {
            self.counters.branch("run/wrote");
        }
    }

    /// The book as the whole log says.
    fn read_anew(&mut self) -> Option<Book> {
        self.counters.branch("replay/log");
        let opened = ready(Ledger::open(self.limits.clone(), self.log.clone()));
        opened?.ok().map(|ledger| ledger.book().clone())
    }

    /// I3, at the end: what was acknowledged is there, and every intent has come to one end.
    fn settle(&mut self, book: &Book) {
        let end = self.border.world().now();
        let acknowledged = self.log.acknowledged();
        self.audit
            .finish(book, acknowledged, end, &mut self.violations);
        self.hash.update(&book.head().0);
    }

    /// I9: the same events give the same commands, bit for bit.
    fn replay(&mut self, runner: Option<&Runner>) {
        let Some(runner) = runner else { return };
        let Some(history) = &runner.history else {
            return;
        };
        let mut config = self.scenario.rollout.clone();
        config.runner.clone_from(&runner.rollout.config().runner);
        let platforms = self.scenario.world.platforms.clone();
        let began = match runner.began_from.clone() {
            Some(checkpoint) => Rollout::restore(config, platforms, *checkpoint, runner.began_at),
            None => Rollout::new(config, platforms),
        };
        let Ok(mut rollout) = began else {
            self.violations
                .push(Violation::Replay { what: "the start" });
            return;
        };
        let mut said = blake3::Hasher::new();
        for (now, event) in history {
            if let Ok(commands) = rollout.handle(*now, event.clone()) {
                crate::runner::say(&mut said, &commands);
            }
        }
        self.counters.branch("replay/events");
        if said.finalize() != runner.said.finalize() {
            self.violations
                .push(Violation::Replay { what: "the events" });
        }
    }

    /// A process is gone with all that it did not keep.
    fn retire(&mut self, runner: Box<Runner>) {
        self.replay(Some(&runner));
        self.retired.push(runner.ledger);
    }

    /// A connection to the ledger: one that another process left and that catches up, or, now and
    /// then and wherever an entry is damaged, one that reads the whole log.
    fn connect(&mut self) -> Option<Ledger<SharedLog>> {
        let anew = self.log.damaged().is_some() || self.dice.chance(Ratio::from_ppm(20_000));
        if !anew && let Some(mut ledger) = self.retired.pop() {
            self.counters.branch("recovery/log_caught_up");
            let caught_up = ready(ledger.refresh()).is_some_and(|read| read.is_ok());
            if caught_up {
                return Some(ledger);
            }
            self.retired.push(ledger);
            return None;
        }
        self.counters.branch("recovery/log_read_anew");
        ready(Ledger::open(self.limits.clone(), self.log.clone()))?.ok()
    }

    fn count(&mut self, kind: FaultKind) {
        self.border.count(kind);
    }
}

fn out_of_turn(error: &gaelp_rollout::RolloutError) -> Violation {
    let what = match error {
        gaelp_rollout::RolloutError::OutOfTurn { what } => what,
        _ => "refused otherwise",
    };
    Violation::OutOfTurn { what }
}
