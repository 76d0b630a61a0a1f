//! A platform, as the rollout knows it.

use gaelp_core::UtcHour;
use gaelp_guardrails::{Breaker, CallOutcome};
use gaelp_platform::{Capabilities, ErrorKind};

/// A platform, and how far its reports were read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) capabilities: Capabilities,
    pub(crate) read_to: Option<UtcHour>,
    /// Whether raises are sent to it.
    pub(crate) breaker: Breaker,
}

/// How a failed call counts for the platform's breaker.
pub(crate) fn call_outcome(kind: ErrorKind) -> CallOutcome {
    match kind {
        ErrorKind::RateLimited { .. } => CallOutcome::RateLimited,
        ErrorKind::Rejected => CallOutcome::Rejected,
        _ => CallOutcome::Failure,
    }
}
