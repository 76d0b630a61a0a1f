//! The figures of a row.

use gaelp_core::{Micros, Quantity};

use crate::file::File;
use crate::map::{Blank, Constant};
use crate::number::NumberReader;
use crate::plan::{Cell, CellSource};
use crate::{ExportError, ValueProblem};

/// Reads the figures of the current row of a file.
pub(crate) struct Cells<'a, R> {
    file: &'a File<R>,
    missing: &'a [Box<str>],
    numbers: &'a mut NumberReader,
    blanks: u64,
}

impl<'a, R: std::io::Read> Cells<'a, R> {
    pub(crate) fn new(
        file: &'a File<R>,
        missing: &'a [Box<str>],
        numbers: &'a mut NumberReader,
    ) -> Self {
        Self {
            file,
            missing,
            numbers,
            blanks: 0,
        }
    }

    /// How many values that are missing were read as zero.
    pub(crate) fn blanks(&self) -> u64 {
        self.blanks
    }

    pub(crate) fn spend(&mut self, cell: &Cell) -> Result<Micros, ExportError> {
        self.read(
            Some(cell),
            Constant::get,
            |numbers, cell, text| match cell.from {
                CellSource::Micros(_) => numbers.micros(text, cell.numbers),
                _ => numbers.money(text, cell.numbers, cell.decimals),
            },
        )
    }

    /// An amount of either sign: platforms take back value that they had reported.
    pub(crate) fn amount(&mut self, cell: Option<&Cell>) -> Result<Micros, ExportError> {
        self.read(cell, Constant::get, |numbers, cell, text| {
            numbers.amount(text, cell.numbers, cell.decimals)
        })
    }

    pub(crate) fn count(&mut self, cell: Option<&Cell>) -> Result<u64, ExportError> {
        // A constant of a count was checked to be one.
        let constant = |constant: Constant| constant.count().unwrap_or(0);
        self.read(cell, constant, |numbers, cell, text| {
            numbers.count(text, cell.numbers)
        })
    }

    pub(crate) fn quantity(&mut self, cell: Option<&Cell>) -> Result<Quantity, ExportError> {
        // A constant was checked not to be below zero.
        let constant = |constant: Constant| {
            let millionths = u64::try_from(constant.get().get()).unwrap_or(0);
            Quantity::from_millionths(millionths)
        };
        self.read(cell, constant, |numbers, cell, text| {
            numbers.quantity(text, cell.numbers, cell.decimals)
        })
    }

    fn read<T: Default>(
        &mut self,
        cell: Option<&Cell>,
        constant: impl FnOnce(Constant) -> T,
        read: impl FnOnce(&mut NumberReader, &Cell, &str) -> Result<T, ValueProblem>,
    ) -> Result<T, ExportError> {
        let Some(cell) = cell else {
            return Ok(T::default());
        };
        let column = match cell.from {
            CellSource::Constant(value) => return Ok(constant(value)),
            CellSource::Column(column) | CellSource::Micros(column) => column,
        };
        let text = self.file.record.get(column);
        if text.is_empty() || self.missing.iter().any(|missing| **missing == *text) {
            if cell.blank == Blank::Refuse {
                return Err(self.file.refuse(column, ValueProblem::Missing));
            }
            self.blanks += 1;
            return Ok(T::default());
        }
        read(self.numbers, cell, text).map_err(|problem| self.file.refuse(column, problem))
    }
}
