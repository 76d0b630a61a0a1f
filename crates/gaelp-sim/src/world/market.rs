//! What money buys in an hour: traffic over the day, and a curve of diminishing returns.

use gaelp_core::{Micros, Ratio};
use serde::{Deserialize, Serialize};

/// How busy each local hour is, as a multiple of the average hour.
///
/// ```
/// use gaelp_sim::Traffic;
///
/// assert!(Traffic::EVENING.at(20) > Traffic::EVENING.at(4));
/// let day: i64 = (0..24).map(|hour| Traffic::EVENING.at(hour).ppm()).sum();
/// assert_eq!(day, 24_000_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Traffic([Ratio; 24]);

impl Traffic {
    /// The same all day.
    pub const FLAT: Self = Self([Ratio::ONE; 24]);

    /// Quiet nights, busy evenings: the shape of consumer traffic.
    pub const EVENING: Self = Self::of([
        55, 35, 25, 20, 20, 30, 55, 85, 100, 105, 110, 115, 120, 115, 110, 110, 115, 130, 155, 180,
        190, 175, 145, 100,
    ]);

    /// Busy in office hours, as business buyers are.
    pub const OFFICE: Self = Self::of([
        20, 15, 10, 10, 15, 30, 70, 120, 155, 180, 185, 175, 145, 165, 180, 175, 160, 130, 115, 95,
        80, 75, 55, 40,
    ]);

    /// Hundredths of the average hour.
    const fn of(hundredths: [i64; 24]) -> Self {
        let mut hours = [Ratio::ZERO; 24];
        let mut hour = 0;
        while hour < 24 {
            hours[hour] = Ratio::from_ppm(hundredths[hour] * 10_000);
            hour += 1;
        }
        Self(hours)
    }

    /// How busy a local hour is; hours past 23 are as busy as 23.
    pub fn at(&self, local_hour: u8) -> Ratio {
        self.0[usize::from(local_hour).min(23)]
    }

    /// How busy the hours after this one are, together.
    pub(crate) fn after(&self, local_hour: u8) -> i64 {
        let next = usize::from(local_hour).min(23) + 1;
        self.0[next..].iter().map(|ratio| ratio.ppm()).sum()
    }
}

/// The market of one ad set: what an hour of spend brings.
///
/// Clicks follow a saturating curve (Michaelis–Menten, or Hill with exponent 1): with spend `s`
/// and traffic `w`, an hour brings `most · w · s ÷ (s + half · w)` clicks. It is concave, so the
/// next dollar always brings less than the last, and needs no powers, so that it is exact.
///
/// ```
/// use gaelp_core::{Micros, Ratio};
/// use gaelp_sim::{Market, Traffic};
///
/// let market = Market { traffic: Traffic::FLAT, ..Market::default() };
/// // Half of the clicks come with the spend that is named so.
/// let clicks = market.expected_clicks(market.half, 12);
/// assert_eq!(clicks * 2, market.most_clicks.ppm().unsigned_abs());
/// # assert_eq!(market.expected_clicks(Micros::ZERO, 12), 0);
/// # assert_eq!(market.expected_clicks(Micros::new(-1), 12), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    /// The most that can be spent in an average hour.
    pub volume: Micros,
    /// The clicks of an average hour that no money can exceed.
    pub most_clicks: Ratio,
    /// The spend of an average hour that brings half of them.
    pub half: Micros,
    /// Orders per click.
    pub conversion: Ratio,
    /// The mean amount of an order.
    pub order_value: Micros,
    /// How much an hour's traffic differs from the expected, see
    /// [`Dice::factor`](crate::Dice::factor).
    pub noise: Ratio,
    /// The day's shape.
    pub traffic: Traffic,
    /// The share of hours in which everybody comes at once and the platform spends what it can,
    /// whatever the pace: a spike of spend.
    #[serde(default)]
    pub surges: Ratio,
}

impl Default for Market {
    /// A small shop: some 40 clicks a day for $10, one order in 25 clicks, $40 each.
    fn default() -> Self {
        Self {
            volume: Micros::new(4_000_000),
            most_clicks: Ratio::from_ppm(4_000_000),
            half: Micros::new(500_000),
            conversion: Ratio::from_ppm(40_000),
            order_value: Micros::new(40_000_000),
            noise: Ratio::from_ppm(300_000),
            traffic: Traffic::EVENING,
            surges: Ratio::ZERO,
        }
    }
}

impl Market {
    /// The clicks that an hour of spend brings on average, in millionths.
    pub fn expected_clicks(&self, spend: Micros, local_hour: u8) -> u64 {
        let traffic = self.traffic.at(local_hour);
        self.clicks_at(spend, traffic)
    }

    /// The same at a known traffic.
    pub(crate) fn clicks_at(&self, spend: Micros, traffic: Ratio) -> u64 {
        let wide = |ratio: Ratio| i128::from(ratio.ppm().max(0));
        let spend = i128::from(spend.get().max(0));
        let million = wide(Ratio::ONE);
        let most = wide(self.most_clicks) * wide(traffic) / million;
        let half = i128::from(self.half.get().max(0)) * wide(traffic) / million;
        // Where spend and half are both zero, nothing is spent.
        let clicks = (most * spend).checked_div(spend + half).unwrap_or(0);
        u64::try_from(clicks).unwrap_or(u64::MAX)
    }

    /// What an hour of spend earns on average.
    pub fn expected_revenue(&self, spend: Micros, local_hour: u8) -> Micros {
        let clicks = i128::from(self.expected_clicks(spend, local_hour));
        let orders = clicks * i128::from(self.conversion.ppm().max(0)) / 1_000_000;
        let revenue = orders * i128::from(self.order_value.get()) / 1_000_000;
        Micros::new(i64::try_from(revenue).unwrap_or(i64::MAX))
    }

    /// The most that an hour with this traffic can take.
    pub(crate) fn volume_at(&self, traffic: Ratio) -> Micros {
        let volume = i128::from(self.volume.get().max(0)) * i128::from(traffic.ppm().max(0));
        Micros::new(i64::try_from(volume / 1_000_000).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the formula in floating point, over three orders of magnitude.
    #[test]
    fn clicks_follow_the_curve_and_have_diminishing_returns() {
        let market = Market::default();
        for hour in 0..24 {
            let traffic = market.traffic.at(hour).to_f64();
            let mut last = (0.0, f64::INFINITY);
            for step in 1..200_u32 {
                let spend = f64::from(step) * 0.02;
                let expected = 4.0 * traffic * spend / (spend + 0.5 * traffic);
                let micros = Micros::new(i64::from(step) * 20_000);
                #[expect(clippy::cast_precision_loss, reason = "few clicks")]
                let found = market.expected_clicks(micros, hour) as f64 / 1e6;
                assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
                let gain = found - last.0;
                assert!(gain > 0.0 && gain < last.1 + 2e-6);
                last = (found, gain);
            }
        }
    }

    #[test]
    fn shapes_average_to_one() {
        for shape in [Traffic::FLAT, Traffic::EVENING, Traffic::OFFICE] {
            let sum: i64 = (0..24).map(|hour| shape.at(hour).ppm()).sum();
            assert_eq!(sum, 24_000_000);
            assert_eq!(shape.after(23), 0);
            assert_eq!(shape.after(0) + shape.at(0).ppm(), sum);
        }
    }
}
