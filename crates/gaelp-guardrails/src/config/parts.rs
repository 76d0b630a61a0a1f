//! Settings that consist of several.

use gaelp_core::{Micros, Ratio};
use serde::{Deserialize, Serialize};

/// By how much hourly rates may be raised within an hour, by whose raises are added up; `None` for
/// no such cap.
///
/// This is a cap on raises authorised, not on spend: a platform may spend a daily budget in any
/// hour it likes, so no budget caps a single hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RaiseCaps {
    /// Of all ad sets of the account.
    pub account: Option<Micros>,
    /// Of those on one platform.
    pub platform: Option<Micros>,
    /// Of those in one campaign.
    pub campaign: Option<Micros>,
    /// Of one ad set.
    pub ad_set: Option<Micros>,
}

/// How the hourly ceiling shrinks as the day's target nears.
///
/// Up to `from` of the target the ceiling is whole; from there it falls in a straight line, to
/// `least` of itself where the target is spent, and stays there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taper {
    /// The share of the target from which on the ceiling falls, below 1.
    pub from: Ratio,
    /// The share of the ceiling that is left at the target, 0 to 1.
    pub least: Ratio,
}

/// What happens to what runs where raises are frozen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFreeze {
    /// It goes on as it is.
    #[default]
    Hold,
    /// It falls by this share at each decision, not below the lower bounds: the floor, and the
    /// largest decreases per hour and per 24 hours.
    StepDown(Ratio),
    /// It stops, whatever the lower bounds.
    Pause,
}
