//! Typical mistakes, which tests put in on purpose to prove that they would be found.
//!
//! Each function is what the ledger does; with the mistake of its number switched on, it is what a
//! wrong version of it would do. The mistakes exist only under `--cfg gaelp_seeded_bugs`.

use gaelp_core::{Micros, Ratio};

use crate::book::worst;
use crate::{Answer, Epoch, Operator};

#[cfg(gaelp_seeded_bugs)]
use gaelp_core::seeded::is;

#[cfg(not(gaelp_seeded_bugs))]
const fn is(_bug: u32) -> bool {
    false
}

/// What is open is counted as if no platform exceeded it.
const OPEN_WITHOUT_OVERDELIVERY: u32 = 8;
/// A new day begins with nothing, although the old day's budgets stand.
const EMPTY_NEW_DAY: u32 = 9;
/// One reading settles an intent whose outcome is not known.
const ONE_READING: u32 = 10;
/// The runner before the current one is still admitted.
const LATE_FENCE: u32 = 11;
/// What is spent does not count.
const SPENT_IGNORED: u32 = 12;
/// An outcome that is not known counts as a refusal.
const UNKNOWN_IS_REJECTED: u32 = 13;
/// A takeover lifts the kill switch.
const TAKEOVER_LIFTS_KILL: u32 = 14;

/// What the highest budget of a day and what is open may make a platform spend.
pub(crate) fn budgets(high: Micros, open: Micros, overdelivery: Ratio) -> Micros {
    if is(OPEN_WITHOUT_OVERDELIVERY) {
        return worst(high, overdelivery).max(open);
    }
    worst(high.max(open), overdelivery)
}

/// The highest budget that a new day begins with.
pub(crate) fn first_high(high: Micros) -> Micros {
    if is(EMPTY_NEW_DAY) {
        return Micros::ZERO;
    }
    high
}

/// How many equal readings settle what is open.
pub(crate) fn readings(needed: u32, all_unknown: bool) -> u32 {
    if is(ONE_READING) && all_unknown {
        return 0;
    }
    needed
}

/// The epoch that a request or an entry must have.
pub(crate) fn epoch(current: Epoch, asked: Epoch) -> Epoch {
    if is(LATE_FENCE) && asked.next() == Some(current) {
        return asked;
    }
    current
}

/// What of the spend counts.
pub(crate) fn spent(spent: Micros) -> Micros {
    if is(SPENT_IGNORED) {
        return Micros::ZERO;
    }
    spent
}

/// What an answer is taken for.
pub(crate) fn answer(answer: Answer) -> Answer {
    if is(UNKNOWN_IS_REJECTED) && answer == Answer::Unknown {
        return Answer::Rejected;
    }
    answer
}

/// What persons said, after a takeover.
pub(crate) fn after_takeover(mut operator: Operator) -> Operator {
    operator.killed &= !is(TAKEOVER_LIFTS_KILL);
    operator
}
