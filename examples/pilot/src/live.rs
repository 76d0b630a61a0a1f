//! The pilot lives: an hourly loop on a running platform, and the commands that people give it
//! while it runs, after it was killed, and when its store is damaged.

mod args;
mod error;
mod hourly;
mod kill;
mod latch;
mod link;
mod operator;
mod place;
mod reconcile;
mod say;
mod status;
mod watch;
mod wire;

pub(crate) use args::LiveCommand;
pub(crate) use error::LiveError;

use crate::error::PilotError;

/// Carries out a command.
pub(crate) fn run(command: &LiveCommand) -> Result<(), PilotError> {
    match command {
        LiveCommand::Live(args) => hourly::live(args),
        LiveCommand::Pause(args) => operator::pause(args),
        LiveCommand::Resume(args) => operator::resume(args),
        LiveCommand::Rearm(args) => operator::rearm(args),
        LiveCommand::Kill(args) => kill::kill(args),
        LiveCommand::Status(args) => status::status(args),
        LiveCommand::Reconcile(args) => reconcile::reconcile(args),
    }
}
