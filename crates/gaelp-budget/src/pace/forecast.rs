//! What each hour would spend at each λ.

use serde::{Deserialize, Serialize};

use crate::math::{exp, exp_m1, ln_1p};
use crate::{Curve, OutOfRanges, error::Ranges};

/// How finely λ is divided; between, straight lines.
const STEPS: u32 = 64;

/// For each hour of a day, what it would spend at each λ: never more at a higher one.
///
/// It may come from yesterday's log of auctions, from response curves, or, where only yesterday's
/// spend is known, from an elasticity.
///
/// **Memory.** 65 numbers per hour: 12 kB a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Forecast {
    hours: Vec<Vec<f64>>,
    most: f64,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    most: f64,
    hours: Vec<Vec<f64>>,
}

impl Forecast {
    /// From any function of hour and λ, up to λ `most` (0.01 to 1e6); where it rises with λ, what
    /// it said at a lower λ is kept.
    ///
    /// # Errors
    /// [`ForecastError`] for `most` out of range, and where the function gives no amount.
    pub fn from_function(
        hours: usize,
        most: f64,
        mut spend: impl FnMut(usize, f64) -> f64,
    ) -> Result<Self, ForecastError> {
        Ranges::default()
            .check("the highest λ", most, 0.01, 1e6)
            .done()?;
        let step = ln_1p(most) / f64::from(STEPS);
        let row = |hour| {
            let mut least = f64::INFINITY;
            let points = (0..=STEPS).map(|place| {
                least = spend(hour, exp_m1(step * f64::from(place))).min(least);
                least
            });
            points.collect()
        };
        let hours = (0..hours).map(row).collect();
        Stored { most, hours }.try_into()
    }

    /// From a log of auctions: the hour, what winning was worth, and what it cost. At λ those are
    /// won that are worth (1 + λ) times their price; prices that are not above zero are left out.
    ///
    /// # Errors
    /// [`ForecastError`] as from [`Forecast::from_function`].
    pub fn from_auctions(
        hours: usize,
        most: f64,
        auctions: impl IntoIterator<Item = (usize, f64, f64)>,
    ) -> Result<Self, ForecastError> {
        let step = ln_1p(most.clamp(0.01, 1e6)) / f64::from(STEPS);
        let mut rows = vec![vec![0.0; STEPS as usize + 1]; hours];
        for (hour, worth, price) in auctions {
            if price <= 0.0 || worth < price || !worth.is_finite() {
                continue;
            }
            // The last step at which it is won.
            let place = (ln_1p(worth / price - 1.0) / step)
                .floor()
                .min(f64::from(STEPS));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 64"
            )]
            let place = place as usize;
            if let Some(row) = rows.get_mut(hour) {
                row[place] += price;
            }
        }
        for row in &mut rows {
            for place in (0..row.len() - 1).rev() {
                row[place] += row[place + 1];
            }
        }
        Stored { most, hours: rows }.try_into()
    }

    /// From response curves of revenue, one for each hour: what is spent down to a marginal return
    /// of (1 + λ) ÷ margin, and no more than `ceiling` an hour.
    ///
    /// # Errors
    /// [`ForecastError`] as from [`Forecast::from_function`].
    pub fn from_curves<C: Curve>(
        curves: &[C],
        most: f64,
        margin: f64,
        ceiling: f64,
    ) -> Result<Self, ForecastError> {
        Ranges::default()
            .check("margin", margin, 1e-6, 1e6)
            .done()?;
        Self::from_function(curves.len(), most, |hour, lambda| {
            curves[hour].inverse((1.0 + lambda) / margin).min(ceiling)
        })
    }

    /// From what each hour spent at a λ, where a price 1 % higher buys `elasticity` % less: a guess,
    /// where nothing better is known.
    ///
    /// # Errors
    /// [`ForecastError`] as from [`Forecast::from_function`].
    pub fn from_spend(
        spend: &[f64],
        at: f64,
        most: f64,
        elasticity: f64,
    ) -> Result<Self, ForecastError> {
        Ranges::default()
            .check("λ", at, 0.0, 1e6)
            .check("elasticity", elasticity, 0.0, 20.0)
            .done()?;
        Self::from_function(spend.len(), most, |hour, lambda| {
            spend[hour] * exp(-elasticity * (ln_1p(lambda) - ln_1p(at)))
        })
    }

    /// How many hours it has.
    pub fn len(&self) -> usize {
        self.hours.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.hours.is_empty()
    }

    /// The highest λ that it knows.
    pub fn most(&self) -> f64 {
        self.most
    }

    /// What an hour would spend; beyond the highest λ as there, and nothing in hours it has not.
    pub fn spend(&self, hour: usize, lambda: f64) -> f64 {
        self.hours
            .get(hour)
            .map_or(0.0, |row| at(row, self.place(lambda)))
    }

    /// The least λ at which the hours from `hour` on spend no more than an amount together, each
    /// times its factor; the highest where even that is too much.
    pub fn level_for(&self, hour: usize, amount: f64, factor: f64) -> f64 {
        let rest = self.hours.get(hour..).unwrap_or_default();
        let total = |place: f64| rest.iter().map(|row| at(row, place)).sum::<f64>() * factor;
        let (mut low, mut high) = (0, STEPS);
        if total(0.0) <= amount {
            return 0.0;
        }
        while low + 1 < high {
            let middle = u32::midpoint(low, high);
            if total(f64::from(middle)) <= amount {
                high = middle;
            } else {
                low = middle;
            }
        }
        // Straight between two steps.
        let (above, below) = (total(f64::from(low)), total(f64::from(high)));
        let share = if above > below {
            ((above - amount) / (above - below)).clamp(0.0, 1.0)
        } else {
            1.0
        };
        let step = ln_1p(self.most) / f64::from(STEPS);
        exp_m1(step * (f64::from(low) + share))
    }

    fn place(&self, lambda: f64) -> f64 {
        let steps = f64::from(STEPS);
        (ln_1p(lambda.max(0.0)) / ln_1p(self.most) * steps).clamp(0.0, steps)
    }
}

/// A row between two steps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 64"
)]
fn at(row: &[f64], place: f64) -> f64 {
    let left = place.floor();
    let (one, other) = (
        row[left as usize],
        row[(left as usize + 1).min(row.len() - 1)],
    );
    one + (place - left) * (other - one)
}

impl TryFrom<Stored> for Forecast {
    type Error = ForecastError;

    fn try_from(stored: Stored) -> Result<Self, ForecastError> {
        let Stored { most, hours } = stored;
        Ranges::default()
            .check("the highest λ", most, 0.01, 1e6)
            .done()?;
        for (hour, row) in hours.iter().enumerate() {
            let falls = row.windows(2).all(|pair| pair[0] >= pair[1]);
            let amounts = row.iter().all(|spend| (0.0..=1e12).contains(spend));
            if row.len() != STEPS as usize + 1 || !falls || !amounts {
                return Err(ForecastError::Hour { hour });
            }
        }
        Ok(Self { hours, most })
    }
}

impl From<Forecast> for Stored {
    fn from(forecast: Forecast) -> Self {
        Self {
            most: forecast.most,
            hours: forecast.hours,
        }
    }
}

/// What is no forecast.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ForecastError {
    /// A parameter out of range.
    #[error("{0}")]
    Parameters(#[from] OutOfRanges),
    /// An hour whose spend is no amount, or rises with λ.
    #[error("hour {hour}: spend from 0 to 1e12 that does not rise with λ is expected")]
    Hour {
        /// Which, from 0.
        hour: usize,
    },
}
