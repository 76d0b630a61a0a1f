//! Settings from a TOML file.

use std::path::Path;

use crate::settings::{Given, SettingError};

/// The names and values of a file, in its order.
pub(super) fn read_file(path: &Path) -> Result<Vec<(String, Given)>, SettingError> {
    Ok(read_table(path)?
        .into_iter()
        .map(|(name, value)| (name, given(&value)))
        .collect())
}

/// A file's table.
pub(super) fn read_table(path: &Path) -> Result<toml::Table, SettingError> {
    let unreadable = |source| SettingError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    text.parse().map_err(|source| SettingError::Toml {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// A TOML value as what the environment or the command line would hold.
fn given(value: &toml::Value) -> Given {
    match value {
        toml::Value::Array(parts) => parts.iter().map(plain).collect::<Vec<_>>().into(),
        other => plain(other).into(),
    }
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
