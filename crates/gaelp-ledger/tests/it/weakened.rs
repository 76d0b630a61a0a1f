//! The protocol with one rule left out: each must break the cap, or the model proves nothing.
//!
//! Nothing in the ledger is switched off for this. The rule is left out around it: the book is not
//! told of something, is told a lie, or is an old copy.

use stateright::{Checker, HasDiscoveries, Model};

use crate::protocol::{ALL, Action, Bounds, I1_TRUTH, Protocol, Weakness};

/// Room enough for every violation to be found, and for no more.
const BOUNDS: Bounds = Bounds {
    live: [1, 0],
    time: (-1, 0),
    lifetime: 1,
    send_within: 0,
    read_backs: 1,
    proposals: ALL,
    intents: 2,
    takes: 0,
    crashes: 0,
    orders: 0,
    stale_reads: true,
    rejections: false,
    timeouts: false,
    weakness: Weakness::None,
};

/// The shortest way to exceed the cap, if there is one.
fn violation(bounds: Bounds) -> Option<Vec<Action>> {
    let wanted = HasDiscoveries::AllOf([I1_TRUTH].into());
    let checker = Protocol::new(bounds).checker().finish_when(wanted);
    let found = checker.spawn_bfs().join().discovery(I1_TRUTH)?;
    Some(found.into_actions())
}

/// Finds a violation with the weakness, and none in the same bounds without it.
fn must_break(bounds: Bounds, weakness: Weakness) {
    let path = violation(Bounds { weakness, ..bounds });
    let path = path.unwrap_or_else(|| panic!("{weakness:?} does not break the cap"));
    println!(
        "{weakness:?} breaks the cap in {} steps: {path:?}",
        path.len()
    );
    let sound = violation(Bounds {
        weakness: Weakness::None,
        ..bounds
    });
    assert_eq!(sound, None, "the whole protocol breaks the cap");
}

#[test]
fn admission_on_confirmed_budgets_only_breaks_the_cap() {
    must_break(BOUNDS, Weakness::ConfirmedOnly);
}

#[test]
fn admission_that_assumes_open_intents_applied_breaks_the_cap() {
    let live = [2, 0];
    must_break(Bounds { live, ..BOUNDS }, Weakness::AssumeApplied);
}

#[test]
fn no_barrier_of_the_request_lifetime_breaks_the_cap() {
    must_break(BOUNDS, Weakness::NoLifetime);
}

#[test]
fn no_epoch_check_breaks_the_cap() {
    let bounds = Bounds {
        takes: 1,
        stale_reads: false,
        ..BOUNDS
    };
    must_break(bounds, Weakness::CachedView);
}

#[test]
fn overlapping_writes_settled_by_an_answer_break_the_cap() {
    let bounds = Bounds {
        live: [2, 0],
        proposals: &[(0, 1), (0, 0), (1, 2)],
        intents: 3,
        time: (-2, 0), // confirmed before midnight, so that the new day begins without it
        lifetime: 2,
        stale_reads: false,
        ..BOUNDS
    };
    must_break(bounds, Weakness::OverlapByAnswer);
}
