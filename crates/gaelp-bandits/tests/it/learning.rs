//! Feedback: in any order, all or nothing, and undone without a trace.

use gaelp_bandits::{
    ArmError, ArmViolation, BetaPrior, BetaThompson, CredibleLevel, Evidence, Feedback,
    FeedbackError, PriorParameter, PriorViolation, UnitReward,
};
use gaelp_core::{ArmId, PolicyVersion};
use proptest::prelude::*;

use crate::{feedback, policy};

fn any_feedback(arms: u32) -> impl Strategy<Value = Feedback> {
    let reward = prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0_f64];
    (0..arms, reward).prop_map(|(arm, reward)| feedback(arm, reward))
}

fn batch() -> impl Strategy<Value = Vec<Feedback>> {
    prop::collection::vec(any_feedback(3), 1..40)
}

/// The shapes of every arm, bit by bit.
fn bits(policy: &BetaThompson) -> Vec<(u64, u64)> {
    policy
        .arms()
        .map(|arm| (arm.alpha.to_bits(), arm.beta.to_bits()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn undo_is_the_inverse_of_update(
        priors in prop::collection::vec((0.001..50.0_f64, 0.001..50.0_f64), 3),
        (before, batch) in (batch(), batch()),
    ) {
        let mut policy = policy(&priors);
        policy.update(&before).unwrap();
        let held = bits(&policy);
        policy.update(&batch).unwrap();
        let reversed: Vec<_> = batch.iter().rev().copied().collect();
        let version = policy.undo(&reversed).unwrap();
        prop_assert_eq!(bits(&policy), held);
        prop_assert_eq!(version, PolicyVersion::new(3));
    }

    #[test]
    fn order_and_batching_do_not_matter((one, other) in (batch(), batch())) {
        let start = policy(&[(0.1, 0.7), (1.0, 1.0), (3.3, 0.2)]);
        let (mut together, mut apart, mut merged) = (start.clone(), start.clone(), start);
        let all: Vec<_> = one.iter().chain(&other).copied().collect();
        together.update(&all).unwrap();
        apart.update(&other).unwrap();
        apart.update(&one).unwrap();
        let mut evidence = Evidence::of(&other).unwrap();
        evidence.merge(&Evidence::of(&one).unwrap()).unwrap();
        merged.merge(&evidence).unwrap();
        prop_assert_eq!(bits(&together), bits(&apart));
        prop_assert_eq!(&together, &merged);
    }

    #[test]
    fn merging_is_associative_and_commutative((a, b, c) in (batch(), batch(), batch())) {
        let [a, b, c] = [a, b, c].map(|batch| Evidence::of(&batch).unwrap());
        let merged = |parts: &[&Evidence]| {
            let mut sum = Evidence::default();
            for part in parts {
                sum.merge(part).unwrap();
            }
            sum
        };
        let whole = merged(&[&a, &b, &c]);
        prop_assert_eq!(&whole, &merged(&[&c, &a, &b]));
        prop_assert_eq!(&whole, &merged(&[&a, &merged(&[&b, &c])]));
    }

    #[test]
    fn a_refused_batch_changes_nothing(batch in batch(), position in 0..40_usize) {
        let mut policy = policy(&[(1.0, 1.0), (2.0, 2.0), (0.5, 0.5)]);
        policy.update(&batch).unwrap();
        let held = policy.clone();
        let mut foreign = batch.clone();
        foreign.insert(position.min(batch.len()), feedback(99, 0.5));
        let arm = ArmId::new(99);
        prop_assert_eq!(policy.update(&foreign), Err(FeedbackError::UnknownArm { arm }));
        prop_assert_eq!(policy.undo(&foreign), Err(FeedbackError::UnknownArm { arm }));
        prop_assert_eq!(&policy, &held);
        // More than was recorded.
        let twice: Vec<_> = batch.iter().chain(&batch).copied().collect();
        let refused = policy.undo(&twice);
        let not_recorded = matches!(refused, Err(FeedbackError::NotRecorded { .. }));
        prop_assert!(not_recorded);
        prop_assert_eq!(&policy, &held);
    }

    #[test]
    fn only_numbers_from_zero_to_one_are_rewards(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        match UnitReward::new(value) {
            Ok(reward) => {
                prop_assert!((0.0..=1.0).contains(&value));
                prop_assert!((reward.get() - value).abs() <= 5.000_001e-7);
            }
            Err(error) => {
                prop_assert!(!(0.0..=1.0).contains(&value));
                prop_assert_eq!(error.value.to_bits(), bits);
            }
        }
    }
}

#[test]
fn rewards_at_the_edge() {
    for value in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1e-300,
        1.0 + f64::EPSILON,
        1e9,
    ] {
        assert!(UnitReward::new(value).is_err(), "{value}");
    }
    assert_eq!(UnitReward::new(-0.0), Ok(UnitReward::FAILURE));
    assert_eq!(UnitReward::new(1.0), Ok(UnitReward::SUCCESS));
    assert_eq!(
        UnitReward::from_millionths(1_000_000),
        Ok(UnitReward::SUCCESS)
    );
    assert!(UnitReward::from_millionths(1_000_001).is_err());
    assert_eq!(
        UnitReward::new(1.5).unwrap_err().to_string(),
        "1.5 is not a reward: a number from 0 to 1 is expected"
    );
    assert!(serde_json::from_str::<UnitReward>("2.0").is_err());
}

#[test]
fn an_empty_batch_is_no_new_version() {
    let mut policy = policy(&[(1.0, 1.0)]);
    assert_eq!(policy.update(&[]), Ok(PolicyVersion::new(0)));
    assert_eq!(
        policy.merge(&Evidence::default()),
        Ok(PolicyVersion::new(0))
    );
    assert_eq!(
        policy.update(&[feedback(0, 1.0)]),
        Ok(PolicyVersion::new(1))
    );
}

#[test]
fn everything_wrong_with_arms_is_said_at_once() {
    assert_eq!(BetaThompson::new([]), Err(ArmError::NoArms));
    let arm = ArmId::new;
    let priors = [
        (
            arm(2),
            BetaPrior {
                successes: f64::NAN,
                failures: -1.0,
            },
        ),
        (arm(1), BetaPrior::default()),
        (
            arm(1),
            BetaPrior {
                successes: f64::INFINITY,
                failures: 1.0,
            },
        ),
    ];
    let error = BetaThompson::new(priors).unwrap_err();
    let ArmError::Invalid { violations } = &error else {
        panic!("{error}")
    };
    let infinite = PriorViolation {
        parameter: PriorParameter::Successes,
        value: f64::INFINITY,
    };
    assert_eq!(
        violations[..2],
        [
            ArmViolation::Duplicate { arm: arm(1) },
            ArmViolation::Prior {
                arm: arm(1),
                violation: infinite
            },
        ]
    );
    assert_eq!(
        error.to_string(),
        "arm 1 is given more than once; \
         arm 1: inf prior successes: a number from 0.001 to 1000000000 is expected; \
         arm 2: NaN prior successes: a number from 0.001 to 1000000000 is expected; \
         arm 2: -1 prior failures: a number from 0.001 to 1000000000 is expected"
    );
    assert_eq!(BetaPrior::new(1e-4, 2e9).unwrap_err().violations.len(), 2);
}

/// Quantiles by mpmath 1.4.1.
#[test]
fn posteriors_and_their_intervals() {
    let mut policy = policy(&[(1.0, 1.0)]);
    let batch: Vec<_> = (0..100)
        .map(|pull| feedback(0, if pull < 5 { 1.0 } else { 0.0 }))
        .collect();
    policy.update(&batch).unwrap();
    let arm = policy.arms().next().unwrap();
    assert_eq!(
        (arm.alpha.to_bits(), arm.beta.to_bits()),
        (6f64.to_bits(), 96f64.to_bits())
    );
    assert!((arm.mean() - 6.0 / 102.0).abs() < 1e-16);
    let interval = arm.interval(CredibleLevel::default());
    assert!((interval.lower - 0.022_110_572_409_418_05).abs() < 1e-13);
    assert!((interval.upper - 0.111_755_058_634_666_05).abs() < 1e-13);
    for level in [0.0, 1.0, -0.5, f64::NAN] {
        assert!(CredibleLevel::new(level).is_err());
    }
    let certain = arm.interval(CredibleLevel::new(1.0 - f64::EPSILON).unwrap());
    assert!(0.0 < certain.lower && certain.lower < interval.lower);
    assert!(interval.upper < certain.upper && certain.upper < 1.0);
}
