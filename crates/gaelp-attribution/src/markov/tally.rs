//! Sums by key, in a plain table where all keys fit into one, hashed where they do not.

use crate::event::scatter;

/// Up to how many keys a plain table has: 64 MiB of single counts.
const PLAIN: u64 = 1 << 23;

/// `N` wrapping sums for every key; what fills them makes sure that they do not wrap.
#[derive(Debug)]
pub(super) enum Tally<const N: usize> {
    /// By key.
    Plain(Vec<[u64; N]>),
    /// In an open table.
    Hashed(Hashed<N>),
}

/// An open table; its length is a power of two, at most half of it is taken, and no key is zero.
#[derive(Debug)]
pub(super) struct Hashed<const N: usize> {
    entries: Vec<(u64, [u64; N])>,
    taken: usize,
}

impl<const N: usize> Tally<N> {
    /// The sums of a key.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "keys of a plain table are below its length"
    )]
    pub(super) fn at(&mut self, key: u64) -> &mut [u64; N] {
        match self {
            Self::Plain(table) => &mut table[key as usize],
            Self::Hashed(hashed) => hashed.at(key),
        }
    }

    /// For keys from 1 to below `keys`.
    pub(super) fn new(keys: u64) -> Self {
        match usize::try_from(keys) {
            Ok(count) if keys <= PLAIN => Self::Plain(vec![[0; N]; count]),
            _ => Self::Hashed(Hashed {
                entries: vec![(0, [0; N]); 1 << 10],
                taken: 0,
            }),
        }
    }

    /// All keys with sums that are not zero, ascending.
    pub(super) fn sorted(self) -> Vec<(u64, [u64; N])> {
        let some = |sums: &[u64; N]| sums.iter().any(|&sum| sum != 0);
        match self {
            Self::Plain(table) => (0..).zip(table).filter(|(_, sums)| some(sums)).collect(),
            Self::Hashed(hashed) => {
                let mut found = hashed.entries;
                found.retain(|(key, sums)| *key != 0 && some(sums));
                found.sort_unstable_by_key(|&(key, _)| key);
                found
            }
        }
    }
}

impl<const N: usize> Hashed<N> {
    /// The sums of a key.
    pub(super) fn at(&mut self, key: u64) -> &mut [u64; N] {
        if self.taken * 2 >= self.entries.len() {
            self.grow();
        }
        let place = self.place(key);
        let entry = &mut self.entries[place];
        if entry.0 == 0 {
            entry.0 = key;
            self.taken += 1;
        }
        &mut entry.1
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower bits are all that is used"
    )]
    fn place(&self, key: u64) -> usize {
        let mask = self.entries.len() - 1;
        let mut place = scatter(key) as usize & mask;
        while self.entries[place].0 != 0 && self.entries[place].0 != key {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let doubled = vec![(0, [0; N]); self.entries.len() * 2];
        let old = std::mem::replace(&mut self.entries, doubled);
        for entry in old.into_iter().filter(|&(key, _)| key != 0) {
            let place = self.place(entry.0);
            self.entries[place] = entry;
        }
    }
}
