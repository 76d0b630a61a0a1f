//! A log as columns, checked once.

use super::audit::Diagnostics;
use super::column::{Column, Extent, LARGEST, check_length};
use super::error::LogError;
use super::shrink::Shrink;

/// Rows per block while a log is checked: its columns' parts stay in the nearest cache.
const BLOCK: usize = 1024;

/// A log of decisions as columns of one value per row, checked.
///
/// A row is one decision of the logging policy: what its choice earned, with what probability it
/// chose so, and with what probability the target policy would have. A slate of several positions
/// is one row per position, with the probabilities of that arm at that position.
///
/// **Shape**: n values per column; no matrix over arms. Where the target policy's probabilities of
/// all arms are at hand, [`ActionRows`](super::ActionRows) folds them into columns.
///
/// **Numerics**: every sum over rows is taken in fixed point, 81 bits below a bound on its terms, so
/// the order of the rows and how they are cut into chunks make no difference, to the last bit.
///
/// ```
/// use gaelp_bandits::evaluation::{Estimator, Log, LogError, Requirements};
///
/// let rewards = [1.0, 0.0, 1.0, 0.0];
/// let logged = [0.5, 0.5, 0.25, 0.25];
/// let target = [0.4, 0.4, 0.4, 0.2];
/// let log = Log::new(&rewards, &logged, &target)?;
/// assert_eq!(log.diagnostics().rows, 4);
///
/// // A row with a propensity of zero could not have been logged.
/// let wrong = Log::new(&rewards, &[0.5, 0.5, 0.0, 0.25], &target).unwrap_err();
/// assert!(matches!(wrong, LogError::Value { row: 2, .. }));
/// # Ok::<(), LogError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Log<'a> {
    pub(crate) rewards: &'a [f64],
    pub(crate) logged: &'a [f64],
    pub(crate) target: &'a [f64],
    pub(crate) model: Option<Model<'a>>,
    pub(crate) reward_extent: Extent,
    pub(crate) weight_extent: Extent,
    diagnostics: Diagnostics,
}

/// A reward model's columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model<'a> {
    pub(crate) predicted: &'a [f64],
    pub(crate) direct: &'a [f64],
    pub(crate) predicted_extent: Extent,
    pub(crate) direct_extent: Extent,
}

impl<'a> Log<'a> {
    /// A log of rewards, the logging policy's propensities of the chosen arms, and the target
    /// policy's probabilities of the same arms, which may be zero.
    ///
    /// **Cost**: O(n) time; nothing is copied.
    ///
    /// # Errors
    /// [`LogError`] for no rows, columns of different lengths, and values that may not stand where
    /// they do, with the first such row.
    pub fn new(rewards: &'a [f64], logged: &'a [f64], target: &'a [f64]) -> Result<Self, LogError> {
        let rows = rewards.len();
        if rows == 0 {
            return Err(LogError::Empty);
        }
        check_length(Column::Logged, logged.len(), rows)?;
        check_length(Column::Target, target.len(), rows)?;
        let (mut reward_extent, mut weight_extent) = (Extent::new(), Extent::new());
        let (mut logged_extent, mut target_extent) = (Extent::new(), Extent::new());
        let blocks = rewards
            .chunks(BLOCK)
            .zip(logged.chunks(BLOCK))
            .zip(target.chunks(BLOCK));
        let mut room = [0.0; BLOCK];
        for ((rewards, logged), target) in blocks {
            reward_extent.take(rewards);
            logged_extent.take(logged);
            target_extent.take(target);
            let weights = &mut room[..rewards.len()];
            for ((weight, target), logged) in weights.iter_mut().zip(target).zip(logged) {
                *weight = target / logged;
            }
            weight_extent.take(weights);
        }
        reward_extent.check(Column::Reward, rewards, 1)?;
        logged_extent.check(Column::Logged, logged, 1)?;
        target_extent.check(Column::Target, target, 1)?;
        check_weights(logged, target, &weight_extent)?;
        let diagnostics = Diagnostics::of(target, logged, Shrink::NONE, weight_extent.most());
        Ok(Self {
            rewards,
            logged,
            target,
            model: None,
            reward_extent,
            weight_extent,
            diagnostics,
        })
    }

    /// The same log with a reward model's predictions: for the chosen arm, and in the mean over the
    /// target policy's choices, Σₐ π(a) q̂(a).
    ///
    /// The predictions of a row must not come from a model that was fitted to that row: see
    /// [`cross_fit`](super::cross_fit).
    ///
    /// **Cost**: O(n).
    ///
    /// # Errors
    /// [`LogError`] for columns of another length than the log, and numbers that are not finite or
    /// beyond ±1e50, with the first such row.
    pub fn with_model(mut self, predicted: &'a [f64], direct: &'a [f64]) -> Result<Self, LogError> {
        check_length(Column::Predicted, predicted.len(), self.rows())?;
        check_length(Column::Direct, direct.len(), self.rows())?;
        let (predicted_extent, direct_extent) = (Extent::of(predicted), Extent::of(direct));
        predicted_extent.check(Column::Predicted, predicted, 1)?;
        direct_extent.check(Column::Direct, direct, 1)?;
        self.model = Some(Model {
            predicted,
            direct,
            predicted_extent,
            direct_extent,
        });
        Ok(self)
    }

    /// How many rows it has: at least one.
    pub fn rows(&self) -> usize {
        self.rewards.len()
    }

    /// How much the weights can carry, before any clipping or shrinking.
    pub const fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// The importance weights, target ÷ logged, by row.
    pub fn weights(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        let rows = self.target.iter().zip(self.logged);
        rows.map(|(target, logged)| target / logged)
    }

    /// The rewards, by row.
    pub const fn rewards(&self) -> &'a [f64] {
        self.rewards
    }
}

fn check_weights(logged: &[f64], target: &[f64], extent: &Extent) -> Result<(), LogError> {
    if extent.most() <= LARGEST {
        return Ok(());
    }
    // Propensities are sound here, so that a weight can be large but not NaN.
    let mut rows = target.iter().zip(logged);
    let row = rows.position(|(target, logged)| target / logged > LARGEST);
    let row = row.unwrap_or(0);
    Err(LogError::Weight {
        row,
        target: target[row],
        logged: logged[row],
    })
}
