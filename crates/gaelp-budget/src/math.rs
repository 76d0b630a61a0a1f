//! The elementary functions of `gaelp-core`, and powers.

pub(crate) use gaelp_core::elementary::{exp, exp_m1, ln, ln_1p};

/// xᵖ for positive normal x.
#[inline]
pub(crate) const fn power(x: f64, p: f64) -> f64 {
    exp(p * ln(x))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn powers_agree_with_the_platform(base in 1e-3..700.0_f64, p in 0.1..5.0_f64) {
            let platform = base.powf(p);
            prop_assert!((power(base, p) - platform).abs() <= 2e-14 * platform);
        }
    }
}
