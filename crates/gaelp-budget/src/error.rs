//! What is refused, field by field.

use std::fmt;

/// A number outside of its range, or no number at all.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{field} is {value}: from {least} to {most} is expected")]
pub struct OutOfRange {
    /// Which number.
    pub field: &'static str,
    /// What it is.
    pub value: f64,
    /// The least that it may be.
    pub least: f64,
    /// The most that it may be.
    pub most: f64,
}

/// Everything that is wrong with some numbers, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfRanges(Vec<OutOfRange>);

impl OutOfRanges {
    /// Each of them; at least one.
    pub fn as_slice(&self) -> &[OutOfRange] {
        &self.0
    }
}

impl fmt::Display for OutOfRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            let between = if place == 0 { "" } else { "; " };
            write!(f, "{between}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for OutOfRanges {}

/// Collects what is out of range.
#[derive(Debug, Default)]
pub(crate) struct Ranges(Vec<OutOfRange>);

impl Ranges {
    /// Notes the number unless it lies within the range; `NaN` lies in none.
    pub(crate) fn check(mut self, field: &'static str, value: f64, least: f64, most: f64) -> Self {
        if !(least..=most).contains(&value) {
            self.0.push(OutOfRange {
                field,
                value,
                least,
                most,
            });
        }
        self
    }

    pub(crate) fn done(self) -> Result<(), OutOfRanges> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(OutOfRanges(self.0))
        }
    }
}
