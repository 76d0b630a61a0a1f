//! Probabilities by simulation, where nothing else exists.

use gaelp_core::{DecisionId, DecisionKey, PolicyVersion, PropensityMethod, Seed};
use rand_chacha::ChaCha8Rng;

use crate::Chances;

/// How often each of some arms scores the highest in so many joint draws, each arm counting one
/// half more.
///
/// The draws are a fixed function of the stream, which is part of the contract: the same evidence
/// is always simulated alike, so that what is stated is exactly the probability with which an arm
/// is chosen.
pub(crate) fn simulated(
    arms: usize,
    draws: u32,
    stream: u64,
    mut draw: impl FnMut(&mut ChaCha8Rng, &mut [f64]),
) -> Chances {
    let mut rng = DecisionKey {
        seed: Seed::new(stream),
        policy: PolicyVersion::new(0),
        decision: DecisionId::new(0),
    }
    .generator();
    let mut wins = vec![0.5; arms];
    let mut scores = vec![0.0; arms];
    for _ in 0..draws {
        draw(&mut rng, &mut scores);
        let (mut best, mut highest) = (0, f64::NEG_INFINITY);
        for (place, &score) in scores.iter().enumerate() {
            if score > highest {
                (best, highest) = (place, score);
            }
        }
        wins[best] += 1.0;
    }
    let all: f64 = wins.iter().sum();
    Chances {
        probabilities: wins.into_iter().map(|won| won / all).collect(),
        method: PropensityMethod::MonteCarlo { draws },
    }
}
