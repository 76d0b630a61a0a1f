//! The documented figures of known platforms.
//!
//! They are where a configuration starts, not what code relies on: platforms change them, and some
//! accounts have others. Figures as of 2026.

use std::num::NonZeroU32;

use gaelp_core::{AccountZone, Currency, Micros, Platform, Ratio};

use super::{Capabilities, CapabilitiesConfig, HourlyConversions};

/// Meta: the help centre speaks of 75 % over the daily budget, the interface's own pages of 25 %.
/// The larger is assumed.
pub const META_OVERDELIVERY: Ratio = Ratio::from_ppm(1_750_000);
/// Google: a campaign's daily limit is twice the highest budget set that day.
pub const GOOGLE_OVERDELIVERY: Ratio = Ratio::from_ppm(2_000_000);
/// TikTok: up to 125 % of the day's highest budget.
pub const TIKTOK_OVERDELIVERY: Ratio = Ratio::from_ppm(1_250_000);

/// Meta: four budget changes an hour for an ad set; then edits are blocked for an hour.
pub const META_EDITS_PER_HOUR: NonZeroU32 = NonZeroU32::new(4).expect("four is not zero");

/// Meta: a dollar a day where impressions are paid for. (Clicks need 5, rare events 40; the
/// account's `minimum_budgets` tells.)
pub const META_MINIMUM_USD: Micros = Micros::new(1_000_000);
/// TikTok: twenty dollars a day for an ad group. (A campaign needs fifty.)
pub const TIKTOK_MINIMUM_USD: Micros = Micros::new(20_000_000);

/// Meta: spend arrives within minutes; one hour is on the safe side.
pub const META_REPORTING_DELAY_HOURS: u32 = 1;
/// Google: statistics lag by up to three hours.
pub const GOOGLE_REPORTING_DELAY_HOURS: u32 = 3;
/// TikTok: ten minutes by one account, ten to twelve hours by another. The longer is assumed.
pub const TIKTOK_REPORTING_DELAY_HOURS: u32 = 12;

/// The quantum of a currency with hundredths.
const HUNDREDTH: Micros = Micros::new(10_000);
/// The quantum of a currency without.
const WHOLE: Micros = Micros::new(1_000_000);
/// Currencies that Meta counts in whole units. Where another platform counts one of them in
/// hundredths, whole units are taken there as well.
const WITHOUT_HUNDREDTHS: [&str; 11] = [
    "CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND",
];

/// Presets. The account's minimum is known in dollars only: in another currency the preset's
/// minimum is one quantum, and the platform rejects what is too small for it.
impl CapabilitiesConfig {
    /// An account on Meta.
    ///
    /// | field | figure | because |
    /// |---|---|---|
    /// | `overdelivery` | 1.75 | help centre: 75 % over; the interface's pages say 25 % |
    /// | `budget_quantum` | 0.01, or 1 | budgets are in the currency's minor unit |
    /// | `minimum_daily_budget` | $1 | for impressions; ask `minimum_budgets` for others |
    /// | `edits_per_hour` | 4 | then edits are blocked for an hour |
    /// | `reporting_delay_hours` | 1 | spend arrives within minutes |
    /// | `hourly_conversions` | omitted | since 27 April 2021 the hourly breakdown leaves out conversions off Meta |
    ///
    /// **Source.** Meta, Marketing API: *Currencies*, *Ad Set budgets*, *Insights breakdowns*;
    /// Business Help Centre, *About daily budgets*.
    pub fn meta(currency: Currency, zone: AccountZone) -> Self {
        Self {
            overdelivery: META_OVERDELIVERY,
            minimum_daily_budget: minimum(META_MINIMUM_USD, currency),
            reporting_delay_hours: META_REPORTING_DELAY_HOURS,
            ..Self::other(Platform::Meta, currency, zone)
        }
    }

    /// An account on Google Ads.
    ///
    /// | field | figure | because |
    /// |---|---|---|
    /// | `overdelivery` | 2 | the daily limit is twice the highest budget of the day |
    /// | `budget_quantum` | 0.01, or 1 | a budget is a multiple of the currency's smallest unit |
    /// | `minimum_daily_budget` | one quantum | none is documented |
    /// | `edits_per_hour` | no limit | none is documented |
    /// | `reporting_delay_hours` | 3 | statistics lag by up to three hours |
    /// | `hourly_conversions` | reported | the hour is a segment of conversion metrics; with some attribution models they come up to 15 h late |
    ///
    /// **Source.** Google Ads Help, *About spending limits* and *About data freshness*; Google Ads
    /// API, *Segments*.
    pub fn google(currency: Currency, zone: AccountZone) -> Self {
        Self {
            edits_per_hour: None,
            reporting_delay_hours: GOOGLE_REPORTING_DELAY_HOURS,
            hourly_conversions: HourlyConversions::Reported,
            ..Self::other(Platform::Google, currency, zone)
        }
    }

    /// An account on TikTok.
    ///
    /// | field | figure | because |
    /// |---|---|---|
    /// | `overdelivery` | 1.25 | dynamic daily budget: 125 % of the day's highest |
    /// | `budget_quantum` | 0.01, or 1 | budgets are decimal amounts |
    /// | `minimum_daily_budget` | $20 | for an ad group; a campaign needs $50 |
    /// | `edits_per_hour` | no limit | none is documented; the advice is steps within 50 %, two days apart |
    /// | `reporting_delay_hours` | 12 | sources say ten minutes, and ten to twelve hours |
    /// | `hourly_conversions` | omitted | not confirmed to be complete |
    ///
    /// So a budget of ten dollars a day cannot run on TikTok.
    ///
    /// **Source.** TikTok Business Help Center, *Budget* and *Dynamic daily budget*; TikTok API for
    /// Business, *Reporting*.
    pub fn tiktok(currency: Currency, zone: AccountZone) -> Self {
        Self {
            overdelivery: TIKTOK_OVERDELIVERY,
            minimum_daily_budget: minimum(TIKTOK_MINIMUM_USD, currency),
            edits_per_hour: None,
            ..Self::other(Platform::TikTok, currency, zone)
        }
    }

    /// An account on a platform about which nothing is known: of every figure the most careful one
    /// among the platforms above. The minimum is one quantum.
    pub fn other(platform: Platform, currency: Currency, zone: AccountZone) -> Self {
        let quantum = quantum(currency);
        Self {
            platform,
            currency,
            zone,
            overdelivery: GOOGLE_OVERDELIVERY,
            budget_quantum: quantum,
            minimum_daily_budget: quantum,
            edits_per_hour: Some(META_EDITS_PER_HOUR),
            reporting_delay_hours: TIKTOK_REPORTING_DELAY_HOURS,
            hourly_conversions: HourlyConversions::Omitted,
        }
    }
}

impl Capabilities {
    /// An account on Meta, with the figures of [`CapabilitiesConfig::meta`].
    pub fn meta(currency: Currency, zone: AccountZone) -> Self {
        Self(CapabilitiesConfig::meta(currency, zone))
    }

    /// An account on Google Ads, with the figures of [`CapabilitiesConfig::google`].
    pub fn google(currency: Currency, zone: AccountZone) -> Self {
        Self(CapabilitiesConfig::google(currency, zone))
    }

    /// An account on TikTok, with the figures of [`CapabilitiesConfig::tiktok`].
    pub fn tiktok(currency: Currency, zone: AccountZone) -> Self {
        Self(CapabilitiesConfig::tiktok(currency, zone))
    }

    /// An account on another platform, with the figures of [`CapabilitiesConfig::other`].
    pub fn other(platform: Platform, currency: Currency, zone: AccountZone) -> Self {
        Self(CapabilitiesConfig::other(platform, currency, zone))
    }
}

fn quantum(currency: Currency) -> Micros {
    if WITHOUT_HUNDREDTHS.contains(&currency.as_str()) {
        WHOLE
    } else {
        HUNDREDTH
    }
}

fn minimum(in_dollars: Micros, currency: Currency) -> Micros {
    if currency == Currency::USD {
        in_dollars
    } else {
        quantum(currency)
    }
}
