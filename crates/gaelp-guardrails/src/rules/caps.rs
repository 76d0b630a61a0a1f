//! What may be spent at most.

use gaelp_core::{Micros, Operand};

use super::{Facts, Restriction};

#[expect(clippy::unnecessary_wraps, reason = "the signature of all rules")]
pub(super) fn daily_cap(facts: &Facts<'_>) -> Option<Restriction> {
    let spent = facts.context.account_spent_today;
    Some(cap_per_day(facts, spent, facts.config.daily_cap))
}

pub(super) fn ad_set_daily_cap(facts: &Facts<'_>) -> Option<Restriction> {
    let spent = facts.context.ad_set_spent_today;
    Some(cap_per_day(facts, spent, facts.config.ad_set_daily_cap?))
}

fn cap_per_day(facts: &Facts<'_>, spent: Micros, cap: Micros) -> Restriction {
    // A credit does not raise the cap, and more than everything spent leaves nothing.
    let left = cap.get().saturating_sub(spent.get().max(0));
    let ceiling = per_hour(facts, Micros::new(left));
    facts.clamp(ceiling, Operand::Money(spent), Operand::Money(cap))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of all rules")]
pub(super) fn account_share(facts: &Facts<'_>) -> Option<Restriction> {
    let share = facts.context.account_share;
    let ceiling = per_hour(facts, share);
    let asked = facts.normalised.get().saturating_mul(facts.hours);
    let asked = Operand::Money(Micros::new(asked));
    Some(facts.clamp(ceiling, asked, Operand::Money(share)))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of all rules")]
pub(super) fn hourly_ceiling(facts: &Facts<'_>) -> Option<Restriction> {
    let ceiling = facts.config.hourly_ceiling;
    let asked = Operand::Money(facts.normalised);
    Some(facts.clamp(ceiling, asked, Operand::Money(ceiling)))
}

/// An amount spread over the span, rounded down so that the hours do not add up to more.
fn per_hour(facts: &Facts<'_>, money: Micros) -> Micros {
    // Neither is negative, and a span has at least one hour.
    Micros::new(money.get().max(0) / facts.hours)
}
