//! An arm's limits in whole quanta.

use gaelp_core::{Micros, Ratio, Rounding};

use super::{ArmLimits, Change};
use crate::{Curve, ResponseCurve};

/// The spend of an arm, in quanta, and what bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) low_by: LowBy,
    pub(super) high_by: HighBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LowBy {
    Floor,
    Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HighBy {
    Ceiling,
    Change,
    LeastAverage,
}

impl ArmLimits {
    /// The bounds in quanta; `None` where no whole number of them lies between floor and ceiling.
    pub(super) fn bounds(&self, curve: &ResponseCurve, quantum: Micros) -> Option<Bounds> {
        let (floor, ceiling) = (self.floor, self.ceiling);
        let hard_low = units_up(floor, quantum);
        let hard_high = ceiling.get() / quantum.get();
        if floor > ceiling || hard_low > hard_high {
            return None;
        }
        let mut bounds = Bounds {
            low: hard_low,
            high: hard_high,
            low_by: LowBy::Floor,
            high_by: HighBy::Ceiling,
        };
        if let Some(Change { from, down, up }) = self.change {
            let scale = |delta: Option<Ratio>, rounding| {
                delta.and_then(|ratio| from.checked_scale(ratio, rounding))
            };
            let left = Ratio::ONE.checked_sub(down).map(|r| r.max(Ratio::ZERO));
            let lowest = scale(left, Rounding::Up).unwrap_or(Micros::ZERO);
            let highest = scale(Ratio::ONE.checked_add(up), Rounding::Down).unwrap_or(Micros::MAX);
            let highest = highest.get() / quantum.get();
            if highest < bounds.high {
                bounds.high = highest.max(bounds.low);
                bounds.high_by = HighBy::Change;
            }
            let lowest = units_up(lowest, quantum).min(bounds.high);
            if lowest > bounds.low {
                bounds.low = lowest;
                bounds.low_by = LowBy::Change;
            }
        }
        if let Some(target) = self.least_average {
            let most = most_at_average(curve, target.to_f64(), major(bounds.high, quantum));
            let most = whole_units(most, quantum);
            if most < bounds.high {
                // A target is no reason to fall faster than allowed, nor below the floor.
                bounds.high = most.max(bounds.low);
                bounds.high_by = HighBy::LeastAverage;
            }
        }
        Some(bounds)
    }
}

/// The most spend, up to a bound, that brings the target on average: averages fall.
fn most_at_average(curve: &ResponseCurve, target: f64, bound: f64) -> f64 {
    if curve.value(bound) >= target * bound {
        return bound;
    }
    let (mut low, mut high) = (0.0, bound);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if curve.value(middle) >= target * middle {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Quanta in major units.
#[expect(clippy::cast_precision_loss, reason = "exact below nine billion units")]
pub(super) fn major(units: i64, quantum: Micros) -> f64 {
    (units * quantum.get()) as f64 / 1e6
}

/// The quanta that fit into an amount in major units, with a hair's tolerance for its rounding.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "floored, and saturating; amounts are below 9e12"
)]
pub(super) fn whole_units(amount: f64, quantum: Micros) -> i64 {
    (amount * 1e6 / quantum.get() as f64 + 1e-6).floor() as i64
}

/// How many quanta cover an amount that is not negative.
pub(super) fn units_up(amount: Micros, quantum: Micros) -> i64 {
    let (whole, rest) = (amount.get() / quantum.get(), amount.get() % quantum.get());
    whole + i64::from(rest != 0)
}
