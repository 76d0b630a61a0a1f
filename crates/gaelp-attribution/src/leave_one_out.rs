//! What each touch adds to the probability that its very path converts.

use serde::{Deserialize, Serialize};

use crate::columns::ids;
use crate::credit::grid;
use crate::groups::{Group, Groups};
use crate::{ChannelId, Code, FitError, Journey, Offset, PathTable, Weigh};

/// Leave-one-out credit on exact paths.
///
/// A touch weighs by how much more often its path converts than the path without it, and nothing
/// where that is less often. Where no touch adds anything, such as on a path never seen, the last
/// one has all the credit. None of this is causal: calibrate it with experiments.
///
/// It is its own sufficient statistic: models of parts of the journeys merge into that of all.
///
/// **Cost.** Fitting sorts the paths; a weight is one search among them.
/// **Source.** Google, *fractribution* (2020), with the value of repeated paths kept.
///
/// ```
/// use gaelp_attribution::{Journeys, LeaveOneOut, PathTable};
///
/// // Both channels convert half of their journeys, search alone a tenth, email alone none.
/// let journeys = Journeys::new(&[0_u8, 1, 0, 1], &[0_i32, 2, 3, 4], 2)?;
/// let table = PathTable::new(journeys, &[5, 1, 0], &[50, 10, 0], &[5, 9, 10])?;
/// let model = LeaveOneOut::fit(&table);
/// let earned = model.conversions();
/// assert!((earned[0] - (5.0 * 0.5 / 0.9 + 1.0)).abs() < 1e-12);
/// # Ok::<(), gaelp_attribution::ColumnError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaveOneOut {
    paths: Groups,
}

impl LeaveOneOut {
    /// The model of a table.
    pub fn fit<C: Code, O: Offset>(table: &PathTable<'_, C, O>) -> Self {
        let mut paths = Groups::new(table.journeys().channel_count());
        let mut key = Vec::new();
        for (path, outcome) in table.rows() {
            ids(path, &mut key);
            paths.add(&key, outcome);
        }
        Self { paths }
    }

    /// The model of the journeys of both.
    ///
    /// # Errors
    /// [`FitError::Different`] for other channels, [`FitError::Overflow`] for sums past 64 bits.
    pub fn merge(&self, other: &Self) -> Result<Self, FitError> {
        let paths = self.paths.merge(&other.paths)?;
        Ok(Self { paths })
    }

    /// The conversions that each channel earned, by number.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn conversions(&self) -> Vec<f64> {
        self.earned(|conversions, _| conversions as f64)
    }

    /// The value that each channel earned in micros, by number; for statistics.
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    pub fn values(&self) -> Vec<f64> {
        self.earned(|_, value| value as f64)
    }

    /// What touches of a path add, not yet normalised.
    fn gains(&self, path: &[ChannelId]) -> Vec<f64> {
        let rate = |path: &[ChannelId]| self.paths.get(path).map_or(0.0, Group::rate);
        let mut gains = vec![1.0; path.len()];
        if path.len() > 1 {
            let all = rate(path);
            let mut without = path[1..].to_vec();
            for left_out in 0..path.len() {
                // From the path without the touch before to the path without this one.
                if left_out > 0 {
                    without[left_out - 1] = path[left_out - 1];
                }
                gains[left_out] = (all - rate(&without)).max(0.0);
            }
        }
        if gains.iter().all(|&gain| gain <= 0.0)
            && let Some(last) = gains.last_mut()
        {
            *last = 1.0;
        }
        gains
    }

    fn earned(&self, figure: impl Fn(u64, i64) -> f64) -> Vec<f64> {
        let mut earned = vec![0.0; self.paths.channels()];
        for (path, group) in self.paths.iter() {
            if path.is_empty() || group.conversions == 0 {
                continue;
            }
            let gains = self.gains(path);
            let sum: f64 = gains.iter().sum();
            for (channel, gain) in path.iter().zip(gains) {
                let figure = figure(group.conversions, group.value);
                earned[channel.index()] += gain / sum * figure;
            }
        }
        earned
    }
}

impl Weigh for LeaveOneOut {
    fn weigh(&self, journey: &Journey<'_>, weights: &mut Vec<u64>) {
        grid(&self.gains(journey.channels()), weights);
    }
}
