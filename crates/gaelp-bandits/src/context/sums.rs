//! The evidence of a linear model: exact sums.

use serde::{Deserialize, Serialize};

use super::{Features, LessonError};
use crate::numeric::packed::size;

/// What a linear model has learnt, without its prior: Σ w x xᵀ and Σ y x over its lessons.
///
/// The sums are whole numbers, of units of 2⁻⁶⁰ and of 2⁻³⁰ millionths. So merging is associative
/// and commutative to the last bit, undoing is exact, and neither depends on any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct LinearSums {
    /// The lower triangle of Σ w x xᵀ, row after row.
    products: Vec<i128>,
    /// Σ y x.
    rewards: Vec<i128>,
    /// How many lessons, whatever they count by now.
    lessons: u64,
}

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
        for (sum, more) in self.products.iter_mut().zip(&other.products) {
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
        self.change(features, reward, i128::wrapping_add);
        self.lessons += 1;
    }

    /// Takes such a lesson back.
    pub(super) fn subtract(&mut self, features: &Features, reward: i64) {
        self.change(features, reward, i128::wrapping_sub);
        self.lessons = self.lessons.saturating_sub(1);
    }

    /// Wrapping, because checked products of this width are slow; [`MOST_LESSONS`] bounds them.
    fn change(&mut self, features: &Features, reward: i64, with: impl Fn(i128, i128) -> i128) {
        let x = features.units();
        let mut rest = &mut self.products[..];
        for (place, &own) in x.iter().enumerate() {
            let Some((row, after)) = rest.split_at_mut_checked(place + 1) else {
                break;
            };
            for (sum, &other) in row.iter_mut().zip(&x) {
                *sum = with(*sum, i128::from(own).wrapping_mul(i128::from(other)));
            }
            rest = after;
        }
        for (sum, &own) in self.rewards.iter_mut().zip(&x) {
            *sum = with(*sum, i128::from(own).wrapping_mul(i128::from(reward)));
        }
    }

    /// Adds `weight` x xᵀ and `response` x, rounded towards zero to whole units.
    pub(super) fn add_weighted(&mut self, features: &Features, weight: f64, response: f64) {
        let x = features.as_slice();
        let mut rest = &mut self.products[..];
        for (place, &own) in x.iter().enumerate() {
            let Some((row, after)) = rest.split_at_mut_checked(place + 1) else {
                break;
            };
            for (sum, &other) in row.iter_mut().zip(x) {
                *sum = sum.wrapping_add(whole(weight * (own * other) * PRODUCT_UNITS));
            }
            rest = after;
        }
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
        for sum in self.products.iter_mut().chain(&mut self.rewards) {
            *sum = whole(*sum as f64 * share);
        }
    }

    /// λI + Σ w x xᵀ.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub(super) fn precision(&self, prior: f64) -> Vec<f64> {
        let in_units = |sum: &i128| *sum as f64 / PRODUCT_UNITS;
        let mut all: Vec<f64> = self.products.iter().map(in_units).collect();
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
    fn from(sums: LinearSums) -> Self {
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
