//! The circuit breaker: by the table, and against a list of everything that happened.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gaelp_core::Ratio;
use gaelp_guardrails::{Breaker, BreakerConfig, BreakerPhase, CallOutcome};

use crate::cases::{Random, cases};

use BreakerPhase::{Closed, HalfOpen, Open};
use CallOutcome::{Failure, RateLimited, Rejected, Success, Unknown};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn breaker() -> Breaker {
    BreakerConfig::default().validate().unwrap()
}

#[test]
fn ten_failures_in_a_row_open_it_and_only_they() {
    let mut breaker = breaker();
    for _ in 0..9 {
        assert_eq!(breaker.record(Failure, at(0)), Closed);
    }
    assert_eq!(breaker.record(Success, at(0)), Closed);
    for _ in 0..4 {
        assert_eq!(breaker.record(Failure, at(0)), Closed);
        // What counts neither way interrupts no row.
        assert_eq!(breaker.record(Rejected, at(0)), Closed);
        assert_eq!(breaker.record(RateLimited, at(0)), Closed);
    }
    for _ in 0..5 {
        assert_eq!(breaker.record(Unknown, at(0)), Closed);
    }
    assert_eq!(breaker.record(Unknown, at(0)), Open);
}

#[test]
fn refusals_and_rate_limits_open_nothing() {
    let mut breaker = breaker();
    for second in 0..500 {
        assert_eq!(breaker.record(Rejected, at(second)), Closed);
        assert_eq!(breaker.record(RateLimited, at(second)), Closed);
    }
}

/// Nine failures and a success each time, so that no row of ten comes together.
fn fill(breaker: &mut Breaker, failures: u32, successes: u32, seconds: i64) -> BreakerPhase {
    let mut phase = breaker.phase(at(seconds));
    let (mut failures, mut successes) = (failures, successes);
    while failures + successes > 0 {
        for outcome in [Failure, Success] {
            let left = if outcome == Failure {
                &mut failures
            } else {
                &mut successes
            };
            if *left > 0 {
                *left -= 1;
                phase = breaker.record(outcome, at(seconds));
            }
        }
    }
    phase
}

#[test]
fn half_of_twenty_calls_in_an_hour_open_it() {
    // The twentieth call is a success, and the ratio is reached with it.
    let mut full = breaker();
    assert_eq!(fill(&mut full, 10, 9, 0), Closed);
    assert_eq!(full.record(Success, at(1)), Open);
    let mut below = breaker();
    assert_eq!(fill(&mut below, 9, 20, 0), Closed);
    let mut few = breaker();
    assert_eq!(fill(&mut few, 9, 9, 0), Closed);
    assert_eq!(few.record(Failure, at(1)), Closed); // nineteen
    assert_eq!(few.record(Failure, at(1)), Open);
    // What is older than an hour is forgotten, ten minutes at a time.
    let mut old = breaker();
    let start = 3_000 - 1_800_000_000_i64.rem_euclid(600);
    assert_eq!(fill(&mut old, 10, 9, start), Closed);
    let mut early = old.clone();
    assert_eq!(early.record(Success, at(start + 3_599)), Open);
    assert_eq!(old.record(Success, at(start + 3_600)), Closed);
}

#[test]
fn it_opens_for_its_time_and_closes_after_its_probes() {
    let mut breaker = breaker();
    for _ in 0..10 {
        breaker.record(Failure, at(0));
    }
    assert!(!breaker.permit(at(899)));
    assert_eq!(breaker.phase(at(899)), Open);
    // A late answer from before changes nothing.
    assert_eq!(breaker.record(Success, at(899)), Open);
    assert_eq!(breaker.record(Failure, at(899)), Open);
    assert_eq!(breaker.phase(at(900)), HalfOpen);
    for _ in 0..3 {
        assert!(breaker.permit(at(900)));
    }
    assert!(!breaker.permit(at(900)));
    assert_eq!(breaker.record(Success, at(901)), HalfOpen);
    assert_eq!(breaker.record(Success, at(902)), HalfOpen);
    let mut fails = breaker.clone();
    assert_eq!(breaker.record(Success, at(903)), Closed);
    assert!(breaker.permit(at(903)));
    // It starts anew.
    for _ in 0..9 {
        assert_eq!(breaker.record(Failure, at(904)), Closed);
    }
    // One failure among the probes is enough, and the time counts from it.
    assert_eq!(fails.record(Unknown, at(903)), Open);
    assert_eq!(fails.phase(at(903 + 899)), Open);
    assert_eq!(fails.phase(at(903 + 900)), HalfOpen);
}

#[test]
fn permits_come_back_and_it_cannot_stick() {
    let open = {
        let mut breaker = breaker();
        for _ in 0..10 {
            breaker.record(Failure, at(0));
        }
        breaker
    };
    // By an answer that says nothing.
    let mut limited = open.clone();
    for _ in 0..3 {
        assert!(limited.permit(at(900)));
    }
    assert_eq!(limited.record(RateLimited, at(900)), HalfOpen);
    assert_eq!(limited.record(Rejected, at(900)), HalfOpen);
    assert!(limited.permit(at(900)) && limited.permit(at(900)));
    assert!(!limited.permit(at(900)));
    // By the timeout: ten minutes after the first probe it opens, as long as ever.
    let mut stuck = open.clone();
    assert!(stuck.permit(at(1_000)) && stuck.permit(at(1_500)));
    assert_eq!(stuck.phase(at(1_599)), HalfOpen);
    assert_eq!(stuck.phase(at(1_600)), Open);
    assert!(!stuck.permit(at(1_600 + 899)));
    assert!(stuck.permit(at(1_600 + 900)));
    // Nobody asked: it waits half-open, for as long as it takes.
    assert_eq!(open.phase(at(1_000_000)), HalfOpen);
    // Answers to calls that nobody asked a permit for are probes too.
    let mut unasked = open.clone();
    assert_eq!(unasked.record(Success, at(900)), HalfOpen);
    // All that was asked for has been answered, so there is no timeout, until more is asked.
    assert_eq!(unasked.phase(at(90_000)), HalfOpen);
    let mut asked = unasked.clone();
    assert!(asked.permit(at(90_000)));
    assert_eq!(asked.phase(at(90_599)), HalfOpen);
    assert_eq!(asked.phase(at(90_600)), Open);
    assert_eq!(unasked.record(Success, at(90_000)), HalfOpen);
    assert_eq!(unasked.record(Success, at(90_000)), Closed);
    // A clock that goes back neither opens it for longer nor sticks.
    let mut back = open;
    assert_eq!(back.record(Success, at(-5_000)), Open);
    assert_eq!(back.phase(at(-5_000 + 899)), Open);
    assert_eq!(back.phase(at(-5_000 + 900)), HalfOpen);
}

#[test]
fn it_is_stored_and_restored_whole_and_settings_are_checked() {
    let mut breaker = breaker();
    for _ in 0..10 {
        breaker.record(Failure, at(0));
    }
    assert!(breaker.permit(at(950)));
    let stored = serde_json::to_string(&breaker).unwrap();
    let restored: Breaker = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored, breaker);
    assert_eq!(restored.phase(at(950)), HalfOpen);
    assert_eq!(restored.config(), &BreakerConfig::default());
    let wrong = stored.replace("\"probes\":3", "\"probes\":0");
    let error = serde_json::from_str::<Breaker>(&wrong)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("probes is 0: from 1 to 1000000 is allowed"),
        "{error}"
    );
    let wrong = BreakerConfig {
        consecutive: 0,
        ratio: Ratio::from_ppm(1_000_001),
        minimum_calls: 0,
        window_minutes: 5,
        open_minutes: 10_081,
        half_open_timeout_minutes: 0,
        probes: 1_000_001,
    };
    let error = wrong.validate().unwrap_err();
    let fields: Vec<_> = error
        .as_slice()
        .iter()
        .map(gaelp_guardrails::ConfigViolation::field)
        .collect();
    assert_eq!(
        fields,
        [
            "consecutive",
            "minimum_calls",
            "window_minutes",
            "open_minutes",
            "half_open_timeout_minutes",
            "probes",
            "ratio"
        ]
    );
    let edge = BreakerConfig {
        consecutive: 1,
        ratio: Ratio::from_ppm(1),
        minimum_calls: 1,
        window_minutes: 6,
        open_minutes: 10_080,
        half_open_timeout_minutes: 1,
        probes: 1,
    };
    assert!(edge.validate().is_ok());
    let zero = BreakerConfig {
        ratio: Ratio::ZERO,
        ..edge
    };
    assert_eq!(
        zero.validate().unwrap_err().to_string(),
        "ratio is 0.00: from 0.000001 to 1.00 is allowed"
    );
}

/// The breaker written a second time: it keeps everything that happened since it last changed.
struct Model {
    config: BreakerConfig,
    phase: BreakerPhase,
    since: i64,
    /// While closed: when each call that counts ended, and whether it failed.
    calls: Vec<(i64, bool)>,
    given: u32,
    back: u32,
    good: u32,
}

impl Model {
    fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            phase: Closed,
            since: 0,
            calls: Vec::new(),
            given: 0,
            back: 0,
            good: 0,
        }
    }

    fn turn(&mut self, phase: BreakerPhase, since: i64) {
        let config = self.config;
        *self = Self {
            phase,
            since,
            ..Self::new(config)
        };
    }

    fn pass(&mut self, now: i64) {
        let minutes = |minutes: u32| i64::from(minutes) * 60;
        let waits = self.given > self.back + self.good;
        let end = self.since + minutes(self.config.half_open_timeout_minutes);
        if self.phase == HalfOpen && waits && now >= end {
            self.turn(Open, end);
        }
        if self.phase == Open && now >= self.since + minutes(self.config.open_minutes) {
            self.turn(HalfOpen, now);
        }
    }

    fn permit(&mut self, now: i64) -> bool {
        self.pass(now);
        let free = self.given - self.back < self.config.probes;
        match self.phase {
            Closed => true,
            HalfOpen if free => {
                if self.given == self.back + self.good {
                    self.since = now;
                }
                self.given += 1;
                true
            }
            _ => false,
        }
    }

    fn record(&mut self, outcome: CallOutcome, now: i64) {
        self.pass(now);
        let (failed, counts) = match outcome {
            Success => (false, true),
            Failure | Unknown => (true, true),
            Rejected | RateLimited => (false, false),
        };
        match self.phase {
            HalfOpen if !counts => {
                self.back += u32::from(self.given > self.back + self.good);
            }
            HalfOpen if failed => self.turn(Open, now),
            HalfOpen => {
                if self.given == self.back + self.good {
                    self.given += 1;
                }
                self.good += 1;
                if self.good == self.config.probes {
                    self.turn(Closed, now);
                }
            }
            Closed if counts => {
                self.calls.push((now, failed));
                let row = self
                    .calls
                    .iter()
                    .rev()
                    .take_while(|(_, failed)| *failed)
                    .count();
                let part = i64::from(self.config.window_minutes) * 10;
                let inside = |then: i64| now.div_euclid(part) - then.div_euclid(part) < 6;
                let window: Vec<_> = self
                    .calls
                    .iter()
                    .filter(|(then, _)| inside(*then))
                    .collect();
                let failures = window.iter().filter(|(_, failed)| *failed).count();
                let enough = window.len() >= self.config.minimum_calls as usize;
                let share = failures as i128 * 1_000_000
                    >= window.len() as i128 * i128::from(self.config.ratio.ppm());
                if row >= self.config.consecutive as usize || (enough && share) {
                    self.turn(Open, now);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn it_does_what_the_list_of_all_calls_says_and_every_transition_occurs() {
    let mut random = Random::new(1100);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..cases(60_000) {
        let small = |random: &mut Random, from: u64, to: u64| {
            u32::try_from(from + random.below(to - from + 1)).unwrap()
        };
        let config = BreakerConfig {
            consecutive: small(&mut random, 1, 6),
            ratio: Ratio::from_ppm(i64::from(small(&mut random, 1, 1_000_000))),
            minimum_calls: small(&mut random, 1, 8),
            window_minutes: small(&mut random, 6, 30),
            open_minutes: small(&mut random, 1, 5),
            half_open_timeout_minutes: small(&mut random, 1, 5),
            probes: small(&mut random, 1, 3),
        };
        let mut breaker = config.validate().unwrap();
        let mut model = Model::new(config);
        let mut now = 0;
        let healthy = random.chance(50);
        for _ in 0..40 {
            let pause = if random.chance(20) { 600 } else { 20 };
            now += i64::try_from(random.below(pause)).unwrap();
            let before = breaker.phase(at(now));
            model.pass(now + 1_800_000_000);
            assert_eq!(before, model.phase);
            if random.chance(50) {
                assert_eq!(breaker.permit(at(now)), model.permit(now + 1_800_000_000));
            } else {
                let outcome = match random.below(if healthy { 12 } else { 6 }) {
                    0 => Failure,
                    1 => Unknown,
                    2 => Rejected,
                    3 => RateLimited,
                    _ => Success,
                };
                let after = breaker.record(outcome, at(now));
                model.record(outcome, now + 1_800_000_000);
                *seen
                    .entry(format!("{before:?} to {after:?} by {outcome:?}"))
                    .or_default() += 1;
            }
            model.pass(now + 1_800_000_000);
            assert_eq!(breaker.phase(at(now)), model.phase);
            let later = now + i64::from(config.half_open_timeout_minutes) * 60;
            *seen
                .entry(format!(
                    "{:?} to {:?} by time",
                    breaker.phase(at(now)),
                    breaker.phase(at(later))
                ))
                .or_default() += 1;
        }
    }
    for expected in [
        "Closed to Open by Failure",
        "Closed to Open by Unknown",
        "Closed to Open by Success",
        "Open to Open by Success",
        "Open to Open by Failure",
        "Open to HalfOpen by time",
        "HalfOpen to Closed by Success",
        "HalfOpen to HalfOpen by Success",
        "HalfOpen to HalfOpen by RateLimited",
        "HalfOpen to HalfOpen by Rejected",
        "HalfOpen to Open by Failure",
        "HalfOpen to Open by Unknown",
        "HalfOpen to Open by time",
    ] {
        assert!(
            seen.contains_key(expected),
            "{expected} never occurred: {seen:?}"
        );
    }
}
