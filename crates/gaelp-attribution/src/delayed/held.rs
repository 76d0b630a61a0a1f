//! Adjustments that came before their conversion.

use std::collections::BTreeSet;

use super::conversions::Adjusted;
use super::table::Table;
use crate::{EventId, Timestamp};

/// Adjustments by the conversion that they wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    waiting: Table<EventId, Vec<Adjusted>>,
    /// Moment, id and conversion of each: the order in which they are given up.
    order: BTreeSet<(Timestamp, EventId, EventId)>,
}

impl Held {
    /// Keeps an adjustment; false for one that is kept already.
    pub(super) fn add(&mut self, conversion: EventId, adjusted: Adjusted) -> bool {
        let list = self.waiting.entry(conversion).or_default();
        if list.iter().any(|known| known.id == adjusted.id) {
            return false;
        }
        list.push(adjusted);
        self.order.insert((adjusted.at, adjusted.id, conversion));
        true
    }

    /// Takes what waits for a conversion.
    pub(super) fn take(&mut self, conversion: EventId) -> Vec<Adjusted> {
        let list = self.waiting.remove(&conversion).unwrap_or_default();
        for held in &list {
            self.order.remove(&(held.at, held.id, conversion));
        }
        list
    }

    /// The moment of the adjustment that is given up first.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.order.first().map(|&(at, _, _)| at)
    }

    /// Gives up the first adjustment.
    pub(super) fn pop(&mut self) {
        let Some((_, id, conversion)) = self.order.pop_first() else {
            return;
        };
        if let Some(list) = self.waiting.get_mut(&conversion) {
            list.retain(|held| held.id != id);
            if list.is_empty() {
                self.waiting.remove(&conversion);
            }
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// All that wait, with their conversions, in the order in which they would be given up.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EventId, Adjusted)> {
        self.order.iter().filter_map(|&(_, id, conversion)| {
            let list = self.waiting.get(&conversion)?;
            let held = list.iter().find(|held| held.id == id)?;
            Some((conversion, *held))
        })
    }

    /// The bytes that it holds, about.
    pub(super) fn bytes(&self) -> usize {
        // An entry of the map, a list of one, and an entry of the order at two thirds full.
        self.order.len() * (48 + size_of::<Adjusted>() + 36)
    }
}
