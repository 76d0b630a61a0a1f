//! What a rollout is told, and what it asks for.

use gaelp_core::{AdSetKey, DecisionId, HourSpan, Platform, UtcHour};
use gaelp_platform::{BudgetReading, ErrorKind, OrderEvent, Report, SetBudget, WriteOutcome};

use crate::Record;

/// What happened outside.
///
/// **Calling rule.** [`Event::StepBegins`] and [`Event::Ends`] open a step; the machine answers
/// with reads. Each read is answered by exactly one event, in any order; with the last answer the
/// machine decides. Each write is answered by one [`Event::Wrote`]. A step is over when nothing is
/// outstanding, and only then may the next one begin.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// An hour, or a local day, begins, and wants to be decided.
    StepBegins {
        /// The hours to decide about: one hour, or one local day where reports are daily.
        span: HourSpan,
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
    /// A person's word.
    Operator(Order),
}

/// What an operator may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Take everything down to what is known to be safe, and stay there.
    Kill,
    /// Lift the kill switch.
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
    },
}
