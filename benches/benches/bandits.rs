//! How long bandits take to choose, to learn, and to know with what probability they chose.
//!
//! `thompson` arms have some 500 pulls each and success rates from 2 % to 10 %. `step` is
//! choices with their updates: 20,000 of them from no evidence on, or 4,096 tracked ones, whole, because
//! steps are not alike; the throughput is that of steps. It is what peers are measured by, see
//! `bandits.sh`. What is measured is the CPU time of the process. Everything is fixed.

use std::hint::black_box;

use criterion::{
    BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use gaelp_bandits::{
    Bandit, BetaPrior, BetaThompson, CredibleLevel, EpsilonGreedy, Exp3Ix, Feedback, Imed, KlUcb,
    Outcome, Policy, Rule, TrackedPropensities, Ucb1, UnitReward,
};
use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};

mod cpu;

use cpu::CpuTime;

const SIZES: [u32; 4] = [4, 10, 100, 1000];
const PULLS: u32 = 500;

/// A policy of `arms` arms after [`PULLS`] pulls of each.
fn trained(arms: u32) -> BetaThompson {
    let ids = (0..arms).map(|arm| (ArmId::new(arm), BetaPrior::default()));
    let mut policy = BetaThompson::new(ids).expect("distinct arms under the default prior");
    for arm in 0..arms {
        // 7919 is prime, so the rates are spread and in no order.
        let rate = 0.02 + 0.08 * f64::from(arm * 7919 % arms) / f64::from(arms);
        let won = (0..PULLS).map(|pull| f64::from(pull) < rate * f64::from(PULLS));
        let feedback: Vec<_> = won.map(|won| pulled(ArmId::new(arm), won)).collect();
        policy.update(&feedback).expect("feedback of known arms");
    }
    policy
}

fn pulled(arm: ArmId, won: bool) -> Feedback {
    Feedback {
        arm,
        reward: if won {
            UnitReward::SUCCESS
        } else {
            UnitReward::FAILURE
        },
    }
}

fn thompson(criterion: &mut Criterion<CpuTime>) {
    let seed = Seed::new(20_261_120);
    for arms in SIZES {
        let policy = trained(arms);
        let eligible = policy.all();
        criterion.bench_function(&format!("thompson/prepare/k{arms}"), |bencher| {
            bencher.iter(|| black_box(&policy).prepare(black_box(&eligible)));
        });
        let prepared = policy.prepare(&eligible);
        let mut decision = 0_u128;
        criterion.bench_function(&format!("thompson/select/prepared/k{arms}"), |bencher| {
            bencher.iter(|| {
                decision += 1;
                black_box(&prepared).select(seed, DecisionId::new(decision))
            });
        });
        let mut learning = policy.clone();
        criterion.bench_function(&format!("thompson/update/k{arms}"), |bencher| {
            bencher.iter(|| {
                let feedback = pulled(ArmId::new(arms / 2), true);
                black_box(&mut learning).update(&[feedback])
            });
        });
    }
    let policy = trained(4);
    let arm = policy.arms().next().expect("four arms");
    let level = CredibleLevel::default();
    criterion.bench_function("thompson/interval", |bencher| {
        bencher.iter(|| black_box(arm).interval(black_box(level)));
    });
}

/// Success rates from 2 % to 10 %, in no order.
fn rate(arm: u32, arms: u32) -> f64 {
    0.02 + 0.08 * f64::from(arm * 7919 % arms) / f64::from(arms)
}

/// Whether a step's reward is won: a hash of the step, evenly spread.
fn won(step: u64, rate: f64) -> bool {
    let bits = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (step >> 7);
    let bits = (bits ^ (bits >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) < rate * 4_294_967_296.0
}

/// How many steps a policy is timed over from its beginning, as the peers' are.
const STEPS: u64 = 20_000;

fn steps(criterion: &mut Criterion<CpuTime>) {
    let seed = Seed::new(20_261_120);
    let mut group = criterion.benchmark_group("step");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .throughput(Throughput::Elements(STEPS));
    for arms in [4, 100, 1000] {
        let ids = (0..arms).map(|arm| (ArmId::new(arm), BetaPrior::default()));
        let fresh = BetaThompson::new(ids).expect("distinct arms under the default prior");
        let eligible = fresh.all();
        group.bench_function(format!("thompson/k{arms}"), |bencher| {
            bencher.iter(|| {
                let mut policy = fresh.clone();
                for step in 0..STEPS {
                    let arm = policy.draw(&eligible, seed, DecisionId::new(step.into()));
                    let won = won(step, rate(arm.get(), arms));
                    let learnt = policy.update(&[pulled(arm, won)]);
                    learnt.expect("feedback of known arms");
                }
                policy
            });
        });
    }
    step_of(&mut group, "kl-ucb", &KlUcb::default());
    step_of(&mut group, "imed", &Imed);
    step_of(&mut group, "ucb1", &Ucb1::default());
    step_of(&mut group, "epsilon-greedy", &EpsilonGreedy::default());
    step_of(&mut group, "exp3-ix", &Exp3Ix::default());
    // As many as there are between two products over all arms, which one of them pays.
    let steps = u64::from(TrackedPropensities::REFRESH);
    group.throughput(Throughput::Elements(steps));
    for arms in [10, 100, 1000] {
        let mut policy = trained(arms);
        let eligible = policy.all();
        let mut tracked =
            TrackedPropensities::new(&policy, &eligible).expect("arms of the same policy");
        let mut step = 0_u64;
        group.bench_function(format!("tracked-propensity/k{arms}"), |bencher| {
            bencher.iter(|| {
                for _ in 0..steps {
                    step += 1;
                    let arm = ArmId::new(u32::try_from(step * 31 % u64::from(arms)).unwrap_or(0));
                    let won = won(step, rate(arm.get(), arms));
                    let learnt = policy.update(&[pulled(arm, won)]);
                    learnt.expect("feedback of known arms");
                    tracked.follow(&policy, arm).expect("an eligible arm");
                    let stated = tracked.propensity(&policy, arm);
                    black_box(stated.expect("an eligible arm"));
                }
            });
        });
    }
    group.finish();
}

fn step_of<R>(group: &mut BenchmarkGroup<'_, CpuTime>, name: &str, rule: &R)
where
    R: Rule<Reward = UnitReward> + Clone,
{
    for arms in [4, 100] {
        let ids = (0..arms).map(ArmId::new);
        let fresh = Bandit::new(rule.clone(), ids).expect("sound parameters");
        let eligible = fresh.all();
        group.bench_function(format!("{name}/k{arms}"), |bencher| {
            bencher.iter(|| {
                let mut policy = fresh.clone();
                for step in 0..STEPS {
                    let decision = DecisionId::new(step.into());
                    let chosen = policy.select(&eligible, Seed::new(7), decision);
                    let chosen = chosen.expect("all arms live");
                    let won = won(step, rate(chosen.key.arm.get(), arms));
                    let reward = pulled(chosen.key.arm, won).reward;
                    let learnt = policy.update(&[Outcome::of(&chosen, UtcHour::new(0), reward)]);
                    learnt.expect("a sound outcome");
                }
                policy
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = thompson, steps
}
criterion_main!(benches);
