//! The rules from outside: golden verdicts, sequences of hours, properties, an independent model.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and helpers are part of it"
)]
#![expect(
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::semicolon_if_nothing_returned,
    reason = "tables of settings and facts are long, and each of their lines sets one"
)]

mod bounds;
mod breaker;
mod cases;
mod config;
mod digest;
mod golden;
mod hysteresis;
mod latches;
mod model;
mod policies;
mod properties;
#[cfg(gaelp_seeded_bugs)]
mod seeded;
mod support;
