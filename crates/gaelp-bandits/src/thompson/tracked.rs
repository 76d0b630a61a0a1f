//! Propensities that follow a learning policy, one arm at a time.

use gaelp_core::{ArmId, Propensity, PropensityMethod};

use super::BetaThompson;
use crate::numeric::elementary::{exp, ln};
use crate::numeric::legendre::{self, NODES, NULL_RULES, Panel, WEIGHTS};
use crate::numeric::logit_beta::LogitBeta;
use crate::numeric::maximum::{Axis, Law, panels};
use crate::{Eligible, SelectError};

/// The propensity of single arms of a policy that learns, at a cost that does not depend on how
/// many arms there are.
///
/// [`BetaThompson::prepare`] computes all propensities anew: right for many choices from one
/// posterior. Where every choice is followed by an update of one arm, this keeps the logarithm of
/// the product of all arms' distribution functions at the nodes of the quadrature. An update moves
/// one arm's part of it, and the propensity of an arm is then one sum over the nodes.
///
/// Nodes are laid anew, at the cost of [`BetaThompson::prepare`], when the quadrature no longer
/// resolves an arm or after [`TrackedPropensities::REFRESH`] updates, which bounds the rounding
/// that updates leave behind. What is stated agrees with the policy's own propensities within the
/// sum of both errors, but not to the last bit.
///
/// **Cost**: an update and a propensity, 3 to 6 µs together; some 2 kB per arm.
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
    /// By eligible arm, and node by node.
    arms: Vec<Vec<f64>>,
    /// With the point above which an arm has no mass.
    laws: Vec<(LogitBeta, f64)>,
    /// Σ ln F over all arms, node by node.
    sum: Vec<f64>,
    updates: u32,
    /// 1 ÷ the narrowest width: rounding grows with it.
    sharpness: f64,
}

/// One panel: where it ends, its axis, and its width.
#[derive(Clone, Debug)]
struct Grid {
    right: f64,
    left: f64,
    axis: Axis,
}

impl TrackedPropensities {
    /// After so many updates all is computed anew.
    pub const REFRESH: u32 = 4096;

    /// What the quadrature may leave unresolved before nodes are laid anew.
    const TOLERANCE: f64 = 1e-9;

    /// What a distribution function is at least: its logarithm must not be lost.
    const TINY: f64 = 1e-290;

    /// The propensities of a policy's eligible arms.
    ///
    /// # Errors
    /// [`SelectError::NotLiving`] for an eligible arm that the policy does not have.
    pub fn new(policy: &BetaThompson, eligible: &Eligible) -> Result<Self, SelectError> {
        let mut tracked = Self {
            eligible: eligible.clone(),
            panels: Vec::new(),
            arms: Vec::new(),
            laws: Vec::new(),
            sum: Vec::new(),
            updates: 0,
            sharpness: 0.0,
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
        self.laws[place] = law;
        let (law, upper) = law;
        self.updates += 1;
        self.sharpness = self.sharpness.max(1.0 / law.width);
        let top = self
            .panels
            .first()
            .map_or(f64::NEG_INFINITY, |grid| grid.right);
        // Mass above the first node would be lost.
        if self.updates >= Self::REFRESH || upper > top + law.width {
            return self.lay(policy);
        }
        let moved = self.logarithms(&law, upper);
        let nodes = self.sum.iter_mut().zip(&mut self.arms[place]).zip(moved);
        for ((sum, held), moved) in nodes {
            *sum += moved - *held;
            *held = moved;
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
        let arms = self.laws.len() as f64;
        let rounding =
            f64::EPSILON * (16.0 * (arms + self.sharpness) + 64.0 * f64::from(self.updates));
        let probability = probability.clamp(crate::Propensities::FLOOR, 1.0);
        Ok((
            Propensity::new(probability).unwrap_or(Propensity::CERTAIN),
            PropensityMethod::Quadrature {
                error: unresolved + rounding + 1e-14,
            },
        ))
    }

    fn place(&self, arm: ArmId) -> Result<usize, SelectError> {
        let place = self.eligible.position(arm);
        place.ok_or(SelectError::NotLiving { arm })
    }

    /// Lays nodes anew, and computes all at them.
    fn lay(&mut self, policy: &BetaThompson) -> Result<(), SelectError> {
        let laws: Result<Vec<_>, _> = self
            .eligible
            .iter()
            .map(|arm| law_of(policy, arm))
            .collect();
        self.laws = laws?;
        self.panels = panels(self.laws.iter().map(|(law, _)| *law))
            .into_iter()
            .map(|(left, right)| Grid {
                right,
                left,
                axis: LogitBeta::axis(right, right - left),
            })
            .collect();
        self.updates = 0;
        let widths = self.laws.iter().map(|(law, _)| 1.0 / law.width);
        self.sharpness = widths.fold(0.0, f64::max);
        self.sum = vec![0.0; self.panels.len() * NODES];
        let laws = self.laws.iter();
        self.arms = laws
            .map(|(law, upper)| self.logarithms(law, *upper))
            .collect();
        for arm in &self.arms {
            for (sum, logarithm) in self.sum.iter_mut().zip(arm) {
                *sum += logarithm;
            }
        }
        Ok(())
    }

    /// ln F of an arm at all nodes.
    fn logarithms(&self, law: &LogitBeta, upper: f64) -> Vec<f64> {
        let mut below = 1.0;
        let mut all = Vec::with_capacity(self.panels.len() * NODES);
        for grid in &self.panels {
            if upper <= grid.left {
                all.extend([0.0; NODES]);
                continue;
            }
            let half = 0.5 * (grid.right - grid.left);
            let density = law.density(&grid.axis, law.log_density(grid.right));
            let above = legendre::from_above(&density);
            all.extend(above.map(|above| ln((below - half * above).max(Self::TINY))));
            below = (below - half * legendre::dot(&WEIGHTS, &density)).max(Self::TINY);
        }
        all
    }

    /// The integral of an arm's density times the others' distribution functions, and what its
    /// nodes do not resolve.
    fn integrate(&self, place: usize) -> (f64, f64) {
        let (law, upper) = self.laws[place];
        let (mut probability, mut unresolved) = (0.0, 0.0);
        let nodes = self
            .sum
            .chunks_exact(NODES)
            .zip(self.arms[place].chunks_exact(NODES));
        for (grid, (sum, own)) in self.panels.iter().zip(nodes) {
            // What all others leave at the top of a panel bounds what they leave in it.
            if upper <= grid.left || sum[NODES - 1] - own[NODES - 1] < -80.0 {
                continue;
            }
            let half = 0.5 * (grid.right - grid.left);
            let density = law.density(&grid.axis, law.log_density(grid.right));
            let mut product: Panel = [0.0; NODES];
            for k in 0..NODES {
                product[k] = density[k] * exp(sum[k] - own[k]);
            }
            probability += half * legendre::dot(&WEIGHTS, &product);
            let rules = NULL_RULES.map(|rule| legendre::dot(&rule, &product).abs());
            unresolved += half * (rules[0] + rules[1]);
        }
        (probability, unresolved)
    }
}

fn law_of(policy: &BetaThompson, arm: ArmId) -> Result<(LogitBeta, f64), SelectError> {
    let place = policy.place(arm);
    let held = &policy.arms[place.map_err(|_| SelectError::NotLiving { arm })?];
    let law = LogitBeta::new(held.alpha(), held.beta());
    Ok((law, law.upper()))
}
