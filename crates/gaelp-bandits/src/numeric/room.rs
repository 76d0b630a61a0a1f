//! Room for numbers that are needed for a moment.

/// Up to so many stand on the stack.
pub(crate) const ON_STACK: usize = 256;
/// To clear room takes time, so there is less of it for so many.
const FEW: usize = 64;

/// Lends room for numbers, all zero. Where they are not many, nothing is allocated.
#[inline]
pub(crate) fn with_room<R>(numbers: usize, work: impl FnOnce(&mut [f64]) -> R) -> R {
    if numbers <= FEW {
        work(&mut [0.0; FEW][..numbers])
    } else if numbers <= ON_STACK {
        work(&mut [0.0; ON_STACK][..numbers])
    } else {
        work(&mut vec![0.0; numbers])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_empty_and_as_large_as_asked_for() {
        for numbers in [0, 1, FEW, FEW + 1, ON_STACK, ON_STACK + 1, 1000] {
            with_room(numbers, |room| {
                assert_eq!(room.len(), numbers);
                assert!(room.iter().all(|number| number.to_bits() == 0));
            });
        }
    }
}
