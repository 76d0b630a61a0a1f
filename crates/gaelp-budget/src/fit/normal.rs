//! Normal numbers, the same on every platform.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::math::ln;

/// Two independent standard normal numbers.
///
/// Source: Marsaglia & Bray (1964), A convenient method for generating normal variables.
pub(super) fn pair(rng: &mut ChaCha8Rng) -> [f64; 2] {
    loop {
        let [x, y] = [symmetric(rng), symmetric(rng)];
        let square = x * x + y * y;
        if square < 1.0 && square > 0.0 {
            let stretch = (-2.0 * ln(square) / square).sqrt();
            return [x * stretch, y * stretch];
        }
    }
}

/// A number from −1 to 1, from 53 bits.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn symmetric(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
