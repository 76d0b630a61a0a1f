//! Arms that cost money.

mod cost;
mod knapsack;
mod pooled;
mod program;
mod snapshot;

pub use cost::{CostAware, Objective, Priced};
pub use knapsack::{Hold, Knapsack, KnapsackError, KnapsackTerms, Pull};
pub use pooled::{Optimism, PooledError, PooledPrior, PooledRates, RateTable};
pub use program::{Program, Solution};
