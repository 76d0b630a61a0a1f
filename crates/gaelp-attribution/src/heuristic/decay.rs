//! 2³² · 2^(−age ÷ half-life) in integers, the same on every platform.
#![expect(
    clippy::cast_possible_truncation,
    reason = "fixed-point products are cut to 64 bits where their size is known"
)]

use crate::Span;

/// One in the fixed-point format of the tables, with 63 binary places.
const ONE: u64 = 1 << 63;
/// Entries of a table.
const ENTRIES: usize = 256;
/// ln 2 with 64 binary places.
const LN_2: u64 = 0xB172_17F7_D1CF_79AB;

/// 2^(−i ÷ 2⁸) with 63 binary places.
const COARSE: [u64; ENTRIES] = powers(1);
/// 2^(−i ÷ 2¹⁶) with 63 binary places.
const FINE: [u64; ENTRIES] = powers(9);

/// Exponential decay with a half-life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decay {
    half_life: u64,
    /// 2¹²⁸ ÷ the half-life.
    reciprocal: u128,
}

impl Decay {
    /// A half-life of zero leaves nothing of any age but zero.
    pub(crate) fn new(half_life: Span) -> Self {
        let half_life = half_life.micros().unsigned_abs();
        Self {
            half_life,
            reciprocal: u128::MAX.checked_div(u128::from(half_life)).unwrap_or(0),
        }
    }

    /// The whole part of 2³² · 2^(−age ÷ half-life).
    ///
    /// The relative error before the whole part is taken is below 2⁻⁵⁹, so the result differs from
    /// the exact one about once in 10⁸ ages, by one.
    pub(crate) fn weight(&self, age: Span) -> u64 {
        let (part, halvings) = self.parts(age);
        // From 63 binary places to 32. Rounding down twice is rounding down once.
        if halvings > 32 {
            0
        } else {
            part >> 31 >> halvings
        }
    }

    /// 2^(−age ÷ half-life) to fifteen decimals.
    #[expect(clippy::cast_precision_loss, reason = "rounded to a float")]
    pub(crate) fn fraction(&self, age: Span) -> f64 {
        let (part, halvings) = self.parts(age);
        let halved = if halvings > 63 { 0 } else { part >> halvings };
        halved as f64 / ONE as f64
    }

    /// 2^(−age ÷ half-life) for the rest of the age after whole half-lives, with 63 binary places,
    /// and how many those are.
    fn parts(&self, age: Span) -> (u64, u64) {
        let age = age.micros().unsigned_abs();
        if self.half_life == 0 {
            return (ONE, if age == 0 { 0 } else { u64::MAX });
        }
        // The reciprocal is at most one too small, so the quotient is too.
        let mut halvings = upper(age, self.reciprocal);
        let mut rest = age - halvings * self.half_life;
        if rest >= self.half_life {
            halvings += 1;
            rest -= self.half_life;
        }
        (self.part_of_one(rest), halvings)
    }

    /// 2^(−age ÷ half-life) with 63 binary places, for an age below the half-life.
    fn part_of_one(&self, age: u64) -> u64 {
        // The age as a share of the half-life with 64 binary places.
        let share = wide(age, self.reciprocal);
        let coarse = COARSE[(share >> 56) as usize];
        let fine = FINE[(share >> 48 & 0xff) as usize];
        // What is left is below 2⁻¹⁶: 2^−x = 1 − y + y² ÷ 2 − y³ ÷ 6 with y = x ln 2.
        let y = high(share << 16, LN_2) >> 16;
        let square = high(y, y);
        let cube = high(square, y);
        // From 64 binary places to 63.
        let rest = ONE - ((y - square / 2 + cube / 6) >> 1);
        // Each factor is at most one, the first product at most 2⁶³ again.
        high(high(coarse, fine) << 1, rest) << 1
    }
}

/// The upper half of a product of 128 bits.
const fn high(a: u64, b: u64) -> u64 {
    ((a as u128 * b as u128) >> 64) as u64
}

/// `a · b ÷ 2⁶⁴` where it is below 2⁶⁴.
const fn wide(a: u64, b: u128) -> u64 {
    let low = a as u128 * (b & u64::MAX as u128);
    let upper = a as u128 * (b >> 64);
    (upper + (low >> 64)) as u64
}

/// The whole part of `a · b ÷ 2¹²⁸`.
const fn upper(a: u64, b: u128) -> u64 {
    let low = a as u128 * (b & u64::MAX as u128);
    let upper = a as u128 * (b >> 64);
    ((upper + (low >> 64)) >> 64) as u64
}

/// 2^(−i ÷ 2^(first + 7)) for every i: the bits of i choose among repeated square roots of ½.
const fn powers(first: usize) -> [u64; ENTRIES] {
    // With 126 binary places under the root, 63 are left.
    let mut taken = 0;
    let mut roots = [0_u64; 16];
    let mut value = ONE / 2;
    while taken < 16 {
        value = ((value as u128) << 63).isqrt() as u64;
        roots[taken] = value;
        taken += 1;
    }
    let mut table = [0_u64; ENTRIES];
    let mut index = 0;
    while index < ENTRIES {
        let mut bit = 0;
        let mut product = ONE as u128;
        while bit < 8 {
            // The highest bit stands for the largest root.
            if index >> (7 - bit) & 1 == 1 {
                product = (product * roots[first - 1 + bit] as u128 + (1 << 62)) >> 63;
            }
            bit += 1;
        }
        table[index] = product as u64;
        index += 1;
    }
    table
}
