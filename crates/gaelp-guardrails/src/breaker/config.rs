//! The settings of a breaker.

use gaelp_core::{Operand, Ratio};
use serde::{Deserialize, Serialize};

use super::calls::PARTS;
use super::{Breaker, BreakerState};
use crate::{ConfigViolation, ConfigViolations};

/// A platform that fails ten times on end is down.
const CONSECUTIVE: u32 = 10;
/// Every other call.
const RATIO: Ratio = Ratio::from_ppm(500_000);
/// Fewer calls have no share worth the name.
const MINIMUM_CALLS: u32 = 20;
/// The window of the ratio.
const WINDOW_MINUTES: u32 = 60;
/// Most outages are over by then, and an hourly loop has not lost a turn.
const OPEN_MINUTES: u32 = 15;
/// Longer than any call lasts.
const HALF_OPEN_TIMEOUT_MINUTES: u32 = 10;
/// One success may be luck.
const PROBES: u32 = 3;
/// A week.
const MAX_MINUTES: u32 = 7 * 24 * 60;
/// More calls than an account's quota holds.
const MAX_CALLS: u32 = 1_000_000;
const SECONDS: i64 = 60;

/// The settings of a [`Breaker`]; [`validate`](Self::validate) makes one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// How many failures in a row open it. Default 10.
    pub consecutive: u32,
    /// The share of failures among the calls of the window that opens it. Default 0.5.
    pub ratio: Ratio,
    /// How many calls the window must hold for that. Default 20.
    pub minimum_calls: u32,
    /// How long the window is, give or take a sixth. Default 60.
    pub window_minutes: u32,
    /// How long it stays open. Default 15.
    pub open_minutes: u32,
    /// How long the probes may take until it opens again. Default 10.
    pub half_open_timeout_minutes: u32,
    /// How many calls are tried at the same time while it is half-open, and must succeed for it to
    /// close. Default 3.
    pub probes: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            consecutive: CONSECUTIVE,
            ratio: RATIO,
            minimum_calls: MINIMUM_CALLS,
            window_minutes: WINDOW_MINUTES,
            open_minutes: OPEN_MINUTES,
            half_open_timeout_minutes: HALF_OPEN_TIMEOUT_MINUTES,
            probes: PROBES,
        }
    }
}

impl BreakerConfig {
    /// A closed breaker with these settings.
    ///
    /// # Errors
    /// [`ConfigViolations`] with everything that is wrong.
    pub fn validate(self) -> Result<Breaker, ConfigViolations> {
        let mut violations = Vec::new();
        let mut count = |field, value: u32, least: u32, most: u32| {
            if !(least..=most).contains(&value) {
                let count = |number: u32| Operand::Count(i64::from(number));
                violations.push(ConfigViolation::OutOfRange {
                    field,
                    value: count(value),
                    least: count(least),
                    most: count(most),
                });
            }
        };
        count("consecutive", self.consecutive, 1, MAX_CALLS);
        count("minimum_calls", self.minimum_calls, 1, MAX_CALLS);
        // The window is divided into whole minutes.
        let parts = u32::try_from(PARTS).unwrap_or(u32::MAX);
        count("window_minutes", self.window_minutes, parts, MAX_MINUTES);
        count("open_minutes", self.open_minutes, 1, MAX_MINUTES);
        let timeout = self.half_open_timeout_minutes;
        count("half_open_timeout_minutes", timeout, 1, MAX_MINUTES);
        count("probes", self.probes, 1, MAX_CALLS);
        let least = Ratio::from_ppm(1);
        if !(least..=Ratio::ONE).contains(&self.ratio) {
            violations.push(ConfigViolation::OutOfRange {
                field: "ratio",
                value: Operand::Ratio(self.ratio),
                least: Operand::Ratio(least),
                most: Operand::Ratio(Ratio::ONE),
            });
        }
        let breaker = Breaker::new(self, BreakerState::default());
        ConfigViolations::none_or(violations, breaker)
    }

    /// In seconds.
    pub(super) fn open(&self) -> i64 {
        i64::from(self.open_minutes) * SECONDS
    }

    /// In seconds.
    pub(super) fn half_open_timeout(&self) -> i64 {
        i64::from(self.half_open_timeout_minutes) * SECONDS
    }

    /// The length of a part of the window, in seconds.
    pub(super) fn part(&self) -> i64 {
        let parts = i64::try_from(PARTS).unwrap_or(i64::MAX);
        i64::from(self.window_minutes) * SECONDS / parts
    }
}

/// The stored form: restoring checks the settings.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    config: BreakerConfig,
    state: BreakerState,
}

impl From<Breaker> for Stored {
    fn from(breaker: Breaker) -> Self {
        let Breaker { config, state } = breaker;
        Self { config, state }
    }
}

impl TryFrom<Stored> for Breaker {
    type Error = ConfigViolations;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let state = stored.state;
        stored
            .config
            .validate()
            .map(|closed| Self { state, ..closed })
    }
}
