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
        let mut shuffled = guardrails.ask_all(&facts);
        for (place, &index) in order.iter().enumerate() {
            shuffled[place] = (index, guardrails.ask(index, &facts));
        }
        let verdict = guardrails.conclude(&facts, guardrails.ask_all(&facts));
        prop_assert_eq!(&guardrails.conclude(&facts, shuffled), &verdict);

        // The meet is idempotent: asking a rule twice instead of another that said nothing.
        let silent = shuffled.iter().position(|(_, said)| said.is_none());
        if let Some(place) = silent {
            let mut twice = shuffled;
            twice[place].1 = shuffled.iter().find_map(|(_, said)| *said);
            prop_assert_eq!(guardrails.meet(&twice), guardrails.meet(&shuffled));
        }
        prop_assert_eq!(verdict.binding.is_none(), verdict.allowed == verdict.normalised);
        for (_, restriction) in shuffled {
            let ceiling = restriction.and_then(|said| said.ceiling);
            prop_assert!(ceiling.is_none_or(|ceiling| verdict.allowed <= ceiling));
        }
    }
}
