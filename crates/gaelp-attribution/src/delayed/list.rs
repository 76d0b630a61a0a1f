//! Short lists, mostly of one.

/// Slots; up to one of them without memory of its own.
#[derive(Clone, Debug, Default)]
pub(super) enum List {
    #[default]
    Empty,
    One([u32; 1]),
    #[expect(
        clippy::box_collection,
        reason = "half as large, where most are of one"
    )]
    Many(Box<Vec<u32>>),
}

const _: () = assert!(size_of::<List>() == 16);

impl List {
    #[inline]
    pub(super) fn as_slice(&self) -> &[u32] {
        match self {
            Self::Empty => &[],
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }

    /// Adds a slot at a place.
    #[inline]
    pub(super) fn insert(&mut self, place: usize, slot: u32) {
        match self {
            Self::Empty => *self = Self::One([slot]),
            Self::Many(many) => many.insert(place, slot),
            Self::One([other]) => {
                let pair = if place == 0 {
                    [slot, *other]
                } else {
                    [*other, slot]
                };
                *self = Self::Many(Box::new(pair.to_vec()));
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
            Self::One([other]) if *other == slot => *self = Self::Empty,
            Self::Empty | Self::One(_) => {}
            Self::Many(many) => {
                many.retain(|&other| other != slot);
                if many.is_empty() {
                    *self = Self::Empty;
                }
            }
        }
    }

    /// The bytes that it holds beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Empty | Self::One(_) => 0,
            Self::Many(many) => size_of::<Vec<u32>>() + many.capacity() * size_of::<u32>(),
        }
    }
}
