//! Splitting a conversion's value over its touches, exactly and without allocating.

use gaelp_core::{Micros, SplitError};

use crate::Journey;

/// Splits amounts by the method of largest remainders, as [`gaelp_core::split`] does, but keeps
/// its memory from one split to the next.
///
/// The parts sum to the whole exactly; ties go to the earlier touch; a negative amount is split
/// like its absolute value, so a refund mirrors its sale.
///
/// **Cost.** `O(n)`, without any division but one for amounts below 2⁵⁰, a billion units of a
/// currency.
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
    /// What is left of each part.
    rests: Vec<u64>,
    /// The same with the places, for large amounts and long journeys.
    placed: Vec<(u128, usize)>,
}

/// Amounts of which floats know every part to within one.
const NEAR_AMOUNT: u64 = 1 << 50;
/// Sums of weights whose double fits into 63 bits.
const NEAR_SUM: u64 = 1 << 62;
/// Journeys of so many touches are looked through again for every micro that is left.
const SHORT: usize = 24;

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
        match u64::try_from(sum) {
            Ok(sum) if magnitude <= NEAR_AMOUNT && sum <= NEAR_SUM => {
                self.split_near(magnitude, sum, total, weights);
            }
            _ => self.split_far(magnitude, sum, total, weights),
        }
        Ok(&self.parts)
    }

    /// Splits without dividing: a float guesses each part, and what the guess leaves tells by how
    /// much it is off.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a guess, set right below"
    )]
    fn split_near(&mut self, magnitude: u64, sum: u64, total: Micros, weights: &[u64]) {
        self.rests.clear();
        let each = magnitude as f64 / sum as f64;
        let mut left = magnitude;
        for &weight in weights {
            // Four roundings of 2⁻⁵³ each, so at most half off, and one after the cut.
            let mut part = (weight as f64 * each) as i64;
            let taken = part.cast_unsigned().wrapping_mul(sum);
            // It lies between −sum and twice the sum, so it is right modulo 2⁶⁴.
            let mut rest = magnitude
                .wrapping_mul(weight)
                .wrapping_sub(taken)
                .cast_signed();
            let over = i64::from(rest >= sum.cast_signed()) - i64::from(rest < 0);
            part += over;
            rest -= over * sum.cast_signed();
            let part = part.cast_unsigned();
            left -= part;
            self.parts.push(signed(part, total));
            self.rests.push(rest.cast_unsigned());
        }
        let left = self.count(left);
        if left == 0 {
            return;
        }
        if self.rests.len() > SHORT {
            self.placed.clear();
            let rests = self.rests.iter().copied().map(u128::from);
            self.placed.extend(rests.zip(0..));
            self.give(left, total);
            return;
        }
        for _ in 0..left {
            let (mut largest, mut place) = (0, 0);
            for (at, &rest) in self.rests.iter().enumerate() {
                if rest > largest {
                    (largest, place) = (rest, at);
                }
            }
            self.rests[place] = 0;
            self.add_one(place, total);
        }
    }

    fn split_far(&mut self, magnitude: u64, sum: u128, total: Micros, weights: &[u64]) {
        self.placed.clear();
        let mut left = magnitude;
        for (place, &weight) in weights.iter().enumerate() {
            let product = u128::from(magnitude) * u128::from(weight);
            let part =
                u64::try_from(product / sum).expect("a weight is no larger than the sum of all");
            left -= part;
            self.parts.push(signed(part, total));
            self.placed.push((product % sum, place));
        }
        let left = self.count(left);
        self.give(left, total);
    }

    /// How many micros are left: fewer than there are parts with a rest.
    fn count(&self, left: u64) -> usize {
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        left.min(self.parts.len())
    }

    /// Gives one micro each to the parts with the largest rests.
    fn give(&mut self, left: usize, total: Micros) {
        if left == 0 {
            return;
        }
        if left < self.placed.len() {
            let by_size = |a: &(u128, usize), b: &(u128, usize)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
            self.placed.select_nth_unstable_by(left - 1, by_size);
        }
        for index in 0..left {
            self.add_one(self.placed[index].1, total);
        }
    }

    fn add_one(&mut self, place: usize, total: Micros) {
        self.parts[place] = self.parts[place]
            .checked_add(signed(1, total))
            .expect("a part with a rest is smaller than the whole");
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
