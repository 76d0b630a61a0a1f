//! A platform and a shop in memory: the reference for implementers, and a world for tests.

mod platform;
mod rows;
mod script;
mod shop;

pub use platform::{InMemoryPlatform, WriteRecord};
pub use rows::LoadError;
pub use script::{Fault, Operation, Script};
pub use shop::InMemoryShop;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The state behind a lock, also after a panic elsewhere: every change is made in one piece.
fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;

    use super::locked;

    #[test]
    fn a_poisoned_lock_still_opens() {
        let state = Mutex::new(1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _guard = state.lock().unwrap();
            panic!("while holding the lock");
        }));
        assert!(panicked.is_err() && state.is_poisoned());
        *locked(&state) += 1;
        assert_eq!(*locked(&state), 2);
    }
}
