//! Who may be changed at all.

use gaelp_core::Operand;

use super::{Facts, Restriction};

pub(super) fn canary(facts: &Facts<'_>) -> Option<Restriction> {
    let list = facts.config.canary.as_ref()?;
    let listed = list.contains(&facts.context.key.ad_set);
    (!listed).then(|| off_limits(facts))
}

pub(super) fn blocked(facts: &Facts<'_>) -> Option<Restriction> {
    let listed = facts.config.blocked.contains(&facts.context.key.ad_set);
    listed.then(|| off_limits(facts))
}

pub(super) fn canary_audience(facts: &Facts<'_>) -> Option<Restriction> {
    let list = facts.config.canary_audiences.as_ref()?;
    match facts.context.audience {
        None => Some(facts.missing(Operand::None)),
        Some(audience) => (!list.contains(audience)).then(|| off_limits(facts)),
    }
}

pub(super) fn blocked_audience(facts: &Facts<'_>) -> Option<Restriction> {
    let list = &facts.config.blocked_audiences;
    if list.is_empty() {
        return None;
    }
    match facts.context.audience {
        None => Some(facts.missing(Operand::None)),
        Some(audience) => list.contains(audience).then(|| off_limits(facts)),
    }
}

fn off_limits(facts: &Facts<'_>) -> Restriction {
    facts.deny(Operand::None, Operand::None)
}
