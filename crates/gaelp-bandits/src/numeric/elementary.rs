//! What is built on the elementary functions of `gaelp-core`.

use gaelp_core::elementary::polynomial;
pub(crate) use gaelp_core::elementary::{exp, exp_m1, ln, ln_1p};

/// √x by Newton's method, for tables; the method of the platform is exact but not `const`.
pub(crate) const fn sqrt_for_tables(x: f64) -> f64 {
    let mut root = exp(0.5 * ln(x));
    let mut rounds = 0;
    while rounds < 2 {
        root = 0.5 * (root + x / root);
        rounds += 1;
    }
    root
}

/// Binet's function: ln Γ(z) − (z − ½) ln z + z − ½ ln 2π, for z > 0.
///
/// It is what Stirling's formula leaves out, so a density built on it does not subtract large
/// numbers. Absolute error below 3e-15.
///
/// Source: Whittaker & Watson (1927), A Course of Modern Analysis, §12.33.
pub(crate) fn binet(z: f64) -> f64 {
    const SHIFT: f64 = 10.0;
    if z >= SHIFT {
        return binet_series(z);
    }
    // Γ(z + N) = z (z + 1) … (z + N − 1) Γ(z) brings the argument to where the series holds.
    let far = z + SHIFT;
    let mut ratio = 1.0;
    let mut step = 1.0;
    while step < SHIFT {
        ratio *= far / (z + step);
        step += 1.0;
    }
    binet_series(far) + ((z + 0.5) * ln_1p(SHIFT / z) + ln(ratio) - SHIFT)
}

fn binet_series(z: f64) -> f64 {
    const COEFFICIENTS: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let inverse = 1.0 / z;
    inverse * polynomial::<7>(inverse * inverse, &COEFFICIENTS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_root_for_tables_is_the_platforms(y in 1e-300..1e300_f64) {
            prop_assert!(sqrt_for_tables(y).to_bits().abs_diff(y.sqrt().to_bits()) <= 1, "sqrt({y})");
        }
    }

    /// Computed with mpmath 1.4.1 at 30 digits.
    #[test]
    fn binet_to_fifteen_decimals() {
        for (z, value) in [
            (1e-3, 2.542_270_467_967_094_6),
            (0.5, 0.153_426_409_720_027_35),
            (1.0, 0.081_061_466_795_327_26),
            (2.0, 0.041_340_695_955_409_29),
            (9.99, 0.008_338_896_797_734_33),
            (10.0, 0.008_330_563_433_362_87),
            (1e6, 8.333_333_333_330_556e-8),
        ] {
            assert!(
                (binet(z) - value).abs() < 3e-15,
                "binet({z}) = {}",
                binet(z)
            );
        }
    }
}
