//! What all stored forms begin with.

use crate::SnapshotError;

/// The format written, and the only one read.
pub(crate) const FORMAT: u32 = 1;

pub(crate) fn checked_format(found: u32) -> Result<(), SnapshotError> {
    if found == FORMAT {
        Ok(())
    } else {
        Err(SnapshotError::Format {
            found,
            expected: FORMAT,
        })
    }
}
