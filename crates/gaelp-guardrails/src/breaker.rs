//! A circuit breaker: calls that keep failing are left out for a while.

use chrono::{DateTime, Utc};
use gaelp_core::Ratio;
use serde::{Deserialize, Serialize};

mod calls;
mod config;

use calls::Calls;
pub use config::BreakerConfig;

/// How a call to a platform ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// It did what was asked.
    Success,
    /// It failed: a server's error, a refused connection, a login that expired.
    Failure,
    /// Nobody knows, such as after a timeout. It counts as a failure.
    Unknown,
    /// The platform refused what was asked. It works, so this counts neither way.
    Rejected,
    /// The platform asks for fewer calls. This counts neither way.
    RateLimited,
}

/// Whether calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerPhase {
    /// Calls are made.
    Closed,
    /// No call is made.
    Open,
    /// A few calls are made, to see whether they succeed.
    HalfOpen,
}

/// A circuit breaker as a pure state machine: time comes in, state is plain data.
///
/// - *Closed → open*: so many failures in a row, or so large a share of enough calls within the
///   window.
/// - *Open → half-open*: by time.
/// - *Half-open → closed*: so many probes succeeded.
/// - *Half-open → open*: one failed, or they did not end within the timeout.
///
/// A probe's permit is given back by whatever outcome is recorded, and by the timeout where none
/// is, so it cannot stick in the half-open phase. Outcomes recorded while it is open belong to
/// calls from before, and count for nothing. A clock that goes back lengthens no phase beyond its
/// time, counted from there.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use gaelp_guardrails::{BreakerConfig, BreakerPhase, CallOutcome};
///
/// let mut breaker = BreakerConfig { consecutive: 2, ..BreakerConfig::default() }.validate()?;
/// let noon: DateTime<Utc> = "2026-11-20T12:00:00Z".parse()?;
/// assert!(breaker.permit(noon));
/// breaker.record(CallOutcome::Failure, noon);
/// assert_eq!(breaker.record(CallOutcome::Unknown, noon), BreakerPhase::Open);
/// assert!(!breaker.permit(noon));
/// // A quarter of an hour later, a few calls are tried.
/// let later: DateTime<Utc> = "2026-11-20T12:15:00Z".parse()?;
/// assert_eq!(breaker.phase(later), BreakerPhase::HalfOpen);
/// assert!(breaker.permit(later));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "config::Stored", into = "config::Stored")]
pub struct Breaker {
    config: BreakerConfig,
    state: BreakerState,
}

/// What a breaker remembers: plain data, stored as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerState {
    phase: Phase,
    calls: Calls,
}

/// The phase with what belongs to it; times are in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
enum Phase {
    Closed {
        failures_in_a_row: u32,
    },
    Open {
        since: i64,
    },
    HalfOpen {
        /// When the first of the calls under way began.
        since: i64,
        /// Permits given and not given back, with those that succeeded.
        permits: u32,
        successes: u32,
    },
}

impl Default for Phase {
    fn default() -> Self {
        Self::Closed {
            failures_in_a_row: 0,
        }
    }
}

impl Breaker {
    pub(crate) const fn new(config: BreakerConfig, state: BreakerState) -> Self {
        Self { config, state }
    }

    /// The settings.
    pub const fn config(&self) -> &BreakerConfig {
        &self.config
    }

    /// The phase at a moment.
    pub fn phase(&self, now: DateTime<Utc>) -> BreakerPhase {
        match self.settled(now.timestamp()) {
            Phase::Closed { .. } => BreakerPhase::Closed,
            Phase::Open { .. } => BreakerPhase::Open,
            Phase::HalfOpen { .. } => BreakerPhase::HalfOpen,
        }
    }

    /// Whether a call may be made now. Where it may, its outcome is to be [recorded](Self::record).
    #[must_use = "a call without a permit is not guarded"]
    pub fn permit(&mut self, now: DateTime<Utc>) -> bool {
        self.state.phase = self.settled(now.timestamp());
        match &mut self.state.phase {
            Phase::Closed { .. } => true,
            Phase::Open { .. } => false,
            Phase::HalfOpen {
                since,
                permits,
                successes,
            } => {
                let free = *permits < self.config.probes;
                if permits == successes {
                    // No call is under way: the time begins with this one.
                    *since = now.timestamp();
                }
                *permits += u32::from(free);
                free
            }
        }
    }

    /// Takes in how a call ended; the phase after that.
    pub fn record(&mut self, outcome: CallOutcome, now: DateTime<Utc>) -> BreakerPhase {
        let seconds = now.timestamp();
        self.state.phase = self.settled(seconds);
        match outcome {
            CallOutcome::Success => self.succeeded(seconds),
            CallOutcome::Failure | CallOutcome::Unknown => self.failed(seconds),
            CallOutcome::Rejected | CallOutcome::RateLimited => self.give_back(),
        }
        self.phase(now)
    }

    fn succeeded(&mut self, now: i64) {
        match &mut self.state.phase {
            Phase::Closed { failures_in_a_row } => {
                *failures_in_a_row = 0;
                self.state.calls.count(&self.config, now, false);
                self.open_by_ratio(now);
            }
            Phase::Open { .. } => {}
            Phase::HalfOpen {
                permits, successes, ..
            } => {
                // A probe that nobody asked a permit for is a probe as well.
                *permits = (*permits).max(*successes + 1);
                *successes += 1;
                if *successes >= self.config.probes {
                    self.state = BreakerState::default();
                }
            }
        }
    }

    fn failed(&mut self, now: i64) {
        match &mut self.state.phase {
            Phase::Closed { failures_in_a_row } => {
                *failures_in_a_row = failures_in_a_row.saturating_add(1);
                if *failures_in_a_row >= self.config.consecutive {
                    self.open(now);
                } else {
                    self.state.calls.count(&self.config, now, true);
                    self.open_by_ratio(now);
                }
            }
            Phase::Open { .. } => {}
            Phase::HalfOpen { .. } => self.open(now),
        }
    }

    fn give_back(&mut self) {
        if let Phase::HalfOpen {
            permits, successes, ..
        } = &mut self.state.phase
        {
            *permits = permits.saturating_sub(1).max(*successes);
        }
    }

    fn open_by_ratio(&mut self, now: i64) {
        let (calls, failures) = self.state.calls.within(&self.config, now);
        let share = u128::from(failures) * u128::from(Ratio::ONE.ppm().unsigned_abs());
        let bound = u128::from(calls) * u128::from(self.config.ratio.ppm().unsigned_abs());
        if calls >= u64::from(self.config.minimum_calls) && share >= bound {
            self.open(now);
        }
    }

    fn open(&mut self, now: i64) {
        self.state = BreakerState {
            phase: Phase::Open { since: now },
            calls: Calls::default(),
        };
    }

    /// The phase after what time alone changes.
    fn settled(&self, now: i64) -> Phase {
        let config = &self.config;
        match self.state.phase {
            closed @ Phase::Closed { .. } => closed,
            Phase::Open { since } => opened(config, since, now),
            Phase::HalfOpen {
                since,
                permits,
                successes,
            } => {
                let since = since.min(now);
                let end = since.saturating_add(config.half_open_timeout());
                // Only calls under way can fail to end.
                if permits > successes && now >= end {
                    opened(config, end, now)
                } else {
                    Phase::HalfOpen {
                        since,
                        permits,
                        successes,
                    }
                }
            }
        }
    }
}

/// The phase of a breaker that opened at a moment.
fn opened(config: &BreakerConfig, since: i64, now: i64) -> Phase {
    let since = since.min(now);
    if now.saturating_sub(since) >= config.open() {
        Phase::HalfOpen {
            since: now,
            permits: 0,
            successes: 0,
        }
    } else {
        Phase::Open { since }
    }
}
