//! Pinned samplers: their values are part of this crate's contract, so that a logged decision
//! can be drawn again after an upgrade.

use rand_chacha::rand_core::Rng;

use super::elementary::{exp, ln, sqrt_for_tables};

/// Layers of the ziggurat.
const LAYERS: usize = 256;
/// Where the ziggurat's tail begins, and the area of each layer, for 256 layers.
const TAIL: f64 = 3.654_152_885_361_009;
const AREA: f64 = 0.004_928_673_233_974_655;

/// The right edge of each layer, falling, and the unnormalised density there.
static ZIGGURAT: ([f64; LAYERS + 1], [f64; LAYERS + 1]) = ziggurat();

/// A number in (0, 1), evenly spread, from 52 bits.
#[inline]
pub(crate) fn open_unit(rng: &mut impl Rng) -> f64 {
    unit(rng.next_u64())
}

#[inline]
#[expect(clippy::cast_precision_loss, reason = "52 bits and a half are exact")]
fn unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

/// A standard normal number.
///
/// Source: Marsaglia & Tsang (2000), The ziggurat method for generating random variables, with
/// layer and position from different bits as in Doornik (2005).
#[inline]
pub(crate) fn normal(rng: &mut impl Rng) -> f64 {
    let (edges, _) = &ZIGGURAT;
    loop {
        let bits = rng.next_u64();
        let layer = (bits & 0xFF) as usize;
        let sign = if bits & 0x100 == 0 { 1.0 } else { -1.0 };
        let x = unit(bits) * edges[layer];
        if x < edges[layer + 1] {
            return sign * x;
        }
        if layer == 0 {
            return sign * normal_tail(rng);
        }
        if is_below_density(layer, x, rng) {
            return sign * x;
        }
    }
}

/// Whether a point of a layer, beyond where all of it is below the density, is.
#[cold]
fn is_below_density(layer: usize, x: f64, rng: &mut impl Rng) -> bool {
    let (_, densities) = &ZIGGURAT;
    let between = densities[layer + 1] - densities[layer];
    densities[layer] + between * open_unit(rng) < exp(-0.5 * x * x)
}

/// A normal number beyond [`TAIL`]. Source: Marsaglia (1964).
#[cold]
fn normal_tail(rng: &mut impl Rng) -> f64 {
    loop {
        let x = -ln(open_unit(rng)) / TAIL;
        let y = -ln(open_unit(rng));
        if 2.0 * y > x * x {
            return TAIL + x;
        }
    }
}

/// Draws from a gamma distribution of scale 1.
///
/// Source: Marsaglia & Tsang (2000), A simple method for generating gamma variables, §5 for the
/// method, and its remark on shapes below 1, which are drawn in logarithms here so that they do not
/// underflow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gamma {
    /// Shape − ⅓ (of the shape that is drawn), and 1 ÷ √(9 d).
    d: f64,
    c: f64,
    /// 1 ÷ shape where a shape below 1 is drawn as one higher; zero elsewhere.
    boost: f64,
}

impl Gamma {
    pub(crate) fn new(shape: f64) -> Self {
        let boosted = shape < 1.0;
        let d = if boosted { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Self {
            d,
            c: 1.0 / (9.0 * d).sqrt(),
            boost: if boosted { 1.0 / shape } else { 0.0 },
        }
    }

    /// Whether [`Gamma::draw`] draws this shape; if not, only [`Gamma::draw_ln`] does.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.boost <= 0.0
    }

    /// A number, for shapes of at least 1.
    #[inline]
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> f64 {
        loop {
            let x = normal(rng);
            let root = 1.0 + self.c * x;
            if root <= 0.0 {
                continue;
            }
            let cube = root * root * root;
            let u = open_unit(rng);
            let square = x * x;
            if u < 1.0 - 0.0331 * square * square || self.accepts(u, square, cube) {
                return self.d * cube;
            }
        }
    }

    /// What the squeeze does not decide, in one draw of ten.
    #[cold]
    fn accepts(&self, u: f64, square: f64, cube: f64) -> bool {
        ln(u) < 0.5 * square + self.d * (1.0 - cube + ln(cube))
    }

    /// The logarithm of a number, for every shape.
    pub(crate) fn draw_ln(&self, rng: &mut impl Rng) -> f64 {
        let plain = ln(self.draw(rng));
        if self.is_plain() {
            plain
        } else {
            plain + self.boost * ln(open_unit(rng))
        }
    }
}

/// The logarithm of a beta variable, from the gamma variables of successes and failures.
pub(crate) fn ln_beta([won, lost]: &[Gamma; 2], rng: &mut impl Rng) -> f64 {
    let (won, lost) = (won.draw_ln(rng), lost.draw_ln(rng));
    let larger = won.max(lost);
    won - larger - ln(exp(won - larger) + exp(lost - larger))
}

const fn ziggurat() -> ([f64; LAYERS + 1], [f64; LAYERS + 1]) {
    let (mut edges, mut densities) = ([0.0; LAYERS + 1], [1.0; LAYERS + 1]);
    let mut density = exp(-0.5 * TAIL * TAIL);
    // The lowest layer holds the tail: its edge is that of a rectangle of the same area.
    edges[0] = AREA / density;
    edges[1] = TAIL;
    densities[0] = 0.0;
    densities[1] = density;
    let mut layer = 2;
    while layer < LAYERS {
        density += AREA / edges[layer - 1];
        edges[layer] = sqrt_for_tables(-2.0 * ln(density));
        densities[layer] = density;
        layer += 1;
    }
    (edges, densities)
}

#[cfg(test)]
mod tests;
