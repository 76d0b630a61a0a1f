//! Watches a step's records go by, for the line that is printed about it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use gaelp::core::{AccountZone, AdSetKey, DecisionId, Level, Micros, Ratio, RuleId, UtcHour};
use gaelp::ledger::Book;
use gaelp::rollout::{ActionRecord, ActionStatus, Alert, Journal, Record};
use gaelp_store::{RunJournal, StoreError};
use serde::Serialize;

/// A journal that remembers what was recorded since it was last asked.
#[derive(Debug)]
pub(crate) struct Watched {
    journal: RunJournal,
    seen: Seen,
}

/// What was recorded.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    actions: Vec<ActionRecord>,
    alerts: Vec<Alert>,
}

impl Watched {
    pub(crate) fn new(journal: RunJournal) -> Self {
        Self {
            journal,
            seen: Seen::default(),
        }
    }

    /// What was recorded since the last call.
    pub(crate) fn take(&mut self) -> Seen {
        std::mem::take(&mut self.seen)
    }
}

#[async_trait]
impl Journal for Watched {
    type Error = StoreError;

    async fn append(&mut self, records: Vec<Record>) -> Result<(), StoreError> {
        for record in &records {
            match record {
                Record::Action(action) => self.seen.action(action),
                Record::Alert(alert) => self.seen.alerts.push(alert.clone()),
                _ => {}
            }
        }
        self.journal.append(records).await
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.journal.commit().await
    }
}

impl Seen {
    /// An action is recorded again when its status changes; the last record counts.
    fn action(&mut self, action: &ActionRecord) {
        let same = |known: &&mut ActionRecord| known.decision.id == action.decision.id;
        match self.actions.iter_mut().find(same) {
            Some(known) => *known = action.clone(),
            None => self.actions.push(action.clone()),
        }
    }

    /// Of what kind the alerts are.
    pub(crate) fn alerted(&self, kind: gaelp::rollout::AlertKind) -> bool {
        self.alerts.iter().any(|alert| alert.kind == kind)
    }
}

/// A step, as it is printed.
#[derive(Debug, Serialize)]
pub(crate) struct StepLine {
    /// `hour` for a step that decides, `reconciled` for the first of a process.
    pub(crate) step: &'static str,
    /// The hour.
    hour: DateTime<Utc>,
    /// The same on the account's clock.
    local: String,
    epoch: u64,
    killed: bool,
    paused: bool,
    /// What the account could be made to pay today, and its cap.
    exposure: Option<Micros>,
    cap: Micros,
    lambda: Ratio,
    decided: Vec<Decided>,
    /// Writes of earlier hours that were settled now.
    settled: Vec<Decided>,
    alerts: Vec<Said>,
}

#[derive(Debug, Serialize)]
struct Decided {
    id: DecisionId,
    key: AdSetKey,
    /// Rates per hour.
    current: Micros,
    proposed: Micros,
    allowed: Micros,
    level: Level,
    binding: Option<RuleId>,
    reasons: Vec<String>,
    status: ActionStatus,
    /// The daily budget that was sent, and what was read back.
    sent: Option<Micros>,
    read_back: Option<Micros>,
}

#[derive(Debug, Serialize)]
struct Said {
    kind: &'static str,
    subject: String,
}

/// What a line says besides the records.
pub(crate) struct About<'a> {
    pub(crate) step: &'static str,
    pub(crate) hour: UtcHour,
    pub(crate) zone: AccountZone,
    pub(crate) book: Option<&'a Book>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) cap: Micros,
    pub(crate) lambda: Ratio,
}

impl StepLine {
    pub(crate) fn new(about: &About<'_>, seen: Seen) -> Self {
        let hour = about.hour;
        let operator = about.book.map(Book::operator).unwrap_or_default();
        let (mut decided, mut settled) = (Vec::new(), Vec::new());
        for action in seen.actions {
            let line = if action.decision.span.from == hour && about.step == "hour" {
                &mut decided
            } else {
                &mut settled
            };
            line.push(Decided::from(action));
        }
        Self {
            step: about.step,
            hour: hour.start(),
            local: about.zone.local(hour).to_string(),
            epoch: about.book.map_or(0, |book| book.epoch().get()),
            killed: operator.killed,
            paused: operator.paused,
            exposure: about.book.map(|book| book.exposure(about.now)),
            cap: about.cap,
            lambda: about.lambda,
            decided,
            settled,
            alerts: seen.alerts.iter().map(Said::from).collect(),
        }
    }

    /// The step in one line of words.
    pub(crate) fn words(&self) -> String {
        let mut parts = vec![format!(
            "{}  {}",
            self.hour.format("%Y-%m-%dT%HZ"),
            self.local
        )];
        match self.step {
            "hour" => parts.push(format!("decided {}", self.decided.len())),
            other => parts.push(other.to_owned()),
        }
        for line in &self.decided {
            parts.extend(line.sent_words());
        }
        for line in &self.settled {
            parts.push(format!("{} settled: {}", line.key, line.status.as_str()));
        }
        if let Some(exposure) = self.exposure {
            parts.push(format!("exposure {exposure} of {}", self.cap));
        }
        if self.killed {
            parts.push("KILLED".to_owned());
        }
        if self.paused {
            parts.push("paused".to_owned());
        }
        for alert in &self.alerts {
            parts.push(format!("! {} ({})", alert.kind, alert.subject));
        }
        parts.join("; ")
    }
}

impl Decided {
    fn sent_words(&self) -> Option<String> {
        let (key, sent) = (&self.key, self.sent?);
        let rule = self
            .binding
            .as_ref()
            .map(|rule| format!(", bound by {rule}"));
        let rule = rule.unwrap_or_default();
        Some(match self.status {
            ActionStatus::Applied => format!("{key} set to {sent} a day{rule}"),
            ActionStatus::Pending => format!("{key} sending {sent} a day{rule}"),
            ActionStatus::Unknown => format!("{key} sent {sent} a day, not answered{rule}"),
            status => format!("{key} {sent} a day {}{rule}", status.as_str()),
        })
    }
}

impl From<ActionRecord> for Decided {
    fn from(action: ActionRecord) -> Self {
        let decision = action.decision;
        Self {
            id: decision.id,
            key: decision.key,
            current: decision.current,
            proposed: decision.proposed,
            allowed: decision.allowed,
            level: decision.level,
            binding: decision.binding,
            reasons: decision.reasons.iter().map(ToString::to_string).collect(),
            status: action.status,
            sent: action.sent,
            read_back: action.read_back,
        }
    }
}

impl From<&Alert> for Said {
    fn from(alert: &Alert) -> Self {
        Self {
            kind: alert.kind.as_str(),
            subject: alert.subject.clone(),
        }
    }
}
