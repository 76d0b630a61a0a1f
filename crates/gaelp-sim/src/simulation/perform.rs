//! One command is carried out, with everything that can happen on the way.

use chrono::{DateTime, Utc};
use gaelp_core::{Micros, Ratio};
use gaelp_ledger::{BudgetsRead, LedgerError, Refusal, Reply, Request};
use gaelp_platform::{PlatformError, Report, SetBudget, WriteOutcome};
use gaelp_rollout::{
    ActionRecord, ActionStatus, AlertKind, Command, Event, LedgerAnswer, LedgerCall, LedgerTrouble,
    PlanOutcome, Record,
};

use super::{CrashPoint, Kept, Runner, Simulation, out_of_turn, ready};
use crate::audit::Delivered;
use crate::outcome::Barred;
use crate::{FaultKind, Mishap, TOKEN, Violation};

impl Simulation {
    /// Carries out a process's next command; says whether the process lives on.
    pub(super) fn perform(&mut self, runner: &mut Runner) -> bool {
        let Some(command) = runner.queue.pop_front() else {
            return true;
        };
        self.counters.steps += 1;
        let takes = self.dice.between(0, 2);
        self.pass(takes);
        let crash = self.crashes_at(&command);
        let event = match (crash, command) {
            (Some(CrashPoint::Before), _) => return false,
            (None, Command::Record(records)) => {
                self.record(runner, records);
                return true;
            }
            (Some(point), Command::Record(records)) => {
                self.record(runner, records);
                if point == CrashPoint::After {
                    self.commit(runner);
                }
                return false;
            }
            (_, Command::Ledger(request)) => match self.ask(runner, *request, crash) {
                Some(event) => event,
                None => return false,
            },
            (_, command) => match self.outside(runner, command) {
                Some(event) => event,
                None => return true,
            },
        };
        if crash.is_some() {
            return false;
        }
        let truth = self.border.world().now();
        if let Err(error) = runner.tell(truth, event) {
            self.violations.push(out_of_turn(&error));
        }
        true
    }

    /// Whether the process dies at this command, and where; counts it.
    fn crashes_at(&mut self, command: &Command) -> Option<CrashPoint> {
        let (kind, point) = self.armed.crash(self.step, command)?;
        if let Some(kind) = kind {
            self.count(kind);
        }
        self.counters.branch(match command {
            Command::Ledger(_) => "crash/ledger",
            Command::Write { .. } => "crash/platform",
            Command::Record(_) => "crash/journal",
            _ => "crash/read",
        });
        Some(point)
    }

    /// Reads from and writes to the world; nothing for commands that are not known.
    fn outside(&mut self, runner: &mut Runner, command: Command) -> Option<Event> {
        let platforms = &self.scenario.world.platforms;
        let event = match command {
            Command::ReadReport { platform, span } => {
                let found = platforms.iter().find(|p| p.platform == platform)?;
                match self.border.report(found, span) {
                    Ok(report) => {
                        self.note_delivered(&report);
                        Event::Reported { platform, report }
                    }
                    Err(error) => Event::ReportFailed {
                        platform,
                        kind: error.kind(),
                    },
                }
            }
            Command::ReadBudgets { platform } => {
                let found = platforms.iter().find(|p| p.platform == platform)?;
                let asked = runner.now(self.border.world().now());
                runner.asked.insert(platform.clone(), asked);
                match self.border.budgets(found) {
                    Ok(readings) => {
                        runner.spent.list(&readings);
                        Event::Budgets { platform, readings }
                    }
                    Err(error) => Event::BudgetsFailed {
                        platform,
                        kind: error.kind(),
                    },
                }
            }
            Command::ReadOrders { span } => match self.border.orders(span) {
                Ok(events) => {
                    let amounts = events.iter().map(|event| event.amount);
                    runner.ordered = Micros::checked_sum(amounts);
                    Event::Orders { events }
                }
                Err(error) => Event::OrdersFailed { kind: error.kind() },
            },
            Command::Write {
                request, not_after, ..
            } => {
                let outcome = self.send(runner, &request, not_after);
                Event::Wrote {
                    key: request.key,
                    decision: request.decision,
                    outcome,
                }
            }
            _ => return None,
        };
        Some(event)
    }

    /// Sends a write where it is not too late.
    fn send(
        &mut self,
        runner: &mut Runner,
        request: &SetBudget,
        not_after: DateTime<Utc>,
    ) -> WriteOutcome {
        // Now and then a process is stopped for minutes, just before it sends.
        if self.dice.chance(Ratio::from_ppm(30_000)) {
            let stopped = self.dice.between(1, 500);
            self.pass(stopped);
        }
        if runner.now(self.border.world().now()) > not_after {
            self.counters.branch("write/too_late");
            return WriteOutcome::Rejected(PlatformError::rejected("it was too late to send it"));
        }
        self.write(runner, request)
    }

    fn pass(&mut self, seconds: i64) {
        let seconds = u32::try_from(seconds).unwrap_or(0);
        self.border.world_mut().advance(seconds);
    }

    fn note_delivered(&mut self, report: &Report) {
        let now = self.border.world().hour();
        for row in &report.rows {
            if row.span.to > now || row.metrics.spend.is_negative() {
                continue;
            }
            if let Some(delivered) = self.delivered.get_mut(&row.key) {
                delivered.note(row.span.from);
            } else {
                let mut first = Delivered::NONE;
                first.note(row.span.from);
                self.delivered.insert(row.key.clone(), first);
            }
        }
    }

    /// Asks the ledger; nothing where the process dies of it.
    fn ask(
        &mut self,
        runner: &mut Runner,
        request: Request,
        crash: Option<CrashPoint>,
    ) -> Option<Event> {
        // Whatever the ledger admits must be explained by what is written down.
        if !self.commit(runner) {
            return None;
        }
        let mishap = match crash {
            Some(CrashPoint::Torn) => Some(Mishap::Torn),
            Some(_) => Some(Mishap::After),
            None => self.armed.mishap().map(|(kind, mishap)| {
                self.count(kind);
                mishap
            }),
        };
        self.log.next(mishap);
        let call = LedgerCall::of(&request);
        if let Request::Observe(observation) = &request {
            let ahead = |read: &BudgetsRead| {
                let asked = runner.asked.get(&read.platform);
                asked.is_none_or(|asked| read.began > *asked)
            };
            // Where the clock itself jumped, it proves nothing.
            let jumps = [FaultKind::ClockSkew, FaultKind::ClockRegress];
            let struck = self.border.injected().kinds();
            let steady = !jumps.iter().any(|kind| struck.contains(*kind));
            if steady && observation.reads.iter().any(ahead) {
                self.violations.push(Violation::ReadAhead);
            }
        }
        let before = runner.book().operator();
        let result = ready(runner.ledger.execute(request));
        self.log.next(None);
        if crash.is_some() {
            return None;
        }
        let answer = match result {
            Some(Ok(reply)) => {
                self.replied(runner, &reply, before);
                let book = Box::new(runner.book().clone());
                Ok(LedgerAnswer { reply, book })
            }
            Some(Err(LedgerError::Store(error))) => {
                if error == crate::LogFailed::Busy {
                    self.count(FaultKind::StoreFails);
                }
                self.counters.branch("ledger/unavailable");
                Err(LedgerTrouble::Unavailable)
            }
            _ => {
                self.counters.branch("ledger/damaged");
                Err(LedgerTrouble::Damaged)
            }
        };
        Some(Event::Ledger { call, answer })
    }

    /// A clock that is wrong by so much that its date is wrong, and that nobody saw jump, is beyond
    /// what is promised: that day is not judged.
    fn watch_date(&mut self, runner: &Runner) {
        let world = self.border.world();
        let date = world.truth().today().date;
        let (first, last) = runner.book().dates(runner.now(world.now()));
        if !(first..=last).contains(&date) {
            self.counters.branch("day/clock_wrong");
            self.audit.excuse([first, last, date]);
        }
    }

    /// Checks what the ledger said against the world.
    fn replied(&mut self, runner: &Runner, reply: &Reply, before: gaelp_ledger::Operator) {
        self.counters.branch(match reply {
            Reply::Taken { .. } => "reply/taken",
            Reply::Observed { .. } => "reply/observed",
            Reply::Admitted(_) => "reply/admitted",
            Reply::Answered => "reply/answered",
            Reply::Ordered => "reply/ordered",
            Reply::Refused(refusal) => refused(refusal),
            _ => "reply/other",
        });
        self.watch_date(runner);
        let Reply::Admitted(intent) = reply else {
            return;
        };
        let raise = intent.from.is_none_or(|from| intent.to > from);
        if !raise {
            self.counters.branch("admitted/decrease");
            return;
        }
        self.counters.branch("admitted/raise");
        let at = self.border.world().hour();
        let mut barred = |barred| {
            self.violations.push(Violation::Raised {
                key: intent.key.clone(),
                barred,
                at,
            });
        };
        let book = runner.book();
        if before.killed {
            barred(Barred::Killed);
        }
        if before.paused {
            barred(Barred::Paused);
        }
        if intent.epoch != book.epoch() {
            barred(Barred::Fenced);
        }
        if book
            .open(&intent.key)
            .iter()
            .any(|other| other.id != intent.id)
        {
            barred(Barred::Open);
        }
        let exposure = book.exposure(intent.at);
        let cap = self.scenario.rollout.guardrails.daily_cap;
        if exposure > cap {
            self.violations.push(Violation::Exposure {
                key: intent.key.clone(),
                exposure,
                cap,
            });
        }
    }

    /// Sends a write, after a look at whether it may be.
    fn write(&mut self, runner: &mut Runner, request: &SetBudget) -> WriteOutcome {
        self.check_write(runner, request);
        let outcome = self.border.set_budget(request);
        self.counters.branch(match &outcome {
            WriteOutcome::Applied { .. } => "write/applied",
            WriteOutcome::Rejected(_) => "write/rejected",
            WriteOutcome::Unknown(_) => "write/unknown",
        });
        if matches!(outcome, WriteOutcome::Applied { .. }) {
            let at = self.border.world().now();
            runner.applied.push((request.key.clone(), at));
        }
        if matches!(outcome, WriteOutcome::Unknown(_)) {
            let waited = self.dice.between(5, 60);
            self.pass(waited);
        }
        outcome
    }

    /// Takes records over, not yet durable.
    fn record(&mut self, runner: &mut Runner, records: Vec<Record>) {
        self.seek_token(&records);
        let (mut credited, mut excused) = (Micros::ZERO, false);
        self.check_beside(runner, &records);
        for record in &records {
            match record {
                Record::Action(action) => self.note_action(runner, action),
                Record::Credit(credit) => {
                    credited = credited.checked_add(credit.revenue).unwrap_or(Micros::MAX);
                }
                Record::Alert(alert) => {
                    let unsold = [AlertKind::Unattributed, AlertKind::Refused];
                    excused |= unsold.contains(&alert.kind);
                    self.counters.branch(alert.kind.as_str());
                    if alert.kind == AlertKind::Emergency {
                        self.rearm_later();
                    }
                }
                Record::Plan(plan) => self.counters.branch(match plan.outcome {
                    PlanOutcome::Planned(_) => "plan/planned",
                    PlanOutcome::Infeasible { .. } => "plan/infeasible",
                    PlanOutcome::Fixed => "plan/fixed",
                    _ => "plan/other",
                }),
                _ => {}
            }
        }
        // I8: what came in is credited, to the last millionth.
        if let Some(orders) = runner.ordered.take()
            && !excused
            && credited != orders
        {
            self.violations
                .push(Violation::Credits { orders, credited });
        }
        runner.records.extend(records);
    }

    /// No access token is kept. It is looked for where it could have come in, and in one of a
    /// run's checkpoints: they are long.
    fn seek_token(&mut self, records: &[Record]) {
        let told = self.border.injected().of(FaultKind::TokenInError);
        let before = std::mem::replace(&mut self.tokens_told, told);
        if before == told {
            return;
        }
        let sought = |record: &&Record| before == 0 || !matches!(record, Record::Checkpoint(_));
        let mut sought = records.iter().filter(sought);
        // As journals keep it. What cannot be written is not kept.
        let tells =
            |record: &Record| serde_json::to_string(record).is_ok_and(|t| t.contains(TOKEN));
        if sought.any(tells) {
            self.violations.push(Violation::Token);
        }
    }

    fn note_action(&mut self, runner: &mut Runner, action: &ActionRecord) {
        self.counters.branch(action.status.as_str());
        let decision = &action.decision;
        if action.status == ActionStatus::Pending {
            runner.pending.insert(decision.id, Box::new(action.clone()));
        }
        if !is_first(action) {
            return;
        }
        *self.counters.levels.entry(decision.level).or_insert(0) += 1;
        for reason in &decision.reasons {
            match self.counters.rules.get_mut(&reason.rule) {
                Some(count) => *count += 1,
                None => {
                    self.counters.rules.insert(reason.rule.clone(), 1);
                }
            }
        }
        for digest in [&mut self.hash, &mut self.decided] {
            digest.update(&decision.id.get().to_le_bytes());
            digest.update(&decision.allowed.get().to_le_bytes());
            digest.update(&[decision.level as u8]);
        }
    }

    /// Makes what was recorded durable; says whether that worked.
    pub(super) fn commit(&mut self, runner: &mut Runner) -> bool {
        if runner.records.is_empty() {
            return true;
        }
        if std::mem::take(&mut self.armed.journal_fails) {
            self.count(FaultKind::JournalFails);
            self.counters.branch("journal/failed");
            runner.records.clear();
            return false;
        }
        for record in runner.records.drain(..) {
            if let Record::Checkpoint(checkpoint) = record {
                let spent = runner.spent.clone();
                self.disk.older = self.disk.latest.replace(Kept { checkpoint, spent });
            }
        }
        true
    }
}

/// Whether an action is recorded for the first time.
pub(super) fn is_first(action: &ActionRecord) -> bool {
    matches!(
        action.status,
        ActionStatus::Pending | ActionStatus::Unchanged | ActionStatus::Shadow
    ) || (action.status == ActionStatus::Rejected && action.sent.is_none())
}

/// The name of a refusal in counters.
fn refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Fenced { .. } => "refused/fenced",
        Refusal::Known { .. } => "refused/known",
        Refusal::TooLate { .. } => "refused/too_late",
        Refusal::UnknownPlatform { .. } => "refused/unknown_platform",
        Refusal::UnknownAdSet { .. } => "refused/unknown_ad_set",
        Refusal::UnknownIntent { .. } => "refused/unknown_intent",
        Refusal::Amount { .. } => "refused/amount",
        Refusal::Clock { .. } => "refused/clock",
        Refusal::Killed => "refused/killed",
        Refusal::Paused => "refused/paused",
        Refusal::Unreconciled => "refused/unreconciled",
        Refusal::Open { .. } => "refused/open",
        Refusal::Headroom { .. } => "refused/headroom",
        _ => "refused/other",
    }
}
