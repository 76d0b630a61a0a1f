//! What the simulated market promises, and what it finds.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod border;
mod crashes;
mod knapsack;
mod order;
mod pacing;
mod programme;
mod regressions;
#[cfg(gaelp_seeded_bugs)]
mod seeded;
mod support;
mod trial;
mod world;
