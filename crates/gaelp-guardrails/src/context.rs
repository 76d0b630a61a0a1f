//! What the rules look at.

use gaelp_core::{AdSetKey, HourSpan, LocalHour, Micros, UtcHour};
use serde::{Deserialize, Serialize};

use crate::{Memory, Trailing};

/// Everything that the rules look at: one ad set, one span of hours.
///
/// It borrows and is cheap to make: nothing is allocated.
///
/// **Units.** Rates are hourly: what may be spent per hour of the span. Amounts of money are named
/// so.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The ad set.
    pub key: &'a AdSetKey,
    /// The hours that are decided: one for hourly data, a local day for daily data.
    pub span: HourSpan,
    /// What the account's clock shows in the first hour of the span.
    pub local: LocalHour,
    /// The rate in force.
    pub current: Micros,
    /// The rate that was in force 24 hours before. `None` where it is not known: then the bound
    /// per 24 hours counts from the current rate, which lets the rate drift by that bound at each
    /// decision until it is known.
    pub day_ago: Option<Micros>,
    /// Money: what the account has spent today, with a reserve for the hours not yet reported.
    pub account_spent_today: Micros,
    /// Money: this ad set's part of what the account may still spend, for the whole span.
    pub account_share: Micros,
    /// Money: what this ad set has spent today, with the same reserve.
    pub ad_set_spent_today: Micros,
    /// What was reported about the ad set.
    pub trailing: &'a Trailing,
    /// The hour in which the decision is made; what ends after its beginning is not known yet.
    pub now: UtcHour,
    /// What the previous verdict on this ad set left to remember.
    pub memory: Memory,
    /// The operator's kill switch, with the rate to go back to; `None` where it is not pulled.
    /// Once pulled, the caller keeps it here until an operator lifts it.
    pub kill: Option<LastKnownGood>,
}

/// The rate that the kill switch goes back to, never a raise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastKnownGood {
    /// The hourly rate; zero stops the ad set.
    pub rate: Micros,
}
