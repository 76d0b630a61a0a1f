//! The state of the ledger, and what can be asked of it.

mod apply;
mod calendar;
mod decide;
mod exposure;
mod line;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gaelp_core::{AdSetKey, Micros, Platform};

use crate::{Epoch, GENESIS, Hash, Intent, Limits, Operator, Refusal};
use calendar::Turn;
pub(crate) use exposure::worst;
use line::Line;

/// The state that follows from a log: a pure state machine without a clock, a file or a lock.
///
/// [`decide`](Self::decide) says what a request would put into the log, [`apply`](Self::apply) is
/// what an entry does to the state; [`follow`](Self::follow) also checks the entry's place in the
/// hash chain. The same entries give the same book, bit for bit.
///
/// **Cost.** Every question and every request takes time in proportion to the number of ad sets. A
/// clone shares them; the first change after it copies them, once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Book {
    limits: Arc<Limits>,
    seq: u64,
    head: Hash,
    epoch: Epoch,
    /// When the current epoch began.
    taken_at: Option<DateTime<Utc>>,
    operator: Operator,
    /// The time of the last entry.
    last: Option<DateTime<Utc>>,
    /// When the clock last ran back, and by how much it may be behind since.
    ran_back: Option<(DateTime<Utc>, TimeDelta)>,
    /// The account's day for which highs and spend are counted, and the one that was before it.
    today: Option<NaiveDate>,
    eve: Option<NaiveDate>,
    /// Which platforms were read in this epoch.
    read: Vec<Platform>,
    /// Shared between clones until one of them changes.
    lines: Arc<BTreeMap<AdSetKey, Line>>,
}

/// What the ledger knows of an ad set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Standing {
    /// The daily budget that is known to have stood last; `None` where the ad set is gone.
    pub confirmed: Option<Micros>,
    /// The highest daily budget that may have stood today, other than by what is open.
    pub high: Micros,
    /// Writes that may yet happen, or may have happened.
    pub open: Vec<Intent>,
    /// What it can have spent today.
    pub spent: Micros,
    /// The last budget at which it was known to do well.
    pub known_good: Option<Micros>,
    /// What it could still make the account pay today, all in all.
    pub exposure: Micros,
}

impl Book {
    /// The empty book.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits: Arc::new(limits),
            seq: 0,
            head: GENESIS,
            epoch: Epoch::NONE,
            taken_at: None,
            operator: Operator::default(),
            last: None,
            ran_back: None,
            today: None,
            eve: None,
            read: Vec::new(),
            lines: Arc::default(),
        }
    }

    /// The limits that it admits by.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The place of the last entry that was followed; zero before any.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The hash of the last entry that was followed.
    pub fn head(&self) -> Hash {
        self.head
    }

    /// The current epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What persons said last.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The first and the last local date that it may be on the platforms' side when a clock of ours
    /// shows `at`: the same, but around midnight and after the clock ran back.
    pub fn dates(&self, at: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
        self.limits.dates(at, self.behind(at))
    }

    /// The time of the last entry.
    pub fn last_at(&self) -> Option<DateTime<Utc>> {
        self.last
    }

    /// The daily budget of an ad set that is known to have stood last; `None` where it is not known
    /// or gone.
    pub fn confirmed(&self, key: &AdSetKey) -> Option<Micros> {
        self.lines.get(key)?.confirmed
    }

    /// The last budget at which an ad set was known to do well.
    pub fn known_good(&self, key: &AdSetKey) -> Option<Micros> {
        self.lines.get(key)?.known_good
    }

    /// The intents of an ad set that are not settled, in the order in which they were admitted.
    pub fn open(&self, key: &AdSetKey) -> Vec<&Intent> {
        let line = self.lines.get(key);
        line.map_or_else(Vec::new, |line| line.intents().collect())
    }

    /// Every intent that is not settled.
    pub fn all_open(&self) -> impl Iterator<Item = &Intent> {
        self.lines.values().flat_map(Line::intents)
    }

    /// What is known of each ad set at a time, in the order of their keys.
    pub fn lines(&self, at: DateTime<Utc>) -> impl Iterator<Item = (&AdSetKey, Standing)> {
        let turn = self.turn(at);
        self.lines.iter().map(move |(key, line)| {
            let standing = Standing {
                confirmed: line.confirmed,
                high: line.high(turn),
                open: line.intents().cloned().collect(),
                spent: line.spent(turn),
                known_good: line.known_good,
                exposure: self.exposure_in(key, line, turn),
            };
            (key, standing)
        })
    }

    /// Whether raises may be made since the last takeover: the budgets of every platform with ad
    /// sets were read in this epoch, and no intent of an earlier epoch is open.
    pub fn reconciled(&self) -> bool {
        let read = self
            .lines
            .keys()
            .all(|key| self.read.contains(&key.platform));
        let settled = self.all_open().all(|intent| intent.epoch == self.epoch);
        self.epoch != Epoch::NONE && read && settled
    }

    /// Why no raise of an ad set would be admitted, whatever the amount; `None` where one may be.
    pub fn raise_barred(&self, key: &AdSetKey, at: DateTime<Utc>) -> Option<Refusal> {
        self.barred(key, at, || self.reconciled())
    }

    fn barred(
        &self,
        key: &AdSetKey,
        at: DateTime<Utc>,
        reconciled: impl FnOnce() -> bool,
    ) -> Option<Refusal> {
        let Some(line) = self.lines.get(key).filter(|line| line.is_listed()) else {
            return Some(Refusal::UnknownAdSet { key: key.clone() });
        };
        if self.operator.killed {
            return Some(Refusal::Killed);
        }
        if self.operator.paused {
            return Some(Refusal::Paused);
        }
        if let Some(last) = self.last.filter(|&last| at < last - self.limits.skew()) {
            return Some(Refusal::Clock { at, last });
        }
        if !reconciled() {
            return Some(Refusal::Unreconciled);
        }
        let intent = line.intents().next()?.id;
        Some(Refusal::Open { intent })
    }

    /// The highest daily budget of an ad set that would be admitted, in the current epoch; `None`
    /// where its budget is not known.
    ///
    /// It is never below what a decrease may be, so it is no reason to change anything.
    pub fn ceiling(&self, key: &AdSetKey, at: DateTime<Utc>) -> Option<Micros> {
        let least = self.lines.get(key)?.least()?;
        if self.raise_barred(key, at).is_some() {
            return Some(least);
        }
        Some(self.most(key, at).map_or(least, |most| most.max(least)))
    }

    /// What all ad sets have in common at a time, for whoever asks about many of them.
    pub fn outlook(&self, at: DateTime<Utc>) -> Outlook<'_> {
        let turn = self.turn(at);
        Outlook {
            book: self,
            at,
            turn,
            exposure: self.account_exposure(turn),
            reconciled: self.reconciled(),
        }
    }

    pub(crate) fn moved_to(&mut self, seq: u64, head: Hash) {
        self.seq = seq;
        self.head = head;
    }
}

/// A [`Book`] at one time: each question takes as long for many ad sets as for one.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    book: &'a Book,
    at: DateTime<Utc>,
    turn: Turn,
    exposure: Micros,
    reconciled: bool,
}

impl Outlook<'_> {
    /// As [`Book::raise_barred`].
    pub fn raise_barred(&self, key: &AdSetKey) -> Option<Refusal> {
        self.book.barred(key, self.at, || self.reconciled)
    }

    /// As [`Book::ceiling`] for an ad set of which [`raise_barred`](Self::raise_barred) said
    /// nothing.
    pub fn ceiling_where_raised(&self, key: &AdSetKey) -> Option<Micros> {
        let least = self.book.lines.get(key)?.least()?;
        let most = self.book.most_of(key, self.turn, self.exposure);
        Some(most.map_or(least, |most| most.max(least)))
    }
}
