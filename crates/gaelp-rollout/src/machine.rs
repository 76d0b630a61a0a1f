//! The loop as a state machine: events in, commands out.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gaelp_budget::TrafficProfile;
use gaelp_core::{AdSetKey, Platform, UtcHour};
use gaelp_guardrails::{CallOutcome, Emergency, Guardrails, Policy};
use gaelp_ledger::{Limits, PolicyHash};
use gaelp_platform::Capabilities;
use serde::{Deserialize, Serialize};

use crate::ad_set::AdSet;
use crate::allowance::Allowance;
use crate::clock::Clock;
use crate::days::DayBook;
use crate::desk::Desk;
use crate::facts::Explored;
use crate::shop::ShopBook;
use crate::source::{Source, call_outcome};
use crate::strategy::Strategy;
use crate::traffic;
use crate::turn::{Awaited, Goal, Step};
use crate::{AlertKind, Command, Event, Lambda, Mode, Order, RolloutConfig, RolloutError};

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
    /// The policy on trial.
    pub(crate) candidate: Option<Policy>,
    /// What was learnt of the traffic, where somebody asks and nobody said it.
    pub(crate) traffic: Option<TrafficProfile>,
    pub(crate) emergency: Emergency,
    pub(crate) explored: Explored,
    pub(crate) strategy: Strategy,
    pub(crate) ad_sets: BTreeMap<AdSetKey, AdSet>,
    pub(crate) lambda: Lambda,
    /// The account's pacing, where budgets are paced.
    pub(crate) allowance: Option<Allowance>,
    pub(crate) days: DayBook,
    pub(crate) shop: ShopBook,
    pub(crate) desk: Desk,
    /// What an operator told this rollout; the ledger knows what they told all.
    pub(crate) told: Told,
    /// The hours before this one are decided.
    pub(crate) decided_to: Option<UtcHour>,
    pub(crate) sources: BTreeMap<Platform, Source>,
    pub(crate) clock: Clock,
    pub(crate) step: Option<Step>,
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
        let candidate = config
            .on_trial()
            .expect("a valid configuration has a valid candidate");
        let asks = |policy: &Policy| traffic::is_asked(policy.config());
        let asked = asks(&policy) || candidate.as_ref().is_some_and(asks);
        let learns = asked && config.traffic.is_none();
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
            allowance: Allowance::new(&config, config.lambda_spend),
            days: DayBook::new(config.zone, config.settle_hours),
            shop: ShopBook::new(config.revenue, config.zone),
            desk: Desk::new(limits, &config),
            emergency: Emergency::new(config.emergency_after),
            explored: Explored::default(),
            traffic: learns.then(traffic::unseen),
            strategy,
            policy,
            candidate,
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

    /// The rules on trial, where there are any.
    pub fn candidate(&self) -> Option<&Policy> {
        self.candidate.as_ref()
    }

    /// The rules in force, and those on trial.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &Policy> {
        std::iter::once(&self.policy).chain(&self.candidate)
    }

    pub(crate) fn guardrails(&self) -> &Guardrails {
        self.policy.rules()
    }

    /// The name of the rules in force, as the ledger keeps it.
    pub(crate) fn policy_hash(&self) -> PolicyHash {
        PolicyHash(*self.policy.hash().as_bytes())
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
            Event::Orders { events } => self.ordered(now, events),
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
}
