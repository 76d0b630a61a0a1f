//! Counting where every row is one journey: without a loop for each.

use super::{Keys, add_to, index};
use crate::{Code, Journeys, Offset};

/// Counts steps over the whole column of touches as if it were one journey, and then takes back
/// those that lead from one journey into the next.
///
/// Journeys are short and of many lengths, so that a processor cannot foresee where the loop over
/// one of them ends; the loop over all of them ends once. For short orders that makes counting
/// twice as fast.
pub(super) fn count<C: Code, O: Offset>(
    journeys: &Journeys<'_, C, O>,
    rows: impl Iterator<Item = (bool, i64)>,
    keys: &Keys,
    states: &mut [[u64; 4]],
    steps: &mut [[u64; 1]],
) {
    let column = journeys.used();
    match keys.order {
        1 => {
            pairs(column, keys, steps);
            ends_of_one(journeys, rows, keys, states, steps);
        }
        2 => {
            triples(column, keys, steps);
            ends_of_two(journeys, rows, keys, states, steps);
        }
        _ => {
            runs(column, keys, steps);
            ends(journeys, rows, keys, states, steps);
        }
    }
}

/// Counts every pair of neighbours.
fn pairs<C: Code>(column: &[C], keys: &Keys, steps: &mut [[u64; 1]]) {
    let next = column.iter().skip(1);
    for (code, next) in column.iter().zip(next) {
        add(steps, longer(keys, digit(code), next), 1);
    }
}

/// Counts every three neighbours.
fn triples<C: Code>(column: &[C], keys: &Keys, steps: &mut [[u64; 1]]) {
    let (second, third) = (column.iter().skip(1), column.iter().skip(2));
    for ((code, second), third) in column.iter().zip(second).zip(third) {
        let pair = longer(keys, digit(code), second);
        add(steps, longer(keys, pair, third), 1);
    }
}

/// Counts every run of one touch more than the order.
fn runs<C: Code>(column: &[C], keys: &Keys, steps: &mut [[u64; 1]]) {
    for run in column.windows(keys.order + 1) {
        add(steps, key(keys, run), 1);
    }
}

/// What begins and ends in states of one channel, and the steps between journeys taken back.
fn ends_of_one<C: Code, O: Offset>(
    journeys: &Journeys<'_, C, O>,
    rows: impl Iterator<Item = (bool, i64)>,
    keys: &Keys,
    states: &mut [[u64; 4]],
    steps: &mut [[u64; 1]],
) {
    let mut before = None;
    for (path, row) in journeys.iter().zip(rows) {
        let (Some(first), Some(last)) = (path.first(), path.last()) else {
            continue;
        };
        if let Some(before) = before {
            add(steps, longer(keys, digit(before), first), u64::MAX);
        }
        before = Some(last);
        add_to(&mut states[index(digit(first))], [1, 0, 0, 0]);
        end(&mut states[index(digit(last))], row);
    }
}

/// As `ends_of_one`, for states of two channels.
fn ends_of_two<C: Code, O: Offset>(
    journeys: &Journeys<'_, C, O>,
    rows: impl Iterator<Item = (bool, i64)>,
    keys: &Keys,
    states: &mut [[u64; 4]],
    steps: &mut [[u64; 1]],
) {
    // The digits of the last two touches of what was read, zero before there are any.
    let (mut older, mut newer) = (0_u64, 0_u64);
    for (path, row) in journeys.iter().zip(rows) {
        for code in path.iter().take(2) {
            if older > 0 {
                let pair = older.wrapping_mul(keys.base).wrapping_add(newer);
                add(steps, longer(keys, pair, code), u64::MAX);
            }
            (older, newer) = (newer, digit(code));
        }
        let (begins, ends) = match path {
            [] => continue,
            [only] => (digit(only), digit(only)),
            [first, .., last] => {
                older = digit(&path[path.len() - 2]);
                newer = digit(last);
                let ends = longer(keys, older, last);
                (longer(keys, digit(first), &path[1]), ends)
            }
        };
        add_to(&mut states[index(begins)], [1, 0, 0, 0]);
        end(&mut states[index(ends)], row);
    }
}

/// As `ends_of_one`, for states of any order.
fn ends<C: Code, O: Offset>(
    journeys: &Journeys<'_, C, O>,
    rows: impl Iterator<Item = (bool, i64)>,
    keys: &Keys,
    states: &mut [[u64; 4]],
    steps: &mut [[u64; 1]],
) {
    let (column, order) = (journeys.used(), keys.order);
    let mut begin = 0;
    for (path, row) in journeys.iter().zip(rows) {
        let length = order.min(path.len());
        // A step that ends with one of a journey's first touches began in another journey.
        for last in begin..begin + length {
            if let Some(first) = last.checked_sub(order) {
                add(steps, key(keys, &column[first..=last]), u64::MAX);
            }
        }
        begin += path.len();
        if !path.is_empty() {
            add_to(&mut states[index(key(keys, &path[..length]))], [1, 0, 0, 0]);
            end(
                &mut states[index(key(keys, &path[path.len() - length..]))],
                row,
            );
        }
    }
}

/// Counts the end of a journey.
#[inline]
fn end(sums: &mut [u64; 4], (converted, value): (bool, i64)) {
    if converted {
        add_to(sums, [0, 1, 0, value.cast_unsigned()]);
    } else {
        add_to(sums, [0, 0, 1, 0]);
    }
}

/// Adds to a sum; the largest number takes one back.
#[inline]
fn add(steps: &mut [[u64; 1]], key: u64, more: u64) {
    let sum = &mut steps[index(key)][0];
    *sum = sum.wrapping_add(more);
}

#[inline]
fn digit<C: Code>(code: &C) -> u64 {
    code.index() as u64 + 1
}

/// The key of a run of touches with one more.
#[inline]
fn longer<C: Code>(keys: &Keys, key: u64, code: &C) -> u64 {
    key.wrapping_mul(keys.base).wrapping_add(digit(code))
}

#[inline]
fn key<C: Code>(keys: &Keys, codes: &[C]) -> u64 {
    codes.iter().fold(0, |key, code| longer(keys, key, code))
}
