//! The loop as a state machine: events in, commands out.

use std::collections::{BTreeMap, BTreeSet};

use gaelp_core::{AdSetKey, DecisionId, HourSpan, MetricRow, Platform, Restated, UtcHour};
use gaelp_guardrails::Guardrails;
use gaelp_platform::{BudgetReading, Capabilities, OrderEvent, Report, WriteOutcome};

use crate::ad_set::{AdSet, Until};
use crate::days::DayBook;
use crate::shop::ShopBook;
use crate::strategy::{Learner, Strategy};
use crate::{
    ActionStatus, Alert, AlertKind, Command, ConfigError, Event, Lambda, Order, Record,
    RolloutConfig,
};

/// How long an ad set without reports and without a budget is still decided upon.
const RETIRE_AFTER_HOURS: i64 = 72;

/// The hourly loop of an account.
///
/// It holds no clock, no connection and no thread: it is told what happened ([`Event`]) and says
/// what should happen ([`Command`]). The same events give the same commands, bit for bit. Whoever
/// drives it does the I/O; [`drive`](crate::drive) does so through the traits of
/// `gaelp-platform`.
///
/// ```
/// use gaelp_core::{AccountZone, Currency, HourSpan, UtcHour};
/// use gaelp_platform::Capabilities;
/// use gaelp_rollout::{Command, Event, Rollout, RolloutConfig};
///
/// let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
/// let mut rollout = Rollout::new(RolloutConfig::default(), vec![meta])?;
/// let begins = Event::StepBegins { span: HourSpan::hour(UtcHour::new(490_000)) };
/// let commands = rollout.handle(begins)?;
/// assert!(matches!(commands[0], Command::ReadReport { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Rollout {
    pub(crate) config: RolloutConfig,
    pub(crate) guardrails: Guardrails,
    pub(crate) strategy: Strategy,
    pub(crate) ad_sets: BTreeMap<AdSetKey, AdSet>,
    pub(crate) lambda: Lambda,
    pub(crate) days: DayBook,
    pub(crate) killed: bool,
    sources: BTreeMap<Platform, Source>,
    shop: ShopBook,
    step: Option<Step>,
    /// Writes whose answers are outstanding, and the hour they were made in.
    writing: (UtcHour, BTreeSet<DecisionId>),
}

/// A platform, and how far its reports were read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) capabilities: Capabilities,
    read_to: Option<UtcHour>,
}

/// A step that waits for answers.
#[derive(Debug)]
struct Step {
    goal: Goal,
    waiting: BTreeSet<Awaited>,
    rows: Vec<MetricRow>,
    orders: Vec<OrderEvent>,
    readings: Vec<BudgetReading>,
    alerts: Vec<Alert>,
}

#[derive(Clone, Copy, Debug)]
enum Goal {
    Decide(HourSpan),
    End(UtcHour),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Awaited {
    Report(Platform),
    Budgets(Platform),
    Orders,
}

impl Goal {
    fn now(self) -> UtcHour {
        match self {
            Self::Decide(span) => span.from,
            Self::End(at) => at,
        }
    }
}

impl Rollout {
    /// A rollout over some platforms.
    ///
    /// # Errors
    /// [`RolloutError::Config`] lists everything that is wrong with the configuration;
    /// [`RolloutError::Platforms`] where a platform is named twice or counts in another currency.
    pub fn new(config: RolloutConfig, platforms: Vec<Capabilities>) -> Result<Self, RolloutError> {
        let guardrails = config.validate()?;
        let strategy = Strategy::new(&config);
        let mut sources = BTreeMap::new();
        for capabilities in platforms {
            let platform = capabilities.platform.clone();
            let foreign = capabilities.currency != config.currency;
            let source = Source {
                capabilities,
                read_to: None,
            };
            if foreign || sources.insert(platform.clone(), source).is_some() {
                return Err(RolloutError::Platforms { platform });
            }
        }
        Ok(Self {
            lambda: Lambda::new(config.lambda_spend, config.lagrange_step, config.lambda_max),
            days: DayBook::new(config.zone, config.settle_hours),
            shop: ShopBook::new(config.revenue, config.zone),
            strategy,
            guardrails,
            config,
            sources,
            ad_sets: BTreeMap::new(),
            killed: false,
            step: None,
            writing: (UtcHour::new(0), BTreeSet::new()),
        })
    }

    /// The configuration.
    pub fn config(&self) -> &RolloutConfig {
        &self.config
    }

    /// λ as it stands.
    pub fn lambda(&self) -> Lambda {
        self.lambda
    }

    /// Takes in an event and says what should happen.
    ///
    /// # Errors
    /// [`RolloutError::OutOfTurn`] for an event that the calling rule of [`Event`] does not allow
    /// now; it changes nothing.
    pub fn handle(&mut self, event: Event) -> Result<Vec<Command>, RolloutError> {
        match event {
            Event::StepBegins { span } => self.begin(Goal::Decide(span)),
            Event::Ends { at } => self.begin(Goal::End(at)),
            Event::Reported { platform, report } => self.reported(&platform, report),
            Event::Budgets { platform, readings } => {
                self.answer(&Awaited::Budgets(platform), |step| {
                    step.readings.extend(readings);
                })
            }
            Event::Orders { events } => {
                let now = self.step.as_ref().map(|step| step.goal.now());
                let commands = self.answer(&Awaited::Orders, |step| step.orders.extend(events))?;
                self.shop.read_to(now);
                Ok(commands)
            }
            Event::ReportFailed { platform, .. } => {
                self.failed(AlertKind::ReportFailed, &Awaited::Report(platform))
            }
            Event::BudgetsFailed { platform, .. } => {
                self.failed(AlertKind::BudgetsFailed, &Awaited::Budgets(platform))
            }
            Event::OrdersFailed { .. } => self.failed(AlertKind::OrdersFailed, &Awaited::Orders),
            Event::Wrote {
                key,
                decision,
                outcome,
            } => self.wrote(&key, decision, &outcome),
            Event::Operator(order) => {
                self.killed = order == Order::Kill;
                Ok(Vec::new())
            }
        }
    }

    fn begin(&mut self, goal: Goal) -> Result<Vec<Command>, RolloutError> {
        if self.step.is_some() || !self.writing.1.is_empty() {
            return Err(RolloutError::OutOfTurn {
                what: "a step began before the last was over",
            });
        }
        if let Goal::Decide(span) = goal
            && span.is_empty()
        {
            return Err(RolloutError::OutOfTurn {
                what: "a step without hours began",
            });
        }
        let now = goal.now();
        let history = i32::try_from(self.retain_hours()).unwrap_or(i32::MAX);
        let reread = i32::try_from(self.config.reread_hours).unwrap_or(i32::MAX);
        let mut commands = Vec::new();
        let mut waiting = BTreeSet::new();
        for (platform, source) in &self.sources {
            let from = source
                .read_to
                .map_or(now.plus(-history), |to| to.min(now.plus(-reread)));
            let span = HourSpan::new(from, now);
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
        if let Some(span) = self.shop.to_read(now, history) {
            commands.push(Command::ReadOrders { span });
            waiting.insert(Awaited::Orders);
        }
        self.step = Some(Step {
            goal,
            waiting,
            rows: Vec::new(),
            orders: Vec::new(),
            readings: Vec::new(),
            alerts: Vec::new(),
        });
        if commands.is_empty() {
            return Ok(self.proceed());
        }
        Ok(commands)
    }

    fn reported(
        &mut self,
        platform: &Platform,
        report: Report,
    ) -> Result<Vec<Command>, RolloutError> {
        let now = self.step.as_ref().map(|step| step.goal.now());
        let complete = report.complete_before;
        let awaited = Awaited::Report(platform.clone());
        let commands = self.answer(&awaited, |step| step.rows.extend(report.rows))?;
        if let (Some(source), Some(now)) = (self.sources.get_mut(platform), now) {
            let to = complete.min(now);
            source.read_to = Some(source.read_to.map_or(to, |known| known.max(to)));
        }
        Ok(commands)
    }

    fn failed(&mut self, kind: AlertKind, awaited: &Awaited) -> Result<Vec<Command>, RolloutError> {
        let subject = match awaited {
            Awaited::Report(platform) | Awaited::Budgets(platform) => platform.to_string(),
            Awaited::Orders => "shop".to_owned(),
        };
        self.answer(awaited, |step| {
            step.alerts.push(Alert {
                at: step.goal.now(),
                kind,
                subject,
            });
        })
    }

    fn answer(
        &mut self,
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
        if step.waiting.is_empty() {
            Ok(self.proceed())
        } else {
            Ok(Vec::new())
        }
    }

    /// All answers are in: learn, then decide or end.
    fn proceed(&mut self) -> Vec<Command> {
        let Some(step) = self.step.take() else {
            return Vec::new();
        };
        let now = step.goal.now();
        let mut records: Vec<Record> = step.alerts.into_iter().map(Record::Alert).collect();
        self.take_rows(step.rows, now, &mut records);
        if let Goal::Decide(span) = step.goal {
            self.shop.step_hours(span.len());
        }
        self.shop
            .credit(step.orders, now, &mut self.ad_sets, &mut records);
        self.take_readings(step.readings, now, &mut records);
        self.close_days(now, &mut records);
        let mut writes = Vec::new();
        match step.goal {
            Goal::Decide(span) => {
                self.retire(now, &mut records);
                self.days.open(span);
                self.decide(span, &mut records, &mut writes);
            }
            Goal::End(_) => self.release_all(&mut records),
        }
        self.writing = (
            now,
            writes.iter().map(|(_, request)| request.decision).collect(),
        );
        let mut commands = Vec::with_capacity(1 + writes.len());
        if !records.is_empty() {
            commands.push(Command::Record(records));
        }
        let write = |(platform, request)| Command::Write { platform, request };
        commands.extend(writes.into_iter().map(write));
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

    fn take_readings(
        &mut self,
        readings: Vec<BudgetReading>,
        now: UtcHour,
        records: &mut Vec<Record>,
    ) {
        for reading in readings {
            let ad_set = self.ad_set(&reading.key);
            let known = ad_set.budget.replace(reading.daily_budget);
            let expected = match ad_set.in_flight.take() {
                Some(mut action) => {
                    action.read_back = Some(reading.daily_budget);
                    let arrived = action.sent == action.read_back;
                    if action.status == ActionStatus::Unknown {
                        let settled = if arrived {
                            ActionStatus::Applied
                        } else {
                            ActionStatus::Rejected
                        };
                        action.status = settled;
                    }
                    let expected = if arrived { action.sent } else { known };
                    records.push(Record::Action(action));
                    expected
                }
                None => known,
            };
            if expected.is_some_and(|budget| budget != reading.daily_budget) {
                let subject = reading.key.to_string();
                let kind = AlertKind::ExternalEdit;
                records.push(Record::Alert(Alert {
                    at: now,
                    kind,
                    subject,
                }));
            }
        }
    }

    fn wrote(
        &mut self,
        key: &AdSetKey,
        decision: DecisionId,
        outcome: &WriteOutcome,
    ) -> Result<Vec<Command>, RolloutError> {
        let (now, outstanding) = &mut self.writing;
        let now = *now;
        if !outstanding.remove(&decision) {
            return Err(RolloutError::OutOfTurn {
                what: "a write came back that was not made",
            });
        }
        let Some(ad_set) = self.ad_sets.get_mut(key) else {
            return Err(RolloutError::OutOfTurn {
                what: "a write to an unknown ad set came back",
            });
        };
        let Some(mut action) = ad_set.in_flight.take() else {
            return Ok(Vec::new());
        };
        let mut records = Vec::new();
        let mut alert = |kind| {
            records.push(Record::Alert(Alert {
                at: now,
                kind,
                subject: key.to_string(),
            }));
        };
        match outcome {
            WriteOutcome::Applied { daily_budget } => {
                action.status = ActionStatus::Applied;
                ad_set.budget = Some(*daily_budget);
                ad_set.mark_executed(decision);
                ad_set.in_flight = Some(action.clone());
            }
            WriteOutcome::Rejected(_) => {
                action.status = ActionStatus::Rejected;
                alert(AlertKind::WriteRejected);
            }
            WriteOutcome::Unknown(_) => {
                action.status = ActionStatus::Unknown;
                ad_set.in_flight = Some(action.clone());
                alert(AlertKind::WriteUnknown);
            }
        }
        records.push(Record::Action(action));
        Ok(vec![Command::Record(records)])
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

    pub(crate) fn source(&self, platform: &Platform) -> Option<&Source> {
        self.sources.get(platform)
    }

    /// What the rules, the day's closing and a second reading of reports need.
    fn retain_hours(&self) -> u32 {
        let rules = self.guardrails.trailing().retain_hours();
        let days = 2 * 25 + self.config.settle_hours;
        rules.max(days).max(self.config.reread_hours + 24)
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
    /// An event came at the wrong moment.
    #[error("out of turn: {what}")]
    OutOfTurn {
        /// What happened.
        what: &'static str,
    },
}
