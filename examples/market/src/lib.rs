#![doc = include_str!("../README.md")]

mod audit;
mod config;
mod dice;
mod serve;
mod spend;
mod wire;
mod world;

pub use audit::{Audit, DayTruth, Fate, WriteTruth};
pub use config::{AdSetConfig, Faults, MarketConfig, MarketConfigError};
pub use serve::{Pace, serve};
pub use wire::{Answer, Ask};
pub use world::World;
