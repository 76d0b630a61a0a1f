//! A hash table from users to their slots: eight bytes an entry, at most three quarters full.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// An empty entry.
const EMPTY: u64 = u64::MAX;
/// Entries of a line.
const WIDTH: usize = 8;
/// The lines of a new table.
const FIRST: usize = 8;

/// Entries that lie on one line of the cache, those in use first.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u64; WIDTH]);

impl Line {
    const EMPTY: Self = Self([EMPTY; WIDTH]);

    #[inline]
    fn is_full(&self) -> bool {
        self.0[WIDTH - 1] != EMPTY
    }

    /// The slot of an entry that may be that of a hash; [`NONE`] without one.
    #[inline]
    fn guess(&self, hash: u64) -> u32 {
        let mut guess = NONE;
        for &entry in &self.0 {
            if is_alike(entry, hash) {
                guess = slot_of(entry);
            }
        }
        guess
    }

    /// Takes out an entry; the last one takes its place.
    fn take(&mut self, place: usize) -> u64 {
        let used = self.0.iter().take_while(|&&entry| entry != EMPTY);
        let last = used.count() - 1;
        self.0.swap(place, last);
        std::mem::replace(&mut self.0[last], EMPTY)
    }
}

/// Slots by hash, in lines with linear probing.
///
/// An entry is the upper half of the hash and the slot. Its home is a line, or the next one with
/// room, so that most are found with one access to memory. The home follows from the upper half
/// alone, in the same order, so that growing reads and writes memory from front to back and never
/// looks at the slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    lines: Vec<Line>,
    len: usize,
}

impl Index {
    /// The slot of a hash for which `is` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.lines.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        loop {
            let line = &self.lines[at];
            let alike = line.0.iter().filter(|&&entry| is_alike(entry, hash));
            let mut slots = alike.map(|&entry| slot_of(entry));
            if let Some(slot) = slots.find(|&slot| slot != NONE && is(slot)) {
                return Some(slot);
            }
            if !line.is_full() {
                return None;
            }
            at = self.after(at);
        }
    }

    /// Reads the home of a hash. Nothing depends on what it holds, so that many such reads overlap.
    #[inline]
    pub(super) fn glance(&self, hash: u64) -> u64 {
        let home = self.home(hash);
        self.lines.get(home).map_or(EMPTY, |line| line.0[0])
    }

    /// The slot that a hash most likely has, without looking at it; [`NONE`] where neither its home
    /// nor the line after has one.
    #[inline]
    pub(super) fn guess(&self, hash: u64) -> u32 {
        let home = self.home(hash);
        let Some(line) = self.lines.get(home) else {
            return NONE;
        };
        let guess = line.guess(hash);
        if guess == NONE && line.is_full() {
            return self.lines[self.after(home)].guess(hash);
        }
        guess
    }

    /// Adds a slot that is not in the table.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        if (self.len + 1) * 4 > self.lines.len() * WIDTH * 3 {
            self.grow();
        }
        self.len += 1;
        self.place(hash & !LOW | u64::from(slot));
    }

    /// Removes a slot that is in the table.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        if self.lines.is_empty() {
            return;
        }
        let entry = hash & !LOW | u64::from(slot);
        let mut hole = self.home(entry);
        let place = loop {
            let line = &self.lines[hole];
            if let Some(place) = line.0.iter().position(|&other| other == entry) {
                break place;
            }
            if !line.is_full() {
                return;
            }
            hole = self.after(hole);
        };
        self.len -= 1;
        let mut was_full = self.lines[hole].is_full();
        self.lines[hole].take(place);
        // What found a line full on its way moves up to where there is room now.
        let mut next = hole;
        while was_full {
            next = self.after(next);
            let line = &self.lines[next];
            let full = line.is_full();
            let passed = |&entry: &u64| {
                entry != EMPTY && self.distance(self.home(entry), next) >= self.distance(hole, next)
            };
            if let Some(place) = line.0.iter().position(passed) {
                let moved = self.lines[next].take(place);
                self.lines[hole].0[WIDTH - 1] = moved;
                hole = next;
                was_full = full;
            } else if !full {
                break;
            }
        }
    }

    /// How many slots it holds.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    #[inline]
    fn home(&self, entry: u64) -> usize {
        // Below the number of lines, as the upper half is below 2^32.
        (((entry >> 32) * self.lines.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, line: usize) -> usize {
        if line + 1 == self.lines.len() {
            0
        } else {
            line + 1
        }
    }

    /// How many lines after one another comes, around the end.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to - from
        } else {
            to + self.lines.len() - from
        }
    }

    #[inline]
    fn place(&mut self, entry: u64) {
        let mut at = self.home(entry);
        loop {
            let line = &mut self.lines[at];
            if let Some(room) = line.0.iter_mut().find(|other| **other == EMPTY) {
                *room = entry;
                return;
            }
            at = self.after(at);
        }
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.lines.len() / 2 * 3).max(FIRST);
        let old = std::mem::replace(&mut self.lines, vec![Line::EMPTY; size]);
        for entry in old.into_iter().flat_map(|line| line.0) {
            if entry != EMPTY {
                self.place(entry);
            }
        }
    }
}

/// Whether an entry may be that of a hash.
#[inline]
const fn is_alike(entry: u64, hash: u64) -> bool {
    (entry ^ hash) & !LOW == 0
}

/// The lower half of an entry: the slot.
const LOW: u64 = 0xffff_ffff;

#[inline]
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
