//! A step: what it asks for, what it waits for, and what follows once all is known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use gaelp_core::{HourSpan, MetricRow, Platform, UtcHour};
use gaelp_platform::{BudgetReading, OrderEvent, Report};

use crate::{Alert, AlertKind, Command, Record, Rollout, RolloutError};

/// A step that waits for answers.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) goal: Goal,
    pub(crate) waiting: BTreeSet<Awaited>,
    pub(crate) began: DateTime<Utc>,
    rows: Vec<MetricRow>,
    orders: Vec<OrderEvent>,
    pub(crate) readings: BTreeMap<Platform, Vec<BudgetReading>>,
    pub(crate) records: Vec<Record>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    Decide(HourSpan),
    Reconcile(UtcHour),
    End(UtcHour),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Awaited {
    Report(Platform),
    Budgets(Platform),
    Orders,
    Take,
}

impl Goal {
    pub(crate) fn hour(self) -> UtcHour {
        match self {
            Self::Decide(span) => span.from,
            Self::Reconcile(at) | Self::End(at) => at,
        }
    }
}

impl Step {
    pub(crate) fn alert(&mut self, kind: AlertKind, subject: String) {
        let at = self.goal.hour();
        self.records
            .push(Record::Alert(Alert { at, kind, subject }));
    }
}

impl Rollout {
    pub(crate) fn begin(
        &mut self,
        now: DateTime<Utc>,
        goal: Goal,
    ) -> Result<Vec<Command>, RolloutError> {
        let refuse = |what| Err(RolloutError::OutOfTurn { what });
        if self.step.is_some() || !self.desk.is_idle() {
            return refuse("a step began before the last was over");
        }
        if let Goal::Decide(span) = goal {
            if span.is_empty() {
                return refuse("a step without hours began");
            }
            if self.decided_to.is_some_and(|to| span.from < to) {
                return refuse("a step began whose hours are decided already");
            }
        }
        self.clock.begin_step();
        let mut waiting = BTreeSet::new();
        let mut commands = Vec::new();
        if let Some(take) = self.desk.begin_step(now, &self.config) {
            commands.push(take);
            waiting.insert(Awaited::Take);
        }
        self.ask(goal, &mut commands, &mut waiting);
        let step = Step {
            goal,
            waiting,
            began: now,
            rows: Vec::new(),
            orders: Vec::new(),
            readings: BTreeMap::new(),
            records: Vec::new(),
        };
        if commands.is_empty() {
            return Ok(self.take_in(now, step));
        }
        self.step = Some(step);
        Ok(commands)
    }

    /// Asks for what a step needs to know.
    pub(crate) fn ask(
        &self,
        goal: Goal,
        commands: &mut Vec<Command>,
        waiting: &mut BTreeSet<Awaited>,
    ) {
        let hour = goal.hour();
        let history = i32::try_from(self.retain_hours()).unwrap_or(i32::MAX);
        let reread = i32::try_from(self.config.reread_hours).unwrap_or(i32::MAX);
        for (platform, source) in &self.sources {
            let from = source
                .read_to
                .map_or(hour.plus(-history), |to| to.min(hour.plus(-reread)));
            let span = HourSpan::new(from, hour);
            if !span.is_empty() {
                commands.push(Command::ReadReport {
                    platform: platform.clone(),
                    span,
                });
                waiting.insert(Awaited::Report(platform.clone()));
            }
            commands.push(Command::ReadBudgets {
                platform: platform.clone(),
            });
            waiting.insert(Awaited::Budgets(platform.clone()));
        }
        if let Some(span) = self.shop.to_read(hour, history) {
            commands.push(Command::ReadOrders { span });
            waiting.insert(Awaited::Orders);
        }
    }

    pub(crate) fn reported(
        &mut self,
        now: DateTime<Utc>,
        platform: &Platform,
        report: Report,
    ) -> Result<Vec<Command>, RolloutError> {
        let hour = self.step.as_ref().map(|step| step.goal.hour());
        let complete = report.complete_before;
        let awaited = Awaited::Report(platform.clone());
        // Noted before the last answer decides, so that what is kept of the step knows it.
        let due = self
            .step
            .as_ref()
            .is_some_and(|step| step.waiting.contains(&awaited));
        if let (true, Some(source), Some(hour)) = (due, self.sources.get_mut(platform), hour) {
            let to = complete.min(hour);
            source.read_to = Some(source.read_to.map_or(to, |known| known.max(to)));
        }
        self.answer(now, &awaited, |step| step.rows.extend(report.rows))
    }

    pub(crate) fn ordered(
        &mut self,
        now: DateTime<Utc>,
        events: Vec<OrderEvent>,
    ) -> Result<Vec<Command>, RolloutError> {
        let hour = self.step.as_ref().map(|step| step.goal.hour());
        let commands = self.answer(now, &Awaited::Orders, |step| step.orders.extend(events))?;
        self.shop.read_to(hour);
        Ok(commands)
    }

    pub(crate) fn failed(
        &mut self,
        now: DateTime<Utc>,
        kind: AlertKind,
        awaited: &Awaited,
    ) -> Result<Vec<Command>, RolloutError> {
        let subject = match awaited {
            Awaited::Report(platform) | Awaited::Budgets(platform) => platform.to_string(),
            Awaited::Orders => "shop".to_owned(),
            Awaited::Take => "ledger".to_owned(),
        };
        self.answer(now, awaited, |step| step.alert(kind, subject))
    }

    pub(crate) fn answer(
        &mut self,
        now: DateTime<Utc>,
        awaited: &Awaited,
        take: impl FnOnce(&mut Step),
    ) -> Result<Vec<Command>, RolloutError> {
        let unasked = RolloutError::OutOfTurn {
            what: "an answer came that was not asked for",
        };
        let Some(step) = self.step.as_mut() else {
            return Err(unasked);
        };
        if !step.waiting.remove(awaited) {
            return Err(unasked);
        }
        take(step);
        match self.step.take_if(|step| step.waiting.is_empty()) {
            Some(step) => Ok(self.take_in(now, step)),
            None => Ok(Vec::new()),
        }
    }

    /// The ledger's answer to the take-over, with which a process begins.
    pub(crate) fn taken(
        &mut self,
        now: DateTime<Utc>,
        trouble: Option<AlertKind>,
    ) -> Result<Vec<Command>, RolloutError> {
        match trouble {
            None => self.answer(now, &Awaited::Take, |_| {}),
            Some(kind) => self.failed(now, kind, &Awaited::Take),
        }
    }

    /// All answers are in: take them in, and tell the ledger.
    pub(crate) fn take_in(&mut self, now: DateTime<Utc>, mut step: Step) -> Vec<Command> {
        let hour = step.goal.hour();
        let mut records = std::mem::take(&mut step.records);
        self.take_rows(std::mem::take(&mut step.rows), hour, &mut records);
        if let Goal::Decide(span) = step.goal {
            self.shop.step_hours(span.len());
        }
        let orders = std::mem::take(&mut step.orders);
        self.shop
            .credit(orders, hour, &mut self.ad_sets, &mut records);
        self.take_readings(&step.readings);
        step.records = records;
        match self.tell_ledger(now, &mut step) {
            Some(command) => {
                self.step = Some(step);
                vec![command]
            }
            None => self.proceed(now, step),
        }
    }

    /// The step that waits for the ledger's word on what was observed.
    pub(crate) fn observed_step(&mut self) -> Option<Step> {
        self.step.take_if(|step| step.waiting.is_empty())
    }

    /// Everything is known: learn, then decide or end.
    pub(crate) fn proceed(&mut self, now: DateTime<Utc>, mut step: Step) -> Vec<Command> {
        let hour = step.goal.hour();
        let mut records = std::mem::take(&mut step.records);
        self.settle_actions(&mut records);
        self.close_days(hour, &mut records);
        let mut admissions = Vec::new();
        match step.goal {
            Goal::Decide(span) => {
                self.retire(hour, &mut records);
                self.days.open(span);
                self.decided_to = Some(span.to);
                admissions = self.decide(now, span, &mut records);
            }
            Goal::Reconcile(_) => {}
            Goal::End(_) => self.release_all(&mut records),
        }
        if self.config.checkpoints {
            records.push(Record::Checkpoint(Box::new(self.checkpoint())));
        }
        let mut commands = Vec::with_capacity(1 + admissions.len());
        if !records.is_empty() {
            commands.push(Command::Record(records));
        }
        commands.extend(admissions);
        commands
    }
}
