use proptest::prelude::*;
use statrs::function::beta::{beta_reg, ln_beta};

use super::*;

/// Shapes, a probability and the quantile's logit, computed with mpmath 1.4.1 at 30 digits.
const QUANTILES: [(f64, f64, f64, f64); 9] = [
    (2.5, 97.5, 0.025, -5.463_392_104_247_497),
    (0.5, 0.5, 0.025, -6.473_565_043_761_992),
    (6.0, 96.0, 0.975, -2.072_938_039_934_154),
    (6.0, 96.0, 0.025, -3.789_340_720_221_426),
    (0.01, 0.02, 0.5, -28.800_401_585_005_08),
    (1.0, 12.0, 0.5, -2.822_399_421_742_134),
    (400.0, 100.0, 0.999, 1.747_654_573_084_317_3),
    (20_001.0, 980_001.0, 0.025, -3.905_818_572_553_614_6),
    (20_001.0, 980_001.0, 0.975, -3.877_819_434_028_038),
];

#[test]
fn quantiles_to_twelve_digits() {
    for (a, b, probability, logit) in QUANTILES {
        let found = LogitBeta::new(a, b).quantile(probability);
        let off = ((found - logit) / logit).abs();
        assert!(
            off < 1e-12,
            "Beta({a}, {b}) at {probability}: {found}, off by {off:e}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn density_is_the_textbook_formula(a in 1e-3..300.0_f64, b in 1e-3..300.0_f64, x in 1e-6..0.999_999_f64) {
        let formula = a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b);
        let found = LogitBeta::new(a, b).log_density((x / (1.0 - x)).ln());
        prop_assert!((found - formula).abs() < 1e-11 * (1.0 + formula.abs()), "{found} for {formula}");
    }

    #[test]
    fn what_is_cut_is_next_to_nothing(a in -6.9..14.0_f64, b in -6.9..14.0_f64) {
        let law = LogitBeta::new(a.exp(), b.exp());
        for end in [law.lower(), law.upper()] {
            let drop = law.peak - law.log_density(end);
            prop_assert!(drop > CUT - 1e-3, "cut at {drop} for {law:?}");
            // Nor is much of what is marched over in vain.
            let drop = law.peak - law.log_density(0.5 * (law.mode + end));
            prop_assert!(drop < CUT, "half way at {drop} for {law:?}");
        }
    }

    #[test]
    fn quantiles_invert_the_incomplete_beta_function(
        a in 0.3..500.0_f64, b in 0.3..500.0_f64, probability in 0.001..0.999_f64,
    ) {
        // From the nearer end: there a probability close to one is a number close to zero.
        let logit = LogitBeta::new(a, b).quantile(probability);
        let back = if logit > 0.0 {
            1.0 - beta_reg(b, a, expit(-logit))
        } else {
            beta_reg(a, b, expit(logit))
        };
        prop_assert!((back - probability).abs() < 1e-10, "{back} for {probability}");
    }
}

/// Far beyond what feedback can reach, the log-density still is that of a narrow Gaussian.
#[test]
fn huge_shapes_keep_their_precision() {
    let law = LogitBeta::new(9e12, 9e12);
    let sigma = law.width;
    for steps in [0.5, 1.0, 3.0] {
        let drop = law.log_density(law.mode) - law.log_density(law.mode + steps * sigma);
        assert!(
            (drop - 0.5 * steps * steps).abs() < 1e-8,
            "{drop} at {steps} widths"
        );
    }
}

#[test]
fn expit_holds_at_the_ends() {
    assert!(expit(-1e5) < 1e-300 && expit(-1e5) >= 0.0);
    assert!((expit(1e5) - 1.0).abs() < f64::EPSILON);
    assert!((expit(0.0) - 0.5).abs() < f64::EPSILON);
}
