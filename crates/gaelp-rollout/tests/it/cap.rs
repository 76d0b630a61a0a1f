//! The account's cap, whatever is reported.

use std::collections::BTreeMap;

use gaelp_core::{HourSpan, Micros, Platform};
use gaelp_guardrails::GuardrailConfig;
use gaelp_platform::{AdSetDetails, BudgetReading, Delivery, Report};
use gaelp_rollout::{Command, Event, Rollout, RolloutConfig};
use proptest::prelude::*;

use crate::support::{START, actions, key, meta, row};

fn spend() -> impl Strategy<Value = i64> {
    prop_oneof![0_i64..3_000_000, Just(0), 0_i64..50_000_000]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// In every hour, what all ad sets together may spend fits into what the account has left,
    /// counting hours that are not reported at the rate in force.
    #[test]
    fn all_that_is_allowed_fits_into_what_is_left(
        cap in 1_000_000_i64..40_000_000,
        spends in proptest::collection::vec(proptest::collection::vec(proptest::option::of(spend()), 4), 1..40),
        budgets in proptest::collection::vec(proptest::option::of(1_000_000_i64..100_000_000), 4),
    ) {
        let guardrails = GuardrailConfig {
            daily_cap: Micros::new(cap),
            peak_hours: None,
            freeze_roas_below: None,
            hourly_floor: Micros::new(10_000),
            ..GuardrailConfig::default()
        };
        let config = RolloutConfig { guardrails, ..RolloutConfig::default() };
        let mut rollout = Rollout::new(config, vec![meta()]).unwrap();
        let mut spent_today: BTreeMap<i32, i64> = BTreeMap::new();
        for (hour, spends) in (0_i32..).zip(&spends) {
            let now = START.plus(hour + 1);
            let begun = rollout.handle(START.start(), Event::StepBegins { span: HourSpan::hour(now) }).unwrap();
            prop_assert!(!begun.is_empty());
            let mut rows = Vec::new();
            for (index, spend) in spends.iter().enumerate() {
                if let Some(spend) = spend {
                    let mut row = row(&format!("ad set {index}"), START.plus(hour), "0", "0");
                    row.metrics.spend = Micros::new(*spend);
                    rows.push(row);
                    *spent_today.entry((hour) / 24).or_default() += spend;
                }
            }
            let report = Report { rows, complete_before: now };
            rollout.handle(START.start(), Event::Reported { platform: Platform::Meta, report }).unwrap();
            let readings = budgets
                .iter()
                .enumerate()
                .filter_map(|(index, budget)| {
                    Some(BudgetReading {
                        key: key(&format!("ad set {index}")),
                        daily_budget: Micros::new((*budget)?),
                        delivery: Delivery::Active,
                        details: AdSetDetails::default(),
                    })
                })
                .collect();
            let commands =
                rollout.handle(START.start(), Event::Budgets { platform: Platform::Meta, readings }).unwrap();
            let allowed: i64 = commands
                .iter()
                .filter_map(|command| match command {
                    Command::Record(records) => Some(actions(records)),
                    _ => None,
                })
                .flatten()
                .map(|action| action.decision.allowed.get())
                .sum();
            let day = (hour + 1) / 24;
            let left = (cap - spent_today.get(&day).copied().unwrap_or(0)).max(0);
            prop_assert!(allowed <= left, "hour {hour}: {allowed} of {left}");
        }
    }
}
