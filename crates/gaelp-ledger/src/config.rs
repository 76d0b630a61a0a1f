//! The settings, and what makes them valid.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use gaelp_core::{AccountZone, Micros, Platform, Ratio, UtcHour};
use serde::{Deserialize, Serialize};

/// The most money that is computed with: a billion major units. Whatever is larger is a mistake.
pub const MAX_AMOUNT: Micros = Micros::new(1_000_000_000_000_000);
/// The largest factor by which a platform may exceed a daily budget; one that the settings do not
/// name is counted with it.
pub const MAX_OVERDELIVERY: Ratio = Ratio::from_ppm(10_000_000);
/// The longest request lifetime, in seconds: a day.
pub const MAX_SECONDS: u32 = 24 * 3600;
/// The largest clock skew, in seconds: an hour. Whatever is larger is another date.
pub const MAX_CLOCK_SKEW_SECS: u32 = 3600;
/// The longest time for which a missing ad set may be counted, in seconds: thirty days.
pub const MAX_GONE_AFTER_SECS: u32 = 30 * 24 * 3600;
/// The most read-backs that may be asked for.
pub const MAX_READ_BACKS: u32 = 100;

/// Fifteen minutes: gateways and queues give up on a request long before.
const REQUEST_LIFETIME_SECS: u32 = 900;
/// What clocks that are kept by NTP stay within by far.
const CLOCK_SKEW_SECS: u32 = 30;
/// Three days: lists have holes for hours, and what is missing may spend all the same.
const GONE_AFTER_SECS: u32 = 72 * 3600;
/// One reading may come from a cache; two that began apart agree by chance only.
const READ_BACKS: u32 = 2;

/// The settings of a ledger; [`validate`](Self::validate) makes [`Limits`] of them.
///
/// **Units.** [`Micros`] are stored as integers (10.00 is `10000000`), [`Ratio`]s as decimal
/// numbers.
///
/// ```
/// use gaelp_core::{AccountZone, Platform, Ratio};
/// use gaelp_ledger::LedgerConfig;
///
/// let limits = LedgerConfig::new(AccountZone::UTC, "10".parse()?)
///     .with_platform(Platform::Meta, Ratio::try_from(1.75)?)
///     .with_platform(Platform::Google, Ratio::try_from(2.0)?)
///     .validate()?;
/// assert_eq!(limits.config().request_lifetime_secs, 900);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerConfig {
    /// The time zone of the account: its midnight begins a new day of spending.
    pub zone: AccountZone,
    /// The most that the account may be made to pay in a local day.
    pub daily_cap: Micros,
    /// The platforms, each with the factor by which a day's spend may exceed the highest daily
    /// budget of that day.
    pub overdelivery: BTreeMap<Platform, Ratio>,
    /// How many seconds after it was sent a write may still take effect. Default: 900. It is an
    /// assumption about the platforms and their networks, to be measured.
    #[serde(default = "request_lifetime_secs")]
    pub request_lifetime_secs: u32,
    /// How many seconds clocks may differ, or run back. Default: 30.
    #[serde(default = "clock_skew_secs")]
    pub clock_skew_secs: u32,
    /// How many equal readings settle what an answer did not. Default: 2.
    #[serde(default = "read_backs")]
    pub read_backs: u32,
    /// For how many seconds an ad set that no list names any more still counts at what it had.
    /// Default: three days. It is an assumption about the platforms' lists.
    #[serde(default = "gone_after_secs")]
    pub gone_after_secs: u32,
}

const fn request_lifetime_secs() -> u32 {
    REQUEST_LIFETIME_SECS
}

const fn clock_skew_secs() -> u32 {
    CLOCK_SKEW_SECS
}

const fn gone_after_secs() -> u32 {
    GONE_AFTER_SECS
}

const fn read_backs() -> u32 {
    READ_BACKS
}

impl LedgerConfig {
    /// The defaults for an account, with no platform yet.
    pub fn new(zone: AccountZone, daily_cap: Micros) -> Self {
        Self {
            zone,
            daily_cap,
            overdelivery: BTreeMap::new(),
            request_lifetime_secs: REQUEST_LIFETIME_SECS,
            clock_skew_secs: CLOCK_SKEW_SECS,
            read_backs: READ_BACKS,
            gone_after_secs: GONE_AFTER_SECS,
        }
    }

    /// With one more platform.
    #[must_use]
    pub fn with_platform(mut self, platform: Platform, overdelivery: Ratio) -> Self {
        self.overdelivery.insert(platform, overdelivery);
        self
    }

    /// The limits, if the settings are valid.
    ///
    /// # Errors
    /// [`LedgerConfigError`] with every violation.
    pub fn validate(self) -> Result<Limits, LedgerConfigError> {
        let violations = self.violations();
        if !violations.is_empty() {
            return Err(LedgerConfigError { violations });
        }
        let tz = self
            .zone
            .name()
            .parse()
            .expect("an AccountZone has the name of a time zone");
        Ok(Limits { config: self, tz })
    }

    fn violations(&self) -> Vec<LedgerViolation> {
        let mut found = Vec::new();
        if !(Micros::ZERO..=MAX_AMOUNT).contains(&self.daily_cap) {
            let value = self.daily_cap;
            found.push(LedgerViolation::DailyCap { value });
        }
        if self.overdelivery.is_empty() {
            found.push(LedgerViolation::NoPlatform);
        }
        for (platform, &value) in &self.overdelivery {
            if !(Ratio::ONE..=MAX_OVERDELIVERY).contains(&value) {
                let platform = platform.clone();
                found.push(LedgerViolation::Overdelivery { platform, value });
            }
        }
        for (setting, value, most) in [
            (
                "request_lifetime_secs",
                self.request_lifetime_secs,
                MAX_SECONDS,
            ),
            ("clock_skew_secs", self.clock_skew_secs, MAX_CLOCK_SKEW_SECS),
            ("gone_after_secs", self.gone_after_secs, MAX_GONE_AFTER_SECS),
        ] {
            if value > most {
                found.push(LedgerViolation::Seconds {
                    setting,
                    value,
                    most,
                });
            }
        }
        if !(1..=MAX_READ_BACKS).contains(&self.read_backs) {
            let value = self.read_backs;
            found.push(LedgerViolation::ReadBacks { value });
        }
        found
    }
}

/// Valid settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    config: LedgerConfig,
    tz: Tz,
}

impl Limits {
    /// The settings.
    pub fn config(&self) -> &LedgerConfig {
        &self.config
    }

    pub(crate) fn knows(&self, platform: &Platform) -> bool {
        self.config.overdelivery.contains_key(platform)
    }

    /// ω; the largest there is for a platform that an older log knew and the settings do not.
    pub(crate) fn overdelivery(&self, platform: &Platform) -> Ratio {
        let known = self.config.overdelivery.get(platform);
        known.copied().unwrap_or(MAX_OVERDELIVERY)
    }

    pub(crate) fn skew(&self) -> TimeDelta {
        TimeDelta::seconds(self.config.clock_skew_secs.into())
    }

    /// From when on a write that had to be sent by `not_after` can no longer take effect.
    pub(crate) fn quiet_after(&self, not_after: DateTime<Utc>) -> DateTime<Utc> {
        let lifetime = TimeDelta::seconds(self.config.request_lifetime_secs.into());
        not_after + lifetime + self.skew()
    }

    pub(crate) fn gone_after(&self) -> TimeDelta {
        TimeDelta::seconds(self.config.gone_after_secs.into())
    }

    /// The first and the last local date that it may be on the platforms' side when a clock of ours
    /// shows `at` and may be `behind`: the same, but around midnight.
    ///
    /// In half-hour zones an hour is keyed by the UTC hour in which it begins, so that its day
    /// begins up to an hour early for us: the last date counts from there.
    pub(crate) fn dates(&self, at: DateTime<Utc>, behind: TimeDelta) -> (NaiveDate, NaiveDate) {
        let early = (at - self.skew()).naive_utc();
        let first = self.tz.from_utc_datetime(&early).date_naive();
        let late = UtcHour::containing(at + self.skew() + behind);
        (first, self.config.zone.local(late).date.max(first))
    }
}

/// Settings that are not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger's settings are not valid: {}", list(.violations))]
#[non_exhaustive]
pub struct LedgerConfigError {
    /// All that is wrong with them.
    pub violations: Vec<LedgerViolation>,
}

fn list(violations: &[LedgerViolation]) -> String {
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerViolation {
    /// A cap below zero, or above all money that is computed with.
    #[error("daily_cap is {value}, not between 0 and {MAX_AMOUNT}")]
    DailyCap {
        /// The cap.
        value: Micros,
    },
    /// No platform is named.
    #[error("overdelivery names no platform")]
    NoPlatform,
    /// A factor below one, or implausibly large.
    #[error("overdelivery of {platform} is {value}, not between 1 and {MAX_OVERDELIVERY}")]
    Overdelivery {
        /// Which platform.
        platform: Platform,
        /// Its factor.
        value: Ratio,
    },
    /// A time that is too long.
    #[error("{setting} is {value}, above {most}")]
    Seconds {
        /// The name of the setting.
        setting: &'static str,
        /// Its value.
        value: u32,
        /// The largest there may be.
        most: u32,
    },
    /// No reading at all, or too many.
    #[error("read_backs is {value}, not between 1 and {MAX_READ_BACKS}")]
    ReadBacks {
        /// The number.
        value: u32,
    },
}
