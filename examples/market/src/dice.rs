//! Chance that depends on what is asked, not on when: the same seed, place and hour give the same
//! draw, in whatever order requests arrive.

/// A draw for a place: a number that is the same whenever it is asked for.
pub(crate) fn draw(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    for part in parts {
        for &byte in *part {
            state = mix(state ^ u64::from(byte));
        }
        // Parts of other lengths are other places.
        state = mix(state ^ 0xff51_afd7_ed55_8ccd);
    }
    mix(state)
}

/// A draw as millionths, 0 to 999,999.
pub(crate) fn ppm(draw: u64) -> i64 {
    let scaled = (u128::from(draw) * 1_000_000) >> 64;
    i64::try_from(scaled).unwrap_or(999_999)
}

/// A stream of draws, for chance that belongs to no place: what the network does to a request.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Millionths, 0 to 999,999.
    pub(crate) fn ppm(&mut self) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ppm(mix(self.0))
    }
}

/// `SplitMix64`'s finaliser (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
/// generators"): good enough for a simulation, and nothing here is a secret.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Dice, draw, mix, ppm};

    #[test]
    fn the_finaliser_is_the_published_one() {
        // The first outputs of SplitMix64 with seed 1234567, from the reference in C.
        let golden: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut state: u64 = 1_234_567;
        let mut next = || {
            state = state.wrapping_add(golden);
            mix(state)
        };
        assert_eq!(next(), 6_457_827_717_110_365_317);
        assert_eq!(next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn millionths_fill_their_range_evenly() {
        assert_eq!((ppm(0), ppm(u64::MAX)), (0, 999_999));
        let mut dice = Dice::new(3);
        let low = (0..10_000).filter(|_| dice.ppm() < 250_000).count();
        // Five standard deviations of a binomial with p = 1/4.
        assert!((2_284..=2_716).contains(&low), "{low}");
    }

    #[test]
    fn places_are_told_apart() {
        let places: [&[&[u8]]; 4] = [&[b"ab", b"c"], &[b"a", b"bc"], &[b"abc"], &[b"abc", b""]];
        for (i, one) in places.iter().enumerate() {
            for other in &places[i + 1..] {
                assert_ne!(draw(1, one), draw(1, other));
            }
            assert_ne!(draw(1, one), draw(2, one));
        }
    }
}
