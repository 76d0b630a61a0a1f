//! A product of very many distribution functions, of which single ones change.

use crate::numeric::legendre::{NODES, Panel};

/// Π F at the nodes of a panel: a share from 1 to 2, times 2 to a power, because the product of a
/// thousand arms may be smaller than any number. Without logarithms one arm's part changes with
/// one division.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    share: Panel,
    /// Whole numbers.
    power: Panel,
}

/// The bits of 2⁵², of 1, and of what is behind the point of a number.
const LARGE_BITS: u64 = 0x4330_0000_0000_0000;
const ONE_BITS: u64 = 0x3FF0_0000_0000_0000;
const FRACTION_BITS: u64 = 0x000F_FFFF_FFFF_FFFF;
const LARGE: f64 = f64::from_bits(LARGE_BITS);
/// The exponent that stands in the bits of 1.
const BIAS: f64 = 1023.0;

impl Product {
    /// The product of none.
    pub(super) const ONE: Self = Self {
        share: [1.0; NODES],
        power: [0.0; NODES],
    };

    /// What a distribution function is at least: quotients of two are still numbers.
    pub(super) const LEAST: f64 = 1e-290;

    /// Puts other values, from [`Product::LEAST`] to 1, in the place of one arm's.
    #[inline]
    pub(super) fn replace(&mut self, before: &Panel, after: &Panel) {
        let terms = self.share.iter_mut().zip(&mut self.power);
        for ((share, power), (before, after)) in terms.zip(before.iter().zip(after)) {
            let bits = (*share * (after / before)).to_bits();
            // The exponent, as the last digits of a number whose own is 52.
            *power += f64::from_bits(LARGE_BITS | (bits >> 52)) - (LARGE + BIAS);
            *share = f64::from_bits(ONE_BITS | (bits & FRACTION_BITS));
        }
    }

    /// The product of all but one. What is below 1e-17 may be anything below that.
    #[inline]
    pub(super) fn without(&self, one: &Panel) -> Panel {
        let mut rest = [0.0; NODES];
        let terms = self.share.iter().zip(&self.power).zip(one);
        for (rest, ((share, power), one)) in rest.iter_mut().zip(terms) {
            *rest = share / one * power_of_two(*power);
        }
        rest
    }

    /// The product at the lowest node.
    pub(super) fn lowest(&self) -> f64 {
        self.share[0] * power_of_two(self.power[0])
    }
}

/// 2 to a whole number up to 1, and what is least for numbers below −1022.
#[inline]
fn power_of_two(power: f64) -> f64 {
    let biased = if power > -1022.0 { power } else { -1022.0 } + BIAS;
    f64::from_bits((biased + LARGE).to_bits() << 52)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against sums of logarithms, whose rounding is that of their size.
        #[test]
        fn agrees_with_sums_of_logarithms(
            exponents in prop::collection::vec(-280.0..0.0_f64, 1..40),
            changed in prop::collection::vec((0..40_usize, -280.0..0.0_f64), 0..40),
        ) {
            let panel = |exponent: f64| [10.0_f64.powf(exponent); NODES];
            let mut held = exponents.clone();
            let mut product = Product::ONE;
            for exponent in &exponents {
                product.replace(&[1.0; NODES], &panel(*exponent));
            }
            for (place, exponent) in changed {
                let place = place % held.len();
                product.replace(&panel(held[place]), &panel(exponent));
                held[place] = exponent;
            }
            let whole: f64 = held.iter().sum();
            for (share, power) in product.share.iter().zip(product.power) {
                prop_assert!((1.0..2.0).contains(share) && power.fract().abs() <= 0.0);
                let found = share.log10() + power * 2.0_f64.log10();
                prop_assert!((found - whole).abs() < 1e-10, "{found} {whole}");
            }
            for one in held {
                let rest = product.without(&panel(one))[3];
                let expected = 10.0_f64.powf(whole - one);
                let near = (rest - expected).abs() < 1e-10 * expected;
                prop_assert!(near || (rest < 1e-17 && expected < 1e-17), "{rest:e} {expected:e}");
            }
        }
    }

    #[test]
    fn changes_that_are_taken_back_leave_the_product() {
        let mut product = Product::ONE;
        product.replace(&[1.0; NODES], &[0.375; NODES]);
        for _ in 0..1000 {
            product.replace(&[0.375; NODES], &[Product::LEAST; NODES]);
            product.replace(&[Product::LEAST; NODES], &[0.375; NODES]);
        }
        assert!((product.lowest() - 0.375).abs() < 1e-12);
        assert!((product.without(&[0.75; NODES])[9] - 0.5).abs() < 1e-12);
    }
}
