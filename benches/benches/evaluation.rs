//! How long it takes to say what another policy would have earned.
//!
//! A million rows of ten arms with a softmax of normal scores as the logging policy, a sharper one as
//! the target and a reward model with noise: the case that `evaluation.sh` puts beside other packages.
//! Every figure is end to end, from raw columns to the audited answer: columns are checked, weights
//! taken and audited each time. `dr` begins with n × 10 probabilities and predictions. What is measured
//! is the CPU time of the process, as the figures of other packages are taken. Everything is fixed.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gaelp_bandits::evaluation::{
    ActionRows, ArmMeans, Bootstrap, ConfidenceLevel, ConfidenceSequence, Estimator, Folds, Log,
    Observations, RankPropensities, Requirements, RewardRange, cross_fit,
};
use gaelp_bandits::{BetaPrior, BetaThompson};
use gaelp_core::ArmId;

mod cpu;

use cpu::CpuTime;

const ROWS: usize = 1_000_000;
const ARMS: usize = 10;

/// Sixty-four bits from a counter.
struct Bits(u64);

impl Bits {
    /// A number in (0, 1). Source: Steele, Lea & Flood (2014), `SplitMix64`.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bits = u32::try_from((bits ^ (bits >> 31)) >> 32).unwrap_or(0);
        (f64::from(bits) + 0.5) / 4_294_967_296.0
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[derive(Default)]
struct Data {
    chosen: Vec<u32>,
    rewards: Vec<f64>,
    logged: Vec<f64>,
    target: Vec<f64>,
    target_rows: Vec<f64>,
    prediction_rows: Vec<f64>,
}

impl Data {
    fn new() -> Self {
        let mut bits = Bits(7);
        let effects: Vec<f64> = (0..ARMS).map(|_| bits.normal()).collect();
        let mut data = Self::default();
        for _ in 0..ROWS {
            let scores: Vec<f64> = (0..ARMS).map(|_| bits.normal()).collect();
            let softmax = |sharpness: f64| {
                let weights: Vec<f64> = scores.iter().map(|s| (sharpness * s).exp()).collect();
                let sum: f64 = weights.iter().sum();
                weights.into_iter().map(move |weight| weight / sum)
            };
            let logged: Vec<f64> = softmax(1.0).collect();
            let mut point = bits.uniform();
            let arm = logged.iter().position(|p| {
                point -= p;
                point < 0.0
            });
            let arm = arm.unwrap_or(ARMS - 1);
            let chance = |arm: usize| 1.0 / (1.0 + (2.0 - 0.5 * scores[arm] - effects[arm]).exp());
            data.rewards
                .push(f64::from(u8::from(bits.uniform() < chance(arm))));
            data.logged.push(logged[arm]);
            data.target_rows.extend(softmax(2.0));
            data.target
                .push(data.target_rows[data.target_rows.len() - ARMS + arm]);
            let noisy = |arm| (chance(arm) + 0.05 * bits.normal()).clamp(0.0, 1.0);
            data.prediction_rows.extend((0..ARMS).map(noisy));
            data.chosen.push(u32::try_from(arm).unwrap_or(0));
        }
        data
    }

    fn log(&self) -> Log<'_> {
        Log::new(&self.rewards, &self.logged, &self.target).expect("sound columns")
    }

    fn value(&self, estimator: Estimator) -> f64 {
        let log = self.log();
        let answer = log.evaluate(estimator, &Requirements::default());
        answer.expect("a log that carries it").value()
    }

    fn value_from_rows(&self, estimator: Estimator) -> f64 {
        let rows = ActionRows {
            arms: ARMS,
            chosen: &self.chosen,
            target: &self.target_rows,
        };
        let folded = rows.fold(Some(&self.prediction_rows)).expect("sound rows");
        let log = folded
            .log(&self.rewards, &self.logged)
            .expect("sound columns");
        let answer = log.evaluate(estimator, &Requirements::default());
        answer.expect("a log that carries it").value()
    }
}

fn estimates(criterion: &mut Criterion<CpuTime>) {
    let data = Data::new();
    let mut group = criterion.benchmark_group("evaluation");
    group.sample_size(20);
    for (name, estimator) in [("ips", Estimator::Ips), ("snips", Estimator::Snips)] {
        group.bench_function(format!("{name}/n1m"), |bencher| {
            bencher.iter(|| black_box(&data).value(estimator));
        });
    }
    for (name, estimator) in [
        ("dr", Estimator::Dr),
        ("sndr", Estimator::Sndr),
        ("dr-os", Estimator::DrOs { lambda: 100.0 }),
    ] {
        group.bench_function(format!("{name}/n1m/k10"), |bencher| {
            bencher.iter(|| black_box(&data).value_from_rows(estimator));
        });
    }
    group.sample_size(10);
    group.bench_function("sequence/n1m", |bencher| {
        let log = data.log();
        let level = ConfidenceLevel::default();
        bencher.iter(|| {
            ConfidenceSequence::over(black_box(&log), RewardRange::UNIT, Some(1e3), level)
        });
    });
    group.bench_function("bootstrap-100/ips/n1m", |bencher| {
        let log = data.log();
        let answer = log.evaluate(Estimator::Ips, &Requirements::default());
        let answer = answer.expect("a log that carries it");
        let bootstrap = Bootstrap {
            replicates: 100,
            ..Bootstrap::default()
        };
        bencher.iter(|| black_box(&answer).bootstrap(&bootstrap));
    });
    group.bench_function("cross-fit-3/arm-means/n1m/k10", |bencher| {
        let observations = Observations {
            arms: ARMS,
            chosen: &data.chosen,
            rewards: &data.rewards,
            width: 0,
            features: &[],
        };
        let mut model = ArmMeans::new(1.0).expect("a sound strength");
        bencher.iter(|| {
            cross_fit(
                &mut model,
                black_box(&observations),
                &data.target_rows,
                Folds::Runs(3),
            )
        });
    });
    group.finish();
}

/// Eighty arms whose success rates spread like those of a shop's items.
fn ranks(criterion: &mut Criterion<CpuTime>) {
    let mut bits = Bits(11);
    let arms = (0..80).map(|arm| {
        let successes = (1.0 + 30.0 * bits.uniform().powi(3)).round();
        let prior = BetaPrior {
            successes,
            failures: (successes * (150.0 + 100.0 * bits.uniform())).round(),
        };
        (ArmId::new(arm), prior)
    });
    let policy = BetaThompson::new(arms).expect("distinct arms");
    let all = policy.all();
    criterion.bench_function("evaluation/ranks/k80/positions3", |bencher| {
        bencher.iter(|| RankPropensities::of(black_box(&policy), &all, 3));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = estimates, ranks
}
criterion_main!(benches);
