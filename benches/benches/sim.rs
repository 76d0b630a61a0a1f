//! The simulated market: hours of the world alone, and hours with the real rollout, guardrails and
//! ledger in it. The throughput that criterion prints is simulated hours per second on one core.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gaelp_core::Seed;
use gaelp_sim::{Plan, Scenario, Simulation, World};

const HOURS: u32 = 168;

/// A market of two or three ad sets, without anyone who changes anything.
fn world(criterion: &mut Criterion) {
    let scenario = Scenario::drawn(Seed::new(1), HOURS);
    let mut group = criterion.benchmark_group("sim/world");
    group.throughput(Throughput::Elements(u64::from(HOURS)));
    group.bench_function("week", |bencher| {
        bencher.iter(|| {
            let world = World::new(scenario.world.clone(), Seed::new(1));
            let mut world = world.expect("what was drawn fits together");
            world.advance(HOURS * 3_600);
            black_box(world.truth().today().account_spent())
        });
    });
    group.finish();
}

/// The whole loop: seeds with all their faults, and without any.
fn rollout(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sim/rollout");
    group.sample_size(20);
    group.throughput(Throughput::Elements(16 * u64::from(HOURS)));
    group.bench_function("week/faults", |bencher| {
        bencher.iter(|| weeks(|seed| Scenario::drawn(seed, HOURS)));
    });
    group.bench_function("week/calm", |bencher| {
        bencher.iter(|| weeks(|seed| Scenario::with_plan(seed, HOURS, Plan::default())));
    });
    group.finish();
}

/// Sixteen weeks, each of its own seed.
fn weeks(scenario: impl Fn(Seed) -> Scenario) -> u64 {
    let steps = (1..=16).map(|seed| {
        let simulation = Simulation::new(scenario(Seed::new(seed)));
        let outcome = simulation.expect("what was drawn fits together").run();
        outcome.counters.steps
    });
    steps.sum()
}

criterion_group!(benches, world, rollout);
criterion_main!(benches);
