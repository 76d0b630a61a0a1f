//! Settings in force, on trial, and waiting.
//!
//! A [`Policy`] never changes and is named by the digest of its content. [`Policies`] holds the one
//! in force, a candidate that is evaluated beside it, and a wider one that waits for its time and
//! for a second person.

use std::fmt;
use std::str::FromStr;

use gaelp_core::Micros;
use serde::{Deserialize, Serialize};

use crate::{ConfigViolations, Context, GuardrailConfig, Guardrails, Verdict};

mod fields;
mod policies;

pub use fields::{Direction, FieldChange};
pub use policies::{Approval, ApprovalError, Both, Pending, Policies, ProposalError, Proposed};

/// Said before the content, so that a digest of a policy is one of nothing else.
const DOMAIN: &str = "gaelp guardrail policy 1";

/// Valid settings that do not change any more, with the digest of their content.
///
/// ```
/// use gaelp_guardrails::{GuardrailConfig, Policy};
///
/// let policy = Policy::new(GuardrailConfig::default())?;
/// let same = Policy::new(GuardrailConfig::default())?;
/// assert_eq!(policy.hash(), same.hash());
/// let other = Policy::new(GuardrailConfig { daily_cap: "11.00".parse()?, ..policy.config().clone() })?;
/// assert_ne!(policy.hash(), other.hash());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "GuardrailConfig", into = "GuardrailConfig")]
pub struct Policy {
    hash: PolicyHash,
    rules: Guardrails,
}

impl Policy {
    /// A policy with these settings.
    ///
    /// # Errors
    /// [`ConfigViolations`] with everything that is wrong.
    pub fn new(config: GuardrailConfig) -> Result<Self, ConfigViolations> {
        let rules = config.validate()?;
        let hash = PolicyHash::of(rules.config());
        Ok(Self { hash, rules })
    }

    /// The digest of the settings.
    pub const fn hash(&self) -> PolicyHash {
        self.hash
    }

    /// The settings.
    pub const fn config(&self) -> &GuardrailConfig {
        self.rules.config()
    }

    /// The rules with these settings.
    pub const fn rules(&self) -> &Guardrails {
        &self.rules
    }

    /// As [`Guardrails::evaluate`].
    pub fn evaluate(&self, context: &Context<'_>, proposed: Micros) -> Verdict {
        self.rules.evaluate(context, proposed)
    }
}

impl TryFrom<GuardrailConfig> for Policy {
    type Error = ConfigViolations;

    fn try_from(config: GuardrailConfig) -> Result<Self, Self::Error> {
        Self::new(config)
    }
}

impl From<Policy> for GuardrailConfig {
    fn from(policy: Policy) -> Self {
        policy.config().clone()
    }
}

/// The digest of a policy's settings; written as 64 hexadecimal digits.
///
/// **Source.** BLAKE3 of the domain `gaelp guardrail policy 1`, a line feed, and the settings as
/// JSON: fields in their order, sets sorted, so the same settings have the same text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyHash([u8; 32]);

impl PolicyHash {
    fn of(config: &GuardrailConfig) -> Self {
        let content = serde_json::to_vec(config).expect("settings are plain data with text keys");
        let mut hasher = blake3::Hasher::new();
        hasher.update(DOMAIN.as_bytes());
        hasher.update(b"\n");
        hasher.update(&content);
        Self(*hasher.finalize().as_bytes())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no digest of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("64 hexadecimal digits are expected")]
pub struct ParsePolicyHashError;

impl FromStr for PolicyHash {
    type Err = ParsePolicyHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| ParsePolicyHashError)?;
        Ok(Self(*hash.as_bytes()))
    }
}

impl TryFrom<String> for PolicyHash {
    type Error = ParsePolicyHashError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PolicyHash> for String {
    fn from(hash: PolicyHash) -> Self {
        hash.to_string()
    }
}
