//! What is stated, what is chosen, and what that earns.

use gaelp_bandits::{
    ArmFeatures, ContextualPolicy, Disjoint, Eligible, EpsilonGreedy, Explorer, Features, Lesson,
    LessonError, LinTs, LinUcb, Logistic, Propensities, Regressor, Ridge, SelectError, Shared,
    SquareCb, Uncertain, UnitReward,
};
use gaelp_core::{ArmId, DecisionId, PropensityMethod, Seed, UtcHour};
use proptest::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

use super::{Stream, amount, came, cases, features};
use crate::{ids, unit};

/// A policy whose arms have learnt different things, some of them nothing.
fn taught<E: Explorer<Ridge>>(explorer: E, arms: u32, d: usize) -> Disjoint<Ridge, E> {
    let mut policy = Disjoint::new(explorer, Ridge::new(d, 1.0).unwrap(), ids(arms)).unwrap();
    let mut stream = Stream(17);
    for step in 0..12 * arms {
        let arm = step % arms;
        // Later arms have learnt less, and the last nothing.
        if step / arms + arm < 12 && arm + 1 < arms {
            let x = stream.features(d, 1.0);
            let reward = 0.3 * f64::from(arm) + stream.normal();
            policy.update(&[came(arm, &x, amount(reward))]).unwrap();
        }
    }
    policy
}

fn described(arms: u32, d: usize) -> ArmFeatures {
    let mut stream = Stream(29);
    ArmFeatures::new(ids(arms).map(|arm| (arm, stream.features(d, 1.0)))).unwrap()
}

fn taught_shared<E: Explorer<Ridge>>(explorer: E, arms: u32, d: usize) -> Shared<Ridge, E> {
    let mut policy = Shared::new(explorer, Ridge::new(d, 1.0).unwrap(), ids(arms)).unwrap();
    let context = described(arms, d);
    let mut stream = Stream(31);
    for step in 0..3 * arms {
        let arm = step % arms;
        let x = context.get(ArmId::new(arm)).unwrap();
        let reward = 0.2 * f64::from(arm) + stream.normal();
        policy.update(&[came(arm, x, amount(reward))]).unwrap();
    }
    policy
}

/// Counts of arms beside what was stated. Five standard deviations, and what the statement's own
/// error allows: a right policy fails once in some hundred thousand runs with other seeds.
fn assert_frequencies(
    stated: &Propensities,
    draws: u32,
    slack: f64,
    mut choose: impl FnMut(DecisionId) -> ArmId,
) {
    let mut counts = std::collections::BTreeMap::new();
    for decision in 0..draws {
        *counts
            .entry(choose(DecisionId::new(decision.into())))
            .or_insert(0.0) += 1.0;
    }
    for arm in counts.keys() {
        assert!(
            stated.get(*arm).is_some(),
            "{arm} was stated to be impossible"
        );
    }
    for (arm, propensity) in stated.iter() {
        let p = propensity.get();
        let count = counts.get(&arm).copied().unwrap_or(0.0);
        let sigma = (f64::from(draws) * p * (1.0 - p)).sqrt();
        let off = (count - f64::from(draws) * p).abs();
        let limit = 5.0 * sigma + slack * f64::from(draws) + 1e-9;
        assert!(off <= limit, "arm {arm}: {count} of {draws} for {p}");
    }
}

/// A million draws in the long run; a fifth of that by default.
#[test]
fn independent_scores_win_as_often_as_stated() {
    let draws = cases(1_000_000);
    let policy = taught(LinTs::default(), 6, 4);
    for values in [[1.0, 0.3, -0.2, 2.0], [0.1, 0.0, 0.0, -0.4]] {
        let x = features(&values);
        for eligible in [
            policy.all(),
            policy.eligible(|arm| arm.get() % 2 == 1).unwrap(),
        ] {
            let stated = policy.propensities(&x, &eligible).unwrap();
            let sum: f64 = stated.iter().map(|(_, p)| p.get()).sum();
            assert!((sum - 1.0).abs() <= stated.error(), "{sum}");
            assert!(stated.error() < 1e-10, "{:e}", stated.error());
            let seed = Seed::new(5);
            assert_frequencies(&stated, draws, stated.error(), |decision| {
                policy.draw(&x, &eligible, seed, decision).unwrap()
            });
            assert_frequencies(&stated, draws / 20, stated.error(), |decision| {
                policy
                    .select(&x, &eligible, seed, decision)
                    .unwrap()
                    .key
                    .arm
            });
        }
    }
}

/// With two arms both kinds are a normal tail, which the reference has to ten digits.
#[test]
fn two_arms_are_a_normal_tail() {
    let law = Normal::standard();
    let policy = taught(
        LinTs {
            scale: 0.7,
            draws: 64,
        },
        3,
        3,
    );
    let x = features(&[0.5, -1.0, 0.25]);
    let pair = policy.eligible(|arm| arm.get() < 2).unwrap();
    let beliefs: Vec<_> = policy.arms().map(|(_, model)| model.belief(&x)).collect();
    let spread = 0.7 * f64::hypot(beliefs[0].deviation, beliefs[1].deviation);
    let expected = law.cdf((beliefs[0].mean - beliefs[1].mean) / spread);
    let stated = policy.propensities(&x, &pair).unwrap();
    let found = stated.get(ArmId::new(0)).unwrap().get();
    assert!((found - expected).abs() < 1e-10, "{found} {expected}");

    // Shared: the difference of features is what counts.
    let policy = taught_shared(LinTs::default(), 2, 3);
    let context = described(2, 3);
    let [one, other] = [0, 1].map(|arm| context.get(ArmId::new(arm)).unwrap());
    let difference: Vec<f64> = one
        .as_slice()
        .iter()
        .zip(other.as_slice())
        .map(|(a, b)| a - b)
        .collect();
    let belief = policy.model().belief(&features(&difference));
    let expected = law.cdf(belief.mean / belief.deviation);
    let stated = policy.propensities(&context, &policy.all()).unwrap();
    let found = stated.get(ArmId::new(0)).unwrap().get();
    assert!((found - expected).abs() < 1e-10, "{found} {expected}");
    assert!(matches!(
        stated.method(),
        PropensityMethod::Quadrature { .. }
    ));
    assert_frequencies(&stated, 20_000, 1e-11, |decision| {
        policy
            .draw(&context, &policy.all(), Seed::new(2), decision)
            .unwrap()
    });
}

/// Correlated scores are simulated: what is stated is what `select` does, exactly, and what `draw`
/// does within the simulation's own noise.
#[test]
fn correlated_scores_are_simulated_and_say_so() {
    let policy = taught_shared(
        LinTs {
            scale: 1.0,
            draws: 16_384,
        },
        5,
        3,
    );
    let (context, all) = (described(5, 3), policy.all());
    let stated = policy.propensities(&context, &all).unwrap();
    assert_eq!(
        stated.method(),
        PropensityMethod::MonteCarlo { draws: 16_384 }
    );
    let sum: f64 = stated.iter().map(|(_, p)| p.get()).sum();
    assert!((sum - 1.0).abs() < 1e-14);
    let seed = Seed::new(4);
    assert_frequencies(&stated, 4_000, 0.0, |decision| {
        policy
            .select(&context, &all, seed, decision)
            .unwrap()
            .key
            .arm
    });
    let noise = 5.0 * 0.5 / 16_384_f64.sqrt();
    assert_frequencies(&stated, cases(1_000_000), noise, |decision| {
        policy.draw(&context, &all, seed, decision).unwrap()
    });
    // An independent simulation of the same law, by a factor of the scores' own covariance.
    let reference = simulated(&policy, &context);
    for ((arm, found), expected) in stated.iter().zip(reference) {
        let off = (found.get() - expected).abs();
        assert!(off < noise + 0.005, "{arm}: {} for {expected}", found.get());
    }
}

/// How often each of five arms is the best in 100,000 draws of their joint scores.
fn simulated(policy: &Shared<Ridge, LinTs>, context: &ArmFeatures) -> Vec<f64> {
    let xs: Vec<&Features> = ids(5).map(|arm| context.get(arm).unwrap()).collect();
    let belief = |x: &[f64]| policy.model().belief(&features(x));
    // cov(a, b) = (var(a + b) − var(a − b)) ÷ 4
    let covariance = |a: &Features, b: &Features| {
        let pairs = a.as_slice().iter().zip(b.as_slice());
        let sum: Vec<f64> = pairs.clone().map(|(a, b)| a + b).collect();
        let difference: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
        (belief(&sum).deviation.powi(2) - belief(&difference).deviation.powi(2)) / 4.0
    };
    let mut factor = vec![vec![0.0; 5]; 5];
    for i in 0..5 {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest: f64 = covariance(xs[i], xs[j]) - inner;
            factor[i][j] = if i == j {
                rest.max(0.0).sqrt()
            } else if factor[j][j] > 1e-6 {
                rest / factor[j][j]
            } else {
                0.0
            };
        }
    }
    let mut stream = Stream(99);
    let mut wins = vec![0.0; 5];
    for _ in 0..100_000 {
        let z: Vec<f64> = (0..5).map(|_| stream.normal()).collect();
        let score = |i: usize| {
            let noise: f64 = factor[i].iter().zip(&z).map(|(f, z)| f * z).sum();
            belief_mean(policy, xs[i]) + noise
        };
        let best = (0..5)
            .max_by(|a, b| score(*a).total_cmp(&score(*b)))
            .unwrap();
        wins[best] += 1e-5;
    }
    wins
}

fn belief_mean(policy: &Shared<Ridge, LinTs>, x: &Features) -> f64 {
    policy.model().predict(x)
}

#[test]
fn what_is_alike_is_exact_by_symmetry() {
    let policy = taught(LinTs::default(), 4, 2);
    let fresh = Disjoint::new(LinTs::default(), Ridge::new(2, 1.0).unwrap(), ids(3)).unwrap();
    let x = features(&[1.0, 2.0]);
    let stated = fresh.propensities(&x, &fresh.all()).unwrap();
    assert_eq!(stated.method(), PropensityMethod::Exact);
    assert!(
        stated
            .iter()
            .all(|(_, p)| (p.get() - 1.0 / 3.0).abs() < 1e-16)
    );
    // Features of nothing: no score differs, nothing is random.
    let stated = policy
        .propensities(&features(&[0.0, 0.0]), &policy.all())
        .unwrap();
    assert!(stated.iter().all(|(_, p)| (p.get() - 0.25).abs() < 1e-16));
}

/// Predicts the second feature of whatever it is shown; 9 stands for no number.
#[derive(Clone)]
struct Given;

impl Regressor for Given {
    type Reward = UnitReward;

    fn dimension(&self) -> usize {
        2
    }

    fn predict(&self, features: &Features) -> f64 {
        match features.as_slice() {
            [_, x] if *x < 9.0 => *x,
            _ => f64::NAN,
        }
    }

    fn learn(&mut self, _: &[Lesson<'_, UnitReward>]) -> Result<(), LessonError> {
        Ok(())
    }

    fn unlearn(&mut self, _: &[Lesson<'_, UnitReward>]) -> Result<(), LessonError> {
        Err(LessonError::CannotUndo)
    }
}

fn given(predictions: &[f64]) -> ArmFeatures {
    let arms = (0..).map(ArmId::new).zip(predictions);
    ArmFeatures::new(arms.map(|(arm, x)| (arm, features(&[1.0, *x])))).unwrap()
}

proptest! {
    /// 1 ÷ (K + γ gap), and the best has the rest.
    #[test]
    fn inverse_gaps_are_weighted_by_their_formula(
        predictions in prop::collection::vec(-1.0..1.0_f64, 1..9),
        scale in 0.1..100.0_f64,
        exponent in 0.0..1.0_f64,
        trials in 0..30_i32,
    ) {
        let arms = u32::try_from(predictions.len()).unwrap();
        let mut policy = Shared::new(SquareCb { scale, exponent }, Given, ids(arms)).unwrap();
        let context = given(&predictions);
        for _ in 0..trials {
            policy.update(&[came(0, &features(&[1.0, 0.0]), unit(0.5))]).unwrap();
        }
        let kept: Vec<f64> = ids(arms)
            .map(|arm| context.get(arm).unwrap().as_slice()[1])
            .collect();
        let best = kept.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let gamma = scale * (f64::from(trials) + 1.0).powf(exponent);
        let stated = policy.propensities(&context, &policy.all()).unwrap();
        let leader = kept.iter().position(|x| x.to_bits() == best.to_bits()).unwrap();
        let mut others = 0.0;
        for (place, prediction) in kept.iter().enumerate() {
            let arm = ArmId::new(u32::try_from(place).unwrap());
            if place != leader {
                let expected = 1.0 / (f64::from(arms) + gamma * (best - prediction));
                let found = stated.get(arm).unwrap().get();
                prop_assert!((found / expected - 1.0).abs() < 1e-12);
                others += expected;
            }
        }
        let arm = ArmId::new(u32::try_from(leader).unwrap());
        prop_assert!((stated.get(arm).unwrap().get() - (1.0 - others)).abs() < 1e-12);
        prop_assert_eq!(stated.method(), PropensityMethod::Exact);
    }
}

#[test]
fn a_prediction_that_is_no_number_is_the_worst() {
    let context = given(&[0.2, 9.0, 0.5]);
    let policy = Shared::new(SquareCb::default(), Given, ids(3)).unwrap();
    let stated = policy.propensities(&context, &policy.all()).unwrap();
    assert_eq!(stated.get(ArmId::new(1)), None);
    let greedy = EpsilonGreedy {
        start: 0.3,
        decay: 1.0,
        floor: 0.0,
    };
    let policy = Shared::new(greedy, Given, ids(3)).unwrap();
    let stated = policy.propensities(&context, &policy.all()).unwrap();
    for (arm, expected) in [(0, 0.1), (1, 0.1), (2, 0.8)] {
        let found = stated.get(ArmId::new(arm)).unwrap().get();
        assert!((found - expected).abs() < 1e-15);
    }
    assert_frequencies(&stated, 20_000, 0.0, |decision| {
        policy
            .select(&context, &policy.all(), Seed::new(1), decision)
            .unwrap()
            .key
            .arm
    });
}

#[test]
fn a_context_without_an_eligible_arm_is_refused() {
    let policy = taught_shared(LinUcb::default(), 3, 2);
    let context = described(2, 2);
    let (seed, decision) = (Seed::new(0), DecisionId::new(0));
    let arm = ArmId::new(2);
    assert_eq!(
        policy.select(&context, &policy.all(), seed, decision),
        Err(SelectError::NoFeatures { arm })
    );
    let known = policy.eligible(|arm| arm.get() < 2).unwrap();
    assert!(policy.select(&context, &known, seed, decision).is_ok());
    let other = taught_shared(LinUcb::default(), 5, 2);
    let strange = other.eligible(|arm| arm.get() == 4).unwrap();
    assert_eq!(
        policy.select(&described(5, 2), &strange, seed, decision),
        Err(SelectError::NotLiving { arm: ArmId::new(4) })
    );
    let wrong = described(3, 1);
    let (found, expected) = (1, 2);
    assert_eq!(
        policy.select(&wrong, &policy.all(), seed, decision),
        Err(SelectError::Dimension { found, expected })
    );
    let twice = [(arm, features(&[1.0])), (arm, features(&[2.0]))];
    assert!(ArmFeatures::new(twice).is_err());
}

type Any<C> = Box<dyn ContextualPolicy<Context = C, Reward = gaelp_bandits::Amount>>;

fn kinds() -> Vec<Any<Features>> {
    vec![
        Box::new(taught(LinUcb::default(), 4, 3)),
        Box::new(taught(LinTs::default(), 4, 3)),
        Box::new(taught(SquareCb::default(), 4, 3)),
        Box::new(taught(EpsilonGreedy::default(), 4, 3)),
    ]
}

fn shared_kinds() -> Vec<Any<ArmFeatures>> {
    vec![
        Box::new(taught_shared(LinUcb::default(), 4, 3)),
        Box::new(taught_shared(LinTs::default(), 4, 3)),
        Box::new(taught_shared(SquareCb::default(), 4, 3)),
        Box::new(taught_shared(EpsilonGreedy::default(), 4, 3)),
    ]
}

fn keeps_its_promises<C>(
    policy: &Any<C>,
    context: &C,
    eligible: &Eligible,
    seed: u64,
) -> Result<(), TestCaseError> {
    let stated = policy.propensities(context, eligible).unwrap();
    let sum: f64 = stated.iter().map(|(_, p)| p.get()).sum();
    prop_assert!((sum - 1.0).abs() <= stated.error() + 1e-14, "{sum}");
    for decision in (0..8).map(DecisionId::new) {
        let seed = Seed::new(seed);
        let chosen = policy.select(context, eligible, seed, decision).unwrap();
        prop_assert_eq!(
            chosen,
            policy.select(context, eligible, seed, decision).unwrap()
        );
        prop_assert!(eligible.contains(chosen.key.arm));
        prop_assert_eq!(stated.get(chosen.key.arm), Some(chosen.propensity));
        prop_assert_eq!(chosen.method, stated.method());
        prop_assert_eq!(chosen.policy, policy.version());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn only_eligible_arms_are_chosen_as_stated(
        kept in 1..16_u32,
        x in prop::collection::vec(-3.0..3.0_f64, 3),
        seed in any::<u64>(),
    ) {
        let reference = taught(LinUcb::default(), 4, 3);
        let eligible = reference.eligible(|arm| kept >> arm.get() & 1 == 1).unwrap();
        let context = features(&x);
        for mut policy in kinds() {
            keeps_its_promises(&policy, &context, &eligible, seed)?;
            let version = policy.version();
            prop_assert_eq!(policy.update(&[]).unwrap(), version);
            prop_assert!(policy.update(&[came(2, &context, amount(1.0))]).unwrap() > version);
            keeps_its_promises(&policy, &context, &eligible, seed)?;
        }
        let context = described(4, 3);
        for policy in shared_kinds() {
            keeps_its_promises(&policy, &context, &eligible, seed)?;
        }
    }
}

/// What a linear instance costs over 3,000 rounds, as a part of what choosing at random costs.
fn regret(mut choose: impl FnMut(&Features, DecisionId, &mut dyn FnMut(ArmId) -> f64)) -> f64 {
    let (arms, d) = (5, 4);
    let mut stream = Stream(41);
    let truth: Vec<Vec<f64>> = (0..arms)
        .map(|_| (0..d).map(|_| stream.normal()).collect())
        .collect();
    let (mut lost, mut at_random) = (0.0, 0.0);
    for round in 0..3_000_u32 {
        let x = stream.features(d, 0.5);
        let means: Vec<f64> = truth
            .iter()
            .map(|theta| theta.iter().zip(x.as_slice()).map(|(a, b)| a * b).sum())
            .collect();
        let best = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        at_random += best - means.iter().sum::<f64>() / f64::from(u32::try_from(arms).unwrap());
        let noise = 0.3 * stream.normal();
        choose(&x, DecisionId::new(round.into()), &mut |arm| {
            let mean = means[arm.get() as usize];
            lost += best - mean;
            mean + noise
        });
    }
    lost / at_random
}

fn regret_of<E: Explorer<Ridge>>(explorer: E) -> f64 {
    let mut policy = Disjoint::new(explorer, Ridge::new(4, 1.0).unwrap(), ids(5)).unwrap();
    let all = policy.all();
    regret(|x, decision, earn| {
        let chosen = policy.select(x, &all, Seed::new(3), decision).unwrap();
        let reward = amount(earn(chosen.key.arm));
        let came = gaelp_bandits::ContextualOutcome::of(&chosen, UtcHour::new(0), x, reward);
        policy.update(&[came]).unwrap();
    })
}

/// The best policies lose a few percent of what chance loses, and the others what they explore.
#[test]
fn linear_instances_are_learnt() {
    let least = LinTs {
        scale: 0.3,
        draws: 64,
    };
    let epsilon = EpsilonGreedy::default();
    for (name, found, most) in [
        ("LinUCB", regret_of(LinUcb { alpha: 0.5 }), 0.03),
        ("LinTS", regret_of(least), 0.04),
        ("SquareCB", regret_of(SquareCb::default()), 0.12),
        ("epsilon-greedy", regret_of(epsilon), 0.12),
    ] {
        println!("{name}: {found:.4} of chance");
        assert!(found < most, "{name}: {found}");
    }
}

/// Clicks that follow a logistic law: Laplace's approximation learns them too.
#[test]
fn logistic_instances_are_learnt() {
    let model = Logistic::new(4, 1.0).unwrap();
    let mut policy = Disjoint::new(LinTs::default(), model, ids(5)).unwrap();
    let all = policy.all();
    let mut stream = Stream(43);
    let found = regret(|x, decision, earn| {
        let arm = policy.draw(x, &all, Seed::new(3), decision).unwrap();
        let rate = 1.0 / (1.0 + (-2.0 * earn(arm)).exp());
        let won = unit(f64::from(u8::from(stream.unit() < rate)));
        policy.update(&[came(arm.get(), x, won)]).unwrap();
    });
    println!("logistic LinTS: {found:.4} of chance");
    assert!(found < 0.15, "{found}");
}
