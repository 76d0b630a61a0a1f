//! What a rollout is told, and what it asks for.

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, DecisionId, HourSpan, Platform, UtcHour};
use gaelp_ledger::{Book, Reply, Request};
use gaelp_platform::{BudgetReading, ErrorKind, OrderEvent, Report, SetBudget, WriteOutcome};

use crate::Record;

/// What happened outside.
///
/// **Calling rule.** [`Event::StepBegins`], [`Event::Reconciles`] and [`Event::Ends`] open a step;
/// the machine answers with commands. Each read and each [`Command::Ledger`] is answered by exactly
/// one event; reads in any order, the ledger in the order of the commands. Each write is answered by
/// one [`Event::Wrote`]. Answers bring further commands. A step is over when nothing is outstanding,
/// and only then may the next one begin.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// An hour, or a local day, begins, and wants to be decided.
    StepBegins {
        /// The hours to decide about: one hour, or one local day where reports are daily.
        span: HourSpan,
    },
    /// A process took over from another, or wants to know where it stands: read budgets and
    /// settle what is open, decide nothing.
    Reconciles {
        /// The hour that is under way.
        at: UtcHour,
    },
    /// The rollout is over: read what is left, decide nothing, let nothing pending be lost.
    Ends {
        /// The hour after the last one.
        at: UtcHour,
    },
    /// The answer to [`Command::ReadReport`].
    Reported {
        /// Whose.
        platform: Platform,
        /// What it said.
        report: Report,
    },
    /// [`Command::ReadReport`] failed.
    ReportFailed {
        /// Whose.
        platform: Platform,
        /// How.
        kind: ErrorKind,
    },
    /// The answer to [`Command::ReadBudgets`].
    Budgets {
        /// Whose.
        platform: Platform,
        /// The daily budgets as they stand.
        readings: Vec<BudgetReading>,
    },
    /// [`Command::ReadBudgets`] failed.
    BudgetsFailed {
        /// Whose.
        platform: Platform,
        /// How.
        kind: ErrorKind,
    },
    /// The answer to [`Command::ReadOrders`].
    Orders {
        /// Orders and refunds of the span asked for.
        events: Vec<OrderEvent>,
    },
    /// [`Command::ReadOrders`] failed.
    OrdersFailed {
        /// How.
        kind: ErrorKind,
    },
    /// The answer to [`Command::Write`].
    Wrote {
        /// The ad set.
        key: AdSetKey,
        /// The decision that was carried out.
        decision: DecisionId,
        /// What became of it.
        outcome: WriteOutcome,
    },
    /// The answer to [`Command::Ledger`].
    Ledger {
        /// What was asked.
        call: LedgerCall,
        /// What the ledger said, or that it could not be asked: then nobody knows whether the
        /// request is in its log.
        answer: Result<LedgerAnswer, LedgerTrouble>,
    },
    /// A person's word.
    Operator(Order),
}

/// What was asked of the ledger, to tell answers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerCall {
    /// [`Request::Take`].
    Take,
    /// [`Request::Observe`].
    Observe,
    /// [`Request::Admit`] for a decision.
    Admit(DecisionId),
    /// [`Request::Answer`] for a decision.
    Answer(DecisionId),
    /// [`Request::Order`].
    Order,
    /// What this version of the rollout does not ask.
    Other,
}

impl LedgerCall {
    /// The name of a request.
    pub fn of(request: &Request) -> Self {
        match request {
            Request::Take { .. } => Self::Take,
            Request::Observe(_) => Self::Observe,
            Request::Admit(proposal) => Self::Admit(proposal.id),
            Request::Answer { intent, .. } => Self::Answer(*intent),
            Request::Order { .. } => Self::Order,
            _ => Self::Other,
        }
    }
}

/// What the ledger said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerAnswer {
    /// Its reply.
    pub reply: Reply,
    /// Its book after that.
    pub book: Box<Book>,
}

/// Why the ledger could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LedgerTrouble {
    /// Its store did not answer, or not in time.
    Unavailable,
    /// Its log is damaged: what it says cannot be believed.
    Damaged,
}

/// What an operator may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Take everything down to what is known to be safe, and stay there.
    Kill,
    /// Lift the kill switch.
    Rearm,
    /// Raise nothing until told otherwise.
    Pause,
    /// End a pause.
    Resume,
}

/// What should happen outside. Carry commands out in their order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Ask a platform what happened during some hours.
    ReadReport {
        /// Whom.
        platform: Platform,
        /// Which hours.
        span: HourSpan,
    },
    /// Ask a platform for its budgets.
    ReadBudgets {
        /// Whom.
        platform: Platform,
    },
    /// Ask the shop for orders and refunds.
    ReadOrders {
        /// Of which hours.
        span: HourSpan,
    },
    /// Keep these. They must be durable before a later [`Command::Write`] is carried out.
    Record(Vec<Record>),
    /// Set a budget.
    Write {
        /// Where.
        platform: Platform,
        /// To what.
        request: SetBudget,
        /// When it must have been sent. Later it must not be: answer that it was rejected.
        not_after: DateTime<Utc>,
    },
    /// Ask the spend ledger, in one transaction of its store.
    Ledger(Box<Request>),
}
