//! What can go wrong with `attribute`.

use std::path::{Path, PathBuf};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttributeError {
    /// Neither file was named.
    #[error("nothing to read: name a file with --paths FILE or --events FILE")]
    NoInput,
    /// An argument is wrong.
    #[error("{argument} is {found:?}: expected {expected}")]
    Argument {
        /// Which.
        argument: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// An argument that only events have a use for.
    #[error("{argument} needs --events: a table of paths does not say when touches happened")]
    Timeless {
        /// Which.
        argument: &'static str,
    },
    /// The windows cannot be kept.
    #[error("{0}")]
    Rules(gaelp::attribution::RulesError),
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file has no rows under its header, or no header.
    #[error("{}: {what}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A column that must be there is not.
    #[error("{}, line 1: no column {column}; the columns are {found}", path.display())]
    Column {
        /// Which file.
        path: PathBuf,
        /// Which column.
        column: &'static str,
        /// Those that it has.
        found: String,
    },
    /// A row that cannot be read.
    #[error("{}, line {line}: {what}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A cell that cannot be read.
    #[error("{}, line {line}, column {column}: {found:?} is not {expected}", path.display())]
    Cell {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// Which column.
        column: &'static str,
        /// What it holds.
        found: String,
        /// What it should.
        expected: &'static str,
    },
    /// A model that was asked for cannot be had from this file.
    #[error("the model {model} cannot be used: {reason}")]
    Model {
        /// Which.
        model: &'static str,
        /// Why.
        reason: String,
    },
    /// A result could not be written.
    #[error("{}: {source}", path.display())]
    Output {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Standard output could not be written.
    #[error("standard output: {0}")]
    Print(#[from] std::io::Error),
    /// The report could not be rendered.
    #[error("the report could not be rendered: {0}")]
    Render(#[from] askama::Error),
}

impl AttributeError {
    /// That a file as a whole is not what it should be.
    pub(super) fn content(path: &Path, what: impl Into<String>) -> Self {
        Self::Content {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    /// 2 for a wrong call, 3 for a refused file, 5 for an output that could not be written.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoInput
            | Self::Argument { .. }
            | Self::Timeless { .. }
            | Self::Rules(_)
            | Self::Model { .. } => 2,
            Self::File { .. }
            | Self::Content { .. }
            | Self::Column { .. }
            | Self::Line { .. }
            | Self::Cell { .. } => 3,
            Self::Output { .. } | Self::Print(_) | Self::Render(_) => 5,
        }
    }
}
