//! Paced budgets: what an hour is given, how it is spread, and what is done where there is no plan.

use std::collections::{BTreeMap, BTreeSet};

use gaelp_budget::{Binding, Binds};
use gaelp_core::{AdSetId, HourSpan, Micros, Platform, Ratio, Revision, Rounding, UtcHour};
use gaelp_guardrails::GuardrailConfig;
use gaelp_ledger::{Ledger, MemoryLedger};
use gaelp_platform::InMemoryPlatform;
use gaelp_rollout::{
    AlertKind, Budgeting, Checkpoint, Event, MemoryJournal, Mode, Outside, PacedConfig,
    PlanOutcome, PlanRecord, Record, Rollout, RolloutConfig, step,
};
use proptest::prelude::*;

use crate::support::{START, actions, alerts, key, meta, micros, open_rules, platform, row, run};

/// 24 a day, one an hour, evenly; λ 0.2.
fn config() -> RolloutConfig {
    RolloutConfig {
        daily_budget_target: micros("24"),
        budgeting: Budgeting::Paced(PacedConfig {
            overdelivery: Ratio::ONE,
            unattended_hours: 0,
            traffic_weeks: 1_000.0,
            dead_band: Ratio::ZERO,
            ..PacedConfig::default()
        }),
        reread_hours: 24,
        guardrails: open_rules(),
        ..RolloutConfig::default()
    }
}

fn plans(records: &[Record]) -> Vec<&PlanRecord> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Plan(plan) => Some(&**plan),
            _ => None,
        })
        .collect()
}

/// Two ad sets that run at one half an hour each.
fn two() -> InMemoryPlatform {
    platform(&[("a", "12"), ("b", "12")])
}

fn load(platform: &InMemoryPlatform, hour: i32, spend: &str) {
    for name in ["a", "b"] {
        platform
            .load([row(name, START.plus(hour), spend, "3")])
            .unwrap();
    }
}

/// In millionths, to the nearest.
fn close(found: Micros, expected: f64) -> bool {
    (found.to_major_f64() - expected).abs() < 2e-6
}

/// By hand: what is left of 24, over the hours that are left; λ by entropic descent with η = 0.4.
#[test]
fn an_hour_is_given_its_part_of_what_is_left() {
    let platform = two();
    load(&platform, 0, "1");
    load(&platform, 1, "0.25");
    let records = run(config(), &platform, None, 4);
    let plans = plans(&records);
    let given: Vec<_> = plans.iter().map(|plan| plan.pace).collect();
    assert!(close(given[0].allowance, 1.0));
    assert!(close(given[1].allowance, 22.0 / 23.0), "{:?}", given[1]);
    assert!(close(given[2].allowance, 21.5 / 22.0), "{:?}", given[2]);
    let lambda = |place: usize| given[place].lambda.to_f64();
    assert_eq!(given[0].lambda, Ratio::from_ppm(200_000));
    // Twice its part, then half of it.
    let up = 1.2 * 0.4_f64.exp();
    assert!((lambda(1) - (up - 1.0)).abs() < 1e-6, "{}", lambda(1));
    let down = up * (-0.2_f64).exp();
    assert!((lambda(2) - (down - 1.0)).abs() < 1e-6, "{}", lambda(2));
    // The third hour has no row: it counts as what ran, and says nothing of λ.
    assert!(
        close(given[3].allowance, (21.5 - 1.0) / 21.0),
        "{:?}",
        given[3]
    );
    assert_eq!(given[3].lambda, given[2].lambda);
    assert!(close(given[3].reserve, 1.0));
    // With even hours, the daily budget that spends it is 24 times it, in whole cents.
    assert_eq!(plans[0].daily, micros("24"));
    assert_eq!(plans[1].daily, micros("22.95")); // 24 · 22 ÷ 23 = 22.9565
}

#[test]
fn late_hours_count_as_what_ran_and_restated_ones_as_what_they_became() {
    let late = meta()
        .with(|config| config.reporting_delay_hours = 3)
        .unwrap();
    let platform = InMemoryPlatform::new(late.clone(), START);
    for name in ["a", "b"] {
        let active = gaelp_platform::Delivery::Active;
        platform.put_ad_set(name, micros("12"), active).unwrap();
    }
    for hour in 0..8 {
        load(&platform, hour, "0.25");
    }
    let mut rollout = Rollout::new(config(), vec![late]).unwrap();
    let platforms = BTreeMap::from([(Platform::Meta, &platform)]);
    let mut journal = MemoryJournal::new();
    for hour in 0..8 {
        let at = START.plus(hour);
        platform.set_now(at);
        if hour == 6 {
            // The first hour turns out to have spent twice as much.
            let mut rows = ["a", "b"].map(|name| row(name, START, "0.50", "3"));
            for row in &mut rows {
                row.revision = Revision::new(1);
            }
            platform.load(rows).unwrap();
        }
        let span = HourSpan::hour(at);
        let outside = &mut Outside::shadow(&platforms, None, &mut journal);
        pollster::block_on(step(&mut rollout, outside, Event::StepBegins { span })).unwrap();
    }
    let plans = plans(journal.records());
    // Hours 0 to 2 of the fourth decision are silent: they count at the one that runs.
    assert!(close(plans[3].pace.allowance, 21.0 / 21.0));
    assert!(close(plans[3].pace.reserve, 3.0));
    // At the sixth, three are silent and two were reported, at one half.
    assert!(close(plans[5].pace.allowance, (24.0 - 3.0 - 1.0) / 19.0));
    // At the seventh, three are reported: one half twice, and one.
    let left = 24.0 - 3.0 - (1.0 + 0.5 + 0.5);
    assert!(
        close(plans[6].pace.allowance, left / 18.0),
        "{:?}",
        plans[6].pace
    );
}

/// A day that is all but spent leaves what the cap leaves, whatever the target says.
#[test]
fn the_cap_comes_before_the_target() {
    let platform = two();
    load(&platform, 0, "9.95");
    let mut config = config();
    config.guardrails.daily_cap = micros("20");
    let records = run(config, &platform, None, 2);
    let plan = plans(&records)[1];
    assert_eq!(plan.pace.binds, Binds::Cap);
    // By the target alone it would be 4.10 ÷ 23.
    assert_eq!(plan.pace.room, micros("0.1"));
    assert_eq!(plan.pace.allowance, micros("0.1"));
    for action in actions(&records)
        .iter()
        .filter(|a| a.decision.span.from > START)
    {
        assert!(action.decision.allowed <= micros("0.1"));
    }
}

#[test]
fn what_is_permitted_is_proposed_and_the_rules_judge_it() {
    let platform = two();
    for hour in 0..72 {
        platform
            .load([
                row("a", START.plus(hour), "0.50", "4"),
                row("b", START.plus(hour), "0.50", "0.60"),
            ])
            .unwrap();
    }
    let records = run(config(), &platform, None, 72);
    let plans = plans(&records);
    assert_eq!(plans.len(), 72);
    let by_hour: BTreeMap<UtcHour, &PlanRecord> =
        plans.iter().map(|plan| (plan.span.from, *plan)).collect();
    for action in actions(&records) {
        let decision = &action.decision;
        let plan = by_hour[&decision.span.from];
        let arm = plan
            .arms
            .iter()
            .find(|arm| arm.key == decision.key)
            .unwrap();
        assert_eq!(
            (decision.current, decision.proposed),
            (arm.current, arm.proposed)
        );
        assert!(
            (arm.least..=arm.most).contains(&decision.allowed),
            "{arm:?}"
        );
    }
    let mut better = 0;
    for plan in &plans[24..] {
        let PlanOutcome::Planned(proof) = &plan.outcome else {
            panic!("{:?}", plan.outcome);
        };
        assert!(proof.gap < 1e-9 && proof.best_move <= 0.0, "{proof:?}");
        assert!(proof.value <= proof.bound + 1e-9);
        let [a, b] = &plan.arms[..] else {
            panic!("two ad sets")
        };
        // By hand: the curve through what was seen falls off with the elasticity, less one.
        let margin = |arm: &gaelp_rollout::PlannedArm| arm.marginal_profit;
        assert!(margin(a) > margin(b), "{a:?} {b:?}");
        if a.most > a.current && b.least < b.current {
            assert!(a.proposed > b.proposed, "{a:?} {b:?}");
            better += 1;
        }
        if b.binding == Some(Binding::Level) && a.binding == Some(Binding::Level) {
            assert!((margin(a) - margin(b)).abs() < 1e-3);
        }
    }
    assert!(better >= 5, "{better} of 48 hours");
}

/// What the next dollar brings, against the power curve in closed form.
#[test]
fn marginal_profit_is_that_of_the_power_curve() {
    let platform = platform(&[("a", "12")]);
    for hour in 0..48 {
        platform
            .load([row("a", START.plus(hour), "0.50", "2")])
            .unwrap();
    }
    let records = run(config(), &platform, None, 48);
    let plan = plans(&records)[47];
    let arm = &plan.arms[0];
    // Through 12 a day and its return of 4, shifted by a hundredth: f ((x + e)ᵖ − eᵖ).
    let (p, x, e) = (0.7_f64, 12.0_f64, 0.12_f64);
    let factor = 48.0 / ((x + e).powf(p) - e.powf(p));
    let at = 24.0 * arm.proposed.to_major_f64();
    let expected = factor * p * (at + e).powf(p - 1.0) - 1.0;
    assert!(
        (arm.marginal_profit - expected).abs() < 1e-6,
        "{arm:?}, not {expected}"
    );
}

#[test]
fn without_a_plan_each_ad_set_goes_by_itself_and_a_person_is_told_once() {
    let platform = platform(&[("a", "48"), ("b", "48")]);
    for hour in 0..12 {
        load(&platform, hour, "1");
    }
    let mut config = config();
    config.daily_budget_target = micros("10");
    config.guardrails.hourly_floor = micros("1");
    let records = run(config, &platform, None, 12);
    let told = alerts(&records, AlertKind::NoPlan);
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].subject,
        "the minimums of 2 ad sets add up to 48.00, and the budget is 10.00: none of them can run \
         every day; meta/a, which needs 24.00, can run one day in 3"
    );
    for plan in plans(&records) {
        assert!(matches!(plan.outcome, PlanOutcome::Infeasible { .. }));
        for arm in &plan.arms {
            let multiplied = arm.current.checked_scale(arm.multiplier, Rounding::Down);
            assert_eq!(Some(arm.proposed), multiplied);
            assert_eq!(arm.binding, None);
        }
    }
}

/// The multipliers are drawn as before, with the same propensities.
#[test]
fn the_bandit_chooses_as_it_does_without_pacing() {
    let choices = |budgeting| {
        let platform = two();
        load(&platform, 0, "0.5");
        let config = RolloutConfig {
            budgeting,
            ..config()
        };
        let records = run(config, &platform, None, 6);
        let choice = |action: &&gaelp_rollout::ActionRecord| action.decision.choice;
        actions(&records).iter().map(choice).collect::<Vec<_>>()
    };
    let classic = choices(Budgeting::Classic);
    assert_eq!(classic.len(), 12);
    assert_eq!(choices(Budgeting::Paced(PacedConfig::default())), classic);
}

#[test]
fn a_classic_configuration_is_written_as_it_was() {
    let text = serde_json::to_string(&RolloutConfig::default()).unwrap();
    assert!(!text.contains("budgeting"));
    let read: RolloutConfig = serde_json::from_str(&text).unwrap();
    assert_eq!(read.budgeting, Budgeting::Classic);
    let paced: RolloutConfig = serde_json::from_str(r#"{"budgeting":{"paced":{}}}"#).unwrap();
    assert_eq!(paced.budgeting, Budgeting::Paced(PacedConfig::default()));
}

#[test]
fn all_that_is_wrong_with_pacing_is_said() {
    let config = RolloutConfig {
        response_elasticity: Ratio::ONE,
        budgeting: Budgeting::Paced(PacedConfig {
            overdelivery: Ratio::ZERO,
            band: Ratio::ZERO,
            dead_band: Ratio::ONE,
            traffic: Some(vec![1.0; 3]),
            evidence_hours: 1,
            pooled_days: Ratio::ZERO,
            ..PacedConfig::default()
        }),
        ..RolloutConfig::default()
    };
    let wrong = config.validate().unwrap_err();
    let fields: Vec<_> = wrong.violations.iter().map(|v| v.field).collect();
    let expected = [
        "budgeting",
        "band",
        "dead_band",
        "traffic",
        "evidence_hours",
        "pooled_days",
        "response_elasticity",
    ];
    assert_eq!(fields, expected);
}

/// A pilot whose process ends after every hour in which `ends` says so.
fn pilot(spends: &[(i64, i64)], ends: &[bool]) -> Vec<Record> {
    let config = RolloutConfig {
        mode: Mode::Pilot,
        checkpoints: true,
        guardrails: GuardrailConfig {
            canary: Some(BTreeSet::from([AdSetId::from("a"), AdSetId::from("b")])),
            ..open_rules()
        },
        ..config()
    };
    let platform = two();
    let store = MemoryLedger::new();
    let mut rollout = Rollout::new(config.clone(), vec![meta()]).unwrap();
    let mut journal = MemoryJournal::new();
    for (hour, (&(spend, revised), &ends)) in (0..).zip(spends.iter().zip(ends)) {
        let at = START.plus(hour);
        platform.set_now(at);
        let platforms = BTreeMap::from([(Platform::Meta, &platform)]);
        let limits = rollout.limits().clone();
        let mut ledger = pollster::block_on(Ledger::open(limits, store.clone())).unwrap();
        let mut outside = Outside {
            platforms: &platforms,
            shop: None,
            journal: &mut journal,
            ledger: Some(&mut ledger),
            clock: None,
        };
        let span = HourSpan::hour(at);
        pollster::block_on(step(&mut rollout, &mut outside, Event::StepBegins { span })).unwrap();
        for name in ["a", "b"] {
            let mut new = row(name, at, "0", "2");
            new.metrics.spend = Micros::new(spend);
            let mut old = row(name, at.plus(-5), "0", "1");
            old.metrics.spend = Micros::new(revised);
            old.revision = Revision::new(7);
            // One hour in five is never reported.
            let rows = if spend % 5 == 0 {
                vec![old]
            } else {
                vec![new, old]
            };
            platform.load(rows).unwrap();
        }
        if ends {
            let text = serde_json::to_string(&rollout.checkpoint()).unwrap();
            let checkpoint: Checkpoint = serde_json::from_str(&text).unwrap();
            let platforms = vec![meta()];
            rollout = Rollout::restore(config.clone(), platforms, checkpoint, at).unwrap();
        }
    }
    journal.records().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Reports late, missing and restated; the process ends in the middle of days or not at all:
    /// the same hours are given the same, to the last bit.
    #[test]
    fn a_restored_rollout_gives_the_same(
        spends in proptest::collection::vec((0..900_000_i64, 0..900_000_i64), 60),
        ends in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let whole = pilot(&spends, &[false; 60]);
        let ended = pilot(&spends, &ends);
        prop_assert_eq!(plans(&whole).len(), 60);
        prop_assert_eq!(plans(&whole), plans(&ended));
    }
}

#[test]
fn a_checkpoint_from_before_pacing_begins_it_at_its_own_price() {
    let mut classic = config();
    classic.budgeting = Budgeting::Classic;
    let platform = two();
    load(&platform, 0, "0.5");
    let mut rollout = Rollout::new(classic, vec![meta()]).unwrap();
    let platforms = BTreeMap::from([(Platform::Meta, &platform)]);
    let mut journal = MemoryJournal::new();
    let mut tell = |rollout: &mut Rollout, hour: i32| {
        let at = START.plus(hour);
        platform.set_now(at);
        let span = HourSpan::hour(at);
        let outside = &mut Outside::shadow(&platforms, None, &mut journal);
        pollster::block_on(step(rollout, outside, Event::StepBegins { span })).unwrap();
    };
    tell(&mut rollout, 0);
    let old = serde_json::to_string(&rollout.checkpoint()).unwrap();
    assert!(!old.contains("allowance"));
    let old = old.replacen("\"lambda\":0.2", "\"lambda\":0.7", 1);
    let checkpoint: Checkpoint = serde_json::from_str(&old).unwrap();
    let now = START.plus(1);
    let mut rollout = Rollout::restore(config(), vec![meta()], checkpoint, now).unwrap();
    tell(&mut rollout, 1);
    let plans = plans(journal.records());
    assert_eq!(plans.len(), 1);
    assert_eq!(plans[0].pace.lambda, Ratio::from_ppm(700_000));
    // The hour before it was reported, and counts.
    assert!(close(plans[0].pace.allowance, 23.0 / 23.0));
}

#[test]
fn figures_of_the_pacing_that_cannot_be_are_refused() {
    let platform = two();
    load(&platform, 0, "0.5");
    let mut rollout = Rollout::new(config(), vec![meta()]).unwrap();
    let platforms = BTreeMap::from([(Platform::Meta, &platform)]);
    let mut journal = MemoryJournal::new();
    for hour in 0..2 {
        let at = START.plus(hour);
        platform.set_now(at);
        let span = HourSpan::hour(at);
        let outside = &mut Outside::shadow(&platforms, None, &mut journal);
        pollster::block_on(step(&mut rollout, outside, Event::StepBegins { span })).unwrap();
    }
    let sound = serde_json::to_value(rollout.checkpoint()).unwrap();
    let try_with = |place: &str, value: serde_json::Value| {
        let mut bad = sound.clone();
        *bad.pointer_mut(place).unwrap() = value;
        let checkpoint: Checkpoint = serde_json::from_value(bad).map_err(|_| ())?;
        let restored = Rollout::restore(config(), vec![meta()], checkpoint, START.plus(2));
        restored.map(drop).map_err(|_| ())
    };
    let today = "/allowance/state/today";
    assert_eq!(
        try_with(&format!("{today}/hours/0/decided/lambda"), 0.2.into()),
        Ok(())
    );
    for (place, value) in [
        ("hours/0/decided/lambda", serde_json::json!(-0.5)),
        ("hours/0/decided/lambda", serde_json::json!(99.0)),
        ("hours/0/decided/allowance", serde_json::json!(-1)),
        ("hours/0/decided/allowance", serde_json::json!(i64::MAX)),
        ("hours/1/runs", serde_json::json!(-1)),
        ("cap", serde_json::json!(-1)),
        ("start", serde_json::json!(-1.0)),
        ("hours/3/share", serde_json::json!(2.0)),
    ] {
        let refused = try_with(&format!("{today}/{place}"), value.clone());
        assert_eq!(refused, Err(()), "{place} of {value}");
    }
    assert_eq!(key("a").to_string(), "meta/a");
}

/// Afternoons that have three times a morning's traffic: allowances follow it, and the daily budget
/// that spends them stays what it is.
#[test]
fn a_day_with_a_shape_is_spent_by_a_steady_daily_budget() {
    let day = (0..24).map(|hour| if hour < 12 { 1.0 } else { 3.0 });
    let mut config = config();
    if let Budgeting::Paced(paced) = &mut config.budgeting {
        paced.traffic = Some(day.cycle().take(168).collect());
    }
    let platform = two();
    for hour in 0..24 {
        load(&platform, hour, if hour < 12 { "0.25" } else { "0.75" });
    }
    let records = run(config, &platform, None, 24);
    for (hour, plan) in plans(&records).into_iter().enumerate() {
        let expected = if hour < 12 { 0.5 } else { 1.5 };
        assert!(
            close(plan.pace.allowance, expected),
            "{hour}: {:?}",
            plan.pace
        );
        assert_eq!(plan.daily, micros("24"));
        assert_eq!(plan.pace.lambda, Ratio::from_ppm(200_000));
    }
}

/// Without a prior, the shape is learnt from what hours spent of what ran.
#[test]
fn the_shape_of_a_day_is_learnt() {
    let mut config = config();
    if let Budgeting::Paced(paced) = &mut config.budgeting {
        paced.traffic_weeks = 1.0;
    }
    let platform = two();
    for hour in 0..24 * 21 {
        load(
            &platform,
            hour,
            if hour % 24 < 12 { "0.25" } else { "0.75" },
        );
    }
    let records = run(config, &platform, None, 24 * 21);
    let plans = plans(&records);
    let midnight = plans[24 * 20].pace.allowance.to_major_f64();
    // On that Saturday the hour was seen twice, and the flat prior counts for one more. Its rate is
    // (1000 + 2 · 500) ÷ 3 beside (1000 + 2 · 1500) ÷ 3 in the afternoon.
    let expected = 24.0 * 2.0 / (12.0 * 2.0 + 12.0 * 4.0);
    assert!(
        (midnight - expected).abs() < 0.01,
        "{midnight}, not {expected}"
    );
}

/// Where reports are daily, a day is one step: by hand as above, with a day in place of an hour.
#[test]
fn daily_steps_are_given_the_day() {
    let zone: gaelp_core::AccountZone = "America/New_York".parse().unwrap();
    let first = chrono::NaiveDate::from_ymd_opt(2026, 10, 30).unwrap();
    // The third has 25 hours.
    let dates = first.iter_days().take(4);
    let days: Vec<HourSpan> = dates.map(|date| zone.day(date).unwrap()).collect();
    let platform = InMemoryPlatform::new(meta(), days[0].from);
    let spends = ["36", "24", "12", "0"];
    for (day, spend) in days.iter().zip(spends) {
        let mut row = row("a", day.from, spend, "60");
        row.span = *day;
        platform.load([row]).unwrap();
    }
    let config = RolloutConfig { zone, ..config() };
    let mut rollout = Rollout::new(config, vec![meta()]).unwrap();
    let platforms = BTreeMap::from([(Platform::Meta, &platform)]);
    let mut journal = MemoryJournal::new();
    for day in &days {
        platform.set_now(day.from);
        let span = *day;
        let outside = &mut Outside::shadow(&platforms, None, &mut journal);
        pollster::block_on(step(&mut rollout, outside, Event::StepBegins { span })).unwrap();
    }
    let plans = plans(journal.records());
    let mut price = 1.2;
    for (plan, error) in plans.iter().zip([0.0, 0.5, 0.0, -0.5]) {
        assert_eq!(
            (plan.pace.allowance, plan.daily),
            (micros("24"), micros("24"))
        );
        price *= f64::exp(0.4 * error);
        let found = plan.pace.lambda.to_f64();
        assert!((found - (price - 1.0)).abs() < 2e-6, "{found}, not {price}");
    }
    assert_eq!(plans.len(), 4);
}

/// On the day that summer time ends, 25 hours share the target.
#[test]
fn a_day_of_25_hours_has_25_parts() {
    let zone: gaelp_core::AccountZone = "America/New_York".parse().unwrap();
    let date = chrono::NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
    let day = zone.day(date).unwrap();
    let platform = two();
    platform.set_now(day.from);
    let config = RolloutConfig { zone, ..config() };
    let mut rollout = Rollout::new(config, vec![meta()]).unwrap();
    let platforms = BTreeMap::from([(Platform::Meta, &platform)]);
    let mut journal = MemoryJournal::new();
    for hour in day.iter() {
        platform.set_now(hour);
        let span = HourSpan::hour(hour);
        let outside = &mut Outside::shadow(&platforms, None, &mut journal);
        pollster::block_on(step(&mut rollout, outside, Event::StepBegins { span })).unwrap();
        let rows = ["a", "b"].map(|name| row(name, hour, "0.48", "3"));
        platform.load(rows).unwrap();
    }
    let plans = plans(journal.records());
    assert_eq!(plans.len(), 25);
    for plan in plans {
        assert!(close(plan.pace.allowance, 0.96), "{:?}", plan.pace);
    }
}
