//! Shapley values from the worth of every set.

use crate::FitError;

/// Up to how many players every set is looked at: a million sets, eight megabytes.
pub(super) const MOST_PLAYERS: usize = 20;

/// The Shapley value of every player of a game.
///
/// `worth` gives the worth of a set of players, in which player i is bit i; it is asked once for
/// every set, the empty one included.
///
/// **Cost.** `O(n · 2ⁿ)` time, `8 · 2ⁿ` bytes.
/// **Source.** Shapley, *A value for n-person games* (1953): the mean of the marginal worth over
/// all orders. It is summed as such, so that rounding does not grow with the number of sets.
///
/// ```
/// use gaelp_attribution::shapley;
///
/// // Two gloves make a pair: players 0 and 1 have a left one, player 2 the only right one.
/// let values = shapley(3, |set| if set & 4 != 0 && set & 3 != 0 { 1.0 } else { 0.0 })?;
/// assert!((values[0] - 1.0 / 6.0).abs() < 1e-15 && (values[2] - 2.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), gaelp_attribution::FitError>(())
/// ```
///
/// # Errors
/// [`FitError::TooManyChannels`] above 20 players: [`shapley_sampled`](crate::shapley_sampled)
/// has no such limit.
pub fn shapley(players: usize, worth: impl FnMut(u32) -> f64) -> Result<Vec<f64>, FitError> {
    if players > MOST_PLAYERS {
        return Err(FitError::TooManyChannels { channels: players });
    }
    let worths: Vec<f64> = (0..1_u32 << players).map(worth).collect();
    let weights = weights(players);
    let value = |player: usize| {
        let bit = 1 << player;
        let without = (0..worths.len()).filter(|set| set & bit == 0);
        without
            .map(|set| weights[set.count_ones() as usize] * (worths[set | bit] - worths[set]))
            .sum()
    };
    Ok((0..players).map(value).collect())
}

/// By size, in which share of all orders a set of others comes right before a player.
fn weights(players: usize) -> Vec<f64> {
    let mut weights = Vec::with_capacity(players);
    #[expect(clippy::cast_precision_loss, reason = "at most twenty")]
    for size in 0..players {
        let weight = match weights.last() {
            None => 1.0 / players as f64,
            // s! (n − 1 − s)! ÷ n! from the one for s − 1.
            Some(&before) => before * size as f64 / (players - size) as f64,
        };
        weights.push(weight);
    }
    weights
}
