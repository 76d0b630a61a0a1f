//! λ and the hourly allowance, as a state that can be stored.

use gaelp_core::{Micros, Ratio, Restated, Revision, Rounding, UtcHour};
use serde::{Deserialize, Serialize};

use super::book::{DayBook, DayTerms, Worst};
use super::{Controller, DayView, Pacer, PacingConfig};
use crate::OutOfRanges;

/// The least rate that a change is measured from, as a share of the target.
const LEAST_RATE: f64 = 0.2;

/// What an hour is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Pace {
    /// The price of money: a unit spent counts as 1 + λ.
    pub lambda: Ratio,
    /// What the hour may spend.
    pub allowance: Micros,
    /// What it would spend by the plan alone.
    pub planned: Micros,
    /// What is held back for hours that are not reported.
    pub reserve: Micros,
    /// What the cap leaves, when everything unreported is at its worst.
    pub room: Micros,
    /// What bounds the allowance.
    pub binds: Binds,
}

/// What bounds an hour's allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Binds {
    /// The plan for what is left of the target.
    Plan,
    /// The cap, with everything unreported at its worst.
    Cap,
    /// It may not rise faster.
    RisesNoFaster,
    /// It may not fall faster.
    FallsNoFaster,
}

/// The pacing of an account, hour by hour: what a loop stores as its budget state.
///
/// A day begins with its hours and their shares; reports come when they come; every hour asks for
/// its pace. The same reports lead to the same decisions, whenever the state was stored between.
///
/// **The cap holds under any delay of reports**: an hour that is not reported counts at what it may
/// spend at worst, [`PacingConfig::overdelivery`] times its allowance. An hour for which nothing was
/// decided counts at the worst of the allowance that ran on, and there is room for
/// [`PacingConfig::unattended_hours`] of them in a row. As long as platforms and the loop keep to
/// that from the day's first hour, the sum of the day is at most the cap. Where something else runs
/// than what was allowed, [`BudgetState::runs`] says so, and that counts instead.
///
/// **Cost.** A decision takes some microseconds; the state two days of hours.
///
/// ```
/// use gaelp_budget::{BudgetState, DayTerms, PacingConfig};
/// use gaelp_core::{AccountZone, Micros, Revision};
///
/// let zone: AccountZone = "Europe/Berlin".parse()?;
/// let hours = zone.hours_of_day("2026-10-25".parse()?); // 25 of them
/// let mut state = BudgetState::new(PacingConfig::default())?;
/// state.begin_day(DayTerms {
///     shares: vec![1.0; hours.len()],
///     target: "10.00".parse()?,
///     cap: "12.00".parse()?,
///     forecast: None,
///     hours: hours.clone(),
/// })?;
/// let first = state.pace(hours[0])?;
/// assert_eq!(first.allowance, "0.40".parse()?);
/// let _ = state.report(hours[0], Revision::new(1), "0.60".parse()?)?;
/// let second = state.pace(hours[1])?;
/// assert!(second.lambda > first.lambda); // money got dearer
/// assert!(second.allowance < first.allowance);
/// let stored = serde_json::to_string(&state)?;
/// let mut resumed: BudgetState = serde_json::from_str(&stored)?;
/// assert_eq!(resumed.pace(hours[1])?, second);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct BudgetState {
    config: PacingConfig,
    yesterday: Option<DayBook>,
    today: Option<DayBook>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    config: PacingConfig,
    yesterday: Option<DayBook>,
    today: Option<DayBook>,
}

impl TryFrom<Stored> for BudgetState {
    type Error = PacingError;

    fn try_from(stored: Stored) -> Result<Self, PacingError> {
        let Stored {
            config,
            yesterday,
            today,
        } = stored;
        config.validate()?;
        for day in yesterday.iter().chain(&today) {
            day.check()?;
        }
        Ok(Self {
            config,
            yesterday,
            today,
        })
    }
}

impl BudgetState {
    /// Before the first day.
    ///
    /// # Errors
    /// [`OutOfRanges`] for settings out of range.
    pub fn new(config: PacingConfig) -> Result<Self, OutOfRanges> {
        config.validate()?;
        Ok(Self {
            config,
            yesterday: None,
            today: None,
        })
    }

    /// The settings.
    pub fn config(&self) -> &PacingConfig {
        &self.config
    }

    /// The same days under other settings, as after a restart with a changed configuration. What
    /// was decided stays.
    ///
    /// # Errors
    /// [`OutOfRanges`] for settings out of range.
    pub fn reconfigured(self, config: PacingConfig) -> Result<Self, OutOfRanges> {
        config.validate()?;
        Ok(Self { config, ..self })
    }

    /// The day before, which takes late reports.
    pub fn yesterday(&self) -> Option<&DayBook> {
        self.yesterday.as_ref()
    }

    /// The day that runs.
    pub fn today(&self) -> Option<&DayBook> {
        self.today.as_ref()
    }

    /// Begins a day. The one before it stays open for late reports until the next one begins; λ
    /// begins where it ended. Beginning the day that runs already changes nothing.
    ///
    /// # Errors
    /// [`PacingError`] for hours that are not in order or lie in the day before, for shares that
    /// are no shares, amounts below zero, and a forecast for another number of hours.
    pub fn begin_day(&mut self, terms: DayTerms) -> Result<(), PacingError> {
        let running = self
            .today
            .as_ref()
            .and_then(|day| day.ran(day.hours.len()).last());
        let day = DayBook::new(terms, self.start(), running.unwrap_or(Micros::ZERO))?;
        if let Some(today) = &self.today {
            let first = today.hours[0].hour;
            if today
                .hours
                .iter()
                .map(|h| h.hour)
                .eq(day.hours.iter().map(|h| h.hour))
            {
                return Ok(());
            }
            if day.hours[0].hour <= first || today.place(day.hours[0].hour).is_some() {
                return Err(PacingError::Hours);
            }
        }
        self.yesterday = self.today.replace(day);
        Ok(())
    }

    /// Takes in what an hour of today or yesterday spent; the highest revision wins.
    ///
    /// Figures that contradict each other under one revision: the first stand for λ, the highest
    /// for the cap.
    ///
    /// # Errors
    /// [`PacingError`] for an hour of neither day, and for spend below zero.
    pub fn report(
        &mut self,
        hour: UtcHour,
        revision: Revision,
        spend: Micros,
    ) -> Result<Restated, PacingError> {
        let holds = |day: &&mut DayBook| day.place(hour).is_some();
        let today = self.today.as_mut().filter(holds);
        let day = today.or_else(|| self.yesterday.as_mut().filter(holds));
        let day = day.ok_or(PacingError::NoSuchHour(hour))?;
        let place = day.place(hour).ok_or(PacingError::NoSuchHour(hour))?;
        let restated = day.report(place, revision, spend)?;
        self.carry();
        Ok(restated)
    }

    /// Says what an hour of today really runs at, where that is not its allowance: what other rules
    /// left of it, or what could not be changed. Until the hour is reported it counts as this.
    ///
    /// # Errors
    /// [`PacingError`] for an hour that is not today's, and for an amount below zero.
    pub fn runs(&mut self, hour: UtcHour, amount: Micros) -> Result<(), PacingError> {
        if amount.is_negative() {
            return Err(PacingError::NegativeAmount);
        }
        let today = self.today.as_mut();
        let found = today.and_then(|day| Some((day.place(hour)?, day)));
        let (place, day) = found.ok_or(PacingError::NoSuchHour(hour))?;
        day.hours[place].runs = Some(amount);
        Ok(())
    }

    /// What an hour is given; asked again, the same.
    ///
    /// # Errors
    /// [`PacingError::NoSuchHour`] for an hour that is not today's.
    pub fn pace(&mut self, hour: UtcHour) -> Result<Pace, PacingError> {
        let day = self.today.as_ref();
        let found = day.and_then(|day| Some((day, day.place(hour)?)));
        let Some((day, place)) = found else {
            return Err(PacingError::NoSuchHour(hour));
        };
        let pace = match day.hours[place].decided {
            Some(decided) => decided,
            None => self.decide(day, place),
        };
        if let Some(day) = &mut self.today {
            day.hours[place].decided = Some(pace);
        }
        Ok(pace)
    }

    fn decide(&self, day: &DayBook, place: usize) -> Pace {
        let config = &self.config;
        let lambda = self.hold(day.view(place, |view| config.controller.level(view)));
        let (reserve, planned) = day.view(place, |view| self.plan(day, view, lambda));
        let mut allowance = micros(planned);
        let mut binds = Binds::Plan;
        if let Some(delta) = config.delta_normalised
            && let Some((least, most)) = corridor(day, place, delta.to_f64())
        {
            (allowance, binds) = match allowance {
                allowance if allowance > most => (most, Binds::RisesNoFaster),
                allowance if allowance < least => (least, Binds::FallsNoFaster),
                allowance => (allowance, binds),
            };
        }
        let worst = Worst {
            overdelivery: config.overdelivery,
            grows: config.grows,
        };
        let taken = day.worst(place, worst).unwrap_or(Micros::MAX);
        let room = day
            .cap
            .checked_sub(taken)
            .unwrap_or(Micros::ZERO)
            .max(Micros::ZERO);
        // What may be allowed so that even overdelivered, and running on, it stays within the room.
        let follow = i64::try_from(day.hours.len() - place).unwrap_or(i64::MAX);
        let runs = follow.min(i64::from(config.unattended_hours) + 1);
        let each = room
            .checked_div(runs, Rounding::Down)
            .unwrap_or(Micros::ZERO);
        let may = scale_down(each, config.overdelivery);
        if allowance > may {
            (allowance, binds) = (may, Binds::Cap);
        }
        Pace {
            lambda,
            allowance,
            planned: micros(planned),
            reserve: micros(reserve),
            room,
            binds,
        }
    }

    /// What is held back for unreported hours, and the hour's part of what is left.
    fn plan(&self, day: &DayBook, view: &DayView<'_>, lambda: Ratio) -> (f64, f64) {
        let place = view.levels.len();
        let ran: Vec<_> = day.ran(place).map(Micros::to_major_f64).collect();
        let mut reserve = 0.0;
        let left = match (self.config.controller, view.forecast) {
            (Controller::Resolve(rule), Some(forecast)) => {
                let scale = rule.scale(view, forecast);
                let left = rule.left(view, forecast, scale);
                reserve = view.left(|_| 0.0) - left;
                left
            }
            _ => view.left(|hour| {
                reserve += ran[hour];
                ran[hour]
            }),
        };
        let weight = |hour: usize| match view.forecast {
            Some(forecast) => forecast.spend(hour, lambda.to_f64()),
            None => view.shares[hour],
        };
        let rest: f64 = (place..view.shares.len()).map(weight).sum();
        let part = if rest > 0.0 {
            weight(place) / rest
        } else {
            0.0
        };
        (reserve, left.max(0.0) * part)
    }

    /// λ with which a day after today begins.
    fn start(&self) -> f64 {
        let lambda = match &self.today {
            Some(day) => day.view(day.hours.len(), |view| self.config.controller.carry(view)),
            None => self.config.lambda_spend.to_f64(),
        };
        self.hold(lambda).to_f64()
    }

    /// Carries what became known of yesterday over to where today began.
    fn carry(&mut self) {
        if let (Some(yesterday), Some(_)) = (&self.yesterday, &self.today) {
            let controller = &self.config.controller;
            let carried = yesterday.view(yesterday.hours.len(), |view| controller.carry(view));
            let start = self.hold(carried).to_f64();
            if let Some(today) = &mut self.today {
                today.start = start;
            }
        }
    }

    /// λ within its bounds; what is no number is the highest.
    fn hold(&self, lambda: f64) -> Ratio {
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        let ppm = if lambda.is_nan() {
            i64::MAX
        } else {
            (lambda * 1e6).round() as i64
        };
        Ratio::from_ppm(ppm).clamp(self.config.lambda_min, self.config.lambda_max)
    }
}

/// What the allowance may be where its rate, the allowance ÷ the hour's share, may change by a
/// share only; `None` where no hour before had a rate.
fn corridor(day: &DayBook, place: usize, delta: f64) -> Option<(Micros, Micros)> {
    let before = day.hours[..place].iter().rev();
    let rate = before
        .filter(|hour| hour.share > 0.0)
        .find_map(|hour| Some(hour.decided?.allowance.to_major_f64() / hour.share))?;
    // An hour without any allowance must not hold down all that follow.
    let rate = rate.max(LEAST_RATE * day.target.to_major_f64());
    let here = rate * day.hours[place].share;
    Some((
        micros(here * (1.0 - delta).max(0.0)),
        micros(here * (1.0 + delta)),
    ))
}

/// The largest amount that, times a ratio of at least 1 and rounded up, is within another.
fn scale_down(amount: Micros, by: Ratio) -> Micros {
    let part =
        i128::from(amount.get()) * i128::from(Ratio::ONE.ppm()) / i128::from(by.ppm().max(1));
    let mut part = Micros::new(i64::try_from(part).unwrap_or(i64::MAX));
    while part > Micros::ZERO
        && part
            .checked_scale(by, Rounding::Up)
            .is_none_or(|scaled| scaled > amount)
    {
        part = part.checked_sub(Micros::new(1)).unwrap_or(Micros::ZERO);
    }
    part
}

/// Major units, rounded down.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn micros(major: f64) -> Micros {
    Micros::new((major * 1e6 + 1e-6).floor() as i64)
}

/// What pacing refuses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PacingError {
    /// Settings out of range.
    #[error("{0}")]
    Config(#[from] OutOfRanges),
    /// No hours, too many, not in order, or those of a day that is over.
    #[error("a day has up to 31 hours, in order, after those of the day before")]
    Hours,
    /// Shares that are not one for each hour, negative, no numbers, or all zero.
    #[error("a share from 0 up is expected for each hour, and some above 0")]
    Shares,
    /// A forecast for another number of hours.
    #[error("the forecast is for another number of hours")]
    Forecast,
    /// An amount below zero.
    #[error("amounts of money are not negative here")]
    NegativeAmount,
    /// A price of money below zero.
    #[error("λ is not negative")]
    NegativeLevel,
    /// An hour of neither today nor yesterday.
    #[error("{0} is an hour of neither today nor yesterday")]
    NoSuchHour(UtcHour),
}
