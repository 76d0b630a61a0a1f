//! A run's journal: idempotent, whole commits, and in agreement with the journal in memory.

mod drawn;

use std::collections::BTreeMap;

use gaelp_core::{
    AdSetKey, ArmId, Choice, DecisionId, HourSpan, Level, MetricRow, Micros, Operand, Platform,
    PolicyVersion, Propensity, PropensityMethod, Ratio, Reason, Restated, Revision, RuleId,
    UtcHour,
};
use gaelp_rollout::{
    ActionRecord, ActionStatus, ExperienceRecord, Journal, MemoryJournal, Mode, PlanRecord, Record,
};
use gaelp_store::{RecordKey, RunId, Store, StoreError};
use pollster::block_on;
use proptest::prelude::*;

use crate::support::{
    NOON, action, alert, budget_state, commit, correction, credit, decision, dump, experience,
    key_strategy, metric_row, plan, records, state,
};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const RUN: RunId = RunId::new([7; 32]);
const STATUSES: [ActionStatus; 6] = [
    ActionStatus::Shadow,
    ActionStatus::Unchanged,
    ActionStatus::Pending,
    ActionStatus::Applied,
    ActionStatus::Rejected,
    ActionStatus::Unknown,
];

fn all<T>(records: impl Iterator<Item = Result<T, StoreError>>) -> Result<Vec<T>, StoreError> {
    records.collect()
}

/// What is known after some records, whoever kept them: the check that both journals pass.
fn agrees(store: &Store, run: RunId, memory: &MemoryJournal) -> Result<(), TestCaseError> {
    let mut actions = BTreeMap::<DecisionId, ActionRecord>::new();
    let mut experiences = BTreeMap::new();
    let mut corrections = Vec::new();
    let mut states = BTreeMap::new();
    let mut alerts = Vec::new();
    let mut metrics = BTreeMap::<_, MetricRow>::new();
    let mut credits = Vec::new();
    let mut plans = Vec::new();
    for record in memory.records() {
        match record.clone() {
            Record::Action(action) => {
                actions.insert(action.decision.id, *action);
            }
            Record::Experience(experience) => {
                experiences.insert(experience.decision, *experience);
            }
            Record::Correction(correction) if !corrections.contains(&correction) => {
                corrections.push(correction);
            }
            Record::BudgetState(state) => {
                let name = state.platform.as_ref().map(ToString::to_string);
                states.insert((state.date, name), state);
            }
            Record::Alert(alert) if !alerts.contains(&alert) => alerts.push(alert),
            Record::Plan(plan) if !plans.contains(&plan) => plans.push(plan),
            Record::Credit(credit) if !credits.contains(&credit) => credits.push(credit),
            Record::Metrics(row) => {
                let place = (row.key.clone(), row.span.from, row.span.to);
                let known = metrics.entry(place).or_insert_with(|| row.clone());
                assert_ne!(known.restate(&row), Restated::Contradicted);
            }
            _ => {}
        }
    }
    let place = |key: &AdSetKey, span: HourSpan, id: DecisionId| {
        (
            span.from,
            span.to,
            key.platform.to_string(),
            key.ad_set.to_string(),
            id,
        )
    };
    let mut actions: Vec<_> = actions.into_values().collect();
    actions.sort_by_key(|a| place(&a.decision.key, a.decision.span, a.decision.id));
    prop_assert_eq!(all(store.actions(run))?, actions);
    let mut experiences: Vec<_> = experiences.into_values().collect();
    experiences.sort_by_key(|e: &ExperienceRecord| place(&e.key, e.span, e.decision));
    prop_assert_eq!(all(store.experiences(run))?, experiences);
    prop_assert_eq!(all(store.corrections(run))?, corrections);
    prop_assert_eq!(all(store.alerts(run))?, alerts);
    prop_assert_eq!(
        store.budget_states(run)?,
        states.into_values().collect::<Vec<_>>()
    );
    let mut metrics: Vec<_> = metrics.into_values().collect();
    metrics.sort_by_key(|row| {
        let (platform, ad_set) = (row.key.platform.to_string(), row.key.ad_set.clone());
        (row.span.from, platform, ad_set, row.span.to)
    });
    prop_assert_eq!(all(store.run_rows(run)?)?, metrics);
    prop_assert_eq!(all(store.credits(run))?, credits);
    let plans: Vec<PlanRecord> = plans.into_iter().map(|plan| *plan).collect();
    prop_assert_eq!(all(store.plans(run))?, plans);
    Ok(())
}

#[test]
fn again_is_the_same_as_once() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    let mut memory = MemoryJournal::new();
    let mut journal = store.journal(RUN);
    for n in 0..50 {
        commit(&mut journal, records(n))?;
        block_on(memory.append(records(n)))?;
    }
    agrees(&store, RUN, &memory).expect("both hold the same");
    drop((journal, store));
    let before = dump(&path);
    for _ in 0..2 {
        let store = Store::open(&path)?;
        let mut journal = store.journal(RUN);
        for n in (0..50).rev() {
            commit(&mut journal, records(n))?;
        }
        store.check_integrity()?;
    }
    assert_eq!(dump(&path), before);
    Ok(())
}

#[test]
fn a_credit_is_stored_once_and_never_rewritten() -> Outcome {
    let store = Store::open_in_memory()?;
    let mut journal = store.journal(RUN);
    for _ in 0..2 {
        commit(&mut journal, vec![Record::Credit(credit(3))])?;
    }
    assert_eq!(all(store.credits(RUN))?, [credit(3)]);
    let mut other = credit(3);
    other.revenue = Micros::new(-1);
    let refused = commit(&mut journal, vec![Record::Credit(other)]);
    let Err(StoreError::Conflict {
        table: "credits",
        key,
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(matches!(*key, RecordKey::Credit { .. }), "{key}");
    Ok(())
}

#[test]
fn runs_are_apart() -> Outcome {
    let store = Store::open_in_memory()?;
    let other = RunId::new([8; 32]);
    assert_eq!(store.counts(RUN)?, gaelp_store::Counts::default());
    assert_eq!(store.actions(RUN).count(), 0);
    commit(&mut store.journal(RUN), records(1))?;
    assert_eq!(store.counts(RUN)?.actions, 1);
    assert_eq!(store.actions(other).count(), 0);
    commit(&mut store.journal(other), records(1))?;
    commit(&mut store.journal(other), records(2))?;
    let (one, two) = (store.counts(RUN)?, store.counts(other)?);
    for (one, two) in [
        (one.actions, two.actions),
        (one.experiences, two.experiences),
        (one.corrections, two.corrections),
        (one.budget_states, two.budget_states),
        (one.alerts, two.alerts),
        (one.metrics, two.metrics),
    ] {
        assert_eq!((one, two), (1, 2));
    }
    Ok(())
}

/// Every status after every other: only the ways forward are gone.
#[test]
fn a_status_only_moves_forward() -> Outcome {
    use ActionStatus::{Applied, Pending, Rejected, Unknown};
    for from in STATUSES {
        for to in STATUSES {
            let store = Store::open_in_memory()?;
            let mut journal = store.journal(RUN);
            let news = ActionRecord {
                sent: None,
                read_back: Some(Micros::new(9)),
                ..action(1, to)
            };
            commit(
                &mut journal,
                vec![Record::Action(Box::new(action(1, from)))],
            )?;
            commit(&mut journal, vec![Record::Action(Box::new(news.clone()))])?;
            let forward = matches!(
                (from, to),
                (Pending, Applied | Rejected | Unknown) | (Unknown, Applied | Rejected)
            );
            let expected = ActionRecord {
                // What was sent is not forgotten because a later record does not repeat it.
                sent: action(1, from).sent,
                read_back: (forward || from == to).then_some(Micros::new(9)),
                ..action(1, if forward { to } else { from })
            };
            assert_eq!(all(store.actions(RUN))?, [expected], "{from:?} to {to:?}");
        }
    }
    Ok(())
}

#[test]
fn other_content_under_a_known_key_is_a_conflict() -> Outcome {
    let store = Store::open_in_memory()?;
    let known = records(2);
    commit(&mut store.journal(RUN), known.clone())?;
    let before = store.counts(RUN)?;
    let mut other_decision = action(2, ActionStatus::Pending);
    other_decision.decision.reasons.clear();
    let mut other_mode = action(2, ActionStatus::Pending);
    other_mode.mode = Mode::Shadow;
    let mut other_touches = experience(2);
    other_touches.touchpoints.pop();
    let mut other_next = experience(2);
    other_next.next_state = Some(state(99));
    let mut other_delta = correction(2);
    other_delta.delta = Micros::new(1);
    let mut other_day = budget_state(2);
    other_day.target_spend = Some(Micros::ZERO);
    let mut other_plan = plan(2);
    other_plan.arms[0].proposed = Micros::ZERO;
    let mut other_metrics = metric_row(2);
    other_metrics.metrics.clicks += 1;
    let id = RecordKey::Decision(decision(2).id);
    let cases = [
        (
            "actions_log",
            id.clone(),
            Record::Action(Box::new(other_decision)),
        ),
        (
            "actions_log",
            id.clone(),
            Record::Action(Box::new(other_mode)),
        ),
        (
            "experiences",
            id.clone(),
            Record::Experience(Box::new(other_touches)),
        ),
        ("experiences", id, Record::Experience(Box::new(other_next))),
        (
            "reward_corrections",
            RecordKey::Correction {
                touchpoint: other_delta.touchpoint.clone(),
                number: other_delta.number,
            },
            Record::Correction(other_delta),
        ),
        (
            "budget_state",
            RecordKey::BudgetState {
                date: other_day.date,
                platform: other_day.platform.clone(),
            },
            Record::BudgetState(other_day),
        ),
        (
            "plans",
            RecordKey::Plan {
                span: other_plan.span,
            },
            Record::Plan(Box::new(other_plan)),
        ),
        (
            "metrics_hourly",
            RecordKey::Metric {
                key: other_metrics.key.clone(),
                span: other_metrics.span,
                revision: other_metrics.revision,
            },
            Record::Metrics(other_metrics),
        ),
    ];
    for (expected_table, expected_key, record) in cases {
        let mut journal = store.journal(RUN);
        // Something new goes with it, and must not be stored either.
        let batch = vec![Record::Alert(alert(77)), record];
        let Err(StoreError::Conflict { table, key }) = commit(&mut journal, batch) else {
            panic!("{expected_table}: no conflict");
        };
        assert_eq!((table, &*key), (expected_table, &expected_key));
        assert_eq!(store.counts(RUN)?, before);
    }
    commit(&mut store.journal(RUN), known)?;
    assert_eq!(store.counts(RUN)?, before);
    Ok(())
}

#[test]
fn what_would_not_read_back_is_refused() -> Outcome {
    let store = Store::open_in_memory()?;
    let far = Ratio::from_ppm(i64::MAX - 1);
    let mut ratio_in_reason = action(1, ActionStatus::Shadow);
    ratio_in_reason.decision.reasons[0].observed = Operand::Ratio(far);
    let mut version = action(1, ActionStatus::Shadow);
    version.decision.choice.policy = PolicyVersion::new(u64::MAX);
    let mut method = action(1, ActionStatus::Shadow);
    method.decision.choice.method = PropensityMethod::Quadrature { error: f64::NAN };
    let mut platform = action(1, ActionStatus::Shadow);
    platform.decision.key.platform = Platform::Other("TikTok".into());
    let mut multiplier = experience(1);
    multiplier.action.multiplier = far;
    let mut lambda = experience(1);
    lambda.next_state = Some(gaelp_rollout::State {
        lambda: far,
        ..state(1)
    });
    let mut account = budget_state(0);
    account.platform = Some(Platform::new("account"));
    for (column, record) in [
        ("reasons", Record::Action(Box::new(ratio_in_reason))),
        ("policy_version", Record::Action(Box::new(version))),
        ("propensity_method", Record::Action(Box::new(method))),
        ("platform", Record::Action(Box::new(platform))),
        ("action_json", Record::Experience(Box::new(multiplier))),
        ("next_state_json", Record::Experience(Box::new(lambda))),
        ("platform", Record::BudgetState(account)),
    ] {
        let error = commit(&mut store.journal(RUN), vec![record]).expect_err(column);
        assert!(matches!(error, StoreError::Unstorable { column: found, .. } if found == column));
    }
    let mut never = action(1, ActionStatus::Shadow);
    never.decision.span = HourSpan::new(NOON, NOON);
    let error = commit(
        &mut store.journal(RUN),
        vec![Record::Action(Box::new(never))],
    );
    assert!(matches!(error, Err(StoreError::EmptySpan { .. })));
    assert_eq!(store.counts(RUN)?, gaelp_store::Counts::default());
    Ok(())
}

/// More than is held in memory: still one commit, still nothing without it.
#[test]
fn a_very_large_batch_is_whole_too() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("s.sqlite");
    let store = Store::open(&path)?;
    let before = dump(&path);
    let batches = || (0..400).map(|n| (n * 50..n * 50 + 50).map(|n| Record::Alert(alert(n))));
    let mut journal = store.journal(RUN);
    for batch in batches() {
        block_on(journal.append(batch.collect()))?;
    }
    assert_eq!(dump(&path), before);
    drop(journal);
    assert_eq!(dump(&path), before);

    let mut journal = store.journal(RUN);
    for batch in batches() {
        block_on(journal.append(batch.collect()))?;
    }
    block_on(journal.commit())?;
    assert_eq!(store.counts(RUN)?.alerts, 20_000);
    // The store is free for the next one, and so is this journal.
    store.import()?.commit()?;
    commit(&mut journal, vec![Record::Alert(alert(20_000))])?;
    assert_eq!(store.counts(RUN)?.alerts, 20_001);
    let read: Vec<_> = all(store.alerts(RUN))?;
    assert!(
        read.iter()
            .enumerate()
            .all(|(n, a)| *a == alert(u32::try_from(n).expect("small")))
    );
    Ok(())
}

#[test]
fn a_very_large_batch_with_an_error_is_lost_as_a_whole() -> Outcome {
    let store = Store::open_in_memory()?;
    commit(
        &mut store.journal(RUN),
        vec![Record::Correction(correction(0))],
    )?;
    let mut contradiction = correction(0);
    contradiction.delta = Micros::new(1);
    let mut journal = store.journal(RUN);
    block_on(journal.append((0..9_000).map(|n| Record::Alert(alert(n))).collect()))?;
    let error = commit(&mut journal, vec![Record::Correction(contradiction)]);
    assert!(matches!(error, Err(StoreError::Conflict { .. })));
    assert!(matches!(
        block_on(journal.commit()),
        Err(StoreError::Spoiled)
    ));
    assert!(matches!(
        block_on(journal.append(Vec::new())),
        Err(StoreError::Spoiled)
    ));
    drop(journal);
    assert_eq!(store.counts(RUN)?.alerts, 0);
    store.import()?.commit()?;
    Ok(())
}

/// Pages end within an hour that has more ad sets than a page.
#[test]
fn order_holds_across_pages() -> Outcome {
    let store = Store::open_in_memory()?;
    let actions = (0..1_700_u32).map(|n| {
        let mut action = action(n, ActionStatus::Shadow);
        let number = n.wrapping_mul(2_654_435_761) % 10_007;
        action.decision.key = AdSetKey::new(Platform::Meta, format!("{number}"));
        action.decision.span = HourSpan::hour(NOON.plus(i32::from(n % 11 == 0)));
        Record::Action(Box::new(action))
    });
    commit(&mut store.journal(RUN), actions.collect())?;
    let read = all(store.actions(RUN))?;
    assert_eq!(read.len(), 1_700);
    let place = |a: &ActionRecord| (a.decision.span.from, a.decision.key.ad_set.clone());
    assert!(read.is_sorted_by(|a, b| place(a) < place(b)));
    Ok(())
}

#[test]
fn the_highest_revision_counts_and_the_others_are_history() -> Outcome {
    let store = Store::open_in_memory()?;
    let mut journal = store.journal(RUN);
    let row = |revision: u32| {
        let mut row = metric_row(0);
        row.revision = Revision::new(revision);
        row.metrics.clicks = u64::from(revision);
        row
    };
    for revision in [1, 3, 0, 2, 3] {
        commit(&mut journal, vec![Record::Metrics(row(revision))])?;
    }
    assert_eq!(all(store.run_rows(RUN)?)?, [row(3)]);
    assert_eq!(store.counts(RUN)?.metrics, 4);
    Ok(())
}
