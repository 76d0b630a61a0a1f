//! What is known of lags, by channel.

use serde::{Deserialize, Serialize};

use super::{Durations, Ever, LagError, LagFamily, LagModel, Observation};
use crate::{ChannelId, Span};

/// How long touches took to convert, and how long the others have waited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LagCounts {
    /// From the touch to its first conversion.
    pub converted: Durations,
    /// For how long the touch has been watched in vain, at most its window.
    pub waiting: Durations,
}

impl LagCounts {
    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        self.converted.merge(&other.converted);
        self.waiting.merge(&other.waiting);
    }

    /// The model that explains the counts best. See [`LagModel::fit`].
    ///
    /// # Errors
    /// As [`LagModel::fit`].
    pub fn fit(&self, family: LagFamily, ever: Ever) -> Result<LagModel, LagError> {
        let converted = self.converted.iter().map(|cell| (cell, true));
        let waiting = self.waiting.iter().map(|cell| (cell, false));
        let observations: Vec<Observation> = converted
            .chain(waiting)
            .map(|((span, count), converted)| Observation {
                span,
                count,
                converted,
            })
            .collect();
        LagModel::fit(family, ever, &observations)
    }
}

/// Lags by channel. Tables of machines that share the users merge by adding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LagTable {
    channels: Vec<LagCounts>,
}

impl LagTable {
    /// Counts a touch that has converted.
    pub fn converted(&mut self, channel: ChannelId, lag: Span) {
        self.at(channel).converted.add(lag);
    }

    /// Counts a touch that has not.
    pub fn waiting(&mut self, channel: ChannelId, age: Span) {
        self.at(channel).waiting.add(age);
    }

    /// The lags of a channel; `None` where it has none.
    pub fn channel(&self, channel: ChannelId) -> Option<&LagCounts> {
        self.channels.get(channel.index())
    }

    /// The lags of all channels together: for channels that have too few of their own.
    pub fn pooled(&self) -> LagCounts {
        let mut all = LagCounts::default();
        for counts in &self.channels {
            all.merge(counts);
        }
        all
    }

    /// Adds another table.
    pub fn merge(&mut self, other: &Self) {
        if self.channels.len() < other.channels.len() {
            self.channels
                .resize_with(other.channels.len(), LagCounts::default);
        }
        for (mine, theirs) in self.channels.iter_mut().zip(&other.channels) {
            mine.merge(theirs);
        }
    }

    pub(crate) fn rows(&self) -> &[LagCounts] {
        &self.channels
    }

    pub(crate) fn from_rows(channels: Vec<LagCounts>) -> Self {
        Self { channels }
    }

    fn at(&mut self, channel: ChannelId) -> &mut LagCounts {
        if self.channels.len() <= channel.index() {
            self.channels
                .resize_with(channel.index() + 1, LagCounts::default);
        }
        &mut self.channels[channel.index()]
    }
}
