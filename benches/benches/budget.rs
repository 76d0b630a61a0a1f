//! How long it takes to share a budget out, and to set λ.
//!
//! The arms are those of the shared study (`arms.py`): four families of curves, floors, ceilings and
//! changes of at most a tenth. `level` is the level and everybody's spend; `prepare` what comes
//! before it, once; `plan` all of it, in whole cents with its proof.
//!
//! `--table` prints CPU times instead, which a busy machine disturbs less; see `budget.sh` for the
//! table beside others.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group};
use gaelp_budget::{
    ArmLimits, CapTree, Controller, CurveForm, DayView, Forecast, Goal, GroupId, Pacer,
    ResponseCurve, WaterLevel, allocate,
};
use gaelp_core::Micros;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::time::{ClockId, clock_gettime};

const CENT: Micros = Micros::new(10_000);

struct Arms {
    curves: Vec<ResponseCurve>,
    bounds: Vec<(f64, f64)>,
    budget: f64,
}

fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0
}

fn lognormal(rng: &mut ChaCha8Rng, mu: f64, sigma: f64) -> f64 {
    let normal = (-2.0 * unit(rng).ln()).sqrt() * (std::f64::consts::TAU * unit(rng)).cos();
    (mu + sigma * normal).exp()
}

fn arms(count: usize) -> Arms {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut curves, mut bounds) = (Vec::new(), Vec::new());
    for place in 0..count {
        let scale = lognormal(&mut rng, 1.5, 0.7);
        let slope = lognormal(&mut rng, 0.7, 0.5);
        let exponent = 0.35 + 0.45 * unit(&mut rng);
        let before = (0.05 + 1.45 * unit(&mut rng)) * scale;
        let cap = (1.0 + 3.0 * unit(&mut rng)) * scale;
        let new = unit(&mut rng) < 0.1;
        let low = if new {
            0.0
        } else {
            (0.02 * scale).max(0.9 * before)
        };
        let high = if new { cap } else { cap.min(1.1 * before) };
        let top = slope * scale;
        let form = match place % 4 {
            0 => CurveForm::Hill {
                top,
                half: scale,
                exponent: 1.0,
            },
            1 => CurveForm::Log { factor: top, scale },
            2 => CurveForm::Exponential { top, scale },
            _ => {
                let shift = 0.05 * scale;
                let factor = slope / (exponent * shift.powf(exponent - 1.0));
                CurveForm::Power {
                    factor,
                    exponent,
                    shift,
                }
            }
        };
        curves.push(form.try_into().expect("parameters within range"));
        bounds.push((low, high.max(low)));
    }
    let (low, high) = bounds
        .iter()
        .fold((0.0, 0.0), |(l, h), b| (l + b.0, h + b.1));
    Arms {
        curves,
        bounds,
        budget: low + 0.45 * (high - low),
    }
}

impl Arms {
    fn water(&self) -> WaterLevel {
        let arms = self.curves.iter().zip(&self.bounds);
        WaterLevel::new(arms.map(|(curve, &(low, high))| (curve, low, high))).expect("sound bounds")
    }

    fn tree(&self) -> CapTree<usize> {
        let mut tree = CapTree::new("account");
        for (place, (curve, &(low, high))) in self.curves.iter().zip(&self.bounds).enumerate() {
            let limits = ArmLimits::between(money(low), money(high).max(money(low + 0.01)));
            tree.arm(GroupId::WHOLE, place, curve.clone(), limits)
                .expect("sound limits");
        }
        tree
    }
}

fn money(major: f64) -> Micros {
    #[expect(clippy::cast_possible_truncation, reason = "small amounts")]
    Micros::new((major * 1e6).round() as i64)
}

fn allocation(criterion: &mut Criterion) {
    for count in [24, 1_000, 100_000, 1_000_000] {
        let mut group = criterion.benchmark_group("budget");
        group.sample_size(if count > 10_000 { 10 } else { 50 });
        let arms = arms(count);
        let water = arms.water();
        let mut spend = Vec::new();
        group.bench_function(format!("level/n{count}"), |bencher| {
            bencher.iter(|| black_box(&water).solve(arms.budget, 0.0, &mut spend));
        });
        let total: f64 = spend.iter().sum();
        assert!(
            (total / arms.budget - 1.0).abs() < 1e-9,
            "{total} for {}",
            arms.budget
        );
        group.bench_function(format!("prepare/n{count}"), |bencher| {
            bencher.iter_batched(
                || (),
                |()| black_box(&arms).water(),
                BatchSize::PerIteration,
            );
        });
        if count <= 100_000 {
            let tree = arms.tree();
            let budget = money(arms.budget);
            group.bench_function(format!("plan/n{count}"), |bencher| {
                bencher.iter(|| allocate(black_box(&tree), budget, CENT, &[Goal::MaxRevenue]));
            });
        }
        group.finish();
    }
}

/// λ for the hour before the last, with a forecast.
fn pacing(criterion: &mut Criterion) {
    let spend = vec![10.0; 24];
    let forecast = Forecast::from_spend(&spend, 0.5, 20.0, 1.5).expect("a forecast");
    let reported: Vec<_> = (0..24)
        .map(|hour| (hour < 20).then_some(money(11.0)))
        .collect();
    let day = DayView {
        start: 0.5,
        target: money(240.0),
        shares: &[1.0 / 24.0; 24],
        spend: &reported,
        levels: &[0.5; 22],
        forecast: Some(&forecast),
    };
    let rule = Controller::default();
    criterion.bench_function("budget/resolve/hour", |bencher| {
        bencher.iter(|| black_box(&rule).level(black_box(&day)));
    });
}

criterion_group!(benches, allocation, pacing);

fn main() {
    if std::env::args().any(|argument| argument == "--table") {
        table();
    } else {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}

/// The CPU time that this thread has used.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("time that was used is not negative")
}

/// Prints `case arms least median` in seconds of CPU time, a line each.
#[expect(clippy::print_stdout, reason = "a program's answer")]
fn table() {
    for count in [24, 1_000, 100_000, 1_000_000] {
        let arms = arms(count);
        let water = arms.water();
        let mut spend = Vec::new();
        let (runs, times) = if count > 10_000 {
            (15, 1)
        } else {
            (101, 200_000 / count)
        };
        let measured = measure(runs, times, || {
            black_box(&water).solve(black_box(arms.budget), 0.0, &mut spend);
        });
        println!("level {count} {measured}");
        let measured = measure(runs.min(21), times.div_ceil(10), || {
            black_box(black_box(&arms).water());
        });
        println!("prepare {count} {measured}");
        let tree = arms.tree();
        let budget = money(arms.budget);
        let measured = measure(runs.min(11), times.div_ceil(50), || {
            let plan = allocate(black_box(&tree), budget, CENT, &[Goal::MaxRevenue]);
            black_box(plan.expect("a plan"));
        });
        println!("plan {count} {measured}");
    }
}

/// The least and the median of some runs of so many times each.
fn measure(runs: usize, times: usize, mut task: impl FnMut()) -> String {
    task();
    let mut each: Vec<f64> = (0..runs)
        .map(|_| {
            let before = cpu_time();
            for _ in 0..times {
                task();
            }
            let times = u32::try_from(times).expect("few times");
            (cpu_time().saturating_sub(before) / times).as_secs_f64()
        })
        .collect();
    each.sort_by(f64::total_cmp);
    format!("{:e} {:e}", each[0], each[runs / 2])
}
