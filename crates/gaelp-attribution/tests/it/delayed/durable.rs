//! Killed at any moment, nothing acknowledged is lost and nothing counts twice.

use std::collections::BTreeMap;

use gaelp_attribution::delayed::{
    Arrival, Durable, Effect, EventLog, Limits, LogGap, MemoryLog, Position, conformance,
};
use gaelp_attribution::{Event, Model};

use super::{Credits, Random, apply, arrivals, stream};
use crate::stream::{configurations, events, models};

fn six() -> Vec<Model> {
    models().into_iter().map(|(_, model)| model).collect()
}

/// A log whose process dies in the midst of writing, before or after the write has taken effect.
struct Dying {
    log: MemoryLog,
    writes: u64,
    after: bool,
}

#[derive(Debug, thiserror::Error)]
enum Dead {
    #[error("the process died")]
    Now,
    #[error(transparent)]
    Gap(#[from] LogGap),
}

impl Dying {
    fn strike(&mut self) -> bool {
        let strikes = self.writes == 1;
        self.writes = self.writes.saturating_sub(1);
        strikes
    }
}

impl EventLog for Dying {
    type Error = Dead;

    fn append(&mut self, at: Position, arrivals: &[Arrival]) -> Result<(), Dead> {
        let dies = self.strike();
        if !dies || self.after {
            self.log.append(at, arrivals)?;
        }
        if dies { Err(Dead::Now) } else { Ok(()) }
    }

    fn end(&self) -> Result<Position, Dead> {
        Ok(self.log.end()?)
    }

    fn read(&self, from: Position, most: usize) -> Result<Vec<Arrival>, Dead> {
        Ok(self.log.read(from, most)?)
    }

    fn save(&mut self, at: Position, snapshot: &[u8]) -> Result<(), Dead> {
        let dies = self.strike();
        if !dies || self.after {
            self.log.save(at, snapshot)?;
        }
        if dies { Err(Dead::Now) } else { Ok(()) }
    }

    fn latest(&self) -> Result<Option<(Position, Vec<u8>)>, Dead> {
        Ok(self.log.latest()?)
    }
}

/// What a consumer keeps: corrections by number.
#[derive(Default)]
struct Consumer {
    corrections: BTreeMap<u64, Effect>,
}

impl Consumer {
    fn store(&mut self, effects: &mut Vec<Effect>) {
        for effect in effects.drain(..) {
            if let Effect::Correction(correction) = &effect {
                let known = self.corrections.insert(correction.number, effect);
                assert!(known.is_none_or(|known| known == effect));
            }
        }
    }

    fn credits(&self) -> Credits {
        let mut credits = Credits::new();
        for effect in self.corrections.values() {
            if let Effect::Correction(correction) = effect {
                apply(&mut credits, correction);
            }
        }
        credits
    }
}

#[test]
fn a_machine_killed_at_fifty_moments_ends_as_one_that_never_died() {
    let (events, _) = events();
    let all = arrivals(&events);
    let (_, rules) = configurations()[1].clone();
    let (expected, whole) = stream(&rules, six(), &events);
    let mut random = Random(9);
    let mut consumer = Consumer::default();
    let mut log = MemoryLog::default();
    let (mut deaths, mut acknowledged) = (0, 0);
    loop {
        let dying = Dying {
            log,
            writes: if deaths < 50 {
                1 + random.below(14)
            } else {
                u64::MAX
            },
            after: random.one_in(2),
        };
        let mut effects = Vec::new();
        let opened = Durable::open(dying, rules.clone(), six(), Limits::default(), &mut effects);
        let mut durable = opened.unwrap();
        assert!(
            durable.position() >= acknowledged,
            "an acknowledged event is lost"
        );
        consumer.store(&mut effects);
        let died = loop {
            // The source sends again from what it knows to be acknowledged.
            let from = usize::try_from(durable.position()).unwrap();
            if from == all.len() {
                break false;
            }
            let size = 1 + usize::try_from(random.below(80)).unwrap();
            for arrival in &all[from..all.len().min(from + size)] {
                durable.offer(*arrival);
            }
            match durable.commit(&mut effects) {
                Ok(position) => acknowledged = position,
                Err(_) => break true,
            }
            // Sometimes the process dies before the effects are stored.
            if random.one_in(30) && deaths < 50 {
                break true;
            }
            consumer.store(&mut effects);
            if random.one_in(10) && durable.checkpoint().is_err() {
                break true;
            }
        };
        if !died {
            assert_eq!(durable.machine().statistics(), whole.statistics());
            assert_eq!(durable.machine().snapshot(), whole.snapshot());
            break;
        }
        deaths += 1;
        log = durable.into_log().log;
    }
    assert!(deaths >= 50);
    assert_eq!(consumer.credits(), expected);
}

#[test]
fn a_commit_that_failed_can_be_repeated() {
    let (events, _) = events();
    let (_, rules) = configurations()[0].clone();
    for after in [false, true] {
        let dying = Dying {
            log: MemoryLog::default(),
            writes: 1,
            after,
        };
        let mut effects = Vec::new();
        let opened = Durable::open(dying, rules.clone(), six(), Limits::default(), &mut effects);
        let mut durable = opened.unwrap();
        for arrival in arrivals(&events[..100]) {
            durable.offer(arrival);
        }
        assert!(durable.commit(&mut effects).is_err());
        assert_eq!((effects.len(), durable.position()), (0, 0));
        assert_eq!(durable.commit(&mut effects).unwrap(), 100);
        assert_eq!(durable.into_log().log.end(), Ok(100));
    }
}

#[test]
fn the_log_in_memory_conforms_also_behind_references_and_boxes() {
    conformance::event_log(MemoryLog::default, |log| log).unwrap();
    let boxed = || -> Box<dyn EventLog<Error = LogGap>> { Box::new(MemoryLog::default()) };
    conformance::event_log(boxed, |log| log).unwrap();
}

/// A log with one fault.
struct Faulty {
    log: MemoryLog,
    fault: u8,
}

impl EventLog for Faulty {
    type Error = LogGap;

    fn append(&mut self, at: Position, arrivals: &[Arrival]) -> Result<(), LogGap> {
        let end = self.log.end()?;
        match self.fault {
            // Appends whatever the position: repeats and gaps are taken.
            0 => self.log.append(end, arrivals),
            1 if at > end => Ok(()),
            2 => self.log.append(at, &arrivals[..arrivals.len().min(3)]),
            _ => self.log.append(at, arrivals),
        }
    }

    fn end(&self) -> Result<Position, LogGap> {
        self.log.end()
    }

    fn read(&self, from: Position, most: usize) -> Result<Vec<Arrival>, LogGap> {
        let most = if self.fault == 3 { most.min(50) } else { most };
        let from = if self.fault == 4 { 0 } else { from };
        self.log.read(from, most)
    }

    fn save(&mut self, at: Position, snapshot: &[u8]) -> Result<(), LogGap> {
        let kept = if self.fault == 5 {
            &snapshot[..snapshot.len().min(1 << 16)]
        } else {
            snapshot
        };
        self.log.save(at, kept)
    }

    fn latest(&self) -> Result<Option<(Position, Vec<u8>)>, LogGap> {
        if self.fault == 6 {
            Ok(None)
        } else {
            self.log.latest()
        }
    }
}

#[test]
fn the_conformance_suite_finds_faults() {
    for fault in 0..=6 {
        let make = || Faulty {
            log: MemoryLog::default(),
            fault,
        };
        let found = conformance::event_log(make, |log| log);
        assert!(found.is_err(), "fault {fault} is not found");
    }
    let forgetful = |_: MemoryLog| MemoryLog::default();
    assert!(conformance::event_log(MemoryLog::default, forgetful).is_err());
}

#[test]
fn the_bytes_of_an_arrival_are_an_arrival() {
    let (events, _) = events();
    let all = arrivals(&events);
    let mut bytes = Vec::new();
    for arrival in &all {
        arrival.encode(&mut bytes);
    }
    let mut rest = bytes.as_slice();
    for arrival in &all {
        assert_eq!(&Arrival::decode(&mut rest).unwrap(), arrival);
    }
    assert!(rest.is_empty());
    let advance = |event: &&Event| matches!(event, Event::Advance(_));
    assert!(events.iter().filter(advance).count() > 100);
    for end in 0..60 {
        assert!(Arrival::decode(&mut &bytes[..end.min(36)]).is_err());
    }
}
