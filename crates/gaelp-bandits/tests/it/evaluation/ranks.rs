//! Probabilities of positions against sums over all sets of better arms.

use gaelp_bandits::evaluation::{RankError, RankPropensities};
use gaelp_bandits::{BetaPrior, BetaThompson, Propensities, SelectError};
use gaelp_core::ArmId;

use crate::policy;

fn chances(policy: &BetaThompson, positions: usize) -> Vec<Vec<f64>> {
    let ranks = RankPropensities::of(policy, &policy.all(), positions).unwrap();
    assert_eq!(ranks.positions(), positions);
    let of_arm = |arm: ArmId| {
        (0..positions)
            .map(|r| ranks.get(arm, r).unwrap().get())
            .collect()
    };
    policy.all().iter().map(of_arm).collect()
}

/// For whole shapes the distribution function is a binomial sum, so the density at a rank is a
/// polynomial: Simpson's rule over 20,000 steps is exact to rounding. The sum goes over all sets of
/// arms that may be better.
fn by_sets(shapes: &[(u32, u32)], positions: usize) -> Vec<Vec<f64>> {
    const STEPS: u32 = 20_000;
    let choose = |n: u32, k: u32| {
        (0..k)
            .map(|i| f64::from(n - i) / f64::from(i + 1))
            .product::<f64>()
    };
    let power = |x: f64, n: u32| x.powi(i32::try_from(n).unwrap());
    let below = |(a, b): (u32, u32), x: f64| -> f64 {
        let n = a + b - 1;
        (a..=n)
            .map(|j| choose(n, j) * power(x, j) * power(1.0 - x, n - j))
            .sum()
    };
    let density = |(a, b): (u32, u32), x: f64| {
        let n = a + b - 1;
        f64::from(a) * choose(n, a) * power(x, a - 1) * power(1.0 - x, b - 1)
    };
    let mut chances = vec![vec![0.0; positions]; shapes.len()];
    for step in 0..=STEPS {
        let x = f64::from(step) / f64::from(STEPS);
        let simpson = if step == 0 || step == STEPS {
            1.0
        } else {
            2.0 + 2.0 * f64::from(step % 2)
        };
        let functions: Vec<f64> = shapes.iter().map(|shape| below(*shape, x)).collect();
        for (arm, shape) in shapes.iter().enumerate() {
            for better in 0..1_usize << shapes.len() {
                let rank = better.count_ones() as usize;
                if better & 1 << arm != 0 || rank >= positions {
                    continue;
                }
                let others = (0..shapes.len()).filter(|other| *other != arm);
                let chance: f64 = others
                    .map(|other| {
                        let below = functions[other];
                        if better & 1 << other != 0 {
                            1.0 - below
                        } else {
                            below
                        }
                    })
                    .product();
                chances[arm][rank] +=
                    simpson / 3.0 / f64::from(STEPS) * density(*shape, x) * chance;
            }
        }
    }
    chances
}

#[test]
fn positions_are_as_likely_as_the_sets_of_better_arms() {
    for (shapes, positions) in [
        (&[(1, 1), (2, 1), (1, 3), (2, 2)][..], 4),
        (&[(3, 30), (10, 20), (4, 8), (2, 9), (1, 12)], 3),
        (&[(1, 1); 3], 2),
        (&[(40, 20), (1, 1)], 2),
    ] {
        let priors: Vec<_> = shapes
            .iter()
            .map(|&(a, b)| (f64::from(a), f64::from(b)))
            .collect();
        let found = chances(&policy(&priors), positions);
        for (found, expected) in found
            .iter()
            .flatten()
            .zip(by_sets(shapes, positions).iter().flatten())
        {
            assert!(
                (found - expected).abs() < 1e-12,
                "{shapes:?}: {found} for {expected}"
            );
        }
    }
}

/// The first position is the best arm, whose probability comes by another road.
#[test]
fn the_first_position_is_the_best_arm() {
    for priors in [
        vec![(0.5, 0.5), (0.5, 0.5), (5000.0, 5000.0)],
        vec![(0.001, 0.001), (0.01, 0.02), (2.0, 3.0)],
        vec![
            (1e6, 1e8),
            (20_000.0, 1_980_000.0),
            (1.0, 1.0),
            (5.0, 495.0),
        ],
        (0..200)
            .map(|arm| (1.0 + f64::from(arm * 7919 % 50), 450.0 + f64::from(arm % 7)))
            .collect(),
    ] {
        let policy = policy(&priors);
        let ranks = RankPropensities::of(&policy, &policy.all(), 2).unwrap();
        let best = policy.propensities(&policy.all());
        assert!(ranks.error() < 1e-10, "{:e}", ranks.error());
        for (arm, propensity) in best.iter() {
            let first = ranks.get(arm, 0).unwrap().get();
            let off = (first - propensity.get()).abs();
            assert!(
                off < best.error() + ranks.error(),
                "{arm}: {first} for {propensity:?}"
            );
        }
    }
}

#[test]
fn every_position_is_filled_and_every_arm_has_one() {
    let priors: Vec<_> = (0..8).map(|arm| (1.0 + f64::from(arm), 20.0)).collect();
    let found = chances(&policy(&priors), 8);
    for position in 0..8 {
        let sum: f64 = found.iter().map(|arm| arm[position]).sum();
        assert!((sum - 1.0).abs() < 1e-13, "position {position}: {sum}");
    }
    for arm in found {
        let sum: f64 = arm.iter().sum();
        assert!((sum - 1.0).abs() < 1e-13, "{sum}");
    }
}

#[test]
fn what_is_asked_must_be_there() {
    let policy = policy(&[(1.0, 1.0), (1.0, 1e6), (1e6, 1.0)]);
    let all = policy.all();
    assert!(matches!(
        RankPropensities::of(&policy, &all, 0),
        Err(RankError::Positions(_))
    ));
    assert!(matches!(
        RankPropensities::of(&policy, &all, 4),
        Err(RankError::Positions(_))
    ));
    let ranks = RankPropensities::of(&policy, &all, 1).unwrap();
    assert_eq!(ranks.get(ArmId::new(0), 1), None);
    assert_eq!(ranks.get(ArmId::new(3), 0), None);
    let least = ranks.get(ArmId::new(1), 0).unwrap().get();
    assert_eq!(least.to_bits(), Propensities::FLOOR.to_bits());

    let arms = (0..4).map(|arm| (ArmId::new(arm), BetaPrior::default()));
    let other = BetaThompson::new(arms).unwrap();
    let unknown = RankPropensities::of(&policy, &other.all(), 1).unwrap_err();
    assert_eq!(
        unknown,
        RankError::Select(SelectError::NotLiving { arm: ArmId::new(3) })
    );
    let some = policy.eligible(|arm| arm.get() > 0).unwrap();
    let ranks = RankPropensities::of(&policy, &some, 2).unwrap();
    assert_eq!(ranks.get(ArmId::new(0), 0), None);
}
