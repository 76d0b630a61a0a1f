//! What can go wrong with the live commands.

use std::net::SocketAddr;
use std::path::PathBuf;

use gaelp::ledger::{ChainError, LedgerError, Refusal};
use gaelp_store::StoreError;

/// Why a live command stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiveError {
    /// There is no file to live in.
    #[error("STORE is :memory:, and what lives on must be kept: name a file with --store PATH")]
    NoFile,
    /// There is no store yet.
    #[error("{}: there is no store; `gaelp-pilot live` makes one", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The store is damaged.
    #[error("{}: {problem}; {advice}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do.
        advice: &'static str,
    },
    /// The store cannot be used now.
    #[error("{}: {source}", path.display())]
    Store {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<StoreError>,
    },
    /// The ledger broke its contract.
    #[error("{}: the ledger answered nothing", path.display())]
    Mute {
        /// Which store.
        path: PathBuf,
    },
    /// The ledger did not take something down.
    #[error("the spend ledger refuses: {0}")]
    Refused(Box<Refusal>),
    /// The platform does not answer.
    #[error("the platform at {address}: {problem}")]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What happened.
        problem: String,
    },
    /// Accounts that do not fit together.
    #[error("the platform at {address} {problem}")]
    Accounts {
        /// Where.
        address: SocketAddr,
        /// What is wrong.
        problem: String,
    },
    /// Another runner took over.
    #[error(
        "another runner took the spend ledger over: this one wrote nothing since, and ends. \
         Run only one"
    )]
    Fenced,
    /// Another process keeps records under the same name.
    #[error("another process runs under the same --run-name on this store; run only one")]
    Rival,
    /// The kill file cannot be written or moved.
    #[error("{}: {source}", path.display())]
    Latch {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A kill whose decreases did not all go through.
    #[error("raises are forbidden, but {missed} of {all} ad sets could not be lowered; kill again")]
    Incomplete {
        /// How many.
        missed: usize,
        /// Of how many.
        all: usize,
    },
    /// Signals cannot be heard.
    #[error("signals cannot be heard: {0}")]
    Signals(std::io::Error),
}

const SEE_RECONCILE: &str = "raises are impossible until it is restored, or accepted with \
                             `gaelp-pilot reconcile --accept-ledger`; `gaelp-pilot kill` still works";
const SEE_COPY: &str = "restore it from a copy; until then nothing is raised, and `gaelp-pilot \
                        kill` still works";

impl LiveError {
    /// The exit code: 2 a wrong call, 3 damage, 4 the store, 6 the platform, 7 fenced, 5 a file
    /// that cannot be written, 1 anything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoFile | Self::Accounts { .. } => 2,
            Self::Damaged { .. } => 3,
            Self::Missing { .. } | Self::Store { .. } | Self::Mute { .. } => 4,
            Self::Latch { .. } => 5,
            Self::Unreachable { .. } => 6,
            Self::Fenced | Self::Rival => 7,
            Self::Refused(_) | Self::Incomplete { .. } | Self::Signals(_) => 1,
        }
    }

    /// What an error of the store means for a live command.
    pub(crate) fn of_store(path: &std::path::Path, source: StoreError) -> Self {
        let path = path.to_owned();
        match source {
            StoreError::Damaged(gaelp_store::Damage::Ledger { .. }) => Self::Damaged {
                path,
                problem: source.to_string(),
                advice: SEE_RECONCILE,
            },
            StoreError::Damaged(_) => Self::Damaged {
                path,
                problem: source.to_string(),
                advice: SEE_COPY,
            },
            source => Self::Store {
                path,
                source: Box::new(source),
            },
        }
    }

    /// What an error of the ledger means for a live command.
    pub(crate) fn of_ledger(path: &std::path::Path, error: LedgerError<StoreError>) -> Self {
        match error {
            LedgerError::Store(source) => Self::of_store(path, source),
            LedgerError::Chain(error) => Self::of_chain(path, &error),
            _ => Self::Mute {
                path: path.to_owned(),
            },
        }
    }

    fn of_chain(path: &std::path::Path, error: &ChainError) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            problem: format!("the spend ledger cannot be followed: {error}"),
            advice: SEE_COPY,
        }
    }

    /// Whether it says that the store is damaged.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}
