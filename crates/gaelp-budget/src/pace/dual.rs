//! λ as the dual variable of the budget: descent on each hour's spend.

use serde::{Deserialize, Serialize};

use super::{DayView, Pacer, Shape};
use crate::math::exp;

/// The highest λ that any controller sets unless told otherwise: a return of 21.
pub(super) const MOST: f64 = 20.0;

/// λ ← P(λ + ε · (spend − target) ÷ target) on the hour's own figures, projected on [0, most].
///
/// **Source.** Balseiro & Gur (2019), Learning in repeated auctions with budgets, algorithm 1; per
/// hour instead of per auction, with the hour's target in place of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DualSubgradient {
    /// ε. Default 0.8, the best of a grid on seeds that no table uses.
    pub step: f64,
    /// How the target is spread. Default: by traffic.
    pub shape: Shape,
    /// The highest λ. Default 20.
    pub most: f64,
}

impl Default for DualSubgradient {
    fn default() -> Self {
        Self {
            step: 0.8,
            shape: Shape::Traffic,
            most: MOST,
        }
    }
}

impl Pacer for DualSubgradient {
    fn level(&self, day: &DayView<'_>) -> f64 {
        day.known(self.shape).fold(day.start, |lambda, known| {
            let error = known.error(-1.0, f64::MAX);
            (lambda + self.step * error).clamp(0.0, self.most)
        })
    }

    /// Where the day's last report leaves it.
    fn carry(&self, day: &DayView<'_>) -> f64 {
        self.level(day)
    }
}

/// 1 + λ ← (1 + λ) · exp(η · (spend − target) ÷ target), projected on [0, most].
///
/// A step moves λ by a share of itself, so that one step size does for cheap and dear markets.
///
/// **Source.** Balseiro, Lu & Mirrokni (2020), Dual mirror descent for online allocation problems,
/// §3 with the negative entropy; the exponent is held within ±1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EntropicMirror {
    /// η. Default 0.4, the best of a grid on seeds that no table uses.
    pub step: f64,
    /// How the target is spread. Default: by traffic.
    pub shape: Shape,
    /// The highest λ. Default 20.
    pub most: f64,
}

impl Default for EntropicMirror {
    fn default() -> Self {
        Self {
            step: 0.4,
            shape: Shape::Traffic,
            most: MOST,
        }
    }
}

impl Pacer for EntropicMirror {
    fn level(&self, day: &DayView<'_>) -> f64 {
        day.known(self.shape).fold(day.start, |lambda, known| {
            let exponent = (self.step * known.error(-1.0, f64::MAX)).clamp(-1.0, 1.0);
            ((1.0 + lambda) * exp(exponent) - 1.0).clamp(0.0, self.most)
        })
    }

    /// Where the day's last report leaves it.
    fn carry(&self, day: &DayView<'_>) -> f64 {
        self.level(day)
    }
}
