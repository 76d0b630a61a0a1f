//! What a store promises, seen from outside.

mod checkpoint;
mod crash;
mod damage;
mod events;
mod events_crash;
mod hostile;
mod import;
mod journal;
mod ledger;
mod ledger_crash;
mod opening;
mod recorded;
mod support;
mod trial;
