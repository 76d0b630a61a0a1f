//! λ solved anew every hour.

use serde::{Deserialize, Serialize};

use super::{DayView, EntropicMirror, Forecast, Pacer};
use crate::math::{exp_m1, ln_1p};

/// Every hour, the λ at which the forecast for the hours to come spends what is left.
///
/// What is left is the target, less what was reported, less a **reserve** for hours that are not
/// reported yet: what the forecast says they spend at the λ that was in force. Unreported spend
/// counted as zero would be spent twice. The forecast is scaled by how the last reported hours
/// compare with it, shrunk towards 1.
///
/// Without a forecast it is an [`EntropicMirror`].
///
/// **Cost.** About nine sums over the hours left: 2 µs.
/// **Source.** Model-predictive control; re-solving as in Flajolet & Jaillet (2015), Logarithmic
/// regret bounds for bandits with knapsacks, §3; the reserve is ours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resolve {
    /// Over how many of the last reported hours the forecast is compared with what came. Default 4.
    pub window: u32,
    /// How much forecast spend the belief is worth that the forecast is right, in hours of the
    /// day's average. Default 1.
    pub belief: f64,
    /// By which share the reserve lies above the forecast. Default 0.02.
    pub caution: f64,
    /// What to do without a forecast.
    pub fallback: EntropicMirror,
}

impl Default for Resolve {
    fn default() -> Self {
        Self {
            window: 4,
            belief: 1.0,
            caution: 0.02,
            fallback: EntropicMirror::default(),
        }
    }
}

impl Pacer for Resolve {
    fn level(&self, day: &DayView<'_>) -> f64 {
        match day.forecast {
            Some(forecast) if forecast.len() == day.shares.len() => {
                let scale = self.scale(day, forecast);
                let left = self.left(day, forecast, scale);
                if left > 0.0 {
                    forecast.level_for(day.levels.len(), left, scale)
                } else {
                    forecast.most()
                }
            }
            _ => self.fallback.level(day),
        }
    }

    /// The day's mean, of 1 + λ, geometric, by traffic: its last hours only spent what was left.
    fn carry(&self, day: &DayView<'_>) -> f64 {
        if day.forecast.is_none() {
            return self.fallback.carry(day);
        }
        let hours = day.levels.iter().zip(day.shares);
        let (sum, weight) = hours.fold((0.0, 0.0), |(sum, weight), (level, share)| {
            (sum + ln_1p(level.max(0.0)) * share, weight + share)
        });
        if weight > 0.0 {
            exp_m1(sum / weight)
        } else {
            day.start
        }
    }
}

impl Resolve {
    /// What is left of the target, the reserve taken off.
    pub(super) fn left(&self, day: &DayView<'_>, forecast: &Forecast, scale: f64) -> f64 {
        day.left(|hour| {
            let level = day.levels[hour];
            forecast.spend(hour, level) * scale * (1.0 + self.caution)
        })
    }

    /// How what came compares with the forecast, over the last reported hours.
    pub(super) fn scale(&self, day: &DayView<'_>, forecast: &Forecast) -> f64 {
        let known: Vec<_> = day.known(super::Shape::Traffic).collect();
        let last = known.len().saturating_sub(self.window as usize);
        let (came, expected) = known[last..]
            .iter()
            .fold((0.0, 0.0), |(came, expected), known| {
                let forecast = forecast.spend(known.hour, day.levels[known.hour]);
                (came + known.spend, expected + forecast)
            });
        let hours = f64::from(u32::try_from(day.shares.len().max(1)).unwrap_or(u32::MAX));
        let belief = self.belief * day.target.to_major_f64() / hours;
        if belief + expected <= 0.0 {
            return 1.0;
        }
        ((came + belief) / (expected + belief)).clamp(0.1, 10.0)
    }
}
