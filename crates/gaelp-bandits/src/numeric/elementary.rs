//! `exp`, `ln` and their kin, the same to the last bit on every platform.
//!
//! They are branch-free where that lets a loop over them be vectorised, and `const` so that
//! tables can be computed at compile time.

/// 1.5 × 2⁵²: adding it rounds to a whole number and leaves that number in the low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// ln 2 with its last 21 bits cleared, so that multiples up to 2²¹ are exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
/// The rest of ln 2.
const LN_2_LOW: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
/// The bits of √½: mantissas are taken from [√½, √2).
const SQRT_HALF_BITS: u64 = 0x3FE6_A09E_667F_3BCD;

/// The smallest and the largest argument of [`exp`]; what lies beyond is taken as the bound.
const EXP_DOMAIN: (f64, f64) = (-708.0, 709.0);

/// The Taylor coefficients of (eʳ − 1 − r) ÷ r².
const EXP_TAIL: [f64; 15] = reciprocal_factorials();

/// The coefficients 2 ÷ (2j + 3) of the series of ln((1 + s) ÷ (1 − s)).
const LN_TAIL: [f64; 11] = odd_reciprocals();

/// eˣ to 1 ulp, for arguments within ±708; beyond, its value at the bound.
#[inline]
pub(crate) const fn exp(x: f64) -> f64 {
    let x = if x > EXP_DOMAIN.0 { x } else { EXP_DOMAIN.0 };
    let x = if x < EXP_DOMAIN.1 { x } else { EXP_DOMAIN.1 };
    let shifted = x * std::f64::consts::LOG2_E + ROUNDER;
    let whole = shifted - ROUNDER;
    let r = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    (1.0 + (r + r * r * polynomial::<12>(r, &EXP_TAIL))) * scale
}

/// eˣ − 1 to 2 ulp, small arguments included.
#[inline]
pub(crate) const fn exp_m1(x: f64) -> f64 {
    let small = x + x * x * polynomial::<15>(x, &EXP_TAIL);
    let large = exp(x) - 1.0;
    if x < 0.5 && x > -0.5 { small } else { large }
}

/// ln x to 1 ulp, for positive normal numbers.
#[inline]
pub(crate) const fn ln(x: f64) -> f64 {
    let offset = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    // An arithmetic shift keeps the sign of the exponent.
    let exponent = offset.cast_signed() >> 52;
    let mantissa = f64::from_bits(x.to_bits().wrapping_sub(exponent.cast_unsigned() << 52));
    let k = f64::from_bits(ROUNDER.to_bits().wrapping_add(exponent.cast_unsigned())) - ROUNDER;
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let half_square = 0.5 * f * f;
    let tail = z * polynomial::<11>(z, &LN_TAIL);
    k * LN_2_HIGH - ((half_square - (s * (half_square + tail) + k * LN_2_LOW)) - f)
}

/// ln(1 + y) to 2 ulp for y > −1, small arguments included.
#[inline]
pub(crate) const fn ln_1p(y: f64) -> f64 {
    let sum = 1.0 + y;
    // What rounding the sum lost comes back to first order.
    ln(sum) + (y - (sum - 1.0)) / sum
}

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

/// The first `N` terms of a polynomial by Horner's rule.
#[inline]
const fn polynomial<const N: usize>(x: f64, coefficients: &[f64]) -> f64 {
    let mut sum = coefficients[N - 1];
    let mut term = N - 1;
    while term > 0 {
        term -= 1;
        sum = sum * x + coefficients[term];
    }
    sum
}

const fn reciprocal_factorials() -> [f64; 15] {
    let mut table = [0.0; 15];
    let (mut factorial, mut next, mut index) = (2.0, 3.0, 0);
    while index < table.len() {
        table[index] = 1.0 / factorial;
        factorial *= next;
        next += 1.0;
        index += 1;
    }
    table
}

const fn odd_reciprocals() -> [f64; 11] {
    let mut table = [0.0; 11];
    let (mut odd, mut index) = (3.0, 0);
    while index < table.len() {
        table[index] = 2.0 / odd;
        odd += 2.0;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many representable numbers apart two positive or two negative numbers are.
    fn ulps(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn agree_with_the_platform(x in -700.0..700.0_f64, y in 1e-300..1e300_f64, small in -0.9..3.0_f64) {
            prop_assert!(ulps(exp(x), x.exp()) <= 2, "exp({x})");
            prop_assert!(ulps(ln(x.exp()), x.exp().ln()) <= 2, "ln(e^{x})");
            prop_assert!(ulps(ln(y), y.ln()) <= 2, "ln({y})");
            prop_assert!(ulps(ln_1p(small), small.ln_1p()) <= 3, "ln_1p({small})");
            prop_assert!(ulps(exp_m1(small), small.exp_m1()) <= 4, "exp_m1({small})");
            let tiny = small * 1e-9;
            prop_assert!(ulps(ln_1p(tiny), tiny.ln_1p()) <= 3, "ln_1p({tiny})");
            prop_assert!(ulps(exp_m1(tiny), tiny.exp_m1()) <= 3, "exp_m1({tiny})");
            prop_assert!(ulps(sqrt_for_tables(y), y.sqrt()) <= 1, "sqrt({y})");
        }
    }

    #[test]
    fn exp_is_held_at_the_bounds_of_its_domain() {
        assert!(exp(-1e9) < 1e-307 && exp(-1e9) > 0.0);
        assert!(exp(1e9).is_finite());
        assert!(exp(f64::NAN).is_finite());
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
