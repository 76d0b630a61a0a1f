//! What can be wrong with channels, rules and models.

use std::fmt;
use std::sync::Arc;

use crate::{ConversionKind, EventId, Span};

/// Why channels cannot be numbered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// All numbers are given out.
    #[error("more than {} channels", crate::Channels::MOST)]
    TooMany,
    /// A stored list names a channel twice.
    #[error("the channel {name:?} is listed twice")]
    Duplicate {
        /// Its name.
        name: Arc<str>,
    },
}

/// Why a [`Model`](crate::Model) cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A half-life of nothing: all credit would be the last touch's.
    #[error("the half-life is zero")]
    NoHalfLife,
    /// All shares are zero.
    #[error("every weight is zero")]
    NoWeight,
}

/// One thing that is wrong with a [`RulesConfig`](crate::RulesConfig).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleViolation {
    /// A span that must be a mistake.
    #[error("{field} is {value}: at most {most} is allowed")]
    TooLong {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: Span,
        /// The longest allowed.
        most: Span,
    },
    /// A kind of conversion has two sets of rules.
    #[error("{kind:?} has two sets of rules")]
    DuplicateKind {
        /// The kind.
        kind: ConversionKind,
    },
    /// Values could be fixed before all touches have arrived.
    #[error(
        "refund_horizon is {horizon}: at least {least} is needed, the longest window and the lateness"
    )]
    HorizonTooShort {
        /// Its value.
        horizon: Span,
        /// The shortest allowed.
        least: Span,
    },
    /// A model cannot be used.
    #[error("model: {0}")]
    Model(ModelError),
}

/// Everything that is wrong with a [`RulesConfig`](crate::RulesConfig), at least one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", List(.violations))]
pub struct RulesError {
    /// What is wrong, in the order of the settings.
    pub violations: Vec<RuleViolation>,
}

/// Why columns are not journeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// There is not even the offset where the first journey would begin.
    #[error("no offsets: one more than journeys is needed")]
    NoOffsets,
    /// A journey ends before it begins.
    #[error("journey {row} ends before it begins")]
    FallingOffsets {
        /// Its number, counted from 0.
        row: usize,
    },
    /// The journeys are longer than the column of channels.
    #[error("the journeys end at {last}, the column of channels has {touches} entries")]
    OffsetsBeyond {
        /// Where the last journey ends.
        last: usize,
        /// How many entries there are.
        touches: usize,
    },
    /// A channel that does not exist.
    #[error("channel {channel} in a column of {count} channels")]
    UnknownChannel {
        /// The largest number in the column.
        channel: usize,
        /// How many channels there are.
        count: usize,
    },
    /// More channels than numbers.
    #[error("{count} channels: at most {} are told apart", crate::Channels::MOST)]
    TooManyChannels {
        /// How many there are.
        count: usize,
    },
    /// A column of another length than the journeys.
    #[error("the column {column} has {found} entries: {expected} are expected")]
    Length {
        /// The column.
        column: &'static str,
        /// How many entries it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A count below zero.
    #[error("{count} in row {row} of the column {column}")]
    Negative {
        /// The column.
        column: &'static str,
        /// The row, counted from 0.
        row: usize,
        /// The count.
        count: i64,
    },
    /// A sum past 64 bits.
    #[error("the sum of the column {column} does not fit into 64 bits")]
    Overflow {
        /// The column.
        column: &'static str,
    },
}

/// Why a model cannot be fitted, merged or restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// An order that is not offered.
    #[error("order {order}: from 1 to 4 is possible")]
    Order {
        /// The order.
        order: u8,
    },
    /// More channels than keys can be made of.
    #[error("{channels} channels are too many for this model")]
    TooManyChannels {
        /// How many there are.
        channels: usize,
    },
    /// Counts past 64 bits.
    #[error("the counts do not fit into 64 bits")]
    Overflow,
    /// Two sets of counts that do not count the same.
    #[error("the counts are of different channels or models")]
    Different,
    /// Nothing was counted.
    #[error("there is no journey with a touch")]
    NoJourneys,
    /// An iteration that did not come to its end.
    #[error("the iteration did not converge")]
    NotConverged,
    /// Stored counts or a stored model that contradict themselves.
    #[error("the stored figures contradict each other")]
    NoModel,
    /// A parameter outside of its range.
    #[error("{field} is out of range")]
    Parameter {
        /// The parameter.
        field: &'static str,
    },
    /// Columns do not belong together.
    #[error(transparent)]
    Columns(#[from] ColumnError),
}

/// Why rows cannot be credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreditError {
    /// Columns do not belong together.
    #[error(transparent)]
    Columns(#[from] ColumnError),
    /// A model broke the contract of [`Weigh`](crate::Weigh).
    #[error("the model gave row {row} no usable weights: one for each touch, not all zero")]
    Weights {
        /// The row, counted from 0.
        row: usize,
    },
}

/// Why conversions cannot be credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// A model broke the contract of [`Weigh`](crate::Weigh).
    #[error(
        "model {model} gave conversion {conversion} no usable weights: one for each touch, not all zero"
    )]
    Weights {
        /// Its place among the models, counted from 0.
        model: usize,
        /// The conversion.
        conversion: EventId,
    },
}

/// Items separated by semicolons.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}
