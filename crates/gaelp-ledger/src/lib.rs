#![doc = include_str!("../README.md")]

mod book;
mod chain;
mod config;
pub mod contract;
mod entry;
mod instant;
mod ledger;
mod memory;
mod observation;
mod refusal;
mod request;
mod seeded;
mod store;

pub use book::{Book, Outlook, Standing};
pub use chain::{ChainError, GENESIS, Hash, Sealed};
pub use config::{
    LedgerConfig, LedgerConfigError, LedgerViolation, Limits, MAX_AMOUNT, MAX_CLOCK_SKEW_SECS,
    MAX_GONE_AFTER_SECS, MAX_OVERDELIVERY, MAX_READ_BACKS, MAX_SECONDS,
};
pub use entry::{Entry, EntryError};
pub use ledger::{Ledger, LedgerError};
pub use memory::{MemoryLedger, StoreFailed, StoreFault};
pub use observation::{BudgetsRead, Change, Observation, Spent};
pub use refusal::{Refusal, What};
pub use request::{Answer, Epoch, Intent, Operator, Order, PolicyHash, Proposal, Reply, Request};
pub use store::{Decide, LedgerStore};
