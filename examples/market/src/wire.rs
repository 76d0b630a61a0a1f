//! The protocol: one JSON document per line, one answer per question.

use chrono::{DateTime, Utc};
use gaelp_core::{HourSpan, Micros, Platform};
use gaelp_platform::{
    BudgetReading, Capabilities, OrderEvent, PlatformError, Report, SetBudget, WriteOutcome,
};
use serde::{Deserialize, Serialize};

use crate::Audit;

/// What a client asks.
///
/// ```
/// use gaelp_market::Ask;
///
/// let ask: Ask = serde_json::from_str(r#"{"ask":"budgets","platform":"meta"}"#)?;
/// assert!(matches!(ask, Ask::Budgets { .. }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Ask {
    /// Which accounts there are. Answered by [`Answer::Market`].
    Describe,
    /// What time it is. Answered by [`Answer::Now`].
    Now,
    /// What happened. Answered by [`Answer::Report`].
    Report {
        /// Where.
        platform: Platform,
        /// In which hours.
        span: HourSpan,
    },
    /// The budgets as they stand. Answered by [`Answer::Budgets`].
    Budgets {
        /// Where.
        platform: Platform,
    },
    /// Set a budget. Answered by [`Answer::Wrote`], or not at all.
    SetBudget {
        /// When it was sent, by the market's clock. The network drops what is older than the
        /// request lifetime.
        sent: DateTime<Utc>,
        /// What to set.
        request: SetBudget,
    },
    /// The shop's orders. Answered by [`Answer::Orders`].
    Orders {
        /// Of which hours.
        span: HourSpan,
    },
    /// A person edits a budget in the platform's own interface. Answered by [`Answer::Done`].
    Edit {
        /// Where.
        platform: Platform,
        /// Which ad set.
        ad_set: gaelp_core::AdSetId,
        /// Its new daily budget.
        daily_budget: Micros,
    },
    /// Let time pass. Answered by [`Answer::Now`].
    Advance {
        /// So many seconds.
        seconds: u32,
    },
    /// The ground truth. Answered by [`Answer::Audit`].
    Audit,
    /// End the process. Answered by [`Answer::Done`].
    Stop,
}

/// What the market answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// The accounts.
    Market {
        /// What each can do.
        accounts: Vec<Capabilities>,
        /// Whether there is a shop.
        shop: bool,
    },
    /// The time.
    Now {
        /// It is.
        now: DateTime<Utc>,
        /// How many real milliseconds it takes until the next hour begins; nothing where time
        /// passes on request only.
        next_hour_ms: Option<u64>,
    },
    /// A report.
    Report {
        /// It.
        report: Report,
    },
    /// Budgets.
    Budgets {
        /// They.
        readings: Vec<BudgetReading>,
    },
    /// What became of a write.
    Wrote {
        /// It.
        outcome: WriteOutcome,
    },
    /// Orders and refunds.
    Orders {
        /// They.
        events: Vec<OrderEvent>,
    },
    /// The ground truth.
    Audit {
        /// It.
        audit: Box<Audit>,
    },
    /// It is done.
    Done,
    /// It cannot be answered.
    Failed {
        /// Why.
        error: PlatformError,
    },
}
