//! Laplace's approximation against an independent solution.

use gaelp_bandits::{
    ContextualPolicy, Disjoint, FeedbackError, Lesson, LinTs, LinearModel, Logistic, Regressor,
    Uncertain, UnitReward,
};
use gaelp_core::ArmId;
use proptest::prelude::*;

use super::precise::Normal;
use super::{Stream, came, features};
use crate::{ids, unit};

/// The mode and the precision there of N(mean, precision⁻¹) times logistic likelihoods, by
/// Newton's method on whole matrices, with the platform's `exp`.
fn mode(
    mean: &[f64],
    precision: &[Vec<f64>],
    lessons: &[(Vec<f64>, f64)],
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let d = mean.len();
    let mut theta = mean.to_vec();
    for _ in 0..2_000 {
        let mut system = Normal::new(d, 0.0);
        for (i, row) in precision.iter().enumerate() {
            let mut slope = 0.0;
            for (j, entry) in row.iter().enumerate() {
                slope -= entry * (theta[j] - mean[j]);
                system.matrix[i][j] = (*entry).into();
            }
            system.right[i] = slope.into();
        }
        for (x, reward) in lessons {
            let score: f64 = x.iter().zip(&theta).map(|(a, b)| a * b).sum();
            let rate = 1.0 / (1.0 + (-score).exp());
            for i in 0..d {
                for j in 0..d {
                    let bend = rate * (1.0 - rate) * x[i] * x[j];
                    system.matrix[i][j] = system.matrix[i][j] + bend.into();
                }
                system.right[i] = system.right[i] + ((reward - rate) * x[i]).into();
            }
        }
        let (_, step) = system.solve();
        let moved = |x: &[f64]| -> f64 { x.iter().zip(&step).map(|(a, b)| a * b).sum() };
        let furthest = lessons
            .iter()
            .map(|(x, _)| moved(x).abs())
            .fold(0.0, f64::max);
        // Scores that move by no more than one change no curvature by more than e: no overshoot.
        let short = 1.0 / furthest.max(1.0);
        for (theta, step) in theta.iter_mut().zip(&step) {
            *theta += short * *step;
        }
        if step.iter().all(|step| step.abs() < 1e-14) {
            break;
        }
    }
    let mut there = precision.to_vec();
    for (x, _) in lessons {
        let score: f64 = x.iter().zip(&theta).map(|(a, b)| a * b).sum();
        let rate = 1.0 / (1.0 + (-score).exp());
        for i in 0..d {
            for j in 0..d {
                there[i][j] += rate * (1.0 - rate) * x[i] * x[j];
            }
        }
    }
    (theta, there)
}

fn close(model: &Logistic, theta: &[f64], precision: &[Vec<f64>]) -> Result<(), TestCaseError> {
    for (found, expected) in model.coefficients().iter().zip(theta) {
        prop_assert!(
            (found - expected).abs() < 1e-9 * (1.0 + expected.abs()),
            "{:?} for {theta:?}",
            model.coefficients()
        );
    }
    let mut dense = Normal::new(theta.len(), 0.0);
    for (row, held) in dense.matrix.iter_mut().zip(precision) {
        for (entry, held) in row.iter_mut().zip(held) {
            *entry = (*held).into();
        }
    }
    let x: Vec<f64> = [1.0, 0.5, 0.0, -0.5, -1.0, -1.5][..theta.len()].to_vec();
    let (_, deviation) = dense.belief(&x);
    let found = model.belief(&features(&x)).deviation;
    prop_assert!(
        (found / deviation - 1.0).abs() < 1e-9,
        "{found} for {deviation}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// First a batch, then one at a time, each from where the last one led.
    #[test]
    fn the_mode_and_its_curvature_are_right(
        d in 1..6_usize,
        precision in 0.01..10.0_f64,
        scale in 0.1..8.0_f64,
        batch in 2..30_usize,
        seed in any::<u64>(),
    ) {
        let mut stream = Stream(seed);
        let mut lesson = || {
            let x = stream.features(d, scale);
            (x, UnitReward::new(stream.unit().round()).unwrap())
        };
        let lessons: Vec<_> = (0..batch).map(|_| lesson()).collect();
        let singles: Vec<_> = (0..5).map(|_| lesson()).collect();
        let mut model = Logistic::new(d, precision).unwrap();
        let taught: Vec<_> = lessons.iter().map(|(x, reward)| Lesson {
            features: x, reward: *reward, weight: 1.0,
        }).collect();
        model.learn(&taught).unwrap();
        let plain = |(x, reward): &(gaelp_bandits::Features, UnitReward)| {
            (x.as_slice().to_vec(), reward.get())
        };
        let all: Vec<_> = lessons.iter().map(plain).collect();
        let prior: Vec<Vec<f64>> = (0..d)
            .map(|i| (0..d).map(|j| if i == j { precision } else { 0.0 }).collect())
            .collect();
        let (mut theta, mut there) = mode(&vec![0.0; d], &prior, &all);
        close(&model, &theta, &there)?;
        for single in &singles {
            model.learn(&[Lesson {
                features: &single.0, reward: single.1, weight: 1.0,
            }]).unwrap();
            (theta, there) = mode(&theta, &there, &[plain(single)]);
            close(&model, &theta, &there)?;
        }
        // The order within a batch does not matter.
        let mut other = Logistic::new(d, precision).unwrap();
        let reversed: Vec<_> = taught.iter().rev().copied().collect();
        other.learn(&reversed).unwrap();
        let mut one = Logistic::new(d, precision).unwrap();
        one.learn(&taught).unwrap();
        for (a, b) in one.coefficients().iter().zip(other.coefficients()) {
            prop_assert!((a - b).abs() < 1e-10 * (1.0 + a.abs()));
        }
    }
}

/// A lesson against all that was believed, from where Newton's method alone leaps back and forth.
#[test]
fn a_lesson_may_contradict_all_before() {
    for strength in [1.0, 5.0, 25.0, 200.0, 3_000.0] {
        let mut model = Logistic::new(1, 0.04).unwrap();
        let (one, strong) = (features(&[1.0]), features(&[strength]));
        for _ in 0..10 {
            let lesson = Lesson {
                features: &one,
                reward: unit(1.0),
                weight: 1.0,
            };
            model.learn(&[lesson]).unwrap();
        }
        let before = model.belief(&one);
        let lesson = Lesson {
            features: &strong,
            reward: unit(0.0),
            weight: 1.0,
        };
        model.learn(&[lesson]).unwrap();
        // (θ − mean) ÷ variance = −p(x θ) x, by bisection.
        let (mut low, mut high) = (-1e3, before.mean);
        for _ in 0..200 {
            let theta = 0.5 * (low + high);
            let rate = 1.0 / (1.0 + (-strength * theta).exp());
            if (theta - before.mean) / before.deviation.powi(2) + rate * strength > 0.0 {
                high = theta;
            } else {
                low = theta;
            }
        }
        let found = model.coefficients()[0];
        assert!(
            (found - low).abs() < 1e-9 * (1.0 + low.abs()),
            "{found} for {low}"
        );
    }
}

#[test]
fn it_says_that_it_cannot_undo() {
    let model = Logistic::new(2, 1.0).unwrap();
    let mut policy = Disjoint::new(LinTs::default(), model, ids(2)).unwrap();
    let x = features(&[1.0, 0.5]);
    let batch = [came(1, &x, unit(1.0))];
    policy.update(&batch).unwrap();
    let held = policy.clone();
    let key = policy.key(ArmId::new(1)).unwrap();
    assert_eq!(policy.undo(&batch), Err(FeedbackError::CannotUndo { key }));
    assert_eq!(policy, held);
}

/// Shards that were approximated each for itself merge in any order, the prior counted once.
#[test]
fn evidence_merges() {
    let taught = |seed| {
        let mut stream = Stream(seed);
        let mut model = Logistic::new(3, 1.0).unwrap();
        for _ in 0..50 {
            let x = stream.features(3, 1.0);
            let won = UnitReward::new(stream.unit().round()).unwrap();
            let lesson = Lesson {
                features: &x,
                reward: won,
                weight: 1.0,
            };
            model.learn(&[lesson]).unwrap();
        }
        model
    };
    let shards = [1, 2, 3].map(taught);
    let merged = |order: [usize; 3]| {
        let mut model = Logistic::new(3, 1.0).unwrap();
        for place in order {
            model.merge(shards[place].sums()).unwrap();
        }
        model
    };
    assert_eq!(merged([0, 1, 2]), merged([2, 0, 1]));
    assert_eq!(merged([0, 1, 2]).sums().lessons(), 150);
    let mut alone = Logistic::new(3, 1.0).unwrap();
    alone.merge(shards[0].sums()).unwrap();
    let mut fresh = shards[0].clone();
    fresh.refresh();
    assert_eq!(alone, fresh);
}
