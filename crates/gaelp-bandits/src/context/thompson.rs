//! Thompson sampling of scores.

use gaelp_core::{ArmId, DecisionId, DecisionKey, PropensityMethod, Seed};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::explorer::greedy;
use super::{ArmFeatures, Belief, Disjoint, Explorer, Features, Shared, Uncertain};
use crate::numeric::gauss::Gauss;
use crate::numeric::maximum::maximum;
use crate::numeric::packed::dot;
use crate::numeric::room::with_room;
use crate::numeric::sampler::normal;
use crate::rule::simulated;
use crate::{Chances, ContextualPolicy, Eligible, ParameterViolation, SelectError};

/// `LinTS`: every arm is chosen as often as it is believed to be the best in this context.
///
/// Coefficients are drawn from N(θ, v²A⁻¹) and the arm of the largest xᵀθ̃ is chosen. Over
/// [`Logistic`](crate::Logistic) this is Laplace's approximation of Thompson sampling of success
/// rates.
///
/// **Propensities.** Given the context, the scores of arms with models of their own are independent
/// normal variables: the integral of each density times the distribution functions of the others,
/// by quadrature, with its error. The scores of arms that share a model are correlated: for two
/// arms their difference is normal, and the integral is the same; for more, the propensities are
/// simulated with `draws` joint draws, each arm counting one half more, and the method says
/// [`PropensityMethod::MonteCarlo`]. These draws are a fixed function of what is believed, so that
/// what is stated is exactly the probability with which an arm is chosen; what is approximate, to
/// some 1 ÷ √`draws`, is how near that is to Thompson sampling.
///
/// **Cost**: O(K d²) and a quadrature: some 10 µs for 10 arms, 100 µs for 100.
/// [`Disjoint::draw`] and [`Shared::draw`] choose without it.
///
/// **Source**: Agrawal & Goyal (2013), Thompson sampling for contextual bandits with linear
/// payoffs, algorithm 1, with their v for `scale`.
///
/// ```
/// use gaelp_bandits::{
///     Amount, ContextualOutcome, ContextualPolicy, Disjoint, Features, LinTs, Ridge,
/// };
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let arms = (0..3).map(ArmId::new);
/// let mut policy = Disjoint::new(LinTs::default(), Ridge::new(2, 1.0)?, arms)?;
/// let (evening, all) = (Features::new(&[1.0, 0.8])?, policy.all());
/// let chosen = policy.select(&evening, &all, Seed::new(7), DecisionId::new(1))?;
/// assert_eq!(chosen.propensity.get(), 1.0 / 3.0); // nothing is known yet: exact by symmetry
/// let came = ContextualOutcome::of(&chosen, UtcHour::new(0), &evening, Amount::new(2.0)?);
/// policy.update(&[came])?;
/// let after = policy.propensities(&evening, &all)?;
/// assert!(after.get(chosen.key.arm) > Some(chosen.propensity) && after.error() < 1e-11);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinTs {
    /// v, from 1e-6 to 1e6: the noise's standard deviation, or more to explore more.
    pub scale: f64,
    /// How many joint draws are made where propensities are simulated, from 64 to 65,536.
    pub draws: u32,
}

impl Default for LinTs {
    /// Noise of variance 1.
    fn default() -> Self {
        Self {
            scale: 1.0,
            draws: 1024,
        }
    }
}

impl<M: Uncertain> Explorer<M> for LinTs {
    fn violations(&self) -> Vec<ParameterViolation> {
        let scale = ParameterViolation::check("scale", self.scale, 1e-6, 1e6);
        let draws = ParameterViolation::check("draws", f64::from(self.draws), 64.0, 65_536.0);
        scale.into_iter().chain(draws).collect()
    }

    fn apart(&self, models: &[&M], features: &Features, _: u64) -> Chances {
        let law = |belief: Belief| Gauss {
            mean: belief.mean,
            deviation: self.scale * belief.deviation,
        };
        let laws: Vec<_> = M::beliefs(models, features).into_iter().map(law).collect();
        largest(&laws)
    }

    fn together(&self, model: &M, arms: &[&Features], _: u64) -> Chances {
        let means: Vec<f64> = arms.iter().map(|x| model.belief(x).mean).collect();
        let spreads = model.spreads(arms);
        match (&spreads[..], &means[..]) {
            ([one, other], [first, second]) => {
                // The difference of the two, split into halves that are independent.
                let difference: Vec<f64> = one.iter().zip(other).map(|(a, b)| a - b).collect();
                let deviation = self.scale * (0.5 * dot(&difference, &difference)).sqrt();
                let half = |mean| Gauss { mean, deviation };
                largest(&[half(*first), half(*second)])
            }
            _ => simulated(arms.len(), self.draws, 2, |rng, scores| {
                self.jointly(&means, &spreads, rng, scores);
            }),
        }
    }
}

impl LinTs {
    /// One draw of scores that share a model.
    fn jointly(&self, means: &[f64], spreads: &[Vec<f64>], rng: &mut impl Rng, scores: &mut [f64]) {
        let common: Vec<f64> = spreads
            .first()
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|_| normal(rng))
            .collect();
        for ((score, mean), spread) in scores.iter_mut().zip(means).zip(spreads) {
            *score = mean + self.scale * dot(spread, &common);
        }
    }
}

/// With what probability each of several independent normal variables is the largest.
fn largest(laws: &[Gauss]) -> Chances {
    let bits = |law: &Gauss| (law.mean.to_bits(), law.deviation.to_bits());
    let alike = laws.windows(2).all(|pair| bits(&pair[0]) == bits(&pair[1]));
    if alike || laws.iter().all(|law| law.deviation <= 0.0) {
        // By symmetry, or because nothing is random.
        let means: Vec<f64> = laws.iter().map(|law| law.mean).collect();
        return greedy(&means, 0.0);
    }
    let solved = maximum(Gauss::shared(laws));
    Chances {
        probabilities: solved.probabilities,
        method: PropensityMethod::Quadrature {
            error: solved.error,
        },
    }
}

impl<M: Uncertain> Disjoint<M, LinTs> {
    /// Chooses an arm as [`ContextualPolicy::select`] does, with the same probabilities but
    /// without computing them: for callers that log none.
    ///
    /// Its draws are its own: for the same decision it may choose another arm than `select`.
    ///
    /// **Cost**: O(K d), and O(d²) for every arm whose draw could be the largest.
    ///
    /// # Errors
    /// As [`ContextualPolicy::select`].
    ///
    /// ```
    /// use gaelp_bandits::{ContextualPolicy, Disjoint, Features, LinTs, Ridge};
    /// use gaelp_core::{ArmId, DecisionId, Seed};
    ///
    /// let arms = (0..100).map(ArmId::new);
    /// let policy = Disjoint::new(LinTs::default(), Ridge::new(2, 1.0)?, arms)?;
    /// let (evening, all) = (Features::new(&[1.0, 0.8])?, policy.all());
    /// let arm = policy.draw(&evening, &all, Seed::new(7), DecisionId::new(1))?;
    /// assert_eq!(arm, policy.draw(&evening, &all, Seed::new(7), DecisionId::new(1))?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn draw(
        &self,
        context: &Features,
        eligible: &Eligible,
        seed: Seed,
        decision: DecisionId,
    ) -> Result<ArmId, SelectError> {
        let models = self.models(context, eligible)?;
        let mut rng = DecisionKey {
            seed,
            policy: self.version(),
            decision,
        }
        .generator();
        let scale = self.explorer().scale;
        let scores = with_room(models.len(), |turns| {
            turns.fill_with(|| normal(&mut rng));
            M::contest(&models, context, |place, belief| {
                belief.mean + scale * belief.deviation * turns[place]
            })
        });
        Ok(highest(eligible, scores.into_iter()))
    }
}

impl<M: Uncertain> Shared<M, LinTs> {
    /// Chooses an arm by one draw of the coefficients, as [`ContextualPolicy::select`] does but
    /// without computing propensities: for callers that log none.
    ///
    /// Here the choice follows Thompson sampling itself, where `select` follows what its
    /// simulation states. For the same decision it may choose another arm.
    ///
    /// **Cost**: O(d³ + K d²).
    ///
    /// # Errors
    /// As [`ContextualPolicy::select`].
    pub fn draw(
        &self,
        context: &ArmFeatures,
        eligible: &Eligible,
        seed: Seed,
        decision: DecisionId,
    ) -> Result<ArmId, SelectError> {
        let arms = self.features(context, eligible)?;
        let means: Vec<f64> = arms.iter().map(|x| self.model().belief(x).mean).collect();
        let spreads = self.model().spreads(&arms);
        let mut rng = DecisionKey {
            seed,
            policy: self.version(),
            decision,
        }
        .generator();
        let mut scores = vec![0.0; means.len()];
        self.explorer()
            .jointly(&means, &spreads, &mut rng, &mut scores);
        Ok(highest(eligible, scores.into_iter()))
    }
}

/// The arm of the highest score, the first of equals.
fn highest(eligible: &Eligible, scores: impl Iterator<Item = f64>) -> ArmId {
    let mut best = None;
    for (arm, score) in eligible.iter().zip(scores) {
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((arm, score));
        }
    }
    best.expect("eligible arms are never none").0
}
