//! What may be spent where: caps within caps.

use gaelp_core::{Micros, Ratio};
use serde::{Deserialize, Serialize};

use crate::ResponseCurve;

/// A group of a [`CapTree`], by its number: the whole is [`GroupId::WHOLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(usize);

impl GroupId {
    /// The account.
    pub const WHOLE: Self = Self(0);

    pub(super) const fn numbered(place: usize) -> Self {
        Self(place)
    }

    /// Its number, in the order in which groups were added.
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Accounts hold platforms, platforms hold campaigns, campaigns hold ad sets; each of them has a
/// floor and a cap.
///
/// Groups lie within each other or apart; that is what makes the exact allocation fast. `K` names
/// arms: an [`AdSetKey`](gaelp_core::AdSetKey), or that and an hour.
///
/// ```
/// use gaelp_budget::{ArmLimits, CapTree, GroupId, ResponseCurve};
///
/// let mut tree = CapTree::new("account");
/// let meta = tree.group(GroupId::WHOLE, "Meta", "0".parse()?, Some("30.00".parse()?))?;
/// let limits = ArmLimits::up_to("20.00".parse()?);
/// tree.arm(meta, "prospecting", ResponseCurve::log(40.0, 10.0)?, limits)?;
/// tree.arm(meta, "retargeting", ResponseCurve::hill(60.0, 8.0)?, limits)?;
/// assert_eq!(tree.arms().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<K>")]
pub struct CapTree<K> {
    groups: Vec<Group>,
    arms: Vec<Arm<K>>,
}

/// A group of arms and of other groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub(super) name: String,
    pub(super) within: usize,
    pub(super) depth: u32,
    pub(super) floor: Micros,
    pub(super) cap: Option<Micros>,
}

impl Group {
    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The least and the most that it may spend.
    pub fn bounds(&self) -> (Micros, Option<Micros>) {
        (self.floor, self.cap)
    }
}

/// Something that money can be spent on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm<K> {
    pub(super) key: K,
    pub(super) group: usize,
    pub(super) curve: ResponseCurve,
    pub(super) limits: ArmLimits,
}

impl<K> Arm<K> {
    /// Its name.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// The group that it lies in.
    pub fn group(&self) -> GroupId {
        GroupId(self.group)
    }

    /// What spend brings.
    pub fn curve(&self) -> &ResponseCurve {
        &self.curve
    }

    /// What it may spend.
    pub fn limits(&self) -> &ArmLimits {
        &self.limits
    }
}

/// What an arm may spend.
///
/// A floor is stronger than a limit on changes, because platforms refuse budgets below it; a
/// ceiling is stronger too, because lowering is always allowed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmLimits {
    /// The least.
    #[serde(default)]
    pub floor: Micros,
    /// The most.
    pub ceiling: Micros,
    /// What it spends now, and by which shares of that it may change; `None` for any change.
    #[serde(default)]
    pub change: Option<Change>,
    /// The least that a unit of its spend must bring on average; `None` for no such target.
    #[serde(default)]
    pub least_average: Option<Ratio>,
}

/// How far spend may move from what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What it spends now.
    pub from: Micros,
    /// By which share of that it may fall.
    pub down: Ratio,
    /// By which share of that it may rise.
    pub up: Ratio,
}

impl ArmLimits {
    /// From nothing to a ceiling.
    pub const fn up_to(ceiling: Micros) -> Self {
        Self::between(Micros::ZERO, ceiling)
    }

    /// From a floor to a ceiling.
    pub const fn between(floor: Micros, ceiling: Micros) -> Self {
        Self {
            floor,
            ceiling,
            change: None,
            least_average: None,
        }
    }

    /// With what it spends now, and the share of that by which it may change either way.
    #[must_use]
    pub const fn changing(self, from: Micros, delta: Ratio) -> Self {
        Self {
            change: Some(Change {
                from,
                down: delta,
                up: delta,
            }),
            ..self
        }
    }
}

impl<K> CapTree<K> {
    /// A tree without arms; the name is the account's.
    pub fn new(name: impl Into<String>) -> Self {
        let whole = Group {
            name: name.into(),
            within: 0,
            depth: 0,
            floor: Micros::ZERO,
            cap: None,
        };
        Self {
            groups: vec![whole],
            arms: Vec::new(),
        }
    }

    /// Adds a group within another; without a cap it may spend what that may.
    ///
    /// # Errors
    /// [`TreeError`] for a group that is not there, a nesting deeper than [`CapTree::MAX_DEPTH`],
    /// and for bounds that are negative or the wrong way round.
    pub fn group(
        &mut self,
        within: GroupId,
        name: impl Into<String>,
        floor: Micros,
        cap: Option<Micros>,
    ) -> Result<GroupId, TreeError> {
        let outer = self
            .groups
            .get(within.0)
            .ok_or(TreeError::NoGroup(within))?;
        let depth = outer.depth + 1;
        if depth > Self::MAX_DEPTH {
            return Err(TreeError::TooDeep);
        }
        let name = name.into();
        if floor.is_negative() || cap.is_some_and(|cap| cap < floor) {
            return Err(TreeError::Bounds {
                name,
                floor,
                cap: cap.unwrap_or(Micros::MAX),
            });
        }
        self.groups.push(Group {
            name,
            within: within.0,
            depth,
            floor,
            cap,
        });
        Ok(GroupId(self.groups.len() - 1))
    }

    /// Adds an arm; arms are numbered in the order in which they are added.
    ///
    /// # Errors
    /// [`TreeError`] for a group that is not there, and for limits that are negative.
    pub fn arm(
        &mut self,
        within: GroupId,
        key: K,
        curve: ResponseCurve,
        limits: ArmLimits,
    ) -> Result<usize, TreeError> {
        if within.0 >= self.groups.len() {
            return Err(TreeError::NoGroup(within));
        }
        let place = self.arms.len();
        let change = limits.change;
        let shares = change.is_some_and(|c| c.down.is_negative() || c.up.is_negative());
        let money = change.is_some_and(|c| c.from.is_negative());
        if limits.floor.is_negative() || limits.ceiling.is_negative() || money || shares {
            return Err(TreeError::Negative { place });
        }
        self.arms.push(Arm {
            key,
            group: within.0,
            curve,
            limits,
        });
        Ok(place)
    }

    /// The arms, in the order in which they were added.
    pub fn arms(&self) -> &[Arm<K>] {
        &self.arms
    }

    /// The groups; the first is the whole.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// How deep groups may lie within each other.
    pub const MAX_DEPTH: u32 = 32;
}

/// A tree as it is stored: built anew when it is read, so that nothing unchecked gets in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<K> {
    groups: Vec<Group>,
    arms: Vec<Arm<K>>,
}

impl<K> TryFrom<Stored<K>> for CapTree<K> {
    type Error = TreeError;

    fn try_from(stored: Stored<K>) -> Result<Self, TreeError> {
        let mut groups = stored.groups.into_iter();
        let whole = groups.next().ok_or(TreeError::NoGroup(GroupId::WHOLE))?;
        let mut tree = Self::new(whole.name);
        for group in groups {
            tree.group(GroupId(group.within), group.name, group.floor, group.cap)?;
        }
        for arm in stored.arms {
            tree.arm(GroupId(arm.group), arm.key, arm.curve, arm.limits)?;
        }
        Ok(tree)
    }
}

/// What a tree refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// A group that is not there.
    #[error("there is no group {}", .0.index())]
    NoGroup(GroupId),
    /// Groups within groups within groups.
    #[error("groups lie within each other at most {} deep", CapTree::<()>::MAX_DEPTH)]
    TooDeep,
    /// A negative floor, or a cap below it.
    #[error("{name}: a floor of {floor} and a cap of {cap}; 0 ≤ floor ≤ cap is expected")]
    Bounds {
        /// The group.
        name: String,
        /// Its floor.
        floor: Micros,
        /// Its cap.
        cap: Micros,
    },
    /// A limit below zero.
    #[error("arm {place} has a negative limit")]
    Negative {
        /// Its place, counted from 0.
        place: usize,
    },
}
