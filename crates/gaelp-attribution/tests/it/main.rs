//! What the crate promises, seen from outside.
#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

mod chains;
mod columns;
mod delayed;
mod events;
mod games;
mod hazards;
mod lag;
mod pathdata;
mod shared;
mod stream;
mod worked;
