//! Each fault at the border does what its name says, and is counted when it does.

use chrono::Duration;
use gaelp_core::{
    AccountZone, AdSetKey, Currency, DecisionId, HourSpan, Micros, Platform, Seed, UtcHour,
};
use gaelp_platform::{Capabilities, ErrorKind, Report, SetBudget, WriteOutcome};
use gaelp_sim::{AdSetConfig, Border, FaultKind, Planned, TOKEN, World, WorldConfig};

const BEGIN: UtcHour = UtcHour::new(490_008);

fn google() -> Capabilities {
    Capabilities::google(Currency::USD, AccountZone::UTC)
}

fn key(number: usize) -> AdSetKey {
    AdSetKey::new(Platform::Google, format!("set-{number}"))
}

/// Two ad sets, a day old.
fn border(kinds: &[FaultKind]) -> Border {
    let ad_sets = (0..2).map(|n| AdSetConfig::new(key(n), "10".parse().unwrap()));
    let config = WorldConfig {
        platforms: vec![google()],
        ad_sets: ad_sets.collect(),
        ..WorldConfig::empty(BEGIN, AccountZone::UTC)
    };
    let mut world = World::new(config, Seed::new(5)).unwrap();
    world.advance(24 * 3_600);
    let mut border = Border::new(world, Duration::seconds(900), Seed::new(5));
    for &kind in kinds {
        border.begin(Planned {
            hour: 24,
            kind,
            lasts: 2,
            details: 12_345,
        });
    }
    border
}

fn report(border: &mut Border) -> Report {
    border
        .report(&google(), HourSpan::new(BEGIN, BEGIN.plus(24)))
        .unwrap()
}

fn write(border: &mut Border, daily_budget: &str) -> WriteOutcome {
    border.set_budget(&SetBudget {
        key: key(0),
        daily_budget: daily_budget.parse().unwrap(),
        decision: DecisionId::new(1),
    })
}

fn standing(border: &Border) -> Micros {
    border.world().standing(&key(0)).unwrap()
}

fn spend(report: &Report) -> i128 {
    report
        .rows
        .iter()
        .map(|row| i128::from(row.metrics.spend.get()))
        .sum()
}

#[test]
fn without_faults_it_is_the_world() {
    let mut border = border(&[]);
    let truth = border
        .world()
        .report(&google(), HourSpan::new(BEGIN, BEGIN.plus(24)));
    assert_eq!(report(&mut border), truth);
    assert_eq!(
        border.budgets(&google()).unwrap(),
        border.world().budgets(&google())
    );
    assert!(matches!(
        write(&mut border, "9"),
        WriteOutcome::Applied { .. }
    ));
    assert!(border.is_calm() && border.injected().kinds().is_empty());
}

#[test]
fn reports_fail_lag_and_lose_rows() {
    for kind in [FaultKind::StaleReport, FaultKind::Outage] {
        let mut failing = border(&[kind]);
        let span = HourSpan::new(BEGIN, BEGIN.plus(24));
        assert_eq!(
            failing.report(&google(), span).unwrap_err().kind(),
            ErrorKind::Retryable
        );
        assert_eq!(failing.injected().of(kind), 1);
        // Two hours later it is over.
        assert!(!failing.is_calm());
        failing.world_mut().advance(2 * 3_600);
        assert!(failing.is_calm() && failing.report(&google(), span).is_ok());
    }
    let whole = report(&mut border(&[]));
    let late = report(&mut border(&[FaultKind::LateReport]));
    assert!(late.complete_before < whole.complete_before && late.rows.len() < whole.rows.len());
    assert!(
        late.rows
            .iter()
            .all(|row| row.span.to <= late.complete_before)
    );
    let holes = report(&mut border(&[FaultKind::MissingRows]));
    assert_eq!(holes.complete_before, whole.complete_before);
    assert!(holes.rows.len() < whole.rows.len() * 3 / 4 && !holes.rows.is_empty());
}

#[test]
fn rows_are_restated_doubled_disordered_and_contradicted() {
    let whole = report(&mut border(&[]));
    let mut restating = border(&[FaultKind::Restatement]);
    let restated = report(&mut restating);
    let changed = restated.rows.iter().filter(|row| !whole.rows.contains(row));
    let changed: Vec<_> = changed.collect();
    assert!(!changed.is_empty() && changed.iter().all(|row| row.revision.get() >= 1_000));
    // What was corrected stays so.
    assert_eq!(report(&mut restating), restated);

    let twice = report(&mut border(&[FaultKind::DuplicateRows]));
    assert_eq!(twice.rows.len(), 2 * whole.rows.len());
    assert_eq!(spend(&twice), 2 * spend(&whole));

    let disordered = report(&mut border(&[FaultKind::ReorderedRows]));
    assert!(whole.rows.iter().all(|row| disordered.rows.contains(row)));
    assert!(!disordered.rows.is_sorted_by_key(|row| row.span.from));
    assert!(
        disordered.rows.len() > whole.rows.len(),
        "no older revision came along"
    );

    let contradicted = report(&mut border(&[FaultKind::Contradiction]));
    for row in &whole.rows {
        let same = |other: &&gaelp_core::MetricRow| {
            (&other.key, other.span, other.revision) == (&row.key, row.span, row.revision)
        };
        assert_eq!(contradicted.rows.iter().filter(same).count(), 2);
    }
}

#[test]
fn figures_are_malformed_and_inputs_are_huge() {
    let negative = report(&mut border(&[FaultKind::MalformedFigures]));
    assert_eq!(
        negative
            .rows
            .iter()
            .filter(|row| row.metrics.spend.is_negative())
            .count(),
        1
    );
    let overflowing = report(&mut border(&[FaultKind::OverflowFigures]));
    assert_eq!(
        overflowing
            .rows
            .iter()
            .filter(|row| row.metrics.clicks == u64::MAX)
            .count(),
        1
    );
    let huge = report(&mut border(&[FaultKind::HugeInput]));
    assert!(huge.rows.len() > 300);
    assert!(huge.rows.iter().any(|row| row.span.from > BEGIN.plus(24)));
    assert!(
        huge.rows
            .iter()
            .any(|row| row.key.ad_set.as_str().starts_with("unknown"))
    );
}

#[test]
fn budgets_are_not_read_or_have_holes() {
    let failed = border(&[FaultKind::BudgetsFail]).budgets(&google());
    assert!(failed.is_err());
    assert_eq!(
        border(&[FaultKind::BudgetHoles])
            .budgets(&google())
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn writes_are_lost_held_up_refused_and_cut() {
    let mut heard = border(&[FaultKind::TimeoutAfterApply]);
    assert!(matches!(write(&mut heard, "9"), WriteOutcome::Unknown(_)));
    assert_eq!(standing(&heard), "9".parse().unwrap());

    let mut lost = border(&[FaultKind::TimeoutBeforeApply]);
    assert!(matches!(write(&mut lost, "9"), WriteOutcome::Unknown(_)));
    lost.world_mut().advance(7_200);
    assert_eq!(standing(&lost), "10".parse().unwrap());

    let mut late = border(&[FaultKind::LateApply]);
    assert!(matches!(write(&mut late, "9"), WriteOutcome::Unknown(_)));
    assert_eq!(standing(&late), "10".parse().unwrap());
    late.world_mut().advance(900);
    assert_eq!(standing(&late), "9".parse().unwrap());

    let mut limited = border(&[FaultKind::RateLimit]);
    let WriteOutcome::Rejected(error) = write(&mut limited, "9") else {
        panic!("not refused");
    };
    assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }));
    assert_eq!(standing(&limited), "10".parse().unwrap());

    let mut less = border(&[FaultKind::OtherAmount]);
    let WriteOutcome::Applied { daily_budget } = write(&mut less, "9") else {
        panic!("not applied");
    };
    assert!(daily_budget < "9".parse().unwrap() && standing(&less) == daily_budget);
}

#[test]
fn writes_of_an_hour_fare_differently() {
    let mut fared = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let mut partial = border(&[FaultKind::PartialApply]);
        for cents in 0..40 {
            let outcome = write(&mut partial, &format!("9.{:02}", cents + 10));
            fared.insert(match outcome {
                WriteOutcome::Applied { .. } => "applied",
                WriteOutcome::Rejected(_) => "rejected",
                WriteOutcome::Unknown(_) => "unknown",
            });
        }
    }
    assert_eq!(fared.len(), 3);
}

#[test]
fn errors_say_too_much_when_told_to() {
    let mut leaking = border(&[FaultKind::TokenInError, FaultKind::BudgetsFail]);
    let error = leaking.budgets(&google()).unwrap_err();
    assert!(error.to_string().contains(TOKEN));
    assert_eq!(leaking.injected().of(FaultKind::TokenInError), 1);
    let quiet = border(&[FaultKind::BudgetsFail])
        .budgets(&google())
        .unwrap_err();
    assert!(!quiet.to_string().contains(TOKEN));
}
