//! The price of money.

use gaelp_core::{Micros, Ratio};
use serde::{Deserialize, Serialize};

/// λ, the price of money: a spent unit counts as 1 + λ.
///
/// It follows the guide's rule, once a day: λ ← max(0, λ + η · (spend − target) ÷ target), in
/// integers, rounded half to even, and no higher than a bound. Spending less than the target
/// lowers it, spending more raises it. The rule is an integrator without memory of where it came
/// from; it settles slowly after a shock. Better controllers are for the budget crate to come.
///
/// ```
/// use gaelp_core::{Micros, Ratio};
/// use gaelp_rollout::Lambda;
///
/// let (step, max) = (Ratio::from_ppm(50_000), Ratio::from_ppm(10_000_000));
/// let mut lambda = Lambda::new(Ratio::from_ppm(200_000), step, max);
/// let target = Micros::new(10_000_000);
/// lambda.observe(Micros::new(12_000_000), target); // a fifth over: + 0.05 · 0.2
/// assert_eq!(lambda.get(), Ratio::from_ppm(210_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lambda {
    value: Ratio,
    step: Ratio,
    max: Ratio,
}

impl Lambda {
    /// λ at a value, with a step η and an upper bound.
    pub const fn new(value: Ratio, step: Ratio, max: Ratio) -> Self {
        Self { value, step, max }
    }

    /// The value in force.
    pub const fn get(self) -> Ratio {
        self.value
    }

    /// 1 + λ: what a spent unit counts as.
    pub fn price(self) -> Ratio {
        Ratio::ONE
            .checked_add(self.value)
            .unwrap_or(Ratio::from_ppm(i64::MAX))
    }

    /// Follows a day's spend. A target that is not positive leaves λ as it is.
    pub fn observe(&mut self, spend: Micros, target: Micros) {
        if target <= Micros::ZERO {
            return;
        }
        let over = i128::from(spend.get()) - i128::from(target.get());
        let change = divide_half_even(i128::from(self.step.ppm()) * over, i128::from(target.get()));
        let moved = i128::from(self.value.ppm()) + change;
        let bounded = moved.clamp(0, i128::from(self.max.ppm().max(0)));
        self.value = Ratio::from_ppm(i64::try_from(bounded).expect("bounded by two i64"));
    }
}

fn divide_half_even(numerator: i128, denominator: i128) -> i128 {
    let floor = numerator.div_euclid(denominator);
    let twice = 2 * numerator.rem_euclid(denominator);
    let up = twice > denominator || (twice == denominator && floor % 2 != 0);
    floor + i128::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Ratio = Ratio::from_ppm(50_000);
    const MAX: Ratio = Ratio::from_ppm(10_000_000);

    fn after(start: i64, spend: i64, target: i64) -> i64 {
        let mut lambda = Lambda::new(Ratio::from_ppm(start), STEP, MAX);
        lambda.observe(Micros::new(spend), Micros::new(target));
        lambda.get().ppm()
    }

    #[test]
    fn it_follows_the_guides_rule_exactly() {
        assert_eq!(after(200_000, 10_000_000, 10_000_000), 200_000);
        assert_eq!(after(200_000, 0, 10_000_000), 150_000);
        assert_eq!(after(200_000, 20_000_000, 10_000_000), 250_000);
        // 0.05 · (7 − 3) ÷ 3 = 66,666.67 ppm.
        assert_eq!(after(0, 7, 3), 66_667);
    }

    #[test]
    fn it_stays_within_its_bounds() {
        assert_eq!(after(10_000, 0, 10_000_000), 0);
        assert_eq!(after(9_999_999, i64::MAX, 1), 10_000_000);
        assert_eq!(after(0, i64::MIN, i64::MAX), 0);
    }

    #[test]
    fn without_a_target_it_does_not_move() {
        assert_eq!(after(123, 5, 0), 123);
        assert_eq!(after(123, 5, -1), 123);
    }

    #[test]
    fn halves_are_rounded_to_even() {
        assert_eq!(divide_half_even(1, 2), 0);
        assert_eq!(divide_half_even(3, 2), 2);
        assert_eq!(divide_half_even(-1, 2), 0);
        assert_eq!(divide_half_even(-3, 2), -2);
        assert_eq!(divide_half_even(-5, 3), -2);
    }
}
