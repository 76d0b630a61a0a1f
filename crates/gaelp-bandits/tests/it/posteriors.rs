//! Propensities of posteriors against integrals and simulations that share no code with them.

use gaelp_bandits::{
    Amount, Bandit, BetaBernoulli, BetaPrior, Events, GammaPoisson, NormalInverseGamma, Policy,
    Revenue, Rule, TopTwo, ZeroInflatedLognormal,
};
use gaelp_core::{DecisionId, Micros, PropensityMethod, Seed};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{Beta, Continuous, ContinuousCDF, Gamma, Normal, StudentsT};

use crate::{ids, outcome, unit};

fn found<R: Rule>(policy: &Bandit<R>) -> (Vec<f64>, f64) {
    let propensities = policy.propensities(&policy.all()).unwrap();
    let all = propensities.iter().map(|(_, p)| p.get()).collect();
    (all, propensities.error())
}

/// P(arm i is the largest) by the trapezium rule over a dense grid.
fn integrated<L: Continuous<f64, f64> + ContinuousCDF<f64, f64>>(
    laws: &[L],
    (low, high): (f64, f64),
) -> Vec<f64> {
    const STEPS: u32 = 100_000;
    let step = (high - low) / f64::from(STEPS);
    let mut sums = vec![0.0; laws.len()];
    for k in 0..=STEPS {
        let x = low + f64::from(k) * step;
        let below: Vec<_> = laws.iter().map(|law| law.cdf(x)).collect();
        for (i, law) in laws.iter().enumerate() {
            let others: f64 = (0..laws.len())
                .filter(|j| *j != i)
                .map(|j| below[j])
                .product();
            sums[i] += step * law.pdf(x) * others;
        }
    }
    sums
}

#[test]
fn gamma_poisson_agrees_with_a_dense_integral() {
    let rule = GammaPoisson {
        shape: 2.0,
        rate: 10.0,
    };
    let mut policy = Bandit::new(rule, ids(4)).unwrap();
    let seen = [(3, 41.5), (0, 12.25), (7, 60.0), (1, 3.0)];
    for (arm, (count, exposure)) in (0..).zip(seen) {
        let events = Events::new(count, exposure).unwrap();
        policy.update(&[outcome(arm, events)]).unwrap();
    }
    let laws =
        seen.map(|(count, exposure)| Gamma::new(2.0 + f64::from(count), 10.0 + exposure).unwrap());
    let expected = integrated(&laws, (1e-9, 3.0));
    let (found, error) = found(&policy);
    assert!(error < 1e-10, "{error:e}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-8, "{found} for {expected}");
    }
    assert!(Events::new(1, -1.0).is_err() && Events::new(1, f64::NAN).is_err());
}

/// The posterior by the textbook: means and sums of squared deviations, not centred sums.
#[test]
fn normal_inverse_gamma_agrees_with_a_dense_integral() {
    let rule = NormalInverseGamma {
        mean: 10.0,
        weight: 2.0,
        shape: 3.0,
        scale: 8.0,
    };
    let mut policy = Bandit::new(rule, ids(3)).unwrap();
    let seen: [&[f64]; 3] = [
        &[9.0, 14.5, 11.0, 8.25],
        &[13.0],
        &[10.5, 10.75, 11.25, 10.0, 10.9],
    ];
    let mut laws = Vec::new();
    for (arm, values) in (0..).zip(seen) {
        for value in values {
            policy
                .update(&[outcome(arm, Amount::new(*value).unwrap())])
                .unwrap();
        }
        let n = f64::from(u32::try_from(values.len()).unwrap());
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let weight = 2.0 + n;
        let shape = 3.0 + n / 2.0;
        let scale = 8.0 + squares / 2.0 + 2.0 * n * (mean - 10.0).powi(2) / (2.0 * weight);
        let place = (2.0 * 10.0 + n * mean) / weight;
        laws.push(StudentsT::new(place, (scale / (shape * weight)).sqrt(), 2.0 * shape).unwrap());
    }
    let expected = integrated(&laws, (-60.0, 80.0));
    let (found, error) = found(&policy);
    assert!(error < 1e-9, "{error:e}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-7, "{found} for {expected}");
    }
    assert!(Amount::new(f64::INFINITY).is_err() && Amount::new(1e10).is_err());
}

/// The exact values of the golden cases, through the rule.
#[test]
fn beta_bernoulli_agrees_with_mpmath() {
    let rule = BetaBernoulli {
        prior: BetaPrior::new(4.0, 96.0).unwrap(),
    };
    let mut policy = Bandit::new(rule, ids(2)).unwrap();
    // Beta(4, 98) and Beta(6, 96).
    for (arm, reward) in [(0, 0.0), (0, 0.0), (1, 1.0), (1, 1.0)] {
        policy.update(&[outcome(arm, unit(reward))]).unwrap();
    }
    let (found, error) = found(&policy);
    assert!((found[1] - 0.751_103_773_689_706_2).abs() < 1e-12 && error < 1e-11);
}

#[test]
fn top_two_agrees_with_its_definition() {
    const DRAWS: u32 = 200_000;
    let of = BetaBernoulli::default();
    let mut plain = Bandit::new(of, ids(4)).unwrap();
    let mut top_two = Bandit::new(TopTwo { leader: 0.3, of }, ids(4)).unwrap();
    for (arm, reward) in [
        (0, 1.0),
        (0, 0.5),
        (1, 0.0),
        (2, 1.0),
        (2, 1.0),
        (2, 1.0),
        (2, 0.8),
    ] {
        plain.update(&[outcome(arm, unit(reward))]).unwrap();
        top_two.update(&[outcome(arm, unit(reward))]).unwrap();
    }
    let (p, _) = found(&plain);
    let (q, error) = found(&top_two);
    assert!(error < 1e-10);
    for i in 0..4 {
        let challenges: f64 = (0..4)
            .filter(|j| *j != i)
            .map(|j| p[j] * p[i] / (1.0 - p[j]))
            .sum();
        let expected = 0.3 * p[i] + 0.7 * challenges;
        assert!((q[i] - expected).abs() < 1e-13, "{} for {expected}", q[i]);
    }
    // As it is played: draw the leader, then draw again until another arm comes.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut uniform = move || {
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let uniform = (rng.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0;
        uniform
    };
    let mut draw = || {
        let point = uniform();
        let mut sum = 0.0;
        (0..4)
            .find(|i| {
                sum += p[*i];
                point < sum
            })
            .unwrap_or(3)
    };
    let mut counts = [0.0; 4];
    for k in 0..DRAWS {
        let leader = draw();
        let mut chosen = leader;
        if k % 10 >= 3 {
            while chosen == leader {
                chosen = draw();
            }
        }
        counts[chosen] += 1.0;
    }
    for (count, q) in counts.iter().zip(&q) {
        let n = f64::from(DRAWS);
        // Five standard deviations.
        assert!(
            (count - n * q).abs() < 5.0 * (n * q * (1.0 - q)).sqrt(),
            "{count} for {q}"
        );
    }
}

/// Simulated with other samplers: quantiles of uniform numbers.
#[test]
fn revenue_agrees_with_a_simulation_by_quantiles() {
    const DRAWS: u32 = 4_000;
    let rule = ZeroInflatedLognormal {
        draws: 16_384,
        ..ZeroInflatedLognormal::default()
    };
    let mut policy = Bandit::new(rule, ids(3)).unwrap();
    // Orders in cents, and how many trials earned nothing.
    let seen: [(&[i64], u32); 3] = [
        (&[4990, 2500, 12_000], 100),
        (&[5990, 1990, 8000, 3000, 7700], 90),
        (&[], 10),
    ];
    for (arm, (orders, nothing)) in (0..).zip(seen) {
        for cents in orders {
            let revenue = Revenue::new(Micros::new(cents * 10_000)).unwrap();
            policy.update(&[outcome(arm, revenue)]).unwrap();
        }
        let none: Vec<_> = (0..nothing).map(|_| outcome(arm, Revenue::NONE)).collect();
        policy.update(&none).unwrap();
    }
    let propensities = policy.propensities(&policy.all()).unwrap();
    assert_eq!(
        propensities.method(),
        PropensityMethod::MonteCarlo { draws: 16_384 }
    );
    let sum: f64 = propensities.iter().map(|(_, p)| p.get()).sum();
    assert!((sum - 1.0).abs() < 1e-12);

    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut uniform = move || {
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let uniform = ((rng.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
        uniform
    };
    let prior = rule.log_revenue;
    let mut wins = [0.0; 3];
    let laws = seen.map(|(orders, nothing)| {
        let n = f64::from(u32::try_from(orders.len()).unwrap());
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let logs: Vec<f64> = orders
            .iter()
            .map(|cents| (*cents as f64 / 100.0).ln())
            .collect();
        let mean = if n > 0.0 {
            logs.iter().sum::<f64>() / n
        } else {
            prior.mean
        };
        let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
        let weight = prior.weight + n;
        let scale = prior.scale
            + squares / 2.0
            + prior.weight * n * (mean - prior.mean).powi(2) / (2.0 * weight);
        let place = (prior.weight * prior.mean + n * mean) / weight;
        let failures = rule.conversion.failures + f64::from(nothing);
        (
            Beta::new(rule.conversion.successes + n, failures).unwrap(),
            Gamma::new(prior.shape + n / 2.0, scale).unwrap(),
            place,
            weight,
        )
    });
    for _ in 0..DRAWS {
        let scores = [0, 1, 2].map(|arm| {
            let (conversion, precision, place, weight): &(Beta, Gamma, f64, f64) = &laws[arm];
            // The variance is cut by leaving out precisions that are too small.
            let least = precision.cdf(1.0 / rule.most_variance);
            let variance = 1.0 / precision.inverse_cdf(least + (1.0 - least) * uniform());
            let normal = Normal::standard().inverse_cdf(uniform());
            let mean = place + (variance / weight).sqrt() * normal;
            conversion.inverse_cdf(uniform()).ln() + mean + variance / 2.0
        });
        let best = (0..3)
            .max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
            .unwrap();
        wins[best] += 1.0;
    }
    for ((_, p), won) in propensities.iter().zip(wins) {
        let (p, n) = (p.get(), f64::from(DRAWS));
        // Five standard deviations of both simulations together.
        let sigma = (p * (1.0 - p) * (1.0 / n + 1.0 / 16_384.0)).sqrt();
        assert!((won / n - p).abs() < 5.0 * sigma, "{} for {p}", won / n);
    }
}

/// Forty thousand choices, for a rule with quadrature behind it.
#[test]
fn choices_come_as_often_as_stated() {
    const DRAWS: u32 = 40_000;
    let mut policy = Bandit::new(GammaPoisson::default(), ids(4)).unwrap();
    for (arm, count, exposure) in [(0, 3, 4.0), (1, 9, 15.0), (2, 0, 0.5), (3, 40, 70.0)] {
        let events = Events::new(count, exposure).unwrap();
        policy.update(&[outcome(arm, events)]).unwrap();
    }
    let (p, _) = found(&policy);
    let eligible = policy.all();
    let mut counts = [0.0; 4];
    for decision in 0..DRAWS {
        let decision = DecisionId::new(decision.into());
        let chosen = policy.select(&eligible, Seed::new(11), decision).unwrap();
        counts[chosen.key.arm.get() as usize] += 1.0;
    }
    for (count, p) in counts.iter().zip(p) {
        let n = f64::from(DRAWS);
        assert!(
            (count - n * p).abs() < 5.0 * (n * p * (1.0 - p)).sqrt(),
            "{count} for {p}"
        );
    }
}
