//! What an hour may spend: the account's pacing, fed with what was reported.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gaelp_budget::{BudgetState, DayTerms, OutOfRanges, Pace, PacingError, TrafficProfile};
use gaelp_core::{AccountZone, HourSpan, Micros, Ratio, Revision, Rounding, UtcHour};
use serde::{Deserialize, Serialize};

use crate::ad_set::HOURS_PER_DAY;
use crate::{Budgeting, PacedConfig, Rollout, RolloutConfig};

/// An hour's spend is counted as thousandths of what ran in it.
const THOUSANDTHS: i64 = 1_000;
/// What daily budgets are rounded to.
const CENT: Micros = Micros::new(10_000);
/// The most that is counted for an hour: a day's budget in it.
const MOST_COUNTED: i64 = HOURS_PER_DAY * THOUSANDTHS;

/// The account's pacing: λ, the hour's allowance, and how the platforms spread a day's budget.
///
/// Everything follows from what was reported and decided, so that a rollout restored from a
/// checkpoint goes on with the same figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowance {
    state: BudgetState,
    profile: TrafficProfile,
    /// The hours of yesterday and today for which something was decided.
    hours: BTreeMap<UtcHour, Ran>,
    /// Rows came for these hours since they were last looked at.
    touched: Vec<UtcHour>,
    /// Whether a person was told that there is no plan, since there last was one.
    pub(crate) told_infeasible: bool,
    /// The day that this process began last: it need not be worked out again in each of its hours.
    #[serde(skip)]
    begun: Begun,
}

/// A day that was begun, where there is one; it says nothing about what is known.
#[derive(Clone, Copy, Debug, Default)]
struct Begun(Option<NaiveDate>);

impl PartialEq for Begun {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What ran in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ran {
    /// The rates of all ad sets together.
    rate: Micros,
    /// What was counted of it for the profile.
    counted: Option<u64>,
}

/// What the hour is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub(crate) pace: Pace,
    /// The daily budget that spends it, where platforms spread one over the day as learnt.
    pub(crate) daily: Micros,
}

impl Allowance {
    /// Before the first day; `None` where budgets are not paced.
    pub(crate) fn new(config: &RolloutConfig, lambda: Ratio) -> Option<Self> {
        let Budgeting::Paced(paced) = &config.budgeting else {
            return None;
        };
        let state = BudgetState::new(paced.pacing(config, lambda)).ok()?;
        Some(Self {
            state,
            profile: paced.profile().ok()?,
            hours: BTreeMap::new(),
            touched: Vec::new(),
            told_infeasible: false,
            begun: Begun::default(),
        })
    }

    /// The same under the configuration as it is now.
    pub(crate) fn reconfigured(
        self,
        paced: &PacedConfig,
        config: &RolloutConfig,
    ) -> Result<Self, OutOfRanges> {
        let pacing = paced.pacing(config, config.lambda_spend);
        let state = self.state.reconfigured(pacing)?;
        let begun = Begun::default();
        Ok(Self {
            state,
            begun,
            ..self
        })
    }

    /// Its amounts, for checking; and the last hour that it knows.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = Micros> {
        let days = self.state.today().into_iter().chain(self.state.yesterday());
        let hours = days.flat_map(|day| {
            let hours = day.hours().iter();
            let decided = hours.flat_map(|hour| {
                let allowance = hour.decided().map(|pace| pace.allowance);
                [allowance, hour.runs(), hour.spend()]
            });
            let ends = [Some(day.target()), Some(day.cap())];
            decided.chain(ends).flatten()
        });
        hours.chain(self.hours.values().map(|ran| ran.rate))
    }

    /// The highest λ that was decided.
    pub(crate) fn highest_level(&self) -> Ratio {
        let days = self.state.today().into_iter().chain(self.state.yesterday());
        let hours = days.flat_map(gaelp_budget::DayBook::hours);
        let levels = hours.filter_map(|hour| hour.decided().map(|pace| pace.lambda));
        levels.max().unwrap_or(Ratio::ZERO)
    }

    /// Notes that a row came for some hours.
    pub(crate) fn touch(&mut self, span: HourSpan) {
        if self.touched.last() != Some(&span.from) {
            self.touched.push(span.from);
        }
    }

    /// Begins the day of a step, where it has not begun.
    fn begin_day(&mut self, span: HourSpan, config: &RolloutConfig) -> Result<(), PacingError> {
        let date = config.zone.local(span.from).date;
        let hourly = span.len() == 1;
        if hourly && self.begun.0 == Some(date) {
            return Ok(());
        }
        let (hours, shares) = if hourly {
            self.profile.day(config.zone, date)
        } else {
            // A step of a day is one hour to the pacing, with all of the day in it.
            (vec![span.from], vec![1.0])
        };
        let terms = DayTerms {
            hours,
            shares,
            target: config.daily_budget_target,
            cap: config.guardrails.daily_cap,
            forecast: None,
        };
        let today = |state: &BudgetState| state.today().map(|day| day.hours()[0].hour());
        let before = today(&self.state);
        self.state.begin_day(terms)?;
        self.begun = Begun(hourly.then_some(date));
        if today(&self.state) != before
            && let Some(first) = self.state.yesterday().map(|day| day.hours()[0].hour())
        {
            self.hours = self.hours.split_off(&first);
        }
        Ok(())
    }

    /// Takes in what the account spent in an hour, and what that says of the day's shape.
    fn report(&mut self, hour: UtcHour, now: UtcHour, spend: Micros, zone: Option<AccountZone>) {
        // The sum of the account changes with every step that restates a part of it.
        let revision = Revision::new(u32::try_from(now.get()).unwrap_or(0));
        // An hour of neither day is too old to matter.
        let _too_old = self.state.report(hour, revision, spend);
        let (Some(zone), Some(ran)) = (zone, self.hours.get_mut(&hour)) else {
            return;
        };
        let thousandths = spend
            .checked_mul(THOUSANDTHS)
            .and_then(|spend| spend.get().checked_div(ran.rate.get()));
        // Where nothing ran, nothing is learnt of the hour.
        let Some(count) = thousandths else { return };
        let count = u64::try_from(count.clamp(0, MOST_COUNTED)).unwrap_or(0);
        match ran.counted.replace(count) {
            None => self.profile.observe(zone.local(hour), count),
            Some(before) => self.profile.restate(zone.local(hour), before, count),
        }
    }

    /// The hours before one that are to be looked at: those that rows came for, and those that
    /// nothing was said of.
    fn open_hours(&mut self, now: UtcHour) -> Vec<UtcHour> {
        let days = self.state.yesterday().into_iter().chain(self.state.today());
        let known = days.flat_map(gaelp_budget::DayBook::hours);
        let silent = known
            .filter(|book| book.hour() < now && book.spend().is_none())
            .map(gaelp_budget::HourBook::hour);
        let mut open: Vec<_> = silent.chain(std::mem::take(&mut self.touched)).collect();
        open.sort_unstable();
        open.dedup();
        open
    }

    /// What the hour is given.
    fn give(&mut self, span: HourSpan, config: &PacedConfig) -> Result<Given, PacingError> {
        let pace = self.state.pace(span.from)?;
        let day = self.state.today().ok_or(PacingError::Hours)?;
        let share = share_of(day, span.from);
        let target = day.target();
        let capped = pace.binds == gaelp_budget::Binds::Cap;
        let daily = per_day(pace.allowance, share, capped).unwrap_or(target);
        let scaled = |ratio: Option<Ratio>, rounding| {
            ratio.and_then(|ratio| target.checked_scale(ratio, rounding))
        };
        let most = scaled(Ratio::ONE.checked_add(config.band), Rounding::Down);
        let least = scaled(Ratio::ONE.checked_sub(config.band), Rounding::Up);
        let mut held = daily.min(most.unwrap_or(Micros::MAX));
        if !capped {
            held = held.max(least.unwrap_or(Micros::ZERO));
        }
        Ok(Given { pace, daily: held })
    }

    /// Says what runs in the hour that was decided, as rates of all ad sets together.
    pub(crate) fn runs(&mut self, hour: UtcHour, rate: Micros) {
        let share = self.state.today().map(|day| share_of(day, hour));
        let expected = share.and_then(|share| of_day(rate.checked_mul(HOURS_PER_DAY)?, share));
        if let Some(expected) = expected {
            // The hour was given its pace, so it is one of today's.
            let _of_today = self.state.runs(hour, expected);
        }
        let ran = Ran {
            rate,
            counted: None,
        };
        self.hours.insert(hour, ran);
    }
}

impl Rollout {
    /// Takes in the account's spend and says what the hour may spend; `None` where budgets are not
    /// paced, or the hour cannot be.
    pub(crate) fn allow(&mut self, span: HourSpan) -> Option<Given> {
        let Budgeting::Paced(paced) = &self.config.budgeting else {
            return None;
        };
        let mut allowance = self.allowance.take()?;
        let now = span.from;
        let given = allowance.begin_day(span, &self.config).and_then(|()| {
            let zone = (span.len() == 1).then_some(self.config.zone);
            for hour in allowance.open_hours(now) {
                let span = self.reported_span(hour, span);
                if let Some(spend) = self.reported_spend(span) {
                    allowance.report(hour, now, spend, zone);
                }
            }
            allowance.give(span, paced)
        });
        self.allowance = Some(allowance);
        given.ok()
    }

    /// The hours of a report: one, or the local day where steps are days.
    fn reported_span(&self, hour: UtcHour, step: HourSpan) -> HourSpan {
        if step.len() == 1 {
            return HourSpan::hour(hour);
        }
        let date = self.config.zone.local(hour).date;
        self.config.zone.day(date).unwrap_or(HourSpan::hour(hour))
    }

    /// What the account spent in some hours; `None` while a platform's report does not reach past
    /// them, or where no row says anything of them.
    fn reported_spend(&self, span: HourSpan) -> Option<Micros> {
        let read = |to: Option<UtcHour>| to.is_some_and(|to| to >= span.to);
        if !self.sources.values().all(|source| read(source.read_to)) {
            return None;
        }
        let windows = self.ad_sets.values();
        let windows = windows.map(|ad_set| ad_set.trailing.window(span.to, span.len()));
        let mut rows = 0;
        let spend = Micros::checked_sum(windows.map(|window| {
            rows += window.rows;
            window.metrics.spend
        }));
        // Where it does not fit, the cap is past anyway.
        (rows > 0).then(|| spend.unwrap_or(Micros::MAX))
    }
}

/// The share of the day that an hour has.
fn share_of(day: &gaelp_budget::DayBook, hour: UtcHour) -> f64 {
    let book = day.hours().iter().find(|book| book.hour() == hour);
    book.map_or(0.0, gaelp_budget::HourBook::share)
}

/// What a whole day costs where an hour with a share of it costs this, in whole cents, rounded
/// down. What the amount lost to rounding before comes back first, unless it is a cap's.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "saturates, and amounts are below nine billion units"
)]
fn per_day(amount: Micros, share: f64, capped: bool) -> Option<Micros> {
    let lost = if capped { 0.0 } else { 1.0 };
    let daily = ((amount.get() as f64 + lost) / share).floor();
    let sound = share > 0.0 && daily.is_finite();
    sound.then(|| Micros::new(daily as i64).floor_to(CENT))?
}

/// What an hour with a share of the day costs; rounded up.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn of_day(daily: Micros, share: f64) -> Option<Micros> {
    let amount = (daily.to_major_f64() * share * 1e6 - 1e-3).ceil().max(0.0);
    amount.is_finite().then(|| Micros::new(amount as i64))
}
