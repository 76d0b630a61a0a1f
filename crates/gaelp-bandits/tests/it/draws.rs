//! Drawing without propensities follows the propensities all the same.

use gaelp_core::{DecisionId, Seed};

use crate::policy;

/// A chi-squared test over the arms that are expected at least ten times, by its normal
/// approximation: beyond 5 a right sampler comes once in a million tests.
fn surprise(priors: &[(f64, f64)], draws: u32, seed: u64) -> f64 {
    let policy = policy(priors);
    let eligible = policy.all();
    let mut counts = vec![0.0; priors.len()];
    for decision in 0..draws {
        let arm = policy.draw(&eligible, Seed::new(seed), DecisionId::new(decision.into()));
        counts[arm.get() as usize] += 1.0;
    }
    let (mut statistic, mut cells, mut rest) = (0.0, 0.0, (0.0, 0.0));
    for ((_, p), count) in policy.propensities(&eligible).iter().zip(counts) {
        let expected = p.get() * f64::from(draws);
        if expected < 10.0 {
            rest = (rest.0 + expected, rest.1 + count);
        } else {
            statistic += (count - expected) * (count - expected) / expected;
            cells += 1.0;
        }
    }
    if rest.0 >= 1.0 {
        statistic += (rest.1 - rest.0) * (rest.1 - rest.0) / rest.0;
        cells += 1.0;
    }
    let freedom: f64 = cells - 1.0;
    (statistic - freedom) / (2.0 * freedom).sqrt()
}

#[test]
fn few_arms() {
    let off = surprise(
        &[(3.0, 30.0), (10.0, 100.0), (40.0, 380.0), (2.0, 9.0)],
        500_000,
        1,
    );
    assert!(off < 5.0, "{off}");
    let off = surprise(&[(0.01, 0.02), (0.5, 0.5), (2.0, 3.0)], 200_000, 2);
    assert!(off < 5.0, "{off}");
}

#[test]
fn many_arms_with_thinning() {
    // Alike and sharp; wide beside sharp; shapes below one; one far ahead of many.
    let alike: Vec<_> = (0..40)
        .map(|arm| (10.0 + f64::from(arm % 7), 190.0))
        .collect();
    let wide: Vec<_> = (0..30)
        .map(|arm| {
            if arm % 3 == 0 {
                (1.0, 1.0)
            } else {
                (500.0, 500.0 + f64::from(arm))
            }
        })
        .collect();
    let small: Vec<_> = (0..20)
        .map(|arm| (0.05 + 0.1 * f64::from(arm % 5), 0.3))
        .collect();
    let ahead: Vec<_> = (0..25)
        .map(|arm| if arm == 13 { (60.0, 40.0) } else { (9.0, 11.0) })
        .collect();
    for (seed, priors) in (10..).zip([alike, wide, small, ahead]) {
        let off = surprise(&priors, 300_000, seed);
        assert!(off < 5.0, "seed {seed}: {off}");
    }
}

#[test]
fn only_eligible_arms_are_drawn_and_draws_are_stable() {
    let policy = policy(&[(1.0, 1.0); 40]);
    let eligible = policy.eligible(|arm| arm.get() % 2 == 1).unwrap();
    let draw = |decision| policy.draw(&eligible, Seed::new(2026), DecisionId::new(decision));
    let drawn: Vec<_> = (0..24).map(|decision| draw(decision).get()).collect();
    assert!(drawn.iter().all(|arm| arm % 2 == 1));
    assert_eq!(drawn, STABLE);
}

/// Part of the contract.
const STABLE: [u32; 24] = [
    19, 21, 25, 37, 17, 31, 1, 9, 19, 29, 35, 19, 27, 21, 27, 31, 7, 31, 33, 5, 35, 21, 27, 33,
];
