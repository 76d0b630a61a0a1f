#![doc = include_str!("../README.md")]

mod config;
mod context;
mod error;
mod guardrails;
mod hour_range;
mod hysteresis;
pub mod rules;
mod trailing;
mod verdict;

pub use config::GuardrailConfig;
pub use context::{Context, LastKnownGood};
pub use error::{ConfigViolation, ConfigViolations, TrailingError};
pub use guardrails::Guardrails;
pub use hour_range::{HourRange, ParseHourRangeError};
pub use hysteresis::{FreezeState, Memory};
pub use trailing::{Trailing, Window, WithoutConversion};
pub use verdict::{LowerBound, LowerBoundKind, Verdict};
