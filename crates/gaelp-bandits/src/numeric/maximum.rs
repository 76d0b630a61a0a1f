//! With what probability is each of several independent variables the largest?
//!
//! pᵢ = ∫ fᵢ(t) Πⱼ≠ᵢ Fⱼ(t) dt on the logit axis. The integral is marched from the top down in
//! panels of 16 Gauss–Legendre nodes. Within a panel every density costs one `exp` per node, its
//! distribution function follows by spectral integration, and the products over arms are shared.
//! The panels' widths follow a controller as in the solution of differential equations, and the
//! march ends where the largest variable lies with certainty above.
//!
//! A two-sided cut at extreme quantiles with equal steps is as good for arms that are alike; this
//! one also holds where one arm is thousands of times as wide as another.

use super::elementary::{exp, exp_m1, ln, ln_1p};
use super::legendre::{self, NODES, NULL_RULES, POINTS, Panel, WEIGHTS};
use super::logit_beta::{self, LogitBeta};

/// What a panel may leave unresolved. The rule's own error is far smaller; this bounds the
/// highest coefficients that it still sees.
const TOLERANCE: f64 = 1e-12;

/// What the largest variable may still do below the last panel.
const REMAINDER: f64 = 1e-14;

/// The widest panel across the body of a density, in widths of its peak.
const SPAN: f64 = 2.5;

/// How far the body reaches from the mode, in widths.
pub(crate) const BODY: f64 = 6.0;

/// A panel is not refined below this part of the widest: rounding is then what is seen.
const FINEST: f64 = 1.0 / 64.0;

/// A distribution function this small is zero beside its products.
const TINY: f64 = 1e-300;

/// A bound that no march of valid shapes comes near (measured: below 200).
const MOST_PANELS: usize = 20_000;

/// The probabilities in the order of the arms, and an estimate of their absolute error.
#[derive(Clone, Debug)]
pub(crate) struct Maximum {
    pub(crate) probabilities: Vec<f64>,
    pub(crate) error: f64,
}

/// The law of a variable on an axis that all arms share.
///
/// Its density has one peak there. What a panel's nodes have in common for all arms, `Axis` holds.
pub(crate) trait Law {
    type Axis;

    /// Where the density is highest, and how wide that peak is.
    fn mode(&self) -> f64;
    fn width(&self) -> f64;

    /// Points beyond which nothing that matters lies.
    fn upper(&self) -> f64;
    fn lower(&self) -> f64;

    fn log_density(&self, t: f64) -> f64;

    fn axis(right: f64, width: f64) -> Self::Axis;

    /// The density at the nodes, given its logarithm at the right end.
    fn density(&self, axis: &Self::Axis, start: f64) -> Panel;

    /// The log-density at the left end.
    fn carry(&self, axis: &Self::Axis, start: f64, left: f64) -> f64;

    /// How wide a panel that ends at `right` may be.
    fn panel_width(right: f64) -> f64;
}

impl Law for LogitBeta {
    type Axis = Axis;

    fn mode(&self) -> f64 {
        self.mode
    }

    fn width(&self) -> f64 {
        self.width
    }

    fn upper(&self) -> f64 {
        self.upper()
    }

    fn lower(&self) -> f64 {
        self.lower()
    }

    fn log_density(&self, t: f64) -> f64 {
        self.log_density(t)
    }

    fn axis(right: f64, width: f64) -> Axis {
        Axis::new(right, width)
    }

    #[inline]
    fn density(&self, axis: &Axis, start: f64) -> Panel {
        axis.density(self, start)
    }

    #[inline]
    fn carry(&self, axis: &Axis, start: f64, left: f64) -> f64 {
        // Near the peak the carried value is exact enough, and cheaper.
        if self.is_near_peak(start) {
            start + (self.a * axis.success_left + self.b * axis.failure_left)
        } else {
            self.log_density(left)
        }
    }

    fn panel_width(right: f64) -> f64 {
        logit_beta::panel_width(right)
    }
}

/// One arm on the march.
struct Lane<L> {
    arm: usize,
    law: L,
    upper: f64,
    /// The log-density at the panel's right end.
    log_density: f64,
    /// The distribution function at the panel's right end, and at its left end.
    below: f64,
    below_left: f64,
    /// The probability gathered so far.
    probability: f64,
    /// Density ÷ distribution function at the panel's nodes.
    hazard: Panel,
}

/// ln x and ln(1 − x) along a panel, relative to its right end.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    success: Panel,
    failure: Panel,
    success_left: f64,
    failure_left: f64,
}

/// Computes the probabilities.
///
/// Cost: O(panels × arms); some ten panels for similar arms.
pub(crate) fn maximum<L: Law>(arms: impl Iterator<Item = L>) -> Maximum {
    let mut march = March::new(arms, TOLERANCE);
    let mut panels = 0;
    while march.goes_on() && panels < MOST_PANELS {
        march.step();
        panels += 1;
    }
    march.finish()
}

/// The panels, from left to right end, that resolve the maximum of these arms: from the top down.
pub(crate) fn panels<L: Law>(arms: impl Iterator<Item = L>) -> Vec<(f64, f64)> {
    let mut march = March::new(arms, TOLERANCE);
    let mut panels = Vec::new();
    while march.goes_on() && panels.len() < MOST_PANELS {
        let right = march.right;
        march.step();
        panels.push((march.right, right));
    }
    panels
}

struct March<L> {
    /// By falling upper end; those before `active` have been met.
    lanes: Vec<Lane<L>>,
    active: usize,
    right: f64,
    floor: f64,
    /// The width that the controller proposes next.
    proposal: f64,
    /// Π of the distribution functions at `right`: what is still to be found below.
    remainder: f64,
    /// What a panel may leave unresolved, and the sum of what the panels did.
    tolerance: f64,
    unresolved: f64,
    /// 1 ÷ the narrowest width met: rounding grows with it.
    sharpness: f64,
}

impl<L: Law> March<L> {
    fn new(arms: impl Iterator<Item = L>, tolerance: f64) -> Self {
        let mut floor = f64::NEG_INFINITY;
        let mut lanes: Vec<Lane<L>> = arms
            .enumerate()
            .map(|(arm, law)| {
                floor = floor.max(law.lower());
                Lane {
                    arm,
                    upper: law.upper(),
                    law,
                    log_density: 0.0,
                    below: 1.0,
                    below_left: 1.0,
                    probability: 0.0,
                    hazard: [0.0; NODES],
                }
            })
            .collect();
        lanes.sort_by(|one, other| other.upper.total_cmp(&one.upper));
        let (right, proposal) = lanes
            .first()
            .map_or((floor, 0.0), |lane| (lane.upper, SPAN * lane.law.width()));
        Self {
            lanes,
            active: 0,
            right,
            floor,
            proposal,
            remainder: 1.0,
            tolerance,
            unresolved: 0.0,
            sharpness: 0.0,
        }
    }

    fn goes_on(&self) -> bool {
        self.right > self.floor && self.remainder > REMAINDER
    }

    /// One panel, repeated with a smaller width until it resolves what it covers.
    fn step(&mut self) {
        let (mut width, finest) = self.trial();
        loop {
            let left = self.right - width;
            // Where the panel ends after rounding, so that densities carried along stay in place.
            width = self.right - left;
            self.meet(left);
            let axis = L::axis(self.right, width);
            let product = self.evaluate(&axis, width);
            let tolerance = self.tolerance + 4.0 * f64::EPSILON * self.sharpness;
            if product.unresolved <= tolerance || width <= finest {
                self.accept(left, &axis, &product);
                self.proposal = width * controller(tolerance, product.unresolved);
                return;
            }
            width *= controller(tolerance, product.unresolved).min(0.8);
        }
    }

    /// The width to try, and the width below which refining sees nothing but rounding.
    fn trial(&self) -> (f64, f64) {
        let mut width = self.proposal.min(L::panel_width(self.right));
        let mut narrowest = width;
        let (met, ahead) = self.lanes.split_at(self.active);
        for Lane { law, .. } in met {
            let own = SPAN * law.width();
            let above = self.right - (law.mode() + BODY * law.width());
            if above > -2.0 * BODY * law.width() {
                // Towards a body a panel may be wide; into it, only as wide as it resolves.
                width = width.min(own.max(above));
                narrowest = narrowest.min(own);
            }
        }
        for Lane { law, upper, .. } in ahead {
            if *upper <= self.right - width {
                break;
            }
            let own = SPAN * law.width();
            width = width.min(own.max(self.right - upper));
            narrowest = narrowest.min(own);
        }
        (width, FINEST * narrowest)
    }

    /// Takes in the arms whose mass begins above `left`.
    fn meet(&mut self, left: f64) {
        while let Some(lane) = self.lanes.get_mut(self.active) {
            if lane.upper <= left {
                break;
            }
            lane.log_density = lane.law.log_density(self.right);
            self.sharpness = self.sharpness.max(1.0 / lane.law.width());
            self.active += 1;
        }
    }

    /// Evaluates every arm that was met at the nodes of a panel.
    fn evaluate(&mut self, axis: &L::Axis, width: f64) -> Product {
        let half = 0.5 * width;
        let mut below_all = [1.0; NODES];
        let mut hazards = [0.0; NODES];
        let mut below_all_left = 1.0;
        for lane in &mut self.lanes[..self.active] {
            let density = lane.law.density(axis, lane.log_density);
            let above = legendre::from_above(&density);
            for k in 0..NODES {
                let below = (lane.below - half * above[k]).max(TINY);
                let hazard = density[k] / below;
                lane.hazard[k] = hazard;
                below_all[k] *= below;
                hazards[k] += hazard;
            }
            lane.below_left = lane.below - half * legendre::dot(&WEIGHTS, &density);
            below_all_left *= lane.below_left.max(0.0);
        }
        let mut weighted = below_all;
        for k in 0..NODES {
            hazards[k] *= below_all[k];
            weighted[k] *= half * WEIGHTS[k];
        }
        let unresolved = NULL_RULES.map(|rule| legendre::dot(&rule, &hazards).abs());
        Product {
            weighted,
            left: below_all_left,
            unresolved: half * (unresolved[0] + unresolved[1]),
        }
    }

    /// Adds a panel to the probabilities and moves on to its left end.
    fn accept(&mut self, left: f64, axis: &L::Axis, product: &Product) {
        for lane in &mut self.lanes[..self.active] {
            lane.probability += legendre::dot(&product.weighted, &lane.hazard);
            lane.below = lane.below_left;
            lane.log_density = lane.law.carry(axis, lane.log_density, left);
        }
        self.right = left;
        self.remainder = product.left;
        self.unresolved += product.unresolved;
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a bound on rounding, not a count"
    )]
    fn finish(self) -> Maximum {
        let mut probabilities = vec![0.0; self.lanes.len()];
        let mut sum = 0.0;
        for lane in &self.lanes {
            probabilities[lane.arm] = lane.probability;
            sum += lane.probability;
        }
        let rounding = f64::EPSILON * (16.0 + self.lanes.len() as f64 + 16.0 * self.sharpness);
        Maximum {
            probabilities,
            error: self.unresolved + (sum - 1.0).abs() + self.remainder + rounding,
        }
    }
}

/// What the arms of a panel make together.
struct Product {
    /// The product of the distribution functions at the nodes, times the weights of the rule.
    weighted: Panel,
    /// The product at the left end.
    left: f64,
    /// What the nodes do not resolve of the density of the largest variable.
    unresolved: f64,
}

impl Axis {
    fn new(right: f64, width: f64) -> Self {
        // Beyond this width e^t spans too many orders for differences from the right end.
        const WIDE: f64 = 30.0;
        let odds = exp(-right.abs());
        let (small, large) = (odds / (1.0 + odds), 1.0 / (1.0 + odds));
        let distances = POINTS.map(|point| 0.5 * width * (point - 1.0));
        // The logarithm of the smaller share is the distance plus that of the larger one.
        if right <= 0.0 {
            let failure = |distance: f64| -ln_1p(small * exp_m1(distance));
            let failures = distances.map(failure);
            let failure_left = failure(-width);
            Self {
                success: add(&failures, &distances),
                failure: failures,
                success_left: failure_left - width,
                failure_left,
            }
        } else {
            let success = |distance: f64| {
                -ln_1p(if width < WIDE {
                    small * exp_m1(-distance)
                } else {
                    large * (exp(-distance - right) - odds)
                })
            };
            let successes = distances.map(success);
            let success_left = success(-width);
            Self {
                failure: add(&successes, &distances.map(|distance| -distance)),
                success: successes,
                success_left,
                failure_left: success_left + width,
            }
        }
    }

    /// The density of an arm at the nodes.
    #[inline]
    fn density(&self, law: &LogitBeta, start: f64) -> Panel {
        let (a, b) = (law.a, law.b);
        let mut density = [0.0; NODES];
        let axis = self.success.iter().zip(&self.failure);
        for (density, (success, failure)) in density.iter_mut().zip(axis) {
            *density = exp(start + (a * success + b * failure));
        }
        density
    }
}

fn add(one: &Panel, other: &Panel) -> Panel {
    let mut sum = *one;
    for (sum, value) in sum.iter_mut().zip(other) {
        *sum += value;
    }
    sum
}

/// By how much the next width may differ from this one.
///
/// What sixteen nodes leave unresolved falls with about the sixteenth power of the width.
fn controller(tolerance: f64, unresolved: f64) -> f64 {
    const SHRINK: f64 = 0.4;
    const GROW: f64 = 2.5;
    const CAUTION: f64 = 0.8;
    (CAUTION * exp(ln(tolerance / unresolved.max(TINY)) / 16.0)).clamp(SHRINK, GROW)
}

#[cfg(test)]
mod tests;
