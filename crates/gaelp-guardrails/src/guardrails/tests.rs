use gaelp_core::{AccountZone, AdSetKey, HourSpan, Micros, Platform, UtcHour};
use proptest::prelude::*;

use super::*;
use crate::{LastKnownGood, Operator};

/// One ad set with every rule switched on.
fn strict() -> Guardrails {
    let config = GuardrailConfig {
        ad_set_daily_cap: Some(Micros::new(5_000_000)),
        freeze_cpa_above: Some(Micros::new(5_000_000)),
        freeze_without_conversion_hours: Some(7),
        canary: Some(["other".into()].into()),
        ..GuardrailConfig::default()
    };
    config.validate().unwrap()
}

#[test]
fn the_public_list_is_the_table() {
    let table: Vec<_> = RULES.iter().map(|rule| rule.id.clone()).collect();
    assert_eq!(table, rules::ALL);
    let mut names: Vec<_> = rules::ALL.iter().map(RuleId::as_str).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), COUNT);
}

fn rates() -> impl Strategy<Value = Micros> {
    prop_oneof![0..4_000_000_i64, any::<i64>()].prop_map(Micros::new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn i4_the_order_of_the_rules_decides_nothing(
        order in Just((0..COUNT).collect::<Vec<_>>()).prop_shuffle(),
        (current, proposed, share) in (rates(), rates(), rates()),
        kill in proptest::option::of(rates()),
        listed in any::<bool>(),
    ) {
        let guardrails = strict();
        let trailing = guardrails.trailing();
        let key = AdSetKey::new(Platform::Meta, if listed { "other" } else { "1" });
        let now = UtcHour::new(500_000);
        let span = HourSpan::hour(now);
        let local = AccountZone::UTC.local(now);
        let kill = kill.map(|rate| LastKnownGood { rate });
        let context = Context {
            share: Some(share),
            operator: Operator { kill, ..Operator::default() },
            ..Context::new(&key, span, local, current, &trailing, now)
        };
        let facts = Facts::new(&guardrails.config, &context, proposed);
        // Asked in another order, the rules say the same, because none sees another.
        let mut shuffled = [None; COUNT];
        for &place in &order {
            guardrails.ask(place, &facts, &mut shuffled[place]);
        }
        let mut said = guardrails.ask_all(&facts);
        prop_assert_eq!(shuffled, said);
        // Met in another order, and one of them twice, they have the same meet.
        let in_order = |order: &[usize]| -> Vec<Restriction> {
            order.iter().filter_map(|&place| said[place]).collect()
        };
        let (met, mut other) = (meet(said.iter().flatten()), in_order(&order));
        prop_assert_eq!(meet(other.iter()), met);
        other.extend(other.first().copied());
        prop_assert_eq!(meet(other.iter()), met);
        // Of parts, and of their meets: it is associative.
        let (one, rest) = other.split_at(other.len() / 2);
        let (one, rest) = (meet(one.iter()), meet(rest.iter()));
        prop_assert_eq!((one.0.min(rest.0), one.1.max(rest.1)), met);
        let verdict = guardrails.conclude(&facts, &mut said);
        prop_assert_eq!(verdict.binding.is_none(), verdict.allowed == verdict.normalised);
        for restriction in said {
            let ceiling = restriction.and_then(|said| said.ceiling);
            prop_assert!(ceiling.is_none_or(|ceiling| verdict.allowed <= ceiling));
        }
    }
}
