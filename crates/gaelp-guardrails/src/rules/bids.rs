//! What may be bid.

use gaelp_core::{Level, Micros, Operand};

use super::{Facts, Restriction};
use crate::GuardrailConfig;

pub(super) fn bid_bounds(facts: &Facts<'_>) -> Option<Restriction> {
    let proposed = facts.context.bid?.proposed;
    let bounded = bounded(facts.config, proposed);
    (bounded != proposed).then_some(Restriction {
        ceiling: None,
        level: Level::Clamp,
        observed: Operand::Money(proposed),
        threshold: Operand::Money(bounded),
    })
}

/// The bid that is allowed where the rules together go as far as `level`.
///
/// From a freeze on it is not raised; from a denial on it stays, below the highest bid.
pub(crate) fn allowed(facts: &Facts<'_>, level: Level, enforced: bool) -> Option<Micros> {
    let bid = facts.context.bid?;
    let current = bid.current.max(Micros::ZERO);
    let bound = |amount: Micros| {
        if enforced {
            bounded(facts.config, amount)
        } else {
            amount
        }
    };
    Some(match level {
        Level::Allow | Level::Clamp => bound(bid.proposed),
        Level::Freeze => bound(bid.proposed).min(current),
        Level::Deny | Level::Kill => bound(current).min(current),
    })
}

/// An amount within the bounds; the highest beats the lowest.
fn bounded(config: &GuardrailConfig, amount: Micros) -> Micros {
    let raised = config.bid_floor.map_or(amount, |floor| amount.max(floor));
    let ceiling = config.bid_ceiling;
    ceiling.map_or(raised, |ceiling| raised.min(ceiling))
}
