//! A policy on trial changes nothing, whatever goes wrong.

use std::sync::Mutex;

use gaelp_core::Seed;
use gaelp_guardrails::{GuardrailConfig, Policy};
use gaelp_sim::{Scenario, Simulation};

use crate::support::{on_all_cores, scaled};

const HOURS: u32 = 96;

/// For how many hours rules want to know what happened.
fn looks_back(rules: &GuardrailConfig) -> u32 {
    let weeks = rules.max_spike.map_or(0, |_| rules.spike_min_weeks.max(1));
    let trailing = Policy::new(rules.clone()).unwrap().rules().trailing();
    trailing.retain_hours().max((weeks * 7 + 1) * 24)
}

#[test]
fn a_candidate_changes_nothing_whatever_goes_wrong() {
    let compared = Mutex::new((0_u32, 0_u64));
    on_all_cores(scaled("GAELP_SEEDS", 1_000) / 4, |seed| {
        let scenario = Scenario::drawn(Seed::new(2_000_000 + seed), HOURS);
        let rules = &scenario.rollout.guardrails;
        let candidate = scenario.rollout.candidate.as_ref();
        // One that looks further back lets more be read, and traffic be learnt from more.
        if candidate.is_none_or(|candidate| looks_back(candidate) > looks_back(rules)) {
            return;
        }
        let mut alone = scenario.clone();
        alone.rollout.candidate = None;
        let with = Simulation::new(scenario).unwrap().run();
        let without = Simulation::new(alone).unwrap().run();
        // What was decided, written, spent and entered into the ledger.
        assert_eq!(with.hash, without.hash, "seed {}", with.seed.get());
        assert_eq!(with.decided, without.decided);
        assert!(without.counters.tried.is_empty());
        let mut compared = compared.lock().unwrap();
        compared.0 += 1;
        compared.1 += with.counters.tried.values().sum::<u64>();
    });
    let (seeds, verdicts) = compared.into_inner().unwrap();
    println!("{verdicts} verdicts on trial in {seeds} seeds");
    assert!(u64::from(seeds) * 16 > scaled("GAELP_SEEDS", 1_000) / 4 && verdicts > 1_000);
}
