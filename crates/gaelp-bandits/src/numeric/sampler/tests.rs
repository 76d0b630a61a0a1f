use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::{gamma_lr, ln_gamma};

use super::*;

const DRAWS: u32 = 200_000;

/// √n D of Kolmogorov and Smirnov above which a right sampler comes once in a million tests:
/// √(ln(2 ÷ 1e-6) ÷ 2).
const CRITICAL: f64 = 2.694;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn count(draws: &[f64]) -> f64 {
    f64::from(u32::try_from(draws.len()).unwrap())
}

fn kolmogorov_smirnov(mut draws: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = count(&draws);
    let distance = |(rank, draw): (u32, &f64)| {
        let (below, at) = (f64::from(rank) / n, distribution(*draw));
        (at - below).max(below + 1.0 / n - at)
    };
    n.sqrt() * (0..).zip(&draws).map(distance).fold(0.0, f64::max)
}

#[test]
fn normals_are_normal() {
    let law = Normal::standard();
    let mut rng = rng(1);
    let draws: Vec<_> = (0..DRAWS).map(|_| normal(&mut rng)).collect();
    let statistic = kolmogorov_smirnov(draws, |x| law.cdf(x));
    assert!(statistic < CRITICAL, "{statistic}");
}

/// The tail has layers of its own, which a test of the whole would not see.
#[test]
fn the_tail_of_normals_is_right() {
    let law = Normal::standard();
    let beyond = 2.0 * law.sf(3.0);
    let mut rng = rng(2);
    let tail: Vec<_> = (0..40 * DRAWS)
        .map(|_| normal(&mut rng).abs())
        .filter(|x| *x > 3.0)
        .collect();
    let expected = 40.0 * f64::from(DRAWS) * beyond;
    // Five standard deviations: once in 1.7 million.
    assert!(
        (count(&tail) - expected).abs() < 5.0 * expected.sqrt(),
        "{}",
        tail.len()
    );
    assert!(
        tail.iter().any(|x| *x > TAIL),
        "the layer without an edge is never reached"
    );
    let statistic = kolmogorov_smirnov(tail, |x| 1.0 - 2.0 * law.sf(x) / beyond);
    assert!(statistic < CRITICAL, "{statistic}");
}

#[test]
fn gammas_are_gamma() {
    for (seed, shape) in (10..).zip([1.0, 1.5, 2.0, 6.0, 50.0, 1e4, 1e6]) {
        let (gamma, mut rng) = (Gamma::new(shape), rng(seed));
        assert!(gamma.is_plain());
        let draws: Vec<_> = (0..DRAWS).map(|_| gamma.draw(&mut rng)).collect();
        let statistic = kolmogorov_smirnov(draws, |x| gamma_lr(shape, x));
        assert!(statistic < CRITICAL, "shape {shape}: {statistic}");
    }
}

#[test]
fn logarithms_of_gammas_are_right_where_gammas_underflow() {
    for (seed, shape) in (20..).zip([1e-3, 0.01, 0.1, 0.5, 0.999, 3.0]) {
        let (gamma, mut rng) = (Gamma::new(shape), rng(seed));
        let draws: Vec<_> = (0..DRAWS).map(|_| gamma.draw_ln(&mut rng)).collect();
        assert!(draws.iter().all(|x| x.is_finite()));
        // Below e^-40 the distribution function is xᵃ ÷ Γ(a + 1) to all digits.
        let law = |ln_x: f64| {
            if ln_x < -40.0 {
                (shape * ln_x - ln_gamma(shape + 1.0)).exp()
            } else {
                gamma_lr(shape, ln_x.exp())
            }
        };
        let statistic = kolmogorov_smirnov(draws, law);
        assert!(statistic < CRITICAL, "shape {shape}: {statistic}");
    }
}

#[test]
fn the_layers_of_the_ziggurat_have_equal_areas_and_close() {
    let (edges, densities) = &ZIGGURAT;
    for layer in 1..LAYERS {
        let area = edges[layer] * (densities[layer + 1] - densities[layer]);
        assert!((area - AREA).abs() < 1e-12, "layer {layer}: {area}");
    }
    assert!(edges.is_sorted_by(|lower, upper| lower > upper));
}

#[test]
fn units_are_open() {
    assert!(unit(0) > 0.0);
    assert!(unit(u64::MAX) < 1.0);
}

/// Part of the contract: a logged decision can be drawn again by a later version.
#[test]
fn values_are_stable() {
    let mut rng = rng(42);
    let normals = [(); 4].map(|()| normal(&mut rng));
    let gammas = [1.0, 2.5, 97.0, 1e6].map(|shape| Gamma::new(shape).draw(&mut rng));
    let logarithms = [1e-3, 0.5, 3.0].map(|shape| Gamma::new(shape).draw_ln(&mut rng));
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(
        bits(&normals),
        bits(&[
            -0.895_932_955_751_231,
            -1.407_732_324_931_264,
            -0.621_857_699_308_481,
            -1.173_209_922_440_302_8,
        ])
    );
    assert_eq!(
        bits(&gammas),
        bits(&[
            0.994_719_136_696_989_4,
            1.185_343_446_823_558_9,
            129.457_169_285_230_38,
            1_001_158.203_420_758_2,
        ])
    );
    assert_eq!(
        bits(&logarithms),
        bits(&[
            -314.887_329_989_615_2,
            -3.591_733_464_641_629_2,
            1.038_795_357_910_042_2
        ])
    );
}
