//! The draws of the simulation.
//!
//! Choices among a few things are made with integers. The continuous and the counted ones come
//! from `rand_distr`, whose version the lock file pins.

use std::ops::Range;

use gaelp::core::Ratio;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Binomial, Distribution, Exp1, LogNormal, Poisson};

/// A stream of draws. Streams of one seed are independent of each other, so that an ad set does
/// the same whatever the others do.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// A whole number of the range, which must not be empty.
    pub(crate) fn within(&mut self, range: Range<u32>) -> u32 {
        let width = u64::from(range.end - range.start);
        // The bias is below width / 2^32: nobody sees it here.
        let drawn = (u64::from(self.0.next_u32()) * width) >> 32;
        range.start + u32::try_from(drawn).expect("it is below a 32-bit width")
    }

    /// Whether something happens that does so in so many of a hundred cases.
    pub(crate) fn happens(&mut self, percent: u32) -> bool {
        self.within(0..100) < percent
    }

    /// How often something happens that happens `mean` times on average.
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        let poisson = Poisson::new(mean).expect("means are positive and far below 2^53");
        count(poisson.sample(&mut self.0))
    }

    /// How many of `trials` succeed.
    pub(crate) fn binomial(&mut self, trials: u64, probability: f64) -> u64 {
        if trials == 0 {
            return 0;
        }
        Binomial::new(trials, probability)
            .expect("the rates of the sample are probabilities")
            .sample(&mut self.0)
    }

    /// A factor with median 1: `exp(sigma × normal)`, as exact millionths.
    pub(crate) fn factor(&mut self, sigma: f64) -> Ratio {
        let factor = LogNormal::new(0.0, sigma)
            .expect("sigma is a positive constant")
            .sample(&mut self.0);
        let ppm = i64::try_from(count((factor * 1e6).round())).unwrap_or(i64::MAX);
        Ratio::from_ppm(ppm)
    }

    /// A waiting time with that mean, exponentially distributed, in seconds.
    pub(crate) fn wait(&mut self, mean_seconds: f64) -> u64 {
        let wait: f64 = Exp1.sample(&mut self.0);
        count(wait * mean_seconds)
    }
}

/// A drawn number that is whole, or is cut to one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "draws are not negative, and what would not fit saturates"
)]
fn count(drawn: f64) -> u64 {
    drawn as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            std::array::from_fn::<u32, 8, _>(|_| dice.within(0..1_000_000))
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }

    /// Means of 100,000 draws. The bounds are five standard errors: a false alarm in two million.
    #[test]
    fn the_draws_have_the_means_they_claim() {
        const DRAWS: u32 = 100_000;
        let mut dice = Dice::new(7, 0);
        let mut mean = |draw: &mut dyn FnMut(&mut Dice) -> f64| {
            (0..DRAWS).map(|_| draw(&mut dice)).sum::<f64>() / f64::from(DRAWS)
        };
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let poisson = mean(&mut |dice| dice.poisson(2.5) as f64);
        assert!((poisson - 2.5).abs() < 5.0 * (2.5_f64 / 1e5).sqrt());
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let binomial = mean(&mut |dice| dice.binomial(20, 0.1) as f64);
        assert!((binomial - 2.0).abs() < 5.0 * (1.8_f64 / 1e5).sqrt());
        let within = mean(&mut |dice| f64::from(dice.within(10..20)));
        assert!((within - 14.5).abs() < 5.0 * (8.25_f64 / 1e5).sqrt());
        let happens = mean(&mut |dice| if dice.happens(30) { 1.0 } else { 0.0 });
        assert!((happens - 0.3).abs() < 5.0 * (0.21_f64 / 1e5).sqrt());
        let factor = mean(&mut |dice| dice.factor(0.5).to_f64());
        // exp(0.125) and exp(0.25) (exp(0.25) - 1), to seven digits.
        assert!((factor - 1.133_148_5).abs() < 5.0 * (0.364_695_8_f64 / 1e5).sqrt());
        #[expect(clippy::cast_precision_loss, reason = "days in seconds")]
        let wait = mean(&mut |dice| dice.wait(3600.0) as f64);
        // Cutting off the fractions takes half a second.
        assert!((wait - 3599.5).abs() < 5.0 * 3600.0 / 1e5_f64.sqrt());
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let mut dice = Dice::new(1, 0);
        assert_eq!(dice.poisson(0.0), 0);
        assert_eq!(dice.binomial(0, 0.5), 0);
    }
}
