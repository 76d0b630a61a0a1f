//! Stored policies: the same decisions after restoring, and no trust in what was stored.

use gaelp_bandits::{BetaThompson, Evidence, FeedbackError};
use gaelp_core::{ArmId, DecisionId, PolicyVersion, Seed};
use proptest::prelude::*;

use crate::{feedback, policy};

const STORED: &str = r#"{"format":1,"version":2,"arms":[
    {"arm":0,"prior":{"successes":1.0,"failures":1.0},
     "seen":{"success_millionths":1250000,"failure_millionths":750000}},
    {"arm":4,"prior":{"successes":0.1,"failures":0.30000000000000004},
     "seen":{"success_millionths":0,"failure_millionths":0}}]}"#;

#[test]
fn the_first_format_is_read_and_written() {
    let policy: BetaThompson = serde_json::from_str(STORED).unwrap();
    let posterior: Vec<_> = policy
        .arms()
        .map(|arm| (arm.id.get(), arm.alpha, arm.beta))
        .collect();
    let third = 0.300_000_000_000_000_04;
    assert_eq!(
        format!("{posterior:?}"),
        format!("{:?}", [(0, 2.25, 1.75), (4, 0.1, third)])
    );
    assert_eq!(policy.version(), PolicyVersion::new(2));
    let compact: String = STORED.split_whitespace().collect();
    assert_eq!(serde_json::to_string(&policy).unwrap(), compact);
}

#[test]
fn what_is_not_a_policy_is_refused_with_its_reason() {
    let edited = |from: &str, to: &str| {
        assert!(STORED.contains(from), "{from}");
        let edited = STORED.replacen(from, to, 1);
        serde_json::from_str::<BetaThompson>(&edited)
            .unwrap_err()
            .to_string()
    };
    for (from, to, reason) in [
        (
            "\"format\":1",
            "\"format\":2",
            "a snapshot of format 2 was found",
        ),
        ("\"arm\":4", "\"arm\":0", "arm 0 is given more than once"),
        ("\"arm\":4", "\"arm\":-4", "invalid value"),
        (
            "\"successes\":1.0",
            "\"successes\":0.0",
            "0 prior successes",
        ),
        (
            "\"successes\":1.0",
            "\"successes\":1e999",
            "number out of range",
        ),
        ("\"successes\":1.0", "\"successes\":null", "invalid type"),
        ("\"failures\":1.0", "\"failures\":-3.0", "-3 prior failures"),
        ("1250000", "1250001", "not a whole number of rewards"),
        (
            "1250000",
            "18446744073709551615",
            "not a whole number of rewards",
        ),
        ("1250000", "-1", "invalid value"),
        ("1250000", "1.5", "invalid type"),
        ("\"version\":2", "\"version\":-2", "invalid value"),
        ("\"version\":2", "\"version\":2,\"x\":1", "unknown field"),
        ("\"prior\":{", "\"prior\":{\"x\":1,", "unknown field"),
    ] {
        let error = edited(from, to);
        assert!(error.contains(reason), "{to}: {error}");
    }
    let none = serde_json::from_str::<BetaThompson>(r#"{"format":1,"version":0,"arms":[]}"#);
    assert!(
        none.unwrap_err()
            .to_string()
            .contains("a policy needs at least one arm")
    );
}

#[test]
fn full_arms_and_used_up_versions_are_errors() {
    let full = STORED
        .replace("1250000", "18446744073708000000")
        .replace("750000", "1000000");
    let mut policy: BetaThompson = serde_json::from_str(&full).unwrap();
    let held = policy.clone();
    let arm = ArmId::new(0);
    let batch = [feedback(4, 1.0), feedback(0, 0.5)];
    assert_eq!(policy.update(&batch), Err(FeedbackError::Full { arm }));
    assert_eq!(policy, held);
    let prepared = policy.prepare(&policy.all());
    let choice = prepared.select(Seed::new(0), DecisionId::new(0));
    assert!(choice.propensity.get() > 0.0);

    let last = STORED.replace("\"version\":2", "\"version\":18446744073709551615");
    let mut policy: BetaThompson = serde_json::from_str(&last).unwrap();
    let held = policy.clone();
    assert_eq!(policy.update(&batch), Err(FeedbackError::VersionsUsedUp));
    assert_eq!(policy, held);
}

#[test]
fn evidence_is_stored_and_checked_too() {
    let evidence = Evidence::of(&[feedback(3, 0.25), feedback(3, 1.0)]).unwrap();
    let stored = serde_json::to_string(&evidence).unwrap();
    assert_eq!(
        stored,
        r#"{"3":{"success_millionths":1250000,"failure_millionths":750000}}"#
    );
    assert_eq!(serde_json::from_str::<Evidence>(&stored).unwrap(), evidence);
    assert!(serde_json::from_str::<Evidence>(&stored.replace("125", "126")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_restored_policy_decides_the_same(
        priors in prop::collection::vec((0.001..1e9_f64, 0.001..1e9_f64), 1..6),
        rewards in prop::collection::vec((0..6_u32, 0.0..=1.0_f64), 0..30),
        seed in any::<u64>(),
    ) {
        let mut policy = policy(&priors);
        let arms = u32::try_from(priors.len()).unwrap();
        for (arm, reward) in rewards {
            policy.update(&[feedback(arm % arms, reward)]).unwrap();
        }
        let stored = serde_json::to_string(&policy).unwrap();
        let restored: BetaThompson = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&restored, &policy);
        let (one, other) = (policy.prepare(&policy.all()), restored.prepare(&restored.all()));
        for decision in (0..10).map(DecisionId::new) {
            let (one, other) =
                (one.select(Seed::new(seed), decision), other.select(Seed::new(seed), decision));
            prop_assert_eq!(one, other);
            prop_assert_eq!(
                one.propensity.get().to_bits(),
                other.propensity.get().to_bits()
            );
        }
    }

    #[test]
    fn damaged_text_never_panics(position in 0..STORED.len(), byte in 0..128_u8) {
        let mut damaged = STORED.as_bytes().to_vec();
        damaged[position] = byte;
        if let Ok(policy) = serde_json::from_slice::<BetaThompson>(&damaged) {
            let choice = policy.select(&policy.all(), Seed::new(1), DecisionId::new(1));
            prop_assert!(choice.propensity.get() > 0.0);
        }
    }
}
