//! The facts that a caller may supply, by what they are about.

use gaelp_core::{Micros, Quantity, Ratio, UtcHour};

use crate::{BreakerPhase, LastKnownGood};

/// Money spent today, on the account's clock, by whose cap it counts against.
///
/// Each with a reserve for the hours that are not reported yet. It may be negative after a credit,
/// which raises no cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpentToday {
    /// By the account. Every policy caps it: where it is not supplied, raises are frozen.
    pub account: Option<Micros>,
    /// By the ad set's platform.
    pub platform: Option<Micros>,
    /// By its campaign.
    pub campaign: Option<Micros>,
    /// By the ad set itself.
    pub ad_set: Option<Micros>,
}

/// The sum of the raises authorised in this hour, as hourly rates; decreases do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raised {
    /// Within the account.
    pub account: Option<Micros>,
    /// On the ad set's platform.
    pub platform: Option<Micros>,
    /// In its campaign.
    pub campaign: Option<Micros>,
    /// Of the ad set itself.
    pub ad_set: Option<Micros>,
}

/// How the ad set's writes to the platform stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// The highest hourly rate that the spend ledger would admit.
    pub headroom: Option<Micros>,
    /// The hourly rate of a write whose outcome is not known, where there is one.
    pub unresolved: Option<Micros>,
    /// Whether what is in force was read back and agrees with what the ledger holds.
    pub reconciled: Option<bool>,
    /// When somebody else last changed the budget, where it is known that somebody did.
    pub external_edit: Option<UtcHour>,
    /// How many times the budget was changed in the last hour, up or down.
    pub edits_last_hour: Option<u32>,
}

/// Shares of a day's traffic, each from 0 to 1.
///
/// A rate divided by its hour's share is the daily budget that it stands for: the
/// traffic-normalised rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Of the span that the current rate was set for.
    pub before: Ratio,
    /// Of the span that is decided.
    pub next: Ratio,
    /// Of the span 24 hours before; `None` where it is not known, then that of the span decided.
    pub day_ago: Option<Ratio>,
}

/// What is expected of the ad set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Conversions per hour. It says how many hours without one mean anything.
    pub conversions_per_hour: Option<Quantity>,
    /// Money: what a conversion is meant to cost.
    pub cpa: Option<Micros>,
}

/// What the ad set spent in the hour that was reported last, and what it usually spends then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsualSpend {
    /// Money: in that hour.
    pub last_hour: Micros,
    /// Money: in the same hour of the same weekday, the mean over the weeks before.
    pub usual: Micros,
    /// Over how many weeks the mean is taken.
    pub weeks: u32,
}

/// What is bid, in the platform's unit of billing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid {
    /// Now.
    pub current: Micros,
    /// By the proposal.
    pub proposed: Micros,
}

/// An exploration: a proposal that is made to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exploration {
    /// Money: what explorations have put at risk today, over what would have run without them.
    pub at_risk_today: Micros,
}

/// What the operator says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// The kill switch, with the rate to go back to; `None` where it is not pulled.
    /// [`KillSwitch`](crate::KillSwitch) latches it.
    pub kill: Option<LastKnownGood>,
    /// Whether the ad set is paused.
    pub paused: bool,
    /// Since when the emergency mode lasts; `None` where there is none.
    /// [`Emergency`](crate::Emergency) latches it.
    pub emergency: Option<UtcHour>,
}

/// How the system itself is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The phase of the platform's circuit breaker, see [`Breaker::phase`](crate::Breaker::phase).
    pub breaker: Option<BreakerPhase>,
    /// Whether the clock went backwards, or is not the store's.
    pub clock_trouble: bool,
}
