//! How the ad set's writes to the platform stand.

use gaelp_core::{Level, Micros, Operand};

use super::{Facts, Restriction};
use crate::seeded;

pub(super) fn unreconciled(facts: &Facts<'_>) -> Option<Restriction> {
    let reconciled = facts.context.writes.reconciled?;
    (!reconciled).then(|| facts.freeze(Operand::None, Operand::None))
}

pub(super) fn unresolved_write(facts: &Facts<'_>) -> Option<Restriction> {
    let sent = facts.context.writes.unresolved?;
    let ceiling = sent.max(Micros::ZERO).min(facts.current);
    Some(Restriction {
        ceiling: Some(ceiling),
        level: Level::Freeze,
        observed: Operand::Money(sent),
        threshold: Operand::Money(facts.current),
    })
}

pub(super) fn external_edit(facts: &Facts<'_>) -> Option<Restriction> {
    let edited = facts.context.writes.external_edit?;
    let age = facts.context.now.since(edited);
    let limit = i64::from(facts.config.external_edit_freeze_hours);
    // An edit in the future is one whose time is not known.
    (age < limit).then(|| facts.freeze(Operand::Hours(age), Operand::Hours(limit)))
}

pub(super) fn edits(facts: &Facts<'_>) -> Option<Restriction> {
    let most = facts.config.max_edits_per_hour?;
    let raises = seeded::raises_of(most);
    let count = |number: u32| Operand::Count(i64::from(number));
    let Some(edits) = facts.context.writes.edits_last_hour else {
        return Some(facts.missing(count(raises)));
    };
    if edits >= most {
        return Some(facts.deny(count(edits), count(most)));
    }
    (edits >= raises).then(|| facts.freeze(count(edits), count(raises)))
}
