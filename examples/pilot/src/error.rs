//! What can go wrong, and the exit code that says so.

use std::path::PathBuf;
use std::process::ExitCode;

/// Why the program stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PilotError {
    /// A setting is wrong.
    #[error(transparent)]
    Setting(#[from] crate::settings::SettingError),
    /// The configuration as a whole is wrong.
    #[error(transparent)]
    Config(#[from] gaelp::rollout::ConfigError),
    /// No input was named.
    #[error(
        "nothing to read: name at least one file with --insights FILE, or a configuration that \
         does with --config FILE (gaelp-pilot sample writes some files to try)"
    )]
    NoInput,
    /// A file could not be opened or read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file was refused.
    #[error(transparent)]
    Export(#[from] gaelp_exports::ExportError),
    /// A column map was refused.
    #[error(transparent)]
    Map(#[from] gaelp_exports::ColumnMapError),
    /// The files do not fit together.
    #[error("{0}")]
    Inputs(#[from] crate::import::InputError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] gaelp_store::StoreError),
    /// The replay stopped.
    #[error(transparent)]
    Drive(#[from] gaelp::rollout::DriveError<gaelp_store::StoreError>),
    /// The rollout refused.
    #[error(transparent)]
    Rollout(#[from] gaelp::rollout::RolloutError),
    /// The samples could not be written.
    #[error(transparent)]
    Sample(#[from] crate::sample::SampleError),
    /// A result could not be written.
    #[error("{}: {source}; the run itself is complete and in the store", path.display())]
    Output {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The report could not be rendered.
    #[error("the report could not be rendered: {0}")]
    Render(#[from] askama::Error),
    /// A live command stopped.
    #[error(transparent)]
    Live(Box<crate::live::LiveError>),
    /// The credits of channels could not be found.
    #[error(transparent)]
    Attribute(Box<crate::attribute::AttributeError>),
    /// The rehearsal's platform refused what it was given.
    #[error("the in-memory platform cannot be set up: {0}")]
    Rehearsal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<crate::live::LiveError> for PilotError {
    fn from(error: crate::live::LiveError) -> Self {
        Self::Live(Box::new(error))
    }
}

impl From<crate::attribute::AttributeError> for PilotError {
    fn from(error: crate::attribute::AttributeError) -> Self {
        Self::Attribute(Box::new(error))
    }
}

impl PilotError {
    /// 2 for a wrong call or setting, 3 for a refused file, 4 for the store, 5 for an output that
    /// could not be written, 1 for anything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Setting(_)
            | Self::Config(_)
            | Self::NoInput
            | Self::Map(_)
            | Self::Sample(crate::sample::SampleError::Config { .. })
            | Self::Rollout(gaelp::rollout::RolloutError::Config(_)) => 2,
            Self::File { .. } | Self::Export(_) | Self::Inputs(_) => 3,
            Self::Store(_) | Self::Drive(gaelp::rollout::DriveError::Journal(_)) => 4,
            Self::Output { .. } | Self::Render(_) | Self::Sample(_) => 5,
            Self::Live(error) => error.exit_code(),
            Self::Attribute(error) => error.exit_code(),
            _ => 1,
        })
    }
}
