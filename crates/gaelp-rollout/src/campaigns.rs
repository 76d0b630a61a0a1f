//! Sums by campaign.

use std::collections::BTreeMap;

use gaelp_core::{AdSetKey, Micros, Platform};
use gaelp_guardrails::GuardrailConfig;
use gaelp_platform::CampaignId;

use crate::Rollout;

/// Whether a rule looks at campaigns.
pub(crate) fn are_asked(rules: &GuardrailConfig) -> bool {
    rules.campaign_daily_cap.is_some() || rules.hourly_raise_caps.campaign.is_some()
}

impl Rollout {
    /// The campaign of an ad set, where it is known.
    pub(crate) fn campaign(&self, key: &AdSetKey) -> Option<&CampaignId> {
        self.ad_sets.get(key)?.details.campaign.as_ref()
    }
}

/// Amounts by platform and campaign; a sum that does not fit is the largest there is.
///
/// What no campaign is known of may belong to any of its platform: it counts for each of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByCampaign(BTreeMap<Platform, Sums>);

#[derive(Clone, Debug, Default)]
struct Sums {
    named: BTreeMap<CampaignId, Micros>,
    unnamed: Micros,
}

impl ByCampaign {
    pub(crate) fn add(&mut self, platform: &Platform, campaign: Option<&CampaignId>, more: Micros) {
        if !self.0.contains_key(platform) {
            self.0.insert(platform.clone(), Sums::default());
        }
        let Some(sums) = self.0.get_mut(platform) else {
            return;
        };
        let sum = match campaign {
            None => &mut sums.unnamed,
            Some(campaign) => sums.named.entry(campaign.clone()).or_default(),
        };
        *sum = sum.checked_add(more).unwrap_or(Micros::MAX);
    }

    /// The most that may belong to a campaign.
    pub(crate) fn most(&self, platform: &Platform, campaign: &CampaignId) -> Micros {
        let certain = self.certain(platform, campaign);
        let unnamed = self.0.get(platform).map(|sums| sums.unnamed);
        let unnamed = unnamed.unwrap_or_default();
        certain.checked_add(unnamed).unwrap_or(Micros::MAX)
    }

    /// What is known to belong to it.
    pub(crate) fn certain(&self, platform: &Platform, campaign: &CampaignId) -> Micros {
        let sums = self.0.get(platform);
        let sum = sums.and_then(|sums| sums.named.get(campaign));
        sum.copied().unwrap_or_default()
    }
}
