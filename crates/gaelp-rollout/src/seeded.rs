//! Typical mistakes, which tests put in on purpose to prove that they would be found.
//!
//! Each function is what the rollout does; with the mistake of its number switched on, it is what
//! a wrong version would do. The mistakes exist only under `--cfg gaelp_seeded_bugs`.

use chrono::{DateTime, Utc};
use gaelp_core::Micros;
use gaelp_ledger::{Answer, Operator, Standing};

#[cfg(gaelp_seeded_bugs)]
use gaelp_core::seeded::is;

#[cfg(not(gaelp_seeded_bugs))]
const fn is(_bug: u32) -> bool {
    false
}

/// A lost answer is taken for a refusal.
const UNKNOWN_IS_REJECTED: u32 = 15;
/// A reading counts from when it arrived, not from when it was asked for.
const READ_WHEN_ARRIVED: u32 = 16;
/// An order that another process gave is not heard.
const DEAF_TO_ORDERS: u32 = 17;
/// A write may be sent at any time after it was admitted.
const SEND_ANY_TIME: u32 = 18;
/// A day's budget is computed with an hour too many.
const HOUR_TOO_MANY: u32 = 19;
/// The list of ad sets that may be written to is not asked.
const NO_LIST: u32 = 20;
/// What an hour raised is not summed by campaign.
const CAMPAIGN_RAISES_LOST: u32 = 21;
/// What was spent today is not summed by campaign.
const CAMPAIGN_SPEND_LOST: u32 = 22;
/// Of writes that are not settled the smaller amount counts towards the phase.
const PHASE_IS_HOPEFUL: u32 = 23;
/// Of a policy on trial only objections are kept.
const ONLY_OBJECTIONS: u32 = 24;

/// What the ledger is told of an answer that was lost.
pub(crate) fn lost_answer() -> Answer {
    if is(UNKNOWN_IS_REJECTED) {
        return Answer::Rejected;
    }
    Answer::Unknown
}

/// When a reading counts as begun.
pub(crate) fn read_began(asked: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    if is(READ_WHEN_ARRIVED) {
        return now;
    }
    asked
}

/// What operators said in any process.
pub(crate) fn ordered(operator: Operator) -> Operator {
    if is(DEAF_TO_ORDERS) {
        return Operator::default();
    }
    operator
}

/// When a write must have been sent.
pub(crate) fn send_by(not_after: DateTime<Utc>) -> DateTime<Utc> {
    if is(SEND_ANY_TIME) {
        return DateTime::<Utc>::MAX_UTC;
    }
    not_after
}

/// The hours of a day's budget.
pub(crate) fn hours_per_day(hours: i64) -> i64 {
    if is(HOUR_TOO_MANY) {
        return hours + 1;
    }
    hours
}

/// Whether an ad set may be written to.
pub(crate) fn may_write(listed: bool) -> bool {
    listed || is(NO_LIST)
}

/// What a decision adds to what its campaign raised in the hour.
pub(crate) fn raised(raise: Micros) -> Micros {
    if is(CAMPAIGN_RAISES_LOST) {
        return Micros::ZERO;
    }
    raise
}

/// What an ad set adds to what its campaign spent today.
pub(crate) fn spent(more: Micros) -> Micros {
    if is(CAMPAIGN_SPEND_LOST) {
        return Micros::ZERO;
    }
    more
}

/// What counts for an ad set towards the share of its phase.
pub(crate) fn counted(standing: &Standing) -> Option<Micros> {
    let open = standing.open.iter().map(|intent| intent.to);
    let known = open.chain(standing.confirmed);
    if is(PHASE_IS_HOPEFUL) {
        return known.min();
    }
    known.max()
}

/// Whether what a policy on trial said is kept.
pub(crate) fn kept(objected: bool) -> bool {
    objected || !is(ONLY_OBJECTIONS)
}
