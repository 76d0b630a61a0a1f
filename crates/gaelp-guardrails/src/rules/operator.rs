//! What the operator says.

use gaelp_core::{Level, Micros, Operand};

use super::{Facts, Restriction};
use crate::seeded;

pub(super) fn kill_switch(facts: &Facts<'_>) -> Option<Restriction> {
    let good = facts.context.operator.kill?.rate.max(Micros::ZERO);
    Some(Restriction {
        ceiling: Some(seeded::killed_rate(good, facts.current)),
        level: Level::Kill,
        observed: Operand::Money(facts.current),
        threshold: Operand::Money(good),
    })
}

pub(super) fn emergency(facts: &Facts<'_>) -> Option<Restriction> {
    let since = facts.context.operator.emergency?;
    let lasted = Operand::Hours(facts.context.now.since(since));
    Some(facts.freeze_and(facts.config.on_freeze, lasted, Operand::Hours(0)))
}

pub(super) fn paused(facts: &Facts<'_>) -> Option<Restriction> {
    let on_freeze = facts.config.on_freeze;
    let freeze = || facts.freeze_and(on_freeze, Operand::None, Operand::None);
    facts.context.operator.paused.then(freeze)
}
