//! With what probability does Thompson sampling show an arm at a position of a slate?
//!
//! A slate shows the arms of the largest draws in their order. Arm i is at position r where exactly
//! r others draw more: pᵢᵣ = ∫ fᵢ(t) eᵣ(t) dt, where eᵣ is the probability that r of the others lie
//! above t. The integral is marched from the top down, as for the best arm alone; eᵣ comes from the
//! products of all arms before i and all after it, so that nothing is ever divided out.

use gaelp_core::{ArmId, Propensity};

use super::sum::count;
use crate::numeric::elementary::exp;
use crate::numeric::legendre::{self, NODES, NULL_RULES, POINTS, Panel, WEIGHTS};
use crate::numeric::logit_beta::{LogitBeta, panel_width};
use crate::{BetaThompson, Eligible, ParameterViolation, Propensities, SelectError};

/// The widest panel across a density, in widths of its peak.
const SPAN: f64 = 1.25;

/// What a panel may leave unresolved; products of many distribution functions are sharper than one.
const TOLERANCE: f64 = 1e-13;

/// How often a panel is halved at most: rounding is then what is seen.
const HALVINGS: usize = 6;

/// What may be left to be found when the march ends.
const REMAINDER: f64 = 1e-15;

/// A bound that no march of valid shapes comes near.
const MOST_PANELS: usize = 100_000;

/// Ranks that cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RankError {
    /// There are no positions, or more than arms.
    #[error("{0}")]
    Positions(#[from] ParameterViolation),
    /// An eligible arm is not one of the policy's.
    #[error("{0}")]
    Select(#[from] SelectError),
}

/// The probability of every eligible arm at every position of a slate, for Thompson sampling.
///
/// Over arms, those of a position sum to 1 within [`RankPropensities::error`].
///
/// **Cost**: O(panels × arms × positions²); some 60 panels where arms are alike. 80 arms at 3
/// positions take 2 ms.
///
/// **Source**: the law of order statistics, David & Nagaraja (2003), Order statistics, §5.2; the
/// quadrature is that of [`BetaThompson::propensities`].
///
/// ```
/// use gaelp_bandits::evaluation::RankPropensities;
/// use gaelp_bandits::{BetaPrior, BetaThompson};
/// use gaelp_core::ArmId;
///
/// let arms = (0..3).map(|arm| (ArmId::new(arm), BetaPrior::default()));
/// let policy = BetaThompson::new(arms)?;
/// let ranks = RankPropensities::of(&policy, &policy.all(), 2)?;
/// // Nothing is known: any arm may be anywhere.
/// let second = ranks.get(ArmId::new(2), 1).ok_or("not eligible")?;
/// assert!((second.get() - 1.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RankPropensities {
    /// By rising arm.
    arms: Vec<ArmId>,
    positions: usize,
    /// Row-major: arms × positions.
    chances: Vec<f64>,
    error: f64,
}

impl RankPropensities {
    /// The probabilities for the first `positions` positions.
    ///
    /// # Errors
    /// [`RankError`] for no positions or more than arms, and for arms that the policy does not have.
    pub fn of(
        policy: &BetaThompson,
        eligible: &Eligible,
        positions: usize,
    ) -> Result<Self, RankError> {
        let places = count(positions);
        let violation = ParameterViolation::check("positions", places, 1.0, count(eligible.len()));
        violation.map_or(Ok(()), Err)?;
        let mut posteriors = policy.arms();
        let mut lanes = Vec::with_capacity(eligible.len());
        for arm in eligible.iter() {
            let found = posteriors.find(|posterior| posterior.id >= arm);
            let posterior = found.filter(|posterior| posterior.id == arm);
            let posterior = posterior.ok_or(SelectError::NotLiving { arm })?;
            lanes.push(Lane::new(LogitBeta::new(posterior.alpha, posterior.beta)));
        }
        let mut march = March::new(lanes, positions);
        for _ in 0..MOST_PANELS {
            if !march.step() {
                break;
            }
        }
        Ok(Self {
            arms: eligible.iter().collect(),
            positions,
            error: march.error(),
            chances: march.chances,
        })
    }

    /// The propensity of an arm at a position, counted from 0; `None` if the arm is not eligible or
    /// the slate is shorter. At least [`Propensities::FLOOR`].
    ///
    /// **Cost**: O(log of the number of arms).
    pub fn get(&self, arm: ArmId, position: usize) -> Option<Propensity> {
        let place = self.arms.binary_search(&arm).ok()?;
        let row = self.chances.chunks_exact(self.positions).nth(place)?;
        let chance = *row.get(position)?;
        Propensity::new(chance.clamp(Propensities::FLOOR, 1.0)).ok()
    }

    /// How many positions there are.
    pub const fn positions(&self) -> usize {
        self.positions
    }

    /// An estimate of the absolute error of each of them.
    pub const fn error(&self) -> f64 {
        self.error
    }
}

/// One arm on the march.
struct Lane {
    law: LogitBeta,
    upper: f64,
    lower: f64,
    /// The probability of lying above the panel's right end.
    above: f64,
    /// Along the panel: the density, and the probability of lying above.
    density: Panel,
    survival: Panel,
}

impl Lane {
    fn new(law: LogitBeta) -> Self {
        Self {
            upper: law.upper(),
            lower: law.lower(),
            law,
            above: 0.0,
            density: [0.0; NODES],
            survival: [0.0; NODES],
        }
    }

    /// How wide a panel may be that ends at `right`.
    fn panel_width(&self, right: f64) -> f64 {
        let own = SPAN * self.law.width;
        if right <= self.lower {
            f64::INFINITY
        } else {
            own.max(right - self.upper)
        }
    }

    fn evaluate(&mut self, left: f64, half: f64) {
        let law = &self.law;
        self.density = if left > self.upper {
            [0.0; NODES]
        } else {
            POINTS.map(|point| exp(law.log_density(left + half * (1.0 + point))))
        };
        let above = self.above;
        let gained = legendre::from_above(&self.density);
        self.survival = gained.map(|gained| (above + half * gained).clamp(0.0, 1.0));
    }

    /// Moves on to the panel's left end.
    fn pass(&mut self, half: f64) {
        let gained = half * legendre::dot(&WEIGHTS, &self.density);
        self.above = (self.above + gained).min(1.0);
    }
}

/// What a panel adds, and what it leaves unresolved.
struct Gained {
    chances: Vec<f64>,
    unresolved: f64,
}

/// By rank, and there by node: the probability that so many arms lie above.
type Counts = Vec<Panel>;

struct March {
    lanes: Vec<Lane>,
    positions: usize,
    right: f64,
    floor: f64,
    /// The width to try next.
    proposal: f64,
    chances: Vec<f64>,
    unresolved: f64,
}

impl March {
    fn new(lanes: Vec<Lane>, positions: usize) -> Self {
        let right = lanes
            .iter()
            .fold(f64::NEG_INFINITY, |most, lane| most.max(lane.upper));
        let floor = lanes
            .iter()
            .fold(f64::INFINITY, |least, lane| least.min(lane.lower));
        Self {
            chances: vec![0.0; lanes.len() * positions],
            lanes,
            positions,
            right,
            floor,
            proposal: f64::INFINITY,
            unresolved: 0.0,
        }
    }

    /// One panel, halved until it resolves what it covers; false once all is found.
    fn step(&mut self) -> bool {
        let right = self.right;
        if right <= self.floor {
            return false;
        }
        let widths = self.lanes.iter().map(|lane| lane.panel_width(right));
        let mut width = widths.fold(panel_width(right), f64::min).min(self.proposal);
        let mut panel;
        let mut halvings = 0;
        loop {
            let left = right - width;
            panel = self.panel(left, 0.5 * (right - left));
            if panel.unresolved <= TOLERANCE || halvings == HALVINGS {
                self.right = left;
                break;
            }
            width *= 0.5;
            halvings += 1;
        }
        self.proposal = 2.0 * width;
        let half = 0.5 * (right - self.right);
        for lane in &mut self.lanes {
            lane.pass(half);
        }
        for (chance, gained) in self.chances.iter_mut().zip(&panel.chances) {
            *chance += gained;
        }
        self.unresolved += panel.unresolved;
        self.remainder() > REMAINDER
    }

    /// What a panel holds.
    fn panel(&mut self, left: f64, half: f64) -> Gained {
        for lane in &mut self.lanes {
            lane.evaluate(left, half);
        }
        let none: Counts = counts_of_none(self.positions);
        // What all arms after each one do.
        let mut after = Vec::with_capacity(self.lanes.len());
        let mut counts = none.clone();
        for lane in self.lanes.iter().rev() {
            after.push(counts.clone());
            join(&mut counts, &lane.survival);
        }
        let mut before = none;
        let mut density_at = vec![[0.0; NODES]; self.positions];
        let mut chances = Vec::with_capacity(self.chances.len());
        for (lane, after) in self.lanes.iter().zip(after.iter().rev()) {
            for (rank, density_at) in density_at.iter_mut().enumerate() {
                let mut density = [0.0; NODES];
                for (before, after) in before[..=rank].iter().zip(after[..=rank].iter().rev()) {
                    for node in 0..NODES {
                        density[node] += before[node] * after[node];
                    }
                }
                for node in 0..NODES {
                    density[node] *= lane.density[node];
                    density_at[node] += density[node];
                }
                chances.push(half * legendre::dot(&WEIGHTS, &density));
            }
            join(&mut before, &lane.survival);
        }
        let mut unresolved = 0.0;
        for density in &density_at {
            for rule in &NULL_RULES {
                unresolved += half * legendre::dot(rule, density).abs();
            }
        }
        Gained {
            chances,
            unresolved,
        }
    }

    /// The probability that the last position is filled from below.
    fn remainder(&self) -> f64 {
        let mut counts = counts_of_none(self.positions);
        for lane in &self.lanes {
            join(&mut counts, &[lane.above; NODES]);
        }
        counts.iter().map(|panel| panel[0]).sum()
    }

    fn error(&self) -> f64 {
        let mut missing = 0.0_f64;
        for position in 0..self.positions {
            let column = self.chances.iter().skip(position).step_by(self.positions);
            missing = missing.max((column.sum::<f64>() - 1.0).abs());
        }
        // Rounding grows with how narrow the narrowest peak is.
        let sharpest = self.lanes.iter().map(|lane| 1.0 / lane.law.width);
        let sharpness = sharpest.fold(0.0, f64::max);
        let rounding = f64::EPSILON * (16.0 + count(self.lanes.len()) + 16.0 * sharpness);
        self.unresolved + missing + rounding
    }
}

fn counts_of_none(positions: usize) -> Counts {
    let mut counts = vec![[0.0; NODES]; positions];
    counts[0] = [1.0; NODES];
    counts
}

/// Takes one more arm into the counts.
fn join(counts: &mut Counts, survival: &Panel) {
    for rank in (0..counts.len()).rev() {
        for node in 0..NODES {
            let up = survival[node];
            let from_below = if rank > 0 {
                counts[rank - 1][node] * up
            } else {
                0.0
            };
            counts[rank][node] = counts[rank][node] * (1.0 - up) + from_below;
        }
    }
}
