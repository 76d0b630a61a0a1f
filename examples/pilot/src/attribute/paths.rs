//! Reads a table of paths.

use std::fs::File;
use std::path::Path;

use gaelp::attribution::PathReader;

use super::AttributeError;
use super::input::{Input, Kind};
use super::values::Rows;

/// # Errors
/// [`AttributeError`] with the line and column of the first cell that cannot be read.
pub(super) fn read(path: &Path, file: File) -> Result<Input, AttributeError> {
    let rows = Rows::new(path, file)?;
    let (paths, conversions) = (rows.column("path")?, rows.column("total_conversions")?);
    let values = rows.column("total_conversion_value")?;
    let nulls = rows.optional("total_null");
    let mut reader = PathReader::default();
    let mut input = Input::new(Kind::Paths);
    let mut sums = [0_i64; 3];
    rows.each(|row| {
        let outcome = [
            row.count(conversions)?,
            row.micros(values)?,
            nulls.map_or(Ok(0), |nulls| row.count(nulls))?,
        ];
        if outcome[0] == 0 && outcome[1] != 0 {
            let found = row.text(values)?;
            return Err(row.wrong(values, found, "0, as it should be without conversions"));
        }
        for (sum, part) in sums.iter_mut().zip(outcome) {
            let size = i64::try_from(part.unsigned_abs()).ok();
            let sum_of = size.and_then(|size| sum.checked_add(size));
            *sum = sum_of.ok_or_else(|| row.refuse("the sums of the columns do not fit"))?;
        }
        let text = row.text(paths)?;
        reader
            .push(text)
            .map_err(|error| row.refuse(error.to_string()))?;
        input.push([], outcome);
        input.rows += 1;
        Ok(())
    })?;
    if input.rows == 0 {
        return Err(AttributeError::content(
            path,
            "there are no rows under the header",
        ));
    }
    input.offsets.clear();
    input.offsets.push(0);
    for journey in reader.journeys().iter() {
        input.codes.extend_from_slice(journey);
        input.offsets.push(input.codes.len() as u64);
    }
    input.channels = reader.channels().clone();
    input.knows_nulls = nulls.is_some();
    Ok(input)
}
