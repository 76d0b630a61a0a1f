//! A million journeys out of integers, the same in every language.
//!
//! The draws are those of the synthetic set, version 1, that other packages are measured on:
//! every number is a hash of seed, field, journey and position.

/// The lengths of journeys in parts of 65,536: 1 + Poisson(3), from 1 touch to 14.
const LENGTHS: [u64; 14] = [
    3_263, 9_789, 14_683, 14_683, 11_012, 6_607, 3_304, 1_416, 531, 177, 53, 14, 3, 1,
];

/// Journeys in columns.
#[derive(Clone, Debug, Default)]
pub struct Synthetic {
    /// Where each journey begins in the columns of touches, and where the last one ends.
    pub offsets: Vec<u32>,
    /// The channel of every touch.
    pub channels: Vec<u8>,
    /// How long before the end of its journey each touch was, in seconds.
    pub before_end: Vec<i64>,
    /// 1 where the journey converted, else 0.
    pub conversions: Vec<i64>,
    /// What the conversion was worth, in micros.
    pub values: Vec<i64>,
    /// 1 where the journey did not convert, else 0.
    pub nulls: Vec<i64>,
}

impl Synthetic {
    /// So many journeys over so many channels.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "channels are fewer than 256, touches fewer than 2^32"
    )]
    pub fn generate(journeys: u64, channels: u8, seed: u64) -> Self {
        let count = u64::from(channels);
        let popular: Vec<u64> = (1..=count)
            .scan(0, |sum, rank| {
                *sum += 1_000_000 / rank;
                Some(*sum)
            })
            .collect();
        let all = popular.last().copied().unwrap_or(1);
        let mut out = Self {
            offsets: vec![0],
            ..Self::default()
        };
        for journey in 0..journeys {
            let draw = |field, position| hash(seed, field, journey, position);
            let length = length(draw(1, 0) >> 48);
            let drawn = |position| {
                let place = (draw(2, position) >> 16) % all;
                popular.partition_point(|&sum| sum <= place) as u64
            };
            let mut threshold = 1_000;
            for position in 0..length {
                let channel = match draw(3, position) >> 62 {
                    0 if position > 0 => drawn(position - 1),
                    1 if position > 0 => (drawn(position - 1) + 1) % count,
                    _ => drawn(position),
                };
                threshold += channel % 7 * 220;
                out.channels.push(channel as u8);
            }
            let mut before = 0;
            let begin = out.before_end.len();
            for position in (0..length).rev() {
                before += (draw(6, position) % 345_600).cast_signed();
                out.before_end.push(before);
            }
            out.before_end[begin..].reverse();
            let converted = draw(4, 0) >> 48 < threshold.min(30_000);
            let value = 5_000_000 + draw(5, 0) % 195_000_000;
            out.offsets.push(out.channels.len() as u32);
            out.conversions.push(i64::from(converted));
            out.values
                .push(if converted { value.cast_signed() } else { 0 });
            out.nulls.push(i64::from(!converted));
        }
        out
    }

    /// The paths as texts, such as `c03 > c00`.
    pub fn paths(&self) -> Vec<String> {
        let path = |pair: &[u32]| {
            let touches = &self.channels[pair[0] as usize..pair[1] as usize];
            let names: Vec<String> = touches.iter().map(|c| format!("c{c:02}")).collect();
            names.join(" > ")
        };
        self.offsets.windows(2).map(path).collect()
    }
}

fn length(share: u64) -> u64 {
    let mut sum = 0;
    let reached = LENGTHS.iter().take_while(|&&part| {
        sum += part;
        sum <= share
    });
    1 + reached.count() as u64
}

fn hash(seed: u64, field: u64, journey: u64, position: u64) -> u64 {
    let journey = mix(journey
        .wrapping_mul(0xD134_2543_DE82_EF95)
        .wrapping_add(seed));
    let place = mix(position.wrapping_add(field.wrapping_mul(0x0100_0000_01B3)));
    mix(journey ^ place)
}

fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures that the definition of the set gives.
    #[test]
    fn the_set_is_the_one_that_others_are_measured_on() {
        for (channels, seed, touches, conversions, value) in [
            (10, 42, 3_998_204, 38_219, 3_924_923_920_675_i64),
            (50, 43, 3_997_138, 45_482, 4_651_766_622_971),
        ] {
            let made = Synthetic::generate(1_000_000, channels, seed);
            assert_eq!(made.channels.len(), touches);
            assert_eq!(made.conversions.iter().sum::<i64>(), conversions);
            assert_eq!(made.values.iter().sum::<i64>(), value);
        }
    }
}
