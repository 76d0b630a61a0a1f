//! Names of things, one type each.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        ///
        /// Cheap to clone; ordered and hashed by its text.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// An id from its text.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// What holds a budget on a platform: an ad set on Meta, an ad group on TikTok, a campaign on
    /// Google.
    AdSetId
}
text_id! {
    /// A group of people that an ad set is shown to, as the platform names it.
    AudienceId
}
text_id! {
    /// Somebody who answers for what they did: who pulled a switch, who proposed a change, who
    /// approved it.
    PersonId
}
text_id! {
    /// A shop's order.
    OrderId
}
text_id! {
    /// A user's contact with an advertisement, to which a later conversion may be credited.
    TouchpointId
}

/// An advertising platform.
///
/// ```
/// use gaelp_core::Platform;
///
/// assert_eq!("meta".parse(), Ok(Platform::Meta));
/// assert_eq!(Platform::new("Google Ads"), Platform::Google);
/// assert_eq!(Platform::new("exchange-2").to_string(), "exchange-2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Platform {
    /// Facebook and Instagram.
    Meta,
    /// Google Ads.
    Google,
    /// TikTok Ads.
    TikTok,
    /// Any other, by its name in lower case: made by [`Platform::new`], never of a known name.
    Other(Arc<str>),
}

impl Platform {
    /// The platform of a name, whatever its case and the white space around it.
    ///
    /// Known are `meta`, `facebook`, `google` and `tiktok`, each also with ` ads` after it, and
    /// `instagram` and `adwords`.
    pub fn new(name: &str) -> Self {
        // As they are written by us: without a copy.
        match name {
            "meta" => return Self::Meta,
            "google" => return Self::Google,
            "tiktok" => return Self::TikTok,
            _ => {}
        }
        let name = name.trim().to_lowercase();
        match name.as_str() {
            "meta" | "meta ads" | "facebook" | "facebook ads" | "instagram" => Self::Meta,
            "google" | "google ads" | "adwords" => Self::Google,
            "tiktok" | "tiktok ads" => Self::TikTok,
            _ => Self::Other(name.into()),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Meta => "meta",
            Self::Google => "google",
            Self::TikTok => "tiktok",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Platform {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(name))
    }
}

impl From<String> for Platform {
    fn from(name: String) -> Self {
        Self::new(&name)
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.as_str().to_owned()
    }
}

/// By its name.
impl Serialize for Platform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Platform;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a platform")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Platform, E> {
                Ok(Platform::new(name))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

/// An ad set together with the platform it lives on: the key of everything that is measured or
/// decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AdSetKey {
    /// Where it lives.
    pub platform: Platform,
    /// Its id there.
    pub ad_set: AdSetId,
}

impl AdSetKey {
    /// The key of an ad set.
    pub fn new(platform: Platform, ad_set: impl Into<AdSetId>) -> Self {
        Self {
            platform,
            ad_set: ad_set.into(),
        }
    }
}

impl fmt::Display for AdSetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.platform, self.ad_set)
    }
}

/// An arm of a policy, by a number that is never given to another arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArmId(u32);

impl ArmId {
    /// An arm from its number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The version of a policy: it grows with every update, so that a logged decision names the
/// posterior that it was drawn from.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct PolicyVersion(u64);

impl PolicyVersion {
    /// A version from its number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a rule that has a say in decisions, such as `daily_cap`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(Cow<'static, str>);

impl RuleId {
    /// A rule known at compile time; no allocation.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for RuleId {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests;
