//! Pause, resume, rearm: a person's word, put where every runner hears it.

use gaelp::ledger::{Operator, Order};
use serde::Serialize;

use super::LiveError;
use super::args::{OrderArgs, RearmArgs};
use super::place::{Place, wall_clock};
use super::say::say;
use crate::error::PilotError;

/// What holds after an order.
#[derive(Debug, Serialize)]
struct Ordered<'a> {
    order: &'a str,
    by: &'a str,
    killed: bool,
    paused: bool,
    /// Where the kill file went.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifted: Option<String>,
}

/// `gaelp-pilot pause`.
pub(crate) fn pause(args: &OrderArgs) -> Result<(), PilotError> {
    let state = give(args, Order::Pause)?;
    let killed = if state.killed {
        "; it is killed as well"
    } else {
        ""
    };
    let words = format!("paused: nothing is raised until `gaelp-pilot resume`{killed}");
    tell(args, "pause", state, &words)
}

/// `gaelp-pilot resume`.
pub(crate) fn resume(args: &OrderArgs) -> Result<(), PilotError> {
    let state = give(args, Order::Resume)?;
    let words = if state.killed {
        "resumed, but it is killed: nothing is raised until `gaelp-pilot rearm --by NAME`"
    } else {
        "resumed: raises are possible again"
    };
    tell(args, "resume", state, words)
}

/// `gaelp-pilot rearm`.
pub(crate) fn rearm(args: &RearmArgs) -> Result<(), PilotError> {
    let place = Place::new(&args.place)?;
    let mut books = place.books(place.limits(&[])?)?;
    // The file goes last: until the ledger is rearmed, raises stay forbidden.
    place.order(&mut books, Order::Rearm, &args.by)?;
    let lifted = place
        .latch
        .lift(wall_clock())
        .map_err(|source| LiveError::Latch {
            path: place.latch.path().to_owned(),
            source,
        })?;
    let lifted = lifted.map(|path| path.display().to_string());
    let state = books.book().operator();
    let mut words = "rearmed: raises are possible again; budgets are as they are".to_owned();
    if let Some(path) = &lifted {
        words.push_str("; the kill file is now ");
        words.push_str(path);
    }
    if state.paused {
        words.push_str("; it is paused");
    }
    let ordered = Ordered {
        order: "rearm",
        by: &args.by,
        killed: state.killed,
        paused: state.paused,
        lifted,
    };
    say(args.place.json, &ordered, &words)
}

fn give(args: &OrderArgs, order: Order) -> Result<Operator, PilotError> {
    let place = Place::new(&args.place)?;
    let mut books = place.books(place.limits(&[])?)?;
    place.order(&mut books, order, &args.by)?;
    let mut state = books.book().operator();
    state.killed |= place.latch.is_set();
    Ok(state)
}

fn tell(args: &OrderArgs, order: &str, state: Operator, words: &str) -> Result<(), PilotError> {
    let ordered = Ordered {
        order,
        by: &args.by,
        killed: state.killed,
        paused: state.paused,
        lifted: None,
    };
    say(args.place.json, &ordered, words)
}
