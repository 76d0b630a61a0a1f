//! The evidence of a linear model: exact sums.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Features, LessonError};
use crate::numeric::packed::size;

/// What a linear model has learnt, without its prior: Σ w x xᵀ and Σ y x over its lessons.
///
/// The sums are whole numbers, of units of 2⁻⁶⁰ and of 2⁻³⁰ millionths. So merging is associative
/// and commutative to the last bit, undoing is exact, and neither depends on any order.
///
/// **Cost**: a lesson O(d²), of which eight are added up at a time; 8 d² + 88 d bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct LinearSums {
    /// The lower triangle of Σ w x xᵀ, row after row, without the lessons that wait.
    products: Vec<i128>,
    /// The units of every feature in the lessons that wait, and zeros.
    waiting: Vec<Block>,
    /// How many wait: fewer than a block holds.
    wait: usize,
    /// Σ y x.
    rewards: Vec<i128>,
    /// How many lessons, whatever they count by now.
    lessons: u64,
}

/// The units of one feature in as many lessons as are added up at a time: every sum is then read
/// and written once for all of them.
type Block = [i64; BLOCK];
const BLOCK: usize = 8;

/// Units whose products four at a time stay within an `i64`: √2⁶¹, a feature of some 1.4.
const NARROW: u64 = 1_518_500_249;

/// The most lessons: with the largest features, every sum stays within an `i128`.
const MOST_LESSONS: u64 = 1 << 31;

/// What a lesson adds to a sum at most.
const LARGEST_PRODUCT: i128 = 1 << 88;
const LARGEST_REWARD: i128 = 1 << 94;

/// One unit of [`LinearSums::products`], and of [`LinearSums::rewards`].
const PRODUCT_UNITS: f64 = 1_152_921_504_606_846_976.0;
const REWARD_UNITS: f64 = 1e6 * 1_073_741_824.0;

impl LinearSums {
    /// No evidence.
    pub fn new(dimension: usize) -> Self {
        Self {
            products: vec![0; size(dimension)],
            waiting: vec![[0; BLOCK]; dimension],
            wait: 0,
            rewards: vec![0; dimension],
            lessons: 0,
        }
    }

    /// How many features it is about.
    pub fn dimension(&self) -> usize {
        self.rewards.len()
    }

    /// How many lessons it is made of, faded ones included.
    pub const fn lessons(&self) -> u64 {
        self.lessons
    }

    /// Adds other evidence.
    ///
    /// # Errors
    /// [`LessonError`] for another number of features, and beyond 2³¹ lessons; then nothing is
    /// changed.
    pub fn merge(&mut self, other: &Self) -> Result<(), LessonError> {
        let (found, expected) = (other.dimension(), self.dimension());
        if found != expected {
            return Err(LessonError::Dimension { found, expected });
        }
        self.lessons = self.with_lessons(other.lessons)?;
        for (sum, more) in self.products.iter_mut().zip(other.products().iter()) {
            *sum = sum.wrapping_add(*more);
        }
        for (sum, more) in self.rewards.iter_mut().zip(&other.rewards) {
            *sum = sum.wrapping_add(*more);
        }
        Ok(())
    }

    /// How many lessons there are after so many more.
    pub(super) fn with_lessons(&self, more: u64) -> Result<u64, LessonError> {
        let lessons = self.lessons.checked_add(more);
        lessons
            .filter(|lessons| *lessons <= MOST_LESSONS)
            .ok_or(LessonError::Full)
    }

    /// Adds a lesson of weight 1 and a reward in millionths.
    pub(super) fn add(&mut self, features: &Features, reward: i64) {
        for (block, own) in self.waiting.iter_mut().zip(features.units()) {
            block[self.wait] = own;
        }
        self.wait += 1;
        if self.wait == BLOCK {
            self.settle();
        }
        for (sum, own) in self.rewards.iter_mut().zip(features.units()) {
            *sum = sum.wrapping_add(i128::from(own).wrapping_mul(i128::from(reward)));
        }
        self.lessons += 1;
    }

    /// Takes such a lesson back.
    pub(super) fn subtract(&mut self, features: &Features, reward: i64) {
        let x: Vec<i64> = features.units().collect();
        for_each_pair(&mut self.products, &x, |sum, own, other| {
            *sum = sum.wrapping_sub(i128::from(*own).wrapping_mul(i128::from(*other)));
        });
        for (sum, own) in self.rewards.iter_mut().zip(x) {
            *sum = sum.wrapping_sub(i128::from(own).wrapping_mul(i128::from(reward)));
        }
        self.lessons = self.lessons.saturating_sub(1);
    }

    /// Adds up the lessons that wait.
    pub(super) fn settle(&mut self) {
        if self.wait > 0 {
            add_blocks(&mut self.products, &self.waiting);
            self.waiting.fill([0; BLOCK]);
            self.wait = 0;
        }
    }

    /// Σ w x xᵀ, the lessons that wait included.
    fn products(&self) -> Cow<'_, [i128]> {
        let mut products = Cow::Borrowed(&self.products[..]);
        if self.wait > 0 {
            add_blocks(products.to_mut(), &self.waiting);
        }
        products
    }

    /// Adds `weight` x xᵀ and `response` x, rounded towards zero to whole units.
    pub(super) fn add_weighted(&mut self, features: &Features, weight: f64, response: f64) {
        let x = features.as_slice();
        for_each_pair(&mut self.products, x, |sum, own, other| {
            *sum = sum.wrapping_add(whole(weight * (own * other) * PRODUCT_UNITS));
        });
        for (sum, &own) in self.rewards.iter_mut().zip(x) {
            *sum = sum.wrapping_add(whole(response * own * REWARD_UNITS));
        }
    }

    /// Counts a lesson that [`LinearSums::add_weighted`] brought, or took back.
    pub(super) fn count(&mut self, lessons: u64) {
        self.lessons = lessons;
    }

    /// Leaves a share of everything, rounded to the digits of a number.
    #[expect(clippy::cast_precision_loss, reason = "the rounding meant")]
    pub(super) fn fade(&mut self, share: f64) {
        self.settle();
        for sum in self.products.iter_mut().chain(&mut self.rewards) {
            *sum = whole(*sum as f64 * share);
        }
    }

    /// λI + Σ w x xᵀ.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub(super) fn precision(&self, prior: f64) -> Vec<f64> {
        let in_units = |sum: &i128| *sum as f64 / PRODUCT_UNITS;
        let mut all: Vec<f64> = self.products().iter().map(in_units).collect();
        for place in 0..self.dimension() {
            all[size(place) + place] += prior;
        }
        all
    }

    /// Σ y x.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub(super) fn rewards(&self) -> Vec<f64> {
        let in_units = |sum: &i128| *sum as f64 / REWARD_UNITS;
        self.rewards.iter().map(in_units).collect()
    }
}

/// Changes every number of a triangle by what stands at its row and at its column.
fn for_each_pair<T>(triangle: &mut [i128], x: &[T], change: impl Fn(&mut i128, &T, &T)) {
    let mut rest = triangle;
    for (place, own) in x.iter().enumerate() {
        let Some((row, after)) = rest.split_at_mut_checked(place + 1) else {
            break;
        };
        for (sum, other) in row.iter_mut().zip(x) {
            change(sum, own, other);
        }
        rest = after;
    }
}

/// Adds the products of all lessons of the blocks. Wrapping, because checked products of this width
/// are slow; [`MOST_LESSONS`] bounds them.
fn add_blocks(products: &mut [i128], blocks: &[Block]) {
    let narrow = |unit: &i64| unit.unsigned_abs() <= NARROW;
    if blocks.iter().flatten().all(narrow) {
        for_each_pair(products, blocks, |sum, own, other| {
            let half = |from: usize| {
                let terms = own[from..from + 4].iter().zip(&other[from..from + 4]);
                terms.fold(0, |sum: i64, (a, b)| sum.wrapping_add(a.wrapping_mul(*b)))
            };
            *sum = sum.wrapping_add(i128::from(half(0)).wrapping_add(i128::from(half(4))));
        });
    } else {
        for_each_pair(products, blocks, |sum, own, other| {
            for (a, b) in own.iter().zip(other) {
                *sum = sum.wrapping_add(i128::from(*a).wrapping_mul(i128::from(*b)));
            }
        });
    }
}

/// Sums are what their lessons add up to, whether those still wait or not.
impl PartialEq for LinearSums {
    fn eq(&self, other: &Self) -> bool {
        self.lessons == other.lessons
            && self.rewards == other.rewards
            && self.products() == other.products()
    }
}

impl Eq for LinearSums {}

#[expect(
    clippy::cast_possible_truncation,
    reason = "within ±2^97, and conversions do not wrap"
)]
fn whole(units: f64) -> i128 {
    units as i128
}

/// [`LinearSums`] as they are stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    products: Vec<i128>,
    rewards: Vec<i128>,
    lessons: u64,
}

impl From<LinearSums> for Stored {
    fn from(mut sums: LinearSums) -> Self {
        sums.settle();
        Self {
            products: sums.products,
            rewards: sums.rewards,
            lessons: sums.lessons,
        }
    }
}

impl TryFrom<Stored> for LinearSums {
    type Error = SumsError;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let dimension = stored.rewards.len();
        let fits = (1..=Features::MOST).contains(&dimension)
            && stored.products.len() == size(dimension)
            && stored.lessons <= MOST_LESSONS;
        // One more, for what rounding leaves where all lessons were taken back.
        let lessons = i128::from(stored.lessons.min(MOST_LESSONS)) + 1;
        let within = |sums: &[i128], most: i128| {
            let limit = most.unsigned_abs() * lessons.unsigned_abs();
            sums.iter().all(|sum| sum.unsigned_abs() <= limit)
        };
        if !fits
            || !within(&stored.products, LARGEST_PRODUCT)
            || !within(&stored.rewards, LARGEST_REWARD)
        {
            return Err(SumsError { dimension });
        }
        Ok(Self {
            products: stored.products,
            waiting: vec![[0; BLOCK]; dimension],
            wait: 0,
            rewards: stored.rewards,
            lessons: stored.lessons,
        })
    }
}

/// Stored sums that no lessons add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sums of {dimension} features that no lessons add up to")]
struct SumsError {
    dimension: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against sums taken term by term, after every lesson: of features that are all small, of
        /// some that are not, and of lessons taken back while they still wait.
        #[test]
        fn sums_are_those_of_the_lessons_whether_they_wait_or_not(
            lessons in prop::collection::vec((prop::collection::vec(-1.5..1.5_f64, 3), -9..9_i64), 1..30),
            scales in prop::collection::vec(prop::sample::select(vec![0.9, 1.0, 10_000.0]), 30),
        ) {
            let (mut sums, mut expected) = (LinearSums::new(3), [0_i128; 6]);
            let mut rewards = [0_i128; 3];
            for ((values, reward), scale) in lessons.iter().zip(scales) {
                let values: Vec<f64> = values.iter().map(|value| value * scale).collect();
                let features = Features::new(&values)?;
                sums.add(&features, *reward);
                if *reward == 0 {
                    sums.subtract(&features, *reward);
                    continue;
                }
                let exact = |value: &f64| i128::from(whole_units(*value));
                let x: Vec<i128> = features.as_slice().iter().map(exact).collect();
                let pairs = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)];
                for (sum, (row, column)) in expected.iter_mut().zip(pairs) {
                    *sum += x[row] * x[column];
                }
                for (sum, x) in rewards.iter_mut().zip(&x) {
                    *sum += x * i128::from(*reward);
                }
                prop_assert_eq!(&sums.products()[..], &expected[..]);
                prop_assert_eq!(&sums.rewards, &rewards);
                let mut settled = sums.clone();
                settled.settle();
                prop_assert_eq!(&settled, &sums);
                prop_assert_eq!(settled.wait, 0);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2⁴⁵")]
    fn whole_units(value: f64) -> i64 {
        (value * 1_073_741_824.0) as i64
    }
}
