//! Typical mistakes, which tests put in on purpose to prove that they would be found.
//!
//! Each function is what the rules do; with the mistake of its number switched on, it is what a
//! wrong version of them would do. The mistakes exist only under `--cfg gaelp_seeded_bugs`.

use gaelp_core::Micros;

use crate::Window;

#[cfg(gaelp_seeded_bugs)]
use gaelp_core::seeded::is;

#[cfg(not(gaelp_seeded_bugs))]
const fn is(_bug: u32) -> bool {
    false
}

/// The floor is applied after the ceilings.
const FLOOR_AFTER_CEILING: u32 = 1;
/// The bound on changes counts from the proposal.
const DELTA_FROM_PROPOSAL: u32 = 2;
/// Hours that nobody reported count as hours in which nothing happened.
const MISSING_IS_ZERO: u32 = 3;
/// The limit on the age of data is taken in days instead of hours.
const AGE_IN_DAYS: u32 = 4;
/// The kill switch goes back to the last known good rate also where that is higher.
const KILL_RAISES: u32 = 5;
/// A freeze ends at the first good look.
const NO_DWELL: u32 = 6;
/// The last edit of an hour is not kept for a decrease.
const NO_RESERVE: u32 = 7;

/// The result of the ceilings, which no floor raises.
pub(crate) fn after_ceilings(allowed: Micros, floor: Micros) -> Micros {
    if is(FLOOR_AFTER_CEILING) {
        return allowed.max(floor);
    }
    allowed
}

/// The rate that a bound on changes counts from.
pub(crate) fn delta_base(running: Micros, proposed: Micros) -> Micros {
    if is(DELTA_FROM_PROPOSAL) {
        return proposed;
    }
    running
}

/// The hours of the window that are known.
pub(crate) fn known_hours(window: &Window) -> u32 {
    if is(MISSING_IS_ZERO) {
        return window.asked_hours;
    }
    window.covered_hours
}

/// The greatest age of data, in hours.
pub(crate) fn age_limit(hours: i64) -> i64 {
    if is(AGE_IN_DAYS) {
        return hours * 24;
    }
    hours
}

/// The rate that the kill switch goes back to, and what is wanted under it.
pub(crate) fn killed_rate(good: Micros, current: Micros) -> Micros {
    if is(KILL_RAISES) {
        return good;
    }
    good.min(current)
}

/// What is wanted where the proposal does not count: what runs.
pub(crate) fn held_rate(current: Micros, kill: Option<Micros>) -> Micros {
    if is(KILL_RAISES) {
        return kill.unwrap_or(current);
    }
    current
}

/// How long a freeze lasts at least.
pub(crate) fn dwell(hours: u32) -> u32 {
    if is(NO_DWELL) {
        return 0;
    }
    hours
}

/// How many of the edits of an hour may be raises: the last one is kept for a decrease.
pub(crate) fn raises_of(edits: u32) -> u32 {
    if is(NO_RESERVE) {
        return edits;
    }
    edits.saturating_sub(1)
}
