//! The account's days, and what a new one begins with.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Book;

/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// How long a clock that ran back is not believed in its date.
const DOUBTED: TimeDelta = TimeDelta::days(2);
/// What a clock that runs back is taken to be behind at most. With the skew it is less than the
/// shortest day, so that it may be two dates and never three.
const MOST_BEHIND: TimeDelta = TimeDelta::hours(12);

/// Whether a time is computed with.
pub(super) fn is_in_calendar(at: DateTime<Utc>) -> bool {
    (0..=LAST_SECOND).contains(&at.timestamp())
}

/// How a time relates to the days that the book counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is still today.
    Same {
        /// The day before may not be over everywhere.
        eve_goes_on: bool,
    },
    /// A new day begins, of this date.
    Forward {
        /// Its date.
        date: NaiveDate,
        /// What was today may not be over everywhere.
        today_goes_on: bool,
        /// The time of the last entry of the day before: what could show then may show in it.
        since: DateTime<Utc>,
    },
    /// The clock ran back to an earlier day, of this date. What was counted since is counted for it.
    Back {
        /// Its date.
        date: NaiveDate,
    },
}

impl Book {
    pub(super) fn turn(&self, at: DateTime<Utc>) -> Turn {
        let (first, last) = self.dates(at);
        match self.today {
            Some(today) if last < today => Turn::Back { date: last },
            Some(today) if last == today => Turn::Same {
                eve_goes_on: self.eve.is_some_and(|eve| eve >= first),
            },
            today => Turn::Forward {
                date: last,
                today_goes_on: today.is_some_and(|today| today >= first),
                since: self.last.map_or(at, |last| last.min(at)),
            },
        }
    }

    /// Moves the book to a time.
    pub(super) fn advance(&mut self, at: DateTime<Utc>) {
        let turn = self.turn(at);
        let behind = self.behind(at);
        if self.runs_back(at).is_some() {
            self.ran_back = Some((at, behind));
        }
        self.last = Some(at);
        match turn {
            Turn::Same { .. } => {}
            Turn::Forward { date, since, .. } => {
                self.eve = self.today.replace(date);
                for line in Arc::make_mut(&mut self.lines).values_mut() {
                    line.begin_day(since);
                }
            }
            Turn::Back { date } => {
                self.today = Some(date);
                self.eve = None;
                for line in Arc::make_mut(&mut self.lines).values_mut() {
                    line.merge_days();
                }
            }
        }
    }

    /// By how much the clock may be behind: where it ran back, nobody knows whether it was right
    /// before or is since.
    pub(super) fn behind(&self, at: DateTime<Utc>) -> TimeDelta {
        let kept = self
            .ran_back
            .filter(|&(since, _)| at - since < DOUBTED)
            .map_or(TimeDelta::zero(), |(_, behind)| behind);
        let more = self.runs_back(at).unwrap_or_default();
        (kept + more).min(MOST_BEHIND)
    }

    /// By how much a time lies before the last entry's, where that is more than clocks may differ.
    fn runs_back(&self, at: DateTime<Utc>) -> Option<TimeDelta> {
        let back = self.last? - at;
        (back > self.limits.skew()).then_some(back)
    }
}
