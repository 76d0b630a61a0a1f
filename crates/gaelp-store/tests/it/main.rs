//! What a store promises, seen from outside.

mod crash;
mod hostile;
mod import;
mod journal;
mod opening;
mod recorded;
mod support;
