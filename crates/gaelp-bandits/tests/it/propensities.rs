//! Propensities against references, and against what really is chosen.

use gaelp_bandits::Propensities;
use gaelp_core::{ArmId, DecisionId, PropensityMethod, Seed};
use proptest::prelude::*;

use crate::policy;

/// mpmath 1.4.1 at 30 digits; the first agrees with the closed form for whole shapes.
#[test]
fn golden_values() {
    let two = policy(&[(4.0, 98.0), (6.0, 96.0)]);
    let five = policy(&[
        (3.0, 30.0),
        (10.0, 100.0),
        (40.0, 380.0),
        (2.0, 9.0),
        (1.0, 12.0),
    ]);
    for (policy, expected) in [
        (
            &two,
            &[0.248_896_226_310_382_46, 0.751_103_773_689_617_5][..],
        ),
        (
            &five,
            &[
                0.122_941_997_398_424_71,
                0.076_405_821_945_846_65,
                0.071_146_850_314_266_03,
                0.608_111_081_328_269_9,
                0.121_394_249_013_192_76,
            ],
        ),
    ] {
        let propensities = policy.propensities(&policy.all());
        assert_eq!(propensities.iter().len(), expected.len());
        for ((arm, found), expected) in propensities.iter().zip(expected) {
            let off = (found.get() - expected).abs();
            assert!(off < 1e-13, "arm {arm}: {} for {expected}", found.get());
            assert!(off <= propensities.error());
        }
        assert!(propensities.error() < 1e-11);
        assert!(matches!(
            propensities.method(),
            PropensityMethod::Quadrature { .. }
        ));
    }
}

/// A million choices per policy. Five standard deviations for 24 arms: a right policy fails once
/// in 70,000 runs with other seeds.
#[test]
fn choices_come_as_often_as_stated() {
    const DRAWS: u32 = 1_000_000;
    for (seed, priors) in (1..).zip([
        vec![(1.0, 1.0), (2.0, 1.0), (1.0, 3.0), (2.0, 2.0)],
        vec![
            (3.0, 30.0),
            (10.0, 100.0),
            (40.0, 380.0),
            (2.0, 9.0),
            (1.0, 12.0),
        ],
        vec![(0.5, 0.5), (0.5, 0.5), (5000.0, 5000.0)],
        vec![(0.001, 0.001), (0.01, 0.02), (2.0, 3.0)],
        vec![
            (0.3, 7.25),
            (1.5, 40.0),
            (12.0, 300.0),
            (200.0, 5000.0),
            (40_000.0, 1e6),
        ],
        vec![
            (20_000.0, 980_000.0),
            (20_100.0, 979_900.0),
            (1.0, 1.0),
            (5.0, 95.0),
        ],
    ]) {
        let policy = policy(&priors);
        let prepared = policy.prepare(&policy.all());
        let mut counts = vec![0.0; priors.len()];
        for decision in 0..DRAWS {
            let choice = prepared.select(Seed::new(seed), DecisionId::new(decision.into()));
            counts[choice.arm.get() as usize] += 1.0;
        }
        for ((arm, propensity), count) in prepared.propensities().iter().zip(counts) {
            let p = propensity.get();
            let sigma = (f64::from(DRAWS) * p * (1.0 - p)).sqrt();
            let off = (count - f64::from(DRAWS) * p).abs();
            assert!(off < 5.0 * sigma, "{priors:?}, arm {arm}: {count} for {p}");
        }
    }
}

#[test]
fn equal_arms_and_single_arms_are_exact() {
    let policy = policy(&[(2.0, 3.0), (2.0, 3.0), (2.0, 3.0), (9.0, 9.0)]);
    let alike = policy.propensities(&policy.eligible(|arm| arm.get() < 3).unwrap());
    assert_eq!(alike.method(), PropensityMethod::Exact);
    for (_, propensity) in alike.iter() {
        assert!((propensity.get() - 1.0 / 3.0).abs() < 1e-16);
    }
    let single = policy.propensities(&policy.eligible(|arm| arm.get() == 3).unwrap());
    assert_eq!(single.method(), PropensityMethod::Exact);
    assert_eq!(
        single.get(ArmId::new(3)).map(gaelp_core::Propensity::get),
        Some(1.0)
    );
    assert_eq!(single.get(ArmId::new(0)), None);
}

#[test]
fn an_arm_that_never_wins_keeps_the_floor() {
    let policy = policy(&[(1.0, 1e6), (1e6, 1.0)]);
    let propensities = policy.propensities(&policy.all());
    let loser = propensities.get(ArmId::new(0)).unwrap();
    assert_eq!(loser.get().to_bits(), Propensities::FLOOR.to_bits());
    assert!(Propensities::FLOOR < propensities.error());
}

#[test]
fn a_thousand_arms() {
    let priors: Vec<_> = (0..1000)
        .map(|arm| (1.0 + f64::from(arm * 7919 % 50), 450.0 + f64::from(arm % 7)))
        .collect();
    let policy = policy(&priors);
    let propensities = policy.propensities(&policy.all());
    let sum: f64 = propensities
        .iter()
        .map(|(_, propensity)| propensity.get())
        .sum();
    assert!((sum - 1.0).abs() <= propensities.error());
    assert!(propensities.error() < 1e-10, "{:e}", propensities.error());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Whoever is left out, the rest is as if the policy had never had the others.
    #[test]
    fn only_eligible_arms_matter(
        priors in prop::collection::vec((0.001..1e4_f64, 0.001..1e4_f64), 2..8),
        kept in prop::collection::vec(any::<bool>(), 8),
    ) {
        let whole = policy(&priors);
        let keep = |arm: ArmId| kept[arm.get() as usize];
        let Ok(eligible) = whole.eligible(keep) else {
            return Ok(());
        };
        let propensities = whole.propensities(&eligible);
        let left: Vec<_> =
            priors.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(prior, _)| *prior).collect();
        let alone = policy(&left);
        let expected = alone.propensities(&alone.all());
        for (found, expected) in propensities.iter().zip(expected.iter()) {
            prop_assert!(keep(found.0));
            prop_assert_eq!(found.1.get().to_bits(), expected.1.get().to_bits());
        }
        let sum: f64 = propensities.iter().map(|(_, propensity)| propensity.get()).sum();
        prop_assert!((sum - 1.0).abs() <= propensities.error() + 1e-15);
        let prepared = whole.prepare(&eligible);
        for decision in 0..8 {
            let choice = prepared.select(Seed::new(3), DecisionId::new(decision));
            prop_assert!(eligible.contains(choice.arm));
            prop_assert_eq!(propensities.get(choice.arm), Some(choice.propensity));
            prop_assert_eq!(propensities.method(), choice.method);
        }
    }
}
