#![doc = include_str!("../README.md")]

mod currency;
mod decision;
pub mod elementary;
mod experience;
mod id;
mod metrics;
mod money;
mod ratio;
mod seed;
#[cfg(gaelp_seeded_bugs)]
#[doc(hidden)]
pub mod seeded;
mod split;
mod time;

pub use currency::{Currency, Money, MoneyError, ParseCurrencyError};
pub use decision::{
    Choice, Decision, Level, Operand, Propensity, PropensityError, PropensityMethod, Reason,
};
pub use experience::{EndKind, Experience, RewardCorrection};
pub use id::{
    AdSetId, AdSetKey, ArmId, AudienceId, OrderId, PersonId, Platform, PolicyVersion, RuleId,
    TouchpointId,
};
pub use metrics::{MetricRow, Metrics, MetricsOverflow, Quantity, Restated, Revision};
pub use money::{Micros, ParseMoneyError, Rounding};
pub use ratio::{Ratio, RatioError};
pub use seed::{DecisionId, DecisionKey, ParseDecisionIdError, Seed};
pub use split::{SplitError, split, split_by};
pub use time::{AccountZone, HourSpan, LocalHour, ParseZoneError, Resolved, UtcHour};
