//! A hash table from users to their slots: eight bytes an entry, at most three quarters full.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// An empty entry.
const EMPTY: u64 = u64::MAX;
/// The entries of a new table.
const FIRST: usize = 64;

/// Slots by hash, with linear probing.
///
/// An entry is the upper half of the hash and the slot. Its home follows from that half alone, in
/// the same order, so that growing reads and writes memory from front to back and never looks at
/// the slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    entries: Vec<u64>,
    len: usize,
}

impl Index {
    /// The slot of a hash for which `is` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.probe(hash).find(|&slot| is(slot))
    }

    /// Reads the home of a hash. Nothing depends on what it holds, so that many such reads overlap.
    #[inline]
    pub(super) fn glance(&self, hash: u64) -> u64 {
        let home = self.home(hash);
        self.entries.get(home).copied().unwrap_or(EMPTY)
    }

    /// The slot that a hash most likely has, without looking at it; [`NONE`] where there is none.
    #[inline]
    pub(super) fn guess(&self, hash: u64) -> u32 {
        self.probe(hash).next().unwrap_or(NONE)
    }

    /// Adds a slot that is not in the table.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        if (self.len + 1) * 4 > self.entries.len() * 3 {
            self.grow();
        }
        self.len += 1;
        self.place(hash & !LOW | u64::from(slot));
    }

    /// Removes a slot that is in the table.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let size = self.entries.len();
        if size == 0 {
            return;
        }
        let entry = hash & !LOW | u64::from(slot);
        let mut hole = self.home(entry);
        while self.entries[hole] != entry {
            if self.entries[hole] == EMPTY {
                return;
            }
            hole = (hole + 1) % size;
        }
        self.len -= 1;
        // What follows moves up, unless it would come to stand before its home.
        let mut next = hole;
        loop {
            next = (next + 1) % size;
            let entry = self.entries[next];
            if entry == EMPTY {
                break;
            }
            let from_home = (next + size - self.home(entry)) % size;
            let from_hole = (next + size - hole) % size;
            if from_home >= from_hole {
                self.entries[hole] = entry;
                hole = next;
            }
        }
        self.entries[hole] = EMPTY;
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<u64>()
    }

    /// The slots whose hash has the same upper half.
    #[inline]
    fn probe(&self, hash: u64) -> impl Iterator<Item = u32> {
        let size = self.entries.len();
        let mut at = if size == 0 { 0 } else { self.home(hash) };
        std::iter::from_fn(move || {
            if size == 0 {
                return None;
            }
            let entry = self.entries[at];
            at = if at + 1 == size { 0 } else { at + 1 };
            (entry != EMPTY).then_some(entry)
        })
        .filter(move |entry| (entry ^ hash) & !LOW == 0)
        .map(slot_of)
    }

    #[inline]
    fn home(&self, entry: u64) -> usize {
        // Below the size of the table, as the upper half is below 2^32.
        (((entry >> 32) * self.entries.len() as u64) >> 32) as usize
    }

    #[inline]
    fn place(&mut self, entry: u64) {
        let size = self.entries.len();
        let mut at = self.home(entry);
        while self.entries[at] != EMPTY {
            at = if at + 1 == size { 0 } else { at + 1 };
        }
        self.entries[at] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.entries.len() / 2 * 3).max(FIRST);
        let old = std::mem::replace(&mut self.entries, vec![EMPTY; size]);
        for entry in old {
            if entry != EMPTY {
                self.place(entry);
            }
        }
    }
}

/// The lower half of an entry: the slot.
const LOW: u64 = 0xffff_ffff;

fn slot_of(entry: u64) -> u32 {
    u32::try_from(entry & LOW).expect("32 bits are left")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Index;
    use crate::event::scatter;

    #[test]
    fn it_holds_what_a_map_holds() {
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = scatter(random);
            random % below
        };
        // Few distinct upper halves crowd the table; the slot tells entries of one half apart.
        for distinct in [3_u64, 40, 1 << 40] {
            let mut index = Index::default();
            let mut model = BTreeMap::new();
            for step in 0..20_000_u32 {
                let key = next(300);
                let hash = scatter(key % distinct);
                let found = index.find(hash, |slot| model.get(&key) == Some(&slot));
                assert_eq!(found, model.get(&key).copied());
                if let Some(slot) = model.remove(&key) {
                    index.remove(hash, slot);
                } else {
                    model.insert(key, step);
                    index.insert(hash, step);
                }
            }
            for (key, slot) in model {
                let hash = scatter(key % distinct);
                assert_eq!(index.find(hash, |found| found == slot), Some(slot));
                index.remove(hash, slot);
                assert_eq!(index.find(hash, |found| found == slot), None);
            }
            assert_eq!(index.len, 0);
        }
    }
}
