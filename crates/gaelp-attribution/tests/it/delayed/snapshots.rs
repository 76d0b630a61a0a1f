//! What is stored is what was held, and nothing else is believed.

use gaelp_attribution::delayed::{Arrival, DelayedRewards, Effect, Limits, SnapshotError};
use gaelp_attribution::{Event, Model, RulesConfig, Span};

use super::{Random, arrivals};
use crate::stream::{configurations, events, models};

fn six() -> Vec<Model> {
    models().into_iter().map(|(_, model)| model).collect()
}

/// The effects of a stream, with a machine that is stored and restored now and then.
fn effects(restarts: u64) -> (Vec<Effect>, Vec<u8>) {
    let (events, _) = events();
    let (_, rules) = configurations()[1].clone();
    let mut random = Random(restarts);
    let mut machine = DelayedRewards::new(rules.clone(), six(), Limits::default()).unwrap();
    let mut effects = Vec::new();
    for part in arrivals(&events).chunks(500) {
        machine.handle_batch(part, &mut effects);
        if restarts > 0 && random.one_in(2) {
            let bytes = machine.snapshot();
            machine =
                DelayedRewards::restore(rules.clone(), six(), Limits::default(), &bytes).unwrap();
        }
    }
    (effects, machine.snapshot())
}

#[test]
fn a_restored_machine_goes_on_as_the_other_would() {
    let (whole, end) = effects(0);
    assert!(whole.len() > 15_000);
    for restarts in 1..4 {
        let (resumed, resumed_end) = effects(restarts);
        assert_eq!(resumed, whole);
        assert_eq!(resumed_end, end);
    }
}

#[test]
fn damaged_snapshots_fail_with_an_error_and_never_panic() {
    let (events, _) = events();
    let (_, rules) = configurations()[0].clone();
    let mut machine = DelayedRewards::new(rules.clone(), six(), Limits::default()).unwrap();
    machine.handle_batch(&arrivals(&events[..900]), &mut Vec::new());
    let sound = machine.snapshot();
    let restore =
        |bytes: &[u8]| DelayedRewards::restore(rules.clone(), six(), Limits::default(), bytes);
    for end in (0..sound.len()).step_by(97) {
        assert!(restore(&sound[..end]).is_err(), "{end}");
    }
    let mut random = Random(5);
    for _ in 0..300 {
        let mut bytes = sound.clone();
        let place = usize::try_from(random.below(bytes.len() as u64)).unwrap();
        bytes[place] ^= 1 << random.below(8);
        assert!(restore(&bytes).is_err(), "{place}");
    }
    let wrong =
        DelayedRewards::restore(rules.clone(), vec![Model::Last], Limits::default(), &sound);
    let expected = SnapshotError::Models {
        found: 6,
        expected: 1,
    };
    assert_eq!(wrong.unwrap_err(), expected);
}

/// The checksum of the format, for snapshots made with intent.
fn seal(bytes: &mut [u8]) {
    let scatter = |number: u64| Random(number).next();
    let (content, check) = bytes.split_at_mut(bytes.len() - 8);
    let words = content.chunks_exact(8);
    let rest = words.remainder();
    let mut sum = scatter(content.len() as u64);
    for word in words {
        sum = scatter(sum ^ u64::from_le_bytes(word.try_into().unwrap()));
    }
    for &byte in rest {
        sum = scatter(sum ^ u64::from(byte));
    }
    check.copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn malicious_snapshots_make_no_machine_that_panics() {
    let (events, _) = events();
    let (_, rules) = configurations()[1].clone();
    let mut machine = DelayedRewards::new(rules.clone(), six(), Limits::default()).unwrap();
    machine.handle_batch(&arrivals(&events[..900]), &mut Vec::new());
    let sound = machine.snapshot();
    let mut resealed = sound.clone();
    seal(&mut resealed);
    assert_eq!(resealed, sound, "the test knows the checksum");
    let rest: Vec<Arrival> = arrivals(&events[900..2_500]);
    let mut random = Random(6);
    let (mut refused, mut lived) = (0, 0);
    for _ in 0..3_000 {
        let mut bytes = sound.clone();
        for _ in 0..=random.below(3) {
            // The head, with its counts, is small beside the rest.
            let end = if random.one_in(3) {
                300
            } else {
                bytes.len() as u64 - 8
            };
            let place = usize::try_from(random.below(end)).unwrap();
            bytes[place] = match random.below(3) {
                0 => 255,
                1 => 0,
                _ => u8::try_from(random.below(256)).unwrap(),
            };
        }
        seal(&mut bytes);
        match DelayedRewards::restore(rules.clone(), six(), Limits::default(), &bytes) {
            Ok(mut machine) => {
                lived += 1;
                if random.one_in(8) {
                    machine.handle_batch(&rest, &mut Vec::new());
                    machine.snapshot();
                }
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 300 && lived > 300, "{refused} {lived}");
}

#[test]
fn windows_may_change_between_snapshot_and_restart() {
    let (events, _) = events();
    let (_, rules) = configurations()[0].clone();
    let mut machine = DelayedRewards::new(rules, six(), Limits::default()).unwrap();
    let early: Vec<Event> = events[..4_000].to_vec();
    machine.handle_batch(&arrivals(&early), &mut Vec::new());
    let pending = machine.pending();
    let mut config = RulesConfig::default();
    config.windows.usual.click = Span::days(3);
    let shorter = config.validate().unwrap();
    let bytes = machine.snapshot();
    let mut machine = DelayedRewards::restore(shorter, six(), Limits::default(), &bytes).unwrap();
    assert_eq!(machine.pending(), pending);
    let mut effects = Vec::new();
    let next = machine.watermark().plus(Span::hours(1));
    let advance = Arrival::new(next, Event::Advance(next));
    machine.handle(&advance, &mut effects).unwrap();
    let matured = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Matured(_)))
        .count();
    assert!(
        matured > 100,
        "clicks of four to seven days ago mature at once"
    );
}
