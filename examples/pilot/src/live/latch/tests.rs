//! What the kill file forbids, and what it keeps.

use gaelp::core::{AccountZone, AdSetKey, Currency, DecisionId, Platform, UtcHour};
use gaelp::platform::{
    AdPlatform, Capabilities, Fault, InMemoryPlatform, Script, SetBudget, WriteOutcome,
};

use super::{Latch, Latched, Line};

fn platform() -> InMemoryPlatform {
    let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
    let hour = UtcHour::new(490_000);
    let amount = |text: &str| text.parse().expect("an amount");
    InMemoryPlatform::new(meta, hour)
        .with_ad_set("one", amount("5"))
        .and_then(|platform| platform.with_ad_set("two", amount("3")))
        .expect("the platform takes such budgets")
}

fn set(platform: &dyn AdPlatform, ad_set: &str, amount: &str) -> bool {
    let request = SetBudget {
        key: AdSetKey::new(Platform::Meta, ad_set),
        daily_budget: amount.parse().expect("an amount"),
        decision: DecisionId::new(1),
    };
    match pollster::block_on(platform.set_budget(&request)) {
        WriteOutcome::Rejected(error) => {
            assert!(error.message().contains(".kill forbids raises"), "{error}");
            false
        }
        _ => true,
    }
}

#[test]
fn raises_are_stopped_and_decreases_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let latch = Latch::of(&folder.path().join("pilot.db"));
    let platform = Latched::new(platform(), latch.clone());
    let read = || pollster::block_on(platform.budgets()).expect("reads");
    let killed = Line::Killed {
        by: "a test".to_owned(),
        at: "2026-03-02T10:00:00Z".parse().expect("a time"),
    };
    assert!(!latch.is_set());
    read();
    assert!(set(&platform, "one", "6"));
    latch.write(&killed).expect("writes");
    assert!(latch.is_set());
    // What stands after the write that went well is not read yet: 5 is the least that is known.
    assert!(!set(&platform, "one", "5.50"));
    read();
    assert!(set(&platform, "one", "5.50") && set(&platform, "one", "5.50"));
    assert!(!set(&platform, "one", "5.60") && !set(&platform, "two", "3.01"));
    assert!(set(&platform, "two", "3") && set(&platform, "two", "2.50"));
    let aside = latch.lift("2026-03-02T11:00:00Z".parse().expect("a time"));
    let aside = aside.expect("moves").expect("was there");
    assert!(!latch.is_set() && aside.exists());
    let text = std::fs::read_to_string(&aside).expect("reads");
    assert_eq!(
        serde_json::from_str::<Line>(text.trim()).expect("a line"),
        killed
    );
    assert!(set(&platform, "two", "9"));
    assert_eq!(
        latch
            .lift("2026-03-02T12:00:00Z".parse().expect("a time"))
            .expect("looks"),
        None
    );
}

#[test]
fn what_is_not_known_to_be_a_decrease_is_a_raise() {
    let folder = tempfile::tempdir().expect("a folder");
    let latch = Latch::of(&folder.path().join("pilot.db"));
    let inner = platform().with_script(Script::new().then(Fault::WriteUnknownApplied));
    let platform = Latched::new(inner, latch.clone());
    let killed = Line::Killed {
        by: "a test".to_owned(),
        at: "2026-03-02T10:00:00Z".parse().expect("a time"),
    };
    latch.write(&killed).expect("writes");
    // Nothing was read yet.
    assert!(!set(&platform, "one", "1"));
    pollster::block_on(platform.budgets()).expect("reads");
    // The answer to the decrease is lost: it may stand, so that 4 may be a raise.
    assert!(set(&platform, "one", "2"));
    assert!(!set(&platform, "one", "4"));
}
