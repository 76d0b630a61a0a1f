//! When people are there: the shape of a week.

use chrono::{NaiveDate, Weekday};
use gaelp_core::{AccountZone, LocalHour, UtcHour};
use serde::{Deserialize, Serialize};

use crate::{OutOfRanges, error::Ranges};

/// Hours in a week of the wall clock.
const SLOTS: usize = 7 * 24;

/// How much of a week's traffic each hour of it has, learnt from counts and shrunk to a prior.
///
/// Each hour of the week is gamma–Poisson: its rate is the mean of what was counted and of what the
/// prior expects, which counts for `strength` weeks. Hours of which nothing was reported count for
/// nothing, not for zero.
///
/// Slots are hours on the wall; a day's shares are those of the hours it really has. On the day
/// that summer time ends, two o'clock is there twice and each has its own share.
///
/// **Source.** Gelman et al. (2013), Bayesian Data Analysis, §2.6; the level of the prior is set
/// from the data (empirical Bayes).
///
/// ```
/// use gaelp_budget::TrafficProfile;
/// use gaelp_core::AccountZone;
///
/// let zone: AccountZone = "America/New_York".parse()?;
/// let mut profile = TrafficProfile::flat(4.0)?;
/// for hour in zone.hours_of_day("2026-03-02".parse()?) {
///     let local = zone.local(hour);
///     profile.observe(local, if local.hour < 12 { 50 } else { 150 });
/// }
/// let (hours, shares) = profile.day(zone, "2026-03-09".parse()?); // the Monday after
/// assert_eq!(hours.len(), 24);
/// assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
/// // One week was seen, the prior counts for four: (4 · 100 + 150) ÷ 5 = 110 and 90.
/// assert!((shares[20] / shares[3] - 110.0 / 90.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct TrafficProfile {
    /// What the prior expects of each slot, relative to the mean.
    prior: Vec<f64>,
    strength: f64,
    counts: Vec<u64>,
    seen: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    prior: Vec<f64>,
    strength: f64,
    counts: Vec<u64>,
    seen: Vec<u32>,
}

impl TryFrom<Stored> for TrafficProfile {
    type Error = ProfileError;

    fn try_from(stored: Stored) -> Result<Self, ProfileError> {
        let Stored {
            prior,
            strength,
            counts,
            seen,
        } = stored;
        if counts.len() != SLOTS || seen.len() != SLOTS {
            return Err(ProfileError::Week);
        }
        Ok(Self {
            counts,
            seen,
            ..Self::with_prior(&prior, strength)?
        })
    }
}

impl TrafficProfile {
    /// Nothing known, and all hours alike until then; the belief is worth so many weeks, from 0.01
    /// to 1000.
    ///
    /// # Errors
    /// [`ProfileError::Strength`] out of range.
    pub fn flat(strength: f64) -> Result<Self, ProfileError> {
        Self::with_prior(&[1.0; SLOTS], strength)
    }

    /// A prior for the 168 hours of a week, from Monday midnight; only their proportions count.
    ///
    /// # Errors
    /// [`ProfileError`] for another number of hours, for what is negative or no number, and where
    /// all are zero.
    pub fn with_prior(week: &[f64], strength: f64) -> Result<Self, ProfileError> {
        Ranges::default()
            .check("strength", strength, 0.01, 1_000.0)
            .done()?;
        let total: f64 = week.iter().sum();
        let sound = week.iter().all(|share| *share >= 0.0) && total > 0.0 && total.is_finite();
        if week.len() != SLOTS || !sound {
            return Err(ProfileError::Week);
        }
        let mean = total / 168.0;
        Ok(Self {
            prior: week.iter().map(|share| share / mean).collect(),
            strength,
            counts: vec![0; SLOTS],
            seen: vec![0; SLOTS],
        })
    }

    /// Counts an hour: impressions, visits, or whatever says that people are there.
    pub fn observe(&mut self, hour: LocalHour, count: u64) {
        let slot = slot(hour.weekday(), hour.hour);
        self.counts[slot] = self.counts[slot].saturating_add(count);
        self.seen[slot] = self.seen[slot].saturating_add(1);
    }

    /// Replaces what was counted for an hour, as when it is restated.
    pub fn restate(&mut self, hour: LocalHour, before: u64, now: u64) {
        let slot = slot(hour.weekday(), hour.hour);
        self.counts[slot] = self.counts[slot].saturating_sub(before).saturating_add(now);
    }

    /// Counts what another has counted, without its prior: associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        for slot in 0..SLOTS {
            self.counts[slot] = self.counts[slot].saturating_add(other.counts[slot]);
            self.seen[slot] = self.seen[slot].saturating_add(other.seen[slot]);
        }
    }

    /// The hours of a local day, and the share of the day that each is expected to have.
    ///
    /// They sum to 1. A day that the zone skipped has no hours.
    pub fn day(&self, zone: AccountZone, date: NaiveDate) -> (Vec<UtcHour>, Vec<f64>) {
        let hours = zone.hours_of_day(date);
        let rates = self.rates();
        let mut shares: Vec<_> = hours
            .iter()
            .map(|&hour| {
                let local = zone.local(hour);
                rates[slot(local.weekday(), local.hour)]
            })
            .collect();
        let total: f64 = shares.iter().sum();
        if total > 0.0 {
            for share in &mut shares {
                *share /= total;
            }
        } else {
            // A day without traffic has its hours all the same.
            let count = u32::try_from(shares.len().max(1)).unwrap_or(u32::MAX);
            shares.fill(1.0 / f64::from(count));
        }
        (hours, shares)
    }

    /// How much more or less than the mean of the week an hour has; 1 is the mean.
    pub fn relative(&self, weekday: Weekday, hour: u8) -> f64 {
        let rates = self.rates();
        let mean = rates.iter().sum::<f64>() / 168.0;
        let rate = rates[slot(weekday, hour.min(23))];
        if mean > 0.0 { rate / mean } else { 1.0 }
    }

    fn rates(&self) -> Vec<f64> {
        // What the prior expects where one hour of its mean has this many.
        let expected: f64 = self
            .seen
            .iter()
            .zip(&self.prior)
            .map(|(&n, p)| f64::from(n) * p)
            .sum();
        let counted: f64 = self.counts.iter().map(|&count| as_f64(count)).sum();
        let level = if expected > 0.0 && counted > 0.0 {
            counted / expected
        } else {
            1.0
        };
        let slots = self.prior.iter().zip(&self.counts).zip(&self.seen);
        slots
            .map(|((prior, &count), &seen)| {
                (self.strength * level * prior + as_f64(count)) / (self.strength + f64::from(seen))
            })
            .collect()
    }
}

/// The slot of an hour of the week.
fn slot(weekday: Weekday, hour: u8) -> usize {
    weekday.num_days_from_monday() as usize * 24 + usize::from(hour.min(23))
}

#[expect(clippy::cast_precision_loss, reason = "a rate is a statistic")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

/// What is no profile.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// A strength out of range.
    #[error("{0}")]
    Strength(#[from] OutOfRanges),
    /// Not 168 hours, or no shares.
    #[error("a week has 168 hours with shares from 0 up, and some above 0")]
    Week,
}
