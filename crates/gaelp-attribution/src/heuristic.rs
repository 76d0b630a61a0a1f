//! The models that are rules of thumb.

use serde::{Deserialize, Serialize};

use crate::{ChannelSet, Journey, ModelError, Span, Weigh};

mod decay;

pub(crate) use decay::Decay;

/// A day: the touch of yesterday counts half of today's.
const HALF_LIFE: Span = Span::hours(24);

/// A rule of thumb for how much each touch of a journey deserves.
///
/// A journey of one touch gives it everything under every model.
///
/// ```
/// use gaelp_attribution::{ChannelId, Journey, Model, Splitter, Weigh};
/// use gaelp_core::Micros;
///
/// let channels = [0, 1, 1, 2].map(ChannelId::new);
/// let journey = Journey::of_channels(&channels).ok_or("empty")?;
/// let (mut weights, mut splitter) = (Vec::new(), Splitter::default());
/// Model::POSITION.weigh(&journey, &mut weights);
/// let parts = splitter.split(Micros::new(50_000_000), &weights)?;
/// assert_eq!(parts, [20_000_000, 5_000_000, 5_000_000, 20_000_000].map(Micros::new));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Model {
    /// Everything to the last touch.
    Last,
    /// Everything to the first touch.
    First,
    /// Everything to the last touch that is not direct; to the last one where all are.
    LastNonDirect {
        /// The channels of direct traffic.
        direct: ChannelSet,
    },
    /// The same to every touch.
    #[default]
    Linear,
    /// Half as much for every half-life that a touch is older than the newest one.
    ///
    /// The newest touch weighs 2³², others the whole part of 2³² · 2^(−age ÷ half-life). Ages from
    /// the conversion instead would give the same shares.
    TimeDecay {
        /// After which time a touch counts half, more than zero.
        half_life: Span,
    },
    /// Fixed shares to the first and the last touch, the rest to those between them.
    ///
    /// Two touches share in proportion to `first` and `last`, equally where both are zero.
    Position {
        /// The share of the first touch.
        first: u32,
        /// The share of all touches between, split equally.
        middle: u32,
        /// The share of the last touch.
        last: u32,
    },
    /// Weights by position, counted from either end.
    ///
    /// A touch that both lists name has the sum of both weights. Where all weights of a journey
    /// are zero, its touches share equally.
    Custom {
        /// The weights of the first touch, the second, and so on.
        from_first: Vec<u32>,
        /// The weights of the last touch, the one before it, and so on.
        from_last: Vec<u32>,
        /// The weight of every touch that neither list names.
        other: u32,
    },
}

impl Model {
    /// Time decay with a half-life of a day.
    pub const TIME_DECAY: Self = Self::TimeDecay {
        half_life: HALF_LIFE,
    };
    /// 40 per cent to the first touch, 40 to the last, 20 to the others.
    pub const POSITION: Self = Self::Position {
        first: 40,
        middle: 20,
        last: 40,
    };
    /// 20 per cent to the first touch, 60 to the last, 20 to the others.
    pub const J_SHAPE: Self = Self::Position {
        first: 20,
        middle: 20,
        last: 60,
    };
    /// 60 per cent to the first touch, 20 to the last, 20 to the others.
    pub const INVERSE_J: Self = Self::Position {
        first: 60,
        middle: 20,
        last: 20,
    };

    /// Checks the parameters. A model that fails still gives weights: those of a linear split for
    /// shares of zero, those of the last touch for a half-life of zero.
    ///
    /// # Errors
    /// [`ModelError`] where a half-life or all shares are zero.
    pub fn validate(&self) -> Result<(), ModelError> {
        match self {
            Self::TimeDecay { half_life } if *half_life == Span::ZERO => {
                Err(ModelError::NoHalfLife)
            }
            Self::Position {
                first: 0,
                middle: 0,
                last: 0,
            } => Err(ModelError::NoWeight),
            Self::Custom {
                from_first,
                from_last,
                other: 0,
            } if from_first
                .iter()
                .chain(from_last)
                .all(|&weight| weight == 0) =>
            {
                Err(ModelError::NoWeight)
            }
            _ => Ok(()),
        }
    }
}

impl Weigh for Model {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        let touches = journey.len();
        weights.clear();
        match self {
            Self::Last => only(touches - 1, touches, weights),
            Self::First => only(0, touches, weights),
            Self::LastNonDirect { direct } => {
                let mut channels = journey.channels().iter();
                let last = channels.rposition(|&channel| !direct.contains(channel));
                only(last.unwrap_or(touches - 1), touches, weights);
            }
            Self::Linear => weights.resize(touches, 1),
            Self::TimeDecay { half_life } => {
                let decay = Decay::new(*half_life);
                match journey.times() {
                    [] => weights.resize(touches, 1),
                    times @ [.., newest] => {
                        let age = |then| newest.since(then).unwrap_or(Span::ZERO);
                        weights.extend(times.iter().map(|&then| decay.weight(age(then))));
                    }
                }
            }
            &Self::Position {
                first,
                middle,
                last,
            } => weights.extend(positions(touches, [first, middle, last])),
            Self::Custom {
                from_first,
                from_last,
                other,
            } => custom(touches, from_first, from_last, *other, weights),
        }
    }
}

/// All weight to one touch.
fn only(index: usize, touches: usize, weights: &mut Vec<u64>) {
    weights.resize(touches, 0);
    weights[index] = 1;
}

/// Whole weights in proportion to the shares of the first, the middle and the last touches.
pub(crate) fn positions(touches: usize, shares: [u32; 3]) -> impl Iterator<Item = u64> {
    let [first, middle, last] = shares.map(u64::from);
    let between = touches.saturating_sub(2) as u64;
    let (first, middle, last) = match touches {
        1 => (1, 0, 0),
        2 if first + last == 0 => (1, 0, 1),
        2 => (first, 0, last),
        _ if first + middle + last == 0 => (1, 1, 1),
        _ => (
            first.saturating_mul(between),
            middle,
            last.saturating_mul(between),
        ),
    };
    (0..touches).map(move |index| match index {
        0 => first,
        _ if index + 1 == touches => last,
        _ => middle,
    })
}

/// Weights by position, counted from either end.
fn custom(
    touches: usize,
    from_first: &[u32],
    from_last: &[u32],
    other: u32,
    weights: &mut Vec<u64>,
) {
    weights.extend((0..touches).map(|index| {
        let forward = from_first.get(index);
        let backward = from_last.get(touches - 1 - index);
        match (forward, backward) {
            (None, None) => u64::from(other),
            (forward, backward) => {
                u64::from(*forward.unwrap_or(&0)) + u64::from(*backward.unwrap_or(&0))
            }
        }
    }));
    if weights.iter().all(|&weight| weight == 0) {
        weights.fill(1);
    }
}

#[cfg(test)]
mod tests;
