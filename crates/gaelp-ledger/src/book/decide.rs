//! What a request would put into the log.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros, Platform};

use super::Book;
use super::calendar::is_in_calendar;
use crate::{
    Answer, Change, Entry, EntryError, Epoch, Intent, MAX_AMOUNT, Observation, Order, Proposal,
    Refusal, Reply, Request, What, seeded,
};

/// What goes into the log, and what is replied once it is there.
pub(crate) type Decided = Result<(Vec<Entry>, Reply), Refusal>;

impl Book {
    /// What a request puts into the log, and what is to be replied once it is there. Nothing is
    /// changed.
    ///
    /// # Errors
    /// [`Refusal`], with nothing for the log.
    pub fn decide(&self, request: &Request) -> Decided {
        match request {
            Request::Take { runner, at } => self.decide_take(runner, *at),
            Request::Observe(observation) => self.decide_observe(observation),
            Request::Admit(proposal) => self.decide_admit(proposal),
            Request::Answer { intent, answer, at } => self.decide_answer(*intent, *answer, *at),
            Request::Order { order, by, at } => self.decide_order(*order, by, *at),
        }
    }

    /// Decides a request and applies what follows: for a book that no log stands behind.
    pub fn execute(&mut self, request: &Request) -> Reply {
        let decided = self.carry_out(request);
        match decided.expect("what was decided on this book can be applied to it") {
            Ok((_, reply)) => reply,
            Err(refusal) => Reply::Refused(refusal),
        }
    }

    /// As [`execute`](Self::execute), with what goes into the log. What a refused request says
    /// changes nothing.
    ///
    /// # Errors
    /// [`EntryError`] for what was decided and cannot be applied, which is nothing; the book is then
    /// not to be used.
    pub(crate) fn carry_out(&mut self, request: &Request) -> Result<Decided, EntryError> {
        if let Request::Observe(observation) = request {
            // What is noted to see what follows need not be noted again.
            return match self.check_observed(observation) {
                Ok(()) => self.carry_out_observed(observation).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            };
        }
        let decided = self.decide(request);
        if let Ok((entries, _)) = &decided {
            for entry in entries {
                self.apply_in_place(entry)?;
            }
        }
        Ok(decided)
    }

    fn decide_take(&self, runner: &str, at: DateTime<Utc>) -> Decided {
        check_time(at)?;
        let current = self.epoch;
        let epoch = current.next().ok_or(Refusal::NoEpochLeft { current })?;
        let runner = runner.to_owned();
        let entry = Entry::Taken { epoch, runner, at };
        Ok((vec![entry], Reply::Taken { epoch }))
    }

    fn decide_observe(&self, observation: &Observation) -> Decided {
        self.check_observed(observation)?;
        let mut after = self.clone();
        after.note(observation);
        Ok(observed(observation, after.due()))
    }

    fn carry_out_observed(
        &mut self,
        observation: &Observation,
    ) -> Result<(Vec<Entry>, Reply), EntryError> {
        self.note(observation);
        let changes = self.due();
        self.change(&changes)?;
        Ok(observed(observation, changes))
    }

    fn check_observed(&self, observation: &Observation) -> Result<(), Refusal> {
        check_time(observation.at)?;
        self.check_epoch(observation.epoch)?;
        self.check_observation(observation)
    }

    fn decide_admit(&self, proposal: &Proposal) -> Decided {
        let Proposal {
            key,
            to,
            at,
            not_after,
            ..
        } = proposal;
        let (to, at, not_after) = (*to, *at, *not_after);
        check_time(at)?;
        check_time(not_after)?;
        self.check_epoch(proposal.epoch)?;
        if self.knows(proposal.id) {
            let intent = proposal.id;
            return Err(Refusal::Known { intent });
        }
        if at > not_after {
            return Err(Refusal::TooLate { not_after });
        }
        self.check_platform(&key.platform)?;
        check_amount(What::Budget, to)?;
        let line = self.lines.get(key);
        let Some(least) = line.and_then(super::line::Line::least) else {
            return Err(Refusal::UnknownAdSet { key: key.clone() });
        };
        if to > least {
            self.check_raise(key, to, least, at)?;
        }
        let intent = Intent {
            id: proposal.id,
            key: key.clone(),
            from: self.confirmed(key),
            to,
            epoch: proposal.epoch,
            policy: proposal.policy,
            at,
            not_after,
        };
        let reply = Reply::Admitted(intent.clone());
        Ok((vec![Entry::Admitted { intent }], reply))
    }

    fn check_raise(
        &self,
        key: &AdSetKey,
        to: Micros,
        least: Micros,
        at: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        if let Some(refusal) = self.raise_barred(key, at) {
            return Err(refusal);
        }
        let (exposure, cap) = (
            self.exposure_if(key, to, at),
            self.limits.config().daily_cap,
        );
        if exposure <= cap {
            return Ok(());
        }
        let most = self.most(key, at).map_or(least, |most| most.max(least));
        Err(Refusal::Headroom {
            exposure,
            cap,
            most,
        })
    }

    fn decide_answer(&self, intent: DecisionId, answer: Answer, at: DateTime<Utc>) -> Decided {
        check_time(at)?;
        if let Answer::Applied { daily_budget } = answer {
            check_amount(What::Budget, daily_budget)?;
        }
        let mut lines = self.lines.values().filter(|line| line.knows(intent));
        let line = lines.next().ok_or(Refusal::UnknownIntent { intent })?;
        let mut entries = Vec::new();
        if line.is_news(intent, answer) {
            entries.push(Entry::Answered { intent, answer, at });
        }
        Ok((entries, Reply::Answered))
    }

    fn decide_order(&self, order: Order, by: &str, at: DateTime<Utc>) -> Decided {
        check_time(at)?;
        if order == Order::Rearm && by.trim().is_empty() {
            return Err(Refusal::Nameless);
        }
        let mut entries = Vec::new();
        if self.operator.after(order) != self.operator {
            let by = by.to_owned();
            entries.push(Entry::Ordered { order, by, at });
        }
        Ok((entries, Reply::Ordered))
    }

    /// Whether an intent was admitted, as far back as that is remembered.
    pub(super) fn knows(&self, id: DecisionId) -> bool {
        self.lines.values().any(|line| line.knows(id))
    }

    fn check_epoch(&self, epoch: Epoch) -> Result<(), Refusal> {
        let current = self.epoch;
        if epoch == seeded::epoch(current, epoch) && current != Epoch::NONE {
            Ok(())
        } else {
            Err(Refusal::Fenced { current })
        }
    }

    fn check_platform(&self, platform: &Platform) -> Result<(), Refusal> {
        if self.limits.knows(platform) {
            return Ok(());
        }
        let platform = platform.clone();
        Err(Refusal::UnknownPlatform { platform })
    }

    fn check_observation(&self, observation: &Observation) -> Result<(), Refusal> {
        for read in &observation.reads {
            self.check_platform(&read.platform)?;
            check_time(read.began)?;
        }
        for key in observation.keys() {
            self.check_platform(&key.platform)?;
        }
        observation.check()
    }
}

impl Observation {
    /// The ad sets of what was spent and of what was good.
    fn keys(&self) -> impl Iterator<Item = &AdSetKey> {
        let spent = self.spent.iter().map(|spent| &spent.key);
        spent.chain(self.known_good.iter().map(|(key, _)| key))
    }

    /// Whether it is plausible in itself.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        for (number, read) in self.reads.iter().enumerate() {
            let (began, at) = (read.began, self.at);
            if began > at {
                return Err(Refusal::Future { began, at });
            }
            let before = &self.reads[..number];
            let again = before.iter().any(|other| other.platform == read.platform);
            let mut seen = Seen::default();
            for (place, (ad_set, budget)) in read.budgets.iter().enumerate() {
                check_amount(What::Budget, *budget)?;
                let before = read.budgets[..place].iter().map(|(ad_set, _)| ad_set);
                if again || !seen.is_new(ad_set, before) {
                    let key = AdSetKey::new(read.platform.clone(), ad_set.clone());
                    return Err(Refusal::Twice { key });
                }
            }
        }
        let mut seen = Seen::default();
        for (place, spent) in self.spent.iter().enumerate() {
            check_amount(What::Spent, spent.upper)?;
            let before = self.spent[..place].iter().map(|s| (&s.key, s.date));
            if !seen.is_new((&spent.key, spent.date), before) {
                let key = spent.key.clone();
                return Err(Refusal::Twice { key });
            }
        }
        let mut seen = Seen::default();
        for (place, (key, budget)) in self.known_good.iter().enumerate() {
            check_amount(What::KnownGood, *budget)?;
            let before = self.known_good[..place].iter().map(|(key, _)| key);
            if !seen.is_new(key, before) {
                return Err(Refusal::Twice { key: key.clone() });
            }
        }
        Ok(())
    }
}

/// What was in a list so far. As long as the list rises, nothing but its last need be remembered.
struct Seen<T> {
    greatest: Option<T>,
    all: Option<BTreeSet<T>>,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self {
            greatest: None,
            all: None,
        }
    }
}

impl<T: Ord> Seen<T> {
    /// Whether an item was not among those `before` it.
    fn is_new(&mut self, item: T, before: impl Iterator<Item = T>) -> bool {
        if self.all.is_none() && self.greatest.as_ref().is_none_or(|last| *last < item) {
            self.greatest = Some(item);
            return true;
        }
        let all = self.all.get_or_insert_with(|| before.collect());
        all.insert(item)
    }
}

/// What is put into the log of an observation, and replied.
fn observed(observation: &Observation, changes: Vec<Change>) -> (Vec<Entry>, Reply) {
    let reply = Reply::Observed {
        changes: changes.clone(),
    };
    let entry = Entry::Observed {
        observation: observation.clone(),
        changes,
    };
    (vec![entry], reply)
}

fn check_time(at: DateTime<Utc>) -> Result<(), Refusal> {
    if is_in_calendar(at) {
        Ok(())
    } else {
        Err(Refusal::OutOfCalendar { at })
    }
}

fn check_amount(what: What, value: Micros) -> Result<(), Refusal> {
    if (Micros::ZERO..=MAX_AMOUNT).contains(&value) {
        Ok(())
    } else {
        Err(Refusal::Amount { what, value })
    }
}
