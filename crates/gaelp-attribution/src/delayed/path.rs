//! The touches that a conversion credits: mostly a few.

use std::ops::Deref;

/// Touches without memory of their own: with them the path takes half a cache line.
const SHORT: usize = 7;

/// Slots of credited touches, oldest first.
#[derive(Clone, Debug)]
pub(super) enum Path {
    Short(u8, [u32; SHORT]),
    Long(Box<[u32]>),
}

const _: () = assert!(size_of::<Path>() == 32);

impl Path {
    /// The bytes that it holds beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Short(..) => 0,
            Self::Long(slots) => size_of_val::<[u32]>(slots),
        }
    }
}

impl Default for Path {
    fn default() -> Self {
        Self::Short(0, [0; SHORT])
    }
}

impl Deref for Path {
    type Target = [u32];

    #[inline]
    fn deref(&self) -> &[u32] {
        match self {
            Self::Short(length, slots) => &slots[..usize::from(*length).min(SHORT)],
            Self::Long(slots) => slots,
        }
    }
}

impl FromIterator<u32> for Path {
    #[inline]
    fn from_iter<I: IntoIterator<Item = u32>>(slots: I) -> Self {
        let mut slots = slots.into_iter();
        let (mut length, mut short) = (0, [0; SHORT]);
        for room in &mut short {
            let Some(slot) = slots.next() else {
                return Self::Short(length, short);
            };
            *room = slot;
            length += 1;
        }
        match slots.next() {
            None => Self::Short(length, short),
            Some(next) => Self::Long(short.into_iter().chain([next]).chain(slots).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, SHORT};

    #[test]
    fn it_holds_what_it_was_given() {
        for length in 0..22_u32 {
            let slots: Vec<u32> = (0..length).map(|slot| slot * 7 + 1).collect();
            let path: Path = slots.iter().copied().collect();
            assert_eq!(*path, slots);
            assert_eq!(path.bytes() > 0, slots.len() > SHORT);
        }
        assert!(Path::default().is_empty());
    }
}
