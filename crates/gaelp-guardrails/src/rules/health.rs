//! How the system itself is.

use gaelp_core::Operand;

use super::{Facts, Restriction};
use crate::BreakerPhase;

pub(super) fn clock(facts: &Facts<'_>) -> Option<Restriction> {
    let trouble = facts.context.health.clock_trouble;
    trouble.then(|| facts.freeze(Operand::None, Operand::None))
}

pub(super) fn breaker(facts: &Facts<'_>) -> Option<Restriction> {
    let phase = facts.context.health.breaker?;
    (phase != BreakerPhase::Closed).then(|| facts.freeze(Operand::None, Operand::None))
}
