//! The settings, and what makes them valid.

use std::collections::{BTreeMap, BTreeSet};

use gaelp_core::{AdSetId, AudienceId, Micros, Platform, Quantity, Ratio, RuleId};
use serde::{Deserialize, Serialize};

use crate::{ConfigViolations, Guardrails, HourRange};

mod parts;
mod validate;

pub use parts::{OnFreeze, RaiseCaps, Taper};

/// The most money that is computed with: a billion major units. Whatever is larger is a mistake,
/// and sums of a year of it still fit into 64 bits.
pub(crate) const MAX_AMOUNT: Micros = Micros::new(1_000_000_000_000_000);
/// Ten units a day: a small budget, so that a forgotten setting costs little.
const DAILY_CAP: Micros = Micros::new(10_000_000);
/// With less an hour, platforms hardly deliver.
const HOURLY_FLOOR: Micros = Micros::new(500_000);
/// A fifth of the default day.
const HOURLY_CEILING: Micros = Micros::new(2_000_000);
/// Small enough that no single hour hurts.
const DELTA_MAX: Ratio = Ratio::from_ppm(100_000);
/// Ten per cent an hour alone would compound to 9.85 times a day.
const DELTA_MAX_24H: Ratio = Ratio::from_ppm(300_000);
/// When people shop.
const PEAK_HOURS: (u8, u8) = (18, 22);
/// Below this return, advertising loses money at common margins.
const FREEZE_ROAS_BELOW: Ratio = Ratio::from_ppm(1_500_000);
/// Half a day: long enough to see conversions, short enough to react on the same day.
const ROAS_WINDOW_HOURS: u32 = 12;
/// Four hours at the floor: below it, one order more or less decides everything.
const MINIMUM_WINDOW_SPEND: Micros = Micros::new(2_000_000);
/// One bad look may be a late report; two are believed.
const FREEZE_AFTER_EVALUATIONS: u32 = 2;
/// Half the window, so that a freeze is judged by hours that it has shaped.
const DWELL_HOURS: u32 = 6;
/// The delay that platforms document for their reports.
const MAX_DATA_AGE_HOURS: u32 = 3;
/// Nine of twelve hours: what is left when reports are three hours late.
const MIN_COVERAGE: Ratio = Ratio::from_ppm(750_000);
/// ln 1000: hours in which so many conversions were expected pass without any once in a thousand
/// times, where conversions come independently.
const MIN_EXPECTED_CONVERSIONS: Quantity = Quantity::from_millionths(6_907_756);
/// One order of a small shop: below it, a multiple of usual spend is noise.
const SPIKE_MINIMUM_SPEND: Micros = Micros::new(1_000_000);
/// Fewer than three weeks have no mean to speak of.
const SPIKE_MIN_WEEKS: u32 = 3;
/// As long as a freeze on results.
const EXTERNAL_EDIT_FREEZE_HOURS: u32 = 6;

/// The settings of the rules; [`validate`](Self::validate) makes [`Guardrails`] of them.
///
/// **Units.** [`Micros`] are stored as integers (10.00 is `10000000`), [`Ratio`]s as decimal
/// numbers, [`HourRange`]s as texts.
///
/// ```
/// use gaelp_guardrails::GuardrailConfig;
///
/// let config = GuardrailConfig {
///     daily_cap: "25.00".parse()?,
///     peak_hours: Some("17-23".parse()?),
///     ..GuardrailConfig::default()
/// };
/// let guardrails = config.validate()?;
/// assert_eq!(guardrails.config().hourly_ceiling, "2.00".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardrailConfig {
    /// The most that the account may spend in a local day. Default 10.00.
    pub daily_cap: Micros,
    /// The most that one ad set may spend in a local day; `None` for no such cap. Default `None`.
    pub ad_set_daily_cap: Option<Micros>,
    /// The most that one campaign may spend in a local day; `None` for no such cap. Default `None`.
    pub campaign_daily_cap: Option<Micros>,
    /// The most that a platform may spend in a local day, by platform. Default: no such cap.
    pub platform_daily_caps: BTreeMap<Platform, Micros>,
    /// By how much hourly rates may be raised within an hour. Default: by any amount.
    pub hourly_raise_caps: RaiseCaps,
    /// How the hourly ceiling shrinks as the day's target nears; `None` for not at all. Default
    /// `None`.
    pub taper: Option<Taper>,
    /// The most that explorations may put at risk in a local day; `None` for no such cap. Default
    /// `None`.
    pub exploration_daily_cap: Option<Micros>,
    /// The rate that proposals are raised to, and that an ad set may start with. Default 0.50.
    ///
    /// What runs below it is not raised to it, only kept from being lowered further.
    ///
    /// With a floor of zero, an ad set at zero stays there: no share of nothing is something.
    pub hourly_floor: Micros,
    /// The highest rate of an ad set. Default 2.00.
    pub hourly_ceiling: Micros,
    /// The lowest bid; `None` for no such bound. Default `None`.
    pub bid_floor: Option<Micros>,
    /// The highest bid; `None` for no such bound. Default `None`.
    pub bid_ceiling: Option<Micros>,
    /// The largest change from one hour to the next, up or down, as a share. Default 0.10.
    ///
    /// It applies to spans of one hour; longer ones know only
    /// [`delta_max_24h`](Self::delta_max_24h).
    pub delta_max: Ratio,
    /// The largest change within 24 hours, up or down, as a share. Default 0.30.
    pub delta_max_24h: Ratio,
    /// As [`delta_max`](Self::delta_max), of the rate ÷ the hour's share of the day's traffic;
    /// `None` for no such bound. Default `None`.
    pub delta_max_normalised: Option<Ratio>,
    /// As [`delta_max_24h`](Self::delta_max_24h), of the rate ÷ the share of the day's traffic;
    /// `None` for no such bound. Default `None`.
    pub delta_max_24h_normalised: Option<Ratio>,
    /// The local hours in which rates may be raised; `None` for all. Default `18-22`.
    ///
    /// It applies to spans of one hour: a whole day contains its peak.
    pub peak_hours: Option<HourRange>,
    /// The local hours in which no rate is raised, also within the peak; `None` for none of them.
    /// Default `None`.
    ///
    /// It applies to spans of one hour.
    pub restricted_hours: Option<HourRange>,
    /// The highest rate in the restricted hours; `None` for the rate that runs. Default `None`.
    pub restricted_ceiling: Option<Micros>,
    /// Raises stop where ROAS falls below; `None` for no such freeze. Default 1.5.
    pub freeze_roas_below: Option<Ratio>,
    /// They resume where ROAS is at least this; `None` for a tenth above the bound. Default `None`,
    /// which is 1.65 for the default bound.
    pub unfreeze_roas_at: Option<Ratio>,
    /// Over how many hours ROAS, CPA and the coverage of the data are taken. Default 12.
    pub roas_window_hours: u32,
    /// Raises stop where a conversion costs more; `None` for no such freeze. Default `None`.
    ///
    /// Without any conversion, the cost of the first one is at least what was spent.
    pub freeze_cpa_above: Option<Micros>,
    /// They resume where a conversion costs at most this; `None` for a tenth below the bound.
    /// Default `None`.
    pub unfreeze_cpa_at: Option<Micros>,
    /// Raises stop at once while a conversion costs more than this many times what it is
    /// [meant to](crate::Expected::cpa); `None` for no such bound. Default `None`.
    pub max_cpa_multiplier: Option<Ratio>,
    /// Raises stop after as many reported hours without a conversion; `None` for no such freeze.
    /// Default `None`: what it should be depends on how often conversions are expected.
    ///
    /// At one conversion an hour, seven hours without one happen by chance once in a thousand
    /// times; at one a day, a week does. Where it is known how many are expected, as many hours are
    /// waited for as [`min_expected_conversions`](Self::min_expected_conversions) asks for.
    pub freeze_without_conversion_hours: Option<u32>,
    /// Conversions expected per hour, where the [context](crate::Expected) does not know better;
    /// `None` where nobody knows. Default `None`.
    ///
    /// It makes too few hours without a conversion invalid settings.
    pub expected_conversions_per_hour: Option<Quantity>,
    /// How many conversions must have been expected in hours without one for that to mean
    /// anything. Default 6.907756, ln 1000: less than once in a thousand times by chance.
    pub min_expected_conversions: Quantity,
    /// Below this spend in the window, neither ROAS nor CPA nor missing conversions are judged.
    /// Default 2.00.
    pub minimum_window_spend: Micros,
    /// How many evaluations in a row must find ROAS or CPA bad before raises stop. Default 2.
    pub freeze_after_evaluations: u32,
    /// How many hours such a freeze, or a pause after a spike, lasts at least. Default 6.
    pub dwell_hours: u32,
    /// What is done where an hour's spend exceeds this many times the usual one of the same
    /// weekday and hour is [`on_spike`](Self::on_spike); `None` for nothing. Default `None`.
    pub max_spike: Option<Ratio>,
    /// An hour's spend below this is no spike. Default 1.00.
    pub spike_minimum_spend: Micros,
    /// With fewer weeks in the usual spend, nothing is compared with it. Default 3.
    pub spike_min_weeks: u32,
    /// How old the newest report may be before raises stop, in spans of the report: hours for
    /// hourly data, days for daily data. Default 3.
    pub max_data_age_hours: u32,
    /// The share of the window that must be reported, or raises stop. Default 0.75.
    pub min_coverage: Ratio,
    /// How many hours raises stop after somebody else changed the budget. Default 6.
    pub external_edit_freeze_hours: u32,
    /// How often the budget may be changed within an hour; `None` for any number. Default `None`.
    ///
    /// The last change is reserved for a decrease, so it is at least 2.
    pub max_edits_per_hour: Option<u32>,
    /// The ad sets that may be changed; `None` for all of them. Default `None`.
    pub canary: Option<BTreeSet<AdSetId>>,
    /// The ad sets that may not be changed, also where they are on the list above. Default: none.
    pub blocked: BTreeSet<AdSetId>,
    /// The audiences whose ad sets may be changed; `None` for all of them. Default `None`.
    pub canary_audiences: Option<BTreeSet<AudienceId>>,
    /// The audiences whose ad sets may not be changed. Default: none.
    pub blocked_audiences: BTreeSet<AudienceId>,
    /// What happens to what runs where raises are frozen because of results, by the operator or in
    /// an emergency. Default: it is held.
    pub on_freeze: OnFreeze,
    /// What happens to what runs where data are missing. Default: it is held.
    pub on_missing_data: OnFreeze,
    /// What happens to what runs after a spike. Default: it is paused.
    pub on_spike: OnFreeze,
    /// Rules that are evaluated and reported, and decide nothing. Default: none.
    ///
    /// Those in [`rules::ALWAYS_ENFORCED`](crate::rules::ALWAYS_ENFORCED) cannot be among them.
    pub observe: BTreeSet<RuleId>,
    /// Rules that freeze raises where the fact they look at is not supplied. Default: none.
    ///
    /// Only those in [`rules::requirable`](crate::rules::requirable) have such a fact.
    pub require: BTreeSet<RuleId>,
}

impl Default for GuardrailConfig {
    fn default() -> Self {
        let (start, end) = PEAK_HOURS;
        Self {
            daily_cap: DAILY_CAP,
            ad_set_daily_cap: None,
            campaign_daily_cap: None,
            platform_daily_caps: BTreeMap::new(),
            hourly_raise_caps: RaiseCaps::default(),
            taper: None,
            exploration_daily_cap: None,
            hourly_floor: HOURLY_FLOOR,
            hourly_ceiling: HOURLY_CEILING,
            bid_floor: None,
            bid_ceiling: None,
            delta_max: DELTA_MAX,
            delta_max_24h: DELTA_MAX_24H,
            delta_max_normalised: None,
            delta_max_24h_normalised: None,
            peak_hours: HourRange::new(start, end).ok(),
            restricted_hours: None,
            restricted_ceiling: None,
            freeze_roas_below: Some(FREEZE_ROAS_BELOW),
            unfreeze_roas_at: None,
            roas_window_hours: ROAS_WINDOW_HOURS,
            freeze_cpa_above: None,
            unfreeze_cpa_at: None,
            max_cpa_multiplier: None,
            freeze_without_conversion_hours: None,
            expected_conversions_per_hour: None,
            min_expected_conversions: MIN_EXPECTED_CONVERSIONS,
            minimum_window_spend: MINIMUM_WINDOW_SPEND,
            freeze_after_evaluations: FREEZE_AFTER_EVALUATIONS,
            dwell_hours: DWELL_HOURS,
            max_spike: None,
            spike_minimum_spend: SPIKE_MINIMUM_SPEND,
            spike_min_weeks: SPIKE_MIN_WEEKS,
            max_data_age_hours: MAX_DATA_AGE_HOURS,
            min_coverage: MIN_COVERAGE,
            external_edit_freeze_hours: EXTERNAL_EDIT_FREEZE_HOURS,
            max_edits_per_hour: None,
            canary: None,
            blocked: BTreeSet::new(),
            canary_audiences: None,
            blocked_audiences: BTreeSet::new(),
            on_freeze: OnFreeze::Hold,
            on_missing_data: OnFreeze::Hold,
            on_spike: OnFreeze::Pause,
            observe: BTreeSet::new(),
            require: BTreeSet::new(),
        }
    }
}

impl GuardrailConfig {
    /// The rules with these settings.
    ///
    /// # Errors
    /// [`ConfigViolations`] with everything that is wrong, not only the first thing.
    ///
    /// ```
    /// use gaelp_core::{Micros, Ratio};
    /// use gaelp_guardrails::GuardrailConfig;
    ///
    /// let config = GuardrailConfig {
    ///     daily_cap: Micros::ZERO,
    ///     delta_max: Ratio::from_ppm(1_500_000),
    ///     ..GuardrailConfig::default()
    /// };
    /// let violations = config.validate().err().ok_or("two settings are wrong")?;
    /// let fields: Vec<_> = violations.as_slice().iter().map(|v| v.field()).collect();
    /// assert_eq!(fields, ["daily_cap", "delta_max"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn validate(self) -> Result<Guardrails, ConfigViolations> {
        let violations = validate::violations(&self);
        ConfigViolations::none_or(violations, ()).map(|()| Guardrails::new(self))
    }

    /// After how many hours without a conversion raises stop where so many are expected per hour;
    /// `None` where there is no such freeze.
    ///
    /// **Source.** With expected conversions λ per hour that come independently, N hours pass
    /// without one with probability e^(−λN); below 1 ‰ from N = ln 1000 ÷ λ on.
    pub(crate) fn dry_hours(&self, expected: Option<Quantity>) -> Option<u32> {
        let asked = self.freeze_without_conversion_hours?;
        let Some(rate) = expected.or(self.expected_conversions_per_hour) else {
            return Some(asked);
        };
        let needed = self.min_expected_conversions.millionths();
        let hours = match rate.millionths() {
            0 => u64::MAX,
            rate => needed.div_ceil(rate),
        };
        Some(asked.max(u32::try_from(hours).unwrap_or(u32::MAX)))
    }
}
