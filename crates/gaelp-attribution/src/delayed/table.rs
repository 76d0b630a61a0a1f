//! Hash maps that are the same in every process.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::event::scatter;

/// A map by numbers.
pub(super) type Table<K, V> = HashMap<K, V, BuildHasherDefault<Scatter>>;

/// Hashes a number by scattering its bits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scatter(u64);

impl Hasher for Scatter {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = scatter(self.0 ^ number);
    }
}
