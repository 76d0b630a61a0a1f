//! What is known of a day's spend, hour by hour.

use gaelp_core::{Micros, Ratio, Restated, Revision, Rounding, UtcHour};
use serde::{Deserialize, Serialize};

use super::{DayView, Forecast, Pace, PacingError};

/// The most hours that a local day has ever had.
const LONGEST: usize = 31;

/// What a day is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct DayTerms {
    /// Its hours, in order: 23 to 25 of them, as the account's clock has them.
    pub hours: Vec<UtcHour>,
    /// Which part of the spend belongs to each; they need not sum to 1.
    pub shares: Vec<f64>,
    /// What is to be spent.
    pub target: Micros,
    /// What must not be exceeded, whatever is reported when.
    pub cap: Micros,
    /// What each hour would spend at each λ, where that is known.
    pub forecast: Option<Forecast>,
}

/// A day's hours, with what was decided for them and what was reported of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayBook {
    pub(super) start: f64,
    pub(super) target: Micros,
    pub(super) cap: Micros,
    /// What ran when the day began, and runs on until something else is decided.
    pub(super) running: Micros,
    pub(super) hours: Vec<HourBook>,
    pub(super) forecast: Option<Forecast>,
}

/// One hour of a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourBook {
    pub(super) hour: UtcHour,
    pub(super) share: f64,
    pub(super) decided: Option<Pace>,
    /// What really runs, where it is not what was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) runs: Option<Micros>,
    pub(super) reported: Option<Reported>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reported {
    revision: Revision,
    spend: Micros,
    /// The most that was said under this revision.
    highest: Micros,
}

impl HourBook {
    /// Which hour.
    pub fn hour(&self) -> UtcHour {
        self.hour
    }

    /// Its share of the day.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// What was decided for it.
    pub fn decided(&self) -> Option<Pace> {
        self.decided
    }

    /// What it is expected to spend while it is not reported, where that is not what was decided.
    pub fn runs(&self) -> Option<Micros> {
        self.runs
    }

    /// What it spent, as far as it was reported.
    pub fn spend(&self) -> Option<Micros> {
        self.reported.map(|reported| reported.spend)
    }
}

/// The bounds on what an hour may still turn out to have spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worst {
    pub(super) overdelivery: Ratio,
    pub(super) grows: Ratio,
}

impl DayBook {
    pub(super) fn new(terms: DayTerms, start: f64, running: Micros) -> Result<Self, PacingError> {
        let DayTerms {
            hours,
            shares,
            target,
            cap,
            forecast,
        } = terms;
        let total: f64 = shares.iter().sum();
        let sound = shares.iter().all(|share| *share >= 0.0) && total > 0.0 && total.is_finite();
        if hours.len() != shares.len() || !sound {
            return Err(PacingError::Shares);
        }
        let hours = hours.into_iter().zip(shares);
        let day = Self {
            start,
            target,
            cap,
            running,
            hours: hours
                .map(|(hour, share)| HourBook {
                    hour,
                    share: share / total,
                    decided: None,
                    runs: None,
                    reported: None,
                })
                .collect(),
            forecast,
        };
        day.check()?;
        Ok(day)
    }

    /// What must hold of any day, also of one that was read from a store.
    pub(super) fn check(&self) -> Result<(), PacingError> {
        let rising = self
            .hours
            .windows(2)
            .all(|pair| pair[0].hour < pair[1].hour);
        if self.hours.is_empty() || self.hours.len() > LONGEST || !rising {
            return Err(PacingError::Hours);
        }
        if self.target.is_negative() || self.cap.is_negative() || self.running.is_negative() {
            return Err(PacingError::NegativeAmount);
        }
        let shares = self
            .hours
            .iter()
            .all(|hour| (0.0..=1.0).contains(&hour.share));
        if !shares || !(0.0..=1e6).contains(&self.start) {
            return Err(PacingError::Shares);
        }
        let forecast = self.forecast.as_ref();
        if forecast.is_some_and(|forecast| forecast.len() != self.hours.len()) {
            return Err(PacingError::Forecast);
        }
        let amounts = self.hours.iter().flat_map(|hour| {
            let reported = hour
                .reported
                .map(|reported| reported.spend.min(reported.highest));
            let decided = hour.decided.map(|decided| decided.allowance);
            [reported, decided, hour.runs]
        });
        if amounts.flatten().any(Micros::is_negative) {
            return Err(PacingError::NegativeAmount);
        }
        let mut levels = self.hours.iter().filter_map(|hour| hour.decided);
        if levels.any(|decided| decided.lambda.is_negative()) {
            return Err(PacingError::NegativeLevel);
        }
        Ok(())
    }

    /// The hours.
    pub fn hours(&self) -> &[HourBook] {
        &self.hours
    }

    /// What is to be spent.
    pub fn target(&self) -> Micros {
        self.target
    }

    /// What must not be exceeded.
    pub fn cap(&self) -> Micros {
        self.cap
    }

    pub(super) fn place(&self, hour: UtcHour) -> Option<usize> {
        self.hours
            .binary_search_by_key(&hour, |book| book.hour)
            .ok()
    }

    pub(super) fn report(
        &mut self,
        place: usize,
        revision: Revision,
        spend: Micros,
    ) -> Result<Restated, PacingError> {
        if spend.is_negative() {
            return Err(PacingError::NegativeAmount);
        }
        let mine = &mut self.hours[place].reported;
        let fresh = Reported {
            revision,
            spend,
            highest: spend,
        };
        Ok(match mine {
            Some(known) if revision < known.revision => Restated::Older,
            Some(known) if revision == known.revision && spend == known.spend => Restated::Known,
            Some(known) if revision == known.revision => {
                known.highest = known.highest.max(spend);
                Restated::Contradicted
            }
            _ => {
                *mine = Some(fresh);
                Restated::Newer
            }
        })
    }

    /// What a controller sees when the hour at a place begins.
    pub(super) fn view<T>(&self, place: usize, look: impl FnOnce(&DayView<'_>) -> T) -> T {
        let shares: Vec<_> = self.hours.iter().map(|hour| hour.share).collect();
        let spend: Vec<_> = self.hours.iter().map(HourBook::spend).collect();
        let mut level = self.start;
        let passed = self.hours[..place].iter();
        let levels: Vec<_> = passed
            .map(|hour| {
                // What was in force stays so while nothing else is decided.
                level = hour
                    .decided
                    .map_or(level, |decided| decided.lambda.to_f64());
                level
            })
            .collect();
        look(&DayView {
            start: self.start,
            target: self.target,
            shares: &shares,
            spend: &spend,
            levels: &levels,
            forecast: self.forecast.as_ref(),
        })
    }

    /// What ran in each hour before a place.
    pub(super) fn ran(&self, place: usize) -> impl Iterator<Item = Micros> {
        let mut running = self.running;
        self.hours[..place].iter().map(move |hour| {
            let decided = hour.decided.map(|decided| decided.allowance);
            running = hour.runs.or(decided).unwrap_or(running);
            running
        })
    }

    /// The most that the hours before a place can turn out to have spent; `None` past the range.
    pub(super) fn worst(&self, place: usize, worst: Worst) -> Option<Micros> {
        let hours = self.hours[..place].iter().zip(self.ran(place));
        let each = hours.map(|(hour, ran)| match hour.reported {
            Some(reported) => {
                let growing = Ratio::ONE.checked_add(worst.grows)?;
                reported.highest.checked_scale(growing, Rounding::Up)
            }
            None => ran.checked_scale(worst.overdelivery, Rounding::Up),
        });
        each.sum::<Option<MicrosSum>>().map(|sum| sum.0)
    }
}

/// A sum of amounts that stops at the largest.
struct MicrosSum(Micros);

impl std::iter::Sum<Micros> for MicrosSum {
    fn sum<I: Iterator<Item = Micros>>(amounts: I) -> Self {
        let add = |sum: Micros, next| sum.checked_add(next).unwrap_or(Micros::MAX);
        Self(amounts.fold(Micros::ZERO, add))
    }
}
