//! A ledger written a second time, from its description: lists of what happened, searched anew for
//! every question. Slow, and without a line in common with the real one.

mod observe;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Timelike, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros, Platform};
use gaelp_ledger::{Answer, Epoch, Intent, LedgerConfig, Order, Proposal, Refusal, Reply, Request};

type Time = DateTime<Utc>;

pub(crate) struct Naive {
    config: LedgerConfig,
    /// How far the account's clock is ahead of UTC, in minutes.
    offset: i64,
    takes: Vec<Time>,
    orders: Vec<Order>,
    last: Option<Time>,
    /// When clocks ran back, and by how much they may be behind since.
    backs: Vec<(Time, Duration)>,
    /// The days that are kept: the newest, and the one before it.
    dates: Vec<NaiveDate>,
    /// Platforms read since the last takeover.
    read: Vec<Platform>,
    ad_sets: BTreeMap<AdSetKey, AdSet>,
}

#[derive(Clone, Default)]
struct AdSet {
    confirmed: Option<i64>,
    readings: Vec<Reading>,
    /// Budgets that may have stood on a day.
    stood: Vec<(NaiveDate, i64)>,
    spent: Vec<(NaiveDate, i64)>,
    writes: Vec<Write>,
}

#[derive(Clone)]
struct Reading {
    began: Time,
    budget: Option<i64>,
    /// Whether nothing that was open could show any more.
    quiet: bool,
    /// How many writes were admitted before.
    after: usize,
}

#[derive(Clone)]
struct Write {
    intent: Intent,
    applied: Vec<(i64, Time)>,
    unknown: bool,
    /// Once settled: what it may have set, and until when that may show.
    end: Option<(i64, Time)>,
}

impl Naive {
    pub(crate) fn new(config: LedgerConfig, offset: i64) -> Self {
        Self {
            config,
            offset,
            takes: Vec::new(),
            orders: Vec::new(),
            last: None,
            backs: Vec::new(),
            dates: Vec::new(),
            read: Vec::new(),
            ad_sets: BTreeMap::new(),
        }
    }

    pub(crate) fn execute(&mut self, request: &Request) -> Reply {
        let done = match request {
            Request::Take { at, .. } => {
                self.pass(*at);
                self.takes.push(*at);
                self.read.clear();
                Ok(Reply::Taken {
                    epoch: self.epoch(),
                })
            }
            Request::Observe(observation) => self.observe(observation),
            Request::Admit(proposal) => self.admit(proposal),
            Request::Answer { intent, answer, at } => self.answer(*intent, *answer, *at),
            Request::Order { order, by, at } => self.order(*order, by, *at),
            _ => unreachable!("another request"),
        };
        done.unwrap_or_else(Reply::Refused)
    }

    fn epoch(&self) -> Epoch {
        Epoch::new(self.takes.len() as u64)
    }

    fn quiet_after(&self, not_after: Time) -> Time {
        not_after
            + seconds(self.config.request_lifetime_secs)
            + seconds(self.config.clock_skew_secs)
    }

    /// By how much the clock may be behind: all that it ran back by, each time within two days of
    /// the time before, and never more than half a day.
    fn behind(&self, at: Time) -> Duration {
        let before = match self.backs.last() {
            Some((since, behind)) if at < *since + Duration::hours(48) => *behind,
            _ => Duration::zero(),
        };
        std::cmp::min(before + self.back(at), Duration::hours(12))
    }

    fn back(&self, at: Time) -> Duration {
        match self.last {
            Some(last) if at + seconds(self.config.clock_skew_secs) < last => last - at,
            _ => Duration::zero(),
        }
    }

    /// The earliest and the latest day that it may be.
    fn days(&self, at: Time) -> (NaiveDate, NaiveDate) {
        let skew = seconds(self.config.clock_skew_secs);
        let early = at - skew + Duration::minutes(self.offset);
        let late = at + skew + self.behind(at);
        let hour = late - Duration::seconds(i64::from(late.minute() * 60 + late.second()));
        // The local hour that begins in this hour of UTC.
        let shown = hour + Duration::minutes((self.offset + 59).div_euclid(60) * 60);
        (early.date_naive(), shown.date_naive())
    }

    fn today(&self) -> Option<NaiveDate> {
        self.dates.last().copied()
    }

    /// What a new day begins with.
    fn carried(&self, ad_set: &AdSet, at: Time) -> i64 {
        let before = self
            .last
            .map_or(at, |last| if last < at { last } else { at });
        let mut most = ad_set.confirmed.unwrap_or(0);
        if let Some(budget) = ad_set.readings.last().and_then(|reading| reading.budget) {
            most = most.max(budget);
        }
        for (stood, until) in ad_set.writes.iter().filter_map(|write| write.end) {
            if until > before {
                most = most.max(stood);
            }
        }
        most
    }

    fn pass(&mut self, at: Time) {
        let (_, now) = self.days(at);
        match self.today() {
            Some(today) if now == today => {}
            Some(today) if now < today => {
                let kept = std::mem::replace(&mut self.dates, vec![now]);
                for ad_set in self.ad_sets.values_mut() {
                    ad_set.stood.retain(|(date, _)| kept.contains(date));
                    for (date, _) in &mut ad_set.stood {
                        *date = now;
                    }
                    let spent = kept.iter().map(|date| ad_set.spent_on(*date)).max();
                    ad_set.spent = vec![(now, spent.unwrap_or(0))];
                }
            }
            _ => {
                let carried: Vec<i64> = self
                    .ad_sets
                    .values()
                    .map(|ad_set| self.carried(ad_set, at))
                    .collect();
                for (ad_set, carried) in self.ad_sets.values_mut().zip(carried) {
                    ad_set.stood.push((now, carried));
                }
                self.dates.push(now);
                if self.dates.len() > 2 {
                    self.dates.remove(0);
                }
            }
        }
        if self.back(at) > Duration::zero() {
            self.backs.push((at, self.behind(at)));
        }
        self.last = Some(at);
    }

    /// Notes that a budget may have stood at a time, on all days that it may have been.
    fn stands(&mut self, key: &AdSetKey, budget: i64, at: Time) {
        let (early, _) = self.days(at);
        let today = self.today().unwrap();
        let dates: Vec<NaiveDate> = self
            .dates
            .iter()
            .copied()
            .filter(|date| *date == today || *date >= early)
            .collect();
        let ad_set = self.ad_sets.get_mut(key).unwrap();
        ad_set
            .stood
            .extend(dates.into_iter().map(|date| (date, budget)));
    }

    fn worst(&self, platform: &Platform, budget: i64) -> i64 {
        let ppm = i128::from(self.config.overdelivery[platform].ppm());
        let product = i128::from(budget) * ppm;
        let up = i128::from(product % 1_000_000 != 0);
        i64::try_from(product / 1_000_000 + up).unwrap()
    }

    fn exposure_of(&self, key: &AdSetKey, ad_set: &AdSet, also: i64, at: Time) -> i64 {
        let (early, now) = self.days(at);
        let open = ad_set.open().map(Write::most).max().unwrap_or(0).max(also);
        let mut worst = 0;
        let today = self.today();
        for date in &self.dates {
            let is_today = Some(*date) == today;
            let counts = today.is_some_and(|today| now < today)
                || *date >= early
                || (is_today && Some(now) == today);
            if counts {
                let high = ad_set.high_on(*date).max(open);
                worst = worst
                    .max(self.worst(&key.platform, high))
                    .max(ad_set.spent_on(*date));
            }
        }
        if today.is_none_or(|today| now > today) {
            let high = self.carried(ad_set, at).max(open);
            worst = worst.max(self.worst(&key.platform, high));
        }
        worst
    }

    pub(crate) fn exposure(&self, at: Time) -> Micros {
        Micros::new(self.exposure_with(None, 0, at))
    }

    fn exposure_with(&self, key: Option<&AdSetKey>, also: i64, at: Time) -> i64 {
        let each = self.ad_sets.iter().map(|(other, ad_set)| {
            let also = if Some(other) == key { also } else { 0 };
            self.exposure_of(other, ad_set, also, at)
        });
        each.sum()
    }

    /// Tries every budget: only for small caps.
    pub(crate) fn ceiling(&self, key: &AdSetKey, at: Time) -> Option<Micros> {
        let least = self.ad_sets.get(key)?.least()?;
        if self.barred(key, at).is_some() {
            return Some(Micros::new(least));
        }
        Some(Micros::new(self.most(key, least, at)))
    }

    fn most(&self, key: &AdSetKey, least: i64, at: Time) -> i64 {
        let cap = self.config.daily_cap.get();
        let fits = |to: &i64| self.exposure_with(Some(key), *to, at) <= cap;
        (0..=cap).rev().find(fits).unwrap_or(least).max(least)
    }

    pub(crate) fn barred(&self, key: &AdSetKey, at: Time) -> Option<Refusal> {
        let known = self
            .ad_sets
            .get(key)
            .filter(|ad_set| ad_set.confirmed.is_some());
        let listed = known.filter(|ad_set| ad_set.readings.last().unwrap().budget.is_some());
        let Some(ad_set) = listed else {
            return Some(Refusal::UnknownAdSet { key: key.clone() });
        };
        if self.holds(Order::Kill, Order::Rearm) {
            return Some(Refusal::Killed);
        }
        if self.holds(Order::Pause, Order::Resume) {
            return Some(Refusal::Paused);
        }
        let last = self.last.unwrap();
        if at + seconds(self.config.clock_skew_secs) < last {
            return Some(Refusal::Clock { at, last });
        }
        let unread = self
            .ad_sets
            .keys()
            .any(|key| !self.read.contains(&key.platform));
        let mut open = self.ad_sets.values().flat_map(AdSet::open);
        if unread || open.any(|write| write.intent.epoch != self.epoch()) {
            return Some(Refusal::Unreconciled);
        }
        let intent = ad_set.open().next()?.intent.id;
        Some(Refusal::Open { intent })
    }

    fn holds(&self, on: Order, off: Order) -> bool {
        let mut said = self.orders.iter().rev();
        said.find(|order| [on, off].contains(order)) == Some(&on)
    }

    fn current(&self, epoch: Epoch) -> Result<(), Refusal> {
        let current = self.epoch();
        if current == Epoch::NONE || epoch != current {
            return Err(Refusal::Fenced { current });
        }
        Ok(())
    }

    fn admit(&mut self, proposal: &Proposal) -> Result<Reply, Refusal> {
        let Proposal {
            epoch,
            id,
            key,
            to,
            policy,
            at,
            not_after,
        } = proposal.clone();
        self.current(epoch)?;
        if self
            .ad_sets
            .values()
            .flat_map(|a| &a.writes)
            .any(|write| write.intent.id == id)
        {
            return Err(Refusal::Known { intent: id });
        }
        if not_after < at {
            return Err(Refusal::TooLate { not_after });
        }
        let platform = key.platform.clone();
        if !self.config.overdelivery.contains_key(&platform) {
            return Err(Refusal::UnknownPlatform { platform });
        }
        let ad_set = self.ad_sets.get(&key);
        let Some(least) = ad_set.and_then(AdSet::least) else {
            return Err(Refusal::UnknownAdSet { key });
        };
        if to.get() > least {
            if let Some(refusal) = self.barred(&key, at) {
                return Err(refusal);
            }
            let (exposure, cap) = (
                self.exposure_with(Some(&key), to.get(), at),
                self.config.daily_cap,
            );
            if exposure > cap.get() {
                return Err(Refusal::Headroom {
                    exposure: Micros::new(exposure),
                    cap,
                    most: Micros::new(self.most(&key, least, at)),
                });
            }
        }
        self.pass(at);
        let ad_set = self.ad_sets.get_mut(&key).unwrap();
        let from = ad_set.confirmed.map(Micros::new);
        let intent = Intent {
            id,
            key,
            from,
            to,
            epoch,
            policy,
            at,
            not_after,
        };
        ad_set.writes.push(Write {
            intent: intent.clone(),
            applied: Vec::new(),
            unknown: false,
            end: None,
        });
        Ok(Reply::Admitted(intent))
    }

    fn answer(&mut self, id: DecisionId, answer: Answer, at: Time) -> Result<Reply, Refusal> {
        let mut all = self
            .ad_sets
            .iter()
            .flat_map(|(key, a)| a.writes.iter().map(move |w| (key, w)));
        let found = all.find(|(_, write)| write.intent.id == id);
        let Some((key, write)) = found.map(|(key, write)| (key.clone(), write.clone())) else {
            return Err(Refusal::UnknownIntent { intent: id });
        };
        let said = write.applied.last().map(|(budget, _)| *budget);
        let is_news = match (answer, write.end) {
            (Answer::Applied { daily_budget }, Some((stood, _))) => daily_budget.get() > stood,
            (Answer::Applied { daily_budget }, None) => said != Some(daily_budget.get()),
            (_, Some(_)) => false,
            (Answer::Unknown, None) => said.is_none() && !write.unknown,
            (_, None) => said.is_none(),
        };
        if !is_news {
            return Ok(Reply::Answered);
        }
        self.pass(at);
        let until = self.quiet_after(write.intent.not_after);
        let later = until.max(self.quiet_after(at));
        if let (Answer::Applied { daily_budget }, Some(_)) = (answer, write.end) {
            self.stands(&key, daily_budget.get(), at);
        }
        let writes = &mut self.ad_sets.get_mut(&key).unwrap().writes;
        let write = writes
            .iter_mut()
            .find(|write| write.intent.id == id)
            .unwrap();
        match (answer, write.end) {
            (Answer::Applied { daily_budget }, None) => {
                write.applied.push((daily_budget.get(), at));
            }
            (Answer::Applied { daily_budget }, Some(_)) => {
                write.end = Some((daily_budget.get(), later));
            }
            (Answer::Rejected, _) => write.end = Some((0, until)),
            _ => write.unknown = true,
        }
        Ok(Reply::Answered)
    }

    fn order(&mut self, order: Order, by: &str, at: Time) -> Result<Reply, Refusal> {
        if order == Order::Rearm && by.trim().is_empty() {
            return Err(Refusal::Nameless);
        }
        let so_already = match order {
            Order::Kill => self.holds(Order::Kill, Order::Rearm),
            Order::Rearm => !self.holds(Order::Kill, Order::Rearm),
            Order::Pause => self.holds(Order::Pause, Order::Resume),
            _ => !self.holds(Order::Pause, Order::Resume),
        };
        if !so_already {
            self.pass(at);
            self.orders.push(order);
        }
        Ok(Reply::Ordered)
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::seconds(i64::from(seconds))
}

impl AdSet {
    fn open(&self) -> impl Iterator<Item = &Write> {
        self.writes.iter().filter(|write| write.end.is_none())
    }

    fn least(&self) -> Option<i64> {
        let open = self.open().map(|write| {
            let applied = write.applied.iter().map(|(budget, _)| *budget);
            applied.fold(write.intent.to.get(), i64::min)
        });
        Some(open.fold(self.confirmed?, i64::min))
    }

    fn high_on(&self, date: NaiveDate) -> i64 {
        let stood = self.stood.iter().filter(|(on, _)| *on == date);
        stood.map(|(_, budget)| *budget).max().unwrap_or(0)
    }

    fn spent_on(&self, date: NaiveDate) -> i64 {
        let mut spent = self.spent.iter().rev();
        spent
            .find(|(on, _)| *on == date)
            .map_or(0, |(_, upper)| *upper)
    }
}

impl Write {
    fn most(&self) -> i64 {
        let applied = self.applied.iter().map(|(budget, _)| *budget);
        applied.fold(self.intent.to.get(), i64::max)
    }
}
