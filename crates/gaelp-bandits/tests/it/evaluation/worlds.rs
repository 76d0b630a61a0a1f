//! Worlds so small that every log they can make is looked at, with its probability.

use gaelp_bandits::evaluation::{Estimator, Requirements};

use super::{Sample, close};

const ARMS: usize = 3;

/// What can be known before a choice, with its probability; what the two policies then do, what each
/// arm earns in the mean of its coin's sides 0 and 2, and what a wrong model predicts.
struct Context {
    chance: f64,
    logged: [f64; ARMS],
    target: [f64; ARMS],
    earns: [f64; ARMS],
    predicted: [f64; ARMS],
}

const WORLD: [Context; 2] = [
    Context {
        chance: 0.3,
        logged: [0.5, 0.4, 0.1],
        target: [0.2, 0.0, 0.8],
        earns: [0.4, 1.8, 1.0],
        predicted: [0.1, 0.9, 1.7],
    },
    Context {
        chance: 0.7,
        logged: [0.7, 0.2, 0.1],
        target: [0.1, 0.6, 0.3],
        earns: [1.2, 0.2, 0.6],
        predicted: [1.0, 1.1, 0.0],
    },
];

fn direct(context: &Context) -> f64 {
    (0..ARMS)
        .map(|arm| context.target[arm] * context.predicted[arm])
        .sum()
}

/// Every row that the world can log, with its probability.
fn rows() -> Vec<(f64, [f64; 5])> {
    let mut rows = Vec::new();
    for context in &WORLD {
        for arm in 0..ARMS {
            for (reward, side) in [
                (0.0, 1.0 - context.earns[arm] / 2.0),
                (2.0, context.earns[arm] / 2.0),
            ] {
                let row = [
                    reward,
                    context.logged[arm],
                    context.target[arm],
                    context.predicted[arm],
                    direct(context),
                ];
                rows.push((context.chance * context.logged[arm] * side, row));
            }
        }
    }
    rows
}

/// The mean and the variance of an estimate over all logs of two rows, and the mean of its squared
/// standard error.
fn over_all_logs(estimator: Estimator) -> (f64, f64, f64) {
    let rows = rows();
    let (mut mean, mut square, mut error) = (0.0, 0.0, 0.0);
    for (first_chance, first) in &rows {
        for (second_chance, second) in &rows {
            let sample: Sample = [*first, *second].into_iter().collect();
            let log = sample.log();
            let answer = log.evaluate(estimator, &Requirements::NONE).unwrap();
            let chance = first_chance * second_chance;
            mean += chance * answer.value();
            square += chance * answer.value().powi(2);
            error += chance * answer.standard_error().powi(2);
        }
    }
    (mean, square - mean * mean, error)
}

/// Σ over contexts and arms of the target policy's choices × what is said of them.
fn under_target(said: impl Fn(&Context, usize, f64) -> f64) -> f64 {
    WORLD
        .iter()
        .map(|context| {
            let of_arm = |arm: usize| {
                let weight = context.target[arm] / context.logged[arm];
                context.target[arm] * said(context, arm, weight)
            };
            context.chance * (0..ARMS).map(of_arm).sum::<f64>()
        })
        .sum()
}

fn truth() -> f64 {
    under_target(|context, arm, _| context.earns[arm])
}

#[test]
fn ips_and_dr_are_unbiased_with_unbiased_errors() {
    for estimator in [Estimator::Ips, Estimator::Dr] {
        let (mean, variance, error) = over_all_logs(estimator);
        assert!(
            close(mean, truth(), 1e-13),
            "{estimator}: {mean} for {}",
            truth()
        );
        assert!(
            close(error, variance, 1e-12),
            "{estimator}: {error} for {variance}"
        );
    }
    // The world is one where it matters: the model alone is wrong.
    let (dm, ..) = over_all_logs(Estimator::Dm);
    assert!(close(
        dm,
        under_target(|context, arm, _| context.predicted[arm]),
        1e-13
    ));
    assert!((dm - truth()).abs() > 0.2);
}

/// The bias is what the estimator takes away from each arm's weight, times what that arm would have
/// added.
#[test]
fn biases_are_those_of_theory() {
    for most in [0.1, 1.0, 2.5, 7.9, 8.0] {
        let clipped = over_all_logs(Estimator::ClippedIps { most }).0;
        let kept = under_target(|context, arm, weight| {
            if weight > 0.0 {
                weight.min(most) / weight * context.earns[arm]
            } else {
                0.0
            }
        });
        assert!(
            close(clipped, kept, 1e-13),
            "clipped at {most}: {clipped} for {kept}"
        );

        let switched = over_all_logs(Estimator::SwitchDr { threshold: most }).0;
        let mixed = under_target(|context, arm, weight| {
            if weight <= most {
                context.earns[arm]
            } else {
                context.predicted[arm]
            }
        });
        assert!(
            close(switched, mixed, 1e-13),
            "switched at {most}: {switched} for {mixed}"
        );

        let shrunk = over_all_logs(Estimator::DrOs { lambda: most }).0;
        let blended = under_target(|context, arm, weight| {
            let share = most / (weight * weight + most);
            share * context.earns[arm] + (1.0 - share) * context.predicted[arm]
        });
        assert!(
            close(shrunk, blended, 1e-13),
            "shrunk by {most}: {shrunk} for {blended}"
        );
    }
}

/// A model that is right makes DR right even where the propensities are wrong.
#[test]
fn dr_is_right_where_the_model_is() {
    let rows = rows();
    let mut mean = 0.0;
    for (chance, [reward, logged, target, ..]) in rows {
        let context = WORLD
            .iter()
            .find(|context| {
                context.logged.iter().zip(&context.target).any(|(l, t)| {
                    l.to_bits() == logged.to_bits() && t.to_bits() == target.to_bits()
                })
            })
            .unwrap();
        let arm = (0..ARMS)
            .find(|&arm| context.target[arm].to_bits() == target.to_bits())
            .unwrap();
        let direct = (0..ARMS)
            .map(|arm| context.target[arm] * context.earns[arm])
            .sum();
        let sample: Sample = [[reward, logged.sqrt(), target, context.earns[arm], direct]]
            .into_iter()
            .collect();
        let log = sample.log();
        mean += chance
            * log
                .evaluate(Estimator::Dr, &Requirements::NONE)
                .unwrap()
                .value();
    }
    assert!(close(mean, truth(), 1e-13), "{mean} for {}", truth());
}
