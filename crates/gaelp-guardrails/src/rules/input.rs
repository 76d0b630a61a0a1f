//! What cannot be computed with.

use gaelp_core::{Micros, Operand, Ratio};

use super::{Facts, Restriction};
use crate::Context;
use crate::config::MAX_AMOUNT;

pub(super) fn arithmetic(facts: &Facts<'_>) -> Option<Restriction> {
    let context = facts.context;
    if context.span.is_empty() {
        return Some(facts.deny(Operand::Hours(0), Operand::Hours(1)));
    }
    // What is spent or left may be negative: after a credit, or past a cap.
    let positive = rates(context, facts.proposed);
    let signed = amounts(context);
    let limit = MAX_AMOUNT.get().unsigned_abs();
    // As unsigned numbers, negative ones are too large as well. Nearly always there is none.
    let wrong = |amount: Micros| amount.get().cast_unsigned() > limit;
    let large = |amount: Micros| amount.get().unsigned_abs() > limit;
    let any_wrong = positive
        .iter()
        .fold(false, |any, &amount| any | wrong(amount));
    let any_large = signed
        .iter()
        .fold(false, |any, &amount| any | large(amount));
    if any_wrong || any_large {
        let negative = positive.iter().find(|amount| amount.is_negative());
        if let Some(&amount) = negative {
            return Some(facts.deny(Operand::Money(amount), Operand::Money(Micros::ZERO)));
        }
        let positive = positive.into_iter().filter(|&amount| wrong(amount));
        let signed = signed.into_iter().filter(|&amount| large(amount));
        if let Some(amount) = positive.chain(signed).next() {
            return Some(facts.deny(Operand::Money(amount), Operand::Money(MAX_AMOUNT)));
        }
    }
    impossible_share(context)
        .map(|(share, limit)| facts.deny(Operand::Ratio(share), Operand::Ratio(limit)))
}

/// What cannot be negative; zero where it is not supplied.
fn rates(context: &Context<'_>, proposed: Micros) -> [Micros; 15] {
    let facts = [
        Some(proposed),
        Some(context.current),
        context.day_ago,
        context.operator.kill.map(|good| good.rate),
        context.target_today,
        context.raised.account,
        context.raised.platform,
        context.raised.campaign,
        context.raised.ad_set,
        context.writes.unresolved,
        context.expected.cpa,
        context.usual.map(|usual| usual.last_hour),
        context.usual.map(|usual| usual.usual),
        context.bid.map(|bid| bid.current),
        context.bid.map(|bid| bid.proposed),
    ];
    facts.map(Option::unwrap_or_default)
}

/// What can; zero where it is not supplied.
fn amounts(context: &Context<'_>) -> [Micros; 7] {
    let facts = [
        context.spent.account,
        context.share,
        context.spent.ad_set,
        context.spent.platform,
        context.spent.campaign,
        context.writes.headroom,
        context
            .exploration
            .map(|exploration| exploration.at_risk_today),
    ];
    facts.map(Option::unwrap_or_default)
}

/// A share of the traffic below none or above all of it, with the limit that it crosses.
fn impossible_share(context: &Context<'_>) -> Option<(Ratio, Ratio)> {
    let traffic = context.traffic?;
    let shares = [Some(traffic.before), Some(traffic.next), traffic.day_ago];
    let mut shares = shares.into_iter().flatten();
    let share = shares.find(|share| !(Ratio::ZERO..=Ratio::ONE).contains(share))?;
    let limit = share.clamp(Ratio::ZERO, Ratio::ONE);
    Some((share, limit))
}
