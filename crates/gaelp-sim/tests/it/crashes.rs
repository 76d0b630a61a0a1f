//! Crash points: every command of a golden run is where the process dies, before, in and after
//! it, and every command of the recovery is where it dies again.

use std::sync::Mutex;

use gaelp_core::Seed;
use gaelp_sim::FaultKind::{HumanRaise, LateApply, TimeoutAfterApply, TimeoutBeforeApply};
use gaelp_sim::{Counters, Crash, CrashPoint, Outcome, Plan, Planned, Scenario, Simulation};

use crate::support::{Failures, on_all_cores, scaled};

const HOURS: u32 = 48;
const POINTS: [CrashPoint; 3] = [CrashPoint::Before, CrashPoint::Torn, CrashPoint::After];

/// A golden run has unresolved writes and a person's edit, so that recovery finds something.
fn golden(seed: u64, crashes: &[Crash]) -> Outcome {
    let kinds = [
        (9, TimeoutAfterApply),
        (15, LateApply),
        (22, TimeoutBeforeApply),
        (29, HumanRaise),
    ];
    let planned = kinds.map(|(hour, kind)| Planned {
        hour,
        kind,
        lasts: 1,
        details: seed,
    });
    let mut scenario = Scenario::with_plan(Seed::new(seed), HOURS, Plan::of(planned.into()));
    scenario.rollout.checkpoints = true;
    let simulation = Simulation::new(scenario).unwrap();
    simulation.with_crashes(crashes.iter().copied()).run()
}

#[test]
fn i3_every_command_may_be_the_last_and_no_intent_is_lost() {
    let failures = Failures::default();
    let totals = Mutex::new(Counters::default());
    let runs = Mutex::new(0_u64);
    for seed in 0..scaled("GAELP_GOLDEN", 1) {
        let undisturbed = golden(seed, &[]);
        failures.note_as(Seed::new(seed), " undisturbed", &undisturbed);
        let steps = undisturbed.counters.steps;
        assert!(steps > 400, "a golden run of {steps} commands");
        on_all_cores(steps * 3, |number| {
            let point = POINTS[usize::try_from(number % 3).unwrap()];
            let crash = Crash {
                step: number / 3 + 1,
                point,
            };
            let outcome = golden(seed, &[crash]);
            failures.note_as(Seed::new(seed), &format!(" {crash:?}"), &outcome);
            assert_eq!(
                outcome.counters.of("recovery/died"),
                1,
                "{crash:?} did not happen"
            );
            totals.lock().unwrap().add(&outcome.counters);
            *runs.lock().unwrap() += 1;
        });
    }
    failures.assert_none();
    let totals = totals.into_inner().unwrap();
    for name in [
        "crash/ledger",
        "crash/platform",
        "crash/journal",
        "crash/read",
    ] {
        assert!(totals.of(name) > 50, "{name}: {}", totals.of(name));
    }
    println!("{} runs with a crash each", runs.into_inner().unwrap());
}

/// The process dies at a command, and again at each of the next commands, which are those of its
/// recovery.
#[test]
fn i3_a_crash_during_recovery_loses_no_intent_either() {
    const RECOVERY: u64 = 14;
    let failures = Failures::default();
    let totals = Mutex::new(Counters::default());
    let steps = golden(0, &[]).counters.steps;
    let stride = scaled("GAELP_CRASH_STRIDE", 40);
    on_all_cores(steps / stride * RECOVERY, |number| {
        let step = number / RECOVERY * stride + 1;
        let again = number % RECOVERY + 1;
        for point in POINTS {
            // Both deaths at all points would be nine runs; what the first left behind is what
            // differs most.
            let second = POINTS[usize::try_from((step + again) % 3).unwrap()];
            let crashes = [
                Crash { step, point },
                Crash {
                    step: step + again,
                    point: second,
                },
            ];
            let outcome = golden(0, &crashes);
            failures.note_as(Seed::new(0), &format!(" {crashes:?}"), &outcome);
            totals.lock().unwrap().add(&outcome.counters);
        }
    });
    failures.assert_none();
    let totals = totals.into_inner().unwrap();
    let died = totals.of("recovery/died_in_recovery");
    println!(
        "{} runs, {died} deaths in recovery",
        totals.hours / u64::from(HOURS)
    );
    assert!(died * stride > 5_000, "{died} deaths in recovery");
}
