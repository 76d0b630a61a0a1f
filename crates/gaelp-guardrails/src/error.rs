//! What can be wrong with a configuration or a row of metrics.

use std::fmt;

use gaelp_core::{AdSetKey, HourSpan, Micros, Operand, RuleId, UtcHour};

/// One thing that is wrong with a [`GuardrailConfig`](crate::GuardrailConfig).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigViolation {
    /// A value outside of its range.
    #[error("{field} is {value}: from {least} to {most} is allowed")]
    OutOfRange {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: Operand,
        /// The smallest value allowed.
        least: Operand,
        /// The largest value allowed.
        most: Operand,
    },
    /// A value below another one that it may not be below.
    #[error("{field} is {value}: at least {least} is needed, the value of {other}")]
    BelowOther {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: Operand,
        /// The setting that bounds it.
        other: &'static str,
        /// The smallest value allowed.
        least: Operand,
    },
    /// A value above another one that it may not be above.
    #[error("{field} is {value}: at most {most} is allowed, the value of {other}")]
    AboveOther {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: Operand,
        /// The setting that bounds it.
        other: &'static str,
        /// The largest value allowed.
        most: Operand,
    },
    /// A name that is no rule, or of a rule that cannot be in this list.
    #[error("{field} names {rule}, {problem}")]
    Rule {
        /// The setting.
        field: &'static str,
        /// The name.
        rule: RuleId,
        /// What is wrong with it.
        problem: RuleProblem,
    },
}

/// What is wrong with the name of a rule in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleProblem {
    /// There is no such rule.
    #[error("which is no rule")]
    Unknown,
    /// Safety depends on it, so it cannot be only observed.
    #[error("which is always enforced")]
    AlwaysEnforced,
    /// It looks at nothing that could be missing, or objects then by itself.
    #[error("which needs no fact that could be required")]
    NeedsNoFact,
}

impl ConfigViolation {
    /// The name of the setting.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OutOfRange { field, .. }
            | Self::BelowOther { field, .. }
            | Self::AboveOther { field, .. }
            | Self::Rule { field, .. } => field,
        }
    }
}

/// Everything that is wrong with a [`GuardrailConfig`](crate::GuardrailConfig), at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigViolations(Vec<ConfigViolation>);

impl ConfigViolations {
    /// Passes `value` where there are no violations.
    pub(crate) fn none_or<T>(violations: Vec<ConfigViolation>, value: T) -> Result<T, Self> {
        if violations.is_empty() {
            Ok(value)
        } else {
            Err(Self(violations))
        }
    }

    /// The violations, in the order of the settings.
    pub fn as_slice(&self) -> &[ConfigViolation] {
        &self.0
    }
}

impl fmt::Display for ConfigViolations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigViolations {}

/// Why a row of metrics is not taken into a [`Trailing`](crate::Trailing).
///
/// Nothing is taken over from such a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrailingError {
    /// It is about another ad set.
    #[error("a row of {found} among those of {expected}")]
    OtherAdSet {
        /// The ad set of the rows before.
        expected: AdSetKey,
        /// The ad set of this row.
        found: AdSetKey,
    },
    /// Its span has no hour.
    #[error("the span {0} has no hour")]
    EmptySpan(HourSpan),
    /// A stored record has rows, and does not say whose.
    #[error("the stored row of {0} belongs to no ad set")]
    Nameless(HourSpan),
    /// It shares hours with a row of another span, so that they would count twice.
    #[error("the span {found} overlaps {known}, which is known already")]
    Overlap {
        /// The span that is known.
        known: HourSpan,
        /// The span of this row.
        found: HourSpan,
    },
    /// It ended before the hours that are kept.
    #[error("the span {found} ended before {kept_from}, from where on rows are kept")]
    TooOld {
        /// The span of this row.
        found: HourSpan,
        /// The first hour that is kept.
        kept_from: UtcHour,
    },
    /// A negative amount where none can be.
    #[error("{field} is {value}: it cannot be negative")]
    Negative {
        /// The metric.
        field: &'static str,
        /// Its value.
        value: Micros,
    },
    /// A figure past what any account sees, which would make sums overflow.
    #[error("{field} is {value}, at most {most} is believed", most = crate::Trailing::MAX_FIGURE)]
    Implausible {
        /// The metric.
        field: &'static str,
        /// Its size: money in micros, conversions in millionths.
        value: u64,
    },
}
