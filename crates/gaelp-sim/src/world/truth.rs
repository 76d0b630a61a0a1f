//! What really happened, whatever anyone was told.

use chrono::{DateTime, NaiveDate, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros};

/// What really happened.
///
/// Days are the account's local days, whose midnights are exact to the second. Ad sets are
/// counted in the order in which they came into the world, see
/// [`World::keys`](crate::World::keys).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    pub(super) days: Vec<Day>,
    pub(super) changes: Vec<Change>,
}

/// A local day, as it really was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The date.
    pub date: NaiveDate,
    /// When it began, in seconds of the Unix epoch.
    pub begin: i64,
    /// When it ended or will end.
    pub end: i64,
    /// What each ad set spent.
    pub spent: Vec<Micros>,
    /// The highest daily budget of each ad set that stood at any time of the day.
    pub high: Vec<Micros>,
    /// The most that the platforms may charge for each ad set: ω times `high`, rounded up.
    pub most: Vec<Micros>,
}

impl Day {
    /// What the account spent.
    pub fn account_spent(&self) -> Micros {
        sum(&self.spent)
    }

    /// The most that the account can be made to pay for this day by the budgets that stood.
    pub fn account_most(&self) -> Micros {
        sum(&self.most)
    }
}

/// A sum that sticks at the largest amount.
fn sum(amounts: &[Micros]) -> Micros {
    Micros::checked_sum(amounts.iter().copied()).unwrap_or(Micros::MAX)
}

/// A budget or a delivery that really changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: DateTime<Utc>,
    /// Which ad set, as it is counted.
    pub slot: usize,
    /// Its name.
    pub key: AdSetKey,
    /// The daily budget before.
    pub from: Micros,
    /// And after.
    pub to: Micros,
    /// Who did it.
    pub by: Author,
}

/// Who changed a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// A write of ours.
    Decision(DecisionId),
    /// A person, in the platform's own interface.
    Human,
}

impl Truth {
    /// The days so far; the last is today.
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// Today.
    pub fn today(&self) -> &Day {
        self.days.last().expect("a world begins on some day")
    }

    /// Every write that was really applied and every edit of a person, in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}
