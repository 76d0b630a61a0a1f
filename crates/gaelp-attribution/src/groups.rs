//! What came of journeys that have something in common: their path, or their set of channels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::columns::Outcome;
use crate::{ChannelId, FitError};

/// What came of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) conversions: u64,
    pub(crate) value: i64,
    pub(crate) nulls: u64,
}

impl Group {
    /// The share of journeys that converted, zero where there are none.
    pub(crate) fn rate(&self) -> f64 {
        rate(self.conversions, self.nulls)
    }
}

/// Groups by their channels; how those are ordered is the model's affair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct Groups {
    channels: usize,
    groups: BTreeMap<Box<[ChannelId]>, Group>,
}

/// The content of groups.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    channels: usize,
    groups: Vec<(Box<[ChannelId]>, Group)>,
}

impl Groups {
    /// No journeys yet, over so many channels.
    pub(crate) fn new(channels: usize) -> Self {
        Self {
            channels,
            groups: BTreeMap::new(),
        }
    }

    /// Adds a row to a group. The table makes sure that sums fit into 64 bits.
    pub(crate) fn add(&mut self, key: &[ChannelId], outcome: Outcome) {
        if let Some(group) = self.groups.get_mut(key) {
            group.conversions += outcome.conversions;
            group.value += outcome.value;
            group.nulls += outcome.nulls;
        } else {
            let group = Group {
                conversions: outcome.conversions,
                value: outcome.value,
                nulls: outcome.nulls,
            };
            self.groups.insert(key.into(), group);
        }
    }

    /// The groups of both.
    pub(crate) fn merge(&self, other: &Self) -> Result<Self, FitError> {
        if self.channels != other.channels {
            return Err(FitError::Different);
        }
        let mut both = self.clone();
        for (key, more) in &other.groups {
            let group = both.groups.entry(key.clone()).or_default();
            let sum = |a: u64, b: u64| a.checked_add(b).ok_or(FitError::Overflow);
            group.conversions = sum(group.conversions, more.conversions)?;
            group.nulls = sum(group.nulls, more.nulls)?;
            let value = group.value.checked_add(more.value);
            group.value = value.ok_or(FitError::Overflow)?;
        }
        both.checked()
    }

    /// How many channels there are.
    pub(crate) const fn channels(&self) -> usize {
        self.channels
    }

    /// What came of a group.
    pub(crate) fn get(&self, key: &[ChannelId]) -> Option<&Group> {
        self.groups.get(key)
    }

    /// All groups in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[ChannelId], &Group)> {
        self.groups.iter().map(|(key, group)| (&**key, group))
    }

    /// Makes sure that channels exist and that all sums fit.
    fn checked(self) -> Result<Self, FitError> {
        let (mut journeys, mut size) = (0_u64, 0_u64);
        for (key, group) in &self.groups {
            if key.iter().any(|channel| channel.index() >= self.channels) {
                return Err(FitError::NoModel);
            }
            journeys = journeys
                .checked_add(group.conversions)
                .and_then(|sum| sum.checked_add(group.nulls))
                .ok_or(FitError::Overflow)?;
            size = size
                .checked_add(group.value.unsigned_abs())
                .ok_or(FitError::Overflow)?;
        }
        i64::try_from(size).map_err(|_| FitError::Overflow)?;
        Ok(self)
    }
}

impl TryFrom<Stored> for Groups {
    type Error = FitError;

    fn try_from(stored: Stored) -> Result<Self, FitError> {
        if !stored.groups.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(FitError::NoModel);
        }
        let groups = stored.groups.into_iter().collect();
        let channels = stored.channels;
        Self { channels, groups }.checked()
    }
}

impl From<Groups> for Stored {
    fn from(groups: Groups) -> Self {
        Self {
            channels: groups.channels,
            groups: groups.groups.into_iter().collect(),
        }
    }
}

/// A share of journeys, zero of none.
#[expect(clippy::cast_precision_loss, reason = "statistics")]
pub(crate) fn rate(conversions: u64, nulls: u64) -> f64 {
    if conversions == 0 {
        return 0.0;
    }
    conversions as f64 / (conversions as f64 + nulls as f64)
}
