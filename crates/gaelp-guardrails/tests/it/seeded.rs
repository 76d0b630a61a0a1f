//! Each mistake that is put in on purpose is found within few cases.
//!
//! Only with `RUSTFLAGS="--cfg gaelp_seeded_bugs"`: otherwise the mistakes do not exist.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gaelp_core::seeded;

use crate::cases::for_each;
use crate::model::Model;

/// How many cases the comparison with the model takes to find a mistake; `None` if all agree.
fn found_after(bug: u32, cases: u64) -> Option<u64> {
    seeded::set(bug);
    let mut number = 0;
    let all = AssertUnwindSafe(|| {
        for_each(50, cases, |asked| {
            number += 1;
            let verdict = asked.case.evaluate(&asked.guardrails, asked.proposed);
            Model::new(asked).agrees(asked, &verdict);
        });
    });
    let found = catch_unwind(all).is_err();
    seeded::set(0);
    found.then_some(number)
}

#[test]
fn every_seeded_bug_is_found_and_nothing_is_found_without_one() {
    assert_eq!(found_after(0, 10_000), None);
    for bug in 1..=7 {
        let found = found_after(bug, 10_000);
        let cases = found.unwrap_or_else(|| panic!("bug {bug} was not found"));
        println!("bug {bug}: found after {cases} cases");
    }
}
