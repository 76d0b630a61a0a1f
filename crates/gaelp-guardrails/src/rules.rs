//! The rules, by name.
//!
//! Each is a pure function of one immutable context and of the proposal after
//! [normalisation](crate::Guardrails::normalise). None sees what another says.
//!
//! | kind | rules | level | ceiling |
//! |---|---|---|---|
//! | operator | [`KILL_SWITCH`] | kill | the last known good rate, or the current one if lower |
//! | input | [`ARITHMETIC`] | deny | the current rate |
//! | operator | [`CANARY`] | deny | the current rate |
//! | caps | [`DAILY_CAP`], [`ACCOUNT_SHARE`], [`AD_SET_DAILY_CAP`], [`HOURLY_CEILING`] | clamp | what is left, per hour |
//! | changes | [`DELTA_MAX`], [`DELTA_MAX_24H`] | clamp | the largest raise |
//! | changes | [`PEAK_HOURS`] | freeze | the current rate |
//! | data | [`STALE_DATA`], [`THIN_DATA`] | freeze | the current rate |
//! | results | [`FREEZE_ROAS`], [`FREEZE_CPA`], [`FREEZE_CONVERSIONS`] | freeze | the current rate |
//!
//! Only a cap or the kill switch has a ceiling below the current rate: they alone lower what runs,
//! and no other rule keeps them from it.
//!
//! A clamp objects where the proposal exceeds its ceiling. A freeze, a denial and the kill switch
//! describe the state of the ad set, so they object whatever is proposed.

mod caps;
mod changes;
mod data;
mod facts;
mod input;
mod results;

use gaelp_core::{Level, Micros, Operand, RuleId};

pub(crate) use facts::{Facts, normalise};

/// The operator has pulled the kill switch. Compares the current rate with the last known good one.
pub const KILL_SWITCH: RuleId = RuleId::new("kill_switch");
/// An amount is negative where it cannot be, or larger than what is computed with, or the span has
/// no hour. Compares the amount with its limit.
pub const ARITHMETIC: RuleId = RuleId::new("arithmetic");
/// The ad set is not on the list of those that may be changed.
pub const CANARY: RuleId = RuleId::new("canary");
/// The account's cap per local day. Compares what is spent today with the cap.
pub const DAILY_CAP: RuleId = RuleId::new("daily_cap");
/// The ad set's part of what the account may still spend. Compares what the proposal would spend
/// in the span with that part.
pub const ACCOUNT_SHARE: RuleId = RuleId::new("account_share");
/// The ad set's own cap per local day. Compares what it has spent today with the cap.
pub const AD_SET_DAILY_CAP: RuleId = RuleId::new("ad_set_daily_cap");
/// The highest hourly rate. Compares the proposal with it.
pub const HOURLY_CEILING: RuleId = RuleId::new("hourly_ceiling");
/// The largest raise from one hour to the next. Compares the proposal with the rate it counts from.
pub const DELTA_MAX: RuleId = RuleId::new("delta_max");
/// The largest raise within 24 hours. Compares the proposal with the rate it counts from.
pub const DELTA_MAX_24H: RuleId = RuleId::new("delta_max_24h");
/// Raises only in the peak hours. Compares the local hour with the first hour of the peak.
pub const PEAK_HOURS: RuleId = RuleId::new("peak_hours");
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

/// How many rules there are.
pub(crate) const COUNT: usize = 15;

/// All rules, in the order in which reasons are listed.
pub static ALL: [RuleId; COUNT] = [
    KILL_SWITCH,
    ARITHMETIC,
    CANARY,
    DAILY_CAP,
    ACCOUNT_SHARE,
    AD_SET_DAILY_CAP,
    HOURLY_CEILING,
    DELTA_MAX,
    DELTA_MAX_24H,
    PEAK_HOURS,
    STALE_DATA,
    THIN_DATA,
    FREEZE_ROAS,
    FREEZE_CPA,
    FREEZE_CONVERSIONS,
];

/// What one rule says; its answer is `None` where it is switched off or does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restriction {
    pub(crate) ceiling: Option<Micros>,
    pub(crate) level: Level,
    pub(crate) observed: Operand,
    pub(crate) threshold: Operand,
}

/// A rule with its name.
pub(crate) struct Rule {
    pub(crate) id: RuleId,
    pub(crate) check: fn(&Facts<'_>) -> Option<Restriction>,
}

/// The rules in the order of [`ALL`].
pub(crate) static RULES: [Rule; COUNT] = [
    rule(KILL_SWITCH, input::kill_switch),
    rule(ARITHMETIC, input::arithmetic),
    rule(CANARY, input::canary),
    rule(DAILY_CAP, caps::daily_cap),
    rule(ACCOUNT_SHARE, caps::account_share),
    rule(AD_SET_DAILY_CAP, caps::ad_set_daily_cap),
    rule(HOURLY_CEILING, caps::hourly_ceiling),
    rule(DELTA_MAX, changes::delta_max),
    rule(DELTA_MAX_24H, changes::delta_max_24h),
    rule(PEAK_HOURS, changes::peak_hours),
    rule(STALE_DATA, data::stale_data),
    rule(THIN_DATA, data::thin_data),
    rule(FREEZE_ROAS, results::freeze_roas),
    rule(FREEZE_CPA, results::freeze_cpa),
    rule(FREEZE_CONVERSIONS, results::freeze_conversions),
];

const fn rule(id: RuleId, check: fn(&Facts<'_>) -> Option<Restriction>) -> Rule {
    Rule { id, check }
}
