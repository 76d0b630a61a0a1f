//! The pilot as a person meets it: arguments and files in; exit codes, JSON, pages and a database
//! out.

mod kill;
mod output;
mod program;
mod refusals;
mod rehearsal;
mod repeat;
mod samples;
mod settings;
mod support;
