//! Campaigns: their caps, and their raises of an hour.

use std::collections::BTreeMap;

use gaelp_core::{HourSpan, Micros, Operand, Ratio};
use gaelp_guardrails::{GuardrailConfig, RaiseCaps, rules};
use gaelp_platform::{BudgetReading, Delivery, Report};
use gaelp_rollout::{Command, Event, Rollout, RolloutConfig};
use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Against sums made here: what a campaign has spent today and an hour of what is allowed are
    /// within its cap, and its raises of an hour within theirs. Of an ad set without a campaign
    /// nothing is raised, and its spend may belong to any.
    #[test]
    fn campaigns_keep_their_caps(
        campaigns in prop::collection::vec(prop::option::weighted(0.8, 0..2_usize), 2..6),
        spends in prop::collection::vec(prop::collection::vec(0_i64..900_000, 6), 1..30),
        cap in 500_000_i64..12_000_000,
        raises in 1_000_i64..120_000,
        seed in 0_u64..1_000,
    ) {
        let names = ["summer", "winter"];
        let campaign = |index: usize| campaigns[index].map(|n| names[n]);
        let sets: Vec<Set> = (0..campaigns.len())
            .map(|n| set(&format!("set-{n}"), "9.60", in_campaign(campaign(n))))
            .collect();
        let mut rollout = new(RolloutConfig {
            seed: gaelp_core::Seed::new(seed),
            ..config(GuardrailConfig {
                campaign_daily_cap: Some(Micros::new(cap)),
                hourly_raise_caps: RaiseCaps {
                    campaign: Some(Micros::new(raises)),
                    ..RaiseCaps::default()
                },
                min_coverage: Ratio::from_ppm(1),
                ..open_rules()
            })
        });
        let mut spent = vec![0_i64; sets.len()];
        for (number, spends) in (0_i32..).zip(&spends) {
            let mut rows = Vec::new();
            if number > 0 {
                for (n, set) in sets.iter().enumerate() {
                    let mut row = row(&set.name, START.plus(number - 1), "0", "1");
                    row.metrics.spend = Micros::new(spends[n]);
                    rows.push(row);
                    spent[n] += spends[n];
                }
            }
            if number % 24 == 0 {
                spent.fill(0);
            }
            let records = hour(&mut rollout, number, rows, &sets);
            let decided = actions(&records);
            prop_assert_eq!(decided.len(), sets.len());
            let sum = |wanted: Option<&str>| -> i64 {
                let parts = spent.iter().enumerate();
                parts.filter(|(n, _)| campaign(*n) == wanted).map(|(_, spent)| spent).sum()
            };
            let mut raised = BTreeMap::new();
            for (n, set) in sets.iter().enumerate() {
                let action = of(&decided, &set.name);
                let decision = &action.decision;
                let said = reason(action, &rules::CAMPAIGN_DAILY_CAP);
                let Some(name) = campaign(n) else {
                    prop_assert_eq!(said.map(|said| said.observed), Some(Operand::Undefined));
                    prop_assert!(decision.allowed <= decision.current);
                    continue;
                };
                let known = sum(Some(name)) + sum(None);
                let left = (cap - known).max(0);
                prop_assert!(decision.allowed.get() <= left, "{} of {left}", decision.allowed);
                if let Some(said) = said {
                    prop_assert_eq!(said.observed, Operand::Money(Micros::new(known)));
                }
                prop_assert_eq!(said.is_some(), decision.normalised.get() > left);
                *raised.entry(name).or_insert(0) += (decision.allowed.get() - decision.current.get()).max(0);
            }
            for (name, raised) in raised {
                prop_assert!(raised <= raises, "{name} was raised by {raised} of {raises}");
            }
        }
    }
}

/// The caps above are not kept by never raising anything.
#[test]
fn campaigns_are_raised_one_after_the_other() {
    let sets = [
        set("a", "9.60", in_campaign(Some("summer"))),
        set("b", "9.60", in_campaign(Some("summer"))),
        set("c", "9.60", in_campaign(Some("winter"))),
    ];
    let rules = GuardrailConfig {
        hourly_raise_caps: RaiseCaps {
            campaign: Some(micros("0.03")),
            ..RaiseCaps::default()
        },
        min_coverage: Ratio::from_ppm(1),
        ..open_rules()
    };
    let mut rollout = new(config(rules));
    let (mut bound, mut most) = (0, BTreeMap::new());
    for number in 0..100 {
        let rows = reported(&sets, number, "0.40");
        let records = hour(&mut rollout, number, rows, &sets);
        let decided = actions(&records);
        let raise = |name| {
            let decision = &of(&decided, name).decision;
            (decision.allowed.get() - decision.current.get()).max(0)
        };
        for (name, sum) in [("summer", raise("a") + raise("b")), ("winter", raise("c"))] {
            let known = most.entry(name).or_insert(0);
            *known = sum.max(*known);
        }
        bound += usize::from(reason(of(&decided, "b"), &rules::CAMPAIGN_RAISES).is_some());
    }
    assert_eq!(
        most,
        BTreeMap::from([("summer", 30_000), ("winter", 30_000)])
    );
    assert!(bound > 5, "it bound {bound} times");
}

/// Two platforms may have campaigns of the same name: they are two.
#[test]
fn campaigns_of_two_platforms_are_two() {
    let google = gaelp_platform::Capabilities::google(
        gaelp_core::Currency::USD,
        gaelp_core::AccountZone::UTC,
    );
    let rules = GuardrailConfig {
        campaign_daily_cap: Some(micros("1")),
        min_coverage: Ratio::from_ppm(1),
        ..open_rules()
    };
    let mut rollout = Rollout::new(config(rules), vec![meta(), google]).unwrap();
    let mut told = BTreeMap::new();
    for number in 0..3 {
        let at = START.plus(number);
        let span = HourSpan::hour(at);
        let begun = rollout
            .handle(at.start(), Event::StepBegins { span })
            .unwrap();
        for command in begun {
            let event = match command {
                Command::ReadReport { platform, .. } => {
                    let mut row = row("a", at.plus(-1), "0.60", "1");
                    row.key.platform = platform.clone();
                    let rows = if number == 0 { vec![] } else { vec![row] };
                    let complete_before = at;
                    let report = Report {
                        rows,
                        complete_before,
                    };
                    Event::Reported { platform, report }
                }
                Command::ReadBudgets { platform } => {
                    let reading = BudgetReading {
                        key: gaelp_core::AdSetKey::new(platform.clone(), "a"),
                        daily_budget: micros("9.60"),
                        delivery: Delivery::Active,
                        details: in_campaign(Some("summer")),
                    };
                    let readings = vec![reading];
                    Event::Budgets { platform, readings }
                }
                _ => continue,
            };
            for command in rollout.handle(at.start(), event).unwrap() {
                if let Command::Record(records) = command {
                    for action in actions(&records) {
                        let said = reason(action, &rules::CAMPAIGN_DAILY_CAP);
                        let spent = said.map(|said| said.observed);
                        told.insert((action.decision.key.platform.to_string(), number), spent);
                    }
                }
            }
        }
    }
    // Each has spent 1.20, not both together 2.40.
    for platform in ["meta", "google"] {
        let spent = told[&(platform.to_owned(), 2)];
        assert_eq!(spent, Some(Operand::Money(micros("1.20"))), "{platform}");
    }
}
