//! What the operator says, and what cannot be computed with.

use gaelp_core::{Level, Micros, Operand};

use super::{Facts, Restriction};
use crate::config::MAX_AMOUNT;

pub(super) fn kill_switch(facts: &Facts<'_>) -> Option<Restriction> {
    let good = facts.context.kill?.rate.max(Micros::ZERO);
    Some(Restriction {
        ceiling: Some(good.min(facts.current)),
        level: Level::Kill,
        observed: Operand::Money(facts.current),
        threshold: Operand::Money(good),
    })
}

pub(super) fn arithmetic(facts: &Facts<'_>) -> Option<Restriction> {
    let context = facts.context;
    if context.span.is_empty() {
        return Some(impossible(facts, Operand::Hours(0), Operand::Hours(1)));
    }
    let rates = [
        Some(facts.proposed),
        Some(context.current),
        context.day_ago,
        context.kill.map(|good| good.rate),
    ];
    for rate in rates.into_iter().flatten() {
        if rate.is_negative() {
            let least = Operand::Money(Micros::ZERO);
            return Some(impossible(facts, Operand::Money(rate), least));
        }
    }
    // What is spent or left may be negative: after a credit, or past a cap.
    let amounts = [
        Some(context.account_spent_today),
        Some(context.account_share),
        Some(context.ad_set_spent_today),
    ];
    let all = rates.into_iter().chain(amounts).flatten();
    let limit = MAX_AMOUNT.get().unsigned_abs();
    let mut too_large = all.filter(|amount| amount.get().unsigned_abs() > limit);
    let amount = Operand::Money(too_large.next()?);
    Some(impossible(facts, amount, Operand::Money(MAX_AMOUNT)))
}

fn impossible(facts: &Facts<'_>, observed: Operand, threshold: Operand) -> Restriction {
    Restriction {
        ceiling: Some(facts.current),
        level: Level::Deny,
        observed,
        threshold,
    }
}

pub(super) fn canary(facts: &Facts<'_>) -> Option<Restriction> {
    let list = facts.config.canary.as_ref()?;
    if list.contains(&facts.context.key.ad_set) {
        return None;
    }
    Some(Restriction {
        ceiling: Some(facts.current),
        level: Level::Deny,
        observed: Operand::None,
        threshold: Operand::None,
    })
}
