//! The columns of a log, and what is checked of each.

use std::fmt;

use super::LogError;

/// Values beyond this are refused: their squares could not be summed.
pub(crate) const LARGEST: f64 = 1e50;

/// A column of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Column {
    /// What the chosen arm earned.
    Reward,
    /// The probability with which the logging policy chose it.
    Logged,
    /// The probability with which the target policy would have chosen it.
    Target,
    /// What a model predicts for the chosen arm.
    Predicted,
    /// What it predicts under the target policy.
    Direct,
    /// The index of the chosen arm.
    Chosen,
    /// The target policy's probabilities, row by row.
    TargetRows,
    /// A model's predictions, row by row.
    PredictionRows,
    /// The features of the rows, row by row.
    Features,
    /// The fold of each row.
    Fold,
}

impl Column {
    /// What its values must be.
    pub const fn expects(self) -> &'static str {
        match self {
            Self::Logged => "a probability above 0 and at most 1",
            Self::Target | Self::TargetRows => "a probability from 0 to 1",
            Self::Chosen => "an arm's index",
            Self::Fold => "the number of a fold",
            Self::Reward
            | Self::Predicted
            | Self::Direct
            | Self::PredictionRows
            | Self::Features => "a number within ±1e50",
        }
    }

    /// Whether a value may stand in it.
    pub(crate) fn allows(self, value: f64) -> bool {
        match self {
            Self::Logged => value > 0.0 && value <= 1.0,
            Self::Target | Self::TargetRows => (0.0..=1.0).contains(&value),
            _ => value.abs() <= LARGEST,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reward => "reward",
            Self::Logged => "logged propensity",
            Self::Target => "target propensity",
            Self::Predicted => "predicted reward",
            Self::Direct => "direct reward",
            Self::Chosen => "chosen arm",
            Self::TargetRows => "target row",
            Self::PredictionRows => "prediction row",
            Self::Features => "feature",
            Self::Fold => "fold",
        })
    }
}

/// The least and the most of a column, gathered block by block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Extent {
    least: [f64; LANES],
    most: [f64; LANES],
    /// Zero, unless there was a NaN or an infinity.
    probe: [f64; LANES],
}

const LANES: usize = 4;

impl Extent {
    pub(crate) const fn new() -> Self {
        Self {
            least: [f64::INFINITY; LANES],
            most: [f64::NEG_INFINITY; LANES],
            probe: [0.0; LANES],
        }
    }

    pub(crate) fn of(values: &[f64]) -> Self {
        let mut extent = Self::new();
        extent.take(values);
        extent
    }

    pub(crate) fn take(&mut self, values: &[f64]) {
        // Copies that stay in registers.
        let Self {
            mut least,
            mut most,
            mut probe,
        } = *self;
        let (whole, rest) = values.as_chunks::<LANES>();
        for chunk in whole {
            for lane in 0..LANES {
                let x = chunk[lane];
                least[lane] = if x < least[lane] { x } else { least[lane] };
                most[lane] = if x > most[lane] { x } else { most[lane] };
                probe[lane] += x * 0.0;
            }
        }
        for &x in rest {
            least[0] = if x < least[0] { x } else { least[0] };
            most[0] = if x > most[0] { x } else { most[0] };
            probe[0] += x * 0.0;
        }
        *self = Self { least, most, probe };
    }

    pub(crate) fn least(&self) -> f64 {
        self.least.iter().fold(f64::INFINITY, |a, &b| a.min(b))
    }

    pub(crate) fn most(&self) -> f64 {
        self.most.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b))
    }

    /// The most of the absolute values.
    pub(crate) fn size(&self) -> f64 {
        self.most().max(-self.least()).max(0.0)
    }

    fn is_finite(&self) -> bool {
        !self.probe.iter().any(|probe| probe.is_nan())
    }

    /// Whether every value may stand in the column: only then are the other figures of use.
    fn suits(&self, column: Column) -> bool {
        self.is_finite() && column.allows(self.least()) && column.allows(self.most())
    }

    /// The same, with the first row that is wrong.
    pub(crate) fn check(
        &self,
        column: Column,
        values: &[f64],
        width: usize,
    ) -> Result<(), LogError> {
        if values.is_empty() || self.suits(column) {
            return Ok(());
        }
        let mut wrong = (values.iter().enumerate()).filter(|(_, value)| !column.allows(**value));
        match wrong.next() {
            None => Ok(()),
            Some((place, &value)) => Err(LogError::Value {
                column,
                row: place / width.max(1),
                value,
                further: wrong.count(),
            }),
        }
    }
}

/// Whether a column is as long as the log.
pub(crate) fn check_length(column: Column, found: usize, expected: usize) -> Result<(), LogError> {
    if found == expected {
        Ok(())
    } else {
        Err(LogError::Length {
            column,
            found,
            expected,
        })
    }
}
