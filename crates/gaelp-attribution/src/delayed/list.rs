//! Short lists, mostly of one.

/// Slots; up to one of them without memory of its own.
#[derive(Clone, Debug)]
pub(super) enum List {
    One([u32; 1]),
    Many(Vec<u32>),
}

impl Default for List {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl List {
    #[inline]
    pub(super) fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }

    /// Adds a slot at a place.
    #[inline]
    pub(super) fn insert(&mut self, place: usize, slot: u32) {
        match self {
            Self::Many(many) if many.is_empty() => *self = Self::One([slot]),
            Self::Many(many) => many.insert(place, slot),
            Self::One([other]) => {
                let pair = if place == 0 {
                    [slot, *other]
                } else {
                    [*other, slot]
                };
                *self = Self::Many(pair.to_vec());
            }
        }
    }

    /// Adds a slot at the end.
    #[inline]
    pub(super) fn push(&mut self, slot: u32) {
        self.insert(self.as_slice().len(), slot);
    }

    /// Removes a slot.
    pub(super) fn remove(&mut self, slot: u32) {
        match self {
            Self::One([other]) if *other == slot => *self = Self::default(),
            Self::One(_) => {}
            Self::Many(many) => many.retain(|&other| other != slot),
        }
    }

    /// The bytes that it holds beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(many) => many.capacity() * size_of::<u32>(),
        }
    }
}
