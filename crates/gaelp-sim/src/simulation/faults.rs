//! Faults beyond the border, and what people do.

use std::collections::BTreeMap;

use gaelp_core::{AdSetKey, Micros, Ratio, Rounding, UtcHour};
use gaelp_ledger::Request;
use gaelp_platform::Delivery;
use gaelp_rollout::{Command, Event, Order};

use super::{Kill, Runner, Simulation, out_of_turn, ready};
use crate::{AdSetConfig, Dice, Edit, FaultKind, Mishap, Planned, Violation};

/// Where in a command a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CrashPoint {
    /// Before it has any effect.
    Before,
    /// When it took effect, before the process hears of it.
    After,
    /// In the middle: where the effect is a transaction, its log has a torn tail.
    Torn,
}

/// A process that dies at a certain command, counted from the first of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Crash {
    /// Which command, the first being 1.
    pub step: u64,
    /// Where in it.
    pub point: CrashPoint,
}

/// Faults that wait for their moment, and those that last.
#[derive(Debug, Default)]
pub(super) struct Armed {
    /// Crashes at certain commands.
    pub(super) at_steps: Vec<Crash>,
    /// Crashes at the next command of a kind, after some have passed.
    crashes: Vec<(FaultKind, u64)>,
    /// Troubles of the next transactions.
    mishaps: Vec<FaultKind>,
    /// Commands until a second runner takes over, and for how long the first goes on.
    split: Option<(u64, u32)>,
    /// Commands until the clock jumps, and to where.
    jump: Option<(u64, i64, FaultKind)>,
    /// What the next start is tried with.
    pub(super) bad_starts: Vec<Planned>,
    /// Whether the journal fails at the next commit.
    pub(super) journal_fails: bool,
    busy_until: Option<UtcHour>,
    damaged_until: Option<UtcHour>,
    skewed_until: Option<UtcHour>,
    /// What people will do later.
    later: Vec<(UtcHour, Act)>,
}

/// What a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// To an ad set, in the platform's own interface.
    Edit(AdSetKey, Edit, FaultKind),
    /// Makes a new ad set.
    Create,
    /// Tells the rollout, or the ledger by another process.
    Order(Order),
}

impl Armed {
    /// Whether something beyond the border is wrong.
    pub(super) fn busy(&self) -> bool {
        self.busy_until.is_some() || self.damaged_until.is_some() || self.skewed_until.is_some()
    }

    /// Whether the process dies at this command, and where.
    pub(super) fn crash(
        &mut self,
        step: u64,
        command: &Command,
    ) -> Option<(Option<FaultKind>, CrashPoint)> {
        if let Some(at) = self.at_steps.iter().position(|crash| crash.step == step) {
            return Some((None, self.at_steps.swap_remove(at).point));
        }
        let kind = match command {
            Command::Ledger(_) => FaultKind::CrashAtLedger,
            Command::Write { .. } => FaultKind::CrashAtPlatform,
            Command::Record(_) => FaultKind::CrashAtJournal,
            _ => return None,
        };
        let index = self.crashes.iter().position(|(of, _)| *of == kind)?;
        let (_, details) = &mut self.crashes[index];
        if *details % 6 > 0 {
            *details -= 1;
            return None;
        }
        let point = match *details / 6 % 3 {
            0 => CrashPoint::Before,
            1 => CrashPoint::After,
            _ => CrashPoint::Torn,
        };
        self.crashes.swap_remove(index);
        Some((Some(kind), point))
    }

    /// What happens to this transaction.
    pub(super) fn mishap(&mut self) -> Option<(FaultKind, Mishap)> {
        let kind = self.mishaps.pop()?;
        let mishap = match kind {
            FaultKind::StoreUnknown => Mishap::After,
            _ => Mishap::Torn,
        };
        Some((kind, mishap))
    }
}

impl Simulation {
    /// What is planned for this hour begins, and what lasted until now ends.
    pub(super) fn begin_faults(&mut self, number: u32) {
        let now = self.border.world().hour();
        self.end_faults(now);
        if self.scenario.plan.kinds().contains(FaultKind::UnevenDay) {
            let today = self.border.world().truth().today();
            let uneven = today.end - today.begin != 86_400 || today.begin % 3_600 != 0;
            if uneven && now.start().timestamp() - today.begin < 3_600 {
                self.count(FaultKind::UnevenDay);
            }
        }
        let planned: Vec<Planned> = self.scenario.plan.at(number).to_vec();
        for fault in planned {
            self.begin_fault(fault, now);
        }
    }

    fn begin_fault(&mut self, fault: Planned, now: UtcHour) {
        let until = now.plus(i32::try_from(fault.lasts).unwrap_or(1));
        match fault.kind {
            FaultKind::CrashAtLedger | FaultKind::CrashAtPlatform | FaultKind::CrashAtJournal => {
                self.armed.crashes.push((fault.kind, fault.details));
            }
            FaultKind::TornAppend | FaultKind::StoreUnknown => self.armed.mishaps.push(fault.kind),
            FaultKind::JournalFails => self.armed.journal_fails = true,
            FaultKind::StoreFails => {
                self.log.busy(true);
                self.armed.busy_until = Some(until);
            }
            FaultKind::CorruptLog => {
                let entries = self.audit.entries().max(1);
                self.log.damage(Some(fault.details % entries + 1));
                self.armed.damaged_until = Some(until);
                self.count(fault.kind);
                if fault.details.is_multiple_of(2) {
                    self.stop(now);
                }
            }
            FaultKind::SplitBrain => {
                self.armed.split = Some((fault.details % 20, fault.lasts));
            }
            FaultKind::PoisonedCheckpoint | FaultKind::CurrencyMismatch | FaultKind::FatFinger => {
                self.armed.bad_starts.push(fault);
                self.stop(now);
            }
            FaultKind::ClockSkew | FaultKind::ClockRegress => {
                let mut dice = Dice::new(gaelp_core::Seed::new(fault.details), 0);
                let ahead = match fault.kind {
                    FaultKind::ClockRegress => -dice.between(31, 7_200),
                    _ if dice.chance(Ratio::from_ppm(300_000)) => -dice.between(31, 900),
                    _ => dice.between(31, 900),
                };
                self.armed.skewed_until = Some(until);
                // Between two steps, or in the middle of one.
                if fault.details.is_multiple_of(2) {
                    self.set_clock(ahead);
                    self.count(fault.kind);
                } else {
                    self.armed.jump = Some((fault.details % 9, ahead, fault.kind));
                }
            }
            // People come in the course of the hour.
            _ => self.border.begin(fault),
        }
    }

    fn end_faults(&mut self, now: UtcHour) {
        let over = |until: &mut Option<UtcHour>| until.take_if(|until| *until <= now).is_some();
        if over(&mut self.armed.busy_until) {
            self.log.busy(false);
        }
        if over(&mut self.armed.damaged_until) {
            self.log.damage(None);
        }
        if over(&mut self.armed.skewed_until) {
            self.armed.jump = None;
            self.set_clock(0);
        }
    }

    /// The last hours: whatever is wrong is put right.
    pub(super) fn calm_down(&mut self) {
        self.border.calm();
        let at_steps = std::mem::take(&mut self.armed.at_steps);
        let orders: Vec<Act> = std::mem::take(&mut self.armed.later)
            .into_iter()
            .map(|(_, act)| act)
            .collect();
        self.armed = super::Armed {
            at_steps,
            ..super::Armed::default()
        };
        self.log.busy(false);
        self.log.damage(None);
        self.log.next(None);
        self.set_clock(0);
        for act in orders {
            self.act(&act);
        }
        let now = self.border.world().hour();
        for other in &mut self.others {
            other.until = Some(now);
        }
    }

    fn set_clock(&mut self, ahead: i64) {
        self.ahead = ahead;
        if let Some(main) = &mut self.main {
            main.ahead = ahead;
        }
    }

    /// The process is stopped by its operator, and started again within the hour.
    fn stop(&mut self, now: UtcHour) {
        if let Some(main) = self.main.take() {
            self.counters.branch("recovery/stopped");
            self.retire(main);
        }
        self.restart_at = now.start().timestamp();
    }

    /// The clock jumps in the middle of a step.
    pub(super) fn jump(&mut self) {
        let Some((commands, ahead, kind)) = &mut self.armed.jump else {
            return;
        };
        if *commands > 0 {
            *commands -= 1;
            return;
        }
        let (ahead, kind) = (*ahead, *kind);
        self.armed.jump = None;
        self.set_clock(ahead);
        self.count(kind);
    }

    /// A second runner takes over in the middle of the first one's step.
    pub(super) fn split_brain(&mut self, hour: UtcHour) {
        let Some((commands, lasts)) = &mut self.armed.split else {
            return;
        };
        if *commands > 0 {
            *commands -= 1;
            return;
        }
        let lasts = i32::try_from(*lasts).unwrap_or(1);
        self.armed.split = None;
        let Some(mut zombie) = self.main.take() else {
            return;
        };
        zombie.until = Some(hour.plus(lasts));
        if !zombie.queue.is_empty() {
            self.counters.branch("split/in_the_middle");
        }
        self.others.push(zombie);
        self.count(FaultKind::SplitBrain);
        self.start(hour);
    }

    /// A process died: it is gone with all that it did not keep.
    pub(super) fn died(&mut self, runner: Box<Runner>, main: bool) {
        self.counters.branch("recovery/died");
        if !runner.reconciled {
            self.counters.branch("recovery/died_in_recovery");
        }
        self.retire(runner);
        if main {
            let now = self.border.world().now().timestamp();
            let last =
                self.counters.hours + u64::from(super::CALM_HOURS) > u64::from(self.scenario.hours);
            self.restart_at = if last || self.dice.chance(Ratio::from_ppm(600_000)) {
                now + self.dice.between(2, 240)
            } else {
                now + self.dice.between(240, 3 * 3_600)
            };
        }
    }

    /// What people do in this hour, by its second.
    pub(super) fn people(&mut self) -> Vec<(i64, Act)> {
        let now = self.border.world().hour();
        let begin = self.begin;
        let number = u32::try_from(now.since(begin)).unwrap_or(0);
        let planned: Vec<Planned> = self.scenario.plan.at(number).to_vec();
        let mut acts = Vec::new();
        let due = self.armed.later.extract_if(.., |(at, _)| *at <= now);
        acts.extend(due.map(|(_, act)| act));
        for fault in planned {
            let until = now.plus(i32::try_from(fault.lasts).unwrap_or(1));
            self.plan_act(fault, until, &mut acts);
        }
        let mut timed: Vec<(i64, Act)> = acts
            .into_iter()
            .map(|act| (self.dice.between(0, 3_599), act))
            .collect();
        timed.sort_by_key(|(second, _)| *second);
        timed
    }

    fn plan_act(&mut self, fault: Planned, until: UtcHour, acts: &mut Vec<Act>) {
        let world = self.border.world();
        let keys: Vec<AdSetKey> = world.keys().cloned().collect();
        let mut dice = Dice::new(gaelp_core::Seed::new(fault.details), 1);
        let Some(key) = dice.pick(&keys) else { return };
        let standing = world.standing(key).unwrap_or(Micros::ZERO);
        let mut scaled = |low: i64, high: i64| {
            let ratio = Ratio::from_ppm(dice.between(low, high));
            let to = standing.checked_scale(ratio, Rounding::Down)?;
            let mut platforms = world.platforms().iter();
            let platform = platforms.find(|p| p.platform == key.platform)?;
            platform.accept(to).ok()
        };
        let later = &mut self.armed.later;
        match fault.kind {
            FaultKind::HumanRaise => {
                if let Some(to) = scaled(1_050_000, 2_500_000) {
                    acts.push(Act::Edit(key.clone(), Edit::Budget(to), fault.kind));
                }
            }
            FaultKind::HumanLower => {
                if let Some(to) = scaled(300_000, 950_000) {
                    acts.push(Act::Edit(key.clone(), Edit::Budget(to), fault.kind));
                }
            }
            FaultKind::HumanPause => {
                let act = |delivery| Act::Edit(key.clone(), Edit::Delivery(delivery), fault.kind);
                acts.push(act(Delivery::Paused));
                later.push((until, act(Delivery::Active)));
            }
            FaultKind::HumanRemove if fault.details.is_multiple_of(2) => acts.push(Act::Create),
            FaultKind::HumanRemove => {
                acts.push(Act::Edit(key.clone(), Edit::Remove, fault.kind));
            }
            FaultKind::OperatorKill => {
                acts.push(Act::Order(Order::Kill));
                later.push((until.plus(4), Act::Order(Order::Rearm)));
            }
            FaultKind::OperatorPause => {
                acts.push(Act::Order(Order::Pause));
                later.push((until, Act::Order(Order::Resume)));
            }
            _ => {}
        }
    }

    /// A person acts.
    pub(super) fn act(&mut self, act: &Act) {
        match act {
            Act::Edit(key, edit, kind) => {
                if self.border.world_mut().human(key, edit) {
                    self.count(*kind);
                    self.raised_while_killed(key, edit);
                }
            }
            Act::Create => {
                let world = self.border.world_mut();
                let number = world.keys().count();
                let Some(platform) = world.platforms().first().map(|p| p.platform.clone()) else {
                    return;
                };
                let key = AdSetKey::new(platform, format!("new-{number}"));
                let config = AdSetConfig::new(key, Micros::new(2_000_000));
                if world.create(config).is_ok() {
                    self.count(FaultKind::HumanRemove);
                }
            }
            Act::Order(order) => self.order(*order),
        }
        self.look();
    }

    /// A person's raise after the kill comes down to the last known good, which may lie above what
    /// stood at the kill.
    fn raised_while_killed(&mut self, key: &AdSetKey, edit: &Edit) {
        if let (Some(kill), Edit::Budget(_)) = (&mut self.kill, edit)
            && let (Some(allowed), Some(good)) = (kill.allowed.get_mut(key), kill.good.get(key))
        {
            *allowed = (*allowed).max(*good);
        }
    }

    /// An operator tells the process, or the ledger behind its back.
    fn order(&mut self, order: Order) {
        let truth = self.border.world().now();
        let heard = match &mut self.main {
            Some(main) if self.dice.chance(Ratio::from_ppm(750_000)) => {
                if let Err(error) = main.tell(truth, Event::Operator(order)) {
                    self.violations.push(out_of_turn(&error));
                }
                true
            }
            _ => self.order_behind(order),
        };
        if !heard {
            self.counters.branch("operator/not_heard");
            // They try again.
            let next = self.border.world().hour().plus(1);
            self.armed.later.push((next, Act::Order(order)));
            return;
        }
        match order {
            Order::Kill => {
                self.count(FaultKind::OperatorKill);
                self.counters.branch("operator/kill");
                self.pulled();
            }
            Order::Rearm => {
                self.counters.branch("operator/rearm");
                self.kill = None;
            }
            Order::Pause => {
                self.count(FaultKind::OperatorPause);
                self.counters.branch("operator/pause");
            }
            _ => self.counters.branch("operator/resume"),
        }
    }

    /// Somebody looks at an emergency, and ends it some hours later.
    pub(super) fn rearm_later(&mut self) {
        let hours = i32::try_from(self.dice.between(2, 8)).unwrap_or(2);
        let at = self.border.world().hour().plus(hours);
        for order in [Order::Rearm, Order::Resume] {
            self.armed.later.push((at, Act::Order(order)));
        }
    }

    /// The operator's own process speaks to the ledger.
    fn order_behind(&mut self, order: Order) -> bool {
        let order = match order {
            Order::Kill => gaelp_ledger::Order::Kill,
            Order::Rearm => gaelp_ledger::Order::Rearm,
            Order::Pause => gaelp_ledger::Order::Pause,
            _ => gaelp_ledger::Order::Resume,
        };
        let Some(mut ledger) = self.connect() else {
            return false;
        };
        let at = self.border.world().now();
        let by = "operator".to_owned();
        let request = Request::Order { order, by, at };
        {
            let reply = ready(ledger.execute(request));
            self.retired.push(ledger);
            matches!(reply, Some(Ok(gaelp_ledger::Reply::Ordered)))
        }
    }

    /// From now on every ad set that may be written to must come down to the least of what stands
    /// and what is known to be good, or as low as its platform lets it. The ledger knows what was
    /// good up to this hour's decision; that may have found the last hour's budget good.
    fn pulled(&mut self) {
        let rules = &self.scenario.rollout.guardrails;
        let world = self.border.world();
        let book = self.main.as_deref().map(Runner::book);
        let named = |key: &AdSetKey| {
            let listed = rules.canary.as_ref();
            listed.is_some_and(|list| list.contains(&key.ad_set))
        };
        let may = |key: &AdSetKey| {
            let standing = world.standing(key)?;
            let mut platforms = world.platforms().iter();
            let platform = platforms.find(|p| p.platform == key.platform)?;
            let good = book
                .and_then(|book| book.known_good(key))
                .unwrap_or(standing);
            let good = good.max(self.audit.last_hour(world, key).unwrap_or(standing));
            // Good is counted as an hourly rate, rounded down.
            let good = good.checked_add(Micros::new(24)).unwrap_or(good);
            let least = platform.minimum_daily_budget;
            Some((key.clone(), standing.min(good).max(least), good.max(least)))
        };
        let (mut allowed, mut goods) = (BTreeMap::new(), BTreeMap::new());
        for (key, most, good) in world.keys().filter(|key| named(key)).filter_map(may) {
            allowed.insert(key.clone(), most);
            goods.insert(key, good);
        }
        self.kill = Some(Kill {
            allowed,
            good: goods,
            steps: 0,
        });
    }

    /// Whether violations were found; for tests that stop at the first.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}
