//! What crosses the border between gaelp and an ad platform.

use gaelp_core::{AdSetKey, DecisionId, MetricRow, Micros, UtcHour};
use serde::{Deserialize, Serialize};

use crate::{AdSetDetails, PlatformError};

/// What a platform reports for a span of hours.
///
/// ```
/// use gaelp_core::{HourSpan, UtcHour};
/// use gaelp_platform::Report;
///
/// let report = Report { rows: vec![], complete_before: UtcHour::new(100) };
/// assert!(report.is_complete_for(HourSpan::new(UtcHour::new(90), UtcHour::new(100))));
/// assert!(!report.is_complete_for(HourSpan::hour(UtcHour::new(100))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The rows that *begin* in the span, one per ad set and span of hours, the latest revision of
    /// each, in any order.
    ///
    /// An ad set without a row for an hour is **missing** for that hour: nothing is known about
    /// it. An ad set that spent nothing has a row of zeros.
    pub rows: Vec<MetricRow>,
    /// Hours before this one are final as far as the platform knows; a restatement may still come.
    /// Figures from this hour on are partial or absent, and prove nothing.
    pub complete_before: UtcHour,
}

impl Report {
    /// Whether every hour of a span is final as far as the platform knows.
    pub fn is_complete_for(&self, span: gaelp_core::HourSpan) -> bool {
        span.to <= self.complete_before
    }
}

/// Whether an ad set is being delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delivery {
    /// It may spend.
    Active,
    /// It is switched off, by itself or by what it belongs to, and may not spend.
    Paused,
}

/// The daily budget of an ad set, as the platform says it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BudgetReading {
    /// Which ad set.
    pub key: AdSetKey,
    /// What may be spent on it in a local day, before the platform's overdelivery.
    pub daily_budget: Micros,
    /// Whether it is being delivered.
    pub delivery: Delivery,
    /// What else is known of it; it stands as the budget does, now.
    #[serde(default, skip_serializing_if = "AdSetDetails::is_unknown")]
    pub details: AdSetDetails,
}

/// A request to make an ad set's daily budget a certain amount.
///
/// The amount is absolute, never an increment: sending the request twice is sending it once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SetBudget {
    /// Which ad set.
    pub key: AdSetKey,
    /// What its daily budget is to be.
    pub daily_budget: Micros,
    /// The decision that asks for it: for the audit, and as an idempotency key where the platform
    /// takes one.
    pub decision: DecisionId,
}

/// What became of a write. There are three outcomes and no more: an implementer that is not sure
/// says [`Unknown`](Self::Unknown).
///
/// ```
/// use gaelp_core::Micros;
/// use gaelp_platform::{PlatformError, WriteOutcome};
///
/// let budget = Micros::new(5_000_000);
/// let lost = WriteOutcome::Unknown(PlatformError::retryable("no answer within 30 s"));
/// assert!(lost.may_have_changed());
/// assert!(!WriteOutcome::Rejected(PlatformError::rejected("too small")).may_have_changed());
/// assert_eq!(WriteOutcome::Applied { daily_budget: budget }.error(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
#[must_use = "a write may have been rejected, or may have happened unseen"]
pub enum WriteOutcome {
    /// The platform confirmed it. The amount is what stands now, in the platform's own words; it
    /// may differ from what was asked for.
    Applied {
        /// The daily budget that now stands.
        daily_budget: Micros,
    },
    /// Certainly nothing was changed, and nothing of this request can change anything later.
    Rejected(PlatformError),
    /// It was applied, or was not, or will yet be. It counts at its worst case until a read-back
    /// settles it.
    Unknown(PlatformError),
}

impl WriteOutcome {
    /// Whether the platform's state may differ from what it was before the write.
    pub const fn may_have_changed(&self) -> bool {
        !matches!(self, Self::Rejected(_))
    }

    /// Why it was not confirmed, or nothing where it was.
    pub const fn error(&self) -> Option<&PlatformError> {
        match self {
            Self::Applied { .. } => None,
            Self::Rejected(error) | Self::Unknown(error) => Some(error),
        }
    }
}
