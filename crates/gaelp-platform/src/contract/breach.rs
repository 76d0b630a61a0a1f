//! What a check can find.

use gaelp_core::{AdSetKey, HourSpan, Micros, OrderId, Revision};

use crate::{BudgetError, OrderError, PlatformError};

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// The adapter does not keep its promise.
    #[error(transparent)]
    Broken(#[from] Breach),
    /// A call failed, or a write stayed unknown, for a reason that proves nothing. Try again.
    #[error("the check could not be finished")]
    NotFinished(#[from] PlatformError),
    /// The ad set has a budget that its own platform would not take, so that it could not be put
    /// back. Choose another.
    #[error("{key} is not suited for the check")]
    Unsuitable {
        /// Which ad set.
        key: AdSetKey,
        /// What is wrong with its budget.
        #[source]
        error: BudgetError,
    },
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// A key of another platform than the one in the capabilities.
    #[error("{key} is not of the platform that the capabilities name")]
    ForeignKey {
        /// The key.
        key: AdSetKey,
    },
    /// A row that does not begin in the span that was asked for, or is about no hours.
    #[error("the report has a row of {key} for {span}, which does not begin in the span asked for")]
    RowOutsideSpan {
        /// The row's ad set.
        key: AdSetKey,
        /// The row's span.
        span: HourSpan,
    },
    /// The same row twice in one report.
    #[error("the report has two rows of {key} for {span}")]
    DuplicateRow {
        /// The rows' ad set.
        key: AdSetKey,
        /// The rows' span.
        span: HourSpan,
    },
    /// A later report with an earlier revision.
    #[error("{key} for {span} fell from revision {} to {}", .before.get(), .after.get())]
    RevisionFell {
        /// The row's ad set.
        key: AdSetKey,
        /// The row's span.
        span: HourSpan,
        /// The revision of the earlier report.
        before: Revision,
        /// The revision of the later report.
        after: Revision,
    },
    /// Other figures under the same revision.
    #[error("{key} for {span} changed without a new revision, {}", .revision.get())]
    ReportContradicted {
        /// The row's ad set.
        key: AdSetKey,
        /// The row's span.
        span: HourSpan,
        /// Its revision.
        revision: Revision,
    },
    /// An ad set twice in the list of budgets.
    #[error("the budgets list {key} twice")]
    DuplicateBudget {
        /// Which ad set.
        key: AdSetKey,
    },
    /// The ad set to check is not in the list of budgets.
    #[error("the budgets do not list {key}")]
    NoBudget {
        /// Which ad set.
        key: AdSetKey,
    },
    /// A bid below zero.
    #[error("the bid of {key} is {bid}")]
    NegativeBid {
        /// Of which ad set.
        key: AdSetKey,
        /// The bid.
        bid: Micros,
    },
    /// A campaign or an audience without a name: what is not known must be left out.
    #[error("{key} has a campaign or an audience without a name")]
    EmptyName {
        /// Of which ad set.
        key: AdSetKey,
    },
    /// Setting a budget changed something else.
    #[error("the campaign, the audiences or the bid of {key} changed with its budget")]
    DetailsChanged {
        /// Of which ad set.
        key: AdSetKey,
    },
    /// A budget that the capabilities allow was rejected.
    #[error("a budget of {asked} is within the capabilities and was rejected: {error}")]
    NotApplied {
        /// What was asked for.
        asked: Micros,
        /// Why it was rejected.
        error: PlatformError,
    },
    /// A budget that the capabilities allow was applied as another.
    #[error("a budget of {asked} was applied as {confirmed}")]
    AppliedOther {
        /// What was asked for.
        asked: Micros,
        /// What was confirmed.
        confirmed: Micros,
    },
    /// A budget that the capabilities exclude was applied.
    #[error("a budget of {asked} is outside the capabilities and was applied as {confirmed}")]
    NotRefused {
        /// What was asked for.
        asked: Micros,
        /// What was confirmed.
        confirmed: Micros,
    },
    /// A write to an ad set that does not exist was applied.
    #[error("a budget was applied to {key}, which does not exist")]
    AppliedToNobody {
        /// Which ad set.
        key: AdSetKey,
    },
    /// The budgets do not show what must stand after a write.
    #[error("the budget reads {read} and must be {expected}")]
    ReadBack {
        /// What must stand.
        expected: Micros,
        /// What was read.
        read: Micros,
    },
    /// An event outside the span that was asked for.
    #[error("event {number} of order {order} is outside the span asked for")]
    OrderOutsideSpan {
        /// Which order.
        order: OrderId,
        /// Which event of it.
        number: u32,
    },
    /// The same event twice.
    #[error("event {number} of order {order} came twice")]
    DuplicateOrder {
        /// Which order.
        order: OrderId,
        /// Which event of it.
        number: u32,
    },
    /// An event that contradicts itself, or what was said of it before.
    #[error(transparent)]
    Order(#[from] OrderError),
}
