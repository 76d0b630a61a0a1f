//! Ids of any kind as numbers.

use std::collections::BTreeMap;

/// Texts are numbered from here on, in the order in which they come.
const TEXTS: u64 = 1 << 63;

/// The numbers of ids: a number stands for itself, a text gets one.
#[derive(Debug, Default)]
pub(super) struct Ids {
    texts: BTreeMap<String, u64>,
}

impl Ids {
    /// The number of an id; `None` for an empty one, and for a number that is too large.
    pub(super) fn number(&mut self, id: &str) -> Option<u64> {
        if id.is_empty() {
            return None;
        }
        // A leading zero is part of a name.
        let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && (id == "0" || !id.starts_with('0')) {
            return id.parse().ok().filter(|&number| number < TEXTS);
        }
        if let Some(&number) = self.texts.get(id) {
            return Some(number);
        }
        let number = TEXTS + self.texts.len() as u64;
        self.texts.insert(id.to_owned(), number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart() {
        let mut ids = Ids::default();
        let all = ["7", "07", "0", "00", "a", "A", "a7", "9223372036854775807"];
        let numbers: Vec<_> = all.iter().filter_map(|id| ids.number(id)).collect();
        let mut distinct = numbers.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), all.len());
        assert_eq!((numbers[0], numbers[2]), (7, 0));
        assert_eq!(ids.number("a"), Some(numbers[4]));
        assert_eq!(
            (ids.number(""), ids.number("9223372036854775808")),
            (None, None)
        );
    }
}
