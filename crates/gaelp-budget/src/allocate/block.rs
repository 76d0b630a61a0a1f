//! Arms of one group as columns, one family of curves after the other, so that asking all of them
//! for their demand at a level is a straight loop.

use crate::math::{exp, ln};
use crate::{Curve, CurveForm, ResponseCurve};

/// The logarithm of a level at which only what brings nothing is left out.
pub(super) const LN_NOTHING: f64 = -690.0;
/// The logarithm of a level at which also what brings nothing is spent on, as floors may ask for.
const LN_WASTE: f64 = -691.0;
/// The logarithm of a level that no unit reaches.
const LN_EVERYTHING: f64 = 690.0;
/// Stands for the logarithm of zero where infinities would make `NaN`s.
const LN_ZERO: f64 = -1e9;

/// The demand of a column's arms at a level is `a`, `b` and `k` put into the family's formula, held
/// between `low` and `high`.
#[derive(Clone, Debug, Default)]
struct Columns {
    arm: Vec<usize>,
    a: Vec<f64>,
    b: Vec<f64>,
    k: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

/// A level, and what its formulas need of it.
#[derive(Clone, Copy, Debug)]
struct At {
    ln: f64,
    level: f64,
    inverse: f64,
    inverse_root: f64,
}

impl At {
    fn ln(ln: f64) -> Self {
        let level = exp(ln);
        Self {
            ln,
            level,
            inverse: 1.0 / level,
            inverse_root: 1.0 / level.sqrt(),
        }
    }
}

fn hill(at: At, a: f64, _: f64, k: f64) -> f64 {
    a * at.inverse_root - k
}

fn log(at: At, a: f64, _: f64, k: f64) -> f64 {
    a * at.inverse - k
}

fn exponential(at: At, a: f64, _: f64, k: f64) -> f64 {
    k * (a - at.ln)
}

fn power(at: At, a: f64, b: f64, k: f64) -> f64 {
    exp(a - b * at.ln) - k
}

fn hold(x: f64, low: f64, high: f64) -> f64 {
    // Not `clamp`, which would ask whether the bounds are in order.
    let x = if x > low { x } else { low };
    if x < high { x } else { high }
}

impl Columns {
    fn push(&mut self, arm: usize, [a, b, k]: [f64; 3], low: f64, high: f64) {
        self.arm.push(arm);
        self.a.push(a);
        self.b.push(b);
        self.k.push(k);
        self.low.push(low);
        self.high.push(high);
    }

    /// The sum of all demands, in four lanes.
    #[inline]
    fn total(&self, at: At, formula: impl Fn(At, f64, f64, f64) -> f64) -> f64 {
        const LANES: usize = 4;
        let mut sums = [0.0; LANES];
        let (a, a_rest) = self.a.as_chunks::<LANES>();
        let (b, b_rest) = self.b.as_chunks::<LANES>();
        let (k, k_rest) = self.k.as_chunks::<LANES>();
        let (low, low_rest) = self.low.as_chunks::<LANES>();
        let (high, high_rest) = self.high.as_chunks::<LANES>();
        for ((((a, b), k), low), high) in a.iter().zip(b).zip(k).zip(low).zip(high) {
            for lane in 0..LANES {
                sums[lane] += hold(
                    formula(at, a[lane], b[lane], k[lane]),
                    low[lane],
                    high[lane],
                );
            }
        }
        let rest = a_rest
            .iter()
            .zip(b_rest)
            .zip(k_rest)
            .zip(low_rest)
            .zip(high_rest);
        for ((((a, b), k), low), high) in rest {
            sums[0] += hold(formula(at, *a, *b, *k), *low, *high);
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }

    /// Writes the demands at a level.
    #[inline]
    fn put(&self, at: At, formula: impl Fn(At, f64, f64, f64) -> f64, spend: &mut [f64]) {
        let bounds = self.low.iter().zip(&self.high);
        let numbers = self.a.iter().zip(&self.b).zip(&self.k).zip(bounds);
        for (&arm, (((&a, &b), &k), (&low, &high))) in self.arm.iter().zip(numbers) {
            spend[arm] = hold(formula(at, a, b, k), low, high);
        }
    }

    /// Writes demands between those at two levels.
    fn write(
        &self,
        (more, less, share): (At, At, f64),
        formula: impl Fn(At, f64, f64, f64) -> f64,
        spend: &mut [f64],
    ) {
        for (place, &arm) in self.arm.iter().enumerate() {
            let (a, b, k) = (self.a[place], self.b[place], self.k[place]);
            let (low, high) = (self.low[place], self.high[place]);
            let least = if less.ln <= LN_WASTE {
                high
            } else {
                hold(formula(less, a, b, k), low, high)
            };
            let most = if more.ln <= LN_WASTE {
                high
            } else {
                hold(formula(more, a, b, k), low, high)
            };
            spend[arm] = between(least, most, share);
        }
    }
}

impl Block {
    /// Gives what is left to arms that stand between their bounds, where it is next to nothing
    /// beside the whole; whether that could be done.
    pub(super) fn give(&self, mut rest: f64, whole: f64, spend: &mut [f64]) -> bool {
        if rest.abs() > 1e-8 * whole {
            return false;
        }
        let families = [&self.hills, &self.logs, &self.exponentials, &self.powers];
        for columns in families {
            for (place, &arm) in columns.arm.iter().enumerate() {
                if rest.abs() <= f64::EPSILON * whole {
                    return true;
                }
                let (low, high) = (columns.low[place], columns.high[place]);
                let before = spend[arm];
                if low < before && before < high {
                    spend[arm] = hold(before + rest, low, high);
                    rest -= spend[arm] - before;
                }
            }
        }
        rest.abs() <= 1e-13 * whole
    }
}

fn between(least: f64, most: f64, share: f64) -> f64 {
    if share > 0.0 {
        least + share * (most - least)
    } else {
        least
    }
}

/// The arms of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    hills: Columns,
    logs: Columns,
    exponentials: Columns,
    powers: Columns,
    /// What has no formula: asked one by one.
    others: Vec<(usize, ResponseCurve, f64, f64)>,
    /// What is spent at the least and at the most.
    pub(super) least: f64,
    pub(super) most: f64,
    /// The logarithms of levels at which all are at their most, and at their least.
    pub(super) bracket: (f64, f64),
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            bracket: (LN_EVERYTHING, LN_WASTE),
            ..Self::default()
        }
    }

    /// Adds an arm that spends from `low` to `high`.
    pub(super) fn push(&mut self, arm: usize, curve: &ResponseCurve, low: f64, high: f64) {
        self.least += low;
        self.most += high;
        if high > low {
            // A hair wider than the marginals, which are rounded.
            let (flattest, steepest) = (ln_marginal(curve, high), ln_marginal(curve, low));
            self.bracket.0 = self
                .bracket
                .0
                .min((flattest - 1e-9).clamp(LN_WASTE, LN_EVERYTHING));
            self.bracket.1 = self
                .bracket
                .1
                .max((steepest + 1e-9).clamp(LN_NOTHING, LN_EVERYTHING));
        }
        match *curve.form() {
            CurveForm::Hill {
                top,
                half,
                exponent,
            } if (exponent - 1.0).abs() < 1e-12 => {
                let a = (top * half).sqrt();
                self.hills.push(arm, [a, 0.0, half], low, high);
            }
            CurveForm::Log { factor, scale } => {
                self.logs.push(arm, [factor, 0.0, scale], low, high);
            }
            CurveForm::Exponential { top, scale } => {
                let steepest = ln_or_zero(top / scale);
                self.exponentials
                    .push(arm, [steepest, 0.0, scale], low, high);
            }
            CurveForm::Power {
                factor,
                exponent,
                shift,
            } => {
                let b = 1.0 / (1.0 - exponent);
                let a = ln_or_zero(factor * exponent) * b;
                self.powers.push(arm, [a, b, shift], low, high);
            }
            _ => self.others.push((arm, curve.clone(), low, high)),
        }
    }

    /// What all arms together spend at a level.
    pub(super) fn total(&self, ln: f64) -> f64 {
        if ln <= LN_WASTE {
            return self.most;
        }
        let at = At::ln(ln);
        let others = self.others.iter();
        self.hills.total(at, hill)
            + self.logs.total(at, log)
            + self.exponentials.total(at, exponential)
            + self.powers.total(at, power)
            + others
                .map(|(_, curve, low, high)| hold(curve.inverse(at.level), *low, *high))
                .sum::<f64>()
    }

    /// Writes what each arm spends, a share of the way from what it spends at `less` to what it
    /// spends at `more`.
    pub(super) fn write(&self, more: f64, less: f64, share: f64, spend: &mut [f64]) {
        let at = At::ln(less);
        if share <= 0.0 && less > LN_WASTE {
            self.hills.put(at, hill, spend);
            self.logs.put(at, log, spend);
            self.exponentials.put(at, exponential, spend);
            self.powers.put(at, power, spend);
            for (arm, curve, low, high) in &self.others {
                spend[*arm] = hold(curve.inverse(at.level), *low, *high);
            }
            return;
        }
        let levels = (At::ln(more), at, share);
        self.hills.write(levels, hill, spend);
        self.logs.write(levels, log, spend);
        self.exponentials.write(levels, exponential, spend);
        self.powers.write(levels, power, spend);
        for (arm, curve, low, high) in &self.others {
            let at = |at: At| {
                if at.ln <= LN_WASTE {
                    *high
                } else {
                    hold(curve.inverse(at.level), *low, *high)
                }
            };
            spend[*arm] = between(at(levels.1), at(levels.0), share);
        }
    }
}

fn ln_marginal(curve: &ResponseCurve, spend: f64) -> f64 {
    ln_or_zero(curve.marginal(spend))
}

/// The logarithm, also of what is zero or infinite.
fn ln_or_zero(x: f64) -> f64 {
    if x < f64::MIN_POSITIVE {
        LN_ZERO
    } else {
        ln(x.min(f64::MAX))
    }
}
