//! The normal distribution, in the tails too.

use std::f64::consts::{PI, SQRT_2};

/// From here on the continued fraction is used.
const TAIL: f64 = 4.0;

/// The logarithm of the density.
pub(super) fn ln_density(z: f64) -> f64 {
    -0.5 * (z * z + (2.0 * PI).ln())
}

/// The logarithm of the probability above `z`, to about 14 digits.
pub(super) fn ln_upper(z: f64) -> f64 {
    if z >= TAIL {
        ln_density(z) - mills_inverse(z).ln()
    } else {
        upper(z).ln()
    }
}

/// The point below which a probability lies; infinite for 0 and 1.
pub(super) fn quantile(probability: f64) -> f64 {
    if probability <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if probability >= 1.0 {
        return f64::INFINITY;
    }
    if probability > 0.5 {
        // One minus a float above one half is exact.
        return -quantile(1.0 - probability);
    }
    // The logarithm of the lower tail is concave: Newton's steps from below stay below.
    let target = probability.ln();
    let mut z = -(-2.0 * target).sqrt();
    for _ in 0..60 {
        let ln_lower = ln_upper(-z);
        let step = (ln_lower - target) / (ln_density(z) - ln_lower).exp();
        z -= step;
        if step.abs() <= 1e-15 * z.abs() {
            break;
        }
    }
    z
}

/// The probability above `z`, for `z < TAIL`.
fn upper(z: f64) -> f64 {
    if z > 1.0 {
        0.5 * erfc(z / SQRT_2)
    } else if z >= -1.0 {
        0.5 - 0.5 * erf(z / SQRT_2)
    } else {
        1.0 - ln_upper(-z).exp()
    }
}

/// The series of Abramowitz and Stegun 7.1.6: all terms have one sign.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-17 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

/// One minus [`erf`], by the continued fraction 7.1.14; it needs the more steps the smaller `x` is.
fn erfc(x: f64) -> f64 {
    let mut fraction = x;
    for step in (1..400_u32).rev() {
        fraction = x + 0.5 * f64::from(step) / fraction;
    }
    (-x * x).exp() / (PI.sqrt() * fraction)
}

/// The density over the probability above `z`, for `z ≥ TAIL`: the continued fraction 26.2.14.
fn mills_inverse(z: f64) -> f64 {
    let mut fraction = z;
    for step in (1..80_u32).rev() {
        fraction = z + f64::from(step) / fraction;
    }
    fraction
}

#[cfg(test)]
mod tests {
    use statrs::function::erf::erfc;

    use super::{ln_upper, quantile};

    #[test]
    fn tails_are_those_of_another_implementation() {
        for step in -200..=200_i32 {
            let z = f64::from(step) / 16.0;
            let theirs = 0.5 * erfc(z / std::f64::consts::SQRT_2);
            let ours = ln_upper(z).exp();
            // Theirs is good to ten digits.
            assert!((ours / theirs - 1.0).abs() < 2e-10, "{z}: {ours} {theirs}");
        }
    }

    #[test]
    fn tails_have_their_digits() {
        // From the C library's erfc, which is good to the last digit.
        let table = [
            (-0.875, 0.809_213_047_147_489_4),
            (1.0, 0.158_655_253_931_457_07),
            (2.5, 0.006_209_665_325_776_139),
            (5.0, 2.866_515_718_791_939e-7),
        ];
        for (z, expected) in table {
            let ours = ln_upper(z).exp();
            assert!((ours / expected - 1.0).abs() < 1e-14, "{z}: {ours}");
        }
    }

    #[test]
    fn far_tails_are_those_of_tables() {
        // Abramowitz and Stegun, table 26.2, to its five decimals: -log10 of the tail.
        for (z, digits) in [
            (5.0, 6.54265),
            (10.0, 23.11805),
            (20.0, 88.56010),
            (50.0, 544.96634),
            (100.0, 2173.87154),
        ] {
            let ours = -ln_upper(z) / std::f64::consts::LN_10;
            assert!((ours - digits).abs() < 6e-6, "{z}: {ours}");
        }
    }

    #[test]
    fn quantiles_are_those_of_tables() {
        let table = [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.9, 1.281_551_565_544_600_5),
            (0.001, -3.090_232_306_167_813_5),
            (1e-10, -6.361_340_902_404_056),
        ];
        for (probability, expected) in table {
            let ours = quantile(probability);
            assert!((ours - expected).abs() < 1e-11, "{probability}: {ours}");
        }
    }
}
