//! Data that are shared beside the checkout, in `../shared/data/attribution`.

use std::path::{Path, PathBuf};

use crate::stream::Row;

/// The path of a file; the test fails where the data are missing.
pub(crate) fn path(name: &Path) -> PathBuf {
    let data = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/attribution"
    );
    let path = Path::new(data).join(name);
    assert!(
        path.is_file(),
        "{} is missing: this test needs the shared data beside the checkout",
        path.display()
    );
    path
}

/// The rows of a table by column names.
pub(crate) fn rows(name: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path(name)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}
