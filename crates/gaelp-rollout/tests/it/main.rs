//! The rollout as a whole.

#![expect(clippy::unwrap_used, reason = "in a test, what fails is the test")]

mod budgets;
mod cap;
mod facts;
mod learning;
mod lists;
mod phase;
mod pilot;
mod restart;
mod shadow;
mod support;
mod trial;
mod turns;
