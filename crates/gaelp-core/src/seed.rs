//! Randomness as a pure function of what is decided.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::{PolicyVersion, UtcHour};

/// The seed of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(u64);

impl Seed {
    /// A seed from a number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The identity of a decision: 128 bits that are the same whenever the same thing is decided.
///
/// Printed and serialised as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DecisionId(u128);

impl DecisionId {
    /// An id that the caller made, for instance a `UUIDv7`.
    pub const fn new(number: u128) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u128 {
        self.0
    }

    /// An id that follows from what is decided: the first 128 bits of the BLAKE3 digest of the
    /// parts, each preceded by its length.
    ///
    /// ```
    /// use gaelp_core::DecisionId;
    ///
    /// let id = DecisionId::derive(&[b"run 7", b"meta/prospecting", b"2026-11-20T10Z"]);
    /// assert_eq!(id, DecisionId::derive(&[b"run 7", b"meta/prospecting", b"2026-11-20T10Z"]));
    /// assert_ne!(id, DecisionId::derive(&[b"run 7m", b"eta/prospecting", b"2026-11-20T10Z"]));
    /// ```
    pub fn derive(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut first = [0; 16];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(u128::from_be_bytes(first))
    }

    /// An id as from [`DecisionId::derive`] that sorts by time: its first 32 bits are the hour.
    ///
    /// Stores index ids; ids that arrive in their order are several times cheaper to insert than
    /// scattered ones. The other 96 bits still tell any two decisions of an hour apart.
    ///
    /// ```
    /// use gaelp_core::{DecisionId, UtcHour};
    ///
    /// let hour = UtcHour::new(490_000);
    /// let id = DecisionId::derive_at(hour, &[b"meta", b"prospecting"]);
    /// assert!(id < DecisionId::derive_at(hour.plus(1), &[b"meta", b"prospecting"]));
    /// assert_ne!(id, DecisionId::derive_at(hour, &[b"meta", b"retargeting"]));
    /// ```
    pub fn derive_at(hour: UtcHour, parts: &[&[u8]]) -> Self {
        // Shifted so that hours before 1970 sort before those after.
        let time = hour.get().cast_unsigned() ^ (1 << 31);
        let Self(digest) = Self::derive(parts);
        Self(digest >> 32 | u128::from(time) << 96)
    }
}

impl std::fmt::Display for DecisionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A text that is not 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decision id: 32 hexadecimal digits are expected")]
pub struct ParseDecisionIdError(String);

impl std::str::FromStr for DecisionId {
    type Err = ParseDecisionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hexadecimal = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        match u128::from_str_radix(text, 16) {
            Ok(number) if hexadecimal => Ok(Self(number)),
            _ => Err(ParseDecisionIdError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for DecisionId {
    type Error = ParseDecisionIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DecisionId> for String {
    fn from(id: DecisionId) -> Self {
        id.to_string()
    }
}

/// What the randomness of one decision depends on, and nothing else.
///
/// There is no generator state to save: any decision can be drawn again alone, and two shards
/// never share a stream.
///
/// ```
/// use gaelp_core::{DecisionId, DecisionKey, PolicyVersion, Seed};
/// use rand_chacha::rand_core::Rng;
///
/// let key = DecisionKey {
///     seed: Seed::new(7),
///     policy: PolicyVersion::new(3),
///     decision: DecisionId::derive(&[b"meta/prospecting", b"2026-11-20T10Z"]),
/// };
/// assert_eq!(key.generator().next_u64(), key.generator().next_u64());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecisionKey {
    /// The run's seed.
    pub seed: Seed,
    /// The policy that decides.
    pub policy: PolicyVersion,
    /// What is decided.
    pub decision: DecisionId,
}

impl DecisionKey {
    /// The decision's own generator: `ChaCha8` under the 256-bit key seed ‖ version ‖ decision id,
    /// all little-endian.
    ///
    /// The stream is part of this crate's contract and pinned by a test.
    pub fn generator(&self) -> ChaCha8Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.get().to_le_bytes());
        key[8..16].copy_from_slice(&self.policy.get().to_le_bytes());
        key[16..].copy_from_slice(&self.decision.get().to_le_bytes());
        ChaCha8Rng::from_seed(key)
    }
}

#[cfg(test)]
mod tests;
