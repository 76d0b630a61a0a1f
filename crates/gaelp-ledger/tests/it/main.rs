//! The ledger from outside: its invariants, one by one, by model and by chance.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests; clippy does not see it in their helpers"
)]

mod admission;
mod chain;
mod config;
mod cost;
mod days;
mod differential;
mod model;
mod protocol;
mod reference;
#[cfg(gaelp_seeded_bugs)]
mod seeded;
mod settlement;
mod store;
mod support;
mod weakened;
