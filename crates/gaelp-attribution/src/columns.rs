//! Journeys as columns: numbers of channels, and where each journey begins.

use gaelp_core::Micros;

use crate::{ChannelId, ColumnError};

mod integers;

pub use integers::{Code, Offset};

/// Many journeys in two columns, as query engines hold lists, without copying.
///
/// **Shape.** Journey `i` is `channels[offsets[i]..offsets[i + 1]]`, so there is one offset more
/// than there are journeys. Channels are numbers below the count given; 8, 16 or 32 bits will do,
/// as will offsets of 32 or 64 bits, signed or not.
///
/// ```
/// use gaelp_attribution::Journeys;
///
/// let journeys = Journeys::new(&[0_u8, 1, 1, 0], &[0_i32, 3, 3, 4], 2)?;
/// assert_eq!(journeys.len(), 3);
/// assert_eq!(journeys.get(0), Some(&[0, 1, 1][..]));
/// assert_eq!(journeys.get(1), Some(&[][..]));
/// # Ok::<(), gaelp_attribution::ColumnError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Journeys<'a, C, O> {
    channels: &'a [C],
    offsets: &'a [O],
    count: usize,
}

impl<'a, C: Code, O: Offset> Journeys<'a, C, O> {
    /// Journeys over `count` channels.
    ///
    /// **Cost.** One pass over both columns.
    ///
    /// # Errors
    /// [`ColumnError`] where there is no offset, offsets fall or leave the column, and where a
    /// channel or the count is too large.
    pub fn new(channels: &'a [C], offsets: &'a [O], count: usize) -> Result<Self, ColumnError> {
        if count > crate::Channels::MOST {
            return Err(ColumnError::TooManyChannels { count });
        }
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
            return Err(ColumnError::NoOffsets);
        };
        // A falling pair also catches what is below zero, for it reads as very large.
        // All pairs are compared before any is looked for, which is several times faster.
        let falls = |pair: (&O, &O)| pair.1.at() < pair.0.at();
        let pairs = || offsets.iter().zip(&offsets[1..]);
        if pairs().fold(false, |any, pair| any | falls(pair)) {
            let row = pairs().position(falls).unwrap_or_default();
            return Err(ColumnError::FallingOffsets { row });
        }
        let used = channels
            .get(first.at()..last.at())
            .ok_or(ColumnError::OffsetsBeyond {
                last: last.at(),
                touches: channels.len(),
            })?;
        if let Some(largest) = C::largest(used).filter(|&largest| largest >= count) {
            return Err(ColumnError::UnknownChannel {
                channel: largest,
                count,
            });
        }
        Ok(Self {
            channels,
            offsets,
            count,
        })
    }

    /// Journeys of columns that were well-formed from the beginning.
    pub(crate) const fn trusted(channels: &'a [C], offsets: &'a [O], count: usize) -> Self {
        Self {
            channels,
            offsets,
            count,
        }
    }

    /// How many journeys there are.
    pub const fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many channels are told apart.
    pub const fn channel_count(&self) -> usize {
        self.count
    }

    /// How many touches all journeys have.
    pub fn touches(&self) -> usize {
        self.range(self.len()).end - self.range(0).start
    }

    /// The channels of a journey.
    pub fn get(&self, index: usize) -> Option<&'a [C]> {
        (index < self.len()).then(|| &self.channels[self.range(index)])
    }

    /// The channels of every journey.
    pub fn iter(&self) -> impl Iterator<Item = &'a [C]> {
        let channels = self.channels;
        self.offsets
            .windows(2)
            .map(move |pair| &channels[pair[0].at()..pair[1].at()])
    }

    /// Where every journey stands in the column of channels.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.offsets
            .windows(2)
            .map(|pair| pair[0].at()..pair[1].at())
    }

    /// The part of the column of channels that journeys use.
    pub(crate) fn used(&self) -> &'a [C] {
        &self.channels[self.range(0).start..self.range(self.len()).end]
    }

    /// The column of channels.
    pub(crate) const fn column(&self) -> &'a [C] {
        self.channels
    }

    /// Where a journey stands in the column of channels; none past the last.
    pub(crate) fn range(&self, index: usize) -> std::ops::Range<usize> {
        let begin = self.offsets[index.min(self.len())].at();
        let end = self.offsets[(index + 1).min(self.len())].at();
        begin..end
    }
}

/// Journeys with what came of them: one row for each distinct path, or for each journey.
///
/// **Shape.** One entry per journey in every column.
/// **Units.** `values` are micros; they are the sum over all conversions of the row.
///
/// ```
/// use gaelp_attribution::{Journeys, PathTable};
///
/// let journeys = Journeys::new(&[0_u8, 1, 0], &[0_i32, 2, 3], 2)?;
/// let table = PathTable::new(journeys, &[3, 0], &[60_000_000, 0], &[10, 5])?;
/// assert_eq!((table.conversions(), table.nulls()), (3, 15));
/// # Ok::<(), gaelp_attribution::ColumnError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PathTable<'a, C, O> {
    journeys: Journeys<'a, C, O>,
    conversions: &'a [i64],
    values: &'a [i64],
    nulls: &'a [i64],
    sums: Sums,
}

/// What came of the journeys of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) conversions: u64,
    pub(crate) value: i64,
    pub(crate) nulls: u64,
}

impl<'a, C: Code, O: Offset> PathTable<'a, C, O> {
    /// Journeys with the conversions, their value and the journeys that did not convert.
    ///
    /// Rows of empty paths are allowed; they are credited to nothing.
    ///
    /// # Errors
    /// [`ColumnError`] for columns of different lengths, counts below zero, and where the sums
    /// or the sum of the values' sizes do not fit into 64 bits.
    pub fn new(
        journeys: Journeys<'a, C, O>,
        conversions: &'a [i64],
        values: &'a [i64],
        nulls: &'a [i64],
    ) -> Result<Self, ColumnError> {
        for (column, found) in [
            ("conversions", conversions.len()),
            ("values", values.len()),
            ("nulls", nulls.len()),
        ] {
            let expected = journeys.len();
            if found != expected {
                return Err(ColumnError::Length {
                    column,
                    found,
                    expected,
                });
            }
        }
        let sums = Sums::of(conversions, values, nulls)?;
        Ok(Self {
            journeys,
            conversions,
            values,
            nulls,
            sums,
        })
    }

    /// The journeys.
    pub const fn journeys(&self) -> &Journeys<'a, C, O> {
        &self.journeys
    }

    /// How many journeys converted.
    pub const fn conversions(&self) -> i64 {
        self.sums.conversions
    }

    /// What all conversions were worth.
    pub const fn value(&self) -> Micros {
        Micros::new(self.sums.value)
    }

    /// How many journeys did not convert.
    pub const fn nulls(&self) -> i64 {
        self.sums.nulls
    }

    /// Each path with what came of it.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'a [C], Outcome)> {
        let counts = self.conversions.iter().zip(self.values).zip(self.nulls);
        self.journeys
            .iter()
            .zip(counts)
            .map(|(path, ((&conversions, &value), &nulls))| {
                let outcome = Outcome {
                    conversions: conversions.unsigned_abs(),
                    value,
                    nulls: nulls.unsigned_abs(),
                };
                (path, outcome)
            })
    }

    /// For each row whether it converted and its value, where every row is one journey and only
    /// conversions have values.
    pub(crate) fn single(&self) -> Option<impl Iterator<Item = (bool, i64)> + 'a> {
        let (conversions, values) = (self.conversions, self.values);
        let row = move |(place, &count): (usize, &i64)| {
            let converted = count != 0;
            // Most rows did not convert, and their values need not be fetched.
            (converted, if converted { values[place] } else { 0 })
        };
        let simple = self.sums.is_single && !self.sums.has_stray_value;
        simple.then(|| conversions.iter().enumerate().map(row))
    }

    /// The value of every row.
    pub(crate) const fn values(&self) -> &'a [i64] {
        self.values
    }
}

/// What is known of the columns of a table.
#[derive(Clone, Copy, Debug)]
struct Sums {
    conversions: i64,
    value: i64,
    nulls: i64,
    /// Whether every row is one journey.
    is_single: bool,
    /// Whether a row without a conversion has a value.
    has_stray_value: bool,
}

impl Sums {
    /// One pass, several rows at a time; what it cannot be sure of is looked at again.
    fn of(conversions: &[i64], values: &[i64], nulls: &[i64]) -> Result<Self, ColumnError> {
        let (mut bits, mut sums) = ([0_u64; 3], [0_u64; 3]);
        let (mut value, mut other, mut stray) = (0_i64, 0_i64, 0_i64);
        for ((&converted, &worth), &nothing) in conversions.iter().zip(values).zip(nulls) {
            let row = [
                converted.cast_unsigned(),
                worth.unsigned_abs(),
                nothing.cast_unsigned(),
            ];
            for column in 0..3 {
                bits[column] |= row[column];
                sums[column] = sums[column].wrapping_add(row[column]);
            }
            value = value.wrapping_add(worth);
            other |= converted.wrapping_add(nothing) ^ 1;
            stray |= if converted == 0 { worth } else { 0 };
        }
        // With so few bits no sum can have wrapped.
        let rows = conversions.len() as u64;
        let sure = bits.map(|bits| bits.checked_mul(rows).is_some_and(|most| most >> 63 == 0));
        if sure != [true; 3] {
            check("conversions", conversions)?;
            check("nulls", nulls)?;
            // Sums of parts of the values, of any sign, then fit as well.
            let size: u128 = values.iter().map(|v| u128::from(v.unsigned_abs())).sum();
            i64::try_from(size).map_err(|_| ColumnError::Overflow { column: "values" })?;
        }
        let (converted, nothing) = (sums[0].cast_signed(), sums[2].cast_signed());
        converted
            .checked_add(nothing)
            .ok_or(ColumnError::Overflow { column: "nulls" })?;
        Ok(Self {
            conversions: converted,
            value,
            nulls: nothing,
            is_single: other == 0,
            has_stray_value: stray != 0,
        })
    }
}

/// Makes sure that counts are not below zero and that their sum fits.
fn check(column: &'static str, counts: &[i64]) -> Result<(), ColumnError> {
    if let Some(row) = counts.iter().position(|&count| count < 0) {
        return Err(ColumnError::Negative {
            column,
            row,
            count: counts[row],
        });
    }
    let total: i128 = counts.iter().map(|&count| i128::from(count)).sum();
    match i64::try_from(total) {
        Ok(_) => Ok(()),
        Err(_) => Err(ColumnError::Overflow { column }),
    }
}

/// The numbers of channels as their type.
pub(crate) fn ids<C: Code>(path: &[C], into: &mut Vec<ChannelId>) {
    into.clear();
    into.extend(path.iter().map(|code| code.id()));
}
