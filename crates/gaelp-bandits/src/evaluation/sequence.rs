//! An interval that may be looked at after every row.

use super::Column;
use super::column::LARGEST;
use super::error::IntervalError;
use super::interval::{ConfidenceLevel, Covers, Interval, RewardRange};
use super::log::Log;
use super::sum::count;
use crate::ParameterViolation;
use crate::numeric::elementary::{ln, ln_1p};

/// A confidence sequence for the target policy's value: with the stated probability its intervals
/// hold the value at *every* row at once, so it may be watched, and stopped on, at will.
///
/// No bound on the weights is needed. The lower end bets on w (r − a) and the upper one on
/// w (b − r), rewards being from a to b: both are at least 0 with means of at most b − a, which is
/// all that the bets ask. Rows may depend on earlier ones, as they do where the logging policy
/// learns; the value is taken not to change. Weights above `clip` count as `clip`, which lowers both
/// means and so keeps the promise; it keeps single rows from setting the sequence back.
///
/// **Units**: those of the rewards.
///
/// **Cost**: O(1) time per row, a logarithm or three; 150 bytes.
///
/// **Source**: Waudby-Smith & Ramdas (2023), Estimating means of bounded random variables by
/// betting, theorem 2 with the bets given there, truncated at ½. That values need only be
/// bounded from below, by Fan, Grama & Liu (2015), Exponential inequalities for martingales with
/// applications, lemma 4.1, and the reflection are from Waudby-Smith, Wu, Ramdas, Karampatziakis &
/// Mineiro (2024), Anytime-valid off-policy inference for contextual bandits. The running
/// intersection is taken.
///
/// ```
/// use gaelp_bandits::evaluation::{ConfidenceLevel, ConfidenceSequence, RewardRange};
///
/// let level = ConfidenceLevel::default();
/// let mut sequence = ConfidenceSequence::new(RewardRange::UNIT, Some(20.0), level)?;
/// for row in 0..2000 {
///     sequence.observe(1.0, f64::from(row % 4 == 0))?;
///     assert!(sequence.interval()?.contains(0.25)); // at every row
/// }
/// assert!(sequence.interval()?.upper < 0.35);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ConfidenceSequence {
    range: RewardRange,
    clip: f64,
    rows: usize,
    /// −ln of the error probability of each side.
    evidence: f64,
    lower: Side,
    upper: Side,
}

impl ConfidenceSequence {
    /// A sequence before its first row.
    ///
    /// # Errors
    /// [`IntervalError::Parameter`] for a clip that is not above 0 and at most 1e50.
    pub fn new(
        range: RewardRange,
        clip: Option<f64>,
        level: ConfidenceLevel,
    ) -> Result<Self, IntervalError> {
        let clip = clip.unwrap_or(LARGEST);
        let violation = ParameterViolation::check("clip", clip, f64::MIN_POSITIVE, LARGEST);
        violation.map_or(Ok(()), Err)?;
        Ok(Self {
            range,
            clip,
            rows: 0,
            evidence: -ln(0.5 * level.alpha()),
            lower: Side::default(),
            upper: Side::default(),
        })
    }

    /// The sequence over the rows of a log, in their order.
    ///
    /// **Cost**: O(n).
    ///
    /// # Errors
    /// As [`ConfidenceSequence::new`] and [`ConfidenceSequence::observe`].
    pub fn over(
        log: &Log<'_>,
        range: RewardRange,
        clip: Option<f64>,
        level: ConfidenceLevel,
    ) -> Result<Self, IntervalError> {
        let mut sequence = Self::new(range, clip, level)?;
        for (weight, reward) in log.weights().zip(log.rewards()) {
            sequence.observe(weight, *reward)?;
        }
        Ok(sequence)
    }

    /// Takes the next row: its weight, target ÷ logged, and what it earned.
    ///
    /// # Errors
    /// [`IntervalError`] for a weight that is no number from 0 to 1e50 and a reward outside of the
    /// range; then the row is not taken.
    pub fn observe(&mut self, weight: f64, reward: f64) -> Result<(), IntervalError> {
        let violation = ParameterViolation::check("weight", weight, 0.0, LARGEST);
        violation.map_or(Ok(()), Err)?;
        self.range.check(Column::Reward, reward)?;
        let weight = weight.min(self.clip);
        let share = self.range.share(reward);
        let row = count(self.rows + 1);
        self.lower.observe(row, weight * share, self.evidence);
        self.upper
            .observe(row, weight * (1.0 - share), self.evidence);
        self.rows += 1;
        Ok(())
    }

    /// How many rows were taken.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The interval now: all of the range before there is evidence.
    ///
    /// # Errors
    /// [`IntervalError::Contradiction`] where the bounds have crossed. If the propensities are right
    /// and the value does not change, that happens at most as often as the level allows.
    pub fn interval(&self) -> Result<Interval, IntervalError> {
        let lower = self.range.at(self.lower.bound);
        let upper = self.range.at(1.0 - self.upper.bound);
        if lower > upper {
            return Err(IntervalError::Contradiction { lower, upper });
        }
        Ok(Interval {
            lower,
            upper,
            covers: Covers::Value,
        })
    }
}

/// The lower bound on the mean, at most 1, of values of at least 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Side {
    /// Sums of the values, and of their squared distances from the mean as it was then.
    values: f64,
    squares: f64,
    /// Sums of the bets, of bets × values, and of what the bets cost.
    bets: f64,
    gains: f64,
    costs: f64,
    /// The best bound so far.
    bound: f64,
}

impl Side {
    /// The largest bet.
    const MOST: f64 = 0.5;

    fn observe(&mut self, row: f64, value: f64, evidence: f64) {
        // As if a value of ½ with variance ¼ had come before: what the bet rests on is known before
        // this row.
        let guess = ((0.5 + self.values) / row).min(1.0);
        let variance = (0.25 + self.squares) / row;
        let bet = (2.0 * evidence / (variance * row * ln(1.0 + row))).sqrt();
        let bet = bet.min(Self::MOST);
        let off = value - guess;
        self.bets += bet;
        self.gains += bet * value;
        self.costs += (-ln_1p(-bet) - bet) * off * off;
        let bound = (self.gains - evidence - self.costs) / self.bets;
        self.bound = self.bound.max(bound.min(1.0));
        self.values += value;
        let off = value - (0.5 + self.values) / (row + 1.0);
        self.squares += off * off;
    }
}
