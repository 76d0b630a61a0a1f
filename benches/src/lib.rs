//! Benchmarks of gaelp.
