//! Benchmarks of gaelp.

pub mod journeys;
