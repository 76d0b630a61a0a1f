//! I12: what was reported counts, not the order or the number of times in which it came.

use gaelp_core::Seed;
use gaelp_sim::{FaultKind, Plan, Planned, Scenario, Simulation};

use crate::support::Failures;

fn decided(seed: u64, kinds: &[FaultKind]) -> [u8; 32] {
    let planned = kinds.iter().map(|&kind| Planned {
        hour: 3,
        kind,
        lasts: 80,
        details: seed,
    });
    let scenario = Scenario::with_plan(Seed::new(seed), 96, Plan::of(planned.collect()));
    let outcome = Simulation::new(scenario).unwrap().with_replay().run();
    let failures = Failures::default();
    failures.note(&outcome);
    failures.assert_none();
    for kind in kinds {
        assert!(
            outcome.counters.injected.of(*kind) > 50,
            "{kind} did not strike"
        );
    }
    outcome.decided
}

#[test]
fn i12_decisions_do_not_depend_on_the_order_or_the_number_of_deliveries() {
    let mut different = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let in_order = decided(seed, &[]);
        assert_eq!(
            decided(seed, &[FaultKind::ReorderedRows]),
            in_order,
            "reordered, seed {seed}"
        );
        assert_eq!(
            decided(seed, &[FaultKind::DuplicateRows]),
            in_order,
            "twice, seed {seed}"
        );
        different.insert(in_order);
    }
    assert!(different.len() > 35, "the seeds decide alike");
}
