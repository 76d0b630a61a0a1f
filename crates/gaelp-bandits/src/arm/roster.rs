//! The living arms of a policy, and those that lived.

use gaelp_core::ArmId;

use super::Retired;
use crate::{
    ArmError, ArmKey, ArmViolation, Eligible, FeedbackError, ParameterViolation, SelectError,
    SnapshotError,
};

/// Living arms with what is held of each: by rising id, without duplicates, never empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Roster<T> {
    slots: Vec<(ArmKey, T)>,
    retired: Retired,
}

impl<T> Roster<T> {
    /// First lives, of which nothing is known. What else is wrong is reported with what is wrong
    /// with the arms.
    pub(crate) fn new(
        arms: impl IntoIterator<Item = ArmId>,
        fresh: impl Fn() -> T,
        others: Vec<ParameterViolation>,
    ) -> Result<Self, ArmError> {
        let slots = arms.into_iter().map(|arm| (ArmKey::first(arm), fresh()));
        Self::checked(slots.collect(), Retired::default(), others)
    }

    /// What was stored.
    pub(crate) fn restored(
        slots: Vec<(ArmKey, T)>,
        retired: Retired,
        others: Vec<ParameterViolation>,
    ) -> Result<Self, SnapshotError> {
        for (key, _) in &slots {
            if !retired.precedes(*key) {
                return Err(SnapshotError::Generation { arm: key.arm });
            }
        }
        Ok(Self::checked(slots, retired, others)?)
    }

    fn checked(
        mut slots: Vec<(ArmKey, T)>,
        retired: Retired,
        others: Vec<ParameterViolation>,
    ) -> Result<Self, ArmError> {
        if slots.is_empty() {
            return Err(ArmError::NoArms);
        }
        slots.sort_by_key(|(key, _)| *key);
        let repeated = slots
            .windows(2)
            .filter(|pair| pair[0].0.arm == pair[1].0.arm);
        let mut violations: Vec<_> = repeated
            .map(|pair| ArmViolation::Duplicate { arm: pair[0].0.arm })
            .collect();
        violations.extend(others.into_iter().map(ArmViolation::Parameter));
        if violations.is_empty() {
            Ok(Self { slots, retired })
        } else {
            Err(ArmError::Invalid { violations })
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (ArmKey, &T)> + '_ {
        self.slots.iter().map(|(key, held)| (*key, held))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> + '_ {
        self.slots.iter_mut().map(|(_, held)| held)
    }

    pub(crate) const fn retired(&self) -> &Retired {
        &self.retired
    }

    pub(crate) fn into_parts(self) -> (Vec<(ArmKey, T)>, Retired) {
        (self.slots, self.retired)
    }

    /// What is held in a place that [`Roster::check`] named.
    pub(crate) fn at(&self, place: usize) -> &T {
        &self.slots[place].1
    }

    pub(crate) fn at_mut(&mut self, place: usize) -> &mut T {
        &mut self.slots[place].1
    }

    /// The living generation of an arm.
    pub(crate) fn key(&self, arm: ArmId) -> Option<ArmKey> {
        let place = self.place(arm).ok()?;
        self.slots.get(place).map(|(key, _)| *key)
    }

    fn place(&self, arm: ArmId) -> Result<usize, usize> {
        self.slots.binary_search_by_key(&arm, |(key, _)| key.arm)
    }

    /// Begins a life, its first or its next.
    pub(crate) fn add(&mut self, arm: ArmId, held: T) -> Result<ArmKey, ArmError> {
        let Err(place) = self.place(arm) else {
            return Err(ArmError::Living { arm });
        };
        let key = self.retired.next(arm).ok_or(ArmError::UsedUp { arm })?;
        self.slots.insert(place, (key, held));
        Ok(key)
    }

    /// Ends a life; the last one cannot be.
    pub(crate) fn retire(&mut self, arm: ArmId) -> Result<ArmKey, ArmError> {
        let place = self.place(arm).map_err(|_| ArmError::NotLiving { arm })?;
        if self.slots.len() == 1 {
            return Err(ArmError::NoArms);
        }
        let (key, _) = self.slots.remove(place);
        self.retired.end(key);
        Ok(key)
    }

    /// Ends a life and begins the next.
    pub(crate) fn restart(&mut self, arm: ArmId, held: T) -> Result<ArmKey, ArmError> {
        let place = self.place(arm).map_err(|_| ArmError::NotLiving { arm })?;
        let slot = &mut self.slots[place];
        let generation = slot.0.generation.next();
        let generation = generation.ok_or(ArmError::UsedUp { arm })?;
        *slot = (ArmKey { arm, generation }, held);
        Ok(slot.0)
    }

    /// The place of a life, or why feedback for it is refused.
    pub(crate) fn check(&self, key: ArmKey) -> Result<usize, FeedbackError> {
        let place = self.place(key.arm).ok();
        let live = place.and_then(|place| self.slots.get(place));
        self.retired
            .check(key, live.map(|(key, _)| key.generation))?;
        Ok(place.expect("a key that passes the check lives"))
    }

    pub(crate) fn all(&self) -> Eligible {
        Eligible::from_rising(self.slots.iter().map(|(key, _)| key.arm))
            .expect("a policy has at least one arm")
    }

    pub(crate) fn eligible(
        &self,
        mut keep: impl FnMut(ArmId) -> bool,
    ) -> Result<Eligible, SelectError> {
        let arms = self.slots.iter().map(|(key, _)| key.arm);
        Eligible::from_rising(arms.filter(|&arm| keep(arm))).ok_or(SelectError::NoneEligible {
            arms: self.slots.len(),
        })
    }

    /// What is held of the eligible arms, in their order.
    pub(crate) fn held<'a>(&'a self, eligible: &Eligible) -> Result<Vec<&'a T>, SelectError> {
        let mut slots = self.slots.iter();
        let held = eligible.iter().map(|arm| {
            slots
                .by_ref()
                .find(|(key, _)| key.arm >= arm)
                .filter(|(key, _)| key.arm == arm)
                .map(|(_, held)| held)
                .ok_or(SelectError::NotLiving { arm })
        });
        held.collect()
    }
}
