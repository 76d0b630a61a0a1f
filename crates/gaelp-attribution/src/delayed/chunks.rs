//! A vector that never moves what it holds.

use std::ops::{Index, IndexMut};

/// Items of a chunk.
pub(super) const CHUNK: usize = 1 << 16;

/// Items by number, in chunks of 65,536: growing copies nothing and needs no more than is kept.
///
/// The length of a chunk is part of its type, so that the lower half of a number is always within it.
#[derive(Clone, Debug)]
pub(super) struct Chunks<T> {
    chunks: Vec<Box<[T; CHUNK]>>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Copy> Chunks<T> {
    /// Makes room for the item `number`, filling new chunks with `filler`.
    #[inline]
    pub(super) fn reach(&mut self, number: u32, filler: T) {
        while self.chunks.len() <= number as usize / CHUNK {
            self.grow(filler);
        }
    }

    #[cold]
    fn grow(&mut self, filler: T) {
        let chunk = vec![filler; CHUNK].into_boxed_slice().try_into();
        let chunk: Result<Box<[T; CHUNK]>, Box<[T]>> = chunk;
        self.chunks
            .push(chunk.ok().expect("it was made of that length"));
    }

    /// The bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<T>()
    }
}

impl<T> Index<u32> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: u32) -> &T {
        &self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }
}

impl<T> IndexMut<u32> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        &mut self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }
}
