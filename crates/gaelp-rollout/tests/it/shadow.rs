//! Shadow mode: reads, decides, logs, and writes nothing.

use std::collections::BTreeMap;

use chrono::{TimeZone, Utc};
use gaelp_core::{AccountZone, Currency, HourSpan, Micros, Platform, UtcHour};
use gaelp_guardrails::rules;
use gaelp_platform::{Capabilities, ErrorKind, InMemoryShop, OrderEvent, Report};
use gaelp_rollout::{
    ActionStatus, AlertKind, Command, Event, MemoryJournal, Record, RevenueFrom, Rollout,
    RolloutConfig,
};

use crate::support::{
    START, actions, alerts, hours, key, meta, micros, open_rules, platform, roll, row, run,
};

fn config() -> RolloutConfig {
    RolloutConfig {
        guardrails: open_rules(),
        ..RolloutConfig::default()
    }
}

#[test]
fn shadow_mode_writes_nothing_whatever_it_decides() {
    let platform = platform(&[("a", "24"), ("b", "24")]);
    platform
        .load((0..72).map(|h| row("a", START.plus(h), "1", "4")))
        .unwrap();
    platform
        .load((0..72).map(|h| row("b", START.plus(h), "1", "0")))
        .unwrap();
    let records = run(config(), &platform, None, 72);
    assert!(platform.writes().is_empty());
    let actions = actions(&records);
    assert_eq!(actions.len(), 2 * 72);
    assert!(
        actions
            .iter()
            .all(|action| action.status == ActionStatus::Shadow)
    );
    let changed = actions
        .iter()
        .filter(|a| a.decision.allowed != a.decision.current)
        .count();
    assert!(
        changed > 72,
        "only {changed} suggestions change anything: the test shows nothing"
    );
}

#[test]
fn an_emergency_in_shadow_mode_ends_with_its_day() {
    let platform = platform(&[("a", "24")]);
    platform
        .load((0..72).map(|h| row("a", START.plus(h), if h < 24 { "1" } else { "0.10" }, "4")))
        .unwrap();
    let mut config = config();
    config.guardrails.daily_cap = micros("5");
    let records = run(config, &platform, None, 72);
    assert_eq!(alerts(&records, AlertKind::Emergency).len(), 1);
    let mut stopped = 0;
    for action in actions(&records) {
        let reasons = &action.decision.reasons;
        let objects = |rule: &_| reasons.iter().any(|reason| reason.rule == *rule);
        let stops = objects(&rules::EMERGENCY);
        stopped += usize::from(stops);
        let first_day = action.decision.span.from < START.plus(24);
        assert!(
            first_day || !(stops || objects(&rules::PAUSED)),
            "{reasons:?}"
        );
    }
    assert!(stopped > 10, "{stopped}");
}

#[test]
fn the_same_events_give_the_same_records() {
    let records = |seed| {
        let platform = platform(&[]);
        platform
            .load((0..96).map(|h| row("a", START.plus(h), "0.50", "1")))
            .unwrap();
        let config = RolloutConfig {
            seed: gaelp_core::Seed::new(seed),
            ..config()
        };
        run(config, &platform, None, 96)
    };
    assert_eq!(records(1), records(1));
    assert_ne!(records(1), records(2));
}

#[test]
fn without_budgets_the_rate_in_force_is_what_was_spent_per_reported_hour() {
    let platform = platform(&[]);
    platform
        .load((0..30).map(|h| row("a", START.plus(h), if h < 6 { "2" } else { "1" }, "0")))
        .unwrap();
    let records = run(config(), &platform, None, 30);
    let currents: Vec<_> = actions(&records)
        .iter()
        .map(|a| a.decision.current)
        .collect();
    // Nothing is known in the first hour: no decision. Then the mean over at most 24 hours.
    assert_eq!(currents.len(), 29);
    assert_eq!(currents[5], micros("2"));
    assert_eq!(currents[23], micros("1.25")); // six hours at 2, eighteen at 1
    assert_eq!(currents[28], micros("1.041666")); // one hour at 2, twenty-three at 1
}

#[test]
fn a_report_that_fails_stops_raises_and_is_read_again() {
    let mut rollout = Rollout::new(config(), vec![meta()]).unwrap();
    let begin = |rollout: &mut Rollout, hour: i32| {
        rollout
            .handle(
                START.start(),
                Event::StepBegins {
                    span: HourSpan::hour(START.plus(hour)),
                },
            )
            .unwrap()
    };
    let budgets = || Event::Budgets {
        platform: Platform::Meta,
        readings: Vec::new(),
    };
    let span_read = |commands: &[Command]| match &commands[0] {
        Command::ReadReport { span, .. } => *span,
        other => panic!("expected a report to be read first, not {other:?}"),
    };
    begin(&mut rollout, 12);
    let rows = (0..12).map(|h| row("a", START.plus(h), "1", "5")).collect();
    let report = Report {
        rows,
        complete_before: START.plus(12),
    };
    rollout
        .handle(
            START.start(),
            Event::Reported {
                platform: Platform::Meta,
                report,
            },
        )
        .unwrap();
    rollout.handle(START.start(), budgets()).unwrap();
    for hour in 13..18 {
        let commands = begin(&mut rollout, hour);
        // What was missed is asked for again, from where it was complete.
        assert_eq!(
            span_read(&commands),
            HourSpan::new(START.plus(12), START.plus(hour))
        );
        let failed = Event::ReportFailed {
            platform: Platform::Meta,
            kind: ErrorKind::Retryable,
        };
        rollout.handle(START.start(), failed).unwrap();
        let decided = rollout.handle(START.start(), budgets()).unwrap();
        let Command::Record(records) = &decided[0] else {
            panic!("nothing was recorded")
        };
        assert_eq!(alerts(records, AlertKind::ReportFailed).len(), 1);
        let action = actions(records)[0];
        if hour > 15 {
            assert!(action.decision.allowed <= action.decision.current);
            let stale = action
                .decision
                .reasons
                .iter()
                .any(|r| r.rule.as_str() == "stale_data");
            assert!(stale, "hour {hour}: {:?}", action.decision.reasons);
        }
    }
}

#[test]
fn which_platform_answers_first_does_not_matter() {
    let google = Capabilities::google(Currency::USD, AccountZone::UTC);
    let decided = |google_first: bool| {
        let platforms = vec![meta(), google.clone()];
        let mut rollout = Rollout::new(config(), platforms).unwrap();
        rollout
            .handle(
                START.start(),
                Event::StepBegins {
                    span: HourSpan::hour(START.plus(6)),
                },
            )
            .unwrap();
        let report = |platform: Platform| {
            let rows = (0..6)
                .map(|h| {
                    let mut row = row("a", START.plus(h), "1", "2");
                    row.key.platform = platform.clone();
                    row
                })
                .collect();
            let report = Report {
                rows,
                complete_before: START.plus(6),
            };
            [
                Event::Reported {
                    platform: platform.clone(),
                    report,
                },
                Event::Budgets {
                    platform,
                    readings: Vec::new(),
                },
            ]
        };
        let mut events = [report(Platform::Meta), report(Platform::Google)].concat();
        if google_first {
            events.rotate_left(2);
        }
        events
            .into_iter()
            .flat_map(|event| rollout.handle(START.start(), event).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(decided(true), decided(false));
    assert_eq!(decided(true).len(), 1);
}

#[test]
fn orders_are_credited_in_proportion_to_spend_and_to_the_micro() {
    let platform = platform(&[]);
    platform
        .load((0..10).map(|h| row("a", START.plus(h), "0.30", "9")))
        .unwrap();
    platform
        .load((0..10).map(|h| row("b", START.plus(h), "0.10", "9")))
        .unwrap();
    let shop = InMemoryShop::new();
    let at = |hour: i32| START.plus(hour).start() + chrono::Duration::minutes(17);
    let sale =
        |id: &str, hour, amount: &str| OrderEvent::sale(id, at(hour), micros(amount)).unwrap();
    let refund = OrderEvent::refund("1", 1, at(6), micros("-10.01")).unwrap();
    shop.load([sale("1", 2, "10.01"), sale("2", 5, "33.33"), refund])
        .unwrap();
    let config = RolloutConfig {
        revenue: RevenueFrom::Shop,
        ..config()
    };
    let records = run(config, &platform, Some(&shop), 10);
    let credited = |name: &str| {
        let parts = records.iter().filter_map(|record| match record {
            Record::Credit(credit) if credit.key == key(name) => Some(credit.revenue),
            _ => None,
        });
        Micros::checked_sum(parts).unwrap()
    };
    // The refund of the first order undoes its credit: three quarters and one quarter of 33.33.
    assert_eq!(credited("a"), micros("24.9975"));
    assert_eq!(credited("b"), micros("8.3325"));
    // What the platform claims is not counted on top.
    let last = actions(&records).len();
    assert!(last > 0);
    let rewards: i64 = records
        .iter()
        .filter_map(|record| match record {
            Record::Experience(experience) => Some(experience.reward.get()),
            _ => None,
        })
        .sum();
    // Hours 1 to 9 were decided; all credits lie in them: 33.33 − 1.2 × 9 × 0.40.
    assert_eq!(rewards, 33_330_000 - 4_320_000);
}

#[test]
fn orders_of_hours_without_a_row_count_with_the_last_row_before() {
    let platform = platform(&[]);
    let delivered = (0..6).chain(10..14);
    platform
        .load(delivered.map(|h| row("a", START.plus(h), "0.30", "0")))
        .unwrap();
    let shop = InMemoryShop::new();
    let sale =
        |id: &str, hour: i32| OrderEvent::sale(id, START.plus(hour).start(), micros("25")).unwrap();
    shop.load([sale("1", 7), sale("2", 8)]).unwrap();
    let config = RolloutConfig {
        revenue: RevenueFrom::Shop,
        ..config()
    };
    let records = run(config, &platform, Some(&shop), 14);
    let earned: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Experience(e) if !e.reward.is_negative() => Some(e.span.from.since(START)),
            _ => None,
        })
        .collect();
    // Nothing was reported for the hours of the orders: both count with hour 5.
    let credits: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Credit(credit) => Some((credit.span.from.since(START), credit.revenue)),
            _ => None,
        })
        .collect();
    assert_eq!(credits, [(5, micros("25")), (5, micros("25"))]);
    let states = records.iter().filter_map(|record| match record {
        Record::Experience(e) => Some(e.state.revenue_24h),
        _ => None,
    });
    assert_eq!(states.max(), Some(micros("50")), "{earned:?}");
}

#[test]
fn orders_without_any_spend_are_reported_not_lost_in_silence() {
    let platform = platform(&[]);
    let shop = InMemoryShop::new();
    shop.load([OrderEvent::sale("1", START.start(), micros("5")).unwrap()])
        .unwrap();
    let config = RolloutConfig {
        revenue: RevenueFrom::Shop,
        ..config()
    };
    let records = run(config, &platform, Some(&shop), 3);
    assert_eq!(alerts(&records, AlertKind::Unattributed).len(), 1);
}

#[test]
fn a_contradiction_is_alerted_and_the_hour_is_not_believed() {
    let mut rollout = Rollout::new(config(), vec![meta()]).unwrap();
    rollout
        .handle(
            START.start(),
            Event::StepBegins {
                span: HourSpan::hour(START.plus(2)),
            },
        )
        .unwrap();
    let mut rows = vec![row("a", START, "1", "0"), row("a", START.plus(1), "1", "0")];
    rows.push(row("a", START, "2", "0"));
    let report = Report {
        rows,
        complete_before: START.plus(2),
    };
    rollout
        .handle(
            START.start(),
            Event::Reported {
                platform: Platform::Meta,
                report,
            },
        )
        .unwrap();
    let budgets = Event::Budgets {
        platform: Platform::Meta,
        readings: Vec::new(),
    };
    let commands = rollout.handle(START.start(), budgets).unwrap();
    let Command::Record(records) = &commands[0] else {
        panic!("nothing was recorded")
    };
    assert_eq!(alerts(records, AlertKind::Contradiction).len(), 1);
}

#[test]
fn daily_reports_are_decided_by_the_day_across_a_clock_change() {
    let zone: AccountZone = "America/New_York".parse().unwrap();
    let first = chrono::NaiveDate::from_ymd_opt(2026, 10, 26).unwrap();
    let days: Vec<HourSpan> = first
        .iter_days()
        .take(10)
        .map(|date| zone.day(date).unwrap())
        .collect();
    assert_eq!(days.iter().map(|d| d.len()).sum::<u32>(), 241);
    let capabilities = meta();
    let platform = gaelp_platform::InMemoryPlatform::new(capabilities.clone(), days[0].from);
    platform
        .load(days.iter().map(|day| {
            let mut row = row("a", day.from, "24", "60");
            row.span = *day;
            row
        }))
        .unwrap();
    let config = RolloutConfig { zone, ..config() };
    let mut rollout = Rollout::new(config, vec![capabilities]).unwrap();
    let platforms = BTreeMap::from([(Platform::Meta, &platform)]);
    let mut journal = MemoryJournal::new();
    let steps = days
        .iter()
        .copied()
        .inspect(|day| platform.set_now(day.from));
    roll(&mut rollout, &platforms, None, &mut journal, steps);
    let actions = actions(journal.records());
    assert_eq!(actions.len(), 9); // on the first day nothing is known
    assert!(
        actions
            .iter()
            .all(|action| action.decision.span.len() >= 24)
    );
    let closed = journal
        .records()
        .iter()
        .filter(|r| matches!(r, Record::BudgetState(_)))
        .count();
    assert_eq!(closed, 2 * 9); // the account's and the platform's
}

#[test]
fn hours_are_enough_and_no_clock_is_read() {
    // The same hours fifty years later give the same decisions: nothing depends on today.
    let decided = |start: UtcHour| {
        let platform = gaelp_platform::InMemoryPlatform::new(meta(), start.plus(8));
        platform
            .load((0..8).map(|h| row("a", start.plus(h), "1", "3")))
            .unwrap();
        let mut rollout = Rollout::new(config(), vec![meta()]).unwrap();
        let platforms = BTreeMap::from([(Platform::Meta, platform)]);
        let mut journal = MemoryJournal::new();
        let steps = (4..8).map(|h| HourSpan::hour(start.plus(h)));
        roll(&mut rollout, &platforms, None, &mut journal, steps);
        actions(journal.records())
            .iter()
            .map(|a| a.decision.current)
            .collect::<Vec<_>>()
    };
    let later = UtcHour::containing(Utc.with_ymd_and_hms(2075, 11, 25, 0, 0, 0).unwrap());
    assert_eq!(decided(START), decided(later));
    assert_eq!(hours(3).count(), 3);
}
