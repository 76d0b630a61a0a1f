//! The programme: many seeds, none of which may break an invariant, and proof that everything
//! that can happen did.

use std::sync::Mutex;

use gaelp_core::{Level, RuleId, Seed};
use gaelp_guardrails::rules;
use gaelp_sim::{Counters, FaultKind, FaultSet, run};

use crate::support::{Failures, on_all_cores, scaled};

/// The whole programme: `GAELP_SEEDS=20000`.
const SEEDS: u64 = 20_000;
/// As many as fit into every run of the tests.
const EVERY_RUN: u64 = 1_000;
const HOURS: u32 = 168;

/// Everything that must have happened at least once.
const BRANCHES: &[&str] = &[
    "admitted/decrease",
    "admitted/raise",
    "change/confirmed",
    "change/expired",
    "change/external",
    "change/gone",
    "change/new",
    "campaign/checked",
    "crash/journal",
    "crash/ledger",
    "crash/platform",
    "entry/admitted",
    "entry/answered/applied",
    "entry/answered/rejected",
    "entry/answered/unknown",
    "entry/observed",
    "entry/ordered",
    "entry/taken",
    "journal/failed",
    "kill/checked",
    "ledger/unavailable",
    "operator/kill",
    "operator/not_heard",
    "operator/pause",
    "operator/rearm",
    "operator/resume",
    "plan/fixed",
    "plan/infeasible",
    "plan/planned",
    "phase/checked",
    "recovery/checkpoint_refused",
    "recovery/checkpoint_unreadable",
    "recovery/died",
    "recovery/died_in_recovery",
    "recovery/first_start",
    "recovery/from_nothing",
    "recovery/ledger_refused",
    "recovery/log_caught_up",
    "recovery/log_read_anew",
    "recovery/restored",
    "recovery/start_refused",
    "recovery/stopped",
    "recovery/zombie_ended",
    "refused/fenced",
    "refused/headroom",
    "refused/known",
    "replay/events",
    "replay/log",
    "run/wrote",
    "split/in_the_middle",
    "step/decided_already",
    "trial/observed",
    "write/applied",
    "write/rejected",
    "write/too_late",
    "write/unknown",
    // Alerts and what became of actions.
    "applied",
    "budgets_failed",
    "contradiction",
    "external_edit",
    "fenced",
    "ledger_refused",
    "ledger_unavailable",
    "no_plan",
    "orders_failed",
    "pending",
    "refused",
    "rejected",
    "report_failed",
    "shadow",
    "unattributed",
    "unchanged",
    "unknown",
    "write_rejected",
    "write_unknown",
];

#[test]
fn i1_to_i11_hold_for_every_seed_and_everything_occurred() {
    let seeds = scaled("GAELP_SEEDS", EVERY_RUN);
    let failures = Failures::default();
    let totals = Mutex::new((
        Counters::default(),
        vec![0_u64; FaultKind::ALL.len().pow(2)],
    ));
    on_all_cores(seeds, |seed| {
        let outcome = run(Seed::new(seed), HOURS).unwrap();
        failures.note(&outcome);
        let mut totals = totals.lock().unwrap();
        totals.0.add(&outcome.counters);
        count_pairs(&mut totals.1, outcome.counters.injected.kinds());
    });
    failures.assert_none();
    let (counters, pairs) = totals.into_inner().unwrap();
    let hours = seeds * u64::from(HOURS);
    assert_eq!(counters.hours, hours);
    println!(
        "{seeds} seeds, {hours} simulated hours; without a failure, fewer than {:.1e} of such \
         weeks fail (95 %)",
        3.0 / f64::from(u32::try_from(seeds).unwrap())
    );
    let objections = |rule: &RuleId| counters.rules.get(rule).copied().unwrap_or(0);
    let mut rarest: Vec<(u64, &RuleId)> = rules::ALL.iter().map(|r| (objections(r), r)).collect();
    rarest.sort();
    println!("rules that objected least often: {:?}", &rarest[..8]);
    if seeds >= SEEDS {
        assert_occurred(&counters);
    }
    for kind in FaultKind::ALL {
        let struck = counters.injected.of(*kind);
        assert!(
            struck * SEEDS >= 1_000 * seeds.min(SEEDS),
            "{kind} struck {struck} times"
        );
    }
    println!(
        "the rarest pair of kinds struck together in {} seeds",
        rarest_pair(&pairs)
    );
    if seeds >= SEEDS {
        assert_pairs(&pairs);
    }
}

fn count_pairs(pairs: &mut [u64], kinds: FaultSet) {
    for a in kinds.iter() {
        for b in kinds.iter().filter(|b| *b > a) {
            pairs[a.index() * FaultKind::ALL.len() + b.index()] += 1;
        }
    }
}

fn rarest_pair(pairs: &[u64]) -> u64 {
    let count = FaultKind::ALL.len();
    let above = |(index, _): &(usize, &u64)| index / count < index % count;
    let seeds = pairs
        .iter()
        .enumerate()
        .filter(above)
        .map(|(_, seeds)| *seeds);
    seeds.min().unwrap_or(0)
}

fn assert_pairs(pairs: &[u64]) {
    let mut rare = Vec::new();
    for a in FaultKind::ALL {
        for b in FaultKind::ALL.iter().filter(|b| *b > a) {
            let seeds = pairs[a.index() * FaultKind::ALL.len() + b.index()];
            if seeds < 100 {
                rare.push(format!("{a} and {b} in {seeds}"));
            }
        }
    }
    assert!(rare.is_empty(), "struck together in few seeds: {rare:?}");
}

fn assert_occurred(counters: &Counters) {
    let missing: Vec<&&str> = BRANCHES
        .iter()
        .filter(|name| counters.of(name) == 0)
        .collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
    for level in [
        Level::Allow,
        Level::Clamp,
        Level::Freeze,
        Level::Deny,
        Level::Kill,
    ] {
        assert!(
            counters.levels.contains_key(&level),
            "no decision was {level}"
        );
        assert!(
            counters.tried.contains_key(&level),
            "no verdict on trial was {level}"
        );
    }
    // The list is the guardrails' own: a new rule cannot be forgotten here.
    let objected = |rule: &&RuleId| counters.rules.contains_key(*rule);
    let silent: Vec<&RuleId> = rules::ALL.iter().filter(|rule| !objected(rule)).collect();
    assert!(silent.is_empty(), "never objected: {silent:?}");
}

/// Everything that is drawn comes from the seed: nothing of the machine, the time or the order of
/// memory shows.
#[test]
fn equal_seeds_have_equal_hashes() {
    let seeds = scaled("GAELP_SEEDS", EVERY_RUN) / 20;
    let hashes = Mutex::new(std::collections::BTreeSet::new());
    on_all_cores(seeds, |number| {
        // Others than above, and none in its order.
        let seed = Seed::new(1_000_000 + number * 7_919 % seeds);
        let (one, other) = (run(seed, HOURS).unwrap(), run(seed, HOURS).unwrap());
        assert_eq!(one.hash, other.hash, "seed {}", seed.get());
        assert_eq!(one.violations, other.violations);
        hashes.lock().unwrap().insert(one.hash);
    });
    assert!(hashes.into_inner().unwrap().len() * 10 > usize::try_from(seeds).unwrap() * 9);
}
