//! Seeds that once found something. Each stays.

use gaelp_core::Seed;
use gaelp_rollout::Budgeting;
use gaelp_sim::{Scenario, Simulation};

use crate::support::Failures;

/// The seed, and what was wrong.
const FOUND: &[(u64, &str)] = &[
    (
        47,
        "the day after a cap had cut, a frozen ad set was raised to where it had been",
    ),
    (249, "the same, with data too old"),
    (
        2,
        "days after a cap had cut, a return to where the budget had been",
    ),
    (188, "the same, within two days"),
    (
        5,
        "a decrease every hour over an unknown write: nothing ever settled",
    ),
    (
        14_193,
        "an ad set that the lists left out for hours was counted no more, and spent",
    ),
    (
        17_436,
        "the same, and its open write was forgotten at midnight",
    ),
    (
        6_113,
        "what an unlisted ad set had spent was taken for its budget, and returned to",
    ),
    (
        4_554,
        "a person's raise after the kill came down to more than stood at the kill",
    ),
    (
        15_381,
        "where a decision counted from was taken for a rate that had done well",
    ),
    (
        10_845,
        "a decrease from a budget that the ledger had not heard of was a raise to it",
    ),
    (
        7_012,
        "a clock behind by hours, which nobody saw run back: beyond what is promised",
    ),
    (
        1_071,
        "rows of hours to come pushed out what was known of today: nothing seemed to be spent",
    ),
    (
        462,
        "an hour with two figures under one revision counted as if nothing had been spent in it",
    ),
];

#[test]
fn seeds_that_found_something_find_it_no_more() {
    let failures = Failures::default();
    for &(seed, what) in FOUND {
        // They were found where each ad set set its budget by itself.
        let mut scenario = Scenario::drawn(Seed::new(seed), 168);
        scenario.rollout.budgeting = Budgeting::Classic;
        let outcome = Simulation::new(scenario).unwrap().run();
        failures.note_as(Seed::new(seed), &format!(" ({what})"), &outcome);
    }
    failures.assert_none();
}
