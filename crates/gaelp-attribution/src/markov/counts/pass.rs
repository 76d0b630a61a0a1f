//! One pass over all journeys.

use super::Keys;
use crate::columns::Outcome;
use crate::{Code, Offset, PathTable};

/// Passes over all journeys: what begins and ends in states, and what steps from one to the next.
pub(super) fn count<C: Code, O: Offset>(
    table: &PathTable<'_, C, O>,
    keys: &Keys,
    mut state: impl FnMut(u64, [u64; 4]),
    mut step: impl FnMut(u64, u64),
) {
    // No key can wrap: that was checked with the largest of them.
    let (base, states) = (keys.base, keys.states);
    let digit = |code: &C| code.index() as u64 + 1;
    let order = keys.order;
    for (path, outcome) in table.rows() {
        let Outcome {
            conversions,
            value,
            nulls,
        } = outcome;
        let weight = conversions.wrapping_add(nulls);
        if path.is_empty() || weight == 0 {
            continue;
        }
        let ended = [0, conversions, nulls, value.cast_unsigned()];
        if order == 1 {
            let mut last = digit(&path[0]);
            state(last, [weight, 0, 0, 0]);
            for code in &path[1..] {
                let next = digit(code);
                step(last.wrapping_mul(base).wrapping_add(next), weight);
                last = next;
            }
            state(last, ended);
            continue;
        }
        let (head, tail) = path.split_at(order.min(path.len()));
        let longer = |key: u64, code| key.wrapping_mul(base).wrapping_add(digit(code));
        let mut key = head.iter().fold(0, longer);
        state(key, [weight, 0, 0, 0]);
        for (code, oldest) in tail.iter().zip(path) {
            let made = longer(key, code);
            step(made, weight);
            key = made.wrapping_sub(digit(oldest).wrapping_mul(states));
        }
        state(key, ended);
    }
}

#[inline]
pub(super) fn add_to<const N: usize>(sums: &mut [u64; N], more: [u64; N]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = sum.wrapping_add(more);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "keys of a plain table are below its length"
)]
pub(super) const fn index(key: u64) -> usize {
    key as usize
}
