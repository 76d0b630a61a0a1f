//! Seeds that once found something. Each stays.

use gaelp_core::Seed;
use gaelp_sim::run;

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
];

#[test]
fn seeds_that_found_something_find_it_no_more() {
    let failures = Failures::default();
    for &(seed, what) in FOUND {
        let outcome = run(Seed::new(seed), 168).unwrap();
        failures.note_as(Seed::new(seed), &format!(" ({what})"), &outcome);
    }
    failures.assert_none();
}
