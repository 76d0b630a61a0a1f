//! How much may be raised; none of these lowers what runs.

use gaelp_core::{Micros, Operand};

use super::{Facts, Restriction};

pub(super) fn ledger_headroom(facts: &Facts<'_>) -> Option<Restriction> {
    let headroom = facts.context.writes.headroom?;
    let asked = Operand::Money(facts.normalised);
    // What runs is in the ledger already.
    let ceiling = headroom.max(facts.current);
    Some(facts.clamp(ceiling, asked, Operand::Money(headroom)))
}

pub(super) fn account_raises(facts: &Facts<'_>) -> Option<Restriction> {
    let cap = facts.config.hourly_raise_caps.account?;
    Some(raises(facts, facts.context.raised.account, cap))
}

pub(super) fn platform_raises(facts: &Facts<'_>) -> Option<Restriction> {
    let cap = facts.config.hourly_raise_caps.platform?;
    Some(raises(facts, facts.context.raised.platform, cap))
}

pub(super) fn campaign_raises(facts: &Facts<'_>) -> Option<Restriction> {
    let cap = facts.config.hourly_raise_caps.campaign?;
    Some(raises(facts, facts.context.raised.campaign, cap))
}

pub(super) fn ad_set_raises(facts: &Facts<'_>) -> Option<Restriction> {
    let cap = facts.config.hourly_raise_caps.ad_set?;
    Some(raises(facts, facts.context.raised.ad_set, cap))
}

fn raises(facts: &Facts<'_>, raised: Option<Micros>, cap: Micros) -> Restriction {
    let Some(raised) = raised else {
        return facts.missing(Operand::Money(cap));
    };
    let left = cap.get().saturating_sub(raised.get().max(0));
    let ceiling = above_current(facts, Micros::new(left));
    facts.clamp(ceiling, Operand::Money(raised), Operand::Money(cap))
}

pub(super) fn exploration_risk(facts: &Facts<'_>) -> Option<Restriction> {
    let cap = facts.config.exploration_daily_cap?;
    let at_risk = facts.context.exploration?.at_risk_today;
    let left = cap.get().saturating_sub(at_risk.get().max(0));
    let ceiling = above_current(facts, facts.per_hour(Micros::new(left)));
    Some(facts.clamp(ceiling, Operand::Money(at_risk), Operand::Money(cap)))
}

/// The current rate and a raise; a negative one is none.
fn above_current(facts: &Facts<'_>, raise: Micros) -> Micros {
    let raise = raise.max(Micros::ZERO);
    facts.current.checked_add(raise).unwrap_or(facts.current)
}
