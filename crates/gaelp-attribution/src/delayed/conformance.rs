//! What implementers of [`EventLog`] and [`HotCache`](super::HotCache) run to prove theirs.

mod cache;

use gaelp_core::{Currency, Micros, Money};

use super::{Arrival, EventLog, Origin, Position};
use crate::{
    Adjustment, ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, Merge,
    Timestamp, Touch, UserId,
};

pub use cache::hot_cache;

/// What an implementation got wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {what}")]
pub struct Violation {
    /// What was checked.
    pub check: &'static str,
    /// What was found.
    pub what: String,
}

/// Runs all checks on empty logs.
///
/// `make` gives a new, empty log; `reopen` what is there after the process that held it has died,
/// such as a new connection to the same file.
///
/// ```
/// use gaelp_attribution::delayed::{MemoryLog, conformance};
///
/// conformance::event_log(MemoryLog::default, |log| log)?;
/// # Ok::<(), conformance::Violation>(())
/// ```
///
/// # Errors
/// The first [`Violation`].
pub fn event_log<L: EventLog>(
    mut make: impl FnMut() -> L,
    mut reopen: impl FnMut(L) -> L,
) -> Result<(), Violation> {
    keeps_every_event(make(), &mut reopen)?;
    is_safe_to_repeat(make(), &mut reopen)?;
    refuses_gaps(make())?;
    reads_in_parts(make())?;
    keeps_the_latest_snapshot(make(), &mut reopen)
}

fn keeps_every_event<L: EventLog>(
    mut log: L,
    reopen: &mut impl FnMut(L) -> L,
) -> Result<(), Violation> {
    let check = Check("keeps every event");
    check.equal(&check.ok(log.end())?, &0, "the end of an empty log")?;
    check.equal(
        &check.ok(log.latest())?,
        &None,
        "the snapshot of an empty log",
    )?;
    let events = samples();
    check.ok(log.append(0, &events))?;
    let mut log = reopen(log);
    check.equal(
        &check.ok(log.read(0, usize::MAX >> 1))?,
        &events,
        "all events",
    )?;
    check.ok(log.append(events.len() as Position, &events[..1]))?;
    let log = reopen(log);
    let end = events.len() as Position + 1;
    check.equal(&check.ok(log.end())?, &end, "the end")?;
    check.equal(
        &check.ok(log.read(end - 1, 9))?.as_slice(),
        &&events[..1],
        "the last event",
    )
}

fn is_safe_to_repeat<L: EventLog>(
    mut log: L,
    reopen: &mut impl FnMut(L) -> L,
) -> Result<(), Violation> {
    let check = Check("is safe to repeat");
    let events = samples();
    check.ok(log.append(0, &events[..2]))?;
    check.ok(log.append(0, &events[..2]))?;
    // The outcome of the first two was unknown; one more has come since.
    check.ok(log.append(0, &events[..3]))?;
    check.ok(log.append(3, &[]))?;
    let log = reopen(log);
    check.equal(&check.ok(log.end())?, &3, "the end")?;
    check.equal(
        &check.ok(log.read(0, 9))?.as_slice(),
        &&events[..3],
        "the events",
    )
}

fn refuses_gaps<L: EventLog>(mut log: L) -> Result<(), Violation> {
    let check = Check("refuses gaps");
    let events = samples();
    check.ok(log.append(0, &events[..1]))?;
    let refused = log.append(2, &events[..1]).is_err();
    check.equal(
        &refused,
        &true,
        "whether a position past the end is refused",
    )?;
    check.equal(&check.ok(log.end())?, &1, "the end after it")
}

fn reads_in_parts<L: EventLog>(mut log: L) -> Result<(), Violation> {
    let check = Check("reads in parts");
    let events: Vec<Arrival> = samples().into_iter().cycle().take(1_000).collect();
    for (batch, part) in events.chunks(7).enumerate() {
        check.ok(log.append(batch as Position * 7, part))?;
    }
    let mut read = Vec::new();
    while read.len() < events.len() {
        let part = check.ok(log.read(read.len() as Position, 64))?;
        let expected = (events.len() - read.len()).min(64);
        check.equal(&part.len(), &expected, "the size of a part")?;
        read.extend(part);
    }
    check.equal(&(read == events), &true, "whether the parts are the whole")?;
    let past = check.ok(log.read(1_000, 64))?;
    check.equal(&past, &Vec::new(), "what is past the end")
}

fn keeps_the_latest_snapshot<L: EventLog>(
    mut log: L,
    reopen: &mut impl FnMut(L) -> L,
) -> Result<(), Violation> {
    let check = Check("keeps the latest snapshot");
    let events = samples();
    check.ok(log.append(0, &events))?;
    let large: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
    for (at, snapshot) in [(1, &[][..]), (3, &[0, 1, 255]), (3, &large)] {
        check.ok(log.save(at, snapshot))?;
        log = reopen(log);
        let latest = check.ok(log.latest())?;
        let same =
            latest.as_ref().map(|(at, bytes)| (*at, bytes.as_slice())) == Some((at, snapshot));
        check.equal(
            &same,
            &true,
            "whether the latest snapshot is the one that was saved",
        )?;
    }
    let rest = check.ok(log.read(3, 99))?;
    check.equal(
        &rest.as_slice(),
        &&events[3..],
        "the events after the snapshot",
    )?;
    check.equal(
        &check.ok(log.end())?,
        &(events.len() as Position),
        "the end",
    )?;
    check.ok(log.append(events.len() as Position, &events[..1]))?;
    let log = reopen(log);
    check.equal(
        &check.ok(log.end())?,
        &(events.len() as Position + 1),
        "the end after more",
    )
}

/// The name of a check, for what it finds.
struct Check(&'static str);

impl Check {
    fn ok<T, E: std::error::Error>(&self, result: Result<T, E>) -> Result<T, Violation> {
        result.map_err(|error| Violation {
            check: self.0,
            what: format!("an error: {error}"),
        })
    }

    fn equal<T: PartialEq + std::fmt::Debug>(
        &self,
        found: &T,
        expected: &T,
        what: &str,
    ) -> Result<(), Violation> {
        if found == expected {
            return Ok(());
        }
        Err(Violation {
            check: self.0,
            what: format!("{what} is {found:?}, expected {expected:?}"),
        })
    }
}

/// Events of every kind, with the extremes that a store must hold.
fn samples() -> Vec<Arrival> {
    let at = Timestamp::from_micros(1_800_000_000_000_001);
    let touch = Touch {
        id: EventId::new(u64::MAX),
        user: UserId::new(0),
        at: Timestamp::MIN,
        channel: ChannelId::new(u16::MAX),
        interaction: Interaction::View,
    };
    let origin = Origin {
        decision: gaelp_core::DecisionId::new(u128::MAX),
        reward: Micros::new(i64::MIN),
        ..Origin::default()
    };
    let conversion = Conversion {
        id: EventId::new(1 << 63),
        user: UserId::new(u64::MAX),
        at,
        value: Money::new(Micros::new(-1), Currency::EUR),
        kind: ConversionKind::Custom(255),
    };
    let adjustment = Adjustment {
        id: EventId::new(0),
        conversion: conversion.id,
        at: Timestamp::MAX,
        value: Money::new(Micros::MAX, Currency::USD),
    };
    let merge = Merge {
        from: UserId::new(1),
        into: UserId::new(2),
    };
    vec![
        Arrival::of(at, Event::Touch(touch), origin),
        Arrival::new(Timestamp::MIN, Event::Touch(touch)),
        Arrival::new(at, Event::Conversion(conversion)),
        Arrival::new(at, Event::Adjustment(adjustment)),
        Arrival::new(at, Event::Merge(merge)),
        Arrival::new(at, Event::Advance(Timestamp::MAX)),
    ]
}
