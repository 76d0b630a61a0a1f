//! Lines on standard output.

use serde::Serialize;

use crate::error::PilotError;

/// Prints a line of words, or the same as one JSON document on a line.
pub(crate) fn say<T: Serialize>(json: bool, line: &T, words: &str) -> Result<(), PilotError> {
    if !json {
        return crate::print(&format!("{words}\n"));
    }
    let text = serde_json::to_string(line)
        .map_err(std::io::Error::from)
        .map_err(|source| PilotError::Output {
            path: "standard output".into(),
            source,
        })?;
    crate::print(&format!("{text}\n"))
}
