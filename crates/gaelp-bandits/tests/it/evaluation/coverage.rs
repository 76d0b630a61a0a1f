//! How often intervals hold the truth, over a thousand logs each.

use gaelp_bandits::evaluation::{
    Bootstrap, ConfidenceLevel, Covers, Estimator, Interval, Requirements, RewardRange,
};
use gaelp_core::Seed;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{Sample, close, uniform};

const LOGS: u64 = 1000;
const ROWS: usize = 400;
const LOGGED: [f64; 3] = [0.5, 0.3, 0.2];
const TARGET: [f64; 3] = [0.2, 0.2, 0.6];
const EARNS: [f64; 3] = [0.5, 0.3, 0.7];
const PREDICTED: [f64; 3] = [0.4, 0.4, 0.5];
/// 1 ÷ the least logged propensity.
const MOST_WEIGHT: f64 = 5.0;

fn truth() -> f64 {
    TARGET.iter().zip(EARNS).map(|(p, r)| p * r).sum()
}

fn sample(rng: &mut ChaCha8Rng) -> Sample {
    let direct = TARGET.iter().zip(PREDICTED).map(|(p, q)| p * q).sum();
    let mut sample = Sample::default();
    for _ in 0..ROWS {
        let point = uniform(rng);
        let arm = usize::from(point >= LOGGED[0]) + usize::from(point >= LOGGED[0] + LOGGED[1]);
        let reward = f64::from(u8::from(uniform(rng) < EARNS[arm]));
        sample.push([reward, LOGGED[arm], TARGET[arm], PREDICTED[arm], direct]);
    }
    sample
}

/// How many of the logs' intervals hold the truth, and their mean width.
fn held(estimator: Estimator, interval: impl Fn(&Sample, u64) -> Interval) -> (u64, f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(20_261_121);
    let (mut held, mut width) = (0, 0.0);
    for seed in 0..LOGS {
        let found = interval(&sample(&mut rng), seed);
        assert_eq!(found.covers, Covers::Value, "{estimator}");
        held += u64::from(found.contains(truth()));
        width += (found.upper - found.lower) / LOGS as f64;
    }
    (held, width)
}

/// The percentile bootstrap holds 95 % in the limit of many rows. At 400, theory gives it an error of
/// O(1/n), below 1 %; five standard deviations of a thousand coins are 3.4 %.
#[test]
fn the_bootstrap_holds_as_often_as_it_says() {
    for estimator in [
        Estimator::Ips,
        Estimator::Snips,
        Estimator::Dr,
        Estimator::Sndr,
    ] {
        let (held, width) = held(estimator, |sample, seed| {
            let log = sample.log();
            let answer = log.evaluate(estimator, &Requirements::default()).unwrap();
            let bootstrap = Bootstrap {
                seed: Seed::new(seed),
                replicates: 200,
                ..Bootstrap::default()
            };
            answer.bootstrap(&bootstrap).unwrap()
        });
        assert!(
            (906..=984).contains(&held),
            "{estimator}: {held} of {LOGS}, width {width}"
        );
    }
}

/// It holds for every n, so it holds too often; what counts is that it never does too seldom, and
/// that it is not empty talk: the range is 1 wide.
#[test]
fn empirical_bernstein_never_holds_too_seldom() {
    for (estimator, widest) in [
        (Estimator::Ips, 0.75),
        (Estimator::ClippedIps { most: 2.0 }, 0.85),
        (Estimator::Dr, 0.99),
    ] {
        let (held, width) = held(estimator, |sample, _| {
            let log = sample.log();
            let answer = log.evaluate(estimator, &Requirements::default()).unwrap();
            let level = ConfidenceLevel::default();
            answer
                .empirical_bernstein(RewardRange::UNIT, Some(MOST_WEIGHT), level)
                .unwrap()
        });
        assert!(held >= 950, "{estimator}: {held} of {LOGS}");
        assert!(width < widest, "{estimator}: {width}");
    }
}

/// Maurer and Pontil's theorem 4, term by term, with sums as they come.
#[test]
fn empirical_bernstein_is_what_it_is_defined_as() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let sample = sample(&mut rng);
    let log = sample.log();
    let n = ROWS as f64;
    let bound = |values: Vec<f64>, most: f64| {
        let mean = values.iter().sum::<f64>() / n;
        // The variance as half of the mean squared distance of pairs, as the source has it.
        let mut pairs = 0.0;
        for (i, a) in values.iter().enumerate() {
            pairs += values[..i].iter().map(|b| (a - b).powi(2)).sum::<f64>();
        }
        let variance = pairs / (n * (n - 1.0));
        let log = (2.0_f64 / 0.05).ln();
        mean - (2.0 * variance * log / n).sqrt() - 7.0 * most * log / (3.0 * (n - 1.0))
    };
    let level = ConfidenceLevel::new(0.9).unwrap();
    let range = RewardRange::new(-1.0, 3.0).unwrap();
    let found = |estimator| {
        let answer = log.evaluate(estimator, &Requirements::default()).unwrap();
        answer
            .empirical_bernstein(range, Some(MOST_WEIGHT), level)
            .unwrap()
    };

    let clip = 2.0;
    let lower = bound(
        sample
            .rows()
            .map(|(r, w, ..)| w.min(clip) * (r + 1.0))
            .collect(),
        4.0 * clip,
    );
    let upper = bound(
        sample
            .rows()
            .map(|(r, w, ..)| w.min(clip) * (3.0 - r))
            .collect(),
        4.0 * clip,
    );
    let interval = found(Estimator::ClippedIps { most: clip });
    assert!(close(interval.lower, (lower - 1.0).max(-1.0), 1e-12));
    assert!(close(interval.upper, (3.0 - upper).min(3.0), 1e-12));

    let terms: Vec<f64> = sample.rows().map(|(r, w, q, d)| d + w * (r - q)).collect();
    let reach = 4.0 * (1.0 + 2.0 * MOST_WEIGHT);
    let floor = -1.0 - 4.0 * MOST_WEIGHT;
    let lower = floor + bound(terms.iter().map(|x| x - floor).collect(), reach);
    let upper = -bound(terms.iter().map(|x| floor + reach - x).collect(), reach) + floor + reach;
    let interval = found(Estimator::Dr);
    assert!(close(interval.lower, lower.max(-1.0), 1e-12));
    assert!(close(interval.upper, upper.min(3.0), 1e-12));
}

/// The clipped interval holds the value itself, however much the clip takes away, and even where the
/// logging policy never plays an arm that the target policy plays half of the time.
#[test]
fn clipping_and_missing_support_keep_the_promise() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let level = ConfidenceLevel::default();
    let mut tight = 0;
    for _ in 0..LOGS {
        let mut sample = Sample::default();
        // Arm 0 and 1 are logged evenly, arm 2 never; it is the best.
        for _ in 0..4000 {
            let arm = usize::from(uniform(&mut rng) < 0.5);
            let reward = f64::from(u8::from(uniform(&mut rng) < [0.1, 0.3][arm]));
            sample.push([reward, 0.5, [0.3, 0.2][arm], 0.0, 0.0]);
        }
        let value = 0.3 * 0.1 + 0.2 * 0.3 + 0.5 * 0.9;
        let log = sample.log();
        let answer = log
            .evaluate(Estimator::ClippedIps { most: 0.5 }, &Requirements::NONE)
            .unwrap();
        let interval = answer
            .empirical_bernstein(RewardRange::UNIT, None, level)
            .unwrap();
        assert!(interval.contains(value), "{interval:?}");
        tight += u64::from(interval.lower > 0.03 && interval.upper < 0.75);
    }
    assert_eq!(tight, LOGS);
}

/// The same seed draws the same logs; another seed others; and the draws are not those of an order.
#[test]
fn the_bootstrap_depends_on_its_seed_alone() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let sample = sample(&mut rng);
    let log = sample.log();
    let answer = log
        .evaluate(Estimator::Sndr, &Requirements::default())
        .unwrap();
    let of = |seed, replicates| {
        let bootstrap = Bootstrap {
            seed: Seed::new(seed),
            replicates,
            ..Bootstrap::default()
        };
        answer.bootstrap(&bootstrap).unwrap()
    };
    assert_eq!(of(1, 100), of(1, 100));
    assert_ne!(of(1, 100), of(2, 100));
    assert!(of(1, 100).contains(answer.value()));
    // Its width is that of the standard error: 2 × 1.96 of them, within the noise of 4000 draws.
    let interval = of(1, 4000);
    let expected = 2.0 * 1.96 * answer.standard_error();
    let found = interval.upper - interval.lower;
    assert!(
        (found / expected - 1.0).abs() < 0.1,
        "{found} for {expected}"
    );
    let few = Bootstrap {
        replicates: 19,
        ..Bootstrap::default()
    };
    assert!(answer.bootstrap(&few).is_err());
}
