//! Fading evidence against a plain model of it, and changes that are found.

use gaelp_bandits::{
    Amount, Bandit, BetaBernoulli, ChangeDetector, Cusum, Events, FeedbackError, Forgetting,
    GammaPoisson, Glr, KlUcb, NormalInverseGamma, Outcome, Policy, Restarting, Revenue, Rule,
    ZeroInflatedLognormal,
};
use gaelp_core::{ArmId, DecisionId, Micros, Seed, UtcHour};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{ids, outcome, unit};

/// Learns rewards by hour with and without forgetting: the second sees each reward as often as its
/// weight says, here one in full or not at all.
fn window_is_a_fresh_start<R: Rule + Clone>(rule: &R, rewards: &[(i32, R::Reward)]) {
    let window = Forgetting::Window { hours: 10 };
    let at = |&(hour, reward): &(i32, R::Reward)| {
        let mut one = outcome(0, reward);
        one.at = UtcHour::new(hour);
        one
    };
    let mut faded = Bandit::new(rule.clone(), ids(2))
        .unwrap()
        .with_forgetting(window)
        .unwrap();
    let mut fresh = Bandit::new(rule.clone(), ids(2)).unwrap();
    for reward in rewards {
        faded.update(&[at(reward)]).unwrap();
        if reward.0 > 20 {
            fresh.update(&[at(reward)]).unwrap();
        }
    }
    faded.advance(UtcHour::new(30));
    let chances = |policy: &Bandit<R>| -> Vec<_> {
        let propensities = policy.propensities(&policy.all()).unwrap();
        propensities
            .iter()
            .map(|(_, p)| p.get().to_bits())
            .collect()
    };
    assert_eq!(chances(&faded), chances(&fresh));
    // Once all is forgotten, both arms stand at the prior again.
    faded.advance(UtcHour::new(1000));
    let propensities = faded.propensities(&faded.all()).unwrap();
    let spread = propensities.iter().map(|(_, p)| (p.get() - 0.5).abs());
    assert!(spread.fold(0.0, f64::max) < 0.05, "{propensities:?}");
}

#[test]
fn every_posterior_forgets() {
    let hours = [1, 9, 20, 21, 25, 29];
    let value = |hour: i32| f64::from(hour % 7) / 7.0;
    window_is_a_fresh_start(
        &BetaBernoulli::default(),
        &hours.map(|h| (h, unit(value(h)))),
    );
    let events = hours.map(|h| (h, Events::new(h.unsigned_abs() % 4, 1.5).unwrap()));
    window_is_a_fresh_start(&GammaPoisson::default(), &events);
    let amounts = hours.map(|h| (h, Amount::new(value(h) * 30.0 - 10.0).unwrap()));
    window_is_a_fresh_start(&NormalInverseGamma::default(), &amounts);
    let revenue = hours.map(|h| {
        let amount = if h % 2 == 0 {
            0
        } else {
            i64::from(h) * 1_000_000
        };
        (h, Revenue::new(Micros::new(amount)).unwrap())
    });
    window_is_a_fresh_start(&ZeroInflatedLognormal::default(), &revenue);
}

#[test]
fn what_is_forgotten_is_refused_and_forgetting_is_checked() {
    let bandit = || Bandit::new(KlUcb::default(), ids(1)).unwrap();
    for wrong in [
        Forgetting::Window { hours: 0 },
        Forgetting::Discount { hourly: 1.0 },
        Forgetting::Discount { hourly: f64::NAN },
    ] {
        assert!(bandit().with_forgetting(wrong).is_err());
    }
    let mut policy = bandit()
        .with_forgetting(Forgetting::Window { hours: 5 })
        .unwrap();
    policy.advance(UtcHour::new(100));
    let old = Outcome {
        at: UtcHour::new(95),
        ..outcome(0, unit(1.0))
    };
    assert_eq!(
        policy.update(&[old]),
        Err(FeedbackError::Forgotten {
            key: old.key,
            at: old.at
        })
    );
    policy
        .update(&[Outcome {
            at: UtcHour::new(96),
            ..old
        }])
        .unwrap();
    let mut late = bandit();
    late.update(&[old]).unwrap();
    assert!(
        late.with_forgetting(Forgetting::Window { hours: 5 })
            .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Discounted evidence is Σ γ^age × evidence, and undoing is exact at any age.
    #[test]
    fn discounts_follow_the_definition(
        rewards in prop::collection::vec((0..200_i32, 0.0..=1.0_f64), 1..40),
        hourly in 0.9..0.9999_f64,
    ) {
        let mut policy = Bandit::new(BetaBernoulli::default(), ids(1)).unwrap()
            .with_forgetting(Forgetting::Discount { hourly }).unwrap();
        let at = |&(hour, reward): &(i32, f64)| {
            Outcome { at: UtcHour::new(hour), ..outcome(0, unit(reward)) }
        };
        let now = 210;
        for reward in &rewards {
            policy.update(&[at(reward)]).unwrap();
        }
        policy.advance(UtcHour::new(now));
        let weight = |hour: i32| {
            let weight = hourly.powi(now - hour);
            if weight < 1e-6 { 0.0 } else { weight }
        };
        let trials: f64 = rewards.iter().map(|(hour, _)| weight(*hour)).sum();
        let seen = policy.arms().next().unwrap().1;
        prop_assert!((seen.trials - trials).abs() < 1e-9 * trials.max(1.0));
        let kept: Vec<_> = rewards.iter().filter(|(hour, _)| weight(*hour) > 0.0).map(at).collect();
        policy.undo(&kept).unwrap();
        let seen = policy.arms().next().unwrap().1;
        prop_assert_eq!(seen.trials.to_bits(), 0f64.to_bits());
        prop_assert_eq!(seen.amount.to_bits(), 0f64.to_bits());
    }
}

/// How many rewards after the change it is found; `None` for a false alarm or none at all.
fn found<D: ChangeDetector>(mut test: D, means: (f64, f64), at: u32, seed: u64) -> Option<u32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for step in 0..at + 2000 {
        let mean = if step < at { means.0 } else { means.1 };
        let won = f64::from(rng.next_u32()) < mean * 4_294_967_296.0;
        if let Some(shift) = test.observe(unit(f64::from(u8::from(won)))) {
            assert!(shift.statistic >= shift.threshold);
            return step.checked_sub(at);
        }
    }
    None
}

#[test]
fn detectors_find_changes_and_rarely_what_is_none() {
    // Nothing changes: 100 runs of 1500 rewards at a false alarm rate of 1 %. More than five alarms
    // come once in 2000 such tests.
    let alarms = (0..100)
        .filter(|seed| stops(Glr::default(), 0.1, 1500, *seed))
        .count();
    assert!(alarms <= 5, "{alarms} false alarms");
    // A fall from 0.5 to 0.2 after 500: kl is 0.2 per reward, so some 100 must do.
    for seed in 0..40 {
        let late = found(Glr::default(), (0.5, 0.2), 500, seed);
        assert!(
            late.is_some_and(|late| late < 250),
            "GLR, seed {seed}: {late:?}"
        );
        let late = found(Cusum::default(), (0.5, 0.2), 500, seed);
        assert!(
            late.is_none_or(|late| late < 300),
            "CUSUM, seed {seed}: {late:?}"
        );
    }
    let hits = (0..40).filter(|seed| found(Cusum::default(), (0.5, 0.2), 500, *seed).is_some());
    assert!(hits.count() >= 38);
    assert!(
        Bandit::new(KlUcb::default(), ids(1))
            .is_ok_and(|bandit| { Restarting::new(bandit, Glr::new(0.9), 0.1).is_err() })
    );
}

fn stops<D: ChangeDetector>(mut test: D, mean: f64, steps: u32, seed: u64) -> bool {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..steps).any(|_| {
        let won = f64::from(rng.next_u32()) < mean * 4_294_967_296.0;
        test.observe(unit(f64::from(u8::from(won)))).is_some()
    })
}

/// The best arm turns into the worst: with restarts, half the regret at most.
#[test]
fn restarting_one_arm_recovers() {
    fn regret<P: Policy<Reward = gaelp_bandits::UnitReward>>(mut policy: P, seed: u64) -> f64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut regret = 0.0;
        let all = policy.all();
        for step in 0..8000_i32 {
            let means = if step < 4000 {
                [0.8, 0.4, 0.4]
            } else {
                [0.1, 0.4, 0.6]
            };
            let decision = DecisionId::new(step.unsigned_abs().into());
            let chosen = policy.select(&all, Seed::new(seed), decision).unwrap();
            let mean: f64 = means[chosen.key.arm.get() as usize];
            regret += means[0].max(means[2]) - mean;
            let won = f64::from(rng.next_u32()) < mean * 4_294_967_296.0;
            let reward = unit(f64::from(u8::from(won)));
            policy
                .update(&[Outcome::of(&chosen, UtcHour::new(step), reward)])
                .unwrap();
        }
        regret
    }
    let bandit = || Bandit::new(KlUcb::default(), ids(3)).unwrap();
    let (mut with, mut without) = (0.0, 0.0);
    for seed in 0..5 {
        with += regret(
            Restarting::new(bandit(), Glr::default(), 0.02).unwrap(),
            seed,
        );
        without += regret(bandit(), seed);
    }
    println!("regret with restarts {with:.0}, without {without:.0}");
    assert!(with < 0.5 * without, "{with} against {without}");
}

#[test]
fn a_restart_reports_and_leaves_the_others_alone() {
    let bandit = Bandit::new(KlUcb::default(), ids(2)).unwrap();
    let mut policy = Restarting::new(bandit, Cusum::new(10, 0.05, 5.0), 0.0).unwrap();
    policy.update(&vec![outcome(1, unit(0.5)); 30]).unwrap();
    policy.update(&vec![outcome(0, unit(0.2)); 30]).unwrap();
    assert!(policy.take_changes().is_empty());
    policy.update(&vec![outcome(0, unit(0.9)); 10]).unwrap();
    let changes = policy.take_changes();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].ended.arm, ArmId::new(0));
    assert_eq!(changes[0].began.generation.get(), 1);
    assert!((changes[0].shift.before - 0.2).abs() < 1e-9);
    assert!((changes[0].shift.after - 0.9).abs() < 1e-9);
    let trials: Vec<_> = policy
        .bandit()
        .arms()
        .map(|(_, seen)| seen.trials.to_bits())
        .collect();
    assert_eq!(trials, [0f64.to_bits(), 30f64.to_bits()]);
    assert!(policy.update(&[outcome(0, unit(0.2))]).is_err());
}
