use std::num::NonZeroU32;

use gaelp_core::{AdSetKey, DecisionId, Micros, Platform};
use gaelp_platform::{
    AdPlatform, BudgetError, Delivery, ErrorKind, InMemoryPlatform, SetBudget, WriteOutcome,
};
use pollster::block_on;
use proptest::prelude::*;

use crate::support::{NOW, dollars, key, meta, set};

fn write(platform: &InMemoryPlatform, request: &SetBudget) -> WriteOutcome {
    block_on(platform.set_budget(request))
}

fn kind_of(outcome: &WriteOutcome) -> Option<ErrorKind> {
    match outcome {
        WriteOutcome::Rejected(error) => Some(error.kind()),
        _ => None,
    }
}

fn applied(budget: &str) -> WriteOutcome {
    let daily_budget = dollars(budget);
    WriteOutcome::Applied { daily_budget }
}

#[test]
fn what_is_applied_is_read_back() {
    let platform = meta();
    assert_eq!(write(&platform, &set("a", "5.55")), applied("5.55"));
    let budgets = block_on(platform.budgets()).unwrap();
    let read: Vec<_> = budgets
        .iter()
        .map(|b| (b.key.clone(), b.daily_budget))
        .collect();
    assert_eq!(
        read,
        [(key("a"), dollars("5.55")), (key("b"), dollars("4"))]
    );
}

#[test]
fn what_the_platform_does_not_take_changes_nothing() {
    let platform = meta();
    let foreign = SetBudget {
        key: AdSetKey::new(Platform::Google, "a"),
        ..set("a", "6")
    };
    let requests = [
        set("a", "0.99"),
        set("a", "-5"),
        set("a", "0"),
        set("a", "5.555"),
        set("nobody", "6"),
        foreign,
    ];
    for request in &requests {
        let outcome = write(&platform, request);
        assert_eq!(kind_of(&outcome), Some(ErrorKind::Rejected), "{outcome:?}");
        assert_eq!(platform.daily_budget("a"), Some(dollars("5")));
    }
    let standing: Vec<_> = platform
        .writes()
        .iter()
        .map(|w| (w.before, w.after))
        .collect();
    let five = Some(dollars("5"));
    let (ours, not) = ((five, five), (None, None));
    assert_eq!(standing, [ours, ours, ours, ours, not, not]);
    // Rejected writes are no edits: all four are still there.
    for cents in 1..=4 {
        let request = set("a", &format!("6.0{cents}"));
        assert!(matches!(
            write(&platform, &request),
            WriteOutcome::Applied { .. }
        ));
    }
}

#[test]
fn edits_are_counted_by_ad_set_and_hour() {
    let platform = meta();
    for _ in 0..4 {
        assert_eq!(write(&platform, &set("a", "6")), applied("6"));
    }
    let fifth = write(&platform, &set("a", "7"));
    assert!(matches!(
        kind_of(&fifth),
        Some(ErrorKind::RateLimited {
            retry_after: Some(_)
        })
    ));
    assert_eq!(platform.daily_budget("a"), Some(dollars("6")));
    assert_eq!(write(&platform, &set("b", "7")), applied("7")); // another ad set
    platform.set_now(NOW.plus(1)); // another hour
    assert_eq!(write(&platform, &set("a", "7")), applied("7"));
}

#[test]
fn a_persons_edits_count_and_always_succeed() {
    let platform = meta();
    for _ in 0..5 {
        platform.external_edit("a", Micros::new(7));
    }
    assert_eq!(platform.daily_budget("a"), Some(Micros::new(7)));
    let ours = write(&platform, &set("a", "5"));
    assert!(matches!(
        kind_of(&ours),
        Some(ErrorKind::RateLimited { .. })
    ));
    platform.external_edit("new", dollars("3"));
    assert_eq!(write(&platform, &set("new", "4")), applied("4"));
    assert_eq!(platform.writes().len(), 2); // ours only
}

#[test]
fn ad_sets_have_budgets_that_the_platform_takes() {
    let platform = meta();
    let (asked, minimum) = (dollars("0.50"), dollars("1"));
    let refused = platform.put_ad_set("c", asked, Delivery::Paused);
    assert_eq!(refused, Err(BudgetError::BelowMinimum { asked, minimum }));
    platform
        .put_ad_set("c", dollars("2"), Delivery::Paused)
        .unwrap();
    let budgets = block_on(platform.budgets()).unwrap();
    let paused = budgets
        .iter()
        .find(|reading| reading.delivery == Delivery::Paused);
    assert_eq!(paused.unwrap().key, key("c"));
}

/// The rules once more, written as plainly as possible: what stands, and how many edits are left.
#[derive(Debug)]
struct Model {
    standing: i64,
    left: u32,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Writes and hours in any order do what the plain model says, and the audit agrees with
    /// what was told.
    #[test]
    fn writes_follow_the_rules(
        steps in prop::collection::vec(
            prop_oneof![
                4 => (-100..2_000_i64).prop_map(|cents| Some(cents * 10_000)),
                1 => (0..20_000_000_i64).prop_map(Some),
                1 => Just(None),
            ],
            0..40,
        ),
        limit in 1..6_u32,
    ) {
        let capabilities = meta()
            .capabilities()
            .with(|config| config.edits_per_hour = NonZeroU32::new(limit))
            .unwrap();
        let platform = InMemoryPlatform::new(capabilities, NOW)
            .with_ad_set("a", dollars("5"))
            .unwrap();
        let mut model = Model { standing: 5_000_000, left: limit };
        for (number, step) in steps.iter().enumerate() {
            let Some(micros) = *step else {
                platform.set_now(platform.now().plus(1));
                model.left = limit;
                continue;
            };
            let request = SetBudget {
                key: key("a"),
                daily_budget: Micros::new(micros),
                decision: DecisionId::new(number as u128),
            };
            let outcome = write(&platform, &request);
            if micros < 1_000_000 || micros % 10_000 != 0 {
                prop_assert_eq!(kind_of(&outcome), Some(ErrorKind::Rejected));
            } else if model.left == 0 {
                let is_limited = matches!(kind_of(&outcome), Some(ErrorKind::RateLimited { .. }));
                prop_assert!(is_limited, "{:?}", outcome);
            } else {
                model.left -= 1;
                model.standing = micros;
                let daily_budget = Micros::new(micros);
                prop_assert_eq!(&outcome, &WriteOutcome::Applied { daily_budget });
            }
            prop_assert_eq!(platform.daily_budget("a"), Some(Micros::new(model.standing)));
            let writes = platform.writes();
            let last = writes.last().unwrap();
            prop_assert_eq!(&last.request, &request);
            prop_assert_eq!(&last.outcome, &outcome);
            prop_assert_eq!(last.after, Some(Micros::new(model.standing)));
            prop_assert_eq!(last.at, platform.now());
        }
        let tried = steps.iter().flatten().count();
        prop_assert_eq!(platform.writes().len(), tried);
    }
}
