//! Mistakes put in on purpose: each must be noticed, or the tests prove nothing.
//!
//! Only with `RUSTFLAGS="--cfg gaelp_seeded_bugs"`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gaelp_core::seeded;

use crate::differential::{Counts, one_run};

#[test]
fn every_seeded_bug_is_found_by_chance() {
    for bug in 8..=14 {
        seeded::set(bug);
        let found = (0..10_000).find(|&run| {
            let result = catch_unwind(AssertUnwindSafe(|| one_run(run, &mut Counts::new())));
            result.is_err()
        });
        seeded::set(0);
        let runs = found.unwrap_or_else(|| panic!("bug {bug} was not found")) + 1;
        println!("bug {bug}: found after {runs} runs of 40 requests");
    }
    for run in 0..10 {
        one_run(run, &mut Counts::new());
    }
}
