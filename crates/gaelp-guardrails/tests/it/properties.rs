//! What holds for any settings, any ad set and any proposal.

use std::collections::BTreeMap;

use gaelp_core::{Level, Micros, Ratio, RuleId};
use gaelp_guardrails::{GuardrailConfig, Verdict, rules};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::cases::{amounts, cases, configs, possible};
use crate::support::Case;

const CASES: u32 = 30_000;

fn judge(config: &GuardrailConfig, case: &Case, proposed: Micros) -> Verdict {
    case.evaluate(&config.clone().validate().unwrap(), proposed)
}

/// The hours of the span, and of an empty one the hour that it may be taken for.
fn hours(case: &Case) -> i128 {
    i128::from(case.span.len().max(1))
}

fn big(amount: Micros) -> i128 {
    i128::from(amount.get())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn caps_hold_whatever_happens(
        config in configs(), (case, _) in cases(), proposed in amounts(),
    ) {
        let verdict = judge(&config, &case, proposed);
        let spent = big(verdict.allowed) * hours(&case);
        prop_assert!(!verdict.allowed.is_negative());
        prop_assert!(spent <= big(case.account_share).max(0));
        let left = big(config.daily_cap) - big(case.account_spent_today).max(0);
        prop_assert!(spent <= left.max(0));
        if let Some(cap) = config.ad_set_daily_cap {
            prop_assert!(spent <= (big(cap) - big(case.ad_set_spent_today).max(0)).max(0));
        }
        prop_assert!(verdict.allowed <= config.hourly_ceiling);
        if let Some(good) = case.kill {
            prop_assert!(verdict.allowed <= good.rate.max(Micros::ZERO));
        }
    }

    #[test]
    fn nothing_is_raised_but_by_the_floors(
        config in configs(), (case, _) in cases(), proposed in amounts(),
    ) {
        let verdict = judge(&config, &case, proposed);
        let current = case.current.max(Micros::ZERO);
        let start = if current == Micros::ZERO { config.hourly_floor } else { Micros::ZERO };
        let floors = proposed.max(config.hourly_floor.min(current).max(start));
        prop_assert_eq!(verdict.proposed, proposed);
        prop_assert!(verdict.normalised >= floors);
        prop_assert!(verdict.normalised <= floors.max(current));
        if verdict.level < Level::Deny {
            prop_assert!(verdict.allowed <= verdict.normalised);
        }
        if verdict.level >= Level::Freeze {
            prop_assert!(verdict.allowed <= current);
        }
        for reason in &verdict.reasons {
            prop_assert!(reason.level > Level::Allow);
            prop_assert!(reason.ceiling.is_none_or(|ceiling| verdict.allowed <= ceiling));
        }
        // One may start at the floor; from there on the bounds on changes hold.
        if verdict.allowed > current.max(start) {
            let grown = |from: Micros, delta: Ratio| {
                big(from) * (1_000_000 + i128::from(delta.ppm())) / 1_000_000
            };
            let day_ago = case.day_ago.unwrap_or(current);
            prop_assert!(big(verdict.allowed) <= grown(day_ago, config.delta_max_24h));
            if case.span.len() == 1 {
                prop_assert!(big(verdict.allowed) <= grown(current, config.delta_max));
            }
        }
    }

    #[test]
    fn decreases_pass_unless_denied(
        config in configs(), (case, _) in cases(), proposed in amounts(),
    ) {
        let verdict = judge(&config, &case, proposed);
        if verdict.level < Level::Deny && verdict.normalised <= case.current {
            // Only a cap, never a freeze or a bound on changes, makes it another decrease.
            let caps = ["daily_cap", "account_share", "ad_set_daily_cap", "hourly_ceiling"];
            let binding = verdict.binding.as_ref().map(RuleId::as_str);
            prop_assert!(binding.is_none_or(|rule| caps.contains(&rule)), "{:?}", binding);
        }
        if verdict.level >= Level::Deny && verdict.binding.is_none() {
            prop_assert_eq!(verdict.allowed, verdict.normalised);
        }
    }

    #[test]
    fn one_more_rule_never_allows_more(
        config in configs(), (case, _) in cases(), proposed in amounts(), which in 0..7_u8,
    ) {
        let (mut fewer, mut without) = (config.clone(), case.clone());
        match which {
            0 => fewer.ad_set_daily_cap = None,
            1 => fewer.peak_hours = None,
            2 => fewer.freeze_roas_below = None,
            3 => fewer.freeze_cpa_above = None,
            4 => fewer.freeze_without_conversion_hours = None,
            5 => fewer.canary = None,
            _ => without.kill = None,
        }
        let (less, more) = (judge(&config, &case, proposed), judge(&fewer, &without, proposed));
        prop_assert!(less.level >= more.level);
        prop_assert_eq!(less.normalised, more.normalised);
        if less.level < Level::Deny || more.level >= Level::Deny {
            prop_assert!(less.allowed <= more.allowed);
        } else {
            // A denial may keep what runs where less was proposed.
            prop_assert!(less.allowed <= more.allowed.max(case.current));
        }
    }

    #[test]
    fn proposing_more_never_gives_less(
        config in configs(), (case, _) in cases(), one in possible(), other in possible(),
    ) {
        let (low, high) = (one.min(other), one.max(other));
        let (less, more) = (judge(&config, &case, low), judge(&config, &case, high));
        prop_assert!(less.allowed <= more.allowed);
        prop_assert_eq!(less.memory, more.memory); // what is seen does not depend on what is asked
        let normal = config.validate().unwrap();
        let again = normal.normalise(&case.context(), less.normalised);
        prop_assert_eq!(again, less.normalised);
    }

    #[test]
    fn a_raise_may_be_asked_for_exactly_where_one_would_pass(
        config in configs(), (mut case, _) in cases(), current in possible(),
    ) {
        case.current = Micros::new(current.get().min(999_999_999_999_999));
        let a_little_more = Micros::new(case.current.get() + 1);
        let rules = config.clone().validate().unwrap();
        let verdict = case.evaluate(&rules, a_little_more);
        prop_assert_eq!(rules.may_raise(&case.context()), verdict.allowed > case.current);
    }
}

/// The cases above are worth something only where they reach everything.
#[test]
fn every_rule_and_level_occurs_among_the_cases() {
    let mut runner = TestRunner::deterministic();
    let strategy = (configs(), cases(), amounts());
    let (mut objected, mut bound) = (BTreeMap::new(), BTreeMap::new());
    let (mut levels, mut overruled) = (BTreeMap::new(), 0);
    for _ in 0..CASES {
        let tree = strategy.new_tree(&mut runner).unwrap();
        let (config, (case, _), proposed) = tree.current();
        let verdict = judge(&config, &case, proposed);
        for reason in &verdict.reasons {
            *objected.entry(reason.rule.clone()).or_insert(0) += 1;
        }
        if let Some(rule) = verdict.binding {
            *bound.entry(rule).or_insert(0) += 1;
        }
        *levels.entry(verdict.level).or_insert(0) += 1;
        overruled += u32::from(verdict.overruled.is_some());
    }
    for rule in &rules::ALL {
        let (objections, bindings) = (objected.get(rule), bound.get(rule));
        assert!(
            objections.is_some_and(|&times| times >= 100),
            "{rule}: {objections:?}"
        );
        assert!(
            bindings.is_some_and(|&times| times >= 10),
            "{rule}: {bindings:?}"
        );
    }
    let each = [
        Level::Allow,
        Level::Clamp,
        Level::Freeze,
        Level::Deny,
        Level::Kill,
    ];
    for level in each {
        assert!(
            levels.get(&level).is_some_and(|&times| times >= 100),
            "{levels:?}"
        );
    }
    assert!(overruled >= 100, "{overruled}");
}
