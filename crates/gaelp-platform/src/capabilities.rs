//! What differs from platform to platform, as data.

pub mod presets;

use std::num::NonZeroU32;
use std::ops::Deref;

use gaelp_core::{AccountZone, Currency, Micros, Platform, Ratio, Rounding};
use serde::{Deserialize, Serialize};

/// The longest reporting delay that is not taken for a mistake: four weeks, the longest time after
/// which a platform is known to correct a report.
pub const MAX_REPORTING_DELAY_HOURS: u32 = 28 * 24;
/// The largest overdelivery that is not taken for a mistake. The largest known is 2.
pub const MAX_OVERDELIVERY: Ratio = Ratio::from_ppm(10_000_000);

/// Whether a platform's hourly report tells of conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HourlyConversions {
    /// Conversions and their value stand in the hourly rows.
    Reported,
    /// The hourly rows leave out some or all conversions: their zero says nothing. Hourly revenue
    /// must come from the shop.
    Omitted,
}

/// What an account can do, as it is written in a configuration file. [`Capabilities`] is its
/// checked form.
///
/// There is no `Default`: an account has a currency and a zone that nobody can guess. The presets
/// [`meta`](Self::meta), [`google`](Self::google) and [`tiktok`](Self::tiktok) fill in the rest
/// with documented figures; every one of them can be changed.
///
/// ```
/// use gaelp_core::{AccountZone, Currency};
/// use gaelp_platform::{Capabilities, CapabilitiesConfig};
///
/// let zone: AccountZone = "America/New_York".parse()?;
/// let mut config = CapabilitiesConfig::meta(Currency::USD, zone);
/// config.minimum_daily_budget = "5".parse()?; // this account pays for clicks
/// let capabilities = Capabilities::try_from(config)?;
/// assert_eq!(capabilities.worst_case_day_spend("10".parse()?), Some("17.50".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CapabilitiesConfig {
    /// Which platform.
    pub platform: Platform,
    /// The account's currency: every amount of the account is in it.
    pub currency: Currency,
    /// The account's time zone: the day of a daily budget is a day of this zone.
    pub zone: AccountZone,
    /// ω: the largest multiple of the day's highest daily budget that may be spent in that day.
    /// At least 1.
    pub overdelivery: Ratio,
    /// The step of budgets: a daily budget is a multiple of it. Above zero.
    pub budget_quantum: Micros,
    /// The smallest daily budget that is accepted: a multiple of the quantum, above zero.
    pub minimum_daily_budget: Micros,
    /// How many budget edits of one ad set are accepted in an hour; `None` for no known limit.
    pub edits_per_hour: Option<NonZeroU32>,
    /// How many hours after its end an hour's figures are final as far as the platform knows.
    pub reporting_delay_hours: u32,
    /// Whether the hourly report tells of conversions.
    pub hourly_conversions: HourlyConversions,
}

/// What an account can do, checked: the quantum is above zero, the minimum a multiple of it, and
/// the overdelivery at least 1.
///
/// The fields of [`CapabilitiesConfig`] can be read on it, not written.
///
/// ```
/// use gaelp_core::{AccountZone, Currency, Micros};
/// use gaelp_platform::{Capabilities, CapabilitiesError, HourlyConversions};
///
/// let google = Capabilities::google(Currency::EUR, AccountZone::UTC);
/// assert_eq!(google.budget_quantum, Micros::new(10_000));
/// assert_eq!(google.accept("9.999".parse()?)?, "9.99".parse()?);
///
/// // Every violation is reported, not only the first.
/// let wrong = google.with(|config| {
///     config.budget_quantum = Micros::ZERO;
///     config.reporting_delay_hours = 10_000;
/// });
/// assert!(matches!(wrong, Err(CapabilitiesError { violations, .. }) if violations.len() == 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CapabilitiesConfig", into = "CapabilitiesConfig")]
pub struct Capabilities(CapabilitiesConfig);

impl Capabilities {
    /// A copy with some fields changed, checked again.
    ///
    /// # Errors
    /// [`CapabilitiesError`] with every violation.
    pub fn with(
        &self,
        change: impl FnOnce(&mut CapabilitiesConfig),
    ) -> Result<Self, CapabilitiesError> {
        let mut config = self.0.clone();
        change(&mut config);
        config.try_into()
    }

    /// The most that may be spent in a day under a daily budget, rounded up: the budget times the
    /// overdelivery. `None` past the range of money or for a negative budget.
    ///
    /// Where the budget changed during the day, it is the day's *highest* that counts: a decrease
    /// does not take back what a platform may already have spent.
    ///
    /// ```
    /// # use gaelp_core::{AccountZone, Currency, Micros};
    /// # use gaelp_platform::Capabilities;
    /// let tiktok = Capabilities::tiktok(Currency::USD, AccountZone::UTC);
    /// assert_eq!(tiktok.worst_case_day_spend("20".parse()?), Some("25".parse()?));
    /// assert_eq!(tiktok.worst_case_day_spend(Micros::MAX), None);
    /// # Ok::<(), gaelp_core::ParseMoneyError>(())
    /// ```
    pub fn worst_case_day_spend(&self, daily_budget: Micros) -> Option<Micros> {
        if daily_budget.is_negative() {
            return None;
        }
        daily_budget.checked_scale(self.0.overdelivery, Rounding::Up)
    }

    /// The largest budget that the platform takes and that is not above `daily_budget`.
    ///
    /// # Errors
    /// [`BudgetError::BelowMinimum`] where there is none.
    pub fn accept(&self, daily_budget: Micros) -> Result<Micros, BudgetError> {
        daily_budget
            .floor_to(self.0.budget_quantum)
            .filter(|&budget| budget >= self.0.minimum_daily_budget)
            .ok_or(BudgetError::BelowMinimum {
                asked: daily_budget,
                minimum: self.0.minimum_daily_budget,
            })
    }

    /// Whether the platform takes exactly this budget.
    ///
    /// # Errors
    /// [`BudgetError`] where it does not.
    ///
    /// ```
    /// # use gaelp_core::{AccountZone, Currency, Micros};
    /// # use gaelp_platform::{BudgetError, Capabilities};
    /// let meta = Capabilities::meta(Currency::USD, AccountZone::UTC);
    /// assert_eq!(meta.check("2.50".parse()?), Ok(()));
    /// let (asked, quantum) = (Micros::new(2_505_000), Micros::new(10_000));
    /// assert_eq!(meta.check(asked), Err(BudgetError::OffQuantum { asked, quantum }));
    /// # Ok::<(), gaelp_core::ParseMoneyError>(())
    /// ```
    pub fn check(&self, daily_budget: Micros) -> Result<(), BudgetError> {
        if self.accept(daily_budget)? == daily_budget {
            Ok(())
        } else {
            Err(BudgetError::OffQuantum {
                asked: daily_budget,
                quantum: self.0.budget_quantum,
            })
        }
    }
}

impl Deref for Capabilities {
    type Target = CapabilitiesConfig;

    fn deref(&self) -> &CapabilitiesConfig {
        &self.0
    }
}

impl TryFrom<CapabilitiesConfig> for Capabilities {
    type Error = CapabilitiesError;

    fn try_from(config: CapabilitiesConfig) -> Result<Self, CapabilitiesError> {
        let violations = config.violations();
        if violations.is_empty() {
            Ok(Self(config))
        } else {
            Err(CapabilitiesError { violations })
        }
    }
}

impl From<Capabilities> for CapabilitiesConfig {
    fn from(capabilities: Capabilities) -> Self {
        capabilities.0
    }
}

impl CapabilitiesConfig {
    /// The checked form.
    ///
    /// # Errors
    /// [`CapabilitiesError`] with every violation.
    pub fn validate(self) -> Result<Capabilities, CapabilitiesError> {
        self.try_into()
    }

    fn violations(&self) -> Vec<CapabilitiesViolation> {
        let (quantum, minimum) = (self.budget_quantum, self.minimum_daily_budget);
        let mut found = Vec::new();
        if !(Ratio::ONE..=MAX_OVERDELIVERY).contains(&self.overdelivery) {
            found.push(CapabilitiesViolation::Overdelivery {
                value: self.overdelivery,
            });
        }
        if quantum <= Micros::ZERO {
            found.push(CapabilitiesViolation::Quantum { value: quantum });
        }
        if minimum <= Micros::ZERO {
            found.push(CapabilitiesViolation::Minimum { value: minimum });
        } else if minimum
            .floor_to(quantum)
            .is_some_and(|floor| floor != minimum)
        {
            found.push(CapabilitiesViolation::MinimumOffQuantum { minimum, quantum });
        }
        if self.reporting_delay_hours > MAX_REPORTING_DELAY_HOURS {
            found.push(CapabilitiesViolation::ReportingDelay {
                value: self.reporting_delay_hours,
            });
        }
        found
    }
}

/// A configuration that no platform can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the capabilities are not valid: {}", list(.violations))]
#[non_exhaustive]
pub struct CapabilitiesError {
    /// Everything that is wrong with it.
    pub violations: Vec<CapabilitiesViolation>,
}

fn list(violations: &[CapabilitiesViolation]) -> String {
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilitiesViolation {
    /// An overdelivery out of range.
    #[error("overdelivery is {value}, not between 1 and {MAX_OVERDELIVERY}")]
    Overdelivery {
        /// Its value.
        value: Ratio,
    },
    /// A quantum that is not above zero.
    #[error("budget_quantum is {value}, not above 0")]
    Quantum {
        /// Its value.
        value: Micros,
    },
    /// A minimum that is not above zero.
    #[error("minimum_daily_budget is {value}, not above 0")]
    Minimum {
        /// Its value.
        value: Micros,
    },
    /// A minimum that could not itself be a budget.
    #[error("minimum_daily_budget is {minimum}, not a multiple of budget_quantum, {quantum}")]
    MinimumOffQuantum {
        /// The minimum.
        minimum: Micros,
        /// The quantum.
        quantum: Micros,
    },
    /// A delay that is too long to be meant.
    #[error("reporting_delay_hours is {value}, above {MAX_REPORTING_DELAY_HOURS}")]
    ReportingDelay {
        /// Its value.
        value: u32,
    },
}

/// A daily budget that a platform does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// It is too small.
    #[error("a daily budget of {asked} is below the minimum of {minimum}")]
    BelowMinimum {
        /// What was asked for.
        asked: Micros,
        /// The smallest that is taken.
        minimum: Micros,
    },
    /// It is not a multiple of the quantum.
    #[error("a daily budget of {asked} is not a multiple of {quantum}")]
    OffQuantum {
        /// What was asked for.
        asked: Micros,
        /// The step of budgets.
        quantum: Micros,
    },
}

#[cfg(test)]
mod tests;
