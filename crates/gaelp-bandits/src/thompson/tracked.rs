//! Propensities that follow a learning policy, one arm at a time.

mod product;

use gaelp_core::{ArmId, Propensity, PropensityMethod};

use product::Product;

use super::BetaThompson;
use crate::numeric::legendre::{self, NODES, NULL_RULES, Panel, WEIGHTS};
use crate::numeric::logit_beta::LogitBeta;
use crate::numeric::maximum::{Axis, BODY, Law, panels};
use crate::{Eligible, SelectError};

/// The propensity of single arms of a policy that learns, at a cost that does not depend on how
/// many arms there are.
///
/// [`BetaThompson::prepare`] computes all propensities anew: right for many choices from one
/// posterior. Where every choice is followed by an update of one arm, this keeps every arm's density
/// and distribution function at the nodes of the quadrature, and the product of all distribution
/// functions. An update moves one arm's part of it, and the propensity of an arm is then one sum over
/// the nodes.
///
/// Nodes are laid anew, at a little more than the cost of [`BetaThompson::prepare`], when arms have
/// moved off them or an arm has become too narrow for them, as it does when its trials double. After
/// [`TrackedPropensities::REFRESH`] updates the product is taken anew over all arms, which bounds the
/// rounding that updates leave behind. What is stated agrees with the policy's own propensities
/// within the sum of both errors, but not to the last bit.
///
/// **Cost**: an update and a propensity, O(nodes): 2 to 4 µs together, whatever the number of arms,
/// and nothing is allocated; some 4 kB per arm.
///
/// **Source**: as [`BetaThompson::propensities`].
///
/// ```
/// use gaelp_bandits::{BetaPrior, BetaThompson, Feedback, TrackedPropensities, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed};
///
/// let arms = (0..20).map(|arm| (ArmId::new(arm), BetaPrior::default()));
/// let mut policy = BetaThompson::new(arms)?;
/// let all = policy.all();
/// let mut tracked = TrackedPropensities::new(&policy, &all)?;
/// for decision in (0..200).map(DecisionId::new) {
///     let arm = policy.draw(&all, Seed::new(7), decision);
///     let (propensity, _) = tracked.propensity(&policy, arm)?;
///     policy.update(&[Feedback { arm, reward: UnitReward::new(0.1)? }])?;
///     tracked.follow(&policy, arm)?;
///     assert!(propensity.get() > 0.0);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrackedPropensities {
    eligible: Eligible,
    panels: Vec<Grid>,
    /// By eligible arm.
    arms: Vec<Lane>,
    /// Π F over all arms, by panel.
    products: Vec<Product>,
    updates: u32,
    /// 1 ÷ the narrowest width: rounding grows with it.
    sharpness: f64,
    /// What the nodes left out below them when they were laid.
    left_out: f64,
}

/// One panel: where it begins and ends, and its axis. Panels follow each other from the top down.
#[derive(Clone, Debug)]
struct Grid {
    left: f64,
    right: f64,
    axis: Axis,
}

/// One arm along the panels.
#[derive(Clone, Debug)]
struct Lane {
    law: LogitBeta,
    /// The point above which it has no mass.
    upper: f64,
    nodes: Vec<Nodes>,
}

/// An arm's density and distribution function at the nodes of a panel.
#[derive(Clone, Copy, Debug)]
struct Nodes {
    density: Panel,
    below: Panel,
}

impl TrackedPropensities {
    /// After so many updates the product over all arms is taken anew.
    pub const REFRESH: u32 = 4096;

    /// What the quadrature may leave unresolved before nodes are laid anew.
    const TOLERANCE: f64 = 1e-9;

    /// What the largest draw may do below the last panel before nodes are laid anew.
    const REMAINDER: f64 = 1e-12;

    /// The widest panel across an arm's body, in widths of its peak: what nodes are laid with has
    /// at most 2.5, and sixteen nodes still resolve this.
    const SPAN: f64 = 3.6;

    /// The propensities of a policy's eligible arms.
    ///
    /// # Errors
    /// [`SelectError::NotLiving`] for an eligible arm that the policy does not have.
    pub fn new(policy: &BetaThompson, eligible: &Eligible) -> Result<Self, SelectError> {
        let mut tracked = Self {
            eligible: eligible.clone(),
            panels: Vec::new(),
            arms: Vec::new(),
            products: Vec::new(),
            updates: 0,
            sharpness: 0.0,
            left_out: 0.0,
        };
        tracked.lay(policy)?;
        Ok(tracked)
    }

    /// Takes in that an arm of the policy has learnt, or unlearnt.
    ///
    /// # Errors
    /// [`SelectError::NotLiving`] for an arm that is not eligible or not the policy's.
    pub fn follow(&mut self, policy: &BetaThompson, arm: ArmId) -> Result<(), SelectError> {
        let place = self.place(arm)?;
        let law = law_of(policy, arm)?;
        let lane = &mut self.arms[place];
        (lane.law, lane.upper) = (law, law.upper());
        if self.updates >= Self::REFRESH {
            self.multiply();
        }
        self.updates += 1;
        self.sharpness = self.sharpness.max(1.0 / law.width);
        if !self.resolves(place) {
            return self.lay(policy);
        }
        self.arms[place].walk(&self.panels, &mut self.products);
        if self.remainder() > Self::REMAINDER.max(4.0 * self.left_out) {
            return self.lay(policy);
        }
        Ok(())
    }

    /// The propensity of an arm, and how it was computed. Every update of the policy must have been
    /// followed.
    ///
    /// # Errors
    /// [`SelectError::NotLiving`] for an arm that is not eligible or not the policy's.
    pub fn propensity(
        &mut self,
        policy: &BetaThompson,
        arm: ArmId,
    ) -> Result<(Propensity, PropensityMethod), SelectError> {
        let place = self.place(arm)?;
        let (mut probability, mut unresolved) = self.integrate(place);
        if unresolved > Self::TOLERANCE && self.updates > 0 {
            self.lay(policy)?;
            (probability, unresolved) = self.integrate(place);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a bound on rounding, not a count"
        )]
        let arms = self.arms.len() as f64;
        let rounding =
            f64::EPSILON * (16.0 * (arms + self.sharpness) + 64.0 * f64::from(self.updates));
        let probability = probability.clamp(crate::Propensities::FLOOR, 1.0);
        Ok((
            Propensity::new(probability).unwrap_or(Propensity::CERTAIN),
            PropensityMethod::Quadrature {
                error: unresolved + self.remainder() + rounding + 1e-14,
            },
        ))
    }

    fn place(&self, arm: ArmId) -> Result<usize, SelectError> {
        let place = self.eligible.position(arm);
        place.ok_or(SelectError::NotLiving { arm })
    }

    /// Whether the nodes resolve an arm: none of its mass lies above them, and panels that its body
    /// crosses are not too wide for it.
    fn resolves(&self, place: usize) -> bool {
        let Lane { law, upper, .. } = &self.arms[place];
        let top = self.panels.first().map(|grid| grid.right);
        if top.is_none_or(|top| *upper > top + law.width) {
            return false;
        }
        // A little less than all of it, because panels are laid to end where it begins.
        let reach = 0.98 * BODY * law.width;
        let (low, high) = (law.mode - reach, law.mode + reach);
        let mut panels = self.panels.iter();
        panels.all(|Grid { left, right, .. }| {
            *left >= high || *right <= low || right - left <= Self::SPAN * law.width
        })
    }

    /// Lays nodes anew, and computes all at them.
    fn lay(&mut self, policy: &BetaThompson) -> Result<(), SelectError> {
        let laws: Result<Vec<_>, _> = self
            .eligible
            .iter()
            .map(|arm| law_of(policy, arm))
            .collect();
        let laws = laws?;
        self.panels = panels(laws.iter().copied())
            .into_iter()
            .map(|(left, right)| Grid {
                left,
                right,
                axis: LogitBeta::axis(right, right - left),
            })
            .collect();
        let widths = laws.iter().map(|law| 1.0 / law.width);
        self.sharpness = widths.fold(0.0, f64::max);
        self.products = vec![Product::ONE; self.panels.len()];
        let lane = |law: LogitBeta| Lane {
            upper: law.upper(),
            law,
            nodes: vec![Nodes::ABOVE; self.panels.len()],
        };
        self.arms = laws.into_iter().map(lane).collect();
        for lane in &mut self.arms {
            lane.walk(&self.panels, &mut self.products);
        }
        self.updates = 0;
        self.left_out = self.remainder();
        Ok(())
    }

    /// Takes the product over all arms anew.
    fn multiply(&mut self) {
        self.products.fill(Product::ONE);
        for lane in &self.arms {
            for (product, nodes) in self.products.iter_mut().zip(&lane.nodes) {
                product.replace(&Nodes::ABOVE.below, &nodes.below);
            }
        }
        self.updates = 0;
    }

    /// With what probability the largest draw lies below the last node.
    fn remainder(&self) -> f64 {
        self.products.last().map_or(1.0, Product::lowest)
    }

    /// The integral of an arm's density times the others' distribution functions, and what its
    /// nodes do not resolve.
    fn integrate(&self, place: usize) -> (f64, f64) {
        let Lane { upper, nodes, .. } = &self.arms[place];
        let (mut probability, mut unresolved) = (0.0, 0.0);
        let panels = self.panels.iter().zip(nodes).zip(&self.products);
        for ((grid, nodes), product) in panels {
            if *upper <= grid.left {
                continue;
            }
            let half = 0.5 * (grid.right - grid.left);
            let mut wins = product.without(&nodes.below);
            for (wins, density) in wins.iter_mut().zip(&nodes.density) {
                *wins *= density;
            }
            probability += half * legendre::dot(&WEIGHTS, &wins);
            let rules = NULL_RULES.map(|rule| legendre::dot(&rule, &wins).abs());
            unresolved += half * (rules[0] + rules[1]);
        }
        (probability, unresolved)
    }
}

impl Lane {
    /// Computes density and distribution function at all nodes, and changes the products by what
    /// the latter was before.
    fn walk(&mut self, panels: &[Grid], products: &mut [Product]) {
        let mut below = 1.0;
        let mut log_density = None;
        for ((grid, nodes), product) in panels.iter().zip(&mut self.nodes).zip(products) {
            if self.upper <= grid.left {
                if nodes.below[0] < 1.0 {
                    product.replace(&nodes.below, &Nodes::ABOVE.below);
                    *nodes = Nodes::ABOVE;
                }
                continue;
            }
            let start = log_density.unwrap_or_else(|| self.law.log_density(grid.right));
            let density = self.law.density(&grid.axis, start);
            log_density = Some(self.law.carry(&grid.axis, start, grid.left));
            let half = 0.5 * (grid.right - grid.left);
            let next = legendre::from_above(&density)
                .map(|above| (below - half * above).max(Product::LEAST));
            below = (below - half * legendre::dot(&WEIGHTS, &density)).max(Product::LEAST);
            product.replace(&nodes.below, &next);
            *nodes = Nodes {
                density,
                below: next,
            };
        }
    }
}

impl Nodes {
    /// Above all mass.
    const ABOVE: Self = Self {
        density: [0.0; NODES],
        below: [1.0; NODES],
    };
}

fn law_of(policy: &BetaThompson, arm: ArmId) -> Result<LogitBeta, SelectError> {
    let place = policy.place(arm);
    let held = &policy.arms[place.map_err(|_| SelectError::NotLiving { arm })?];
    Ok(LogitBeta::new(held.alpha(), held.beta()))
}
