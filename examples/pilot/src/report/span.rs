//! The days of a chart, and what they add up to where there are too many of them.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use gaelp::core::{Micros, RuleId};

use super::number;
use crate::summary::{Day, Point};

/// How many places a chart has at most: below two pixels each, nothing could be told apart.
pub(super) const MOST_SLOTS: usize = 400;
/// How many days may share a place; the first that makes them fit is taken.
const STEPS: [usize; 5] = [1, 7, 28, 91, 364];

/// The local days of a chart, gaps included: one place for each, or one for several.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    first: Option<NaiveDate>,
    slots: usize,
    step: usize,
}

impl Timeline {
    /// The days from the first of `dates` to the last. What is no date has no place on it.
    pub(super) fn new<'a>(dates: impl Iterator<Item = &'a str>) -> Self {
        let days = dates.filter_map(parse);
        let ends = days.fold(None, |ends: Option<(NaiveDate, NaiveDate)>, day| {
            Some(ends.map_or((day, day), |(first, last)| (first.min(day), last.max(day))))
        });
        let Some((first, last)) = ends else {
            return Self {
                first: None,
                slots: 0,
                step: 1,
            };
        };
        let length = usize::try_from((last - first).num_days()).unwrap_or(0) + 1;
        let fits = |step: &usize| length.div_ceil(*step) <= MOST_SLOTS;
        let step = STEPS
            .into_iter()
            .find(fits)
            .unwrap_or(length.div_ceil(MOST_SLOTS));
        Self {
            first: Some(first),
            slots: length.div_ceil(step),
            step,
        }
    }

    /// How many places it has.
    pub(super) fn len(&self) -> usize {
        self.slots
    }

    /// How many days share a place.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// `a day`, `a week`, `in 28 days`: what an amount at a place is for.
    pub(super) fn each(&self) -> String {
        match self.step {
            1 => "a day".to_owned(),
            7 => "a week".to_owned(),
            days => format!("in {days} days"),
        }
    }

    /// So many places in words: `3 days`, `3 weeks`, `3 spans of 28 days`.
    pub(super) fn counted(&self, places: u64) -> String {
        match self.step {
            1 => number::counted(places, "day", "days"),
            7 => number::counted(places, "week", "weeks"),
            days => format!(
                "{} of {days} days",
                number::counted(places, "span", "spans")
            ),
        }
    }

    /// What a place is called that begins with a day.
    pub(super) fn named(&self, date: &str) -> String {
        match self.step {
            1 => date.to_owned(),
            days => format!("{days} days from {date}"),
        }
    }

    /// Puts values into their places; those without one stay empty. Of several in one place the
    /// last one stays, so they are [added up](Self::days) before.
    pub(super) fn fill<'a, T: Clone>(
        &self,
        values: impl Iterator<Item = (&'a str, T)>,
    ) -> Vec<Option<T>> {
        let mut slots = vec![None; self.slots];
        for (date, value) in values {
            if let Some(slot) = self.slot(date).and_then(|slot| slots.get_mut(slot)) {
                *slot = Some(value);
            }
        }
        slots
    }

    /// The days added up, one for each place that has any; each goes by its first date.
    pub(super) fn days(&self, days: &[Day]) -> Vec<Day> {
        let mut places: BTreeMap<usize, Day> = BTreeMap::new();
        for day in days {
            let Some(slot) = self.slot(&day.date) else {
                continue;
            };
            if let Some(sum) = places.get_mut(&slot) {
                add(sum, day);
            } else {
                let date = self.date(slot);
                places.insert(
                    slot,
                    Day {
                        date,
                        ..day.clone()
                    },
                );
            }
        }
        places.into_values().collect()
    }

    /// The points of an ad set added up, as [`days`](Self::days).
    pub(super) fn points(&self, points: &[Point]) -> Vec<Point> {
        let mut places: BTreeMap<usize, Point> = BTreeMap::new();
        for point in points {
            let Some(slot) = self.slot(&point.date) else {
                continue;
            };
            if let Some(sum) = places.get_mut(&slot) {
                sum.actual = plus(sum.actual, point.actual);
                sum.suggested = plus(sum.suggested, point.suggested);
                sum.revenue = plus(sum.revenue, point.revenue);
            } else {
                let date = self.date(slot);
                places.insert(
                    slot,
                    Point {
                        date,
                        ..point.clone()
                    },
                );
            }
        }
        places.into_values().collect()
    }

    /// Places to be labelled, at most `most` of them; the year stands where it changes.
    pub(super) fn labels(&self, most: usize, first_year: FirstYear) -> Vec<(usize, String)> {
        const EVERY: [usize; 8] = [1, 2, 7, 14, 28, 56, 112, 224];
        let fits = |every: &usize| self.slots.div_ceil(*every) <= most.max(1);
        let every = EVERY.into_iter().find(fits).unwrap_or(MOST_SLOTS);
        let Some(first) = self.first else {
            return Vec::new();
        };
        let mut labels = Vec::new();
        let mut year = (first_year == FirstYear::Hidden).then(|| first.year());
        for slot in (0..self.slots).step_by(every) {
            let Some(date) = self.begins(slot) else { break };
            let format = if year == Some(date.year()) {
                "%-d %b"
            } else {
                "%-d %b %Y"
            };
            year = Some(date.year());
            labels.push((slot, date.format(format).to_string()));
        }
        labels
    }

    /// The place of a day, counted from 0.
    fn slot(&self, date: &str) -> Option<usize> {
        let offset = parse(date)?.signed_duration_since(self.first?).num_days();
        let slot = usize::try_from(offset).ok()? / self.step;
        (slot < self.slots).then_some(slot)
    }

    fn begins(&self, slot: usize) -> Option<NaiveDate> {
        let offset = u64::try_from(slot.checked_mul(self.step)?).ok()?;
        self.first?.checked_add_days(Days::new(offset))
    }

    fn date(&self, slot: usize) -> String {
        self.begins(slot)
            .map(|date| date.to_string())
            .unwrap_or_default()
    }
}

/// Whether the first label says its year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstYear {
    Shown,
    /// There is no room for it.
    Hidden,
}

fn parse(date: &str) -> Option<NaiveDate> {
    date.parse().ok()
}

/// Adds a day to those before it; λ is that of the last day that has one.
fn add(sum: &mut Day, day: &Day) {
    sum.target = plus(sum.target, day.target);
    sum.actual = plus(sum.actual, day.actual);
    sum.suggested = plus(sum.suggested, day.suggested);
    sum.revenue = plus(sum.revenue, day.revenue);
    sum.lambda = day.lambda.or(sum.lambda);
    for (level, count) in sum.levels.iter_mut().zip(day.levels) {
        *level = level.saturating_add(count);
    }
    let mut binding: BTreeMap<RuleId, u64> = BTreeMap::new();
    for (rule, count) in sum.binding.drain(..).chain(day.binding.iter().cloned()) {
        let all = binding.entry(rule).or_default();
        *all = all.saturating_add(count);
    }
    sum.binding = binding.into_iter().collect();
    sum.binding
        .sort_by_key(|(_, count)| std::cmp::Reverse(*count));
}

/// The sum, as far as amounts go: for a picture, not for the books.
fn plus(one: Micros, other: Micros) -> Micros {
    Micros::new(one.get().saturating_add(other.get()))
}

#[cfg(test)]
mod tests {
    use gaelp::core::Ratio;

    use super::*;

    #[test]
    fn gaps_keep_their_place() {
        let days = ["2026-02-27", "2026-03-02", "not a day"];
        let timeline = Timeline::new(days.into_iter());
        assert_eq!((timeline.len(), timeline.step()), (4, 1));
        assert_eq!(timeline.slot("2026-03-02"), Some(3));
        assert_eq!(timeline.slot("2026-03-03"), None);
        assert_eq!(timeline.slot("2026-02-26"), None);
        let filled = timeline.fill([("2026-02-28", 1), ("2025-01-01", 2)].into_iter());
        assert_eq!(filled, [None, Some(1), None, None]);
        assert_eq!(Timeline::new(std::iter::empty()).len(), 0);
    }

    #[test]
    fn days_share_places_where_there_are_too_many() {
        let over = |first, last| Timeline::new([first, last].into_iter());
        let week = over("2024-01-01", "2026-01-01");
        assert_eq!((week.len(), week.step()), (105, 7)); // 732 days
        assert_eq!(week.slot("2024-01-07"), Some(0));
        assert_eq!(week.slot("2024-01-08"), Some(1));
        assert_eq!(week.slot("2026-01-01"), Some(104));
        assert_eq!(week.each(), "a week");
        assert_eq!(week.counted(1), "1 week");
        assert_eq!(week.named("2024-01-08"), "7 days from 2024-01-08");
        let month = over("2016-01-01", "2026-01-01");
        assert_eq!(
            (month.step(), month.counted(2).as_str()),
            (28, "2 spans of 28 days")
        );
        assert!(over("0001-01-01", "9999-12-31").len() <= MOST_SLOTS);
    }

    #[test]
    fn days_of_a_place_are_added_up() {
        let timeline = Timeline::new(["2024-01-01", "2026-01-01"].into_iter());
        let day = |date: &str, actual, lambda, rule| Day {
            date: date.to_owned(),
            actual: Micros::new(actual),
            lambda,
            levels: [1, 0, 0, 0, 2],
            binding: vec![(RuleId::new(rule), 3)],
            ..Day::default()
        };
        let (one, two) = (Some(Ratio::from_ppm(1)), Some(Ratio::from_ppm(2)));
        let days = timeline.days(&[
            day("2024-01-09", 5, one, "a"),
            day("2024-01-10", 6, two, "b"),
            day("2024-01-14", i64::MAX, None, "b"),
            day("2024-01-15", 7, None, "a"),
            day("never", 8, None, "a"),
        ]);
        assert_eq!(days.len(), 2);
        assert_eq!(
            (days[0].date.as_str(), days[1].date.as_str()),
            ("2024-01-08", "2024-01-15")
        );
        assert_eq!(
            (days[0].actual, days[1].actual),
            (Micros::MAX, Micros::new(7))
        );
        assert_eq!((days[0].lambda, days[0].levels), (two, [3, 0, 0, 0, 6]));
        assert_eq!(
            days[0].binding,
            [(RuleId::new("b"), 6), (RuleId::new("a"), 3)]
        );
    }

    #[test]
    fn labels_are_few_and_name_each_year_once() {
        let timeline = Timeline::new(["2025-12-30", "2026-01-02"].into_iter());
        let labels = timeline.labels(8, FirstYear::Shown);
        let labels: Vec<_> = labels.into_iter().map(|(_, text)| text).collect();
        assert_eq!(labels, ["30 Dec 2025", "31 Dec", "1 Jan 2026", "2 Jan"]);
        let short = timeline.labels(2, FirstYear::Hidden);
        assert_eq!(
            short,
            [(0, "30 Dec".to_owned()), (2, "1 Jan 2026".to_owned())]
        );
        let last: NaiveDate = "2026-12-31".parse().expect("a date");
        for days in 1..=2_000_u64 {
            let ends = [(last - Days::new(days - 1)).to_string(), last.to_string()];
            let timeline = Timeline::new(ends.iter().map(String::as_str));
            assert!(timeline.len() <= MOST_SLOTS);
            for most in 1..=10 {
                let labels = timeline.labels(most, FirstYear::Hidden);
                assert!((1..=most).contains(&labels.len()), "{days} {most}");
            }
        }
    }
}
