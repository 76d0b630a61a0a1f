//! The spans of the last weeks as the platform and the shop see them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use gaelp_core::{MetricRow, Metrics, Micros, Quantity, Restated, Revision, UtcHour};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first hour of a span, and the hour after its last.
pub(super) type Place = (UtcHour, UtcHour);

/// Spans in order, cheap to clone: a checkpoint is made of them in every step.
///
/// **Serde.** Pairs of a place and what is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slots(VecDeque<(Place, ShopSlot)>);

/// A span as the platform and the shop see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShopSlot {
    report: Option<Arc<MetricRow>>,
    pub(super) revenue: Micros,
    pub(super) orders: Quantity,
    /// Counts changes from either side, so that the composed row is restated in order.
    changes: u32,
}

impl Slots {
    /// What is at a place, begun where nothing is.
    pub(super) fn at(&mut self, place: Place) -> &mut ShopSlot {
        let index = match self.0.binary_search_by_key(&place, |(at, _)| *at) {
            Ok(index) => index,
            Err(index) => {
                self.0.insert(index, (place, ShopSlot::default()));
                index
            }
        };
        &mut self.0[index].1
    }

    /// Whether a row would contradict what the platform said of its span.
    pub(super) fn contradicts(&self, row: &MetricRow) -> bool {
        let place = (row.span.from, row.span.to);
        let index = self.0.binary_search_by_key(&place, |(at, _)| *at);
        let known = index.ok().and_then(|index| self.0[index].1.report.as_ref());
        known.is_some_and(|known| MetricRow::clone(known).restate(row) == Restated::Contradicted)
    }

    /// The last place up to this one of which the platform said anything.
    pub(super) fn last_reported(&self, up_to: Place) -> Option<Place> {
        let end = self.0.partition_point(|(at, _)| *at <= up_to);
        let mut before = self.0.range(..end).rev();
        let reported = before.find(|(_, slot)| slot.report.is_some());
        reported.map(|(at, _)| *at)
    }

    /// Forgets what begins before an hour.
    pub(super) fn forget_before(&mut self, hour: UtcHour) {
        while self.0.front().is_some_and(|(at, _)| *at < (hour, hour)) {
            self.0.pop_front();
        }
    }
}

impl ShopSlot {
    /// Takes in what the platform says.
    pub(super) fn report(&mut self, row: &MetricRow) -> Restated {
        match &mut self.report {
            // A checkpoint may share it: it is copied only where it changes.
            Some(known) if row.revision > known.revision => Arc::make_mut(known).restate(row),
            Some(known) => MetricRow::clone(known).restate(row),
            None => {
                self.report = Some(Arc::new(row.clone()));
                Restated::Newer
            }
        }
    }

    /// The row that the rules see: the platform's spend, the shop's revenue.
    pub(super) fn compose(&mut self) -> Option<MetricRow> {
        let report = self.report.as_ref()?;
        self.changes = self.changes.saturating_add(1);
        Some(MetricRow {
            key: report.key.clone(),
            span: report.span,
            revision: Revision::new(self.changes),
            metrics: Metrics {
                revenue: self.revenue,
                conversions: self.orders,
                ..report.metrics
            },
        })
    }
}

impl Serialize for Slots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(Place, ShopSlot)>::deserialize(deserializer)?;
        // In order, and each place once: the last of those that are there twice.
        let pairs: BTreeMap<_, _> = pairs.into_iter().collect();
        Ok(Self(pairs.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use gaelp_core::{AdSetKey, HourSpan, Platform};

    use super::*;

    fn place(hour: i32) -> Place {
        (UtcHour::new(hour), UtcHour::new(hour + 1))
    }

    fn row(hour: i32) -> MetricRow {
        MetricRow {
            key: AdSetKey::new(Platform::Meta, "1"),
            span: HourSpan::hour(UtcHour::new(hour)),
            revision: Revision::default(),
            metrics: Metrics::default(),
        }
    }

    /// Against a map, with places in an order that neither rises nor falls.
    #[test]
    fn slots_are_a_map_in_order() {
        let mut slots = Slots::default();
        let mut model: BTreeMap<Place, (bool, i64)> = BTreeMap::new();
        for step in 0..400 {
            let hour = step * 37 % 101 + step / 9;
            if step % 3 == 0 {
                slots.at(place(hour)).report(&row(hour));
                model.entry(place(hour)).or_default().0 = true;
            } else {
                slots.at(place(hour)).revenue = Micros::new(i64::from(step));
                model.entry(place(hour)).or_default().1 = i64::from(step);
            }
            if step % 7 == 0 {
                let from = UtcHour::new(step / 9 - 2);
                slots.forget_before(from);
                model = model.split_off(&(from, from));
            }
            let asked = place(step * 13 % 120);
            let reported = model.range(..=asked).rev().find(|(_, (there, _))| *there);
            assert_eq!(slots.last_reported(asked), reported.map(|(at, _)| *at));
            let found = slots.0.iter();
            let found = found.map(|(at, slot)| (*at, (slot.report.is_some(), slot.revenue.get())));
            assert!(found.eq(model.iter().map(|(at, value)| (*at, *value))));
        }
    }

    /// As a map of pairs was stored before.
    #[test]
    fn they_are_stored_as_pairs() {
        let mut slots = Slots::default();
        slots.at(place(8)).revenue = Micros::new(5);
        slots.at(place(3)).report(&row(3));
        let json = serde_json::to_string(&slots).unwrap();
        let row = serde_json::to_string(&row(3)).unwrap();
        let empty = |report: &str, revenue: i64| {
            format!(r#"{{"report":{report},"revenue":{revenue},"orders":0,"changes":0}}"#)
        };
        let (three, eight) = (empty(&row, 0), empty("null", 5));
        assert_eq!(json, format!("[[[3,4],{three}],[[8,9],{eight}]]"));
        assert_eq!(serde_json::from_str::<Slots>(&json).unwrap(), slots);
        // Out of order, and twice.
        let six = empty("null", 6);
        let other = format!("[[[8,9],{six}],[[3,4],{three}],[[8,9],{eight}]]");
        assert_eq!(serde_json::from_str::<Slots>(&other).unwrap(), slots);
    }
}
