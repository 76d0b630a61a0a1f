//! The plan of the house, checked.

#![expect(clippy::unwrap_used, reason = "in a test, what fails is the test")]

mod architecture;
mod corrections;
