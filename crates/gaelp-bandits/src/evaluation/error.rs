//! What can be wrong with a log, and with what is asked of it.

use super::{Column, Estimator, Refusal};
use crate::ParameterViolation;

/// A log that cannot be read. Rows are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// There are no rows.
    #[error("a log needs at least one row")]
    Empty,
    /// A column is longer or shorter than it must be.
    #[error("the column of {column} values holds {found}; {expected} are expected")]
    Length {
        /// The column.
        column: Column,
        /// How many values it holds.
        found: usize,
        /// How many it must hold.
        expected: usize,
    },
    /// A value that may not stand in its column.
    #[error("row {row}: the {column} is {value}; {} is expected ({further} more such values)", .column.expects())]
    Value {
        /// The column.
        column: Column,
        /// The first row that is wrong.
        row: usize,
        /// Its value.
        value: f64,
        /// How many more values of the column are wrong.
        further: usize,
    },
    /// A quotient of propensities that is too large to be reckoned with.
    #[error("row {row}: the weight {target} ÷ {logged} is above 1e50")]
    Weight {
        /// The first such row.
        row: usize,
        /// The target policy's propensity.
        target: f64,
        /// The logging policy's propensity.
        logged: f64,
    },
    /// The chosen arm is not one of the rows'.
    #[error("row {row}: arm {arm} was chosen of {arms} arms, counted from 0")]
    Arm {
        /// The first such row.
        row: usize,
        /// The arm.
        arm: u32,
        /// How many there are.
        arms: usize,
    },
    /// A row of probabilities that do not sum to 1.
    #[error("row {row}: the target policy's probabilities sum to {sum}")]
    Sum {
        /// The first such row.
        row: usize,
        /// Their sum.
        sum: f64,
    },
    /// A number of arms, features or folds that is out of range.
    #[error("{0}")]
    Parameter(#[from] ParameterViolation),
}

/// A question that a log cannot answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A parameter of the estimator is out of range.
    #[error("{0}")]
    Parameter(#[from] ParameterViolation),
    /// The estimator needs predictions, and the log has none.
    #[error("{estimator} needs a reward model's predictions: see Log::with_model")]
    NoModel {
        /// The estimator.
        estimator: Estimator,
    },
    /// No row has any weight, by whose sum the estimator would divide.
    #[error("{estimator} has no answer: the target policy plays none of the logged arms")]
    NoWeight {
        /// The estimator.
        estimator: Estimator,
    },
    /// The log cannot carry the answer.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
}

/// An interval that cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IntervalError {
    /// A parameter is out of range.
    #[error("{0}")]
    Parameter(#[from] ParameterViolation),
    /// One row has no variance.
    #[error("an interval needs at least two rows")]
    OneRow,
    /// The interval needs the mean of independent terms, and the estimator is a quotient.
    #[error("{estimator} is a quotient of sums, not a mean: use the bootstrap")]
    NotAMean {
        /// The estimator.
        estimator: Estimator,
    },
    /// Nothing bounds the estimator's weights.
    #[error("{estimator} needs a bound on the weights: 1 over the least logged propensity")]
    WeightsUnbounded {
        /// The estimator.
        estimator: Estimator,
    },
    /// A weight is above what was said to bound them all.
    #[error("a weight of {weight} is above the stated bound of {bound}")]
    WeightAboveBound {
        /// The largest weight.
        weight: f64,
        /// The bound.
        bound: f64,
    },
    /// A value lies outside of the stated range of rewards.
    #[error("a {column} of {value} is outside of the stated range of rewards, {least} to {most}")]
    OutOfRange {
        /// The column.
        column: Column,
        /// The value.
        value: f64,
        /// The least reward.
        least: f64,
        /// The most.
        most: f64,
    },
    /// A resampled log has no row with any weight.
    #[error("a resampled log has no weight: too few rows carry the answer")]
    NoWeight,
    /// The bounds have crossed, which valid propensities allow with the stated chance only.
    #[error(
        "the lower bound {lower} is above the upper bound {upper}: the propensities are wrong, or the value has changed"
    )]
    Contradiction {
        /// The lower bound.
        lower: f64,
        /// The upper bound.
        upper: f64,
    },
}
