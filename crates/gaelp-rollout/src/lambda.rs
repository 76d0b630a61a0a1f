//! The price of money.

use gaelp_budget::Guide;
use gaelp_core::{Micros, Ratio};
use serde::{Deserialize, Serialize};

/// λ, the price of money: a spent unit counts as 1 + λ.
///
/// By itself it follows the guide's rule, once a day: λ ← max(0, λ + η · (spend − target) ÷ target), in
/// integers, rounded half to even, and no higher than a bound. Spending less than the target
/// lowers it, spending more raises it. The rule is that of [`Guide`], with its traps; where budgets
/// are paced ([`Budgeting::Paced`](crate::Budgeting::Paced)), another controller sets λ every hour.
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
        let rule = Guide {
            step: self.step,
            most: self.max,
            ..Guide::default()
        };
        self.value = rule.follow(self.value, spend, target);
    }

    /// λ at a value that pacing has set.
    pub(crate) const fn at(self, value: Ratio) -> Self {
        Self { value, ..self }
    }
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

    /// η of a millionth, so that λ moves by the quotient itself.
    #[test]
    fn halves_are_rounded_to_even() {
        let moved = |spend, target| {
            let mut lambda = Lambda::new(Ratio::from_ppm(10), Ratio::from_ppm(1), MAX);
            lambda.observe(Micros::new(spend), Micros::new(target));
            lambda.get().ppm() - 10
        };
        assert_eq!(moved(3, 2), 0);
        assert_eq!(moved(5, 2), 2);
        assert_eq!(moved(1, 2), 0);
        assert_eq!(moved(-1, 2), -2);
        assert_eq!(moved(-2, 3), -2);
    }
}
