//! Channels, by numbers instead of names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ChannelError;

/// A channel by its number in [`Channels`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ChannelId(u16);

impl ChannelId {
    /// A channel from its number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The number as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The names of channels, each with the number under which it is counted.
///
/// Numbers are given in the order of first use and never change. Serialised as the list of names.
///
/// **Cost.** A look-up is `O(log n)` comparisons of names; reading many paths goes through
/// [`PathReader`](crate::PathReader), which is several times faster.
///
/// ```
/// use gaelp_attribution::Channels;
///
/// let mut channels = Channels::default();
/// let search = channels.intern("search")?;
/// assert_eq!(channels.intern("email")?.get(), 1);
/// assert_eq!(channels.intern("search")?, search);
/// assert_eq!(channels.name(search), Some("search"));
/// # Ok::<(), gaelp_attribution::ChannelError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Arc<str>>", into = "Vec<Arc<str>>")]
pub struct Channels {
    names: Vec<Arc<str>>,
    ids: BTreeMap<Arc<str>, ChannelId>,
}

impl Channels {
    /// The most channels that numbers can tell apart.
    pub const MOST: usize = 1 << 16;

    /// The number of a name, a new one where it has none yet.
    ///
    /// # Errors
    /// [`ChannelError::TooMany`] where all [`Channels::MOST`] numbers are given out.
    pub fn intern(&mut self, name: &str) -> Result<ChannelId, ChannelError> {
        if let Some(&id) = self.ids.get(name) {
            return Ok(id);
        }
        let number = u16::try_from(self.names.len()).map_err(|_| ChannelError::TooMany)?;
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.ids.insert(name, ChannelId(number));
        Ok(ChannelId(number))
    }

    /// The number of a name that has one.
    pub fn id(&self, name: &str) -> Option<ChannelId> {
        self.ids.get(name).copied()
    }

    /// The name of a number that was given out.
    pub fn name(&self, id: ChannelId) -> Option<&str> {
        self.names.get(id.index()).map(|name| &**name)
    }

    /// How many channels there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names by number.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}

impl TryFrom<Vec<Arc<str>>> for Channels {
    type Error = ChannelError;

    fn try_from(names: Vec<Arc<str>>) -> Result<Self, Self::Error> {
        let mut channels = Self::default();
        for name in names {
            let next = channels.len();
            if channels.intern(&name)?.index() != next {
                return Err(ChannelError::Duplicate { name });
            }
        }
        Ok(channels)
    }
}

impl From<Channels> for Vec<Arc<str>> {
    fn from(channels: Channels) -> Self {
        channels.names
    }
}

/// Some of the channels, such as those that count as direct traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<ChannelId>", into = "Vec<ChannelId>")]
pub struct ChannelSet {
    /// A bit for each channel, by number.
    bits: Vec<u64>,
}

impl ChannelSet {
    /// Whether the channel is one of them.
    pub fn contains(&self, channel: ChannelId) -> bool {
        let word = self.bits.get(channel.index() / 64);
        word.is_some_and(|word| word >> (channel.get() % 64) & 1 == 1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// The channels by number.
    pub fn iter(&self) -> impl Iterator<Item = ChannelId> {
        let last = u16::try_from(self.bits.len() * 64).unwrap_or(u16::MAX);
        (0..=last)
            .map(ChannelId)
            .filter(|&channel| self.contains(channel))
    }
}

impl FromIterator<ChannelId> for ChannelSet {
    fn from_iter<I: IntoIterator<Item = ChannelId>>(channels: I) -> Self {
        let mut bits = Vec::new();
        for channel in channels {
            let word = channel.index() / 64;
            if bits.len() <= word {
                bits.resize(word + 1, 0_u64);
            }
            bits[word] |= 1 << (channel.get() % 64);
        }
        Self { bits }
    }
}

impl From<Vec<ChannelId>> for ChannelSet {
    fn from(channels: Vec<ChannelId>) -> Self {
        channels.into_iter().collect()
    }
}

impl From<ChannelSet> for Vec<ChannelId> {
    fn from(set: ChannelSet) -> Self {
        set.iter().collect()
    }
}
