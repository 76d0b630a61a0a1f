//! A journey, and what gives weights to its touches.

use crate::{ChannelId, ConversionKind, Timestamp};

/// The eligible touches of one conversion, oldest first.
///
/// **Shape.** `channels` has one entry per touch and at least one. `times` has as many, or none
/// where moments are not known; then all touches count as of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journey<'a> {
    channels: &'a [ChannelId],
    times: &'a [Timestamp],
    end: Timestamp,
    kind: ConversionKind,
}

impl<'a> Journey<'a> {
    /// A journey from its touches, and the moment and kind of the conversion; `None` for an
    /// empty one, and where the moments are neither as many as the channels nor missing.
    pub fn new(
        channels: &'a [ChannelId],
        times: &'a [Timestamp],
        end: Timestamp,
        kind: ConversionKind,
    ) -> Option<Self> {
        let shaped = times.is_empty() || times.len() == channels.len();
        (shaped && !channels.is_empty()).then_some(Self {
            channels,
            times,
            end,
            kind,
        })
    }

    /// A journey of which only the order is known; `None` for an empty one.
    pub fn of_channels(channels: &'a [ChannelId]) -> Option<Self> {
        Self::new(
            channels,
            &[],
            Timestamp::default(),
            ConversionKind::default(),
        )
    }

    /// The channel of every touch, oldest first.
    pub const fn channels(&self) -> &'a [ChannelId] {
        self.channels
    }

    /// The moment of every touch; empty where moments are not known.
    pub const fn times(&self) -> &'a [Timestamp] {
        self.times
    }

    /// When it ended in the conversion.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// What kind of conversion it led to.
    pub const fn kind(&self) -> ConversionKind {
        self.kind
    }

    /// How many touches it has, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a journey is never empty")]
    pub const fn len(&self) -> usize {
        self.channels.len()
    }
}

/// What says how much each touch of a journey deserves.
///
/// **For implementers.** Clear `weights`, then write one weight per touch, at least one of them
/// positive. The same journey must always give the same weights: batch and stream, and a
/// conversion and its refund, agree only then.
///
/// **For callers.** Pass the weights to [`Splitter`](crate::Splitter); it keeps the sum exact.
///
/// ```
/// use gaelp_attribution::{ChannelId, Journey, Model, Weigh};
///
/// let channels = [0, 1, 2].map(ChannelId::new);
/// let journey = Journey::of_channels(&channels).ok_or("empty")?;
/// let models: [Box<dyn Weigh>; 2] = [Box::new(Model::Linear), Box::new(Model::default())];
/// let mut weights = Vec::new();
/// models[0].weigh(&journey, &mut weights);
/// assert_eq!(weights, [1, 1, 1]);
/// # Ok::<(), &str>(())
/// ```
pub trait Weigh {
    /// Writes the weight of every touch.
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>);
}

impl<T: Weigh + ?Sized> Weigh for &T {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        (**self).weigh(journey, weights);
    }
}

impl<T: Weigh + ?Sized> Weigh for &mut T {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        (**self).weigh(journey, weights);
    }
}

impl<T: Weigh + ?Sized> Weigh for Box<T> {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        (**self).weigh(journey, weights);
    }
}
