//! The pilot as a person meets it: arguments and files in; exit codes, JSON, pages and a database
//! out.

mod attribute;
mod budgeting;
mod kill;
mod live;
#[allow(dead_code, reason = "the kill test uses the rest of it")]
#[path = "../live_support/mod.rs"]
mod live_support;
mod output;
mod policies;
mod program;
mod refusals;
mod rehearsal;
mod repeat;
mod samples;
mod settings;
mod support;
