//! Splitting a conversion's value over its touches, exactly and without allocating.

use gaelp_core::{Micros, SplitError};

use crate::Journey;

/// Splits amounts by the method of largest remainders, as [`gaelp_core::split`] does, but keeps
/// its memory from one split to the next.
///
/// The parts sum to the whole exactly; ties go to the earlier touch; a negative amount is split
/// like its absolute value, so a refund mirrors its sale.
///
/// **Cost.** `O(n)`; for amounts and weights whose product fits into 64 bits one hardware
/// division per touch.
///
/// ```
/// use gaelp_attribution::Splitter;
/// use gaelp_core::Micros;
///
/// let mut splitter = Splitter::default();
/// let parts = splitter.split(Micros::new(-100), &[1, 1, 1])?;
/// assert_eq!(parts, [-34, -33, -33].map(Micros::new));
/// # Ok::<(), gaelp_core::SplitError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    parts: Vec<Micros>,
    remainders: Vec<(u128, usize)>,
}

impl Splitter {
    /// The part of every weight, until the next split.
    ///
    /// # Errors
    /// [`SplitError::NoWeights`] for an empty slice, [`SplitError::ZeroWeights`] where all are zero.
    pub fn split(&mut self, total: Micros, weights: &[u64]) -> Result<&[Micros], SplitError> {
        if weights.is_empty() {
            return Err(SplitError::NoWeights);
        }
        let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
        if sum == 0 {
            return Err(SplitError::ZeroWeights);
        }
        let magnitude = total.get().unsigned_abs();
        self.parts.clear();
        self.remainders.clear();
        // No weight is above the sum, so no product is above this one.
        let fits = u64::try_from(sum)
            .ok()
            .filter(|&sum| magnitude.checked_mul(sum).is_some());
        let left = match fits {
            Some(sum) => self.shares(
                magnitude,
                total,
                weights.iter().map(|&weight| {
                    let product = magnitude * weight;
                    (product / sum, u128::from(product % sum))
                }),
            ),
            None => self.shares(
                magnitude,
                total,
                weights.iter().map(|&weight| {
                    let product = u128::from(magnitude) * u128::from(weight);
                    let part = u64::try_from(product / sum)
                        .expect("a weight is no larger than the sum of all");
                    (part, product % sum)
                }),
            ),
        };
        self.give(left, total);
        Ok(&self.parts)
    }

    /// Notes parts rounded toward zero, and returns how many micros are left over.
    fn shares(
        &mut self,
        magnitude: u64,
        total: Micros,
        shares: impl Iterator<Item = (u64, u128)>,
    ) -> usize {
        let mut left = magnitude;
        for (index, (part, remainder)) in shares.enumerate() {
            left -= part;
            self.parts.push(signed(part, total));
            self.remainders.push((remainder, index));
        }
        // Fewer micros are left than there are parts with a remainder.
        usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(self.parts.len())
    }

    /// Gives one micro each to the parts with the largest remainders.
    fn give(&mut self, left: usize, total: Micros) {
        if left == 0 {
            return;
        }
        if left < self.parts.len() {
            let by_size = |a: &(u128, usize), b: &(u128, usize)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
            self.remainders.select_nth_unstable_by(left - 1, by_size);
        }
        let one = signed(1, total);
        for &(_, index) in &self.remainders[..left] {
            self.parts[index] = self.parts[index]
                .checked_add(one)
                .expect("a part with a remainder is smaller than the whole");
        }
    }
}

/// A part with the sign of the whole.
fn signed(part: u64, total: Micros) -> Micros {
    if total.is_negative() {
        // A part is no larger than the whole, at most 2^63, whose negation wraps to itself.
        Micros::new(part.wrapping_neg().cast_signed())
    } else {
        Micros::new(part.cast_signed())
    }
}

/// Weights from shares that are floats: the largest becomes 2⁴⁰, smaller ones are rounded.
///
/// What is not finite or below zero counts as zero; where nothing is left, every share is one.
pub(crate) fn grid(shares: &[f64], weights: &mut Vec<u64>) {
    const TOP: f64 = 1_099_511_627_776.0;
    let usable = |share: f64| {
        if share.is_finite() {
            share.max(0.0)
        } else {
            0.0
        }
    };
    let largest = shares.iter().copied().map(usable).fold(0.0, f64::max);
    weights.clear();
    if largest > 0.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from zero to 2^40"
        )]
        let on_grid = |&share: &f64| (usable(share) / largest * TOP).round() as u64;
        weights.extend(shares.iter().map(on_grid));
    } else {
        weights.resize(shares.len(), 1);
    }
}

/// Weights where each channel of the path has its share, split over the channel's touches.
pub(crate) fn share_by_channel(
    journey: &Journey<'_>,
    share: impl Fn(usize) -> f64,
    weights: &mut Vec<u64>,
) {
    let channels = journey.channels();
    let times = |channel| channels.iter().filter(|&&other| other == channel).count();
    #[expect(clippy::cast_precision_loss, reason = "a path has few touches")]
    let shares: Vec<f64> = channels
        .iter()
        .map(|&channel| share(channel.index()) / times(channel) as f64)
        .collect();
    grid(&shares, weights);
}
