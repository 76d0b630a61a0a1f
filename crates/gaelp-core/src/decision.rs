//! A decision, and everything that can be asked about it later.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AdSetKey, ArmId, DecisionId, HourSpan, Micros, PolicyVersion, Ratio, RuleId};

/// A probability in `(0, 1]` with which something was chosen.
///
/// ```
/// use gaelp_core::Propensity;
///
/// assert!(Propensity::new(0.25).is_ok());
/// assert!(Propensity::new(0.0).is_err()); // what cannot happen was not chosen
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Propensity(f64);

impl Propensity {
    /// The only choice there was.
    pub const CERTAIN: Self = Self(1.0);

    /// A propensity.
    ///
    /// # Errors
    /// [`PropensityError`] outside of `(0, 1]`.
    pub fn new(probability: f64) -> Result<Self, PropensityError> {
        if probability > 0.0 && probability <= 1.0 {
            Ok(Self(probability))
        } else {
            Err(PropensityError(probability))
        }
    }

    /// The probability.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// A number that is no propensity.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a propensity: a number in (0, 1] is expected")]
pub struct PropensityError(f64);

impl TryFrom<f64> for Propensity {
    type Error = PropensityError;

    fn try_from(probability: f64) -> Result<Self, Self::Error> {
        Self::new(probability)
    }
}

impl From<Propensity> for f64 {
    fn from(propensity: Propensity) -> Self {
        propensity.get()
    }
}

/// How a propensity was computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method")]
#[non_exhaustive]
pub enum PropensityMethod {
    /// In closed form, exact to rounding.
    Exact,
    /// By deterministic quadrature.
    Quadrature {
        /// An estimate of the absolute error, from the difference of two rules.
        error: f64,
    },
    /// By simulation.
    MonteCarlo {
        /// How many draws were made.
        draws: u32,
    },
}

/// What a policy chose, with what probability, and which version of it did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The arm.
    pub arm: ArmId,
    /// The probability with which this version chooses this arm among the eligible ones.
    pub propensity: Propensity,
    /// How that probability was computed.
    pub method: PropensityMethod,
    /// The version of the policy.
    pub policy: PolicyVersion,
}

/// How far a rule goes, from mild to harsh.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It has no objection.
    #[default]
    Allow,
    /// It caps the amount.
    Clamp,
    /// It forbids raising; lowering passes.
    Freeze,
    /// It forbids changing anything.
    Deny,
    /// It takes the budget down to what is known to be safe, and stays until an operator lifts it.
    Kill,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allow => "allow",
            Self::Clamp => "clamp",
            Self::Freeze => "freeze",
            Self::Deny => "deny",
            Self::Kill => "kill",
        })
    }
}

/// A value that a rule compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operand {
    /// An amount of money; for rates, an hour's worth.
    Money(Micros),
    /// A ratio.
    Ratio(Ratio),
    /// A number of hours.
    Hours(i64),
    /// A number of things.
    Count(i64),
    /// A share that has no value, such as ROAS without spend.
    Undefined,
    /// The rule compares no number, such as an allowlist.
    None,
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(amount) => amount.fmt(f),
            Self::Ratio(ratio) => ratio.fmt(f),
            Self::Hours(hours) => write!(f, "{hours} h"),
            Self::Count(count) => count.fmt(f),
            Self::Undefined => f.pad("undefined"),
            Self::None => f.pad("-"),
        }
    }
}

/// What one rule said, with the two values that it compared.
///
/// ```
/// use gaelp_core::{Level, Micros, Operand, Ratio, Reason, RuleId};
///
/// let reason = Reason {
///     rule: RuleId::new("freeze_roas"),
///     level: Level::Freeze,
///     ceiling: Some(Micros::new(420_000)),
///     observed: Operand::Ratio(Ratio::try_from(1.2)?),
///     threshold: Operand::Ratio(Ratio::try_from(1.5)?),
/// };
/// assert_eq!(reason.to_string(), "freeze_roas freeze at 0.42/h (1.20 against 1.50)");
/// # Ok::<(), gaelp_core::RatioError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule.
    pub rule: RuleId,
    /// How far it goes.
    pub level: Level,
    /// The most that it allows, as an hourly rate; `None` where it sets no bound.
    pub ceiling: Option<Micros>,
    /// What it saw.
    pub observed: Operand,
    /// What it compared that with.
    pub threshold: Operand,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rule, self.level)?;
        if let Some(ceiling) = self.ceiling {
            write!(f, " at {ceiling}/h")?;
        }
        if (self.observed, self.threshold) != (Operand::None, Operand::None) {
            write!(f, " ({} against {})", self.observed, self.threshold)?;
        }
        Ok(())
    }
}

/// A decision about one ad set for a span of hours.
///
/// Amounts are hourly rates: what may be spent per hour of the span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Its identity.
    pub id: DecisionId,
    /// The ad set.
    pub key: AdSetKey,
    /// The hours it is for.
    pub span: HourSpan,
    /// What the policy chose.
    pub choice: Choice,
    /// The rate before.
    pub current: Micros,
    /// The rate that the policy proposed.
    pub proposed: Micros,
    /// The proposal after floors and the lower bound on changes were applied.
    pub normalised: Micros,
    /// The rate that the rules allow.
    pub allowed: Micros,
    /// The harshest level among the rules.
    pub level: Level,
    /// The rule that bound the result, if one did.
    pub binding: Option<RuleId>,
    /// What each rule with an objection said.
    pub reasons: Vec<Reason>,
}

#[cfg(test)]
mod tests;
