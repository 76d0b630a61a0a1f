//! Stored contextual policies: the same decisions after restoring, and no trust in what was stored.

use gaelp_bandits::{
    ArmFeatures, ContextualPolicy, Disjoint, Explorer, Features, LinTs, LinUcb, Logistic,
    Regressor, Ridge, Shared, SquareCb,
};
use gaelp_core::{ArmId, DecisionId, Seed};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Stream, amount, came, features};
use crate::{ids, unit};

fn restored<T: Serialize + DeserializeOwned>(policy: &T) -> T {
    let stored = serde_json::to_string(policy).unwrap();
    serde_json::from_str(&stored).unwrap()
}

fn decides_the_same<P: ContextualPolicy>(
    one: &P,
    other: &P,
    context: &P::Context,
) -> Result<(), TestCaseError> {
    for decision in (0..10).map(DecisionId::new) {
        let choose = |policy: &P| {
            policy
                .select(context, &policy.all(), Seed::new(7), decision)
                .unwrap()
        };
        let (one, other) = (choose(one), choose(other));
        prop_assert_eq!(one, other);
        prop_assert_eq!(
            one.propensity.get().to_bits(),
            other.propensity.get().to_bits()
        );
    }
    Ok(())
}

/// Both learn on and stay the same.
fn stays_the_same<M, E>(
    policy: &Disjoint<M, E>,
    lesson: impl Fn(f64) -> M::Reward,
) -> Result<(), TestCaseError>
where
    M: Regressor + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned,
    E: Explorer<M> + Clone + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let mut restored = restored(policy);
    let mut policy = policy.clone();
    prop_assert_eq!(&restored, &policy);
    let mut stream = Stream(5);
    for step in 0..20 {
        let x = stream.features(3, 1.0);
        decides_the_same(&policy, &restored, &x)?;
        let lesson = [came(step % 3, &x, lesson(stream.unit()))];
        policy.update(&lesson).unwrap();
        restored.update(&lesson).unwrap();
    }
    prop_assert_eq!(&restored, &policy);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_restored_policy_decides_the_same(
        lessons in 0..80_u32,
        scale in 0.01..100.0_f64,
        seed in any::<u64>(),
    ) {
        let mut stream = Stream(seed);
        let linear = Ridge::new(3, 1.0).unwrap();
        let mut ts = Disjoint::new(LinTs::default(), linear.clone(), ids(3)).unwrap();
        let mut cb = Disjoint::new(SquareCb::default(), Logistic::new(3, 0.5).unwrap(), ids(3))
            .unwrap();
        let mut shared = Shared::new(LinUcb::default(), linear, ids(3)).unwrap();
        for step in 0..lessons {
            let (x, reward) = (stream.features(3, scale), stream.normal());
            ts.update(&[came(step % 3, &x, amount(reward))]).unwrap();
            shared.update(&[came(step % 3, &x, amount(reward))]).unwrap();
            let won = unit(f64::from(u8::from(reward > 0.0)));
            cb.update(&[came(step % 3, &x, won)]).unwrap();
        }
        ts.restart(ArmId::new(1)).unwrap();
        ts.add(ArmId::new(9)).unwrap();
        ts.retire(ArmId::new(9)).unwrap();
        shared.add(ArmId::new(8)).unwrap();
        shared.retire(ArmId::new(8)).unwrap();
        // The restarted arm is a new life.
        let again = restored(&ts);
        prop_assert_eq!(&again, &ts);
        for context in (0..5).map(|_| stream.features(3, 1.0)) {
            decides_the_same(&ts, &again, &context)?;
        }
        stays_the_same(&cb, unit)?;
        let again = restored(&shared);
        prop_assert_eq!(&again, &shared);
        let context = ArmFeatures::new(ids(3).map(|arm| (arm, stream.features(3, 1.0)))).unwrap();
        decides_the_same(&shared, &again, &context)?;
    }
}

fn stored() -> String {
    let mut policy = Disjoint::new(LinUcb::default(), Ridge::new(1, 2.0).unwrap(), ids(2)).unwrap();
    let x = features(&[1.0]);
    policy.update(&[came(0, &x, amount(0.5))]).unwrap();
    policy.update(&[came(0, &x, amount(1.0))]).unwrap();
    policy.retire(ArmId::new(1)).unwrap();
    policy.add(ArmId::new(1)).unwrap();
    serde_json::to_string(&policy).unwrap()
}

/// Part of the contract: what this version writes, later versions read.
#[test]
fn the_first_format_is_written_and_read() {
    let expected = concat!(
        r#"{"format":1,"explorer":{"alpha":1.0},"blank":{"prior":2.0,"#,
        r#""sums":{"products":[0],"rewards":[0],"lessons":0},"#,
        r#""covariance":[0.4999999999999999],"mean":[0.0],"wear":0.0,"toll":1.0000000009313226},"#,
        r#""forgetting":"never","clock":-2147483648,"version":4,"trials":2,"#,
        r#""arms":[[{"arm":0,"generation":0},{"prior":2.0,"#,
        r#""sums":{"products":[2305843009213693952],"rewards":[1610612736000000],"lessons":2},"#,
    );
    let stored = stored();
    assert!(stored.starts_with(expected), "{stored}");
    assert!(stored.contains(r#""retired":{"1":0}"#), "{stored}");
    let policy: Disjoint<Ridge, LinUcb> = serde_json::from_str(&stored).unwrap();
    let (_, model) = policy.arms().next().unwrap();
    assert!((model.predict(&features(&[1.0])) - 0.375).abs() < 1e-15);
}

#[test]
fn what_is_no_policy_is_refused_with_its_reason() {
    let stored = stored();
    for (from, to, reason) in [
        ("\"format\":1", "\"format\":2", "format 2"),
        ("\"alpha\":1.0", "\"alpha\":-1.0", "alpha is -1"),
        (
            "\"prior\":2.0",
            "\"prior\":0.0",
            "not what the evidence says",
        ),
        (
            "\"prior\":2.0",
            "\"prior\":3.0",
            "not what the evidence says",
        ),
        (
            "\"covariance\":[0.4999999999999999]",
            "\"covariance\":[0.51]",
            "not what the evidence",
        ),
        (
            "\"covariance\":[0.4999999999999999]",
            "\"covariance\":[0.5,0.1]",
            "not what the evidence",
        ),
        (
            "\"covariance\":[0.4999999999999999]",
            "\"covariance\":[null]",
            "invalid type",
        ),
        (
            "\"mean\":[0.0]",
            "\"mean\":[0.1]",
            "not what the evidence says",
        ),
        (
            "\"wear\":0.0",
            "\"wear\":-1.0",
            "not what the evidence says",
        ),
        (
            "\"toll\":1.0000000009313226",
            "\"toll\":0.0",
            "not what the evidence says",
        ),
        (
            "2305843009213693952",
            "-2305843009213693952",
            "not what the evidence says",
        ),
        (
            "2305843009213693952",
            "99999999999999999999999999999999999",
            "no lessons add up",
        ),
        (
            "1610612736000000",
            "1710612736000000",
            "not what the evidence says",
        ),
        (
            "\"lessons\":0",
            "\"lessons\":9999999999",
            "no lessons add up",
        ),
        ("\"products\":[0]", "\"products\":[]", "no lessons add up"),
        ("\"rewards\":[0]", "\"rewards\":[0,0]", "no lessons add up"),
        (
            "\"retired\":{\"1\":0}",
            "\"retired\":{\"1\":5}",
            "generation that was retired",
        ),
        ("\"arm\":1", "\"arm\":0", "more than once"),
        (
            "\"forgetting\":\"never\"",
            "\"forgetting\":{\"window\":{\"hours\":3}}",
            "not seen through a window",
        ),
        ("\"trials\":2", "\"trials\":2,\"x\":1", "unknown field"),
    ] {
        assert!(stored.contains(from), "{from} in {stored}");
        let damaged = stored.replacen(from, to, 1);
        let error = serde_json::from_str::<Disjoint<Ridge, LinUcb>>(&damaged).unwrap_err();
        assert!(error.to_string().contains(reason), "{to}: {error}");
    }
    // An arm whose model takes other features.
    let wide = serde_json::to_string(&Ridge::new(2, 2.0).unwrap()).unwrap();
    let narrow = serde_json::to_string(&Ridge::new(1, 2.0).unwrap()).unwrap();
    let damaged = stored.replacen(&narrow, &wide, 1);
    let error = serde_json::from_str::<Disjoint<Ridge, LinUcb>>(&damaged).unwrap_err();
    assert!(error.to_string().contains("another kind"), "{error}");
    let shared = Shared::new(LinTs::default(), Ridge::new(1, 1.0).unwrap(), ids(1)).unwrap();
    let stored = serde_json::to_string(&shared).unwrap();
    let damaged = stored.replacen("\"draws\":1024", "\"draws\":1", 1);
    assert!(serde_json::from_str::<Shared<Ridge, LinTs>>(&damaged).is_err());
}

proptest! {
    #[test]
    fn damaged_text_never_panics(position in any::<prop::sample::Index>(), byte in 32..127_u8) {
        let mut damaged = stored().into_bytes();
        let place = position.index(damaged.len());
        damaged[place] = byte;
        if let Ok(mut policy) = serde_json::from_slice::<Disjoint<Ridge, LinUcb>>(&damaged) {
            let x: Features = features(&[1.0]);
            let chosen = policy
                .select(&x, &policy.all(), Seed::new(1), DecisionId::new(1))
                .unwrap();
            prop_assert!(chosen.propensity.get() > 0.0);
            let _ = policy.update(&[came(0, &x, amount(1.0))]);
        }
    }
}
