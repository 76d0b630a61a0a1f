#![doc = include_str!("../README.md")]

mod breaker;
mod config;
mod context;
mod emergency;
mod error;
mod guardrails;
mod hour_range;
mod hysteresis;
mod kill_switch;
pub mod policy;
pub mod rules;
mod seeded;
mod trailing;
mod verdict;

pub use breaker::{Breaker, BreakerConfig, BreakerPhase, BreakerState, CallOutcome};
pub use config::{GuardrailConfig, OnFreeze, RaiseCaps, Taper};
pub use context::{
    Bid, Context, Expected, Exploration, Health, LastKnownGood, Operator, Raised, SpentToday,
    Traffic, UsualSpend, Writes,
};
pub use emergency::{Conduct, Emergency};
pub use error::{ConfigViolation, ConfigViolations, RuleProblem, TrailingError};
pub use guardrails::Guardrails;
pub use hour_range::{HourRange, ParseHourRangeError};
pub use hysteresis::{FreezeState, Memory};
pub use kill_switch::KillSwitch;
pub use policy::{Policies, Policy, PolicyHash};
pub use trailing::{RevisionDigest, Trailing, Window, WithoutConversion};
pub use verdict::{LowerBound, LowerBoundKind, Verdict};
