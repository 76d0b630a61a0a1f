//! What the rules look at.

use gaelp_core::{AdSetKey, AudienceId, HourSpan, LocalHour, Micros, UtcHour};
use serde::{Deserialize, Serialize};

use crate::{Memory, Trailing, Window};

mod facts;

pub use facts::{
    Bid, Expected, Exploration, Health, Operator, Raised, SpentToday, Traffic, UsualSpend, Writes,
};

/// Everything that the rules look at: one ad set, one span of hours.
///
/// It borrows and is cheap to make: nothing is allocated. [`Context::new`] takes what every
/// decision needs; all the other facts are fields, and what is not supplied is `None`.
///
/// A rule whose fact is not supplied is silent, unless the settings ask for it: by a bound that
/// needs the fact, or by [`require`](crate::GuardrailConfig::require). Then raises are frozen.
///
/// **Units.** Rates are hourly: what may be spent per hour of the span. Amounts of money are named
/// so.
///
/// ```
/// use gaelp_core::{AccountZone, AdSetKey, HourSpan, Platform, UtcHour};
/// use gaelp_guardrails::{Context, GuardrailConfig, SpentToday};
///
/// let guardrails = GuardrailConfig::default().validate()?;
/// let (key, trailing) = (AdSetKey::new(Platform::Meta, "23851"), guardrails.trailing());
/// let now = UtcHour::new(498_666);
/// let (span, local) = (HourSpan::hour(now), AccountZone::UTC.local(now));
/// let context = Context {
///     spent: SpentToday { account: Some("7.00".parse()?), ..SpentToday::default() },
///     share: Some("3.00".parse()?),
///     ..Context::new(&key, span, local, "0.50".parse()?, &trailing, now)
/// };
/// // Nothing was reported yet.
/// assert!(!guardrails.may_raise(&context));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// What was reported about the ad set.
    pub trailing: &'a Trailing,
    /// The hour in which the decision is made; what ends after its beginning is not known yet.
    pub now: UtcHour,
    /// What [`trailing`](Self::trailing) says of the
    /// [window](crate::GuardrailConfig::roas_window_hours) up to `now`, where whoever asks has it
    /// already because several proposals are judged. `None`, or one of another length: it is summed.
    pub window: Option<Window>,
    /// What the previous verdict on this ad set left to remember.
    pub memory: Memory,
    /// Money: what was spent today, each with a reserve for the hours not yet reported.
    pub spent: SpentToday,
    /// Money: this ad set's part of what the account may still spend, for the whole span.
    pub share: Option<Micros>,
    /// Money: what the account is to spend today, for the reduced caps as that nears.
    pub target_today: Option<Micros>,
    /// By how much hourly rates were raised in this hour already.
    pub raised: Raised,
    /// How the ad set's writes to the platform stand.
    pub writes: Writes,
    /// How the day's traffic falls onto the hours.
    pub traffic: Option<Traffic>,
    /// What is expected of the ad set.
    pub expected: Expected,
    /// What is usually spent in the hour that was reported last.
    pub usual: Option<UsualSpend>,
    /// What is bid, where it is.
    pub bid: Option<Bid>,
    /// Where the proposal is an exploration: what is at risk already.
    pub exploration: Option<Exploration>,
    /// Whom the ad set is shown to.
    pub audience: Option<&'a AudienceId>,
    /// What the operator says.
    pub operator: Operator,
    /// How the system itself is.
    pub health: Health,
}

impl<'a> Context<'a> {
    /// What every decision needs; nothing else is supplied.
    pub fn new(
        key: &'a AdSetKey,
        span: HourSpan,
        local: LocalHour,
        current: Micros,
        trailing: &'a Trailing,
        now: UtcHour,
    ) -> Self {
        Self {
            key,
            span,
            local,
            current,
            day_ago: None,
            trailing,
            now,
            window: None,
            memory: Memory::default(),
            spent: SpentToday::default(),
            share: None,
            target_today: None,
            raised: Raised::default(),
            writes: Writes::default(),
            traffic: None,
            expected: Expected::default(),
            usual: None,
            bid: None,
            exploration: None,
            audience: None,
            operator: Operator::default(),
            health: Health::default(),
        }
    }
}

/// The rate that the kill switch goes back to, never a raise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastKnownGood {
    /// The hourly rate; zero stops the ad set.
    pub rate: Micros,
}
