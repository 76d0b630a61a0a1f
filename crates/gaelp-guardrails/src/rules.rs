//! The rules, by name.
//!
//! Each is a pure function of one immutable context and of the proposal after
//! [normalisation](crate::Guardrails::normalise). None sees what another says.
//!
//! | kind | rules | level | ceiling |
//! |---|---|---|---|
//! | operator | [`KILL_SWITCH`] | kill | the last known good rate, or the current one if lower |
//! | operator | [`EMERGENCY`], [`PAUSED`] | freeze | the current rate, or as [`on_freeze`] says |
//! | input | [`ARITHMETIC`] | deny | the current rate |
//! | lists | [`CANARY`], [`BLOCKED`], [`CANARY_AUDIENCE`], [`BLOCKED_AUDIENCE`] | deny | the current rate |
//! | writes | [`UNRECONCILED`], [`EXTERNAL_EDIT`] | freeze | the current rate |
//! | writes | [`UNRESOLVED_WRITE`] | freeze | the rate sent, or the current one if lower |
//! | writes | [`EDITS`] | freeze, and deny where none is left | the current rate |
//! | health | [`CLOCK`], [`BREAKER`] | freeze | the current rate |
//! | caps | [`DAILY_CAP`], [`ACCOUNT_SHARE`], [`PLATFORM_DAILY_CAP`], [`CAMPAIGN_DAILY_CAP`], [`AD_SET_DAILY_CAP`] | clamp | what is left, per hour |
//! | caps | [`HOURLY_CEILING`], [`TAPER`] | clamp | the highest rate |
//! | raises | [`LEDGER_HEADROOM`], [`ACCOUNT_RAISES`], [`PLATFORM_RAISES`], [`CAMPAIGN_RAISES`], [`AD_SET_RAISES`], [`EXPLORATION_RISK`] | clamp | the largest raise |
//! | bids | [`BID_BOUNDS`] | clamp | of the rate none; it bounds the [bid](crate::Verdict::bid) |
//! | changes | [`DELTA_MAX`], [`DELTA_MAX_24H`], [`DELTA_NORMALISED`], [`DELTA_NORMALISED_24H`] | clamp | the largest raise |
//! | hours | [`PEAK_HOURS`] | freeze | the current rate |
//! | hours | [`RESTRICTED_HOURS`] | freeze | the current rate, or the [setting] if lower |
//! | data | [`STALE_DATA`], [`THIN_DATA`] | freeze | the current rate, or as [`on_missing_data`] says |
//! | results | [`FREEZE_ROAS`], [`FREEZE_CPA`], [`FREEZE_CONVERSIONS`], [`CPA_MULTIPLIER`] | freeze | the current rate, or as [`on_freeze`] says |
//! | results | [`SPEND_SPIKE`] | freeze | nothing, or as [`on_spike`] says |
//!
//! Only caps, the kill switch, the restricted hours, an unresolved write, and freezes that are set
//! to step down or to pause have a ceiling below the current rate: they alone lower what runs, and
//! no other rule keeps them from it.
//!
//! A clamp objects where the proposal exceeds its ceiling. A freeze, a denial and the kill switch
//! describe the state of the ad set, so they object whatever is proposed.
//!
//! A rule that is switched on and whose fact is not supplied freezes raises, and compares
//! `undefined` with its bound.
//!
//! [`on_freeze`]: crate::GuardrailConfig::on_freeze
//! [`on_missing_data`]: crate::GuardrailConfig::on_missing_data
//! [`on_spike`]: crate::GuardrailConfig::on_spike
//! [setting]: crate::GuardrailConfig::restricted_ceiling

pub(crate) mod bids;
mod caps;
mod changes;
mod data;
mod facts;
mod health;
mod hours;
mod input;
mod lists;
mod operator;
mod raises;
mod results;
mod writes;

use gaelp_core::{Level, Micros, Operand, RuleId};

use crate::Context;

pub(crate) use facts::{Facts, normalise};

/// The operator has pulled the kill switch. Compares the current rate with the last known good one.
pub const KILL_SWITCH: RuleId = RuleId::new("kill_switch");
/// The emergency mode lasts. Compares the hours since it began with none.
pub const EMERGENCY: RuleId = RuleId::new("emergency");
/// The operator has paused the ad set.
pub const PAUSED: RuleId = RuleId::new("paused");
/// An amount is negative where it cannot be, or larger than what is computed with, or a share of
/// the traffic is none, or the span has no hour. Compares the value with its limit.
pub const ARITHMETIC: RuleId = RuleId::new("arithmetic");
/// The ad set is not on the list of those that may be changed.
pub const CANARY: RuleId = RuleId::new("canary");
/// The ad set is on the list of those that may not be changed.
pub const BLOCKED: RuleId = RuleId::new("blocked");
/// The audience is not on the list of those whose ad sets may be changed.
pub const CANARY_AUDIENCE: RuleId = RuleId::new("canary_audience");
/// The audience is on the list of those whose ad sets may not be changed.
pub const BLOCKED_AUDIENCE: RuleId = RuleId::new("blocked_audience");
/// What is in force was not read back, or is not what the ledger holds.
pub const UNRECONCILED: RuleId = RuleId::new("unreconciled");
/// The outcome of an earlier write is not known. Compares what was sent with the current rate.
pub const UNRESOLVED_WRITE: RuleId = RuleId::new("unresolved_write");
/// Somebody else changed the budget. Compares the hours since with the setting.
pub const EXTERNAL_EDIT: RuleId = RuleId::new("external_edit");
/// The budget was changed too often in the last hour. Compares the changes with those allowed: one
/// fewer for raises, because the last one is reserved for a decrease.
pub const EDITS: RuleId = RuleId::new("edits");
/// The clock cannot be trusted.
pub const CLOCK: RuleId = RuleId::new("clock");
/// Too many calls to the platform failed. Its circuit breaker is not closed.
pub const BREAKER: RuleId = RuleId::new("breaker");
/// The account's cap per local day. Compares what is spent today with the cap.
pub const DAILY_CAP: RuleId = RuleId::new("daily_cap");
/// The ad set's part of what the account may still spend. Compares what the proposal would spend
/// in the span with that part.
pub const ACCOUNT_SHARE: RuleId = RuleId::new("account_share");
/// The platform's cap per local day. Compares as [`DAILY_CAP`].
pub const PLATFORM_DAILY_CAP: RuleId = RuleId::new("platform_daily_cap");
/// The campaign's cap per local day. Compares as [`DAILY_CAP`].
pub const CAMPAIGN_DAILY_CAP: RuleId = RuleId::new("campaign_daily_cap");
/// The ad set's own cap per local day. Compares what it has spent today with the cap.
pub const AD_SET_DAILY_CAP: RuleId = RuleId::new("ad_set_daily_cap");
/// The highest hourly rate. Compares the proposal with it.
pub const HOURLY_CEILING: RuleId = RuleId::new("hourly_ceiling");
/// The hourly ceiling, reduced as the day's target nears. Compares what the account has spent with
/// the target.
pub const TAPER: RuleId = RuleId::new("taper");
/// The highest rate that the spend ledger would admit. Compares the proposal with it.
pub const LEDGER_HEADROOM: RuleId = RuleId::new("ledger_headroom");
/// The raises of an hour within the account. Compares those authorised with the cap.
pub const ACCOUNT_RAISES: RuleId = RuleId::new("account_raises");
/// The raises of an hour on the platform. Compares as [`ACCOUNT_RAISES`].
pub const PLATFORM_RAISES: RuleId = RuleId::new("platform_raises");
/// The raises of an hour in the campaign. Compares as [`ACCOUNT_RAISES`].
pub const CAMPAIGN_RAISES: RuleId = RuleId::new("campaign_raises");
/// The raises of an hour of the ad set. Compares as [`ACCOUNT_RAISES`].
pub const AD_SET_RAISES: RuleId = RuleId::new("ad_set_raises");
/// What explorations may put at risk in a day. Compares what is at risk with the cap.
pub const EXPLORATION_RISK: RuleId = RuleId::new("exploration_risk");
/// The lowest and the highest bid. Compares the proposed bid with the bound that it crosses.
pub const BID_BOUNDS: RuleId = RuleId::new("bid_bounds");
/// The largest raise from one hour to the next. Compares the proposal with the rate it counts from.
pub const DELTA_MAX: RuleId = RuleId::new("delta_max");
/// The largest raise within 24 hours. Compares the proposal with the rate it counts from.
pub const DELTA_MAX_24H: RuleId = RuleId::new("delta_max_24h");
/// The largest raise of the traffic-normalised rate from one hour to the next. Compares the
/// proposal with what the current rate is worth at the traffic of the span.
pub const DELTA_NORMALISED: RuleId = RuleId::new("delta_normalised");
/// The largest raise of the traffic-normalised rate within 24 hours. Compares as
/// [`DELTA_NORMALISED`].
pub const DELTA_NORMALISED_24H: RuleId = RuleId::new("delta_normalised_24h");
/// Raises only in the peak hours. Compares the local hour with the first hour of the peak.
pub const PEAK_HOURS: RuleId = RuleId::new("peak_hours");
/// No raises in the restricted hours. Compares the local hour with the first of them.
pub const RESTRICTED_HOURS: RuleId = RuleId::new("restricted_hours");
/// The newest report is too old. Compares its age with the limit.
pub const STALE_DATA: RuleId = RuleId::new("stale_data");
/// Too few hours of the window are reported. Compares their share with the limit.
pub const THIN_DATA: RuleId = RuleId::new("thin_data");
/// ROAS is, or recently was, below its bound. Compares ROAS with the bound in force; a freeze that
/// lasts only for its minimum time compares hours.
pub const FREEZE_ROAS: RuleId = RuleId::new("freeze_roas");
/// CPA is, or recently was, above its bound. Compares as [`FREEZE_ROAS`].
pub const FREEZE_CPA: RuleId = RuleId::new("freeze_cpa");
/// Too many hours without a conversion. Compares them with the limit.
pub const FREEZE_CONVERSIONS: RuleId = RuleId::new("freeze_conversions");
/// CPA is above the largest multiple of what it is meant to be. Compares CPA with that.
pub const CPA_MULTIPLIER: RuleId = RuleId::new("cpa_multiplier");
/// The last hour's spend was, or recently was, above the largest multiple of the usual one. Compares
/// the spend with that; a pause that lasts only for its minimum time compares hours.
pub const SPEND_SPIKE: RuleId = RuleId::new("spend_spike");

/// How many rules there are.
pub(crate) const COUNT: usize = 41;

/// All rules, in the order in which reasons are listed.
pub static ALL: [RuleId; COUNT] = [
    KILL_SWITCH,
    EMERGENCY,
    PAUSED,
    ARITHMETIC,
    CANARY,
    BLOCKED,
    CANARY_AUDIENCE,
    BLOCKED_AUDIENCE,
    UNRECONCILED,
    UNRESOLVED_WRITE,
    EXTERNAL_EDIT,
    EDITS,
    CLOCK,
    BREAKER,
    DAILY_CAP,
    ACCOUNT_SHARE,
    PLATFORM_DAILY_CAP,
    CAMPAIGN_DAILY_CAP,
    AD_SET_DAILY_CAP,
    HOURLY_CEILING,
    TAPER,
    LEDGER_HEADROOM,
    ACCOUNT_RAISES,
    PLATFORM_RAISES,
    CAMPAIGN_RAISES,
    AD_SET_RAISES,
    EXPLORATION_RISK,
    BID_BOUNDS,
    DELTA_MAX,
    DELTA_MAX_24H,
    DELTA_NORMALISED,
    DELTA_NORMALISED_24H,
    PEAK_HOURS,
    RESTRICTED_HOURS,
    STALE_DATA,
    THIN_DATA,
    FREEZE_ROAS,
    FREEZE_CPA,
    FREEZE_CONVERSIONS,
    CPA_MULTIPLIER,
    SPEND_SPIKE,
];

/// The rules that can never be among those that are only
/// [observed](crate::GuardrailConfig::observe): without them a raise could be unsafe, and no
/// candidate policy is worth that.
pub static ALWAYS_ENFORCED: [RuleId; 12] = [
    KILL_SWITCH,
    EMERGENCY,
    PAUSED,
    ARITHMETIC,
    UNRECONCILED,
    UNRESOLVED_WRITE,
    CLOCK,
    DAILY_CAP,
    ACCOUNT_SHARE,
    LEDGER_HEADROOM,
    STALE_DATA,
    THIN_DATA,
];

/// The rules that are silent where their fact is not supplied, and that
/// [can be told](crate::GuardrailConfig::require) to freeze raises then.
pub fn requirable() -> impl Iterator<Item = &'static RuleId> {
    let table = RULES.iter().filter(|rule| rule.supplied.is_some());
    table.map(|rule| &rule.id)
}

/// What one rule says; its answer is `None` where it is switched off or does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restriction {
    pub(crate) ceiling: Option<Micros>,
    pub(crate) level: Level,
    pub(crate) observed: Operand,
    pub(crate) threshold: Operand,
}

/// Writes down what a rule says. Answers are too large to be handed around: that would cost more
/// than the rules themselves.
type Check = fn(&Facts<'_>, &mut Option<Restriction>);

/// A rule with its name.
pub(crate) struct Rule {
    pub(crate) id: RuleId,
    pub(crate) check: Check,
    /// Whether the fact it looks at is supplied; `None` where it needs none, or objects by itself.
    pub(crate) supplied: Option<fn(&Context<'_>) -> bool>,
}

/// A rule with its name, its check, and where it has one, whether its fact is supplied.
macro_rules! rule {
    ($id:ident, $check:path) => {
        rule!($id, $check; None)
    };
    ($id:ident, $check:path, $supplied:expr) => {
        rule!($id, $check; Some($supplied))
    };
    ($id:ident, $check:path; $supplied:expr) => {
        Rule {
            id: $id,
            check: |facts, said| {
                *said = $check(facts);
            },
            supplied: $supplied,
        }
    };
}

/// The rules in the order of [`ALL`].
pub(crate) static RULES: [Rule; COUNT] = [
    rule!(KILL_SWITCH, operator::kill_switch),
    rule!(EMERGENCY, operator::emergency),
    rule!(PAUSED, operator::paused),
    rule!(ARITHMETIC, input::arithmetic),
    rule!(CANARY, lists::canary),
    rule!(BLOCKED, lists::blocked),
    rule!(CANARY_AUDIENCE, lists::canary_audience),
    rule!(BLOCKED_AUDIENCE, lists::blocked_audience),
    rule!(UNRECONCILED, writes::unreconciled, |context| context
        .writes
        .reconciled
        .is_some()),
    rule!(UNRESOLVED_WRITE, writes::unresolved_write),
    rule!(EXTERNAL_EDIT, writes::external_edit),
    rule!(EDITS, writes::edits),
    rule!(CLOCK, health::clock),
    rule!(BREAKER, health::breaker, |context| context
        .health
        .breaker
        .is_some()),
    rule!(DAILY_CAP, caps::daily_cap),
    rule!(ACCOUNT_SHARE, caps::account_share, |context| context
        .share
        .is_some()),
    rule!(PLATFORM_DAILY_CAP, caps::platform_daily_cap),
    rule!(CAMPAIGN_DAILY_CAP, caps::campaign_daily_cap),
    rule!(AD_SET_DAILY_CAP, caps::ad_set_daily_cap),
    rule!(HOURLY_CEILING, caps::hourly_ceiling),
    rule!(TAPER, caps::taper),
    rule!(LEDGER_HEADROOM, raises::ledger_headroom, |context| context
        .writes
        .headroom
        .is_some()),
    rule!(ACCOUNT_RAISES, raises::account_raises),
    rule!(PLATFORM_RAISES, raises::platform_raises),
    rule!(CAMPAIGN_RAISES, raises::campaign_raises),
    rule!(AD_SET_RAISES, raises::ad_set_raises),
    rule!(EXPLORATION_RISK, raises::exploration_risk),
    rule!(BID_BOUNDS, bids::bid_bounds, |context| context
        .bid
        .is_some()),
    rule!(DELTA_MAX, changes::delta_max),
    rule!(DELTA_MAX_24H, changes::delta_max_24h),
    rule!(DELTA_NORMALISED, changes::delta_normalised),
    rule!(DELTA_NORMALISED_24H, changes::delta_normalised_24h),
    rule!(PEAK_HOURS, hours::peak_hours),
    rule!(RESTRICTED_HOURS, hours::restricted_hours),
    rule!(STALE_DATA, data::stale_data),
    rule!(THIN_DATA, data::thin_data),
    rule!(FREEZE_ROAS, results::freeze_roas),
    rule!(FREEZE_CPA, results::freeze_cpa),
    rule!(FREEZE_CONVERSIONS, results::freeze_conversions),
    rule!(CPA_MULTIPLIER, results::cpa_multiplier),
    rule!(SPEND_SPIKE, results::spend_spike, |context| context
        .usual
        .is_some()),
];

/// A set of rules: a bit for each, in the order of [`ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleSet(u64);

impl RuleSet {
    /// Those of [`ALL`] that are named.
    pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a RuleId>) -> Self {
        let mut rules = Self::default();
        for place in names.into_iter().filter_map(place) {
            rules.insert(place);
        }
        rules
    }

    /// Whether the rule at a place of [`ALL`] is one of them.
    pub(crate) const fn holds(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    /// Adds the rule at a place of [`ALL`].
    pub(crate) const fn insert(&mut self, place: usize) {
        self.0 |= 1 << place;
    }

    /// Those that are in both sets.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are not in the other set.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many there are.
    pub(crate) const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Their places in [`ALL`], in order.
    pub(crate) fn places(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = (left != 0).then(|| left.trailing_zeros() as usize);
            left &= left.wrapping_sub(1);
            place
        })
    }
}

/// Where a rule stands in [`ALL`]; `None` for a name that is no rule.
pub(crate) fn place(name: &RuleId) -> Option<usize> {
    ALL.iter().position(|rule| rule == name)
}
