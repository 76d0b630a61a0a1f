//! Gauss–Legendre quadrature on [−1, 1], and the spectral integration that belongs to it.

/// Nodes per panel.
pub(crate) const NODES: usize = 16;

/// One value per node.
pub(crate) type Panel = [f64; NODES];

/// The positive nodes, rising, with their weights. Source: computed with mpmath at 40 digits;
/// Abramowitz & Stegun (1964), table 25.4.
const HALF: [(f64, f64); NODES / 2] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_58),
    (0.458_016_777_657_227_37, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_8, 0.149_595_988_816_576_74),
    (0.755_404_408_355_003, 0.124_628_971_255_533_88),
    (0.865_631_202_387_831_8, 0.095_158_511_682_492_79),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_894),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_096),
];

/// The nodes, rising.
pub(crate) const POINTS: Panel = mirrored(true);

/// The weights: a rule exact for polynomials of degree 31.
pub(crate) const WEIGHTS: Panel = mirrored(false);

/// `FROM_ABOVE[j][k]`: what the value at node `j` adds to the integral from node `k` to 1.
///
/// Exact for polynomials of degree 15. Source: Greengard (1991), Spectral integration and
/// two-point boundary value problems, for Legendre nodes.
pub(crate) const FROM_ABOVE: [Panel; NODES] = integration_matrix();

/// Weights of the two highest Legendre coefficients that the nodes resolve.
///
/// Adding either to [`WEIGHTS`] gives a second rule that is still exact to degree 13, so their
/// sums are the differences of two rules: an estimate of what the nodes do not resolve.
pub(crate) const NULL_RULES: [Panel; 2] = [null_rule(NODES - 2), null_rule(NODES - 1)];

const fn mirrored(points: bool) -> Panel {
    let mut panel = [0.0; NODES];
    let mut k = 0;
    while k < NODES / 2 {
        let (point, weight) = HALF[k];
        panel[NODES / 2 + k] = if points { point } else { weight };
        panel[NODES / 2 - 1 - k] = if points { -point } else { weight };
        k += 1;
    }
    panel
}

/// P₀ … P₁₆ at `x`, by Bonnet's recursion.
const fn legendre(x: f64) -> [f64; NODES + 1] {
    let mut values = [1.0; NODES + 1];
    values[1] = x;
    let (mut degree, mut n) = (1, 1.0);
    while degree < NODES {
        values[degree + 1] =
            ((2.0 * n + 1.0) * x * values[degree] - n * values[degree - 1]) / (n + 1.0);
        degree += 1;
        n += 1.0;
    }
    values
}

const fn integration_matrix() -> [Panel; NODES] {
    let mut matrix = [[0.0; NODES]; NODES];
    let mut j = 0;
    while j < NODES {
        let source = legendre(POINTS[j]);
        let mut k = 0;
        while k < NODES {
            let target = legendre(POINTS[k]);
            // (2m + 1) ∫ Pₘ = Pₘ₊₁ − Pₘ₋₁
            let mut sum = 1.0 - POINTS[k];
            let mut m = 1;
            while m < NODES {
                sum += source[m] * (target[m - 1] - target[m + 1]);
                m += 1;
            }
            matrix[j][k] = 0.5 * WEIGHTS[j] * sum;
            k += 1;
        }
        j += 1;
    }
    matrix
}

const fn null_rule(degree: usize) -> Panel {
    let mut rule = [0.0; NODES];
    let mut k = 0;
    while k < NODES {
        rule[k] = WEIGHTS[k] * legendre(POINTS[k])[degree];
        k += 1;
    }
    rule
}

/// The weighted sum of a panel's values.
#[inline]
pub(crate) fn dot(weights: &Panel, values: &Panel) -> f64 {
    // Four running sums: they do not wait for each other.
    let mut sums = [0.0; 4];
    for (weights, values) in weights.chunks_exact(4).zip(values.chunks_exact(4)) {
        for ((sum, weight), value) in sums.iter_mut().zip(weights).zip(values) {
            *sum += weight * value;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// The integrals from every node to 1.
#[inline]
pub(crate) fn from_above(values: &Panel) -> Panel {
    let mut sums = [0.0; NODES];
    for (value, column) in values.iter().zip(&FROM_ABOVE) {
        for (sum, weight) in sums.iter_mut().zip(column) {
            *sum += value * weight;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(degree: i32) -> Panel {
        POINTS.map(|x| x.powi(degree))
    }

    #[test]
    fn the_rule_is_exact_to_degree_31() {
        for degree in 0..=31 {
            let exact = if degree % 2 == 0 {
                2.0 / f64::from(degree + 1)
            } else {
                0.0
            };
            let sum = dot(&WEIGHTS, &power(degree));
            assert!((sum - exact).abs() < 1e-15, "degree {degree}: {sum}");
        }
        assert!((dot(&WEIGHTS, &power(32)) - 2.0 / 33.0).abs() > 1e-12);
    }

    #[test]
    fn integrals_from_above_are_exact_to_degree_15() {
        for degree in 0..=15 {
            let sums = from_above(&power(degree));
            for (x, sum) in POINTS.iter().zip(sums) {
                let exact = (1.0 - x.powi(degree + 1)) / f64::from(degree + 1);
                assert!(
                    (sum - exact).abs() < 1e-15,
                    "degree {degree} from {x}: {sum}"
                );
            }
        }
    }

    #[test]
    fn null_rules_see_their_own_degree_and_nothing_lower() {
        for (rule, degree) in NULL_RULES.iter().zip([14, 15]) {
            for lower in 0..degree {
                assert!(dot(rule, &power(lower)).abs() < 1e-15);
            }
            assert!(dot(rule, &power(degree)).abs() > 1e-5);
        }
    }
}
