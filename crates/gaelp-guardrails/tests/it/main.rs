//! The rules from outside: golden verdicts, sequences of hours, properties, an independent model.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and helpers are part of it"
)]

mod cases;
mod config;
mod golden;
mod hysteresis;
mod model;
mod properties;
mod support;
