//! Shapley values from sampled orders, with an error bound.

use gaelp_core::{DecisionId, DecisionKey, PolicyVersion, Seed};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::FitError;

/// How orders are sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// How many blocks: random orders with all their rotations. Default 256.
    pub blocks: u32,
    /// The seed; the same one samples the same orders. Default 0.
    pub seed: Seed,
    /// The least and the most that a player can add to any set. Default −1 to 1, for games whose
    /// sets are worth from 0 to 1; the bound is only as true as this range.
    pub marginals: (f64, f64),
    /// With which probability all errors lie within the bound. Default 0.95.
    pub confidence: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            blocks: 256,
            seed: Seed::default(),
            marginals: (-1.0, 1.0),
            confidence: 0.95,
        }
    }
}

/// Estimates of Shapley values.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// The estimate for every player; they sum to the worth of all players, up to rounding.
    pub values: Vec<f64>,
    /// The standard error of every estimate, infinite for a single block.
    pub standard_errors: Vec<f64>,
    /// With the confidence asked for, no estimate is off by more.
    pub bound: f64,
}

/// Estimates the Shapley value of every player of a game with any number of players.
///
/// Orders are stratified: a block is a random order with all its rotations, in which every player
/// stands once in every place. The estimates of a block sum to the worth of all players, and blocks
/// are independent, from which follow the standard errors and, by Hoeffding's inequality over all
/// players, the bound.
///
/// **Cost.** `n · (n − 1)` worths of sets per block.
/// **Source.** Castro, Gómez and Tejada, *Polynomial calculation of the Shapley value based on
/// sampling* (2009); rotations: Mitchell et al., *Sampling permutations for Shapley value
/// estimation* (2022).
///
/// ```
/// use gaelp_attribution::{Sampling, shapley_sampled};
///
/// // Everyone adds the same.
/// let share = |set: &[bool]| set.iter().filter(|&&member| member).count() as f64 / 30.0;
/// let sampled = shapley_sampled(30, &Sampling { blocks: 8, ..Sampling::default() }, share)?;
/// assert!(sampled.values.iter().all(|value| (value - 1.0 / 30.0).abs() < 1e-12));
/// # Ok::<(), gaelp_attribution::FitError>(())
/// ```
///
/// # Errors
/// [`FitError::Parameter`] for no blocks, a confidence that is not between 0 and 1, and a range
/// that is empty or not finite.
#[expect(clippy::cast_precision_loss, reason = "statistics")]
pub fn shapley_sampled(
    players: usize,
    sampling: &Sampling,
    mut worth: impl FnMut(&[bool]) -> f64,
) -> Result<Sampled, FitError> {
    let range = checked(sampling)?;
    let mut random = generator(sampling.seed);
    let mut members = vec![false; players];
    let nobody = worth(&members);
    members.fill(true);
    let everyone = worth(&members);
    let mut order: Vec<usize> = (0..players).collect();
    let (mut sums, mut squares) = (vec![0.0; players], vec![0.0; players]);
    let mut added = vec![0.0; players];
    for _ in 0..sampling.blocks {
        shuffle(&mut order, &mut random);
        added.fill(0.0);
        for first in 0..players {
            members.fill(false);
            let mut before = nobody;
            for place in 0..players {
                let player = order[(first + place) % players];
                members[player] = true;
                let after = if place + 1 == players {
                    everyone
                } else {
                    worth(&members)
                };
                added[player] += after - before;
                before = after;
            }
        }
        for player in 0..players {
            let mean = added[player] / players as f64;
            sums[player] += mean;
            squares[player] += mean * mean;
        }
    }
    let blocks = f64::from(sampling.blocks);
    let values: Vec<f64> = sums.iter().map(|sum| sum / blocks).collect();
    let error = |(mean, square): (&f64, &f64)| {
        if sampling.blocks < 2 {
            return f64::INFINITY;
        }
        let variance = (square / blocks - mean * mean).max(0.0) * blocks / (blocks - 1.0);
        (variance / blocks).sqrt()
    };
    let doubt = (1.0 - sampling.confidence) / players.max(1) as f64;
    Ok(Sampled {
        standard_errors: values.iter().zip(&squares).map(error).collect(),
        values,
        bound: range * ((2.0 / doubt).ln() / (2.0 * blocks)).sqrt(),
    })
}

/// The width of the range of marginals.
fn checked(sampling: &Sampling) -> Result<f64, FitError> {
    let invalid = |field| Err(FitError::Parameter { field });
    if sampling.blocks == 0 {
        return invalid("blocks");
    }
    if !(sampling.confidence > 0.0 && sampling.confidence < 1.0) {
        return invalid("confidence");
    }
    let (least, most) = sampling.marginals;
    let width = most - least;
    if !(width.is_finite() && width > 0.0) {
        return invalid("marginals");
    }
    Ok(width)
}

fn generator(seed: Seed) -> ChaCha8Rng {
    let key = DecisionKey {
        seed,
        policy: PolicyVersion::default(),
        decision: DecisionId::derive(&[b"gaelp-attribution", b"shapley"]),
    };
    key.generator()
}

/// Fisher and Yates; the bias of taking the upper half of a product is below 2⁻³².
fn shuffle(order: &mut [usize], random: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        let wide = u128::from(random.next_u64()) * (last as u128 + 1);
        let chosen = usize::try_from(wide >> 64).unwrap_or(last);
        order.swap(last, chosen);
    }
}
