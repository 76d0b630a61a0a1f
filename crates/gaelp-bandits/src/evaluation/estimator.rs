//! The estimators.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::audit::{Diagnostics, Requirements};
use super::column::Extent;
use super::error::EvaluationError;
use super::log::{Log, Model};
use super::shrink::Shrink;
use super::sum::{count, mean, sum};
use crate::ParameterViolation;

/// What a clip, a threshold or a shrinkage may be.
const LEAST: f64 = 0.0;
const MOST: f64 = 1e50;

/// How the value of the target policy is estimated.
///
/// In what follows w is a row's weight, r its reward, q̂ what the model predicts for the chosen arm
/// and d what it predicts under the target policy; means are over rows.
///
/// **Cost**: see [`Log::evaluate`], the same for all.
///
/// ```
/// use gaelp_bandits::evaluation::{Estimator, EvaluationError, Log, Requirements};
///
/// let (rewards, target) = ([1.0, 0.0, 1.0, 0.0], [0.9, 0.1, 0.9, 0.1]);
/// let log = Log::new(&rewards, &[0.5; 4], &target)?; // weights 1.8, 0.2, 1.8, 0.2
/// let log = log.with_model(&[0.6; 4], &[0.5; 4])?;
/// let value = |estimator| -> Result<f64, EvaluationError> {
///     Ok(log.evaluate(estimator, &Requirements::NONE)?.value())
/// };
/// let near = |one: f64, other: f64| (one - other).abs() < 1e-12;
/// assert!(near(value(Estimator::Ips)?, 0.9)); // (1.8 + 1.8) ÷ 4
/// assert!(near(value(Estimator::ClippedIps { most: 1.0 })?, 0.5));
/// assert!(near(value(Estimator::Snips)?, 0.9)); // the weights sum to 4
/// assert!(near(value(Estimator::Dm)?, 0.5));
/// assert!(near(value(Estimator::Dr)?, 0.5 + (2.0 * 1.8 * 0.4 - 2.0 * 0.2 * 0.6) / 4.0));
/// assert!(near(value(Estimator::Sndr)?, value(Estimator::Dr)?));
/// assert!(near(value(Estimator::SwitchDr { threshold: 1.0 })?, 0.5 - 2.0 * 0.2 * 0.6 / 4.0));
/// assert!(near(value(Estimator::DrOs { lambda: 0.0 })?, value(Estimator::Dm)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Estimator {
    /// Inverse propensity scores: mean of w r. Unbiased.
    ///
    /// Source: Horvitz & Thompson (1952), A generalization of sampling without replacement from a
    /// finite universe.
    Ips,
    /// Inverse propensity scores with weights of at most `most`: mean of min(w, `most`) r. Biased
    /// towards zero.
    ///
    /// Source: Ionides (2008), Truncated importance sampling, §2; Bottou et al. (2013),
    /// Counterfactual reasoning and learning systems, on clipping.
    ClippedIps {
        /// The largest weight that counts, above 0.
        most: f64,
    },
    /// Self-normalised: sum of w r ÷ sum of w. Biased by O(1/n), and within the range of rewards.
    ///
    /// Source: Swaminathan & Joachims (2015), The self-normalized estimator for counterfactual
    /// learning, definition of the self-normalized estimator.
    Snips,
    /// The direct method: mean of d. As good as the model; the log's rewards do not correct it.
    ///
    /// Source: Dudík, Langford & Li (2011), Doubly robust policy evaluation and learning, the direct
    /// method (DM).
    Dm,
    /// Doubly robust: mean of d + w (r − q̂). Unbiased where propensities or model are right.
    ///
    /// Source: Dudík, Langford & Li (2011), Doubly robust policy evaluation and learning, the doubly
    /// robust estimator (DR).
    Dr,
    /// Doubly robust, self-normalised: mean of d + sum of w (r − q̂) ÷ sum of w.
    ///
    /// Source: Kallus & Uehara (2019), Intrinsically efficient, stable, and bounded off-policy
    /// evaluation for reinforcement learning, the self-normalized doubly robust estimator.
    Sndr,
    /// Doubly robust where the weight is at most `threshold`, direct elsewhere. At 0 it is
    /// [`Estimator::Dm`]; beyond the largest weight, [`Estimator::Dr`].
    ///
    /// Source: Wang, Agarwal & Dudík (2017), Optimal and adaptive off-policy evaluation in
    /// contextual bandits, the switch estimator in its doubly robust form.
    SwitchDr {
        /// The largest weight for which the log is believed rather than the model.
        threshold: f64,
    },
    /// Doubly robust with optimistic shrinkage: the weight is λ w ÷ (w² + λ). At λ = 0 it is
    /// [`Estimator::Dm`]; for large λ, [`Estimator::Dr`].
    ///
    /// Source: Su, Dimakopoulou, Krishnamurthy & Dudík (2020), Doubly robust off-policy evaluation
    /// with shrinkage, optimistic shrinkage.
    DrOs {
        /// λ.
        lambda: f64,
    },
}

impl Estimator {
    /// Whether it needs predictions.
    pub const fn needs_model(self) -> bool {
        !matches!(self, Self::Ips | Self::ClippedIps { .. } | Self::Snips)
    }

    /// Whether it divides by the sum of weights, not by the number of rows.
    pub const fn is_self_normalised(self) -> bool {
        matches!(self, Self::Snips | Self::Sndr)
    }

    /// Whether weights are changed, so that the mean of the estimate is not quite the value.
    pub const fn is_shrunk(self) -> bool {
        matches!(
            self,
            Self::ClippedIps { .. } | Self::Dm | Self::SwitchDr { .. } | Self::DrOs { .. }
        )
    }

    /// What it does to weights.
    pub(crate) fn shrink(self) -> Shrink {
        let none = Shrink::NONE;
        match self {
            Self::ClippedIps { most } => Shrink { most, ..none },
            Self::SwitchDr { threshold } => Shrink { threshold, ..none },
            // No weight of at most √λ ÷ 2 is worth an overflow of 1 ÷ λ.
            Self::DrOs { lambda } if lambda < 1e-300 => Shrink { most: 0.0, ..none },
            Self::DrOs { lambda } => Shrink {
                rate: 1.0 / lambda,
                ..none
            },
            _ => none,
        }
    }

    fn violation(self) -> Option<ParameterViolation> {
        match self {
            Self::ClippedIps { most } => {
                ParameterViolation::check("most", most, f64::MIN_POSITIVE, MOST)
            }
            Self::SwitchDr { threshold } => {
                ParameterViolation::check("threshold", threshold, LEAST, MOST)
            }
            Self::DrOs { lambda } => ParameterViolation::check("lambda", lambda, LEAST, MOST),
            _ => None,
        }
    }
}

impl fmt::Display for Estimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ips => f.pad("IPS"),
            Self::ClippedIps { most } => write!(f, "IPS clipped at {most}"),
            Self::Snips => f.pad("SNIPS"),
            Self::Dm => f.pad("DM"),
            Self::Dr => f.pad("DR"),
            Self::Sndr => f.pad("SNDR"),
            Self::SwitchDr { threshold } => write!(f, "Switch-DR at {threshold}"),
            Self::DrOs { lambda } => write!(f, "DR with shrinkage {lambda}"),
        }
    }
}

impl Log<'_> {
    /// What the target policy would have earned per row, if the log can carry the answer.
    ///
    /// **Units**: those of the rewards.
    ///
    /// **Cost**: one to four passes over the columns; no memory.
    ///
    /// # Errors
    /// [`EvaluationError::Refused`] where the log falls short of the requirements, with every
    /// figure; other errors for parameters out of range, predictions that are missing, and sums of
    /// weights of zero.
    pub fn evaluate(
        &self,
        estimator: Estimator,
        requirements: &Requirements,
    ) -> Result<Evaluation<'_>, EvaluationError> {
        if let Some(violation) = estimator.violation() {
            return Err(violation.into());
        }
        if estimator.needs_model() && self.model.is_none() {
            return Err(EvaluationError::NoModel { estimator });
        }
        let shrink = estimator.shrink();
        let diagnostics = if shrink.is_none() {
            *self.diagnostics()
        } else {
            let most = self.weights().map(|w| shrink.of(w)).fold(0.0, f64::max);
            Diagnostics::of(self.target, self.logged, shrink, most)
        };
        requirements.check(estimator, self.diagnostics(), &diagnostics)?;
        if estimator.is_self_normalised() && diagnostics.mean_weight <= 0.0 {
            return Err(EvaluationError::NoWeight { estimator });
        }
        Ok(Evaluation::new(self, estimator, diagnostics))
    }
}

/// An answer, with what it rests on.
///
/// ```
/// use gaelp_bandits::evaluation::{Estimator, Log, Requirements};
///
/// let rewards = [1.0, 0.0, 1.0, 0.0];
/// let log = Log::new(&rewards, &[0.5; 4], &[0.25, 0.75, 0.75, 0.25])?;
/// // Four rows carry nothing that one should act on; a test may ask anyway.
/// assert!(log.evaluate(Estimator::Ips, &Requirements::default()).is_err());
/// let answer = log.evaluate(Estimator::Ips, &Requirements::NONE)?;
/// assert_eq!(answer.value(), (0.5 + 1.5) / 4.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Evaluation<'a> {
    pub(crate) log: &'a Log<'a>,
    pub(crate) estimator: Estimator,
    diagnostics: Diagnostics,
    value: f64,
    /// The mean of d, or zero; and what the rewards add to it.
    direct: f64,
    correction: f64,
}

impl<'a> Evaluation<'a> {
    fn new(log: &'a Log<'a>, estimator: Estimator, diagnostics: Diagnostics) -> Self {
        let model = log.model.filter(|_| estimator.needs_model());
        let direct = model.map_or(
            0.0,
            |Model {
                 direct,
                 direct_extent,
                 ..
             }| { mean([direct], direct_extent.size(), |[d]| d) },
        );
        let bound = diagnostics.largest_weight * residual_bound(log, model.as_ref());
        let shrink = estimator.shrink();
        let columns = [log.target, log.logged, log.rewards];
        let [target, logged, rewards] = columns;
        let total = match model {
            _ if estimator == Estimator::Dm => 0.0,
            None if shrink.is_none() => sum(columns, bound, |[t, p, r]| t / p * r),
            None => sum(columns, bound, |[t, p, r]| shrink.of(t / p) * r),
            Some(Model { predicted, .. }) => {
                let columns = [target, logged, rewards, predicted];
                if shrink.is_none() {
                    sum(columns, bound, |[t, p, r, q]| t / p * (r - q))
                } else {
                    sum(columns, bound, |[t, p, r, q]| shrink.of(t / p) * (r - q))
                }
            }
        };
        let correction = if estimator.is_self_normalised() {
            total / count(log.rows()) / diagnostics.mean_weight
        } else {
            total / count(log.rows())
        };
        Self {
            log,
            estimator,
            diagnostics,
            value: direct + correction,
            direct,
            correction,
        }
    }

    /// The estimate of the target policy's mean reward per row.
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// The estimator.
    pub const fn estimator(&self) -> Estimator {
        self.estimator
    }

    /// What the estimator's own weights carry, after clipping or shrinking.
    pub const fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// The standard error, for independent rows; for quotients by the delta method. Infinite for a
    /// single row.
    ///
    /// **Cost**: O(n).
    ///
    /// Source: Owen (2013), Monte Carlo theory, methods and examples, §9.2 on self-normalised importance
    /// sampling.
    pub fn standard_error(&self) -> f64 {
        let rows = count(self.log.rows());
        if self.log.rows() < 2 {
            return f64::INFINITY;
        }
        let terms = self.influences();
        let size = Extent::of(&terms).size();
        let squares = sum([&terms], size * size, |[x]| x * x);
        (squares / (rows * (rows - 1.0))).sqrt()
    }

    /// The weights it works with, by row.
    pub(crate) fn weights(&self) -> impl Iterator<Item = f64> + '_ {
        let shrink = self.estimator.shrink();
        self.log.weights().map(move |weight| shrink.of(weight))
    }

    /// By how much each row's term moves the estimate away from its value, times n.
    fn influences(&self) -> Vec<f64> {
        let Self {
            value,
            direct,
            correction,
            ..
        } = *self;
        let rewards = self.log.rewards;
        let scale = 1.0 / self.diagnostics.mean_weight;
        let model = self.log.model.filter(|_| self.estimator.needs_model());
        let rows = self.weights().zip(rewards);
        match (model, self.estimator) {
            (None, Estimator::Snips) => rows.map(|(w, r)| w * scale * (r - value)).collect(),
            (None, _) => rows.map(|(w, r)| w * r - value).collect(),
            (Some(Model { direct: d, .. }), Estimator::Dm) => d.iter().map(|d| d - value).collect(),
            (Some(model), Estimator::Sndr) => rows
                .zip(model.predicted.iter().zip(model.direct))
                .map(|((w, r), (q, d))| (d - direct) + w * scale * (r - q - correction))
                .collect(),
            (Some(model), _) => rows
                .zip(model.predicted.iter().zip(model.direct))
                .map(|((w, r), (q, d))| d + w * (r - q) - value)
                .collect(),
        }
    }

    /// The terms of which the estimate is the mean, where it is one.
    pub(crate) fn terms(&self) -> Vec<f64> {
        let influences = self.influences();
        influences.iter().map(|term| term + self.value).collect()
    }
}

/// A bound on |r|, or on |r − q̂|.
fn residual_bound(log: &Log<'_>, model: Option<&Model<'_>>) -> f64 {
    let predicted = model.map_or(0.0, |model| model.predicted_extent.size());
    log.reward_extent.size() + predicted
}
