//! With SQLite behind the machine: events acknowledged a second, by events of a commit.
//!
//! A commit waits for the disk, so the wall's clock counts here, and the figures are the disk's:
//! `TMPDIR` chooses it.

use gaelp_attribution::Model;
use gaelp_attribution::delayed::{Arrival, Durable, Effect, Limits};
use gaelp_store::SqliteEventLog;

use super::{clock, per_second, rules, since, touch, wall};

/// Events of a commit, and how many there are in all.
const SIZES: [(usize, u64); 3] = [(1, 2_000), (100, 200_000), (10_000, 1_000_000)];

/// Measures all sizes; at most so many events of each.
pub(crate) fn all(most: u64) {
    for (batch, events) in SIZES {
        one(batch, events.min(most));
    }
}

fn open(path: &std::path::Path, effects: &mut Vec<Effect>) -> Durable<Model, SqliteEventLog> {
    let log = SqliteEventLog::open(path, "bench").expect("a database");
    let models = vec![Model::Linear];
    Durable::open(log, rules(), models, Limits::default(), effects).expect("a whole log")
}

fn one(batch: usize, events: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.sqlite");
    let mut effects = Vec::new();
    let mut durable = open(&path, &mut effects);
    let arrivals: Vec<Arrival> = (0..events)
        .map(|id| touch(id, events.div_ceil(4), true))
        .collect();
    let (cpu, start) = (clock(), wall());
    for part in arrivals.chunks(batch) {
        for arrival in part {
            durable.offer(*arrival);
        }
        durable.commit(&mut effects).expect("room on the disk");
    }
    let (cpu, time) = (since(cpu), wall().saturating_sub(start));
    line(&format!("batch {batch}"), events, time);
    line(&format!("batch {batch}, processor alone"), events, cpu);
    drop(durable);
    let start = wall();
    let mut durable = open(&path, &mut effects);
    let name = format!("batch {batch}, reading back");
    line(&name, events, wall().saturating_sub(start));
    assert_eq!(durable.position(), events);
    let start = wall();
    durable.checkpoint().expect("room on the disk");
    let name = format!("batch {batch}, checkpoint");
    line(&name, events, wall().saturating_sub(start));
}

#[expect(clippy::print_stdout, reason = "the table is the output")]
fn line(what: &str, events: u64, time: std::time::Duration) {
    let name = format!("delayed/sqlite/{what}");
    let rate = per_second(events, time) * 1e3;
    println!("{name:<44} {rate:>8.2} k/s  {time:>10.3?}");
}
