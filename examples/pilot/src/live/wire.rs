//! The platform process's protocol, as a client speaks it: one JSON document per line.
//!
//! `examples/market` serves it and describes it. An adapter for a real platform would take the place
//! of this module and of `link`.

use chrono::{DateTime, Utc};
use gaelp::core::{HourSpan, Platform};
use gaelp::platform::{
    BudgetReading, Capabilities, OrderEvent, PlatformError, Report, SetBudget, WriteOutcome,
};
use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Debug, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Ask<'a> {
    Describe,
    Now,
    Report {
        platform: &'a Platform,
        span: HourSpan,
    },
    Budgets {
        platform: &'a Platform,
    },
    SetBudget {
        sent: DateTime<Utc>,
        request: &'a SetBudget,
    },
    Orders {
        span: HourSpan,
    },
}

/// What is answered.
#[derive(Debug, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    Market {
        accounts: Vec<Capabilities>,
        shop: bool,
    },
    Now {
        now: DateTime<Utc>,
        next_hour_ms: Option<u64>,
    },
    Report {
        report: Report,
    },
    Budgets {
        readings: Vec<BudgetReading>,
    },
    Wrote {
        outcome: WriteOutcome,
    },
    Orders {
        events: Vec<OrderEvent>,
    },
    Failed {
        error: PlatformError,
    },
}
