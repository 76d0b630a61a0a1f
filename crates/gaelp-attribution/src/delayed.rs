//! Rewards that come days after the action: touches wait here for the conversions they led to.
//!
//! [`DelayedRewards`] is a state machine without I/O and without a clock. Events go in as they
//! arrive; corrections of rewards come out. Whatever the order inside the allowed lateness, the sums
//! of the corrections end as the credits that [`attribute`](crate::attribute) gives for all events
//! at once, to the micro.
//!
//! The rule for callers: **write events down before you hand them in, and what comes out after.**
//! [`Durable`] keeps to it over an [`EventLog`].
//!
//! What episodes have earned can be had by other processes from a [`HotCache`], which [`follow`] keeps
//! up to date.
//!
//! # From a touch to its last correction
//!
//! 1. A touch arrives, with the [`Origin`] that led to it: decision, episode, action, state. It is
//!    pending.
//! 2. A conversion arrives. Each touch that it is credited to gets a [`Correction`], under every
//!    model; those of the first are the [`rewards`] that a learner is told. The episode may have ended long ago; [`DelayedRewards::corrections_for`] tells what its
//!    touches have.
//! 3. A late touch, a merge of users, a refund: what changes by it is corrected, and nothing else.
//! 4. The windows pass. [`Effect::Matured`] gives the total, and zero is said too: that is the
//!    negative example that learning needs.
//! 5. Until the refund horizon, adjustments still reach what the touch has earned.
//!
//! A conversion may be credited to many touches and a touch from many conversions. Deltas come
//! numbered; a consumer that stores them by number can be sent them twice.
//!
//! # Memory
//!
//! [`Limits`] bound what is kept; what expires soonest goes first and is counted. A pending touch
//! takes 32 bytes, its user 32 and an entry of 8 in a table that is half to three quarters full: at
//! four touches a user, 43 to 44 bytes a touch, and 1.3 GB for 30 million. What led to it takes 48
//! more, where it is given. Touches lie in the order of their expiry, so that letting go frees whole
//! segments; late ones and those of other windows find their place without moving any.
//!
//! # More than one machine
//!
//! Give each machine the users of some partitions ([`UserId::partition`](crate::UserId::partition)),
//! and every machine each [`Event::Advance`](crate::Event::Advance). An adjustment goes to the
//! machine of its conversion; where that is not known, to all, and those that do not have the
//! conversion count it as unmatched. [`Statistics`] and [`LagTable`](crate::lag::LagTable) merge by
//! adding. Numbers of corrections are per machine: store them under partition and number.

mod behind;
mod cache;
mod calendar;
mod chunks;
mod codec;
pub mod conformance;
mod conversions;
mod credits;
mod durable;
mod effect;
mod held;
mod index;
mod limits;
mod list;
mod log;
mod machine;
mod origin;
mod path;
mod snapshot;
mod statistics;
mod table;
mod touches;
mod users;

pub use behind::WriteBehind;
pub use cache::{Cached, FollowError, HotCache, MemoryCache, NoCache, Standing, follow};
pub use durable::{Durable, RecoverError};
pub use effect::{Correction, Effect, ModelIndex, Rejection, Settled, rewards, touchpoint};
pub use limits::{LimitViolation, Limits, SetupError};
pub use log::{EventLog, LogGap, MemoryLog, Position};
pub use machine::{Attribution, DelayedRewards, Earned, Memory};
pub use origin::{Arrival, EpisodeId, Origin, StateRef};
pub use snapshot::SnapshotError;
pub use statistics::Statistics;
