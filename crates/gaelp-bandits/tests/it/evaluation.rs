//! Off-policy evaluation against formulas written differently, exact enumeration and simulation.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers of rows and arms"
)]

mod coverage;
mod formulas;
mod models;
mod ranks;
mod refusals;
mod replay;
mod sequence;
mod shapes;
mod worlds;

use gaelp_bandits::evaluation::{Estimator, Log};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Columns that the tests own.
#[derive(Clone, Debug, Default)]
struct Sample {
    rewards: Vec<f64>,
    logged: Vec<f64>,
    target: Vec<f64>,
    predicted: Vec<f64>,
    direct: Vec<f64>,
}

impl Sample {
    fn push(&mut self, [reward, logged, target, predicted, direct]: [f64; 5]) {
        self.rewards.push(reward);
        self.logged.push(logged);
        self.target.push(target);
        self.predicted.push(predicted);
        self.direct.push(direct);
    }

    fn log(&self) -> Log<'_> {
        let log = Log::new(&self.rewards, &self.logged, &self.target).unwrap();
        log.with_model(&self.predicted, &self.direct).unwrap()
    }

    /// Reward, weight, q̂ and d, by row.
    fn rows(&self) -> impl Iterator<Item = (f64, f64, f64, f64)> + '_ {
        (0..self.rewards.len()).map(|row| {
            (
                self.rewards[row],
                self.target[row] / self.logged[row],
                self.predicted[row],
                self.direct[row],
            )
        })
    }
}

impl FromIterator<[f64; 5]> for Sample {
    fn from_iter<I: IntoIterator<Item = [f64; 5]>>(rows: I) -> Self {
        let mut sample = Self::default();
        rows.into_iter().for_each(|row| sample.push(row));
        sample
    }
}

/// Logs of any kind: rewards of both signs, targets of zero, wild predictions.
fn samples(rows: std::ops::Range<usize>) -> impl Strategy<Value = Sample> {
    let row = (
        -3.0..5.0_f64,
        0.01..=1.0_f64,
        prop_oneof![1 => Just(0.0), 4 => 0.0..=1.0_f64],
        -2.0..2.0_f64,
        -2.0..2.0_f64,
    );
    prop::collection::vec(row, rows).prop_map(|rows| {
        rows.into_iter()
            .map(|(r, p, t, q, d)| [r, p, t, q, d])
            .collect()
    })
}

/// One of each kind, with middling parameters.
const ALL: [Estimator; 8] = [
    Estimator::Ips,
    Estimator::ClippedIps { most: 2.0 },
    Estimator::Snips,
    Estimator::Dm,
    Estimator::Dr,
    Estimator::Sndr,
    Estimator::SwitchDr { threshold: 2.0 },
    Estimator::DrOs { lambda: 3.0 },
];

/// A number in [0, 1).
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}

fn close(found: f64, expected: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance * (1.0 + expected.abs())
}
