//! The rule of the low-spend guide, exactly.

use gaelp_core::{Micros, Ratio};
use serde::{Deserialize, Serialize};

use super::{DayView, Pacer};

/// λ ← max(0, λ + η · (spend − target) ÷ target).
///
/// It is kept exactly, in integers, for those who know it. **Its traps**, as measured by
/// `benches/pacing` (value over the best in hindsight, 24 updates a day):
///
/// - With the whole day's budget as the target, the error is negative until the money is gone: λ
///   sinks to 0 by itself, 0.59 cold and 0.89 warm where re-solving reaches 0.996.
/// - The error to date is a sum already, and the rule sums it once more. So no step fits both: at
///   η = 0.05 it is too slow for a cold start (0.73) and at 0.5 it swings (0.51 after a shock).
/// - A pro-rata target takes the morning's low traffic for thrift: 0.64 where traffic has a shape.
///
/// Once a day, with yesterday's spend against its target, it is a plain integrator and harmless;
/// that is [`DailySchedule`](super::DailySchedule).
///
/// ```
/// use gaelp_budget::Guide;
/// use gaelp_core::{Micros, Ratio};
///
/// let guide = Guide::default();
/// let (spend, target) = (Micros::new(12_000_000), Micros::new(10_000_000));
/// let lambda = guide.follow(Ratio::from_ppm(200_000), spend, target);
/// assert_eq!(lambda, Ratio::from_ppm(210_000)); // a fifth over: + 0.05 · 0.2
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guide {
    /// η. Default 0.05.
    #[serde(alias = "LAGRANGE_STEP", alias = "lagrange_step")]
    pub step: Ratio,
    /// What spend is held against within a day. Default: by traffic, the least bad.
    pub target: GuideTarget,
    /// λ is never higher. Default 20.
    pub most: Ratio,
}

/// What the spend to date is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuideTarget {
    /// The day's share up to now, by traffic.
    #[default]
    Traffic,
    /// The day's share up to now, by the clock.
    ProRata,
    /// The whole day.
    WholeDay,
}

impl Default for Guide {
    fn default() -> Self {
        Self {
            step: Ratio::from_ppm(50_000),
            target: GuideTarget::Traffic,
            most: Ratio::from_ppm(20_000_000),
        }
    }
}

impl Guide {
    /// One step of the rule, rounded half to even in millionths, and no higher than the bound. A
    /// target that is not positive leaves λ as it is.
    #[must_use]
    pub fn follow(&self, lambda: Ratio, spend: Micros, target: Micros) -> Ratio {
        if target <= Micros::ZERO {
            return lambda;
        }
        let over = i128::from(spend.get()) - i128::from(target.get());
        let numerator = i128::from(self.step.ppm()) * over;
        let denominator = i128::from(target.get());
        let floor = numerator.div_euclid(denominator);
        let twice = 2 * numerator.rem_euclid(denominator);
        let up = twice > denominator || (twice == denominator && floor % 2 != 0);
        let moved = i128::from(lambda.ppm()) + floor + i128::from(up);
        let bounded = moved.clamp(0, i128::from(self.most.ppm().max(0)));
        Ratio::from_ppm(i64::try_from(bounded).expect("bounded by two i64"))
    }
}

impl Pacer for Guide {
    fn level(&self, day: &DayView<'_>) -> f64 {
        let shape = match self.target {
            GuideTarget::ProRata => super::Shape::Even,
            GuideTarget::Traffic | GuideTarget::WholeDay => super::Shape::Traffic,
        };
        let start = day.start.clamp(0.0, self.most.to_f64().max(0.0));
        let lambda = day.known(shape).fold(ppm(start), |lambda, known| {
            let target = match self.target {
                GuideTarget::WholeDay => day.target,
                _ => Micros::new(ppm(known.target_to_date).ppm()),
            };
            self.follow(lambda, Micros::new(ppm(known.spend_to_date).ppm()), target)
        });
        lambda.to_f64()
    }

    /// Where the day's last report leaves it.
    fn carry(&self, day: &DayView<'_>) -> f64 {
        self.level(day)
    }
}

/// A float in millionths; as λ, or as money in major units.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn ppm(x: f64) -> Ratio {
    Ratio::from_ppm((x * 1e6).round() as i64)
}
