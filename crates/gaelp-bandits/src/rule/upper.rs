//! Upper confidence bounds, and the index of minimum empirical divergence.

use serde::{Deserialize, Serialize};

use super::index::{Field, IndexRule};
use crate::numeric::elementary::ln;
use crate::numeric::logit_beta::{LogitBeta, expit};
use crate::{BetaPrior, Figures, ParameterViolation};

/// UCB1: the mean and a width that shrinks with the root of the trials.
///
/// The index is x̄ + α √(2 ln n ÷ nᵢ), with n the trials of all arms. It needs no more than rewards
/// in [0, 1] and is far too careful for rare successes: [`KlUcb`] earns several times more there.
///
/// **Cost**: O(K), a logarithm and K roots.
///
/// **Source**: Auer, Cesa-Bianchi & Fischer (2002), Finite-time analysis of the multiarmed bandit
/// problem, figure 1 (α = 1).
///
/// ```
/// use gaelp_bandits::{Bandit, Policy, Ucb1};
/// use gaelp_core::{ArmId, DecisionId, Seed};
///
/// let policy = Bandit::new(Ucb1 { alpha: 0.5 }, (0..4).map(ArmId::new))?;
/// let chosen = policy.select(&policy.all(), Seed::new(1), DecisionId::new(1))?;
/// assert_eq!(chosen.propensity.get(), 0.25); // untried arms share the choice
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ucb1 {
    /// How much exploration: from 0.001 to 100. The source's is 1.
    pub alpha: f64,
}

impl Default for Ucb1 {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl IndexRule for Ucb1 {
    fn violations(&self) -> Vec<ParameterViolation> {
        let violation = ParameterViolation::check("alpha", self.alpha, 1e-3, 100.0);
        violation.into_iter().collect()
    }

    fn index(&self, arm: &Figures, field: &Field) -> f64 {
        mean(arm) + self.alpha * (2.0 * log(field.trials) / arm.trials).sqrt()
    }

    fn may_exceed(&self, _: &Figures, _: &Field, _: f64) -> bool {
        true
    }
}

/// UCB-V: a width that knows the variance of what was seen.
///
/// The index is x̄ + √(2 V ζ ln n ÷ nᵢ) + 3 c ζ ln n ÷ nᵢ, with V the empirical variance and n the
/// trials of all arms.
///
/// **Cost**: O(K), a logarithm and K roots.
///
/// **Source**: Audibert, Munos & Szepesvári (2009), Exploration–exploitation tradeoff using
/// variance estimates in multi-armed bandits, the UCB-V policy, whose index is the upper bound of
/// their theorem 1 where c = 1, with exploration ζ ln n and b = 1.
///
/// ```
/// use gaelp_bandits::{Bandit, Outcome, Policy, UcbV, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// assert!(Bandit::new(UcbV { zeta: f64::NAN, c: 1.0 }, [ArmId::new(0)]).is_err());
/// let mut policy = Bandit::new(UcbV::default(), [ArmId::new(0)])?;
/// for decision in (0..10).map(DecisionId::new) {
///     let chosen = policy.select(&policy.all(), Seed::new(7), decision)?;
///     policy.update(&[Outcome::of(&chosen, UtcHour::new(0), UnitReward::new(0.25)?)])?;
/// }
/// // Rewards that never vary: only the last term is left of the width.
/// let width = 3.0 * 1.2 * 10.0_f64.ln() / 10.0;
/// assert!(policy.scores().all(|(_, score)| (score - (0.25 + width)).abs() < 1e-9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UcbV {
    /// ζ, from 0.001 to 100. The source proves its bounds above 1; 1.2 is its example.
    pub zeta: f64,
    /// c, from 0 to 100. The source proves its bounds for 3 ζ c > 1.
    pub c: f64,
}

impl Default for UcbV {
    fn default() -> Self {
        Self { zeta: 1.2, c: 1.0 }
    }
}

impl IndexRule for UcbV {
    fn violations(&self) -> Vec<ParameterViolation> {
        let zeta = ParameterViolation::check("zeta", self.zeta, 1e-3, 100.0);
        let c = ParameterViolation::check("c", self.c, 0.0, 100.0);
        zeta.into_iter().chain(c).collect()
    }

    fn index(&self, arm: &Figures, field: &Field) -> f64 {
        let exploration = self.zeta * log(field.trials) / arm.trials;
        let variance = arm.variance().unwrap_or(0.0);
        mean(arm) + (2.0 * variance * exploration).sqrt() + 3.0 * self.c * exploration
    }

    fn may_exceed(&self, _: &Figures, _: &Field, _: f64) -> bool {
        true
    }
}

/// KL-UCB: the largest success rate that what was seen does not speak against.
///
/// The index is the largest q with nᵢ kl(x̄, q) ≤ ln n + c ln ln n, with n the trials of all arms
/// and kl the divergence of Bernoulli variables. It is the right bound for any rewards in [0, 1],
/// and reaches the least regret possible for successes and failures as n grows.
///
/// **Cost**: O(K) divergences, and a bisection for the arms that could be the best: some 1 µs.
///
/// **Source**: Garivier & Cappé (2011), The KL-UCB algorithm for bounded stochastic bandits and
/// beyond, algorithm 1; c = 0, as they recommend in practice.
///
/// ```
/// use gaelp_bandits::{Bandit, KlUcb, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut policy = Bandit::new(KlUcb::default(), (0..2).map(ArmId::new))?;
/// for decision in (0..100).map(DecisionId::new) {
///     let chosen = policy.select(&policy.all(), Seed::new(7), decision)?;
///     let won = UnitReward::new(if chosen.key.arm == ArmId::new(1) { 0.9 } else { 0.1 })?;
///     policy.update(&[Outcome::of(&chosen, UtcHour::new(0), won)])?;
/// }
/// let trials: Vec<_> = policy.arms().map(|(_, seen)| seen.trials).collect();
/// assert!(trials[1] > 10.0 * trials[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KlUcb {
    /// c, from 0 to 10: 0 in practice, 3 in the source's proofs.
    pub c: f64,
}

impl KlUcb {
    fn evidence(self, field: &Field) -> f64 {
        let log_n = log(field.trials);
        log_n + self.c * log(log_n)
    }
}

impl IndexRule for KlUcb {
    fn violations(&self) -> Vec<ParameterViolation> {
        let violation = ParameterViolation::check("c", self.c, 0.0, 10.0);
        violation.into_iter().collect()
    }

    fn index(&self, arm: &Figures, field: &Field) -> f64 {
        kl_upper(mean(arm), self.evidence(field) / arm.trials)
    }

    fn may_exceed(&self, arm: &Figures, field: &Field, number: f64) -> bool {
        reaches(mean(arm), number, self.evidence(field) / arm.trials)
    }
}

/// KL-UCB⁺: [`KlUcb`] that explores an arm less the more it was tried.
///
/// The index is the largest q with nᵢ kl(x̄, q) ≤ ln(n ÷ nᵢ): the least regret possible as n grows,
/// and much less than [`KlUcb`]'s from the start.
///
/// **Cost**: as [`KlUcb`].
///
/// **Source**: Garivier & Cappé (2011), where it is called KL-UCB⁺ and measured; the proof that it
/// is optimal as n grows is Honda (2019), A note on KL-UCB+ policy for the stochastic bandit.
///
/// ```
/// use gaelp_bandits::{Bandit, KlUcb, KlUcbPlus, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut eager = Bandit::new(KlUcb::default(), (0..2).map(ArmId::new))?;
/// let mut policy = Bandit::new(KlUcbPlus, (0..2).map(ArmId::new))?;
/// for decision in (0..50).map(DecisionId::new) {
///     let chosen = policy.select(&policy.all(), Seed::new(7), decision)?;
///     let won = UnitReward::new(if chosen.key.arm == ArmId::new(1) { 0.9 } else { 0.1 })?;
///     let came = Outcome::of(&chosen, UtcHour::new(0), won);
///     policy.update(&[came])?;
///     eager.update(&[came])?;
/// }
/// // From the same evidence it hopes for no more.
/// for ((_, score), (_, eager)) in policy.scores().zip(eager.scores()) {
///     assert!(score <= eager);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KlUcbPlus;

impl IndexRule for KlUcbPlus {
    fn violations(&self) -> Vec<ParameterViolation> {
        Vec::new()
    }

    fn index(&self, arm: &Figures, field: &Field) -> f64 {
        kl_upper(mean(arm), log(field.trials / arm.trials) / arm.trials)
    }

    fn may_exceed(&self, arm: &Figures, field: &Field, number: f64) -> bool {
        let evidence = log(field.trials / arm.trials);
        reaches(mean(arm), number, evidence / arm.trials)
    }
}

/// IMED: the arm for which being the best needs the least luck.
///
/// The arm with the least nᵢ kl(x̄ᵢ, x̄*) + ln nᵢ is chosen, with x̄* the largest mean; the index is
/// its negative. It reaches the least regret possible as n grows, and costs two logarithms per arm.
///
/// **Cost**: O(K) divergences.
///
/// **Source**: Honda & Takemura (2015), Non-asymptotic analysis of a new bandit algorithm for
/// semi-bounded rewards, algorithm 1 (IMED), for Bernoulli variables.
///
/// ```
/// use gaelp_bandits::{Bandit, Imed, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut policy = Bandit::new(Imed, (0..2).map(ArmId::new))?;
/// for decision in (0..100).map(DecisionId::new) {
///     let chosen = policy.select(&policy.all(), Seed::new(7), decision)?;
///     let won = UnitReward::new(if chosen.key.arm == ArmId::new(1) { 0.9 } else { 0.1 })?;
///     policy.update(&[Outcome::of(&chosen, UtcHour::new(0), won)])?;
/// }
/// let trials: Vec<_> = policy.arms().map(|(_, seen)| seen.trials).collect();
/// assert!(trials[1] > 10.0 * trials[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imed;

impl IndexRule for Imed {
    fn violations(&self) -> Vec<ParameterViolation> {
        Vec::new()
    }

    fn index(&self, arm: &Figures, field: &Field) -> f64 {
        let mean = mean(arm);
        let divergence = if mean < field.best_mean {
            arm.trials * kl(mean, field.best_mean)
        } else {
            0.0
        };
        -(divergence + ln(arm.trials))
    }

    fn may_exceed(&self, _: &Figures, _: &Field, _: f64) -> bool {
        true
    }
}

/// Bayes-UCB: a high quantile of what is believed of the arm.
///
/// The index is the quantile of 1 − 1 ÷ (t (ln t)ᶜ) of Beta(prior + successes, prior + failures),
/// with t the number of this trial.
///
/// **Cost**: a quantile, 20 µs, for each arm that could be the best; the others are dismissed by a
/// bound on their tail.
///
/// **Source**: Kaufmann, Cappé & Garivier (2012), On Bayesian upper confidence bounds for bandit
/// problems, algorithm 1, with the horizon's ln n replaced by ln t; c = 0, as in their
/// experiments.
///
/// ```
/// use gaelp_bandits::{Bandit, BayesUcb, Outcome, Policy, UnitReward};
/// use gaelp_core::{ArmId, DecisionId, Seed, UtcHour};
///
/// let mut policy = Bandit::new(BayesUcb::default(), [ArmId::new(0)])?;
/// let chosen = policy.select(&policy.all(), Seed::new(7), DecisionId::new(1))?;
/// policy.update(&[Outcome::of(&chosen, UtcHour::new(0), UnitReward::SUCCESS)])?;
/// // Beta(2, 1) has the distribution function x², and its quantile of ½ is asked for.
/// assert!(policy.scores().all(|(_, score)| (score - 0.5_f64.sqrt()).abs() < 1e-9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BayesUcb {
    /// What is believed of every arm before its first trial.
    pub prior: BetaPrior,
    /// c, from 0 to 10: 0 in practice, 5 in the source's proofs.
    pub c: f64,
}

impl BayesUcb {
    fn law(&self, arm: &Figures) -> LogitBeta {
        let (a, b) = super::success::shapes(self.prior, arm);
        LogitBeta::new(a, b)
    }

    fn outside(&self, field: &Field) -> f64 {
        let t = field.trials + 1.0;
        let log_t = log(t).max(1.0);
        1.0 / (t * crate::numeric::elementary::exp(self.c * ln(log_t)))
    }
}

impl IndexRule for BayesUcb {
    fn violations(&self) -> Vec<ParameterViolation> {
        let c = ParameterViolation::check("c", self.c, 0.0, 10.0);
        super::success::prior_violations(self.prior)
            .chain(c)
            .collect()
    }

    fn index(&self, arm: &Figures, field: &Field) -> f64 {
        let outside = self.outside(field).min(0.5);
        expit(self.law(arm).quantile(1.0 - outside))
    }

    fn may_exceed(&self, arm: &Figures, field: &Field, number: f64) -> bool {
        // Beyond the mode the density falls faster than its tangent: a bound on the tail.
        self.law(arm).tail_bound(logit(number * (1.0 - 1e-12))) >= self.outside(field).min(0.5)
    }
}

fn logit(x: f64) -> f64 {
    ln(x.max(1e-300)) - ln((1.0 - x).max(1e-300))
}

/// The mean, for an arm with at least part of a trial, as a success rate.
fn mean(arm: &Figures) -> f64 {
    arm.mean().unwrap_or(1.0).clamp(0.0, 1.0)
}

/// ln x, and 0 below 1.
fn log(x: f64) -> f64 {
    if x > 1.0 { ln(x) } else { 0.0 }
}

/// The divergence of Bernoulli(q) from Bernoulli(p).
pub(crate) fn kl(p: f64, q: f64) -> f64 {
    let part = |p: f64, q: f64| {
        if p <= 0.0 {
            0.0
        } else if q <= 0.0 {
            f64::INFINITY
        } else {
            p * ln(p / q)
        }
    };
    part(p, q) + part(1.0 - p, 1.0 - q)
}

/// Whether q may lie below the bound of [`kl_upper`], with room for its rounding.
fn reaches(p: f64, q: f64, limit: f64) -> bool {
    let q = q * (1.0 - 1e-9);
    q <= p || kl(p, q) <= limit
}

/// The largest q in [p, 1] with kl(p, q) ≤ limit, to 1e-12.
pub(crate) fn kl_upper(p: f64, limit: f64) -> f64 {
    if p >= 1.0 || limit <= 0.0 {
        return p;
    }
    // Pinsker's inequality bounds it from above; Newton's method on the convex divergence comes
    // down to it from there, and never below.
    let mut q = (p + (0.5 * limit).sqrt()).min(1.0 - 1e-15);
    if p <= 0.0 {
        // kl(0, q) = −ln(1 − q)
        return -crate::numeric::elementary::exp_m1(-limit);
    }
    for _ in 0..60 {
        let excess = kl(p, q) - limit;
        let slope = (q - p) / (q * (1.0 - q));
        let step = excess / slope;
        let next = (q - step).clamp(p, 1.0 - 1e-15);
        let moved = (next - q).abs();
        q = next;
        if excess <= 0.0 || moved < 1e-14 * q {
            break;
        }
    }
    q
}

/// The smallest q in [0, p] with kl(p, q) ≤ limit.
pub(crate) fn kl_lower(p: f64, limit: f64) -> f64 {
    1.0 - kl_upper(1.0 - p, limit)
}
