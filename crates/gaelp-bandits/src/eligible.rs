//! Which arms may be chosen.

use gaelp_core::ArmId;

/// The arms that may be chosen now: at least one.
///
/// Made by [`BetaThompson::eligible`](crate::BetaThompson::eligible) and
/// [`BetaThompson::all`](crate::BetaThompson::all). It holds ids, not positions, so it stays
/// right while the policy learns, and can key a cache of prepared policies.
///
/// ```
/// use gaelp_bandits::{BetaPrior, BetaThompson, SelectError};
/// use gaelp_core::ArmId;
///
/// let arms = (0..4).map(|arm| (ArmId::new(arm), BetaPrior::default()));
/// let policy = BetaThompson::new(arms)?;
/// let lower_half = policy.eligible(|arm| arm.get() < 2)?;
/// assert_eq!(lower_half.len(), 2);
/// assert!(!lower_half.contains(ArmId::new(3)));
/// assert_eq!(policy.eligible(|_| false), Err(SelectError::NoneEligible { arms: 4 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Eligible {
    /// Rising, without duplicates, not empty.
    arms: Box<[ArmId]>,
}

impl Eligible {
    /// The caller gives rising ids without duplicates; `None` if there are none.
    pub(crate) fn from_rising(arms: impl Iterator<Item = ArmId>) -> Option<Self> {
        let arms: Box<[ArmId]> = arms.collect();
        (!arms.is_empty()).then_some(Self { arms })
    }

    /// The arms, by rising id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ArmId> + '_ {
        self.arms.iter().copied()
    }

    /// Whether an arm is among them.
    ///
    /// **Cost**: O(log of their number).
    pub fn contains(&self, arm: ArmId) -> bool {
        self.arms.binary_search(&arm).is_ok()
    }

    /// The place of an arm among them.
    pub(crate) fn position(&self, arm: ArmId) -> Option<usize> {
        self.arms.binary_search(&arm).ok()
    }

    /// How many they are: never zero.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.arms.len()
    }
}
