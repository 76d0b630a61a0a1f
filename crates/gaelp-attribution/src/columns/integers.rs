//! The integers that columns may hold.

use crate::ChannelId;

/// A number of a channel in a column.
///
/// Implemented for the integers that columns hold; there is nothing to implement.
pub trait Code: Copy + sealed::Sealed + std::fmt::Debug {
    /// The number as an index; what is below zero becomes very large.
    #[doc(hidden)]
    fn index(self) -> usize;

    /// The largest number of a column.
    #[doc(hidden)]
    fn largest(column: &[Self]) -> Option<usize>;

    /// The number as a channel, once it is known to be one.
    #[doc(hidden)]
    fn id(self) -> ChannelId {
        ChannelId::new(u16::try_from(self.index()).unwrap_or(u16::MAX))
    }
}

/// A place in a column.
///
/// Implemented for the integers that columns hold; there is nothing to implement.
pub trait Offset: Copy + sealed::Sealed + std::fmt::Debug {
    /// The place as an index; what is below zero becomes very large.
    #[doc(hidden)]
    fn at(self) -> usize;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! codes {
    ($($type:ty),* $(,)?) => {$(
        impl sealed::Sealed for $type {}

        impl Code for $type {
            #[inline]
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_lossless,
                reason = "what is below zero is caught as too large"
            )]
            fn index(self) -> usize {
                self as usize
            }

            fn largest(column: &[Self]) -> Option<usize> {
                // Two plain folds, so that many entries are compared at a time.
                let most = column.iter().fold(<$type>::MIN, |most, &code| most.max(code));
                let least = column.iter().fold(<$type>::MAX, |least, &code| least.min(code));
                (!column.is_empty()).then(|| most.index().max(least.index()))
            }
        }
    )*};
}

macro_rules! offsets {
    ($($type:ty),* $(,)?) => {$(
        impl Offset for $type {
            #[inline]
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_lossless,
                reason = "columns are no longer than memory; below zero is caught as too large"
            )]
            fn at(self) -> usize {
                self as usize
            }
        }
    )*};
}

codes!(u8, u16, u32, i32);
offsets!(i32, u32, i64, u64, usize);

impl sealed::Sealed for i64 {}
impl sealed::Sealed for u64 {}
impl sealed::Sealed for usize {}
impl sealed::Sealed for ChannelId {}

impl Code for ChannelId {
    #[inline]
    fn index(self) -> usize {
        usize::from(self.get())
    }

    #[inline]
    fn id(self) -> ChannelId {
        self
    }

    fn largest(column: &[Self]) -> Option<usize> {
        column.iter().max().map(|channel| channel.index())
    }
}
