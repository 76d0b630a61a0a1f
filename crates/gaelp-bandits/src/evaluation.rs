//! What another policy would have earned, from the log of the one that ran.
//!
//! A [`Log`] is columns of one value per decision: what the choice earned, the exact propensity that
//! was logged with it, and the probability with which the target policy would have made it. An
//! [`Estimator`] turns it into an [`Evaluation`], *if the log can carry one*: too small an effective
//! sample, a single row that decides, or weights whose mean is not 1 are a typed [`Refusal`] with all
//! figures, not a number that looks like any other.
//!
//! ```
//! use gaelp_bandits::evaluation::{
//!     Bootstrap, ConfidenceLevel, ConfidenceSequence, Estimator, EvaluationError, Log, Requirements,
//!     RewardRange,
//! };
//!
//! // 4000 decisions between two arms, the second chosen one time in four. It earns more.
//! let second = |row: u32| row % 4 == 3;
//! let rewards: Vec<f64> = (0..4000)
//!     .map(|row| f64::from(if second(row) { row % 8 == 3 } else { row % 5 == 0 }))
//!     .collect();
//! let logged: Vec<f64> = (0..4000).map(|row| if second(row) { 0.25 } else { 0.75 }).collect();
//! // What if the second were chosen nine times in ten?
//! let target: Vec<f64> = (0..4000).map(|row| if second(row) { 0.9 } else { 0.1 }).collect();
//!
//! let log = Log::new(&rewards, &logged, &target)?;
//! let answer = log.evaluate(Estimator::Snips, &Requirements::default())?;
//! assert!((answer.value() - (0.9 * 0.5 + 0.1 * 0.2)).abs() < 1e-9);
//!
//! let level = ConfidenceLevel::default();
//! let unit = RewardRange::UNIT;
//! let resampled = answer.bootstrap(&Bootstrap::default())?;
//! let bounded = log
//!     .evaluate(Estimator::Ips, &Requirements::default())?
//!     .empirical_bernstein(unit, Some(4.0), level)?;
//! let any_time = ConfidenceSequence::over(&log, unit, Some(4.0), level)?.interval()?;
//! for interval in [resampled, bounded, any_time] {
//!     assert!(interval.contains(0.47) && !interval.contains(0.3));
//! }
//!
//! // A log that says nothing of what is asked does not answer.
//! let never: Vec<f64> = vec![1e-6; 4000];
//! let log = Log::new(&rewards, &logged, &never)?;
//! let refused = log.evaluate(Estimator::Snips, &Requirements::default());
//! assert!(matches!(refused, Err(EvaluationError::Refused(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | To | use |
//! |---|---|
//! | read a log of decisions | [`Columns`] from choices, [`Log`] from columns, [`ActionRows`] from probabilities of all arms |
//! | estimate | [`Log::evaluate`] with an [`Estimator`] and [`Requirements`] |
//! | know how sure that is | [`Evaluation::standard_error`], [`Evaluation::bootstrap`], [`Evaluation::empirical_bernstein`] |
//! | watch it while rows come in | [`ConfidenceSequence`] |
//! | predict rewards without looking at them | [`cross_fit`] with [`ArmMeans`], [`Ridge`] or a [`RewardModel`] of one's own |
//! | evaluate a policy that learns | [`Replay`], over a log of even choices |
//! | weigh the positions of a slate | [`RankPropensities`] |

mod audit;
mod bootstrap;
mod column;
mod error;
mod estimator;
mod events;
mod interval;
mod log;
mod model;
mod ranks;
mod replay;
mod ridge;
mod rows;
mod sequence;
mod shrink;
mod sum;

pub use audit::{Diagnostics, Refusal, Requirements, Shortfall};
pub use bootstrap::Bootstrap;
pub use column::Column;
pub use error::{EvaluationError, IntervalError, LogError};
pub use estimator::{Estimator, Evaluation};
pub use events::Columns;
pub use interval::{ConfidenceLevel, Covers, Interval, RewardRange};
pub use log::Log;
pub use model::{
    ArmMeans, CrossFitError, Folds, ModelError, Observations, RewardModel, Training, cross_fit,
};
pub use ranks::{RankError, RankPropensities};
pub use replay::{Replay, ReplayError, Replayed};
pub use ridge::Ridge;
pub use rows::{ActionRows, Folded, Predictions};
pub use sequence::ConfidenceSequence;
