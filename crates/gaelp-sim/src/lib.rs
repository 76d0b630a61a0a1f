#![doc = include_str!("../README.md")]

mod audit;
mod border;
mod dice;
mod fault;
mod knapsack;
mod log;
mod outcome;
mod plan;
mod runner;
mod scenario;
mod simulation;
mod spent;
mod world;

pub use border::{Border, Injected, TOKEN};
pub use dice::Dice;
pub use fault::{FaultKind, FaultSet};
pub use knapsack::{HourOutcome, HourlyMarket, HourlyMarketError};
pub use log::{LogFailed, Mishap, SharedLog};
pub use outcome::{Barred, Counters, Outcome, Violation};
pub use plan::{Plan, Planned};
pub use scenario::Scenario;
pub use simulation::{Crash, CrashPoint, Simulation, SimulationError, run};
pub use world::{
    AdSetConfig, Author, Change, Day, DayLimit, Edit, MAX_AD_SETS, Market, Pacing, Traffic, Truth,
    World, WorldConfig, WorldError,
};
