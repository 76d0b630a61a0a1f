//! `exp`, `ln` and their kin, the same to the last bit on every platform.
//!
//! A platform's own differ in their last bits, and with them decisions that must be the same
//! everywhere. These use only what IEEE 754 defines. They are branch-free where that lets a loop over
//! them be vectorised, and `const` so that tables can be computed at compile time.
//!
//! ```
//! use gaelp_core::elementary::{exp, ln};
//!
//! const HALF_LIFE: f64 = ln(2.0);
//! assert_eq!(exp(-HALF_LIFE), 0.5);
//! ```

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
pub const fn exp(x: f64) -> f64 {
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
pub const fn exp_m1(x: f64) -> f64 {
    let small = x + x * x * polynomial::<15>(x, &EXP_TAIL);
    let large = exp(x) - 1.0;
    if x < 0.5 && x > -0.5 { small } else { large }
}

/// ln x to 1 ulp, for positive normal numbers.
#[inline]
pub const fn ln(x: f64) -> f64 {
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
pub const fn ln_1p(y: f64) -> f64 {
    let sum = 1.0 + y;
    // What rounding the sum lost comes back to first order.
    ln(sum) + (y - (sum - 1.0)) / sum
}

/// The first `N` terms of a polynomial by Horner's rule, the constant first.
///
/// # Panics
/// With fewer than `N` coefficients.
#[inline]
pub const fn polynomial<const N: usize>(x: f64, coefficients: &[f64]) -> f64 {
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
        }
    }

    #[test]
    fn exp_is_held_at_the_bounds_of_its_domain() {
        assert!(exp(-1e9) < 1e-307 && exp(-1e9) > 0.0);
        assert!(exp(1e9).is_finite());
        assert!(exp(f64::NAN).is_finite());
    }
}
