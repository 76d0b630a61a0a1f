//! Sums that do not depend on the order of their terms, nor on how they are cut into chunks.
//!
//! Every term is rounded to a multiple of 2⁻⁸¹ times a power of two above the largest; the multiples
//! are then added exactly, as whole numbers. So lanes, blocks and permutations all give the same
//! bits, and the error is that one rounding per term.
//!
//! Source: Demmel & Nguyen (2013), Fast reproducible floating-point summation; Rump, Ogita & Oishi
//! (2008), Accurate floating-point summation, part I, §3 for the extraction.

/// Terms per block: 2¹², so that a block's sum of 40-bit multiples still fits 53 bits.
const BLOCK: usize = 1 << HEADROOM;
const HEADROOM: i32 = 12;
/// Bits that each of the two extractions takes.
const BITS: i32 = 40;
/// Terms side by side.
const LANES: usize = 4;

/// The sum over rows of a term of the columns' values. Columns are of equal length.
///
/// No term's absolute value may be above `bound`. The result is the nearest number to a sum whose
/// terms are off by at most 2⁻⁸¹ × `bound` each.
///
/// **Cost**: one pass; some ten operations per row beside the term's own.
pub(crate) fn sum<const N: usize>(
    columns: [&[f64]; N],
    bound: f64,
    term: impl Fn([f64; N]) -> f64,
) -> f64 {
    let [sum] = sums(columns, [bound], |values| [term(values)]);
    sum
}

/// Several such sums in one pass.
pub(crate) fn sums<const N: usize, const M: usize>(
    columns: [&[f64]; N],
    bounds: [f64; M],
    terms: impl Fn([f64; N]) -> [f64; M],
) -> [f64; M] {
    let rows = columns.iter().map(|column| column.len()).min().unwrap_or(0);
    let scales = bounds.map(Scale::above);
    let mut totals = [0_i128; M];
    let mut start = 0;
    while start < rows {
        let end = rows.min(start + BLOCK);
        let block = block(&scales, columns.map(|column| &column[start..end]), &terms);
        for (total, block) in totals.iter_mut().zip(block) {
            *total += block;
        }
        start = end;
    }
    std::array::from_fn(|term| scales[term].number(totals[term]))
}

/// The sums of a block, each in units of its scale.
fn block<const N: usize, const M: usize>(
    scales: &[Scale; M],
    columns: [&[f64]; N],
    terms: &impl Fn([f64; N]) -> [f64; M],
) -> [i128; M] {
    let (mut coarse, mut fine) = ([[0.0; LANES]; M], [[0.0; LANES]; M]);
    let chunks = columns.map(|column| column.as_chunks::<LANES>());
    let whole = chunks.iter().map(|(whole, _)| whole.len()).min();
    for index in 0..whole.unwrap_or(0) {
        let values = chunks.map(|(whole, _)| &whole[index]);
        let mut x = [[0.0; LANES]; M];
        for lane in 0..LANES {
            let of_lane = terms(values.map(|column| column[lane]));
            for term in 0..M {
                x[term][lane] = of_lane[term];
            }
        }
        for term in 0..M {
            for lane in 0..LANES {
                let (high, low) = scales[term].split(x[term][lane]);
                coarse[term][lane] += high;
                fine[term][lane] += low;
            }
        }
    }
    let rest = chunks.iter().map(|(_, rest)| rest.len()).min();
    for index in 0..rest.unwrap_or(0) {
        let x = terms(chunks.map(|(_, rest)| rest[index]));
        for term in 0..M {
            let (high, low) = scales[term].split(x[term]);
            coarse[term][0] += high;
            fine[term][0] += low;
        }
    }
    std::array::from_fn(|term| scales[term].whole(&coarse[term], &fine[term]))
}

/// The mean over rows of such a term; NaN without rows.
pub(crate) fn mean<const N: usize>(
    columns: [&[f64]; N],
    bound: f64,
    term: impl Fn([f64; N]) -> f64,
) -> f64 {
    let rows = columns.iter().map(|column| column.len()).min().unwrap_or(0);
    sum(columns, bound, term) / count(rows)
}

/// A number of rows.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 rows")]
pub(crate) const fn count(rows: usize) -> f64 {
    rows as f64
}

/// The fixed point of a sum.
struct Scale {
    /// All terms are below 2 to this power.
    exponent: i32,
    /// Adding and subtracting these rounds to a multiple of 2^(exponent − 40), and what that leaves
    /// to a multiple of 2^(exponent − 81).
    coarse: f64,
    fine: f64,
}

impl Scale {
    fn above(bound: f64) -> Self {
        // Far from where numbers overflow or lose bits.
        const LEAST: i32 = -800;
        const MOST: i32 = 900;
        let stored = (bound.to_bits() >> 52) as i32 & 0x7FF;
        let exponent = (stored - 1022).clamp(LEAST, MOST);
        Self {
            exponent,
            coarse: 1.5 * power_of_two(exponent + HEADROOM),
            fine: 1.5 * power_of_two(exponent - BITS - 1 + HEADROOM),
        }
    }

    /// The sum of the lanes, in units of 2^(exponent − 81).
    fn whole(&self, coarse: &[f64; LANES], fine: &[f64; LANES]) -> i128 {
        // Multiples of one unit, below 2^53 of it: added without rounding, in any order.
        let coarse = whole_number(coarse.iter().sum::<f64>(), self.exponent - BITS);
        let fine = whole_number(fine.iter().sum::<f64>(), self.exponent - 2 * BITS - 1);
        (coarse << (BITS + 1)) + fine
    }

    #[inline]
    fn split(&self, x: f64) -> (f64, f64) {
        let high = (self.coarse + x) - self.coarse;
        let low = (self.fine + (x - high)) - self.fine;
        (high, low)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "this is the one rounding of a sum"
    )]
    fn number(&self, total: i128) -> f64 {
        total as f64 * power_of_two(self.exponent - 2 * BITS - 1)
    }
}

/// How often the unit 2^exponent is in a multiple of it.
#[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
fn whole_number(multiple: f64, exponent: i32) -> i128 {
    i128::from((multiple * power_of_two(-exponent)) as i64)
}

/// Two to a power within ±1000.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::from((exponent + 1023).cast_unsigned()) << 52)
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    reason = "what is rounded is the reference"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(values: &[f64]) -> f64 {
        let bound = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        sum([values], bound, |[x]| x)
    }

    #[test]
    fn cancellation_loses_nothing() {
        assert_eq!(plain(&[1e16, 1.0, -1e16]).to_bits(), 1.0_f64.to_bits());
        assert_eq!(plain(&[0.1; 10]).to_bits(), 1.0_f64.to_bits());
        assert_eq!(plain(&[]).to_bits(), 0.0_f64.to_bits());
        assert_eq!(plain(&[0.0, -0.0]).to_bits(), 0.0_f64.to_bits());
        assert_eq!(plain(&[1e-200, 2e-200]).to_bits(), 3e-200_f64.to_bits());
        assert_eq!(plain(&[-1e200; 4]).to_bits(), (-4e200_f64).to_bits());
    }

    proptest! {
        /// Multiples of 2⁻⁴⁰ are added as whole numbers beside.
        #[test]
        fn agrees_with_whole_numbers(
            numbers in prop::collection::vec(-(1_i64 << 52)..(1 << 52), 0..20_000),
        ) {
            let values: Vec<f64> = numbers
                .iter()
                .map(|&n| n as f64 / 1_099_511_627_776.0)
                .collect();
            let exact: i128 = numbers.iter().map(|&n| i128::from(n)).sum();
            let expected = exact as f64 / 1_099_511_627_776.0;
            prop_assert_eq!(plain(&values).to_bits(), (expected + 0.0).to_bits());
        }

        #[test]
        fn order_and_rotation_do_not_matter(
            values in prop::collection::vec((-1.0..1.0_f64, -30..30_i32), 1..9000),
            by in any::<prop::sample::Index>(),
        ) {
            let mut values: Vec<f64> =
                values.iter().map(|(x, exponent)| x * f64::exp2(f64::from(*exponent))).collect();
            let first = plain(&values);
            let by = by.index(values.len());
            values.rotate_left(by);
            prop_assert_eq!(plain(&values).to_bits(), first.to_bits());
            values.sort_by(f64::total_cmp);
            prop_assert_eq!(plain(&values).to_bits(), first.to_bits());
        }
    }
}
