//! Splitting an amount so that the parts sum to the whole.

use crate::Micros;

/// Splits `total` in proportion to `weights` by the method of largest remainders.
///
/// Each part is the exact share rounded toward zero; the micros left over go one each to the
/// parts with the largest remainders, earlier parts first among equals. The parts therefore sum
/// to `total` exactly, and no part is a whole micro away from its exact share. A negative total
/// is split like its absolute value, so undoing a split undoes every part.
///
/// **Cost.** `O(n)` arithmetic and an `O(n)` selection; one allocation of `n` parts and one of
/// `n` remainders.
/// **Source.** Hamilton's method of apportionment; Balinski and Young, *Fair Representation*
/// (1982), chapter 4.
///
/// ```
/// use gaelp_core::{Micros, split};
///
/// let parts = split(Micros::new(100), &[1, 1, 1])?;
/// assert_eq!(parts, [34, 33, 33].map(Micros::new));
/// # Ok::<(), gaelp_core::SplitError>(())
/// ```
///
/// # Errors
/// [`SplitError::NoWeights`] for an empty slice, [`SplitError::ZeroWeights`] where all are zero.
pub fn split(total: Micros, weights: &[u64]) -> Result<Vec<Micros>, SplitError> {
    if weights.is_empty() {
        return Err(SplitError::NoWeights);
    }
    let sum: u128 = weights.iter().map(|&w| u128::from(w)).sum();
    if sum == 0 {
        return Err(SplitError::ZeroWeights);
    }
    let magnitude = u128::from(total.get().unsigned_abs());
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut given = 0_u128;
    for (index, &weight) in weights.iter().enumerate() {
        // At most 2^63 · 2^64: fits.
        let product = magnitude * u128::from(weight);
        let part = product / sum;
        given += part;
        parts.push(signed(part, total));
        remainders.push((product - part * sum, index));
    }
    // Fewer micros are left than there are parts with a remainder.
    let left = usize::try_from(magnitude - given)
        .unwrap_or(usize::MAX)
        .min(parts.len());
    if left > 0 {
        let by_size = |a: &(u128, usize), b: &(u128, usize)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
        remainders.select_nth_unstable_by(left - 1, by_size);
        let one = signed(1, total);
        for &(_, index) in &remainders[..left] {
            parts[index] = parts[index]
                .checked_add(one)
                .expect("a part with a remainder is smaller than the whole");
        }
    }
    Ok(parts)
}

/// Splits `total` in proportion to weights that are floats, such as modelled credit.
///
/// The weights are first put on an integer grid; from there the split is exact, as in [`split`].
/// The grid holds every weight exactly that is at least 2⁻¹¹ of the largest. Smaller ones are cut
/// to its step, at most 2⁻⁶³ of the largest, and weights that it cannot tell apart count as equal.
/// Weights of any magnitude will do, down to subnormal ones.
///
/// **Cost.** As [`split`], and one allocation of `n` weights.
///
/// ```
/// use gaelp_core::{Micros, split_by};
///
/// let parts = split_by(Micros::new(-10), &[0.4, 0.2, 0.4])?;
/// assert_eq!(parts, [-4, -2, -4].map(Micros::new));
/// # Ok::<(), gaelp_core::SplitError>(())
/// ```
///
/// # Errors
/// As [`split`], and [`SplitError::InvalidWeight`] for a weight that is negative or not finite.
pub fn split_by(total: Micros, weights: &[f64]) -> Result<Vec<Micros>, SplitError> {
    let invalid = |w: &f64| !w.is_finite() || *w < 0.0;
    if let Some(index) = weights.iter().position(invalid) {
        return Err(SplitError::InvalidWeight {
            index,
            weight: weights[index],
        });
    }
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let (_, scale) = decode(largest);
    let grid: Vec<u64> = weights
        .iter()
        .map(|&weight| {
            let (mantissa, exponent) = decode(weight);
            // A mantissa has 53 bits of the 64.
            (mantissa << 11)
                .checked_shr(scale - exponent)
                .unwrap_or_default()
        })
        .collect();
    split(total, &grid)
}

/// A finite float as `mantissa · 2^(exponent − 1075)`, leaving out its sign.
fn decode(weight: f64) -> (u64, u32) {
    let bits = weight.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) & 0x7ff {
        0 => (fraction, 1),
        exponent => (
            fraction | (1 << 52),
            u32::try_from(exponent).expect("a float has eleven bits of exponent"),
        ),
    }
}

/// A part with the sign of the whole.
fn signed(part: u128, total: Micros) -> Micros {
    let part = i128::try_from(part).expect("a part is no larger than the whole, at most 2^63");
    let part = if total.is_negative() { -part } else { part };
    Micros::new(i64::try_from(part).expect("a part lies between zero and the whole"))
}

/// Why an amount cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// There was nobody to give a part to.
    #[error("nothing to split over: no weights were given")]
    NoWeights,
    /// All weights were zero.
    #[error("nothing to split by: every weight is zero")]
    ZeroWeights,
    /// A weight below zero, `NaN` or infinite.
    #[error("weight {index} is {weight}: weights are finite and not negative")]
    InvalidWeight {
        /// Its place, counted from 0.
        index: usize,
        /// Its value.
        weight: f64,
    },
}

#[cfg(test)]
mod tests;
