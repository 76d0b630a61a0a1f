//! The Hill curve top · xᵃ ÷ (xᵃ + halfᵃ), and its concave envelope where a > 1.
//!
//! With t = (x ÷ half)ᵃ the value is top · t ÷ (1 + t). The line from nothing touches it where
//! a = 1 + t. Where a < 1 the slope at nothing would be infinite; the first millionth of `half` is
//! taken as a straight line there.

use crate::math::{exp, ln, ln_1p, power};

/// Up to this share of `half` a curve with an endless slope is a straight line.
const STRAIGHT: f64 = 1e-6;
/// What lies beyond is 1 to the last bit.
const FULL: f64 = 1e17;

pub(super) fn value(top: f64, half: f64, exponent: f64, spend: f64) -> f64 {
    if spend <= 0.0 {
        return 0.0;
    }
    let ratio = spend / half;
    if is_plain(exponent) {
        return if ratio > FULL {
            top
        } else {
            top * (ratio / (1.0 + ratio))
        };
    }
    let t = power(ratio.clamp(f64::MIN_POSITIVE, f64::MAX), exponent);
    if t > FULL { top } else { top * (t / (1.0 + t)) }
}

pub(super) fn envelope_value(top: f64, half: f64, exponent: f64, spend: f64) -> f64 {
    match touch(half, exponent) {
        Some(touch) if spend < touch => slope(top, half, exponent, touch) * spend.max(0.0),
        _ => value(top, half, exponent, spend),
    }
}

pub(super) fn envelope_marginal(top: f64, half: f64, exponent: f64, spend: f64) -> f64 {
    if is_plain(exponent) {
        let ratio = 1.0 + spend / half;
        return top / half / ratio / ratio;
    }
    if let Some(touch) = touch(half, exponent)
        && spend < touch
    {
        return slope(top, half, exponent, touch);
    }
    let u = exponent * ln((spend / half).clamp(f64::MIN_POSITIVE, f64::MAX));
    top * exponent / spend * exp(u - 2.0 * ln_1p_exp(u))
}

pub(super) fn envelope_inverse(top: f64, half: f64, exponent: f64, level: f64) -> f64 {
    if top <= 0.0 {
        return 0.0;
    }
    if is_plain(exponent) {
        return (top * half / level).sqrt() - half;
    }
    let Some(touch) = touch(half, exponent) else {
        return 0.0;
    };
    if slope(top, half, exponent, touch) < level {
        return 0.0;
    }
    // The logarithm of the marginal over the level, as a function of u = ln t: concave and falling
    // to the right of the touch, so that Newton's steps come from the right and never leave it.
    let start = exponent * ln(touch / half);
    let steep = ln(top) + ln(exponent) - ln(half) - ln(level.clamp(1e-300, 1e300));
    let mut u = start;
    for _ in 0..80 {
        let excess = steep + (1.0 - 1.0 / exponent) * u - 2.0 * ln_1p_exp(u);
        let falling = (1.0 - 1.0 / exponent) - 2.0 / (1.0 + exp(-u));
        let step = excess / falling;
        u = (u - step).max(start);
        if step.abs() <= 1e-15 * u.abs().max(1.0) {
            break;
        }
    }
    half * exp(u / exponent)
}

/// Where the straight line from nothing ends; `None` where the exponent is 1.
pub(super) fn touch(half: f64, exponent: f64) -> Option<f64> {
    if is_plain(exponent) {
        None
    } else if exponent < 1.0 {
        Some(half * STRAIGHT)
    } else {
        Some(half * power(exponent - 1.0, 1.0 / exponent))
    }
}

/// The slope of that line.
fn slope(top: f64, half: f64, exponent: f64, touch: f64) -> f64 {
    value(top, half, exponent, touch) / touch
}

/// ln(1 + eᵘ) without overflow.
fn ln_1p_exp(u: f64) -> f64 {
    if u > 0.0 {
        u + ln_1p(exp(-u))
    } else {
        ln_1p(exp(u))
    }
}

/// Whether the exponent is 1, in whose formulas no power stands.
fn is_plain(exponent: f64) -> bool {
    (exponent - 1.0).abs() < 1e-12
}
