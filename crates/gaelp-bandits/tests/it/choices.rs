//! The same inputs give the same choice, in every version of this crate.

use gaelp_bandits::{BetaPrior, BetaThompson, SelectError};
use gaelp_core::{ArmId, DecisionId, PolicyVersion, Seed};

use crate::{feedback, policy};

/// Part of the contract: a logged decision can be drawn again by a later version.
#[test]
fn choices_are_stable() {
    let chosen = |priors: &[(f64, f64)]| -> String {
        let policy = policy(priors);
        let prepared = policy.prepare(&policy.all());
        let choose = |decision| prepared.select(Seed::new(2026), DecisionId::new(decision));
        (0..40)
            .map(|decision| choose(decision).arm.to_string())
            .collect()
    };
    let plain = chosen(&[
        (3.0, 30.0),
        (10.0, 100.0),
        (40.0, 380.0),
        (2.0, 9.0),
        (1.0, 12.0),
    ]);
    assert_eq!(plain, "2132330333334333330333332333433033003341");
    let tiny = chosen(&[(0.001, 0.001), (0.01, 0.02), (2.0, 3.0)]);
    assert_eq!(tiny, "2002202022201000220022022222020210200211");
}

/// Bits, so that another platform's rounding would show.
#[test]
fn propensities_are_stable() {
    let policy = policy(&[(4.0, 98.0), (6.0, 96.0), (0.5, 3.5)]);
    let propensities = policy.propensities(&policy.all());
    let bits: Vec<_> = propensities
        .iter()
        .map(|(_, p)| p.get().to_bits())
        .collect();
    assert_eq!(
        bits,
        [
            4_592_912_435_439_419_021,
            4_600_216_576_786_725_277,
            4_602_878_938_518_575_969
        ]
    );
}

#[test]
fn the_order_of_arms_does_not_matter() {
    let arms = [(7, 2.0), (3, 5.0), (11, 1.0)];
    let arm = |&(id, successes): &(u32, f64)| {
        (
            ArmId::new(id),
            BetaPrior {
                successes,
                failures: 4.0,
            },
        )
    };
    let one = BetaThompson::new(arms.iter().map(arm)).unwrap();
    let other = BetaThompson::new(arms.iter().rev().map(arm)).unwrap();
    assert_eq!(one, other);
}

#[test]
fn each_of_seed_version_and_decision_counts() {
    let mut policy = policy(&[(1.0, 1.0); 16]);
    let run = |policy: &BetaThompson, seed| -> Vec<ArmId> {
        let prepared = policy.prepare(&policy.all());
        (0..20)
            .map(|id| prepared.select(Seed::new(seed), DecisionId::new(id)).arm)
            .collect()
    };
    let first = run(&policy, 1);
    assert_eq!(first, run(&policy, 1));
    assert_ne!(first, run(&policy, 2));
    assert!(first.iter().any(|arm| *arm != first[0]));
    // The same posterior again, under a later version.
    policy.update(&[feedback(0, 1.0)]).unwrap();
    policy.undo(&[feedback(0, 1.0)]).unwrap();
    assert_eq!(policy.version(), PolicyVersion::new(2));
    assert_ne!(first, run(&policy, 1));
}

#[test]
fn select_is_prepare_and_select() {
    let mut policy = policy(&[(1.0, 1.0), (2.0, 5.0), (0.2, 0.9)]);
    policy
        .update(&[feedback(1, 0.3), feedback(2, 1.0)])
        .unwrap();
    let eligible = policy.all();
    let prepared = policy.prepare(&eligible);
    for decision in (0..50).map(DecisionId::new) {
        let choice = policy.select(&eligible, Seed::new(5), decision);
        assert_eq!(choice, prepared.select(Seed::new(5), decision));
        assert_eq!(choice.policy, PolicyVersion::new(1));
    }
}

#[test]
fn a_prepared_policy_does_not_learn() {
    let mut policy = policy(&[(1.0, 1.0), (1.0, 1.0)]);
    let prepared = policy.prepare(&policy.all());
    let before = prepared.propensity(ArmId::new(0));
    policy.update(&[feedback(0, 1.0); 50]).unwrap();
    assert_eq!(prepared.propensity(ArmId::new(0)), before);
    assert_eq!(prepared.version(), PolicyVersion::new(0));
    assert!(policy.prepare(&policy.all()).propensity(ArmId::new(0)) > before);
}

#[test]
fn nothing_eligible_is_an_error() {
    let policy = policy(&[(1.0, 1.0), (1.0, 1.0)]);
    assert_eq!(
        policy.eligible(|_| false),
        Err(SelectError::NoneEligible { arms: 2 })
    );
}

/// An eligible set of another policy is safe: no other arm is chosen, and none is refused.
#[test]
fn arms_of_another_policy_stand_at_the_default_prior() {
    let one = policy(&[(5.0, 5.0), (30.0, 2.0)]);
    let other = policy(&[(9.0, 1.0), (30.0, 2.0), (1.0, 1.0), (1.0, 1.0)]);
    let foreign = other.eligible(|arm| arm.get() >= 2).unwrap();
    let propensities = one.propensities(&foreign);
    assert_eq!(propensities, other.propensities(&foreign));
    let prepared = one.prepare(&foreign);
    let chosen = (0..100).map(|id| prepared.select(Seed::new(0), DecisionId::new(id)).arm);
    assert!(chosen.into_iter().all(|arm| foreign.contains(arm)));
}
