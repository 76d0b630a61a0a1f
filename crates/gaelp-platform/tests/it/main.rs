//! The traits, the reference and the contract, from outside.

#![expect(
    clippy::unwrap_used,
    reason = "tests; clippy does not see it in their helpers"
)]

mod contract;
mod errors;
mod pointers;
mod reports;
mod scale;
mod script;
mod shop;
mod support;
mod writes;
