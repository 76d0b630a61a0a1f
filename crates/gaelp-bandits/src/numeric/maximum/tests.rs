use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

fn solve(shapes: &[(f64, f64)]) -> Maximum {
    maximum(shapes.iter().map(|&(a, b)| LogitBeta::new(a, b)))
}

/// Arms, their probabilities computed with mpmath 1.4.1 at 30 digits (two rules of 20 nodes that
/// agree to 1e-22; for two arms of whole shapes the closed sum), and the error to be met.
#[expect(
    clippy::type_complexity,
    clippy::excessive_precision,
    reason = "a table of references"
)]
const GOLDEN: &[(&str, &[(f64, f64)], &[f64], f64)] = &[
    (
        "two alike",
        &[(4.0, 98.0), (6.0, 96.0)],
        &[0.248_896_226_310_382_46, 0.751_103_773_689_617_54],
        1e-14,
    ),
    (
        "five",
        &[
            (3.0, 30.0),
            (10.0, 100.0),
            (40.0, 380.0),
            (2.0, 9.0),
            (1.0, 12.0),
        ],
        &[
            0.122_941_997_398_424_71,
            0.076_405_821_945_846_653,
            0.071_146_850_314_266_03,
            0.608_111_081_328_269_86,
            0.121_394_249_013_192_76,
        ],
        1e-14,
    ),
    (
        "ten",
        &[
            (2.0, 60.0),
            (3.0, 67.0),
            (4.0, 74.0),
            (5.0, 81.0),
            (6.0, 88.0),
            (7.0, 95.0),
            (8.0, 102.0),
            (9.0, 109.0),
            (10.0, 116.0),
            (11.0, 123.0),
        ],
        &[
            0.011_623_528_283_617_487,
            0.024_141_783_834_814_121,
            0.040_380_140_067_407_701,
            0.059_622_176_956_221_722,
            0.081_239_122_680_897_766,
            0.104_716_688_703_404_16,
            0.129_646_358_365_700_76,
            0.155_707_395_804_680_21,
            0.182_648_807_363_804_92,
            0.210_273_997_939_451_16,
        ],
        1e-14,
    ),
    (
        // P(uniform > Beta) = 1 − 5/9.
        "uniform against sharp",
        &[(1.0, 1.0), (5000.0, 4000.0)],
        &[4.0 / 9.0, 5.0 / 9.0],
        1e-13,
    ),
    (
        "arcsine against sharp",
        &[(0.5, 0.5), (0.5, 0.5), (5000.0, 5000.0)],
        &[
            0.374_994_933_940_834_77,
            0.374_994_933_940_834_77,
            0.250_010_132_118_330_46,
        ],
        1e-13,
    ),
    (
        "a million pulls beside none",
        &[
            (20_000.0, 980_000.0),
            (20_100.0, 979_900.0),
            (1.0, 1.0),
            (5.0, 95.0),
        ],
        &[
            0.000_309_025_852_696_423_75,
            0.000_703_448_206_990_825_91,
            0.949_785_957_882_766_66,
            0.049_201_568_057_546_094,
        ],
        1e-13,
    ),
    (
        "a million pulls each",
        &[(20_000.0, 980_000.0), (20_100.0, 979_900.0)],
        &[0.306_967_538_798_266_04, 0.693_032_461_201_733_96],
        1e-12,
    ),
    (
        "a million pulls, even odds",
        &[(500_500.0, 499_500.0), (500_000.0, 500_001.0)],
        &[0.760_469_767_103_346_97, 0.239_530_232_896_653_03],
        1e-12,
    ),
    (
        "a million pulls, rare successes",
        &[(5.0, 999_999.0), (3.0, 1_000_000.0)],
        &[0.773_437_500_000_410_16, 0.226_562_499_999_589_84],
        1e-14,
    ),
    (
        "tiny shapes",
        &[(0.001, 0.001), (0.01, 0.02), (2.0, 3.0)],
        &[
            0.492_225_578_037_673_7,
            0.176_213_442_843_585_81,
            0.331_560_979_118_740_49,
        ],
        1e-13,
    ),
    (
        "tiny and skewed shapes",
        &[(0.001, 5.0), (0.02, 700.0), (1.0, 900_000.0)],
        &[
            0.011_613_631_590_606_701,
            0.132_298_685_737_713_77,
            0.856_087_682_671_679_53,
        ],
        1e-13,
    ),
    (
        "all widths",
        &[
            (0.3, 7.25),
            (1.5, 40.0),
            (12.0, 300.0),
            (200.0, 5000.0),
            (3000.0, 76_000.0),
            (40_000.0, 1_000_000.0),
        ],
        &[
            0.246_813_648_680_679_46,
            0.254_220_432_474_112_42,
            0.233_153_440_291_741_74,
            0.138_387_577_462_818_46,
            0.034_175_425_860_412_88,
            0.093_249_475_230_235_038,
        ],
        1e-12,
    ),
    (
        "one that never wins",
        &[(10.0, 990.0), (100.0, 900.0), (90.0, 910.0)],
        &[
            2.227_157_705_847_709_8e-25,
            0.777_664_668_559_078_48,
            0.222_335_331_440_921_52,
        ],
        1e-13,
    ),
];

#[test]
fn meets_references_computed_elsewhere() {
    for (name, shapes, expected, tolerance) in GOLDEN {
        let solved = solve(shapes);
        for (found, expected) in solved.probabilities.iter().zip(*expected) {
            let off = (found - expected).abs();
            assert!(
                off <= *tolerance,
                "{name}: {found} for {expected}, off by {off:e}"
            );
            assert!(
                off <= solved.error,
                "{name}: off by {off:e}, stated {:e}",
                solved.error
            );
        }
    }
}

/// Shapes from nearly nothing to millions of pulls.
fn shape() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-6.9..0.0_f64).prop_map(f64::exp),
        (0.0..5.0_f64).prop_map(f64::exp),
        (0.0..15.0_f64).prop_map(f64::exp),
    ]
}

/// Arms of all kinds: unrelated, or competing around one success rate.
fn arms() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let unrelated = prop::collection::vec((shape(), shape()), 2..12);
    let competing = (
        0.001..0.999_f64,
        prop::collection::vec((0.0..14.0_f64, -3.0..3.0_f64), 2..40),
    );
    let competing = competing.prop_map(|(rate, arms)| {
        let arm = |(log_pulls, deviation): (f64, f64)| {
            let pulls = log_pulls.exp();
            let shift = deviation * (rate * (1.0 - rate) / pulls).sqrt();
            let rate = (rate + shift).clamp(1e-4, 1.0 - 1e-4);
            (0.5 + pulls * rate, 0.5 + pulls * (1.0 - rate))
        };
        arms.into_iter().map(arm).collect()
    });
    prop_oneof![unrelated, competing]
}

/// The same march with steps that resolve far more than is asked for.
fn refined(shapes: &[(f64, f64)]) -> Maximum {
    let mut march = March::new(shapes.iter().map(|&(a, b)| LogitBeta::new(a, b)), 1e-16);
    while march.goes_on() {
        march.step();
    }
    march.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn the_stated_error_covers_what_finer_steps_change(shapes in arms()) {
        let (solved, finer) = (solve(&shapes), refined(&shapes));
        let sum: f64 = solved.probabilities.iter().sum();
        prop_assert!((sum - 1.0).abs() <= solved.error);
        for (coarse, fine) in solved.probabilities.iter().zip(&finer.probabilities) {
            let off = (coarse - fine).abs();
            prop_assert!(off <= solved.error + finer.error, "off by {off:e} of {:e}", solved.error);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_stated_error_is_small(shapes in arms()) {
        let solved = solve(&shapes);
        prop_assert!(solved.error <= 1e-6, "{:e}", solved.error);
    }

    /// P(X > Y) + P(Y > X) = 1, and swapping successes with failures swaps the two.
    #[test]
    fn two_arms_mirror((a, b, c, d) in (shape(), shape(), shape(), shape())) {
        let (one, other) = (solve(&[(a, b), (c, d)]), solve(&[(b, a), (d, c)]));
        let off = (one.probabilities[0] - other.probabilities[1]).abs();
        prop_assert!(off <= one.error + other.error, "off by {off:e}");
    }

    /// P(uniform < Beta(a, b)) is the mean of the latter.
    #[test]
    fn a_uniform_arm_loses_with_the_mean_of_the_other((a, b) in (shape(), shape())) {
        let solved = solve(&[(1.0, 1.0), (a, b)]);
        let off = (solved.probabilities[1] - a / (a + b)).abs();
        prop_assert!(off <= solved.error, "off by {off:e} of {:e}", solved.error);
    }
}

/// Seldom a narrow arm lies where the steps for a wide one are still long: some 1e-9 are stated then.
#[test]
fn the_stated_error_is_mostly_much_smaller() {
    let mut runner = TestRunner::deterministic();
    let mut larger = 0;
    for _ in 0..20_000 {
        let shapes = arms()
            .new_tree(&mut runner)
            .expect("a strategy without filters")
            .current();
        // Rounding grows with the root of the pulls, the rest with the number of panels.
        let pulls = shapes
            .iter()
            .map(|(a, b)| a * b / (a + b))
            .fold(1.0, f64::max);
        let bound = 1e-11 + 64.0 * f64::EPSILON * pulls.sqrt();
        larger += u32::from(solve(&shapes).error > bound);
    }
    assert!(larger <= 2, "{larger} of 20,000");
}

#[test]
fn the_most_extreme_shapes_end_soon() {
    const MOST: f64 = 1.8e13;
    for shapes in [
        vec![(1e-3, 1e-3), (MOST, MOST)],
        vec![(1e-3, MOST), (MOST, 1e-3)],
        vec![(MOST, MOST), (MOST, MOST + 4e6), (1.0, 1.0)],
        vec![(1e-3, MOST), (1e-3, 1e-3), (1.0, MOST)],
    ] {
        let mut march = March::new(shapes.iter().map(|&(a, b)| LogitBeta::new(a, b)), TOLERANCE);
        let mut panels = 0;
        while march.goes_on() {
            march.step();
            panels += 1;
        }
        assert!(panels < 300, "{panels} panels for {shapes:?}");
        let solved = march.finish();
        assert!(solved.error < 1e-6, "{:e} for {shapes:?}", solved.error);
        assert!(
            solved
                .probabilities
                .iter()
                .all(|p| (-1e-9..=1.0 + 1e-9).contains(p))
        );
    }
}

#[test]
fn a_thousand_alike_share_alike() {
    let solved = solve(&[(30.0, 970.0); 1000]);
    assert!(
        solved
            .probabilities
            .iter()
            .all(|p| (p - 1e-3).abs() < 1e-14)
    );
    assert!(solved.error < 1e-11, "{:e}", solved.error);
}
