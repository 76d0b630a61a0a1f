//! Propensities that follow a learning policy against those computed from scratch.

use gaelp_bandits::{BetaThompson, Feedback, SelectError, TrackedPropensities, UnitReward};
use gaelp_core::{ArmId, DecisionId, PropensityMethod, Seed};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{feedback, policy};

/// Plays and follows, and compares with the policy's own propensities every so often.
fn check(mut policy: BetaThompson, steps: u32, every: u32, seed: u64) {
    let all = policy.all();
    let mut tracked = TrackedPropensities::new(&policy, &all).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut worst = 0.0_f64;
    for step in 0..steps {
        let arm = policy.draw(&all, Seed::new(seed), DecisionId::new(step.into()));
        let (found, method) = tracked.propensity(&policy, arm).unwrap();
        if step % every == 0 {
            let exact = policy.propensities(&all);
            let PropensityMethod::Quadrature { error } = method else {
                panic!("{method:?}");
            };
            assert!(error < 1e-8, "step {step}: error {error:e}");
            for arm in all.iter() {
                let (found, method) = tracked.propensity(&policy, arm).unwrap();
                let PropensityMethod::Quadrature { error } = method else {
                    panic!("{method:?}");
                };
                let off = (found.get() - exact.get(arm).unwrap().get()).abs();
                worst = worst.max(off);
                assert!(
                    off <= error + exact.error() + 1e-15,
                    "step {step}, arm {arm}: {off:e}"
                );
            }
        }
        assert!(found.get() > 0.0);
        let rate = 0.02 + 0.1 * f64::from(arm.get() % 5);
        let won = f64::from(rng.next_u32()) < rate * 4_294_967_296.0;
        let reward = if won {
            UnitReward::SUCCESS
        } else {
            UnitReward::FAILURE
        };
        policy.update(&[Feedback { arm, reward }]).unwrap();
        tracked.follow(&policy, arm).unwrap();
    }
    // Far better than stated, over thousands of updates.
    assert!(worst < 1e-11, "off by {worst:e}");
}

#[test]
fn tracked_propensities_follow_from_a_cold_start() {
    check(policy(&[(1.0, 1.0); 5]), 6000, 97, 1);
    check(policy(&[(0.5, 0.5); 30]), 1500, 97, 2);
}

#[test]
fn tracked_propensities_follow_unlike_arms() {
    let unlike = [
        (3.0, 30.0),
        (1000.0, 9000.0),
        (1.0, 1.0),
        (400.0, 3800.0),
        (2.0, 9.0),
    ];
    check(policy(&unlike), 3000, 97, 3);
}

#[test]
fn undoing_is_followed_and_strangers_are_refused() {
    let mut policy = policy(&[(2.0, 5.0), (3.0, 4.0), (4.0, 4.0)]);
    let some = policy.eligible(|arm| arm.get() != 1).unwrap();
    let mut tracked = TrackedPropensities::new(&policy, &some).unwrap();
    let arm = ArmId::new(0);
    let before = tracked.propensity(&policy, arm).unwrap().0.get();
    policy.update(&[feedback(0, 0.7); 9]).unwrap();
    tracked.follow(&policy, arm).unwrap();
    let between = tracked.propensity(&policy, arm).unwrap().0.get();
    policy.undo(&[feedback(0, 0.7); 9]).unwrap();
    tracked.follow(&policy, arm).unwrap();
    let after = tracked.propensity(&policy, arm).unwrap().0.get();
    assert!(between > before + 0.1);
    assert!((after - before).abs() < 1e-12);
    let stranger = ArmId::new(1);
    let refused = tracked.propensity(&policy, stranger);
    assert_eq!(
        refused.unwrap_err(),
        SelectError::NotLiving { arm: stranger }
    );
    assert!(tracked.follow(&policy, stranger).is_err());
}

/// What is tracked of every arm is the policy's own, within the sum of both errors.
fn agrees(tracked: &mut TrackedPropensities, policy: &BetaThompson) {
    let all = policy.all();
    let exact = policy.propensities(&all);
    for arm in all.iter() {
        let (found, method) = tracked.propensity(policy, arm).unwrap();
        let PropensityMethod::Quadrature { error } = method else {
            panic!("{method:?}");
        };
        let off = (found.get() - exact.get(arm).unwrap().get()).abs();
        assert!(
            off <= error + exact.error() + 1e-15 && error < 1e-8,
            "{arm}: off by {off:e}, {error:e} stated"
        );
    }
}

#[test]
fn arms_that_all_fall_below_the_nodes_are_found_there() {
    let mut policy = policy(&[(500.0, 500.0), (510.0, 500.0), (520.0, 500.0)]);
    let mut tracked = TrackedPropensities::new(&policy, &policy.all()).unwrap();
    for arm in 0..3 {
        policy.update(&vec![feedback(arm, 0.0); 6000]).unwrap();
        tracked.follow(&policy, ArmId::new(arm)).unwrap();
    }
    agrees(&mut tracked, &policy);
}

#[test]
fn an_arm_that_becomes_narrow_at_once_is_still_resolved_for_the_others() {
    let mut policy = policy(&[(2.0, 2.0), (2.0, 3.0), (3.0, 2.0)]);
    let mut tracked = TrackedPropensities::new(&policy, &policy.all()).unwrap();
    policy.update(&vec![feedback(0, 0.6); 200_000]).unwrap();
    tracked.follow(&policy, ArmId::new(0)).unwrap();
    // The narrow arm itself is asked last, so that it is not what has nodes laid anew.
    let (second, _) = tracked.propensity(&policy, ArmId::new(1)).unwrap();
    let exact = policy.propensities(&policy.all());
    let expected = exact.get(ArmId::new(1)).unwrap();
    assert!((second.get() - expected.get()).abs() < 1e-9, "{second:?}");
    agrees(&mut tracked, &policy);
}

#[test]
fn the_product_taken_anew_is_that_of_the_arms() {
    let mut policy = policy(&[(40.0, 400.0), (41.0, 399.0), (30.0, 450.0)]);
    let mut tracked = TrackedPropensities::new(&policy, &policy.all()).unwrap();
    // An arm that learns and unlearns by turns: twice as often as rounding is let add up.
    let arm = ArmId::new(1);
    for _ in 0..TrackedPropensities::REFRESH {
        policy.update(&[feedback(1, 1.0)]).unwrap();
        tracked.follow(&policy, arm).unwrap();
        policy.undo(&[feedback(1, 1.0)]).unwrap();
        tracked.follow(&policy, arm).unwrap();
    }
    agrees(&mut tracked, &policy);
}

/// Arms of a billion trials, whose rounding is large, beside arms of which little is known.
#[test]
fn very_sharp_arms_are_tracked_too() {
    let mut policy = policy(&[(4e8, 6e8), (4.0001e8, 6e8), (1.0, 1.0), (3.0, 1e9)]);
    let mut tracked = TrackedPropensities::new(&policy, &policy.all()).unwrap();
    for round in 0..200_u32 {
        let arm = round % 4;
        policy.update(&[feedback(arm, 0.5)]).unwrap();
        tracked.follow(&policy, ArmId::new(arm)).unwrap();
    }
    agrees(&mut tracked, &policy);
}
