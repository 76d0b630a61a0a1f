//! What becomes of a log whose end is lost.

use std::fs;
use std::path::Path;

use gaelp_attribution::delayed::{Arrival, Durable, Effect, EventLog, Limits, Origin, Position};
use gaelp_attribution::{
    ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, Model, RulesConfig, Span,
    Timestamp, Touch, UserId,
};
use gaelp_core::{Currency, DecisionId, Micros, Money};

use super::SqliteEventLog;

const EVENTS: u64 = 120;
const BATCH: u64 = 12;

/// Every fifth event is a sale to the user of those before it.
fn arrival(number: u64) -> Arrival {
    let minutes = u32::try_from(number).expect("few events");
    let at = Timestamp::from_micros(1_800_000_000_000_000).plus(Span::seconds(60 * minutes));
    let (id, user) = (EventId::new(number), UserId::new(number / 10));
    if number % 5 == 4 {
        return Arrival::new(
            at,
            Event::Conversion(Conversion {
                id,
                user,
                at,
                value: Money::new(Micros::new(10_000_001), Currency::USD),
                kind: ConversionKind::Purchase,
            }),
        );
    }
    let touch = Touch {
        id,
        user,
        at,
        channel: ChannelId::new(0),
        interaction: Interaction::Click,
    };
    let decision = DecisionId::new(u128::from(number));
    let origin = Origin {
        decision,
        ..Origin::default()
    };
    Arrival::of(at, Event::Touch(touch), origin)
}

fn open(path: &Path, effects: &mut Vec<Effect>) -> Durable<Model, SqliteEventLog> {
    let log = SqliteEventLog::open(path, "users").expect("the file is sound");
    let rules = RulesConfig::default().validate().expect("they are sound");
    let models = vec![Model::Linear];
    Durable::open(log, rules, models, Limits::default(), effects).expect("the log is sound")
}

/// Sends what is not there yet, in the batches in which it was sent first.
fn send(machine: &mut Durable<Model, SqliteEventLog>, effects: &mut Vec<Effect>) -> Position {
    for number in machine.position()..EVENTS {
        let waiting = machine.offer(arrival(number));
        if waiting as u64 == BATCH {
            machine.commit(effects).expect("the disk has room");
        }
    }
    machine.commit(effects).expect("the disk has room")
}

/// A database without the end of its write-ahead log is a whole one of an earlier time. Whoever knows
/// what was acknowledged is told, and a source that goes on from the position heals it.
#[test]
fn a_lost_end_is_a_whole_earlier_log_and_shows_to_whom_it_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gaelp.sqlite");
    let wal = folder.path().join("gaelp.sqlite-wal");
    let mut effects = Vec::new();
    let mut machine = open(&path, &mut effects);
    let acknowledged = send(&mut machine, &mut effects);
    assert_eq!(acknowledged, EVENTS);
    machine.require(acknowledged).expect("it is all there");
    let whole = machine.machine().snapshot();
    let (database, log) = (fs::read(&path), fs::read(&wal));
    let (database, log) = (database.expect("a database"), log.expect("a log"));

    let (mut lost, mut kept) = (0, 0);
    let mut ends = std::collections::BTreeSet::new();
    for cut in (0..=40).map(|part| log.len() * part / 40) {
        let copy = tempfile::tempdir().expect("a folder");
        let path = copy.path().join("gaelp.sqlite");
        fs::write(&path, &database).expect("written");
        fs::write(copy.path().join("gaelp.sqlite-wal"), &log[..cut]).expect("written");
        let mut again = Vec::new();
        let mut machine = open(&path, &mut again);
        let end = machine.position();
        ends.insert(end);
        assert_eq!(end % BATCH, 0, "whole batches, cut at {cut}");
        // What is there is what was sent.
        let stored = SqliteEventLog::open(&path, "users").and_then(|log| log.read(0, 1_000));
        let sent: Vec<Arrival> = (0..end).map(arrival).collect();
        assert_eq!(stored.expect("readable"), sent);
        // Its effects are the first ones, under the same numbers.
        assert_eq!(again, effects[..again.len()]);
        match machine.require(acknowledged) {
            Ok(()) => kept += 1,
            Err(gap) => {
                assert_eq!((gap.end, gap.at), (end, acknowledged));
                lost += 1;
            }
        }
        assert_eq!(machine.require(acknowledged).is_ok(), end == acknowledged);
        // Sent again from the machine's position, all is as if nothing had been lost.
        send(&mut machine, &mut again);
        machine.require(acknowledged).expect("healed");
        assert_eq!(again, effects);
        assert_eq!(machine.machine().snapshot(), whole);
    }
    assert!(lost > 20 && kept >= 1, "{lost} lost, {kept} kept");
    assert!(ends.len() > 5, "cuts fell into {ends:?}");
}
