#![doc = include_str!("../README.md")]

#[doc(inline)]
pub use gaelp_attribution as attribution;
#[doc(inline)]
pub use gaelp_bandits as bandits;
#[doc(inline)]
pub use gaelp_budget as budget;
#[doc(inline)]
pub use gaelp_core as core;
#[doc(inline)]
pub use gaelp_guardrails as guardrails;
#[doc(inline)]
pub use gaelp_ledger as ledger;
#[doc(inline)]
pub use gaelp_platform as platform;
#[doc(inline)]
pub use gaelp_rollout as rollout;

/// What most programs name: `use gaelp::prelude::*;`.
pub mod prelude {
    pub use gaelp_bandits::{BetaPrior, BetaThompson, Feedback, UnitReward};
    pub use gaelp_core::{
        AccountZone, AdSetId, AdSetKey, ArmId, Choice, Currency, Decision, DecisionId, HourSpan,
        Level, MetricRow, Metrics, Micros, Platform, Quantity, Ratio, Reason, Revision, Rounding,
        Seed, UtcHour,
    };
    pub use gaelp_guardrails::{
        Context, GuardrailConfig, Guardrails, SpentToday, Trailing, Verdict,
    };
    pub use gaelp_platform::{AdPlatform, Capabilities, PlatformError, Report, RevenueSource};
    pub use gaelp_rollout::{Command, Event, Journal, Mode, Record, Rollout, RolloutConfig, drive};
}
