//! Confidence sequences: at every row at once.

use gaelp_bandits::evaluation::{ConfidenceLevel, ConfidenceSequence, Interval, RewardRange};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{close, uniform};

const RUNS: usize = 1000;
const ROWS: usize = 2000;

/// A logging policy that learns: it plays the arm that has earned more with propensity 0.9. The target
/// policy plays arm 1 with probability 0.6. Returns weight and reward, row by row.
fn run(rng: &mut ChaCha8Rng, earns: [f64; 2], mut take: impl FnMut(f64, f64)) {
    let (mut sums, mut counts) = ([0.5, 0.5], [1.0, 1.0]);
    for _ in 0..ROWS {
        let better = usize::from(sums[1] / counts[1] > sums[0] / counts[0]);
        let arm = if uniform(rng) < 0.9 {
            better
        } else {
            1 - better
        };
        let logged = if arm == better { 0.9 } else { 0.1 };
        let reward = f64::from(u8::from(uniform(rng) < earns[arm]));
        sums[arm] += reward;
        counts[arm] += 1.0;
        take([0.4, 0.6][arm] / logged, reward);
    }
}

/// In how many of a thousand runs the interval misses the value at least once, and the mean width at
/// the end.
fn missed(earns: [f64; 2], clip: Option<f64>, level: f64) -> (usize, f64) {
    let value = 0.4 * earns[0] + 0.6 * earns[1];
    let level = ConfidenceLevel::new(level).unwrap();
    let (mut missed, mut width) = (0, 0.0);
    for seed in 0..RUNS as u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut sequence = ConfidenceSequence::new(RewardRange::UNIT, clip, level).unwrap();
        let mut miss = false;
        run(&mut rng, earns, |weight, reward| {
            sequence.observe(weight, reward).unwrap();
            // Bounds that have crossed miss too.
            miss |= !sequence
                .interval()
                .is_ok_and(|interval| interval.contains(value));
        });
        missed += usize::from(miss);
        width += sequence.interval().map_or(1.0, |i| i.upper - i.lower) / RUNS as f64;
    }
    (missed, width)
}

/// A valid sequence of level 0.9 misses in 100 of 1000 runs at most; five standard deviations more are
/// 147. How wide it is says that it does not hold its promise by saying nothing.
#[test]
fn it_holds_at_every_row_at_once() {
    for (earns, clip, widest) in [
        ([0.5, 0.6], None, 0.35),
        ([0.5, 0.6], Some(6.0), 0.35),
        ([0.02, 0.05], None, 0.25),
        ([0.95, 0.9], Some(4.0), 0.7),
    ] {
        let (missed, width) = missed(earns, clip, 0.9);
        assert!(
            missed <= 147,
            "{earns:?} at {clip:?}: {missed} of {RUNS} missed"
        );
        assert!(width < widest, "{earns:?} at {clip:?}: {width}");
    }
}

/// What the sequence is for: an interval for a fixed number of rows, looked at after every row, misses
/// many times as often as it says.
#[test]
fn a_fixed_interval_that_is_watched_does_not_hold() {
    let earns = [0.5, 0.6];
    let value = 0.4 * earns[0] + 0.6 * earns[1];
    let mut missed = 0;
    for seed in 0..RUNS as u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut n, mut sum, mut squares, mut miss) = (0.0_f64, 0.0, 0.0, false);
        run(&mut rng, earns, |weight, reward| {
            n += 1.0;
            sum += weight * reward;
            squares += (weight * reward).powi(2);
            let mean = sum / n;
            let error = ((squares / n - mean * mean) / n).sqrt();
            // 1.645 standard errors: 90 % for a single look.
            miss |= n >= 50.0 && (mean - value).abs() > 1.645 * error;
        });
        missed += usize::from(miss);
    }
    assert!(missed > 400, "{missed} of {RUNS}");
}

/// Each bound from its definition, with every mean and variance taken anew over all earlier rows.
#[test]
fn it_is_what_it_is_defined_as() {
    let level = ConfidenceLevel::new(0.9).unwrap();
    let range = RewardRange::new(-2.0, 2.0).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut sequence = ConfidenceSequence::new(range, Some(3.0), level).unwrap();
    let (mut below, mut above) = (Vec::new(), Vec::new());
    let (mut best_lower, mut best_upper) = (0.0_f64, 0.0_f64);
    for _ in 0..300 {
        let (weight, reward) = (4.0 * uniform(&mut rng), 4.0 * uniform(&mut rng) - 2.0);
        sequence.observe(weight, reward).unwrap();
        below.push(weight.min(3.0) * (reward + 2.0) / 4.0);
        above.push(weight.min(3.0) * (2.0 - reward) / 4.0);
        best_lower = best_lower.max(bound(&below));
        best_upper = best_upper.max(bound(&above));
        let (lower, upper) = (
            -2.0 + 4.0 * best_lower.min(1.0),
            2.0 - 4.0 * best_upper.min(1.0),
        );
        match sequence.interval() {
            Ok(Interval {
                lower: l, upper: u, ..
            }) => {
                assert!(close(l, lower, 1e-10) && close(u, upper, 1e-10));
            }
            Err(_) => assert!(lower > upper - 1e-10),
        }
    }
    assert!(best_lower > 0.1);
}

/// Theorem 2 of Waudby-Smith & Ramdas (2023) for one side at error probability 0.05.
fn bound(values: &[f64]) -> f64 {
    let evidence = (1.0_f64 / 0.05).ln();
    let mean_after = |rows: usize| (0.5 + values[..rows].iter().sum::<f64>()) / (rows as f64 + 1.0);
    let (mut gains, mut costs, mut bets) = (0.0, 0.0, 0.0);
    for (earlier, value) in values.iter().enumerate() {
        let t = earlier as f64 + 1.0;
        let squares: f64 = (0..earlier)
            .map(|row| (values[row] - mean_after(row + 1)).powi(2))
            .sum();
        let variance = (0.25 + squares) / t;
        let bet = (2.0 * evidence / (variance * t * (1.0 + t).ln()))
            .sqrt()
            .min(0.5);
        gains += bet * value;
        costs += (value - mean_after(earlier).min(1.0)).powi(2) * (-(1.0 - bet).ln() - bet);
        bets += bet;
    }
    (gains - evidence - costs) / bets
}
