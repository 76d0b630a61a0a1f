#![doc = include_str!("../README.md")]

mod ad_set;
mod allowance;
mod budgeting;
mod campaigns;
mod checkpoint;
mod clock;
mod config;
mod days;
mod decide;
mod desk;
mod drive;
mod error;
mod event;
mod facts;
mod intake;
mod journal;
mod lambda;
mod ledger;
mod machine;
mod mode;
mod phase;
mod plan;
mod record;
mod seeded;
mod send;
mod shop;
mod source;
mod spread;
mod strategy;
mod traffic;
mod trial;
mod turn;

pub use budgeting::{Budgeting, PacedConfig};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use config::{ConfigError, RevenueFrom, RolloutConfig, Violation};
pub use drive::{DriveError, Outside, drive, step};
pub use error::RolloutError;
pub use event::{Command, Event, LedgerAnswer, LedgerCall, LedgerTrouble, Order};
pub use journal::{Journal, MemoryJournal};
pub use lambda::Lambda;
pub use machine::Rollout;
pub use mode::Mode;
pub use phase::{Comparison, Evidence, Fall, Judgement, Ladder, Missing, Phase};
pub use plan::{PlanOutcome, PlanRecord, PlannedArm, Proof};
pub use record::{
    Action, ActionRecord, ActionStatus, Alert, AlertKind, BudgetState, Credit, ExperienceRecord,
    Record, STATE_SCHEMA, State,
};
pub use trial::{TrialRecord, Tried};
