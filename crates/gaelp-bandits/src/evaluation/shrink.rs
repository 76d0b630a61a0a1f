//! What clipping, switching and shrinking make of a weight.

/// A weight w becomes min(w, most) ÷ (1 + w² ÷ λ), and nothing above the threshold.
///
/// One formula for all, so that loops have no branches; where it changes nothing, loops leave it out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shrink {
    pub(crate) most: f64,
    pub(crate) threshold: f64,
    /// 1 ÷ λ.
    pub(crate) rate: f64,
}

impl Shrink {
    /// Every weight stays what it is.
    pub(crate) const NONE: Self = Self {
        most: f64::INFINITY,
        threshold: f64::INFINITY,
        rate: 0.0,
    };

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    #[inline]
    pub(crate) fn of(&self, weight: f64) -> f64 {
        let clipped = if weight < self.most {
            weight
        } else {
            self.most
        };
        let kept = if weight <= self.threshold {
            clipped
        } else {
            0.0
        };
        kept / (1.0 + weight * weight * self.rate)
    }

    /// The largest that weights of at most `raw` can become.
    pub(crate) fn bound(&self, raw: f64) -> f64 {
        let highest = raw.min(self.most).min(self.threshold);
        // w ÷ (1 + w² ÷ λ) rises to √λ ÷ 2 at w = √λ.
        let peak = 1.0 / self.rate.sqrt();
        if self.rate > 0.0 && highest >= peak {
            0.5 * peak
        } else if self.rate > 0.0 {
            self.of(highest)
        } else {
            highest
        }
    }
}
