//! What money costs now: λ, and what an hour may spend.

use gaelp_core::Micros;
use serde::{Deserialize, Serialize};

use crate::error::Ranges;

mod book;
mod config;
mod dual;
mod feedback;
mod forecast;
mod guide;
mod pacing;
mod resolve;
mod schedule;

pub use book::{DayBook, DayTerms, HourBook};
pub use config::PacingConfig;
pub use dual::{DualSubgradient, EntropicMirror};
pub use feedback::{Pi, Pid};
pub use forecast::{Forecast, ForecastError};
pub use guide::{Guide, GuideTarget};
pub use pacing::{Binds, BudgetState, Pace, PacingError};
pub use resolve::Resolve;
pub use schedule::DailySchedule;

/// What a controller knows when an hour begins.
///
/// **Shape.** The slices have one entry for each hour of the day, 23 to 25 of them; `levels` one
/// for each hour before the one that begins.
#[derive(Clone, Copy, Debug)]
pub struct DayView<'a> {
    /// λ when the day began.
    pub start: f64,
    /// What is to be spent in the day.
    pub target: Micros,
    /// Which share of it belongs to each hour; they sum to 1.
    pub shares: &'a [f64],
    /// What was spent in each hour, as far as it was reported.
    pub spend: &'a [Option<Micros>],
    /// λ in each hour before this one.
    pub levels: &'a [f64],
    /// What each hour would spend at each λ, where that is known.
    pub forecast: Option<&'a Forecast>,
}

/// Something that sets λ, the price of money: a unit spent counts as 1 + λ.
///
/// **The contract.** A controller is a function of what is known: it keeps no state of its own. So
/// a report that comes late, twice, in another order or with other figures leads to where it would
/// have led in time, hours that are missing are left out and never count as zero, and what was
/// stored resumes identically.
///
/// **Implementers** fold over [`DayView::known`]; a day has at most 25 hours.
/// **Callers** ask once an hour, with what was in force in the hours before.
///
/// ```
/// use gaelp_budget::{Controller, DayView, EntropicMirror, Pacer};
/// use gaelp_core::Micros;
///
/// let day = DayView {
///     start: 0.5,
///     target: "24.00".parse()?,
///     shares: &[1.0 / 24.0; 24],
///     spend: &[Some(Micros::new(2_000_000)), None, None], // twice what it should be; then nothing known
///     levels: &[0.5, 0.5],
///     forecast: None,
/// };
/// let lambda = EntropicMirror::default().level(&day);
/// assert!((lambda - (1.5 * 0.4_f64.exp() - 1.0)).abs() < 1e-12);
/// let by_name: Controller = EntropicMirror::default().into();
/// assert_eq!(by_name.level(&day), lambda);
/// # Ok::<(), gaelp_core::ParseMoneyError>(())
/// ```
pub trait Pacer {
    /// λ for the hour that begins, from 0 up.
    fn level(&self, day: &DayView<'_>) -> f64;
    /// λ with which the next day begins, when all hours of this one have passed.
    fn carry(&self, day: &DayView<'_>) -> f64;
}

impl<P: Pacer + ?Sized> Pacer for &P {
    fn level(&self, day: &DayView<'_>) -> f64 {
        (**self).level(day)
    }
    fn carry(&self, day: &DayView<'_>) -> f64 {
        (**self).carry(day)
    }
}

impl<P: Pacer + ?Sized> Pacer for Box<P> {
    fn level(&self, day: &DayView<'_>) -> f64 {
        (**self).level(day)
    }
    fn carry(&self, day: &DayView<'_>) -> f64 {
        (**self).carry(day)
    }
}

/// A reported hour, beside what it should have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Which hour of the day, from 0.
    pub hour: usize,
    /// What it spent.
    pub spend: f64,
    /// What it should have spent.
    pub target: f64,
    /// What all reported hours up to it spent.
    pub spend_to_date: f64,
    /// What they should have spent.
    pub target_to_date: f64,
}

impl Known {
    /// How far it lies above its target, as a share of it, held within bounds.
    pub fn error(&self, least: f64, most: f64) -> f64 {
        ((self.spend - self.target) / self.target.max(f64::MIN_POSITIVE)).clamp(least, most)
    }

    /// As [`Known::error`], for all reported hours up to it.
    pub fn error_to_date(&self, least: f64, most: f64) -> f64 {
        let over = self.spend_to_date - self.target_to_date;
        (over / self.target_to_date.max(f64::MIN_POSITIVE)).clamp(least, most)
    }
}

/// By which shape a day's target is spread over its hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// As [`DayView::shares`] says: by traffic.
    #[default]
    Traffic,
    /// The same for every hour.
    Even,
}

impl DayView<'_> {
    /// The hours that have begun before this one and are reported, in order.
    pub fn known(&self, shape: Shape) -> impl Iterator<Item = Known> {
        let even = 1.0 / f64::from(u32::try_from(self.shares.len().max(1)).unwrap_or(u32::MAX));
        let whole = self.target.to_major_f64();
        let (mut spend_to_date, mut target_to_date) = (0.0, 0.0);
        let hours = self
            .spend
            .iter()
            .zip(self.shares)
            .take(self.levels.len())
            .enumerate();
        hours.filter_map(move |(hour, (spend, share))| {
            let spend = (*spend)?.to_major_f64();
            let target = whole * if shape == Shape::Even { even } else { *share };
            spend_to_date += spend;
            target_to_date += target;
            Some(Known {
                hour,
                spend,
                target,
                spend_to_date,
                target_to_date,
            })
        })
    }

    /// What is left of the target, with `reserve` taken off for each hour that is not reported.
    pub fn left(&self, mut reserve: impl FnMut(usize) -> f64) -> f64 {
        let hours = self.spend.iter().take(self.levels.len()).enumerate();
        let spent = hours.map(|(hour, spend)| match spend {
            Some(spend) => spend.to_major_f64(),
            None => reserve(hour),
        });
        self.target.to_major_f64() - spent.sum::<f64>()
    }
}

/// Any of the controllers, by name.
///
/// The default is [`Resolve`]: in `benches/pacing` it wins wherever the day has a shape, prices jump
/// or the start is cold, and is within 0.002 of the best where nothing changes. Without a forecast it
/// is [`EntropicMirror`], the best after a shock among those that need none, and near the best
/// elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Controller {
    /// λ stays as it is.
    Fixed,
    /// The rule of the guide.
    Guide(Guide),
    /// Balseiro and Gur's dual subgradient.
    DualSubgradient(DualSubgradient),
    /// Entropic dual mirror descent.
    EntropicMirror(EntropicMirror),
    /// Proportional and integral, on the error to date.
    Pi(Pi),
    /// Proportional, integral and derivative, on the hour's error.
    Pid(Pid),
    /// Solved anew every hour for what is left.
    Resolve(Resolve),
}

impl Default for Controller {
    fn default() -> Self {
        Self::Resolve(Resolve::default())
    }
}

impl Pacer for Controller {
    fn level(&self, day: &DayView<'_>) -> f64 {
        match self {
            Self::Fixed => day.start,
            Self::Guide(rule) => rule.level(day),
            Self::DualSubgradient(rule) => rule.level(day),
            Self::EntropicMirror(rule) => rule.level(day),
            Self::Pi(rule) => rule.level(day),
            Self::Pid(rule) => rule.level(day),
            Self::Resolve(rule) => rule.level(day),
        }
    }

    fn carry(&self, day: &DayView<'_>) -> f64 {
        match self {
            Self::Fixed => day.start,
            Self::Guide(rule) => rule.carry(day),
            Self::DualSubgradient(rule) => rule.carry(day),
            Self::EntropicMirror(rule) => rule.carry(day),
            Self::Pi(rule) => rule.carry(day),
            Self::Pid(rule) => rule.carry(day),
            Self::Resolve(rule) => rule.carry(day),
        }
    }
}

impl Controller {
    /// Gains and bounds that are no numbers, or beyond reason.
    fn check(&self, ranges: Ranges) -> Ranges {
        let gain = |ranges: Ranges, field, gain: f64| ranges.check(field, gain, 0.0, 100.0);
        let most = |ranges: Ranges, most: f64| ranges.check("most", most, 0.0, 1e6);
        match self {
            Self::Fixed => ranges,
            Self::Guide(rule) => {
                let ranges = gain(ranges, "step", rule.step.to_f64());
                most(ranges, rule.most.to_f64())
            }
            Self::DualSubgradient(rule) => most(gain(ranges, "step", rule.step), rule.most),
            Self::EntropicMirror(rule) => most(gain(ranges, "step", rule.step), rule.most),
            Self::Pi(rule) => {
                let ranges = gain(ranges, "proportional", rule.proportional);
                most(gain(ranges, "integral", rule.integral), rule.most)
            }
            Self::Pid(rule) => {
                let ranges = gain(ranges, "proportional", rule.proportional);
                let ranges = gain(ranges, "integral", rule.integral);
                most(gain(ranges, "derivative", rule.derivative), rule.most)
            }
            Self::Resolve(rule) => {
                let ranges = gain(ranges, "belief", rule.belief);
                let ranges = gain(ranges, "caution", rule.caution);
                let ranges = gain(ranges, "step", rule.fallback.step);
                most(ranges, rule.fallback.most)
            }
        }
    }
}

macro_rules! into_controller {
    ($($rule:ident),*) => {$(
        impl From<$rule> for Controller {
            fn from(rule: $rule) -> Self {
                Self::$rule(rule)
            }
        }
    )*};
}
into_controller!(Guide, DualSubgradient, EntropicMirror, Pi, Pid, Resolve);
