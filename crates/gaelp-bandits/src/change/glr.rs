//! A generalised likelihood ratio test for a change of a Bernoulli mean.

use serde::{Deserialize, Serialize};

use super::{ChangeDetector, Shift};
use crate::numeric::elementary::ln;
use crate::rule::kl;
use crate::{ParameterViolation, UnitReward};

/// The Bernoulli GLR test: is there a time that splits the rewards into two halves whose means
/// differ too much for chance?
///
/// The statistic after n rewards is the largest s kl(x̄₁:ₛ, x̄₁:ₙ) + (n − s) kl(x̄ₛ₊₁:ₙ, x̄₁:ₙ) over
/// s < n; the threshold is ln(3 n √n ÷ δ). It knows neither the mean before nor the size of the
/// change, and holds for any rewards in [0, 1].
///
/// At most 256 splits are kept: beyond that neighbours are joined, so a change is then looked for
/// at every second, fourth, … reward.
///
/// **Cost**: O(splits kept) per reward, at most 10 µs; 4 kB.
///
/// **Source**: Besson, Kaufmann, Maillard & Seznec (2022), Efficient change-point detection for
/// tackling piecewise-stationary bandits, the Bernoulli GLR change-point detector, with the
/// threshold of their experiments, smaller than the one of their proofs.
///
/// ```
/// use gaelp_bandits::{ChangeDetector, Glr, UnitReward};
///
/// let mut test = Glr::default();
/// let mut found = None;
/// for step in 0..100 {
///     let reward = if step < 60 { UnitReward::SUCCESS } else { UnitReward::FAILURE };
///     found = found.or(test.observe(reward).map(|shift| (step, shift.before, shift.after)));
/// }
/// assert!(matches!(found, Some((60..70, before, after)) if before == 1.0 && after == 0.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glr {
    /// δ, from 1e-12 to 0.5: about how likely a false alarm is in an arm's whole life.
    pub delta: f64,
    /// Sums of rewards after each kept split, in millionths, with how many there were.
    cells: Vec<(u64, u64)>,
    /// How many rewards lie between kept splits.
    stride: u64,
    count: u64,
    sum: u64,
}

impl Glr {
    /// How many splits are kept.
    const SPLITS: usize = 256;

    /// A test with this false alarm rate.
    pub const fn new(delta: f64) -> Self {
        Self {
            delta,
            cells: Vec::new(),
            stride: 1,
            count: 0,
            sum: 0,
        }
    }

    /// What a stored state cannot have come about with: a sum beyond its count, or splits that do
    /// not rise.
    #[expect(clippy::cast_precision_loss, reason = "for an error's text")]
    fn unsound(&self) -> Option<ParameterViolation> {
        const MOST: u64 = 1 << 43;
        let within = |&(count, part): &(u64, u64)| {
            count > 0 && count < self.count && part <= self.sum && part <= count * 1_000_000
        };
        let sound = self.count <= MOST
            && self.sum <= self.count * 1_000_000
            && self.stride.is_power_of_two()
            && self.cells.len() < Self::SPLITS
            && self.cells.iter().all(within)
            && self.cells.windows(2).all(|pair| pair[0] < pair[1]);
        let most = MOST as f64;
        let count = if sound { 0.0 } else { f64::NAN };
        ParameterViolation::check("rewards seen", count, 0.0, most)
    }

    /// The split that speaks most for a change.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    fn largest(&self) -> (f64, f64, f64) {
        let (n, sum) = (self.count as f64, self.sum as f64 / 1e6);
        let mean = sum / n;
        let mut largest = (0.0, mean, mean);
        for &(count, part) in &self.cells {
            let (s, part) = (count as f64, part as f64 / 1e6);
            let (before, after) = (part / s, (sum - part) / (n - s));
            let after = after.clamp(0.0, 1.0);
            let statistic = s * kl(before, mean) + (n - s) * kl(after, mean);
            if statistic > largest.0 {
                largest = (statistic, before, after);
            }
        }
        largest
    }
}

impl Default for Glr {
    /// One false alarm in a hundred arms.
    fn default() -> Self {
        Self::new(0.01)
    }
}

impl ChangeDetector for Glr {
    fn violations(&self) -> Vec<ParameterViolation> {
        let mut all: Vec<_> = ParameterViolation::check("delta", self.delta, 1e-12, 0.5)
            .into_iter()
            .collect();
        all.extend(self.unsound());
        all
    }

    fn observe(&mut self, reward: UnitReward) -> Option<Shift> {
        // A split after the rewards so far, of which the new one is beyond.
        if self.count > 0 && self.count.is_multiple_of(self.stride) {
            self.cells.push((self.count, self.sum));
            if self.cells.len() >= Self::SPLITS {
                self.stride *= 2;
                let stride = self.stride;
                self.cells.retain(|(count, _)| count.is_multiple_of(stride));
            }
        }
        self.count += 1;
        self.sum += u64::from(reward.millionths());
        let (statistic, before, after) = self.largest();
        #[expect(clippy::cast_precision_loss, reason = "statistics")]
        let n = self.count as f64;
        let threshold = ln(3.0 * n * n.sqrt() / self.delta);
        (statistic > threshold).then_some(Shift {
            statistic,
            threshold,
            before,
            after,
        })
    }
}
