//! What passes between a rollout and the spend ledger.

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros, UtcHour};
use gaelp_guardrails::CallOutcome;
use gaelp_ledger::{
    Answer, BudgetsRead, Change, MAX_AMOUNT, Observation, Refusal, Reply, Request, Spent,
};
use gaelp_platform::WriteOutcome;

use crate::ad_set::HOURS_PER_DAY;
use crate::seeded;
use crate::source::call_outcome;
use crate::turn::Step;
use crate::{
    ActionRecord, ActionStatus, Alert, AlertKind, Command, LedgerAnswer, LedgerCall, LedgerTrouble,
    Order, Record, Rollout, RolloutError,
};

impl Rollout {
    /// Tells the ledger what was read; a command where the answer must be waited for.
    pub(crate) fn tell_ledger(&mut self, now: DateTime<Utc>, step: &mut Step) -> Option<Command> {
        let observation = self.observation(now, step)?;
        let request = Request::Observe(observation);
        if !self.desk.is_own() {
            return Some(Command::Ledger(Box::new(request)));
        }
        let reply = self.desk.carry_out(&request);
        self.note_changes(step, &reply);
        None
    }

    fn observation(&self, now: DateTime<Utc>, step: &Step) -> Option<Observation> {
        let epoch = self.desk.epoch()?;
        let hour = step.goal.hour();
        let date = self.config.zone.local(hour).date;
        let midnight = self.config.zone.day(date).map_or(hour, |day| day.from);
        let mut reads = Vec::with_capacity(step.readings.len());
        for (platform, list) in &step.readings {
            reads.push(BudgetsRead {
                platform: platform.clone(),
                began: seeded::read_began(step.began, now),
                budgets: list
                    .iter()
                    .map(|reading| (reading.key.ad_set.clone(), reading.daily_budget))
                    .collect(),
            });
        }
        let (mut spent, mut known_good) = (Vec::new(), Vec::new());
        for (key, ad_set) in &self.ad_sets {
            let Some(rate) = ad_set.rate(hour) else {
                continue;
            };
            // What does not fit is certainly more than any cap.
            let upper = ad_set
                .spent_since(midnight, hour, self.desk.worst_rate(key, rate))
                .unwrap_or(MAX_AMOUNT)
                .clamp(Micros::ZERO, MAX_AMOUNT);
            let key = key.clone();
            if let Some(good) = ad_set.known_good.and_then(|r| r.checked_mul(HOURS_PER_DAY)) {
                known_good.push((key.clone(), good.clamp(Micros::ZERO, MAX_AMOUNT)));
            }
            spent.push(Spent { key, date, upper });
        }
        Some(Observation {
            epoch,
            at: now,
            reads,
            spent,
            known_good,
        })
    }

    pub(crate) fn ledger_answered(
        &mut self,
        now: DateTime<Utc>,
        call: LedgerCall,
        answer: Result<LedgerAnswer, LedgerTrouble>,
    ) -> Result<Vec<Command>, RolloutError> {
        match call {
            LedgerCall::Take => {
                let heard = self.hear(answer);
                self.taken(now, heard.err())
            }
            LedgerCall::Observe => self.observed(now, answer),
            LedgerCall::Admit(decision) => self.admitted(now, decision, answer),
            LedgerCall::Answer(decision) => {
                if !self.desk.answering.remove(&decision) {
                    return Err(UNASKED);
                }
                Ok(self.heard_or_alert(now, answer))
            }
            LedgerCall::Order => Ok(self.heard_or_alert(now, answer)),
            LedgerCall::Other => Err(UNASKED),
        }
    }

    fn hear(&mut self, answer: Result<LedgerAnswer, LedgerTrouble>) -> Result<Reply, AlertKind> {
        match answer {
            Ok(LedgerAnswer { reply, book }) => {
                self.desk.hear_shared(&reply, *book);
                match reply {
                    Reply::Refused(Refusal::Fenced { .. }) => Err(AlertKind::Fenced),
                    Reply::Refused(_) => Err(AlertKind::LedgerRefused),
                    reply => Ok(reply),
                }
            }
            Err(LedgerTrouble::Unavailable) => Err(AlertKind::LedgerUnavailable),
            Err(LedgerTrouble::Damaged) => Err(AlertKind::LedgerDamaged),
        }
    }

    fn heard_or_alert(
        &mut self,
        now: DateTime<Utc>,
        answer: Result<LedgerAnswer, LedgerTrouble>,
    ) -> Vec<Command> {
        match self.hear(answer) {
            Ok(_) => Vec::new(),
            Err(kind) => vec![Command::Record(vec![alert(now, kind, "ledger".to_owned())])],
        }
    }

    fn observed(
        &mut self,
        now: DateTime<Utc>,
        answer: Result<LedgerAnswer, LedgerTrouble>,
    ) -> Result<Vec<Command>, RolloutError> {
        let mut step = self.observed_step().ok_or(UNASKED)?;
        match self.hear(answer) {
            Ok(reply) => self.note_changes(&mut step, &reply),
            Err(kind) => step.alert(kind, "ledger".to_owned()),
        }
        Ok(self.proceed(now, step))
    }

    fn admitted(
        &mut self,
        now: DateTime<Utc>,
        decision: DecisionId,
        answer: Result<LedgerAnswer, LedgerTrouble>,
    ) -> Result<Vec<Command>, RolloutError> {
        let write = self.desk.admitting.remove(&decision).ok_or(UNASKED)?;
        match self.hear(answer) {
            Ok(_) => {
                self.desk.writing.insert(decision, write.clone());
                if let Some(ad_set) = self.ad_sets.get_mut(&write.request.key) {
                    ad_set.note_edit(now);
                }
                Ok(vec![Command::Write {
                    platform: write.platform,
                    request: write.request,
                    not_after: write.not_after,
                }])
            }
            // It was not sent, and will not be: that much is certain.
            Err(kind) => {
                let key = write.request.key;
                let mut records = vec![alert(now, kind, key.to_string())];
                let ad_set = self.ad_sets.get_mut(&key);
                if let Some(mut action) = ad_set.and_then(|ad_set| ad_set.landed(decision)) {
                    action.status = ActionStatus::Rejected;
                    records.push(Record::Action(Box::new(action)));
                }
                Ok(vec![Command::Record(records)])
            }
        }
    }

    /// A platform answered a write: write it down, and tell the ledger.
    pub(crate) fn wrote(
        &mut self,
        now: DateTime<Utc>,
        key: &AdSetKey,
        decision: DecisionId,
        outcome: &WriteOutcome,
    ) -> Result<Vec<Command>, RolloutError> {
        let Some(write) = self.desk.writing.remove(&decision) else {
            return Err(RolloutError::OutOfTurn {
                what: "a write came back that was not made",
            });
        };
        let call = match outcome {
            WriteOutcome::Applied { .. } => CallOutcome::Success,
            WriteOutcome::Rejected(error) => call_outcome(error.kind()),
            WriteOutcome::Unknown(_) => CallOutcome::Unknown,
        };
        self.note_call(now, &write.platform, call);
        let mut records = Vec::new();
        let (status, answer, kind) = match outcome {
            WriteOutcome::Applied { daily_budget } => {
                let daily_budget = *daily_budget;
                (
                    ActionStatus::Applied,
                    Answer::Applied { daily_budget },
                    None,
                )
            }
            WriteOutcome::Rejected(_) => {
                let kind = AlertKind::WriteRejected;
                (ActionStatus::Rejected, Answer::Rejected, Some(kind))
            }
            WriteOutcome::Unknown(_) => {
                let kind = AlertKind::WriteUnknown;
                (ActionStatus::Unknown, seeded::lost_answer(), Some(kind))
            }
        };
        records.extend(kind.map(|kind| alert(now, kind, key.to_string())));
        if let Some(ad_set) = self.ad_sets.get_mut(&write.request.key) {
            if let WriteOutcome::Applied { daily_budget } = outcome {
                ad_set.budget = Some(*daily_budget);
                ad_set.mark_executed(decision);
            }
            let mut flying = ad_set.in_flight.iter_mut();
            if let Some(action) = flying.find(|action| action.decision.id == decision) {
                action.status = status;
                records.push(Record::Action(Box::new(action.clone())));
            }
            if status == ActionStatus::Rejected {
                ad_set.landed(decision);
            }
        }
        let request = Request::Answer {
            intent: decision,
            answer,
            at: now,
        };
        self.desk.answering.insert(decision);
        let tell = Command::Ledger(Box::new(request));
        Ok(vec![Command::Record(records), tell])
    }

    /// What the ledger found changed that a person should know, and the rules.
    fn note_changes(&mut self, step: &mut Step, reply: &Reply) {
        let Reply::Observed { changes } = reply else {
            return;
        };
        for change in changes {
            let Some(ad_set) = self.ad_sets.get_mut(change.key()) else {
                continue;
            };
            match change {
                Change::External { key, .. } => {
                    step.alert(AlertKind::ExternalEdit, key.to_string());
                    ad_set.external_edit = Some(step.goal.hour());
                }
                // Only now: a list may have had a hole.
                Change::Gone { .. } => ad_set.budget = None,
                _ => {}
            }
        }
    }

    /// Brings the actions whose intents the ledger has settled to their end.
    pub(crate) fn settle_actions(&mut self, records: &mut Vec<Record>) {
        if !self.desk.is_current() {
            return;
        }
        let book = self.desk.book();
        for (key, ad_set) in &mut self.ad_sets {
            let open = book.open(key);
            let is_open =
                |action: &ActionRecord| open.iter().any(|intent| intent.id == action.decision.id);
            let flying = std::mem::take(&mut ad_set.in_flight);
            let (flying, settled): (Vec<_>, Vec<_>) =
                flying.into_iter().partition(|action| is_open(action));
            ad_set.in_flight = flying;
            for mut action in settled {
                action.read_back = book.confirmed(key);
                let arrived = action.read_back.is_some() && action.read_back == action.sent;
                match action.status {
                    ActionStatus::Applied => {}
                    _ if arrived => {
                        action.status = ActionStatus::Applied;
                        ad_set.mark_executed(action.decision.id);
                    }
                    _ => action.status = ActionStatus::Rejected,
                }
                records.push(Record::Action(Box::new(action)));
            }
        }
    }

    /// Passes an operator's word on to whoever shares the ledger.
    pub(crate) fn pass_on(&mut self, now: DateTime<Utc>, order: Order) -> Option<Command> {
        let order = match order {
            Order::Kill => gaelp_ledger::Order::Kill,
            Order::Rearm => gaelp_ledger::Order::Rearm,
            Order::Pause => gaelp_ledger::Order::Pause,
            Order::Resume => gaelp_ledger::Order::Resume,
        };
        let by = self.config.runner.clone();
        let request = Request::Order { order, by, at: now };
        self.desk.ask(request)
    }
}

const UNASKED: RolloutError = RolloutError::OutOfTurn {
    what: "the ledger answered what it was not asked",
};

fn alert(now: DateTime<Utc>, kind: AlertKind, subject: String) -> Record {
    let at = UtcHour::containing(now);
    Record::Alert(Alert { at, kind, subject })
}
