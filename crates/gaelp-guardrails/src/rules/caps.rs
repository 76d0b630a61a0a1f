//! What may be spent at most.

use gaelp_core::{Micros, Operand, Ratio};

use super::facts::share;
use super::{Facts, Restriction};

#[expect(clippy::unnecessary_wraps, reason = "the signature of all rules")]
pub(super) fn daily_cap(facts: &Facts<'_>) -> Option<Restriction> {
    let spent = facts.context.spent.account;
    Some(cap_per_day(facts, spent, facts.config.daily_cap))
}

pub(super) fn platform_daily_cap(facts: &Facts<'_>) -> Option<Restriction> {
    let caps = &facts.config.platform_daily_caps;
    if caps.is_empty() {
        return None;
    }
    let cap = *caps.get(&facts.context.key.platform)?;
    Some(cap_per_day(facts, facts.context.spent.platform, cap))
}

pub(super) fn campaign_daily_cap(facts: &Facts<'_>) -> Option<Restriction> {
    let cap = facts.config.campaign_daily_cap?;
    Some(cap_per_day(facts, facts.context.spent.campaign, cap))
}

pub(super) fn ad_set_daily_cap(facts: &Facts<'_>) -> Option<Restriction> {
    let cap = facts.config.ad_set_daily_cap?;
    Some(cap_per_day(facts, facts.context.spent.ad_set, cap))
}

fn cap_per_day(facts: &Facts<'_>, spent: Option<Micros>, cap: Micros) -> Restriction {
    let Some(spent) = spent else {
        return facts.missing(Operand::Money(cap));
    };
    // A credit does not raise the cap, and more than everything spent leaves nothing.
    let left = cap.get().saturating_sub(spent.get().max(0));
    let ceiling = facts.per_hour(Micros::new(left));
    facts.clamp(ceiling, Operand::Money(spent), Operand::Money(cap))
}

pub(super) fn account_share(facts: &Facts<'_>) -> Option<Restriction> {
    let share = facts.context.share?;
    let ceiling = facts.per_hour(share);
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

pub(super) fn taper(facts: &Facts<'_>) -> Option<Restriction> {
    let taper = facts.config.taper?;
    let (Some(spent), Some(target)) = (facts.context.spent.account, facts.context.target_today)
    else {
        return Some(facts.missing(Operand::None));
    };
    let left = taper_left(spent, target, taper.from, taper.least);
    let ceiling = share(facts.config.hourly_ceiling, left);
    Some(facts.clamp(ceiling, Operand::Money(spent), Operand::Money(target)))
}

/// The share of the ceiling that is left: whole up to `from` of the target, `least` at the target
/// and past it, and in a straight line between; rounded down.
fn taper_left(spent: Micros, target: Micros, from: Ratio, least: Ratio) -> Ratio {
    let one = i128::from(Ratio::ONE.ppm());
    let (spent, target) = (i128::from(spent.get()), i128::from(target.get().max(0)));
    // How far spend is past the beginning, out of how far it can be, both in millionths of a micro.
    let past = spent * one - i128::from(from.ppm()) * target;
    let way = (one - i128::from(from.ppm())) * target;
    // Where nothing is to be spent, the target is spent.
    if past >= way || way == 0 {
        return least;
    }
    if past <= 0 {
        return Ratio::ONE;
    }
    // Both are positive here, and `past` is smaller.
    let lost = (one - i128::from(least.ppm())) * past;
    let left = (one * way - lost).div_euclid(way);
    Ratio::from_ppm(i64::try_from(left).unwrap_or(least.ppm()))
}
