//! The market itself: time, budgets, spend, and what happens to writes.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use gaelp_core::UtcHour;
use gaelp_core::{AdSetId, AdSetKey, HourSpan, MetricRow, Micros, Platform, Ratio, Revision};
use gaelp_platform::{
    AdSetDetails, BudgetReading, Capabilities, Delivery, OrderEvent, PlatformError, Report,
    SetBudget, WriteOutcome,
};

use crate::config::MarketConfigError;
use crate::dice::Dice;
use crate::spend::Hour;
use crate::{Answer, Ask, Audit, DayTruth, Fate, MarketConfig, WriteTruth};

/// A market in memory. It has no clock: [`advance_to`](Self::advance_to) lets time pass.
///
/// **Cost.** An hour costs a few microseconds per ad set; rows, orders and writes are kept for good.
///
/// ```
/// use gaelp_core::{AccountZone, Currency, UtcHour};
/// use gaelp_market::{Ask, Faults, MarketConfig, World};
///
/// let begin = UtcHour::new(490_000);
/// let zone = AccountZone::UTC;
/// let config = MarketConfig::sample(1, begin.start(), zone, Currency::USD, Faults::none())?;
/// let mut world = World::new(config)?;
/// world.advance_to(begin.plus(48).start());
/// let audit = world.audit();
/// assert_eq!(audit.days.len(), 3);
/// assert!(audit.largest_spend <= audit.largest_worst);
/// # Ok::<(), gaelp_market::MarketConfigError>(())
/// ```
#[derive(Debug)]
pub struct World {
    config: MarketConfig,
    now: DateTime<Utc>,
    today: NaiveDate,
    accounts: BTreeMap<Platform, Account>,
    orders: BTreeMap<UtcHour, Vec<OrderEvent>>,
    /// Writes on their way, in the order of their arrival.
    under_way: BTreeMap<(DateTime<Utc>, u64), (DateTime<Utc>, SetBudget)>,
    sequence: u64,
    dice: Dice,
    days: Vec<DayTruth>,
    writes: Vec<WriteTruth>,
    counts: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Account {
    capabilities: Capabilities,
    ad_sets: BTreeMap<AdSetId, AdSet>,
    rows: BTreeMap<UtcHour, Vec<MetricRow>>,
}

#[derive(Debug)]
struct AdSet {
    budget: Micros,
    roas: Ratio,
    details: AdSetDetails,
    /// The highest budget of this hour, and of this day.
    hour_high: Micros,
    day_high: Micros,
    spent_today: Micros,
    edits: (UtcHour, u32),
}

impl World {
    /// A market at its beginning.
    ///
    /// # Errors
    /// [`MarketConfigError`] for accounts that cannot be.
    pub fn new(config: MarketConfig) -> Result<Self, MarketConfigError> {
        let hour = UtcHour::containing(config.begin);
        let mut accounts = BTreeMap::new();
        for (capabilities, list) in &config.accounts {
            let platform = capabilities.platform.clone();
            if capabilities.zone != config.zone {
                return Err(MarketConfigError::Zone { platform });
            }
            let mut ad_sets = BTreeMap::new();
            for ad_set in list {
                let (id, budget) = (ad_set.id.clone(), ad_set.daily_budget);
                capabilities.check(budget).map_err(|error| {
                    let ad_set = id.clone();
                    MarketConfigError::Budget { ad_set, error }
                })?;
                ad_sets.insert(
                    id,
                    AdSet {
                        budget,
                        roas: ad_set.roas,
                        details: ad_set.details.clone(),
                        hour_high: budget,
                        day_high: budget,
                        spent_today: Micros::ZERO,
                        edits: (hour, 0),
                    },
                );
            }
            let account = Account {
                capabilities: capabilities.clone(),
                ad_sets,
                rows: BTreeMap::new(),
            };
            if accounts.insert(platform.clone(), account).is_some() {
                return Err(MarketConfigError::Twice { platform });
            }
        }
        Ok(Self {
            now: config.begin,
            today: config.zone.local(hour).date,
            dice: Dice::new(config.seed),
            config,
            accounts,
            orders: BTreeMap::new(),
            under_way: BTreeMap::new(),
            sequence: 0,
            days: Vec::new(),
            writes: Vec::new(),
            counts: BTreeMap::new(),
        })
    }

    /// What time it is.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// What each account can do.
    pub fn capabilities(&self) -> impl Iterator<Item = &Capabilities> {
        self.accounts.values().map(|account| &account.capabilities)
    }

    /// Lets time pass: writes under way arrive, hours are spent, days end. Time never runs back.
    pub fn advance_to(&mut self, to: DateTime<Utc>) {
        while self.now < to {
            let end = UtcHour::containing(self.now).plus(1).start();
            let next = end.min(to);
            if let Some((&(at, _), _)) = self.under_way.first_key_value()
                && at <= next
            {
                self.now = self.now.max(at);
                self.arrive();
                continue;
            }
            self.now = next;
            if next == end {
                self.end_hour();
            }
        }
    }

    /// Answers; `None` where the network loses the answer.
    pub fn answer(&mut self, ask: Ask) -> Option<Answer> {
        let name = match &ask {
            Ask::Describe => "describe",
            Ask::Now => "now",
            Ask::Report { .. } => "report",
            Ask::Budgets { .. } => "budgets",
            Ask::SetBudget { .. } => "set_budget",
            Ask::Orders { .. } => "orders",
            Ask::Edit { .. } => "edit",
            Ask::Advance { .. } => "advance",
            Ask::Audit => "audit",
            Ask::Stop => "stop",
        };
        self.count(name);
        Some(match ask {
            Ask::Describe => Answer::Market {
                accounts: self.capabilities().cloned().collect(),
                shop: true,
            },
            Ask::Now => self.time(),
            Ask::Advance { seconds } => {
                self.advance_to(self.now + TimeDelta::seconds(seconds.into()));
                self.time()
            }
            Ask::Report { platform, span } => self.report(&platform, span),
            Ask::Budgets { platform } => self.budgets(&platform),
            Ask::Orders { span } => self.orders_of(span),
            Ask::Edit {
                platform,
                ad_set,
                daily_budget,
            } => self.edit(&platform, &ad_set, daily_budget),
            Ask::SetBudget { sent, request } => {
                let outcome = self.write(sent, request)?;
                Answer::Wrote { outcome }
            }
            Ask::Audit => Answer::Audit {
                audit: Box::new(self.audit()),
            },
            Ask::Stop => Answer::Done,
        })
    }

    /// The ground truth up to now.
    pub fn audit(&self) -> Audit {
        let mut days = self.days.clone();
        days.push(self.day());
        let largest = |of: fn(&DayTruth) -> Micros| days.iter().map(of).max();
        Audit {
            now: self.now,
            largest_spend: largest(|day| day.spent).unwrap_or_default(),
            largest_worst: largest(|day| day.worst).unwrap_or_default(),
            writes: self.writes.clone(),
            counts: self.counts.clone(),
            days,
        }
    }

    fn time(&self) -> Answer {
        Answer::Now {
            now: self.now,
            next_hour_ms: None,
        }
    }

    fn end_hour(&mut self) {
        let ended = UtcHour::containing(self.now).plus(-1);
        let (seed, local) = (self.config.seed, self.config.zone.local(ended));
        for (platform, account) in &mut self.accounts {
            let overdelivery = account.capabilities.overdelivery;
            let mut rows = Vec::with_capacity(account.ad_sets.len());
            for (id, ad_set) in &mut account.ad_sets {
                let key = AdSetKey::new(platform.clone(), id.clone());
                let limit = limit(&account.capabilities, ad_set.day_high);
                let hour = Hour {
                    seed,
                    key: &key,
                    at: ended,
                    date: local.date,
                    clock: local.hour,
                    budget: ad_set.hour_high,
                    left: limit.checked_sub(ad_set.spent_today).unwrap_or_default(),
                    overdelivery,
                };
                let spend = hour.spend();
                let sold = hour.orders(spend, ad_set.roas, ended.start());
                let sold = sold.unwrap_or_default();
                self.orders.entry(ended).or_default().extend(sold);
                ad_set.spent_today = sum(ad_set.spent_today, spend);
                ad_set.hour_high = ad_set.budget;
                rows.push(MetricRow {
                    key: key.clone(),
                    span: HourSpan::hour(ended),
                    revision: Revision::new(1),
                    metrics: Hour::metrics(spend),
                });
            }
            account.rows.insert(ended, rows);
        }
        let date = self.config.zone.local(ended.plus(1)).date;
        if date != self.today {
            let day = self.day();
            self.days.push(day);
            self.today = date;
            for ad_set in self
                .accounts
                .values_mut()
                .flat_map(|a| a.ad_sets.values_mut())
            {
                ad_set.day_high = ad_set.budget;
                ad_set.spent_today = Micros::ZERO;
            }
        }
    }

    fn day(&self) -> DayTruth {
        let mut day = DayTruth {
            date: self.today,
            spent: Micros::ZERO,
            worst: Micros::ZERO,
            highest: Vec::new(),
        };
        for (platform, account) in &self.accounts {
            for (id, ad_set) in &account.ad_sets {
                let key = AdSetKey::new(platform.clone(), id.clone());
                day.spent = sum(day.spent, ad_set.spent_today);
                day.worst = sum(day.worst, limit(&account.capabilities, ad_set.day_high));
                day.highest.push((key, ad_set.day_high));
            }
        }
        day
    }

    fn report(&mut self, platform: &Platform, span: HourSpan) -> Answer {
        if let Some(failed) = self.unreadable("report_failed") {
            return failed;
        }
        let now = UtcHour::containing(self.now);
        let Some(account) = self.accounts.get(platform) else {
            return no_account(platform);
        };
        let delay = i32::try_from(account.capabilities.reporting_delay_hours).unwrap_or(i32::MAX);
        let complete_before = now.plus(-delay);
        let to = span.to.min(complete_before);
        let rows = if span.from < to {
            account
                .rows
                .range(span.from..to)
                .flat_map(|(_, rows)| rows)
                .cloned()
                .collect()
        } else {
            Vec::new()
        };
        Answer::Report {
            report: Report {
                rows,
                complete_before,
            },
        }
    }

    fn budgets(&mut self, platform: &Platform) -> Answer {
        if let Some(failed) = self.unreadable("budgets_failed") {
            return failed;
        }
        let Some(account) = self.accounts.get(platform) else {
            return no_account(platform);
        };
        let reading = |(id, ad_set): (&AdSetId, &AdSet)| BudgetReading {
            key: AdSetKey::new(platform.clone(), id.clone()),
            daily_budget: ad_set.budget,
            delivery: Delivery::Active,
            details: ad_set.details.clone(),
        };
        Answer::Budgets {
            readings: account.ad_sets.iter().map(reading).collect(),
        }
    }

    fn orders_of(&mut self, span: HourSpan) -> Answer {
        if let Some(failed) = self.unreadable("orders_failed") {
            return failed;
        }
        let events = if span.is_empty() {
            Vec::new()
        } else {
            let hours = self.orders.range(span.from..span.to);
            hours.flat_map(|(_, events)| events).cloned().collect()
        };
        Answer::Orders { events }
    }

    fn edit(&mut self, platform: &Platform, ad_set: &AdSetId, budget: Micros) -> Answer {
        let account = self.accounts.get_mut(platform);
        let Some(found) = account.and_then(|account| account.ad_sets.get_mut(ad_set)) else {
            let key = AdSetKey::new(platform.clone(), ad_set.clone());
            return Answer::Failed {
                error: unknown(&key),
            };
        };
        found.set(budget);
        Answer::Done
    }

    /// A write, with what the network does to it; `None` where it is not answered.
    fn write(&mut self, sent: DateTime<Utc>, request: SetBudget) -> Option<WriteOutcome> {
        let lifetime = TimeDelta::seconds(self.config.request_lifetime_secs.into());
        let last = sent + lifetime;
        if self.now > last {
            self.note(sent, &request, None, Fate::Stale);
            return None;
        }
        let faults = self.config.faults;
        let mut roll = self.dice.ppm();
        let mut strikes = |share: Ratio| {
            let struck = roll < share.ppm();
            roll -= share.ppm();
            struck && share > Ratio::ZERO
        };
        if strikes(faults.rejected) {
            let before = self.standing(&request);
            self.note(sent, &request, before, Fate::Rejected);
            let error = PlatformError::rejected("the simulated platform turns it down");
            return Some(WriteOutcome::Rejected(error));
        }
        if strikes(faults.lost) {
            self.note(sent, &request, None, Fate::Lost);
            return None;
        }
        if strikes(faults.held_up) {
            self.note(sent, &request, None, Fate::HeldUp);
            self.hold_up(sent, last, request);
            return None;
        }
        let fate = if strikes(faults.unanswered) {
            Fate::Unanswered
        } else if strikes(faults.doubled) {
            Fate::Doubled
        } else {
            Fate::Applied
        };
        let before = self.standing(&request);
        let outcome = match self.apply(&request) {
            Ok(daily_budget) => WriteOutcome::Applied { daily_budget },
            Err(error) => {
                self.note(sent, &request, before, Fate::Rejected);
                return Some(WriteOutcome::Rejected(error));
            }
        };
        self.note(sent, &request, before, fate);
        match fate {
            Fate::Unanswered => None,
            Fate::Doubled => {
                self.hold_up(sent, last, request);
                Some(outcome)
            }
            _ => Some(outcome),
        }
    }

    /// Lets a write arrive at some time until its lifetime is over.
    fn hold_up(&mut self, sent: DateTime<Utc>, last: DateTime<Utc>, request: SetBudget) {
        let left = (last - self.now).num_seconds().max(0);
        let at = self.now + TimeDelta::seconds(left * self.dice.ppm() / 1_000_000);
        self.sequence += 1;
        self.under_way.insert((at, self.sequence), (sent, request));
    }

    fn arrive(&mut self) {
        let Some((_, (sent, request))) = self.under_way.pop_first() else {
            return;
        };
        let before = self.standing(&request);
        // Nobody waits for the answer any more.
        let fate = match self.apply(&request) {
            Ok(_) => Fate::Arrived,
            Err(_) => Fate::Rejected,
        };
        self.note(sent, &request, before, fate);
    }

    /// What the platform does with a write that reaches it.
    fn apply(&mut self, request: &SetBudget) -> Result<Micros, PlatformError> {
        let (key, budget) = (&request.key, request.daily_budget);
        let hour = UtcHour::containing(self.now);
        let account = self.accounts.get_mut(&key.platform);
        let account = account.ok_or_else(|| unknown(key))?;
        let found = account.ad_sets.get_mut(&key.ad_set);
        let found = found.ok_or_else(|| unknown(key))?;
        let refused = |error| PlatformError::rejected(format!("{key}: {error}"));
        account.capabilities.check(budget).map_err(refused)?;
        let used = if found.edits.0 == hour {
            found.edits.1
        } else {
            0
        };
        if let Some(most) = account.capabilities.edits_per_hour
            && used >= most.get()
        {
            let message = format!("{key}: {most} edits in this hour");
            return Err(PlatformError::rate_limited(None, message));
        }
        found.edits = (hour, used + 1);
        found.set(budget);
        Ok(budget)
    }

    fn standing(&self, request: &SetBudget) -> Option<Micros> {
        let account = self.accounts.get(&request.key.platform)?;
        let ad_set = account.ad_sets.get(&request.key.ad_set)?;
        Some(ad_set.budget)
    }

    fn note(
        &mut self,
        sent: DateTime<Utc>,
        request: &SetBudget,
        before: Option<Micros>,
        fate: Fate,
    ) {
        self.count(fate.as_str());
        self.writes.push(WriteTruth {
            at: self.now,
            sent,
            key: request.key.clone(),
            to: request.daily_budget,
            before,
            decision: request.decision,
            fate,
        });
    }

    fn unreadable(&mut self, name: &str) -> Option<Answer> {
        let share = self.config.faults.unreadable.ppm();
        if self.dice.ppm() >= share {
            return None;
        }
        self.count(name);
        let error = PlatformError::retryable("the simulated platform is overloaded");
        Some(Answer::Failed { error })
    }

    pub(crate) fn count(&mut self, name: &str) {
        *self.counts.entry(name.to_owned()).or_default() += 1;
    }
}

impl AdSet {
    fn set(&mut self, budget: Micros) {
        self.budget = budget;
        self.hour_high = self.hour_high.max(budget);
        self.day_high = self.day_high.max(budget);
    }
}

/// What may be spent in a day. Rounded up, as the platforms' documentation leaves it open.
fn limit(capabilities: &Capabilities, highest: Micros) -> Micros {
    capabilities
        .worst_case_day_spend(highest)
        .unwrap_or(Micros::MAX)
}

fn sum(a: Micros, b: Micros) -> Micros {
    a.checked_add(b).unwrap_or(Micros::MAX)
}

fn unknown(key: &AdSetKey) -> PlatformError {
    PlatformError::rejected(format!("there is no ad set {key}"))
}

fn no_account(platform: &Platform) -> Answer {
    let error = PlatformError::rejected(format!("there is no account on {platform}"));
    Answer::Failed { error }
}
