//! The ground truth against what clients were told and against a count of its own.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use gaelp_core::{
    AccountZone, AdSetKey, Currency, DecisionId, HourSpan, Micros, Platform, Ratio, Rounding,
    UtcHour,
};
use gaelp_market::{Answer, Ask, Fate, Faults, MarketConfig, World};
use gaelp_platform::{SetBudget, WriteOutcome};

const BEGIN: UtcHour = UtcHour::new(493_000);

fn world(seed: u64, zone: &str, faults: Faults) -> World {
    let zone: AccountZone = zone.parse().unwrap();
    let config = MarketConfig::sample(seed, BEGIN.start(), zone, Currency::USD, faults).unwrap();
    World::new(config).unwrap()
}

fn write(world: &mut World, key: &AdSetKey, units: i64, number: u32) -> Option<WriteOutcome> {
    let sent = world.now();
    send(world, key, units, number, sent)
}

fn send(
    world: &mut World,
    key: &AdSetKey,
    units: i64,
    number: u32,
    sent: DateTime<Utc>,
) -> Option<WriteOutcome> {
    let request = SetBudget {
        key: key.clone(),
        daily_budget: Micros::from_major(units).unwrap(),
        decision: DecisionId::new(number.into()),
    };
    match world.answer(Ask::SetBudget { sent, request })? {
        Answer::Wrote { outcome } => Some(outcome),
        other => panic!("{other:?}"),
    }
}

fn standing(world: &mut World, key: &AdSetKey) -> Micros {
    let platform = key.platform.clone();
    match world.answer(Ask::Budgets { platform }) {
        Some(Answer::Budgets { readings }) => {
            let found = readings.iter().find(|reading| reading.key == *key);
            found.unwrap().daily_budget
        }
        other => panic!("{other:?}"),
    }
}

fn prospecting() -> AdSetKey {
    AdSetKey::new(Platform::Meta, "prospecting")
}

#[test]
fn what_is_reported_adds_up_to_what_was_spent() {
    for zone in ["UTC", "America/New_York", "Asia/Kolkata"] {
        let mut world = world(5, zone, Faults::none());
        world.advance_to(BEGIN.plus(24 * 20).start());
        let mut reported: BTreeMap<_, i64> = BTreeMap::new();
        let local: AccountZone = zone.parse().unwrap();
        for platform in [Platform::Meta, Platform::Google] {
            let span = HourSpan::new(BEGIN, BEGIN.plus(24 * 20));
            let Some(Answer::Report { report }) = world.answer(Ask::Report { platform, span })
            else {
                panic!("no report");
            };
            for row in report.rows {
                let date = local.local(row.span.from).date;
                *reported.entry(date).or_default() += row.metrics.spend.get();
            }
        }
        let audit = world.audit();
        // The last day is not over, and its last hours are not reported yet.
        let (_, whole) = audit.days.split_last().unwrap();
        assert!(whole.len() >= 19);
        for day in whole {
            assert_eq!(reported[&day.date], day.spent.get(), "{zone} {}", day.date);
            assert!(day.spent <= day.worst);
        }
        assert_eq!(
            audit.largest_spend,
            audit.days.iter().map(|day| day.spent).max().unwrap()
        );
    }
}

#[test]
fn some_days_are_spent_up_to_the_limit_and_none_beyond() {
    let mut world = world(11, "UTC", Faults::none());
    world.advance_to(BEGIN.plus(24 * 60).start());
    // Nobody writes: the limit of a day is the same on all.
    let limit = [
        ("6", 1_750_000),
        ("4", 1_750_000),
        ("3", 2_000_000),
        ("4", 2_000_000),
    ]
    .map(|(budget, omega)| {
        let budget: Micros = budget.parse().unwrap();
        budget
            .checked_scale(Ratio::from_ppm(omega), Rounding::Up)
            .unwrap()
            .get()
    })
    .iter()
    .sum::<i64>();
    let audit = world.audit();
    assert!(audit.days.iter().all(|day| day.worst.get() == limit));
    assert!(
        audit.largest_spend.get() > limit * 3 / 4,
        "{}",
        audit.largest_spend
    );
    assert!(audit.largest_spend.get() <= limit);
}

#[test]
fn the_highest_budget_of_a_day_counts_until_midnight() {
    let mut world = world(2, "UTC", Faults::none());
    let key = prospecting();
    for (hour, units) in [(1, 9), (2, 2), (26, 3)] {
        world.advance_to(BEGIN.plus(hour).start());
        assert!(matches!(
            write(&mut world, &key, units, 1),
            Some(WriteOutcome::Applied { .. })
        ));
    }
    world.advance_to(BEGIN.plus(79).start());
    let audit = world.audit();
    let highest: Vec<i64> = audit
        .days
        .iter()
        .map(|day| {
            let found = day.highest.iter().find(|(known, _)| *known == key);
            found.unwrap().1.get() / 1_000_000
        })
        .collect();
    // BEGIN is 16:00; the raise to 9 is of the first day, the 3 of the second.
    assert_eq!(BEGIN.start().to_rfc3339(), "2026-03-29T16:00:00+00:00");
    assert_eq!(highest, [9, 3, 3, 3]);
}

#[test]
fn every_fate_occurs_and_is_what_it_says() {
    let mut world = world(3, "UTC", Faults::rough());
    let key = prospecting();
    let mut told: BTreeMap<&str, u32> = BTreeMap::new();
    let mut expected = 6;
    for hour in 0..600_u32 {
        world.advance_to(BEGIN.plus(i32::try_from(hour).unwrap()).start());
        let units = 2 + i64::from(hour % 7);
        let seen = world.audit().writes.len();
        let outcome = write(&mut world, &key, units, hour);
        let fate = world.audit().writes[seen].fate;
        let (name, takes_effect) = match (&outcome, fate) {
            (Some(WriteOutcome::Applied { daily_budget }), Fate::Applied | Fate::Doubled) => {
                assert_eq!(daily_budget.get(), units * 1_000_000);
                ("applied", true)
            }
            (Some(WriteOutcome::Rejected(_)), Fate::Rejected) => ("rejected", false),
            (None, Fate::Unanswered) => ("unanswered", true),
            (None, Fate::Lost | Fate::HeldUp) => ("lost", false),
            other => panic!("{other:?}"),
        };
        *told.entry(name).or_default() += 1;
        if takes_effect {
            expected = units;
        }
        assert_eq!(world.audit().writes[seen].to.get(), units * 1_000_000);
        let now = loop {
            match world.answer(Ask::Budgets {
                platform: Platform::Meta,
            }) {
                Some(Answer::Budgets { readings }) => break readings[0].daily_budget,
                Some(Answer::Failed { .. }) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(now.get(), expected * 1_000_000, "{fate:?}");
        // What is held up or doubled arrives before the next hour begins.
        world.advance_to(world.now() + TimeDelta::seconds(900));
        if matches!(fate, Fate::HeldUp | Fate::Doubled) {
            let last = world.audit().writes.pop().unwrap();
            assert_eq!(
                (last.fate, last.decision),
                (Fate::Arrived, DecisionId::new(hour.into()))
            );
            assert!(last.at <= last.sent + TimeDelta::seconds(900));
            expected = units;
        }
    }
    let counts = world.audit().counts;
    for fate in [
        "applied",
        "unanswered",
        "doubled",
        "lost",
        "held_up",
        "arrived",
        "rejected",
    ] {
        assert!(counts[fate] >= 10, "{fate}: {counts:?}");
    }
    assert!(counts["budgets_failed"] >= 5);
    assert_eq!(told.len(), 4);
}

#[test]
fn what_is_older_than_the_request_lifetime_never_takes_effect() {
    let mut world = world(4, "UTC", Faults::none());
    let key = prospecting();
    let sent = world.now();
    world.advance_to(sent + TimeDelta::seconds(900));
    assert!(send(&mut world, &key, 5, 1, sent).is_some());
    world.advance_to(sent + TimeDelta::seconds(901));
    assert_eq!(send(&mut world, &key, 8, 2, sent), None);
    assert_eq!(standing(&mut world, &key).get(), 5_000_000);
    assert_eq!(world.audit().counts["stale"], 1);
}

#[test]
fn the_platforms_rules_hold() {
    let mut world = world(4, "UTC", Faults::none());
    let unknown = AdSetKey::new(Platform::Meta, "none-such");
    let elsewhere = AdSetKey::new(Platform::TikTok, "prospecting");
    for key in [unknown, elsewhere] {
        assert!(matches!(
            write(&mut world, &key, 5, 1),
            Some(WriteOutcome::Rejected(_))
        ));
    }
    let key = prospecting();
    assert!(matches!(
        write(&mut world, &key, 0, 2),
        Some(WriteOutcome::Rejected(_))
    ));
    for number in 0..4 {
        let outcome = write(&mut world, &key, 5, number);
        assert!(matches!(outcome, Some(WriteOutcome::Applied { .. })));
    }
    let Some(WriteOutcome::Rejected(error)) = write(&mut world, &key, 7, 9) else {
        panic!("the fifth edit of an hour");
    };
    assert_eq!(error.kind().as_str(), "rate_limited");
    assert_eq!(standing(&mut world, &key).get(), 5_000_000);
}

#[test]
fn chance_does_not_depend_on_who_asks() {
    let days = |asks: usize| {
        let mut world = world(9, "UTC", Faults::none());
        for hour in 0..100 {
            world.advance_to(BEGIN.plus(hour).start());
            for _ in 0..asks {
                world.answer(Ask::Now);
            }
        }
        world.audit().days
    };
    assert_eq!(days(0), days(3));
    let other = {
        let mut world = world(10, "UTC", Faults::none());
        world.advance_to(BEGIN.plus(99).start());
        world.audit().days
    };
    assert_ne!(days(0), other);
}
