//! Mistakes put in on purpose, to prove that the tests find them.
//!
//! This exists only where the compiler is told so by `--cfg gaelp_seeded_bugs`. Each thread makes at
//! most one mistake at a time; zero is none.

use std::cell::Cell;

thread_local! {
    static BUG: Cell<u32> = const { Cell::new(0) };
}

/// Makes the mistake of that number on this thread; zero makes none.
pub fn set(bug: u32) {
    BUG.with(|cell| cell.set(bug));
}

/// Whether the mistake of that number is to be made on this thread.
pub fn is(bug: u32) -> bool {
    BUG.with(Cell::get) == bug
}
