//! Arms come and go, and what comes back late is told apart.

use gaelp_bandits::{
    ArmError, ArmKey, Bandit, BetaBernoulli, BetaPrior, EpsilonGreedy, Exp3Ix, FeedbackError,
    Generation, Imed, KlUcb, Policy, SelectError, Share, Softmax, TopTwo, UnitReward,
};
use gaelp_core::{ArmId, DecisionId, PolicyVersion, Propensity, Seed, UtcHour};
use proptest::prelude::*;

use crate::{ids, outcome, policy, unit};

/// Every kind of policy over rewards from 0 to 1.
fn all_kinds(arms: u32) -> Vec<Box<dyn Policy<Reward = UnitReward>>> {
    let top_two = TopTwo {
        leader: 0.5,
        of: BetaBernoulli::default(),
    };
    vec![
        Box::new(policy(&vec![(1.0, 1.0); arms as usize])),
        Box::new(Bandit::new(BetaBernoulli::default(), ids(arms)).unwrap()),
        Box::new(Bandit::new(top_two, ids(arms)).unwrap()),
        Box::new(Bandit::new(KlUcb::default(), ids(arms)).unwrap()),
        Box::new(Bandit::new(Imed, ids(arms)).unwrap()),
        Box::new(Bandit::new(EpsilonGreedy::default(), ids(arms)).unwrap()),
        Box::new(Bandit::new(Softmax::default(), ids(arms)).unwrap()),
        Box::new(Bandit::new(Exp3Ix::default(), ids(arms)).unwrap()),
    ]
}

#[test]
fn feedback_for_a_retired_arm_is_refused_and_says_so() {
    let arm = ArmId::new(1);
    let mut bandit = Bandit::new(KlUcb::default(), ids(3)).unwrap();
    bandit.update(&[outcome(1, unit(1.0))]).unwrap();
    let retired = bandit.retire(arm).unwrap();
    let held = bandit.clone();
    let error = bandit
        .update(&[outcome(0, unit(1.0)), outcome(1, unit(1.0))])
        .unwrap_err();
    assert_eq!(error, FeedbackError::Retired { key: retired });
    assert_eq!(error.to_string(), "feedback for arm 1, which was retired");
    assert_eq!(bandit, held);
    assert_eq!(
        bandit.undo(&[outcome(1, unit(1.0))]),
        Err(FeedbackError::Retired { key: retired })
    );
    // The id lives again: the old life's feedback is still refused, the new life's is taken.
    let key = bandit.add(arm).unwrap();
    assert_eq!(key.to_string(), "1 (generation 1)");
    assert!(bandit.update(&[outcome(1, unit(1.0))]).is_err());
    let mut fresh = outcome(1, unit(1.0));
    fresh.key = key;
    bandit.update(&[fresh]).unwrap();
    assert_eq!(
        bandit.arms().nth(1).unwrap().1.trials.to_bits(),
        1f64.to_bits()
    );
    // A generation that was never there is unknown, not retired.
    fresh.key.generation = Generation::new(2);
    assert_eq!(
        bandit.update(&[fresh]),
        Err(FeedbackError::UnknownArm { arm })
    );
    // A restart ends a life too.
    bandit.restart(arm).unwrap();
    fresh.key = key;
    assert_eq!(bandit.update(&[fresh]), Err(FeedbackError::Retired { key }));
    assert_eq!(
        bandit.arms().nth(1).unwrap().1.trials.to_bits(),
        0f64.to_bits()
    );
}

#[test]
fn beta_thompson_has_lives_too() {
    let mut policy = policy(&[(1.0, 1.0), (1.0, 1.0)]);
    let arm = ArmId::new(0);
    assert_eq!(
        policy.add(arm, BetaPrior::default()),
        Err(ArmError::Living { arm })
    );
    let old = policy.retire(arm).unwrap();
    assert_eq!(
        policy.update(&[crate::feedback(0, 1.0)]),
        Err(FeedbackError::Retired { key: old })
    );
    assert_eq!(policy.retire(ArmId::new(1)), Err(ArmError::NoArms));
    assert_eq!(policy.retire(arm), Err(ArmError::NotLiving { arm }));
    let wrong = BetaPrior {
        successes: -1.0,
        failures: 1.0,
    };
    assert!(policy.add(arm, wrong).is_err());
    let new = policy.add(arm, BetaPrior::default()).unwrap();
    assert_eq!(new.generation, Generation::new(1));
    assert_eq!(
        Policy::update(&mut policy, &[outcome(0, unit(1.0))]),
        Err(FeedbackError::Retired { key: old })
    );
    let mut part = outcome(1, unit(1.0));
    part.trial = Share::new(0.5).unwrap();
    assert_eq!(
        Policy::update(&mut policy, &[part]),
        Err(FeedbackError::PartOfTrial { key: part.key })
    );
    assert_eq!(policy.version(), PolicyVersion::new(2));
    // Lives survive storing, and a stored life that was retired is refused.
    let stored = serde_json::to_string(&policy).unwrap();
    let restored: gaelp_bandits::BetaThompson = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored, policy);
    let undead = stored.replace("\"generation\":1", "\"generation\":0");
    assert_ne!(undead, stored);
    let error = serde_json::from_str::<gaelp_bandits::BetaThompson>(&undead).unwrap_err();
    assert!(
        error.to_string().contains("generation that was retired"),
        "{error}"
    );
}

#[test]
fn arms_that_are_not_there_cannot_be_chosen() {
    let wide = Bandit::new(KlUcb::default(), ids(4)).unwrap();
    let foreign = wide.eligible(|arm| arm.get() == 3).unwrap();
    for policy in all_kinds(3) {
        let arm = ArmId::new(3);
        let expected = Err(SelectError::NotLiving { arm });
        assert_eq!(
            policy.select(&foreign, Seed::new(0), DecisionId::new(0)),
            expected
        );
        assert!(policy.propensities(&foreign).is_err());
    }
    assert!(wide.eligible(|_| false).is_err());
    assert_eq!(Bandit::new(Imed, []).unwrap_err(), ArmError::NoArms);
    assert_eq!(
        Bandit::new(Imed, [ArmId::new(2), ArmId::new(2)])
            .unwrap_err()
            .to_string(),
        "arm 2 is given more than once"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// The laws of a policy, for every kind: eligible arms only, propensities that sum to one and
    /// are those of the choices, undo as the inverse of update, order without effect.
    #[test]
    fn every_policy_keeps_its_contract(
        (batch, more) in (
            prop::collection::vec((0..4_u32, 0.0..=1.0_f64, 0.01..=1.0_f64), 1..30),
            prop::collection::vec((0..4_u32, 0.0..=1.0_f64, 0.01..=1.0_f64), 1..30),
        ),
        kept in 1..16_u32,
        seed in any::<u64>(),
    ) {
        let outcomes = |batch: &[(u32, f64, f64)]| -> Vec<_> {
            let one = |&(arm, reward, chance): &(u32, f64, f64)| {
                let mut one = outcome(arm, unit(reward));
                one.propensity = Propensity::new(chance).unwrap();
                one
            };
            batch.iter().map(one).collect()
        };
        let (batch, more) = (outcomes(&batch), outcomes(&more));
        let reference = Bandit::new(Imed, ids(4)).unwrap();
        let eligible = reference.eligible(|arm| kept >> arm.get() & 1 == 1).unwrap();
        let mut others = all_kinds(4).into_iter();
        for mut policy in all_kinds(4) {
            policy.update(&batch).unwrap();
            let bits = |policy: &dyn Policy<Reward = UnitReward>| -> Vec<_> {
                let propensities = policy.propensities(&eligible).unwrap();
                propensities.iter().map(|(arm, p)| (arm, p.get().to_bits())).collect()
            };
            let held = bits(&*policy);
            let propensities = policy.propensities(&eligible).unwrap();
            let sum: f64 = propensities.iter().map(|(_, p)| p.get()).sum();
            prop_assert!((sum - 1.0).abs() <= propensities.error() + 1e-14, "{sum}");
            for decision in 0..8 {
                let decision = DecisionId::new(decision);
                let chosen = policy.select(&eligible, Seed::new(seed), decision).unwrap();
                prop_assert!(eligible.contains(chosen.key.arm));
                prop_assert_eq!(propensities.get(chosen.key.arm), Some(chosen.propensity));
                prop_assert_eq!(chosen.policy, policy.version());
            }
            // In another order and other batches: the same, bit for bit.
            let mut other = others.next().unwrap();
            let reversed: Vec<_> = more.iter().chain(&batch).rev().copied().collect();
            for one in &reversed {
                other.update(std::slice::from_ref(one)).unwrap();
            }
            policy.update(&more).unwrap();
            prop_assert_eq!(bits(&*policy), bits(&*other));
            policy.undo(&more).unwrap();
            prop_assert_eq!(bits(&*policy), held.clone());
            // More than was learnt cannot be taken back, and a bad batch changes nothing.
            let twice: Vec<_> = batch.iter().chain(&batch).copied().collect();
            prop_assert!(policy.undo(&twice).is_err());
            let mut bad = batch.clone();
            bad.push(outcome(9, unit(0.5)));
            let refused = policy.update(&bad);
            prop_assert_eq!(refused, Err(FeedbackError::UnknownArm { arm: ArmId::new(9) }));
            prop_assert_eq!(bits(&*policy), held);
        }
    }

    #[test]
    fn evidence_merges_in_any_order(
        parts in prop::collection::vec(
            prop::collection::vec((0..3_u32, 0.0..=1.0_f64, -50..50_i32), 0..20), 3),
    ) {
        use gaelp_bandits::{Forgetting, HourlyEvidence};
        for forgetting in [
            Forgetting::Never,
            Forgetting::Discount { hourly: 0.9 },
            Forgetting::Window { hours: 200 },
        ] {
            let mut start = Bandit::new(BetaBernoulli::default(), ids(3)).unwrap()
                .with_forgetting(forgetting).unwrap();
            start.advance(UtcHour::new(60));
            let learn = |policy: &mut Bandit<BetaBernoulli>, part: &[(u32, f64, i32)]| {
                for &(arm, reward, hour) in part {
                    let mut one = outcome(arm, unit(reward));
                    one.at = UtcHour::new(hour);
                    let _ = policy.update(&[one]);
                }
            };
            let shards: Vec<HourlyEvidence> = parts.iter().map(|part| {
                let mut shard = start.clone();
                learn(&mut shard, part);
                shard.evidence()
            }).collect();
            let merged = |order: [usize; 3]| {
                let mut sum = HourlyEvidence::default();
                for place in order {
                    sum.merge(&shards[place]).unwrap();
                }
                sum
            };
            let whole = merged([0, 1, 2]);
            prop_assert_eq!(&whole, &merged([2, 0, 1]));
            let mut grouped = shards[1].clone();
            grouped.merge(&shards[2]).unwrap();
            let mut left = shards[0].clone();
            left.merge(&grouped).unwrap();
            prop_assert_eq!(&whole, &left);
            // All on one machine is the same as merged.
            let (mut together, mut apart) = (start.clone(), start);
            for part in &parts {
                learn(&mut together, part);
            }
            apart.merge(&whole).unwrap();
            let figures = |policy: &Bandit<BetaBernoulli>| -> Vec<_> {
                policy.arms().map(|(key, seen)| (key, seen.amount.to_bits())).collect()
            };
            prop_assert_eq!(figures(&together), figures(&apart));
            // Stored and restored: the same next decision.
            let stored = serde_json::to_string(&apart).unwrap();
            let restored: Bandit<BetaBernoulli> = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(&restored, &apart);
            let choose = |policy: &Bandit<BetaBernoulli>| {
                policy.select(&policy.all(), Seed::new(1), DecisionId::new(5)).unwrap()
            };
            prop_assert_eq!(choose(&restored), choose(&apart));
        }
    }
}

#[test]
fn what_is_no_bandit_is_refused() {
    let mut bandit = Bandit::new(EpsilonGreedy::default(), ids(2)).unwrap();
    bandit.update(&[outcome(0, unit(0.5))]).unwrap();
    let stored = serde_json::to_string(&bandit).unwrap();
    for (from, to, reason) in [
        ("\"format\":1", "\"format\":7", "format 7"),
        (
            "\"start\":0.1",
            "\"start\":1.5",
            "start is 1.5: a number from 0 to 1",
        ),
        (
            "\"trials\":1000000",
            "\"trials\":-1",
            "no feedback adds up to",
        ),
        (
            "\"retired\":{}",
            "\"retired\":{\"0\":3}",
            "generation that was retired",
        ),
        ("[0,0],[1,0]", "[0,0],[0,0]", "more than once"),
        (
            "\"forgetting\":\"never\"",
            "\"forgetting\":{\"window\":{\"hours\":0}}",
            "0 hours",
        ),
    ] {
        assert!(stored.contains(from), "{from} in {stored}");
        let damaged = stored.replacen(from, to, 1);
        let error = serde_json::from_str::<Bandit<EpsilonGreedy>>(&damaged).unwrap_err();
        assert!(error.to_string().contains(reason), "{to}: {error}");
    }
    let key = ArmKey::first(ArmId::new(0));
    assert_eq!(bandit.key(ArmId::new(0)), Some(key));
    assert_eq!(bandit.key(ArmId::new(7)), None);
}
