//! A policy made ready for many choices.

use gaelp_core::{ArmId, Choice, DecisionId, DecisionKey, PolicyVersion, Propensity, Seed};
use rand_chacha::rand_core::Rng;

use crate::Propensities;
use crate::numeric::sampler::Gamma;

/// A [`BetaThompson`](crate::BetaThompson) as it was at one version, for a set of eligible arms,
/// with the propensities computed: immutable, to be shared between threads.
///
/// ```
/// use gaelp_bandits::{BetaPrior, BetaThompson};
/// use gaelp_core::{ArmId, DecisionId, Seed};
///
/// let arms = (0..4).map(|arm| (ArmId::new(arm), BetaPrior::default()));
/// let policy = BetaThompson::new(arms)?;
/// let prepared = policy.prepare(&policy.all());
/// for hour in 0..24_u128 {
///     let choice = prepared.select(Seed::new(7), DecisionId::new(hour));
///     assert_eq!(prepared.propensity(choice.arm), Some(choice.propensity));
/// }
/// # Ok::<(), gaelp_bandits::ArmError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PreparedThompson {
    /// In the order of the propensities.
    samplers: Box<[OddsSampler]>,
    scale: Scale,
    propensities: Propensities,
    version: PolicyVersion,
}

/// Draws the odds, success rate ÷ (1 − success rate), of a beta variable: as a ratio of two gamma
/// variables they are never rounded to certainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OddsSampler {
    success: Gamma,
    failure: Gamma,
}

impl OddsSampler {
    pub(super) fn new(alpha: f64, beta: f64) -> Self {
        Self {
            success: Gamma::new(alpha),
            failure: Gamma::new(beta),
        }
    }

    /// Whether [`OddsSampler::draw`] draws these odds; if not, only [`OddsSampler::draw_ln`] does.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.success.is_plain() && self.failure.is_plain()
    }

    #[inline]
    pub(super) fn draw(&self, rng: &mut impl Rng) -> f64 {
        let success = self.success.draw(rng);
        success / self.failure.draw(rng)
    }

    pub(super) fn draw_ln(&self, rng: &mut impl Rng) -> f64 {
        let success = self.success.draw_ln(rng);
        success - self.failure.draw_ln(rng)
    }
}

/// How odds are compared.
#[derive(Clone, Copy, Debug)]
enum Scale {
    Plain,
    /// For shapes below 1, whose gamma variables underflow.
    Logarithmic,
}

impl PreparedThompson {
    pub(crate) fn new(laws: &[(ArmId, f64, f64)], version: PolicyVersion) -> Self {
        let samplers: Box<[OddsSampler]> = laws
            .iter()
            .map(|&(_, alpha, beta)| OddsSampler::new(alpha, beta))
            .collect();
        Self {
            scale: if samplers.iter().all(OddsSampler::is_plain) {
                Scale::Plain
            } else {
                Scale::Logarithmic
            },
            samplers,
            propensities: Propensities::of(laws),
            version,
        }
    }

    /// Chooses an arm: the one with the best success rate among one draw from each posterior.
    ///
    /// The same version, arms, seed and decision give the same choice.
    ///
    /// **Cost**: about 0.1 µs to start and 0.03 µs per arm; nothing is allocated.
    pub fn select(&self, seed: Seed, decision: DecisionId) -> Choice {
        let key = DecisionKey {
            seed,
            policy: self.version,
            decision,
        };
        let mut rng = key.generator();
        let winner = match self.scale {
            Scale::Plain => best(self.samplers.iter().map(|odds| odds.draw(&mut rng))),
            Scale::Logarithmic => best(self.samplers.iter().map(|odds| odds.draw_ln(&mut rng))),
        };
        let (arm, propensity) = self
            .propensities
            .at(winner)
            .expect("there is a propensity for every sampler, and at least one");
        Choice {
            arm,
            propensity,
            method: self.propensities.method(),
            policy: self.version,
        }
    }

    /// The propensity of an arm; `None` if it is not eligible.
    pub fn propensity(&self, arm: ArmId) -> Option<Propensity> {
        self.propensities.get(arm)
    }

    /// All propensities.
    pub const fn propensities(&self) -> &Propensities {
        &self.propensities
    }

    /// The version of the policy that was prepared.
    pub const fn version(&self) -> PolicyVersion {
        self.version
    }
}

/// The position of the largest score, the first of equals.
#[inline]
pub(super) fn best(scores: impl Iterator<Item = f64>) -> usize {
    let (mut winner, mut highest) = (0, f64::NEG_INFINITY);
    for (position, score) in scores.enumerate() {
        if score > highest {
            (winner, highest) = (position, score);
        }
    }
    winner
}
