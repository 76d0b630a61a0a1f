//! How a platform spends an ad set's budget.

use gaelp_core::{Micros, Ratio, Rounding, UtcHour};
use gaelp_platform::Delivery;

use super::calendar::HOUR;
use super::config::{AdSetConfig, DayLimit, Pacing};
use super::report::Cell;
use crate::Dice;

/// The local hour at which [`Pacing::Late`] lets go.
const LATE_FROM: u8 = 18;
/// What [`Pacing::Late`] spends before: a share of what is left, per day.
const EARLY_SHARE: i128 = 20;

/// By how much more an hour takes in which everybody comes at once.
const SURGE: i128 = 4;

/// An ad set in the world.
#[derive(Clone, Debug)]
pub(super) struct AdSet {
    pub(super) config: AdSetConfig,
    /// Where its platform stands among the world's.
    pub(super) platform: usize,
    pub(super) budget: Micros,
    pub(super) delivery: Delivery,
    /// Whether it still exists.
    pub(super) gone: bool,
    /// Edits of the last hour that had any.
    pub(super) edits: (UtcHour, u32),
    /// What of the overdelivery today aims at: at least `least_delivery`, at most ω.
    pub(super) appetite: Ratio,
    /// This hour's traffic.
    pub(super) traffic: Ratio,
    /// Whether everybody comes at once in this hour.
    surges: bool,
    /// Spend of this hour.
    pub(super) hour_spend: Micros,
    /// The hours that are over, from `first` on.
    pub(super) cells: Vec<Cell>,
    pub(super) first: UtcHour,
}

/// The part of a day in which spend is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// The local hour.
    pub(super) local_hour: u8,
    /// Its first second and the one after its last; both in one hour of one day.
    pub(super) from: i64,
    pub(super) to: i64,
}

impl AdSet {
    pub(super) fn new(config: AdSetConfig, platform: usize, first: UtcHour) -> Self {
        Self {
            budget: config.daily_budget,
            delivery: config.delivery,
            config,
            platform,
            gone: false,
            edits: (first, 0),
            appetite: Ratio::ONE,
            traffic: Ratio::ONE,
            surges: false,
            hour_spend: Micros::ZERO,
            cells: Vec::new(),
            first,
        }
    }

    /// A day begins: how much of its limit does it aim at?
    pub(super) fn begin_day(&mut self, overdelivery: Ratio, dice: &mut Dice) {
        let least = self.config.least_delivery.min(overdelivery);
        // One day in three aims at all that the platform may take.
        self.appetite = if dice.chance(Ratio::from_ppm(333_333)) {
            overdelivery
        } else {
            Ratio::from_ppm(dice.between(least.ppm(), overdelivery.ppm()))
        };
    }

    /// An hour begins.
    pub(super) fn begin_hour(&mut self, local_hour: u8, dice: &mut Dice) {
        let noise = dice.factor(self.config.market.noise);
        let expected = self.config.market.traffic.at(local_hour);
        let traffic = i128::from(expected.ppm()) * i128::from(noise.ppm()) / 1_000_000;
        self.traffic = Ratio::from_ppm(i64::try_from(traffic).unwrap_or(i64::MAX));
        // Markets without surges draw nothing for them.
        let surges = self.config.market.surges;
        self.surges = surges > Ratio::ZERO && dice.chance(surges);
        self.hour_spend = Micros::ZERO;
    }

    /// Whether it can spend.
    pub(super) fn delivers(&self) -> bool {
        !self.gone && self.delivery == Delivery::Active
    }

    /// What is spent in a segment: never more in a day than ω of its highest budget.
    pub(super) fn spend(
        &self,
        segment: Segment,
        spent: Micros,
        high: Micros,
        most: Micros,
    ) -> Micros {
        if !self.delivers() {
            return Micros::ZERO;
        }
        let limit = match self.config.limit {
            DayLimit::Current => self.budget,
            DayLimit::Highest => high,
        };
        let aim = limit.checked_scale(self.appetite, Rounding::Down);
        let aim = aim.unwrap_or(Micros::MAX).min(most);
        let left = i128::from(aim.get()) - i128::from(spent.get());
        if left <= 0 {
            return Micros::ZERO;
        }
        let seconds = i128::from(segment.to - segment.from);
        let volume = self.config.market.volume_at(self.traffic);
        let taken = i128::from(volume.get()) * seconds / i128::from(HOUR);
        let taken = if self.surges { SURGE * taken } else { taken };
        let paced = match self.config.pacing {
            _ if self.surges => left,
            Pacing::Even => self.evenly(segment, left),
            Pacing::Late if segment.local_hour < LATE_FROM => {
                left * seconds / (EARLY_SHARE * i128::from(HOUR))
            }
            Pacing::Fast | Pacing::Late => left,
        };
        let spend = paced.min(taken).min(left);
        Micros::new(i64::try_from(spend).unwrap_or(0))
    }

    /// The segment's part of what is left, by the traffic expected until midnight.
    fn evenly(&self, segment: Segment, left: i128) -> i128 {
        let traffic = &self.config.market.traffic;
        let now = i128::from(traffic.at(segment.local_hour).ppm());
        let later = i128::from(traffic.after(segment.local_hour)) * i128::from(HOUR);
        let seconds = i128::from(segment.to - segment.from);
        let hour_left = i128::from(HOUR - segment.from.rem_euclid(HOUR));
        let total = now * hour_left + later;
        (left * now * seconds).checked_div(total).unwrap_or(left)
    }
}
