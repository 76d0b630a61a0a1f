//! Contextual policies: what their tests share.

mod explorers;
mod linear;
mod logistic;
mod precise;
mod stored;

use gaelp_bandits::{Amount, ArmKey, ContextualOutcome, Features, Outcome, Share};
use gaelp_core::{ArmId, Propensity, UtcHour};

/// An evenly spread stream that nothing else uses.
struct Stream(u64);

impl Stream {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.bits() >> 32).unwrap()) / 4_294_967_296.0
    }

    /// Standard normal, nearly: twelve uniform numbers.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    fn features(&mut self, dimension: usize, scale: f64) -> Features {
        let values: Vec<f64> = (0..dimension).map(|_| scale * self.normal()).collect();
        Features::new(&values).unwrap()
    }
}

fn features(values: &[f64]) -> Features {
    Features::new(values).unwrap()
}

fn amount(value: f64) -> Amount {
    Amount::new(value).unwrap()
}

/// What came of an arm of the first generation, chosen in the hour 0.
fn came<R>(arm: u32, features: &Features, reward: R) -> ContextualOutcome<'_, R> {
    ContextualOutcome {
        outcome: Outcome {
            key: ArmKey::first(ArmId::new(arm)),
            propensity: Propensity::CERTAIN,
            at: UtcHour::new(0),
            reward,
            trial: Share::FULL,
        },
        features,
    }
}

/// How many cases a long test runs: `GAELP_CASES`, or a number that takes some seconds.
fn cases(usual: u32) -> u32 {
    let set = std::env::var("GAELP_CASES").ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(usual)
}
