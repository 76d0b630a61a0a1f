//! Thompson sampling of revenue: mostly nothing, and sometimes a lognormal amount.

use gaelp_core::Micros;
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::{NormalInverseGamma, simulated, success};
use crate::bandit::{Chances, Rule as Choosing, Table};
use crate::numeric::elementary::{exp, ln};
use crate::numeric::sampler::{Gamma, ln_beta, normal};
use crate::{BetaPrior, FeedbackError, Figures, Outcome, ParameterViolation, Tally};

/// Thompson sampling of mean revenue, where most trials earn nothing and the others a lognormal
/// amount.
///
/// A trial converts with probability p; then the logarithm of its revenue is normal with mean μ
/// and variance σ². The mean revenue is p e^(μ + σ² ÷ 2).
///
/// **A mean that does not exist.** Under an inverse-gamma σ² the expectation of e^(σ² ÷ 2) is
/// infinite: the tail of σ² falls like a power, and the exponential outgrows every power. Draws
/// would be ruled by variances that no shop has. So σ² is believed to be at most `most_variance`;
/// the posterior is cut there, and every moment of the revenue is finite.
///
/// **Propensities** have no closed form and are simulated: the share of `draws` joint draws in
/// which an arm is the best, each arm counting one half more. The draws are a fixed function of
/// the evidence, so what is stated is exactly the probability with which an arm is chosen; what is
/// approximate, to some 1 ÷ √`draws`, is how near that is to Thompson sampling. The method says
/// [`PropensityMethod::MonteCarlo`](gaelp_core::PropensityMethod::MonteCarlo).
///
/// **Cost**: 0.2 µs per draw and arm.
///
/// **Source**: Thompson (1933) for the choice; Aitchison (1955), On the distribution of a positive
/// random variable having a discrete probability mass at the origin, for the law; the update of
/// μ and σ² is that of [`NormalInverseGamma`].
///
/// ```
/// use gaelp_bandits::{Bandit, Outcome, Policy, Revenue, ZeroInflatedLognormal};
/// use gaelp_core::{ArmId, DecisionId, Micros, Seed, UtcHour};
///
/// let mut policy = Bandit::new(ZeroInflatedLognormal::default(), (0..2).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// let order = Revenue::new(Micros::new(59_900_000)).ok_or("a negative amount")?;
/// policy.update(&[Outcome::of(&chosen, UtcHour::new(0), order)])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroInflatedLognormal {
    /// What is believed of p before the first trial.
    pub conversion: BetaPrior,
    /// What is believed of μ and σ², of logarithms of whole currency units.
    pub log_revenue: NormalInverseGamma,
    /// The largest σ² believed possible, from 0.01 to 25.
    pub most_variance: f64,
    /// How many joint draws propensities are simulated with, from 64 to 65,536.
    pub draws: u32,
}

impl Default for ZeroInflatedLognormal {
    /// Orders of around 50, within a factor of some 2.7, one trial in forty converting.
    fn default() -> Self {
        Self {
            conversion: BetaPrior {
                successes: 0.5,
                failures: 19.5,
            },
            log_revenue: NormalInverseGamma {
                mean: 3.9,
                weight: 1.0,
                shape: 2.0,
                scale: 1.0,
            },
            most_variance: 4.0,
            draws: 1024,
        }
    }
}

impl Choosing for ZeroInflatedLognormal {
    type Reward = Revenue;

    fn violations(&self) -> Vec<ParameterViolation> {
        let own = [
            ParameterViolation::check("most_variance", self.most_variance, 0.01, 25.0),
            ParameterViolation::check("draws", f64::from(self.draws), 64.0, 65_536.0),
        ];
        let mut all = Choosing::violations(&self.log_revenue);
        all.extend(success::prior_violations(self.conversion));
        all.extend(own.into_iter().flatten());
        all
    }

    fn tally(&self, outcome: &Outcome<Revenue>) -> Result<Tally, FeedbackError> {
        let trials = i128::from(outcome.trial.millionths());
        let revenue = outcome.reward.0;
        if revenue.is_zero() {
            return Ok(Tally {
                trials,
                ..Tally::default()
            });
        }
        #[expect(clippy::cast_possible_truncation, reason = "within ±45 millions")]
        let logarithm = (ln(revenue.to_major_f64()) * 1e6).round() as i128;
        let value = self.log_revenue.centred(logarithm);
        Ok(Tally {
            trials,
            amount: value,
            square: value * value,
            extra: 1_000_000,
        })
    }

    fn chances(&self, table: &Table<'_>) -> Chances {
        let laws: Vec<_> = table
            .arms
            .iter()
            .map(|arm| MeanRevenue::new(self, arm))
            .collect();
        simulated(laws.len(), self.draws, 0, |rng, scores| {
            for (score, law) in scores.iter_mut().zip(&laws) {
                *score = law.draw_ln(rng);
            }
        })
    }
}

/// What is believed of an arm's mean revenue.
struct MeanRevenue {
    conversion: [Gamma; 2],
    precision: Gamma,
    scale: f64,
    place: f64,
    weight: f64,
    most_variance: f64,
}

impl MeanRevenue {
    fn new(rule: &ZeroInflatedLognormal, arm: &Figures) -> Self {
        let orders = arm.extra.max(0.0);
        let prior = rule.log_revenue;
        let (weight, scale) = prior.posterior(orders, arm.amount, arm.square);
        Self {
            conversion: [
                Gamma::new(rule.conversion.successes + orders),
                Gamma::new(rule.conversion.failures + (arm.trials - orders).max(0.0)),
            ],
            precision: Gamma::new(prior.shape + 0.5 * orders),
            scale,
            place: prior.mean + arm.amount / weight,
            weight,
            most_variance: rule.most_variance,
        }
    }

    /// The logarithm of a mean revenue.
    fn draw_ln(&self, rng: &mut impl Rng) -> f64 {
        let conversion = ln_beta(&self.conversion, rng);
        let variance = self.variance(rng);
        let log_mean = self.place + (variance / self.weight).sqrt() * normal(rng);
        conversion + log_mean + 0.5 * variance
    }

    /// σ², cut at the most that is believed possible.
    fn variance(&self, rng: &mut impl Rng) -> f64 {
        const TRIES: u32 = 64;
        for _ in 0..TRIES {
            let variance = self.scale / exp(self.precision.draw_ln(rng));
            if variance <= self.most_variance {
                return variance;
            }
        }
        // Nearly all of the law lies beyond the cut, so what is left crowds below it.
        self.most_variance
    }
}

/// What a trial earned: nothing, or an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revenue(Micros);

impl Revenue {
    /// Nothing.
    pub const NONE: Self = Self(Micros::ZERO);

    /// An amount; `None` for a negative one.
    pub const fn new(amount: Micros) -> Option<Self> {
        if amount.is_negative() {
            None
        } else {
            Some(Self(amount))
        }
    }
}
