//! Everything that chance decides, from one seed.

use gaelp_core::{DecisionId, DecisionKey, PolicyVersion, Ratio, Seed};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Above so many trials a count is drawn from the bell curve.
const MOST_TRIALS: u64 = 64;
const MILLION: u64 = 1_000_000;

/// A stream of draws.
///
/// Streams of one seed are independent of each other. All draws are made with integers, or with
/// the four operations and roots that every machine rounds alike: the same seed draws the same on
/// every machine.
///
/// ```
/// use gaelp_core::Seed;
/// use gaelp_sim::Dice;
///
/// let mut dice = Dice::new(Seed::new(7), 0);
/// let drawn = dice.between(10, 20);
/// assert!((10..=20).contains(&drawn));
/// assert_eq!(Dice::new(Seed::new(7), 0).between(10, 20), drawn);
/// ```
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The draws of a stream.
    pub fn new(seed: Seed, stream: u64) -> Self {
        let key = DecisionKey {
            seed,
            policy: PolicyVersion::new(stream),
            decision: DecisionId::new(0),
        };
        Self(key.generator())
    }

    /// A number below `bound`, or 0 where `bound` is 0. The bias is below `bound` ÷ 2⁶⁴.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the upper half of 128 bits")
    }

    /// A number of the range, both ends included; `low` where the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.checked_sub(low).and_then(|w| u64::try_from(w).ok());
        let Some(width) = width else { return low };
        let above = self.below(width.saturating_add(1));
        low.saturating_add(i64::try_from(above).unwrap_or(0))
    }

    /// Whether something happens that does so with probability `p`.
    pub fn chance(&mut self, p: Ratio) -> bool {
        let drawn = self.below(MILLION);
        u64::try_from(p.ppm()).is_ok_and(|p| drawn < p)
    }

    /// One of several, or nothing of nothing.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let index = self.below(u64::try_from(among.len()).unwrap_or(u64::MAX));
        among.get(usize::try_from(index).unwrap_or(usize::MAX))
    }

    /// How many of `trials` succeed that do so with probability `p` each: up to 64 trials exactly,
    /// above from the bell curve with the same mean and variance.
    ///
    /// **Cost.** At most 64 draws.
    pub fn count(&mut self, trials: u64, p: Ratio) -> u64 {
        let p = Ratio::from_ppm(p.ppm().clamp(0, Ratio::ONE.ppm()));
        if trials <= MOST_TRIALS {
            return (0..trials).map(|_| u64::from(self.chance(p))).sum();
        }
        let ppm = p.ppm().unsigned_abs();
        let (n, p) = (approximate(trials), p.to_f64());
        let spread = (n * p * (1.0 - p)).sqrt();
        // Twelve uniform numbers: mean 6, variance 1 (Irwin–Hall).
        let uniforms: u64 = (0..12).map(|_| self.below(MILLION)).sum();
        let normal = approximate(uniforms) / 1e6 - 6.0;
        let mean = u128::from(trials) * u128::from(ppm) / u128::from(MILLION);
        let mean = i64::try_from(mean).unwrap_or(i64::MAX);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast saturates, and the sum is clipped to the trials"
        )]
        let deviation = (spread * normal).round() as i64;
        let drawn = mean.saturating_add(deviation).max(0);
        u64::try_from(drawn).unwrap_or(0).min(trials)
    }

    /// How often something happens that does so `mean` times on average: in millionths.
    ///
    /// **Cost.** At most 64 draws.
    pub fn events(&mut self, mean_millionths: u64) -> u64 {
        // Many trials with a small probability each; at most an eighth.
        let trials = mean_millionths / 125_000 + 8;
        let p = mean_millionths / trials;
        self.count(trials, Ratio::from_ppm(i64::try_from(p).unwrap_or(0)))
    }

    /// A factor with mean 1 between 1 − `spread` and 1 + `spread`, those near 1 more often.
    pub fn factor(&mut self, spread: Ratio) -> Ratio {
        let spread = spread.ppm().clamp(0, Ratio::ONE.ppm());
        let sum = self.between(0, spread) + self.between(0, spread);
        Ratio::from_ppm(Ratio::ONE.ppm() - spread + sum)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the bell curve is an approximation anyway"
)]
fn approximate(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 40_000;

    fn mean(mut draw: impl FnMut(&mut Dice) -> f64) -> f64 {
        let mut dice = Dice::new(Seed::new(7), 3);
        (0..DRAWS).map(|_| draw(&mut dice)).sum::<f64>() / f64::from(DRAWS)
    }

    /// The bounds are five standard errors: a false alarm in two million.
    #[test]
    fn draws_have_the_means_they_claim() {
        let within = |found: f64, expected: f64, variance: f64| {
            let error = 5.0 * (variance / f64::from(DRAWS)).sqrt();
            assert!(
                (found - expected).abs() < error,
                "{found} is not {expected}"
            );
        };
        let p = Ratio::from_ppm(300_000);
        within(mean(|d| f64::from(u8::from(d.chance(p)))), 0.3, 0.21);
        within(mean(|d| approximate(d.count(20, p))), 6.0, 4.2);
        within(mean(|d| approximate(d.count(1_000, p))), 300.0, 210.0);
        within(mean(|d| approximate(d.events(2_500_000))), 2.5, 2.5);
        within(mean(|d| approximate(d.events(400_000))), 0.4, 0.4);
        within(mean(|d| approximate(d.below(10))), 4.5, 8.25);
        within(mean(|d| d.factor(p).to_f64()), 1.0, 0.03);
    }

    /// A rare event stays rare: the number of trials is not its own reason to happen.
    #[test]
    fn nothing_is_drawn_of_nothing() {
        let mut dice = Dice::new(Seed::new(1), 0);
        assert_eq!(dice.below(0), 0);
        assert_eq!(dice.between(5, 4), 5);
        assert_eq!(dice.count(0, Ratio::ONE), 0);
        assert_eq!(dice.count(1_000, Ratio::ONE), 1_000);
        assert_eq!(dice.count(1_000, Ratio::ZERO), 0);
        assert_eq!(dice.events(0), 0);
        assert_eq!(dice.pick::<u8>(&[]), None);
        assert!(!dice.chance(Ratio::ZERO));
        assert!(dice.chance(Ratio::ONE));
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, stream| {
            let mut dice = Dice::new(Seed::new(seed), stream);
            [(); 8].map(|()| dice.below(1_000_000))
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }
}
