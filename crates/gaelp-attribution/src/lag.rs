//! How long conversions take, and whether one is still to come.
//!
//! A touch that has not led to a conversion yet says little while it is young. A [`LagModel`] fitted
//! to what has converted and to what still waits tells the two questions apart: does a touch of this
//! channel ever convert, and if so, when? From it come windows that fit a channel and the weight that
//! a learner should give to a reward that has not come.

mod durations;
mod fit;
mod model;
mod normal;
mod table;

pub use durations::Durations;
pub use fit::{Ever, LagError, Observation};
pub use model::{LagFamily, LagModel};
pub use table::{LagCounts, LagTable};
