//! What a rollout writes down.

use chrono::NaiveDate;
use gaelp_core::{
    AdSetKey, Decision, Experience, HourSpan, MetricRow, Micros, Platform, Quantity, Ratio,
    RewardCorrection, UtcHour,
};
use serde::{Deserialize, Serialize};

use crate::{Checkpoint, Mode, PlanRecord, TrialRecord};

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// What a platform reported.
    Metrics(MetricRow),
    /// What was credited to an ad set of the shop's orders.
    Credit(Credit),
    /// What was decided, and what became of it. Written again when its status changes.
    Action(Box<ActionRecord>),
    /// What was said of a decision and did not count.
    Trial(Box<TrialRecord>),
    /// A step that can be learnt from.
    Experience(Box<ExperienceRecord>),
    /// A change to the reward of an experience.
    Correction(RewardCorrection),
    /// A day's spend against its target.
    BudgetState(BudgetState),
    /// What an hour was given, and how it was spread.
    Plan(Box<PlanRecord>),
    /// Something a person should know.
    Alert(Alert),
    /// All that a rollout needs to go on after its process ended. Only the last one counts.
    Checkpoint(Box<Checkpoint>),
}

/// An ad set's part of the shop's orders of some hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The ad set.
    pub key: AdSetKey,
    /// The hours of the orders, as the platform reports them.
    pub span: HourSpan,
    /// Its part of the revenue; negative for refunds.
    pub revenue: Micros,
    /// Its part of the orders.
    pub orders: Quantity,
    /// The hour in which it was credited. Orders that become known later are credited then, so
    /// an ad set's hours may have several credits, at most one in each hour.
    pub at: UtcHour,
}

/// A decision on its way to the platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// What was decided and why.
    pub decision: Decision,
    /// In which mode.
    pub mode: Mode,
    /// How far it got.
    pub status: ActionStatus,
    /// The daily budget sent to the platform.
    pub sent: Option<Micros>,
    /// The daily budget read back from it.
    pub read_back: Option<Micros>,
}

/// How far an action got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionStatus {
    /// Decided in shadow mode: never sent.
    Shadow,
    /// Nothing to send: the platform's budget is already what was decided.
    Unchanged,
    /// About to be sent. Written before the platform hears of it.
    Pending,
    /// The platform confirmed it.
    Applied,
    /// The platform, or its published minimum, refused it.
    Rejected,
    /// No one knows: the answer was lost. It counts as applied and as not applied, whichever is
    /// worse, until a read-back settles it.
    Unknown,
}

impl ActionStatus {
    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Unchanged => "unchanged",
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

/// What was known about an ad set when it was decided upon: the features of [`STATE_SCHEMA`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// The account's clock, 0 to 23.
    pub hour: u8,
    /// The day of the week, Monday 0 to Sunday 6.
    pub weekday: u8,
    /// The rate in force, per hour.
    pub current: Micros,
    /// Spend of the last 24 reported hours.
    pub spend_24h: Micros,
    /// Revenue of the last 24 reported hours.
    pub revenue_24h: Micros,
    /// Clicks of the last 24 reported hours.
    pub clicks_24h: u64,
    /// Conversions of the last 24 reported hours, in millionths.
    pub conversions_24h: u64,
    /// Spend of the account since its local midnight.
    pub account_spent_today: Micros,
    /// The price of money, λ.
    pub lambda: Ratio,
}

/// The version of [`State`]'s features; it changes whenever their meaning does.
pub const STATE_SCHEMA: u32 = 1;

/// What was done to an ad set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Action {
    /// The multiplier that the policy chose.
    pub multiplier: Ratio,
    /// The rate that the rules allowed, per hour.
    pub allowed: Micros,
    /// Whether the world saw it: in shadow mode the reward belongs to what was really done.
    pub executed: bool,
}

/// An [`Experience`] of this crate's features and actions.
pub type ExperienceRecord = Experience<State, Action>;

/// A day's spend against its target, and the price of money that followed from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetState {
    /// The local day.
    pub date: NaiveDate,
    /// The platform, or `None` for the account as a whole.
    pub platform: Option<Platform>,
    /// What was to be spent; only the account has a target.
    pub target_spend: Option<Micros>,
    /// What was spent.
    pub actual_spend: Micros,
    /// λ after the day was counted.
    pub lambda_spend: Ratio,
}

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The hour in which it was noticed.
    pub at: UtcHour,
    /// What it is.
    pub kind: AlertKind,
    /// Whom it concerns: a platform, or a platform and an ad set.
    pub subject: String,
}

/// The kinds of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AlertKind {
    /// A platform's report could not be read.
    ReportFailed,
    /// A platform's budgets could not be read.
    BudgetsFailed,
    /// The shop's orders could not be read.
    OrdersFailed,
    /// A platform gave two different figures under the same revision; the first is kept.
    Contradiction,
    /// A reported row could not be believed, and was left out: negative, overlapping or huge.
    Refused,
    /// The answer to a write was lost.
    WriteUnknown,
    /// A platform refused a write.
    WriteRejected,
    /// A budget is not what was last set: somebody else changed it.
    ExternalEdit,
    /// Orders came in while no ad set had spent anything to credit them to.
    Unattributed,
    /// The spend ledger did not admit a write: it would have risked more than the cap, or was
    /// forbidden.
    LedgerRefused,
    /// The spend ledger could not be asked: nothing was written.
    LedgerUnavailable,
    /// The spend ledger's log is damaged: nothing was written.
    LedgerDamaged,
    /// Another runner took the ledger over: this one writes no more.
    Fenced,
    /// A cap was exceeded several times in a row: nothing is raised until an operator says so.
    Emergency,
    /// The hour's allowance cannot be spread as the minimums and caps demand: each ad set goes by
    /// itself. The subject says what stands in the way.
    NoPlan,
}

impl AlertKind {
    /// The name it is stored under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReportFailed => "report_failed",
            Self::BudgetsFailed => "budgets_failed",
            Self::OrdersFailed => "orders_failed",
            Self::Contradiction => "contradiction",
            Self::Refused => "refused",
            Self::WriteUnknown => "write_unknown",
            Self::WriteRejected => "write_rejected",
            Self::ExternalEdit => "external_edit",
            Self::Unattributed => "unattributed",
            Self::LedgerRefused => "ledger_refused",
            Self::LedgerUnavailable => "ledger_unavailable",
            Self::LedgerDamaged => "ledger_damaged",
            Self::Fenced => "fenced",
            Self::Emergency => "emergency",
            Self::NoPlan => "no_plan",
        }
    }
}
