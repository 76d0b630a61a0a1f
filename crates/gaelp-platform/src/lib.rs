#![doc = include_str!("../README.md")]

mod capabilities;
pub mod contract;
mod details;
mod error;
mod exchange;
mod memory;
mod order;
mod traits;

pub use capabilities::{
    BudgetError, Capabilities, CapabilitiesConfig, CapabilitiesError, CapabilitiesViolation,
    HourlyConversions, MAX_OVERDELIVERY, MAX_REPORTING_DELAY_HOURS, presets,
};
pub use details::{AdSetDetails, CampaignId};
pub use error::{ErrorKind, PlatformError};
pub use exchange::{BudgetReading, Delivery, Report, SetBudget, WriteOutcome};
pub use memory::{
    Fault, InMemoryPlatform, InMemoryShop, LoadError, Operation, Script, WriteRecord,
};
pub use order::{OrderError, OrderEvent, OrderKind};
pub use traits::{AdPlatform, RevenueSource};
