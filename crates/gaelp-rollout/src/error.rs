//! Why a rollout refuses.

use gaelp_core::Platform;

use crate::{CheckpointError, ConfigError};

/// Why a rollout refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RolloutError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The platforms do not fit.
    #[error("platform {platform} is named twice, or does not count in the rollout's currency")]
    Platforms {
        /// Which one.
        platform: Platform,
    },
    /// A checkpoint that cannot be believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An event came at the wrong moment.
    #[error("out of turn: {what}")]
    OutOfTurn {
        /// What happened.
        what: &'static str,
    },
}
