//! The loop as a state machine: events in, commands out.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use gaelp_core::{AdSetKey, HourSpan, MetricRow, Platform, Restated, UtcHour};
use gaelp_guardrails::{Breaker, CallOutcome, Emergency, Guardrails, Policy};
use gaelp_ledger::{Limits, PolicyHash};
use gaelp_platform::{BudgetReading, Capabilities, ErrorKind, OrderEvent, Report};
use serde::{Deserialize, Serialize};

use crate::ad_set::{AdSet, Until};
use crate::days::DayBook;
use crate::desk::Desk;
use crate::facts::Explored;
use crate::shop::ShopBook;
use crate::strategy::{Learner, Strategy};
use crate::{
    Alert, AlertKind, CheckpointError, Command, ConfigError, Event, Lambda, Mode, Order, Record,
    RolloutConfig,
};

/// How long an ad set without reports and without a budget is still decided upon.
const RETIRE_AFTER_HOURS: i64 = 72;

/// The hourly loop of an account.
///
/// It holds no clock, no connection and no thread: it is told what happened ([`Event`]) and when,
/// and says what should happen ([`Command`]). The same events give the same commands, bit for bit.
/// Whoever drives it does the I/O; [`drive`](crate::drive) does so through traits.
///
/// ```
/// use gaelp_core::{AccountZone, Currency, HourSpan, UtcHour};
/// use gaelp_platform::Capabilities;
/// use gaelp_rollout::{Command, Event, Rollout, RolloutConfig};
///
/// let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
/// let mut rollout = Rollout::new(RolloutConfig::default(), vec![meta])?;
/// let hour = UtcHour::new(490_000);
/// let begins = Event::StepBegins { span: HourSpan::hour(hour) };
/// let commands = rollout.handle(hour.start(), begins)?;
/// assert!(matches!(commands[0], Command::ReadReport { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Rollout {
    pub(crate) config: RolloutConfig,
    pub(crate) policy: Policy,
    pub(crate) emergency: Emergency,
    pub(crate) explored: Explored,
    pub(crate) strategy: Strategy,
    pub(crate) ad_sets: BTreeMap<AdSetKey, AdSet>,
    pub(crate) lambda: Lambda,
    pub(crate) days: DayBook,
    pub(crate) shop: ShopBook,
    pub(crate) desk: Desk,
    /// What an operator told this rollout; the ledger knows what they told all.
    pub(crate) told: Told,
    /// The hours before this one are decided.
    pub(crate) decided_to: Option<UtcHour>,
    pub(crate) sources: BTreeMap<Platform, Source>,
    pub(crate) clock: Clock,
    step: Option<Step>,
}

/// What an operator said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    pub(crate) killed: bool,
    pub(crate) paused: bool,
    /// Whether the emergency mode paused the ledger.
    pub(crate) emergency_paused: bool,
}

/// The time as it was told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    latest: Option<DateTime<Utc>>,
    /// Whether the last event came from before the latest.
    behind: bool,
    /// Whether any event of this step did.
    pub(crate) ran_back: bool,
}

/// A platform, and how far its reports were read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) capabilities: Capabilities,
    pub(crate) read_to: Option<UtcHour>,
    /// Whether raises are sent to it.
    pub(crate) breaker: Breaker,
}

/// A step that waits for answers.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) goal: Goal,
    waiting: BTreeSet<Awaited>,
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
enum Awaited {
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

impl Rollout {
    /// A rollout over some platforms.
    ///
    /// # Errors
    /// [`RolloutError::Config`] lists everything that is wrong with the configuration;
    /// [`RolloutError::Platforms`] where a platform is named twice, counts in another currency or,
    /// in pilot mode, has another day: a cap holds only for days that are the same.
    pub fn new(config: RolloutConfig, platforms: Vec<Capabilities>) -> Result<Self, RolloutError> {
        let policy = config.validate()?;
        let breaker = config
            .breaker
            .validate()
            .expect("a valid configuration has a valid breaker");
        let strategy = Strategy::new(&config);
        let mut sources = BTreeMap::new();
        for capabilities in platforms {
            let platform = capabilities.platform.clone();
            let foreign = capabilities.currency != config.currency
                || (config.mode == Mode::Pilot && capabilities.zone != config.zone);
            let source = Source {
                capabilities,
                read_to: None,
                breaker: breaker.clone(),
            };
            if foreign || sources.insert(platform.clone(), source).is_some() {
                return Err(RolloutError::Platforms { platform });
            }
        }
        let limits = config.limits(sources.values().map(|source| &source.capabilities))?;
        Ok(Self {
            lambda: Lambda::new(config.lambda_spend, config.lagrange_step, config.lambda_max),
            days: DayBook::new(config.zone, config.settle_hours),
            shop: ShopBook::new(config.revenue, config.zone),
            desk: Desk::new(limits, &config),
            emergency: Emergency::new(config.emergency_after),
            explored: Explored::default(),
            strategy,
            policy,
            config,
            sources,
            ad_sets: BTreeMap::new(),
            told: Told::default(),
            decided_to: None,
            clock: Clock::default(),
            step: None,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &RolloutConfig {
        &self.config
    }

    /// What the spend ledger of this account is to be opened with.
    pub fn limits(&self) -> &Limits {
        self.desk.book().limits()
    }

    /// The rules in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn guardrails(&self) -> &Guardrails {
        self.policy.rules()
    }

    /// The name of the rules in force, as the ledger keeps it.
    pub(crate) fn policy_hash(&self) -> PolicyHash {
        PolicyHash(*self.policy.hash().as_bytes())
    }

    /// Over how many weeks a spike of spend is looked for; `None` where it is not.
    pub(crate) fn spike_weeks(&self) -> Option<u32> {
        let rules = self.guardrails().config();
        rules.max_spike.map(|_| rules.spike_min_weeks.max(1))
    }

    /// λ as it stands.
    pub fn lambda(&self) -> Lambda {
        self.lambda
    }

    /// The first hour that is not decided; `None` before the first decision.
    pub fn decided_to(&self) -> Option<UtcHour> {
        self.decided_to
    }

    /// Whether another runner took the ledger over: this one decides no more.
    pub fn is_fenced(&self) -> bool {
        self.desk.is_fenced()
    }

    /// Takes in an event and says what should happen.
    ///
    /// `now` is the time by the caller's clock. It decides how long a write may be sent and when
    /// what is open may be settled; what it says of an hour's decision follows from the hour.
    ///
    /// # Errors
    /// [`RolloutError::OutOfTurn`] for an event that the calling rule of [`Event`] does not allow
    /// now; it changes nothing.
    pub fn handle(
        &mut self,
        now: DateTime<Utc>,
        event: Event,
    ) -> Result<Vec<Command>, RolloutError> {
        self.clock.tell(now, self.config.clock_skew());
        match event {
            Event::StepBegins { span } => self.begin(now, Goal::Decide(span)),
            Event::Reconciles { at } => self.begin(now, Goal::Reconcile(at)),
            Event::Ends { at } => self.begin(now, Goal::End(at)),
            Event::Reported { platform, report } => self.reported(now, &platform, report),
            Event::Budgets { platform, readings } => {
                self.note_call(now, &platform, CallOutcome::Success);
                let awaited = Awaited::Budgets(platform.clone());
                self.answer(now, &awaited, |step| {
                    step.readings.insert(platform, readings);
                })
            }
            Event::Orders { events } => {
                let hour = self.step.as_ref().map(|step| step.goal.hour());
                let take = |step: &mut Step| step.orders.extend(events);
                let commands = self.answer(now, &Awaited::Orders, take)?;
                self.shop.read_to(hour);
                Ok(commands)
            }
            Event::ReportFailed { platform, kind } => {
                self.note_call(now, &platform, call_outcome(kind));
                self.failed(now, AlertKind::ReportFailed, &Awaited::Report(platform))
            }
            Event::BudgetsFailed { platform, kind } => {
                self.note_call(now, &platform, call_outcome(kind));
                self.failed(now, AlertKind::BudgetsFailed, &Awaited::Budgets(platform))
            }
            Event::OrdersFailed { .. } => {
                self.failed(now, AlertKind::OrdersFailed, &Awaited::Orders)
            }
            Event::Ledger { call, answer } => self.ledger_answered(now, call, answer),
            Event::Wrote {
                key,
                decision,
                outcome,
            } => self.wrote(now, &key, decision, &outcome),
            Event::Operator(order) => Ok(self.operator(now, order)),
        }
    }

    pub(crate) fn note_call(
        &mut self,
        now: DateTime<Utc>,
        platform: &Platform,
        outcome: CallOutcome,
    ) {
        if let Some(source) = self.sources.get_mut(platform) {
            source.breaker.record(outcome, now);
        }
    }

    fn operator(&mut self, now: DateTime<Utc>, order: Order) -> Vec<Command> {
        match order {
            Order::Kill => self.told.killed = true,
            Order::Rearm => {
                self.told.killed = false;
                self.told.emergency_paused = false;
                let by = self.config.runner.as_str().into();
                self.emergency.rearm(by, UtcHour::containing(now));
            }
            Order::Pause => self.told.paused = true,
            Order::Resume => self.told.paused = false,
        }
        self.pass_on(now, order).into_iter().collect()
    }

    fn begin(&mut self, now: DateTime<Utc>, goal: Goal) -> Result<Vec<Command>, RolloutError> {
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
    fn ask(&self, goal: Goal, commands: &mut Vec<Command>, waiting: &mut BTreeSet<Awaited>) {
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

    fn reported(
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

    fn failed(
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

    fn answer(
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
    fn take_in(&mut self, now: DateTime<Utc>, mut step: Step) -> Vec<Command> {
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

    fn take_rows(&mut self, mut rows: Vec<MetricRow>, now: UtcHour, records: &mut Vec<Record>) {
        // Whichever platform answered first must not matter.
        rows.sort_by(|a, b| {
            let time = |row: &MetricRow| (row.span.from, row.span.to);
            time(a)
                .cmp(&time(b))
                .then_with(|| a.key.cmp(&b.key))
                .then(a.revision.cmp(&b.revision))
        });
        let revenue = self.config.revenue;
        for row in rows {
            let outcome = self.ad_set(&row.key).report(&row, revenue);
            let kind = match outcome {
                Ok(Restated::Newer) => {
                    records.push(Record::Metrics(row));
                    continue;
                }
                Ok(Restated::Known | Restated::Older) => continue,
                Ok(Restated::Contradicted) => AlertKind::Contradiction,
                Err(_) => AlertKind::Refused,
            };
            let subject = row.key.to_string();
            records.push(Record::Alert(Alert {
                at: now,
                kind,
                subject,
            }));
        }
    }

    fn take_readings(&mut self, readings: &BTreeMap<Platform, Vec<BudgetReading>>) {
        for reading in readings.values().flatten() {
            self.ad_set(&reading.key).budget = Some(reading.daily_budget);
        }
    }

    fn retire(&mut self, now: UtcHour, records: &mut Vec<Record>) {
        let margin = self.config.margin;
        self.ad_sets.retain(|_, ad_set| {
            let silent = ad_set
                .trailing
                .newest_end()
                .is_none_or(|end| now.since(end) > RETIRE_AFTER_HOURS);
            let gone = silent && ad_set.budget.is_none();
            if gone {
                ad_set.release(Until::Ended, margin, records);
            }
            !gone
        });
    }

    fn release_all(&mut self, records: &mut Vec<Record>) {
        for ad_set in self.ad_sets.values_mut() {
            ad_set.release(Until::Ended, self.config.margin, records);
        }
    }

    fn ad_set(&mut self, key: &AdSetKey) -> &mut AdSet {
        if !self.ad_sets.contains_key(key) {
            let policy = self
                .strategy
                .policy()
                .expect("checked multipliers are distinct arms");
            let trailing = gaelp_guardrails::Trailing::new(self.retain_hours());
            self.ad_sets
                .insert(key.clone(), AdSet::new(trailing, Learner::new(policy)));
        }
        self.ad_sets.get_mut(key).expect("it was inserted above")
    }

    /// What the rules, the day's closing and a second reading of reports need.
    fn retain_hours(&self) -> u32 {
        let rules = self.guardrails().trailing().retain_hours();
        let days = 2 * 25 + self.config.settle_hours;
        let weeks = self.spike_weeks().map_or(0, |weeks| (weeks * 7 + 1) * 24);
        rules
            .max(days)
            .max(weeks)
            .max(self.config.reread_hours + 24)
    }
}

/// How a failed call counts for the platform's breaker.
pub(crate) fn call_outcome(kind: ErrorKind) -> CallOutcome {
    match kind {
        ErrorKind::RateLimited { .. } => CallOutcome::RateLimited,
        ErrorKind::Rejected => CallOutcome::Rejected,
        _ => CallOutcome::Failure,
    }
}

impl Step {
    pub(crate) fn alert(&mut self, kind: AlertKind, subject: String) {
        let at = self.goal.hour();
        self.records
            .push(Record::Alert(Alert { at, kind, subject }));
    }
}

impl Clock {
    fn tell(&mut self, now: DateTime<Utc>, skew: Duration) {
        self.behind = self.latest.is_some_and(|latest| now < latest - skew);
        self.ran_back |= self.behind;
        self.latest = self.latest.max(Some(now));
    }

    fn begin_step(&mut self) {
        self.ran_back = self.behind;
    }
}

/// Why a rollout refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RolloutError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The platforms do not fit.
    #[error("platform {platform} is named twice, or does not count in the rollout's currency")]
    Platforms {
        /// Which one.
        platform: Platform,
    },
    /// A checkpoint that cannot be believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An event came at the wrong moment.
    #[error("out of turn: {what}")]
    OutOfTurn {
        /// What happened.
        what: &'static str,
    },
}
