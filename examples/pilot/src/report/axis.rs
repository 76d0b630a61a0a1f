//! Scales: from amounts to places in a picture.

/// A linear scale whose ends and steps are round numbers; zero is always on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// A scale that has room for all values, with about `steps` steps.
    pub(super) fn over(values: impl Iterator<Item = f64>, steps: u32) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((0.0_f64, 0.0_f64), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let span = if high > low { high - low } else { 1.0 };
        let step = round_step(span / f64::from(steps.max(1)));
        let ends = ((low / step).floor() * step, (high / step).ceil() * step);
        Self {
            low: ends.0,
            high: if ends.1 > ends.0 {
                ends.1
            } else {
                ends.0 + step
            },
            step,
        }
    }

    /// The distance between two ticks.
    pub(super) fn step(self) -> f64 {
        self.step
    }

    /// The ticks from the lowest to the highest.
    pub(super) fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=20_u32)
            .map(move |index| self.low + f64::from(index) * self.step)
            .take_while(move |&tick| tick <= self.high + self.step / 2.0)
    }

    /// The share of the way from the lowest to the highest value, within 0 and 1.
    pub(super) fn share(self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// The nearest round number that is not smaller: 1, 2, 2.5 or 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&step| step >= least * (1.0 - 1e-9));
    round
        .filter(|step| step.is_finite() && *step > 0.0)
        .unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round_and_hold_zero() {
        let scale = Scale::over([3.2, 11.4].into_iter(), 4);
        let ticks: Vec<_> = scale.ticks().collect();
        assert_eq!(ticks, [0.0, 5.0, 10.0, 15.0]);
        let scale = Scale::over([-4.0, 9.0].into_iter(), 4);
        assert_eq!(scale.ticks().collect::<Vec<_>>(), [-5.0, 0.0, 5.0, 10.0]);
        assert!((scale.share(0.0) - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn degenerate_values_still_give_a_scale() {
        for values in [
            vec![],
            vec![0.0],
            vec![f64::NAN, f64::INFINITY],
            vec![1e-300],
            vec![9e12],
        ] {
            let scale = Scale::over(values.iter().copied(), 4);
            assert!(scale.high > 0.0, "{values:?}");
            assert!(scale.ticks().count() >= 2, "{values:?}");
            assert!((0.0..=1.0).contains(&scale.share(f64::NAN)));
        }
    }
}
