//! What a market is made of.

use chrono::{DateTime, Utc};
use gaelp_core::{AccountZone, AdSetId, AudienceId, Currency, Micros, Ratio};
use gaelp_platform::{AdSetDetails, BudgetError, CampaignId, Capabilities};

/// A market: accounts on platforms, and what goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketConfig {
    /// The seed of traffic, sales and faults.
    pub seed: u64,
    /// When it begins.
    pub begin: DateTime<Utc>,
    /// The account's zone: its midnight begins a new day on every platform.
    pub zone: AccountZone,
    /// The accounts: what each can do, and its ad sets.
    pub accounts: Vec<(Capabilities, Vec<AdSetConfig>)>,
    /// How many seconds a request may be under way. The network drops what is older.
    pub request_lifetime_secs: u32,
    /// What goes wrong.
    pub faults: Faults,
}

/// An ad set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdSetConfig {
    /// Its name.
    pub id: AdSetId,
    /// Its daily budget at the beginning.
    pub daily_budget: Micros,
    /// What a spent unit brings on average.
    pub roas: Ratio,
    /// What the platform tells of it besides its budget.
    pub details: AdSetDetails,
}

/// How often what goes wrong. Each is a share of the requests it can strike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Reports and budgets that cannot be read.
    pub unreadable: Ratio,
    /// Writes that are applied while the answer is lost.
    pub unanswered: Ratio,
    /// Writes that are lost.
    pub lost: Ratio,
    /// Writes that are held up, within the request lifetime.
    pub held_up: Ratio,
    /// Writes that are delivered twice, the second time within the request lifetime.
    pub doubled: Ratio,
    /// Writes that are turned down.
    pub rejected: Ratio,
}

impl Faults {
    /// Nothing goes wrong.
    pub const fn none() -> Self {
        Self {
            unreadable: Ratio::ZERO,
            unanswered: Ratio::ZERO,
            lost: Ratio::ZERO,
            held_up: Ratio::ZERO,
            doubled: Ratio::ZERO,
            rejected: Ratio::ZERO,
        }
    }

    /// Far worse than any network that is in use: a third of all writes go wrong.
    pub const fn rough() -> Self {
        Self {
            unreadable: Ratio::from_ppm(30_000),
            unanswered: Ratio::from_ppm(80_000),
            lost: Ratio::from_ppm(60_000),
            held_up: Ratio::from_ppm(80_000),
            doubled: Ratio::from_ppm(40_000),
            rejected: Ratio::from_ppm(60_000),
        }
    }
}

impl MarketConfig {
    /// An account of four ad sets on two platforms, in which the ledger's overdelivery counts.
    ///
    /// # Errors
    /// [`MarketConfigError`] never for these figures; it is there because amounts are parsed.
    ///
    /// ```
    /// use gaelp_core::{AccountZone, Currency, UtcHour};
    /// use gaelp_market::{Faults, MarketConfig, World};
    ///
    /// let begin = UtcHour::new(490_000).start();
    /// let config = MarketConfig::sample(1, begin, AccountZone::UTC, Currency::USD, Faults::none())?;
    /// assert_eq!(World::new(config)?.capabilities().count(), 2);
    /// # Ok::<(), gaelp_market::MarketConfigError>(())
    /// ```
    pub fn sample(
        seed: u64,
        begin: DateTime<Utc>,
        zone: AccountZone,
        currency: Currency,
        faults: Faults,
    ) -> Result<Self, MarketConfigError> {
        let ad_set = |id: &str, units: i64, roas: i64, campaign: &str, audience: &str| {
            let daily_budget = Micros::from_major(units).ok_or(MarketConfigError::Amount)?;
            Ok::<_, MarketConfigError>(AdSetConfig {
                id: AdSetId::from(id),
                daily_budget,
                roas: Ratio::from_ppm(roas),
                details: AdSetDetails {
                    campaign: Some(CampaignId::from(campaign)),
                    audiences: [AudienceId::from(audience)].into(),
                    bid: None,
                },
            })
        };
        let meta = vec![
            ad_set("prospecting", 6, 2_400_000, "sales", "lookalike")?,
            ad_set("retargeting", 4, 3_600_000, "sales", "visitors")?,
        ];
        let google = vec![
            ad_set("brand", 3, 4_200_000, "search", "searching")?,
            ad_set("generic", 4, 1_300_000, "search", "searching")?,
        ];
        Ok(Self {
            seed,
            begin,
            zone,
            accounts: vec![
                (Capabilities::meta(currency, zone), meta),
                (Capabilities::google(currency, zone), google),
            ],
            request_lifetime_secs: 900,
            faults,
        })
    }
}

/// Why a market cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarketConfigError {
    /// An amount that does not fit.
    #[error("an amount does not fit")]
    Amount,
    /// A platform that is there twice.
    #[error("platform {platform} is there twice")]
    Twice {
        /// Which.
        platform: gaelp_core::Platform,
    },
    /// An account of another zone.
    #[error("the account on {platform} is not in the market's zone")]
    Zone {
        /// Where.
        platform: gaelp_core::Platform,
    },
    /// A budget that the platform does not take.
    #[error("{ad_set}: {error}")]
    Budget {
        /// Which ad set.
        ad_set: AdSetId,
        /// Why not.
        error: BudgetError,
    },
}
