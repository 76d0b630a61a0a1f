//! What each channel earned, under every model side by side.

mod args;
mod error;
mod events;
mod ids;
mod input;
mod models;
mod outcome;
mod paths;
mod table;
mod values;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

pub(crate) use self::args::AttributeArgs;
pub(crate) use self::error::AttributeError;
pub(crate) use self::outcome::{Family, ModelCredits, Outcome};

/// Reads the file, credits its channels, and writes what was asked for.
///
/// # Errors
/// [`AttributeError`], whose message names the file, and line and column where they are known.
pub(crate) fn run(args: &AttributeArgs) -> Result<(), AttributeError> {
    let settings = args.settings()?;
    let (path, input) = if let Some(path) = &args.paths {
        (path, paths::read(path, open(path)?)?)
    } else if let Some(path) = &args.events {
        (path, events::read(path, open(path)?, &settings)?)
    } else {
        return Err(AttributeError::NoInput);
    };
    let outcome = outcome::of(path, &input, &settings)?;
    if let Some(path) = &args.csv {
        write(path, &table::csv(&outcome)?)?;
    }
    if let Some(path) = &args.report {
        write(path, crate::report::credits(&outcome)?.as_bytes())?;
        // Standard output is for the result alone.
        let _ = writeln!(io::stderr(), "report: {}", path.display());
    }
    let text = if args.json {
        let mut text = serde_json::to_string_pretty(&outcome).map_err(io::Error::from)?;
        text.push('\n');
        text
    } else {
        table::text(&outcome)
    };
    print(&text)
}

fn open(path: &Path) -> Result<File, AttributeError> {
    File::open(path).map_err(|source| AttributeError::File {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), AttributeError> {
    std::fs::write(path, bytes).map_err(|source| AttributeError::Output {
        path: path.to_owned(),
        source,
    })
}

/// Writes to standard output; a reader that has had enough is no error.
fn print(text: &str) -> Result<(), AttributeError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
