//! How much authority a rollout has.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much authority a rollout has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It reads, decides and logs, and writes nothing to any platform.
    #[default]
    Shadow,
    /// It writes budgets, for the ad sets of the canary list only.
    Pilot,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Shadow => "shadow",
            Self::Pilot => "pilot",
        })
    }
}
