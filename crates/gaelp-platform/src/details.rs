//! What a platform knows of an ad set besides its budget.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use gaelp_core::{AudienceId, Micros};
use serde::{Deserialize, Serialize};

/// A group of ad sets, as the platform names it.
///
/// Cheap to clone; ordered and hashed by its text. Two platforms may use the same name for two
/// campaigns.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CampaignId(Arc<str>);

impl CampaignId {
    /// An id from its text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl From<&str> for CampaignId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for CampaignId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// What a platform knows of an ad set besides its budget: whatever the rules of an account may ask
/// for. What an adapter does not say is not known, and a rule that asks for it then raises nothing.
///
/// ```
/// use gaelp_platform::AdSetDetails;
///
/// let known = AdSetDetails {
///     campaign: Some("summer".into()),
///     bid: Some("0.80".parse()?),
///     ..AdSetDetails::default()
/// };
/// assert!(known.audiences.is_empty()); // nobody said whom it is shown to
/// assert!(!known.is_unknown() && AdSetDetails::default().is_unknown());
/// # Ok::<(), gaelp_core::ParseMoneyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct AdSetDetails {
    /// The campaign that it belongs to; `None` where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// Whom it is shown to, all of them; empty where that is not known.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub audiences: BTreeSet<AudienceId>,
    /// What is bid, in the platform's unit of billing; `None` where it is not known, or where the
    /// platform bids by itself. Not negative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid: Option<Micros>,
}

impl AdSetDetails {
    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}
