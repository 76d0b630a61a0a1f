#![doc = include_str!("../README.md")]

mod append;
mod attribution;
mod checkpoint;
mod codec;
mod coverage;
mod error;
mod id;
mod import;
mod journal;
mod ledger;
mod names;
mod plans;
mod read;
mod recorded;
mod rows;
mod schema;
mod store;
mod trial;

pub use attribution::SqliteEventLog;
pub use coverage::{AdSetCoverage, Coverage, Granularity, PlatformCoverage};
pub use error::{Damage, LedgerDamage, RecordKey, StoreError};
pub use gaelp_rollout::ActionRecord as StoredAction;
pub use id::{FileId, FileStatus, OnDuplicate, ParseRunIdError, RunId};
pub use import::Import;
pub use journal::RunJournal;
pub use ledger::{Accepted, LedgerHead, SqliteLedger};
pub use read::{Counts, Records};
pub use recorded::{RecordedPlatform, RecordedShop};
pub use rows::MetricRows;
pub use store::Store;
