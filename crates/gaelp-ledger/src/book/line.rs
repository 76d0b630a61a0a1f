//! What is known of one ad set.

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros};

use super::calendar::Turn;
use crate::{Answer, Change, Intent, Limits, seeded};

/// How many settled intents of an ad set are remembered, so that no decision is admitted twice and
/// late answers find their intent. At 24 edits a day it is more than two days.
const REMEMBERED: usize = 64;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    pub(super) confirmed: Option<Micros>,
    pub(super) known_good: Option<Micros>,
    /// What the last reading said, when it began, and how many in a row said so that count.
    listed: Option<Micros>,
    as_of: Option<DateTime<Utc>>,
    run: u32,
    /// When the last reading began that listed it.
    seen: Option<DateTime<Utc>>,
    today: Day,
    eve: Day,
    open: Vec<Open>,
    settled: Vec<Settled>,
}

/// What counts for a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Day {
    pub(super) high: Micros,
    pub(super) spent: Micros,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Open {
    intent: Intent,
    /// What the platform says it set, and when it had said so.
    applied: Option<(Micros, DateTime<Utc>)>,
    unknown: bool,
    /// The highest and the lowest budget that it may come to.
    most: Micros,
    least: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Settled {
    id: DecisionId,
    /// Until when it might still show.
    until: DateTime<Utc>,
    /// The budget that it may have set.
    stood: Micros,
}

impl Day {
    fn merged(self, other: Self) -> Self {
        Self {
            high: self.high.max(other.high),
            spent: self.spent.max(other.spent),
        }
    }
}

impl Line {
    pub(super) fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.open.iter().map(|open| &open.intent)
    }

    /// Whether its budget is known, and it was in the last list.
    pub(super) fn is_listed(&self) -> bool {
        self.confirmed.is_some() && self.listed.is_some()
    }

    /// The lowest budget that may stand: what is not above it is a decrease.
    pub(super) fn least(&self) -> Option<Micros> {
        let open = self.open.iter().map(|open| open.least);
        Some(open.fold(self.confirmed?, Micros::min))
    }

    /// The highest budget that the open intents may come to.
    pub(super) fn open_most(&self) -> Micros {
        let open = self.open.iter().map(|open| open.most);
        open.fold(Micros::ZERO, Micros::max)
    }

    pub(super) fn knows(&self, id: DecisionId) -> bool {
        self.intents().any(|intent| intent.id == id)
            || self.settled.iter().any(|settled| settled.id == id)
    }

    /// The days that count at a time, each with what counts for it.
    pub(super) fn days(&self, turn: Turn) -> [Day; 2] {
        let only = |goes_on: bool, day: Day| if goes_on { day } else { Day::default() };
        match turn {
            Turn::Same { eve_goes_on } => [self.today, only(eve_goes_on, self.eve)],
            Turn::Forward {
                today_goes_on,
                since,
                ..
            } => [self.new_day(since), only(today_goes_on, self.today)],
            Turn::Back { .. } => [self.today, self.eve],
        }
    }

    pub(super) fn high(&self, turn: Turn) -> Micros {
        let [one, other] = self.days(turn);
        one.high.max(other.high)
    }

    pub(super) fn spent(&self, turn: Turn) -> Micros {
        let [one, other] = self.days(turn);
        one.spent.max(other.spent)
    }

    /// What a day begins with: all that may stand then, but for what is open, which is counted
    /// while it is.
    fn new_day(&self, since: DateTime<Utc>) -> Day {
        let showing = self.settled.iter().filter(|settled| settled.until > since);
        let high = [self.confirmed, self.listed]
            .into_iter()
            .flatten()
            .chain(showing.map(|settled| settled.stood))
            .fold(Micros::ZERO, Micros::max);
        Day {
            high: seeded::first_high(high),
            spent: Micros::ZERO,
        }
    }

    pub(super) fn begin_day(&mut self, since: DateTime<Utc>) {
        self.eve = self.today;
        self.today = self.new_day(since);
    }

    pub(super) fn merge_days(&mut self) {
        self.today = self.today.merged(self.eve);
        self.eve = Day::default();
    }

    /// Whether nothing of it can matter any more.
    pub(super) fn is_over(&self) -> bool {
        let nothing = Day::default();
        self.confirmed.is_none()
            && self.open.is_empty()
            && self.today == nothing
            && self.eve == nothing
    }

    /// A budget that stood, or may have.
    ///
    /// Where the eve is not over everywhere it may have stood then too: as long as the eve counts,
    /// what counts is the larger of both days.
    pub(super) fn stood(&mut self, budget: Micros) {
        self.today.high = self.today.high.max(budget);
    }

    pub(super) fn spend_today(&mut self, upper: Micros) {
        self.today.spent = upper;
    }

    pub(super) fn spend_on_eve(&mut self, upper: Micros) {
        self.eve.spent = upper;
    }

    /// Notes what a reading said that began at a time; `None` where it did not list the ad set.
    ///
    /// What is open is settled by readings that began when nothing could show any more.
    pub(super) fn note_read(
        &mut self,
        budget: Option<Micros>,
        began: DateTime<Utc>,
        limits: &Limits,
    ) {
        self.stood(budget.unwrap_or_default());
        if self.as_of.is_some_and(|as_of| began <= as_of) {
            return;
        }
        let before = self.listed;
        self.as_of = Some(began);
        self.listed = budget;
        if budget.is_some() {
            self.seen = Some(began);
        }
        if !self.open.iter().all(|open| open.is_quiet(began, limits)) {
            self.run = 0;
        } else if before == budget {
            self.run = (self.run + 1).min(limits.config().read_backs);
        } else {
            self.run = 1;
        }
    }

    /// What follows from the readings and answers so far.
    pub(super) fn changes(&self, key: &AdSetKey, limits: &Limits, found: &mut Vec<Change>) {
        let Some(as_of) = self.as_of else { return };
        if let [only] = &*self.open
            && only.is_shown(self.listed, as_of)
        {
            found.push(only.confirmed(key));
            return;
        }
        let all_unknown = self.open.iter().all(|open| open.unknown);
        let quiet = self.run >= seeded::readings(limits.config().read_backs, all_unknown);
        if !self.open.is_empty() && !quiet {
            return;
        }
        let alone = self.open.len() == 1;
        let mut explained = self.listed == self.confirmed;
        for open in &self.open {
            if self.listed == Some(open.intent.to) {
                explained = true;
                found.push(open.confirmed(key));
            } else {
                let untouched = alone && open.applied.is_none() && explained; // then it is as before
                found.push(Change::Expired {
                    key: key.clone(),
                    intent: open.intent.id,
                    budget: open.intent.to,
                    may_have_stood: !untouched,
                });
            }
        }
        if explained {
            return;
        }
        let key = key.clone();
        match (self.confirmed, self.listed) {
            (Some(from), Some(to)) => found.push(Change::External { key, from, to }),
            (None, Some(budget)) => found.push(Change::New { key, budget }),
            (Some(from), None) if quiet && self.is_long_missing(as_of, limits) => {
                // What is open expires just before, and may stand where nobody looks.
                let from = from.max(self.open_most());
                found.push(Change::Gone { key, from });
            }
            (_, None) => {}
        }
    }

    /// Whether no list has named it for so long that it is taken to be gone. Until then it may
    /// spend, as lists have holes.
    fn is_long_missing(&self, as_of: DateTime<Utc>, limits: &Limits) -> bool {
        self.seen
            .is_none_or(|seen| as_of - seen >= limits.gone_after())
    }

    pub(super) fn admit(&mut self, intent: Intent) {
        let (most, least) = (intent.to, intent.to);
        self.run = 0;
        self.open.push(Open {
            intent,
            applied: None,
            unknown: false,
            most,
            least,
        });
    }

    /// Whether an answer says something that is not known of an intent of this ad set.
    pub(super) fn is_news(&self, id: DecisionId, answer: Answer) -> bool {
        if let Some(open) = self.open.iter().find(|open| open.intent.id == id) {
            return match (answer, open.applied) {
                (Answer::Applied { daily_budget }, Some((known, _))) => daily_budget != known,
                (Answer::Applied { .. }, None) => true,
                (Answer::Rejected, applied) => applied.is_none(),
                (Answer::Unknown, applied) => applied.is_none() && !open.unknown,
            };
        }
        let mut settled = self.settled.iter().filter(|settled| settled.id == id);
        match answer {
            Answer::Applied { daily_budget } => settled.any(|settled| daily_budget > settled.stood),
            Answer::Rejected | Answer::Unknown => false,
        }
    }

    pub(super) fn answered(
        &mut self,
        id: DecisionId,
        answer: Answer,
        at: DateTime<Utc>,
        limits: &Limits,
    ) {
        let Some(place) = self.open.iter().position(|open| open.intent.id == id) else {
            if let Answer::Applied { daily_budget } = answer {
                self.stood(daily_budget);
                if let Some(settled) = self.settled.iter_mut().find(|settled| settled.id == id) {
                    settled.stood = daily_budget;
                    settled.until = settled.until.max(limits.quiet_after(at));
                }
            }
            return;
        };
        match seeded::answer(answer) {
            Answer::Applied { daily_budget } => {
                let open = &mut self.open[place];
                open.applied = Some((daily_budget, at));
                open.most = open.most.max(daily_budget);
                open.least = open.least.min(daily_budget);
            }
            Answer::Rejected => self.settle(place, false, limits),
            Answer::Unknown => self.open[place].unknown = true,
        }
    }

    /// Whether a change fits what is open and confirmed.
    pub(super) fn fits(&self, change: &Change) -> bool {
        let has = |id: DecisionId, budget: Micros| {
            self.intents()
                .any(|intent| intent.id == id && intent.to == budget)
        };
        match change {
            Change::Confirmed { intent, budget, .. } | Change::Expired { intent, budget, .. } => {
                has(*intent, *budget)
            }
            Change::External { from, to, .. } => self.confirmed == Some(*from) && from != to,
            Change::Gone { from, .. } => self.confirmed == Some(*from),
            Change::New { .. } => self.confirmed.is_none(),
        }
    }

    /// Carries out a change that fits.
    pub(super) fn change(&mut self, change: &Change, limits: &Limits) {
        let unseen = self.listed.is_none();
        let (confirmed, settled) = match change {
            Change::Confirmed { intent, budget, .. } => (Some(*budget), Some((intent, true))),
            Change::Expired {
                intent,
                may_have_stood,
                ..
            } => {
                // What is not listed cannot be seen: it stands at the highest that it may have.
                let open = self.open.iter().find(|open| open.intent.id == *intent);
                let most = open.filter(|_| unseen && *may_have_stood).map(|o| o.most);
                let confirmed = self.confirmed.map(|known| known.max(most.unwrap_or(known)));
                (confirmed, Some((intent, *may_have_stood)))
            }
            Change::External { to, .. } => (Some(*to), None),
            Change::New { budget, .. } => (Some(*budget), None),
            Change::Gone { .. } => (None, None),
        };
        self.confirmed = confirmed;
        if let Some((id, stood)) = settled
            && let Some(place) = self.open.iter().position(|open| open.intent.id == *id)
        {
            self.settle(place, stood, limits);
        }
    }

    /// Ends an open intent.
    fn settle(&mut self, place: usize, stood: bool, limits: &Limits) {
        let open = self.open.remove(place);
        let stood = if stood { open.most } else { Micros::ZERO };
        self.stood(stood);
        self.settled.push(Settled {
            id: open.intent.id,
            until: limits.quiet_after(open.intent.not_after),
            stood,
        });
        if self.settled.len() > REMEMBERED {
            self.settled.remove(0);
        }
    }
}

impl Open {
    /// Whether it can no longer come to show in a reading that began at a time.
    fn is_quiet(&self, began: DateTime<Utc>, limits: &Limits) -> bool {
        began > limits.quiet_after(self.intent.not_after)
    }

    /// Whether the platform said that it did what was asked, and a later reading shows it.
    fn is_shown(&self, listed: Option<Micros>, as_of: DateTime<Utc>) -> bool {
        let to = self.intent.to;
        let said = |(budget, at)| budget == to && as_of > at;
        self.applied.is_some_and(said) && listed == Some(to) && self.most == to
    }

    fn confirmed(&self, key: &AdSetKey) -> Change {
        Change::Confirmed {
            key: key.clone(),
            intent: self.intent.id,
            budget: self.intent.to,
        }
    }
}
