#![doc = include_str!("../README.md")]

mod ad_set;
mod config;
mod days;
mod decide;
mod drive;
mod event;
mod journal;
mod lambda;
mod machine;
mod mode;
mod record;
mod shop;
mod strategy;

pub use config::{ConfigError, RevenueFrom, RolloutConfig, Violation};
pub use decide::UNRESOLVED_WRITE;
pub use drive::{DriveError, drive};
pub use event::{Command, Event, Order};
pub use journal::{Journal, MemoryJournal};
pub use lambda::Lambda;
pub use machine::{Rollout, RolloutError};
pub use mode::Mode;
pub use record::{
    Action, ActionRecord, ActionStatus, Alert, AlertKind, BudgetState, Credit, ExperienceRecord,
    Record, STATE_SCHEMA, State,
};
