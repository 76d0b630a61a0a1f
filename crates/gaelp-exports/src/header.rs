//! The names of a table's columns.

use std::sync::Arc;

use crate::record::Record;

/// The columns of a table, by name whatever its case.
#[derive(Debug)]
pub(crate) struct Header {
    names: Vec<Arc<str>>,
    keys: Vec<String>,
    line: u64,
}

impl Header {
    pub(crate) fn new(record: &Record) -> Self {
        Self {
            names: record.iter().map(Arc::from).collect(),
            keys: record.iter().map(key).collect(),
            line: record.line(),
        }
    }

    /// How many columns there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The line it stands on.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The name of a column as the file writes it.
    pub(crate) fn name(&self, index: usize) -> Option<&Arc<str>> {
        self.names.get(index)
    }

    /// The column of a name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let wanted = key(name);
        self.keys.iter().position(|key| *key == wanted)
    }

    /// The first of the names that is there.
    pub(crate) fn find_first(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.find(name))
    }

    /// Whether one of the names is there.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        self.find_first(names).is_some()
    }

    /// The columns whose names begin so.
    pub(crate) fn starting_with(&self, start: &str) -> impl Iterator<Item = usize> {
        let keys = self.keys.iter().enumerate();
        keys.filter(move |(_, key)| key.starts_with(start))
            .map(|(index, _)| index)
    }

    /// Two columns of the same name; those without a name do not count.
    pub(crate) fn duplicate(&self) -> Option<(usize, usize)> {
        let mut order: Vec<usize> = (0..self.len())
            .filter(|&i| !self.keys[i].is_empty())
            .collect();
        order.sort_by_key(|&index| (&self.keys[index], index));
        let twins = order
            .windows(2)
            .filter(|pair| self.keys[pair[0]] == self.keys[pair[1]]);
        twins
            .map(|pair| (pair[0], pair[1]))
            .min_by_key(|&(_, second)| second)
    }
}

/// A name without what changes with the age of an export: its case and its apostrophes.
fn key(name: &str) -> String {
    name.trim().to_lowercase().replace('’', "'")
}
