//! Symmetric and triangular matrices of which only the lower triangle is kept, row after row.
//!
//! A library of linear algebra is not used: what is needed are five loops, they are the hot path
//! of every contextual policy, and their sums must have one order, so that a decision is the same
//! on every platform. Sums run in eight lanes, which compilers turn into vector instructions
//! without changing a bit; nothing is fused.

use super::room::{ON_STACK, with_room};

/// How many numbers a triangle of a dimension holds.
pub(crate) const fn size(dimension: usize) -> usize {
    dimension * (dimension + 1) / 2
}

/// The rows of a triangle, one longer than the other.
fn rows(triangle: &[f64]) -> impl Iterator<Item = &[f64]> {
    let mut rest = triangle;
    let mut length = 0;
    std::iter::from_fn(move || {
        length += 1;
        let (row, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(row)
    })
}

/// Applies a function to every row.
fn for_each_row(triangle: &mut [f64], mut change: impl FnMut(usize, &mut [f64])) {
    let mut rest = triangle;
    let mut place = 0;
    while let Some((row, after)) = rest.split_at_mut_checked(place + 1) {
        change(place, row);
        rest = after;
        place += 1;
    }
}

/// Σ aᵢ bᵢ, as far as both go.
#[inline]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    let mut lanes = [0.0; 8];
    let (mut wholes_a, mut wholes_b) = (a.chunks_exact(8), b.chunks_exact(8));
    for (a, b) in wholes_a.by_ref().zip(wholes_b.by_ref()) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let sum = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
        + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
    sum + short_dot(wholes_a.remainder(), wholes_b.remainder())
}

/// The same of at most seven terms, in halves: sums one after the other wait for each other, and
/// the rows of a triangle are short.
#[inline]
fn short_dot(mut a: &[f64], mut b: &[f64]) -> f64 {
    let mut sum = 0.0;
    if let (Some((one, rest_a)), Some((other, rest_b))) =
        (a.split_first_chunk::<4>(), b.split_first_chunk::<4>())
    {
        sum = (one[0] * other[0] + one[2] * other[2]) + (one[1] * other[1] + one[3] * other[3]);
        (a, b) = (rest_a, rest_b);
    }
    if let (Some((one, rest_a)), Some((other, rest_b))) =
        (a.split_first_chunk::<2>(), b.split_first_chunk::<2>())
    {
        sum += one[0] * other[0] + one[1] * other[1];
        (a, b) = (rest_a, rest_b);
    }
    match (a, b) {
        ([one], [other]) => sum + one * other,
        _ => sum,
    }
}

/// What a symmetric matrix is multiplied by, number by number, to give xᵀMx: one long sum instead
/// of many short ones, and made once for all matrices that meet the same x.
pub(crate) fn products(x: &[f64]) -> Vec<f64> {
    let mut products = Vec::with_capacity(size(x.len()));
    for (place, &own) in x.iter().enumerate() {
        let twice = 2.0 * own;
        products.extend(x[..place].iter().map(|other| twice * other));
        products.push(own * own);
    }
    products
}

/// Lends [`products`]. Where they are not many, nothing is allocated.
#[inline]
pub(crate) fn with_products<R>(x: &[f64], work: impl FnOnce(&[f64]) -> R) -> R {
    if size(x.len()) > ON_STACK {
        return work(&products(x));
    }
    with_room(size(x.len()), |products| {
        for_each_row(products, |place, row| {
            let (own, twice) = (x[place], 2.0 * x[place]);
            for (product, other) in row.iter_mut().zip(x) {
                *product = twice * other;
            }
            row[place] = own * own;
        });
        work(products)
    })
}

/// Adds Mx for a symmetric M.
pub(crate) fn multiply(symmetric: &[f64], x: &[f64], result: &mut [f64]) {
    for (place, row) in rows(symmetric).enumerate() {
        let own = x[place];
        let (before, at) = result.split_at_mut(place);
        let off_diagonal = &row[..place];
        at[0] += dot(off_diagonal, x) + row[place] * own;
        for (sum, entry) in before.iter_mut().zip(off_diagonal) {
            *sum += entry * own;
        }
    }
}

/// Adds s v vᵀ to the first rows, as many as v is long.
pub(crate) fn add_outer(symmetric: &mut [f64], v: &[f64], s: f64) {
    for_each_row(&mut symmetric[..size(v.len())], |place, row| {
        let factor = s * v[place];
        for (entry, other) in row.iter_mut().zip(v) {
            *entry += factor * other;
        }
    });
}

/// Turns A into its Cholesky factor L, with A = L Lᵀ, and returns the least pivot.
///
/// Pivots below `floor` are raised to it: right for A = λI + S with S not negative and floor λ,
/// whose pivots fall below λ by rounding only.
pub(crate) fn cholesky(a: &mut [f64], floor: f64) -> f64 {
    let mut least = f64::INFINITY;
    let (mut start, mut place) = (0, 0);
    while start < a.len() {
        let (above, rest) = a.split_at_mut(start);
        let row = &mut rest[..=place];
        let mut corner = 0;
        for (column, other) in rows(above).enumerate() {
            let sum = dot(&row[..column], &other[..column]);
            row[column] = (row[column] - sum) / other[column];
            corner += 1;
        }
        let pivot = row[corner] - dot(&row[..corner], &row[..corner]);
        least = least.min(pivot);
        row[corner] = pivot.max(floor).sqrt();
        start += place + 1;
        place += 1;
    }
    least
}

/// L⁻¹ of a triangle L.
pub(crate) fn invert_triangle(l: &[f64]) -> Vec<f64> {
    let mut inverse = vec![0.0; l.len()];
    let mut start = 0;
    for (place, row) in rows(l).enumerate() {
        let (above, rest) = inverse.split_at_mut(start);
        let own = &mut rest[..=place];
        for (entry, other) in row.iter().zip(rows(above)) {
            for (sum, value) in own.iter_mut().zip(other) {
                *sum -= entry * value;
            }
        }
        let pivot = row[place];
        own[place] = 1.0;
        for entry in own.iter_mut() {
            *entry /= pivot;
        }
        start += place + 1;
    }
    inverse
}

/// Wᵀ W of a triangle W: A⁻¹ where W = L⁻¹.
pub(crate) fn gram(w: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; w.len()];
    for row in rows(w) {
        add_outer(&mut sum, row, 1.0);
    }
    sum
}

/// W x of a triangle W.
pub(crate) fn times(w: &[f64], x: &[f64]) -> Vec<f64> {
    rows(w).map(|row| dot(row, x)).collect()
}

/// Wᵀ y of a triangle W.
pub(crate) fn times_transposed(w: &[f64], y: &[f64]) -> Vec<f64> {
    let mut result = vec![0.0; y.len()];
    for (row, own) in rows(w).zip(y) {
        for (sum, entry) in result.iter_mut().zip(row) {
            *sum += own * entry;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The whole matrix of a symmetric triangle.
    fn dense(triangle: &[f64], d: usize) -> Vec<Vec<f64>> {
        let at = |i: usize, j: usize| triangle[size(i.max(j)) + i.min(j)];
        (0..d).map(|i| (0..d).map(|j| at(i, j)).collect()).collect()
    }

    proptest! {
        #[test]
        fn agrees_with_sums_over_whole_matrices(
            d in 1..26_usize,
            entries in prop::collection::vec(-2.0..2.0_f64, 325),
            x in prop::collection::vec(-2.0..2.0_f64, 25),
        ) {
            let (triangle, x) = (&entries[..size(d)], &x[..d]);
            let whole = dense(triangle, d);
            let quadratic: f64 = (0..d)
                .flat_map(|i| (0..d).map(move |j| (i, j)))
                .map(|(i, j)| whole[i][j] * x[i] * x[j])
                .sum();
            prop_assert!((dot(triangle, &products(x)) - quadratic).abs() < 1e-11);
            prop_assert!(with_products(x, |lent| lent == products(x)));
            let mut product = vec![0.0; d];
            multiply(triangle, x, &mut product);
            for (found, row) in product.iter().zip(&whole) {
                let expected: f64 = row.iter().zip(x).map(|(a, b)| a * b).sum();
                prop_assert!((found - expected).abs() < 1e-12);
            }
            let mut changed = triangle.to_vec();
            add_outer(&mut changed, x, -0.5);
            for (i, row) in dense(&changed, d).iter().enumerate() {
                for (j, found) in row.iter().enumerate() {
                    prop_assert!((found - (whole[i][j] - 0.5 * x[i] * x[j])).abs() < 1e-14);
                }
            }
        }

        #[test]
        fn the_factor_and_the_inverse_are_those_of_the_matrix(
            d in 1..20_usize,
            entries in prop::collection::vec(-1.0..1.0_f64, 400),
        ) {
            // I + Σ rows rowsᵀ is positive definite.
            let mut a = vec![0.0; size(d)];
            for i in 0..d {
                a[size(i) + i] = 1.0;
            }
            for row in entries.chunks(d).take(d) {
                if row.len() == d {
                    add_outer(&mut a, row, 1.0);
                }
            }
            let whole = dense(&a, d);
            let mut l = a.clone();
            let least = cholesky(&mut l, 1.0);
            prop_assert!(least >= 1.0 - 1e-12);
            let w = invert_triangle(&l);
            let inverse = dense(&gram(&w), d);
            // The inverse is symmetric, so its rows are its columns.
            for (i, row) in whole.iter().enumerate() {
                for (j, column) in inverse.iter().enumerate() {
                    let product: f64 = row.iter().zip(column).map(|(a, b)| a * b).sum();
                    let unit = f64::from(u8::from(i == j));
                    prop_assert!((product - unit).abs() < 1e-10, "{product}");
                }
            }
            let x = &entries[..d];
            let solved = times_transposed(&w, &times(&w, x));
            for (row, right) in whole.iter().zip(x) {
                let left: f64 = row.iter().zip(&solved).map(|(a, b)| a * b).sum();
                prop_assert!((left - right).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_shows_by_its_least_pivot() {
        let mut a = [1.0, 2.0, 1.0];
        assert!(cholesky(&mut a, 1e-9) < -2.9);
    }
}
