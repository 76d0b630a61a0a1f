//! Indices and closed-form probabilities against values computed elsewhere.

use gaelp_bandits::{
    Bandit, BayesUcb, EpsilonGreedy, Exp3Ix, Imed, IndexRule, KlUcb, KlUcbPlus, Policy, Rule,
    Softmax, Ucb1, UcbV, UnitReward,
};
use gaelp_core::{ArmId, Propensity, PropensityMethod};
use proptest::prelude::*;

use crate::{ids, outcome, unit};

/// The log of `MABWiser`'s tests, with its arms 1, 2, 3 as 0, 1, 2.
const LOG: [(u32, f64); 10] = [
    (0, 0.0),
    (0, 0.0),
    (0, 1.0),
    (1, 0.0),
    (1, 0.0),
    (2, 0.0),
    (2, 0.0),
    (2, 1.0),
    (2, 1.0),
    (2, 1.0),
];

fn learnt<R: Rule<Reward = UnitReward>>(rule: R, arms: u32, log: &[(u32, f64)]) -> Bandit<R> {
    let mut policy = Bandit::new(rule, ids(arms)).unwrap();
    let outcomes: Vec<_> = log
        .iter()
        .map(|&(arm, reward)| outcome(arm, unit(reward)))
        .collect();
    policy.update(&outcomes).unwrap();
    policy
}

fn scores<R: IndexRule>(rule: R) -> Vec<f64> {
    learnt(rule, 3, &LOG)
        .scores()
        .map(|(_, score)| score)
        .collect()
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < tolerance,
            "{found} for {expected}"
        );
    }
}

/// `MABWiser` 2.7.4 on the same log.
#[test]
fn ucb1_agrees_with_mabwiser() {
    assert_near(
        &scores(Ucb1::default()),
        &[
            1.572_307_396_283_279_4,
            1.517_427_129_385_146_5,
            1.559_705_182_437_616_2,
        ],
        1e-14,
    );
}

fn kl(p: f64, q: f64) -> f64 {
    let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    part(p, q) + part(1.0 - p, 1.0 - q)
}

/// The largest q with kl(p, q) ≤ limit, by halving.
fn halved(p: f64, limit: f64) -> f64 {
    let (mut low, mut high) = (p, 1.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if kl(p, middle) <= limit {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[test]
fn indices_agree_with_their_definitions() {
    let (n, means) = ([3.0, 2.0, 5.0], [1.0 / 3.0, 0.0, 0.6]);
    let log_n = 10f64.ln();
    let arms = || n.iter().zip(&means);
    let expected: Vec<_> = arms().map(|(n, p)| halved(*p, log_n / n)).collect();
    assert_near(&scores(KlUcb::default()), &expected, 1e-12);
    let c = 3.0;
    let expected: Vec<_> = arms()
        .map(|(n, p)| halved(*p, (log_n + c * log_n.ln()) / n))
        .collect();
    assert_near(&scores(KlUcb { c }), &expected, 1e-12);
    let expected: Vec<_> = arms()
        .map(|(n, p)| halved(*p, (10.0 / n).ln() / n))
        .collect();
    assert_near(&scores(KlUcbPlus), &expected, 1e-12);
    let expected: Vec<_> = arms().map(|(n, p)| -(n * kl(*p, 0.6) + n.ln())).collect();
    assert_near(&scores(Imed), &expected, 1e-13);
    let (zeta, c) = (1.2, 1.0);
    let width = |n: f64, p: f64| {
        (2.0 * p * (1.0 - p) * zeta * log_n / n).sqrt() + 3.0 * c * zeta * log_n / n
    };
    let expected: Vec<_> = arms().map(|(n, p)| p + width(*n, *p)).collect();
    assert_near(&scores(UcbV::default()), &expected, 1e-13);
}

/// The quantiles of 1 − 1 ÷ 11 of Beta(2, 3), Beta(1, 3), Beta(4, 3): their distribution functions
/// are polynomials, here solved by halving.
#[test]
fn bayes_ucb_agrees_with_polynomial_quantiles() {
    let quantile = |above: &dyn Fn(f64) -> f64| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..100 {
            let x = 0.5 * (low + high);
            if above(x) > 1.0 / 11.0 {
                low = x;
            } else {
                high = x;
            }
        }
        low
    };
    // P(Beta(a, b) > x) = P(Binomial(a + b − 1, x) < a).
    let tail = |a: i32, b: i32| {
        move |x: f64| -> f64 {
            let n = a + b - 1;
            let choose = |k: i32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
            (0..a)
                .map(|k| choose(k) * x.powi(k) * (1.0 - x).powi(n - k))
                .sum()
        }
    };
    let expected = [
        quantile(&tail(2, 3)),
        quantile(&tail(1, 3)),
        quantile(&tail(4, 3)),
    ];
    assert_near(&scores(BayesUcb::default()), &expected, 1e-12);
}

#[test]
fn schedules_and_closed_forms() {
    let policy = learnt(EpsilonGreedy::default(), 3, &LOG);
    let epsilon = 0.10 * 0.9995_f64.powi(10);
    let propensities = policy.propensities(&policy.all()).unwrap();
    assert_eq!(propensities.method(), PropensityMethod::Exact);
    let found: Vec<_> = propensities.iter().map(|(_, p)| p.get()).collect();
    let third = epsilon / 3.0;
    assert_near(&found, &[third, third, third + 1.0 - epsilon], 1e-15);

    let policy = learnt(Softmax::default(), 3, &LOG);
    let weights = [(10.0_f64 / 3.0).exp(), 1.0, 6f64.exp()];
    let all: f64 = weights.iter().sum();
    let found: Vec<_> = policy
        .propensities(&policy.all())
        .unwrap()
        .iter()
        .map(|(_, p)| p.get())
        .collect();
    assert_near(&found, &weights.map(|weight| weight / all), 1e-14);

    // Neu's estimator by hand: a loss of 0.75 at propensity 0.2 with γ = 0.05 is 3.
    let rule = Exp3Ix {
        calm: 100.0,
        gamma: 0.05,
    };
    let mut policy = Bandit::new(rule, ids(2)).unwrap();
    let mut one = outcome(0, unit(0.25));
    one.propensity = Propensity::new(0.2).unwrap();
    policy.update(&[one]).unwrap();
    let eta = (2.0 * 2f64.ln() / 200.0).sqrt();
    let weight = (-eta * 3.0).exp();
    let found = policy.propensities(&policy.all()).unwrap();
    let off = found.get(ArmId::new(0)).unwrap().get() - weight / (1.0 + weight);
    assert!(off.abs() < 1e-14, "{off}");
}

#[test]
fn an_index_policy_states_what_it_cannot_choose() {
    let policy = learnt(KlUcb::default(), 3, &LOG);
    let propensities = policy.propensities(&policy.all()).unwrap();
    let certain: Vec<_> = propensities.iter().collect();
    // Of the three indices above, that of arm 2 is the largest.
    let best = policy
        .scores()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap()
        .0;
    assert_eq!(certain, [(best.arm, Propensity::CERTAIN)]);
    assert_eq!(propensities.get(ArmId::new(1)), None);
}

#[test]
fn parameters_out_of_range_are_refused_all_at_once() {
    let rule = EpsilonGreedy {
        start: -0.1,
        decay: f64::NAN,
        floor: 2.0,
    };
    let error = Bandit::new(rule, ids(2)).unwrap_err().to_string();
    assert_eq!(
        error,
        "start is -0.1: a number from 0 to 1 is expected; \
         decay is NaN: a number from 0 to 1 is expected; \
         floor is 2: a number from 0 to 1 is expected"
    );
    assert!(
        Bandit::new(
            Ucb1 {
                alpha: f64::INFINITY
            },
            ids(1)
        )
        .is_err()
    );
    assert!(Bandit::new(KlUcb { c: -1.0 }, ids(1)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Dismissing arms cheaply never dismisses the best: the choice is that of all indices.
    #[test]
    fn the_best_index_is_chosen(
        log in prop::collection::vec((0..5_u32, prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0_f64]), 5..80),
    ) {
        fn check<R: IndexRule>(rule: R, log: &[(u32, f64)]) -> Result<(), TestCaseError> {
            let policy = learnt(rule, 5, log);
            let scores: Vec<_> = policy.scores().collect();
            let highest = scores.iter().map(|score| score.1).fold(f64::NEG_INFINITY, f64::max);
            let propensities = policy.propensities(&policy.all()).unwrap();
            for (key, score) in scores {
                let chosen = propensities.get(key.arm).is_some();
                // Indices that differ in the last digits only may be taken for ties or not.
                if score < highest - 1e-9 * highest.abs() {
                    prop_assert!(!chosen, "{key}: {score} below {highest}");
                } else if score >= highest {
                    prop_assert!(chosen, "{key}: {score} is the highest");
                }
            }
            Ok(())
        }
        check(KlUcb::default(), &log)?;
        check(KlUcb { c: 3.0 }, &log)?;
        check(KlUcbPlus, &log)?;
        check(Imed, &log)?;
        check(Ucb1::default(), &log)?;
        check(UcbV::default(), &log)?;
        check(BayesUcb::default(), &log)?;
    }
}
