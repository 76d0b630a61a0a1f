//! Money as integer micros.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Ratio;

/// Micros in one major unit.
const PER_UNIT: i64 = 1_000_000;
/// Decimal places that micros can hold.
const PLACES: usize = 6;

/// An amount of money: a count of millionths of the account's currency unit.
///
/// **Units.** `Micros::new(1_500_000)` is 1.50 dollars, euros or yen. The currency stands beside
/// it, in [`Money`](crate::Money) or in the configuration; a bare `Micros` is in the account's currency.
///
/// **Serde.** The count of micros, an integer: `1500000`, not `1.5`.
///
/// There is no `+`: every operation is checked, because a budget that wraps is a budget spent.
///
/// ```
/// use gaelp_core::Micros;
///
/// let spend: Micros = "12.34".parse()?;
/// assert_eq!(spend, Micros::new(12_340_000));
/// assert_eq!(spend.checked_add(Micros::new(1)), Some(Micros::new(12_340_001)));
/// assert_eq!(Micros::MAX.checked_add(spend), None);
/// assert_eq!(spend.to_string(), "12.34");
/// # Ok::<(), gaelp_core::ParseMoneyError>(())
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Micros(i64);

/// What to do with the part of a product that micros cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Toward negative infinity: the safe side for what may be spent.
    Down,
    /// Toward positive infinity: the safe side for what may be owed.
    Up,
    /// To the nearest, ties to the even neighbour: for figures shown to people.
    HalfEven,
}

impl Micros {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount, about 9.2 trillion major units.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount from its count of millionths.
    pub const fn new(micros: i64) -> Self {
        Self(micros)
    }

    /// An amount in whole major units, or `None` past the range.
    ///
    /// ```
    /// # use gaelp_core::Micros;
    /// assert_eq!(Micros::from_major(10), Some(Micros::new(10_000_000)));
    /// ```
    pub const fn from_major(units: i64) -> Option<Self> {
        match units.checked_mul(PER_UNIT) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// The count of millionths.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// The difference, or `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// The amount with its sign turned, or `None` for the one amount that has no negative.
    pub const fn checked_neg(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// The amount taken `times` times, or `None` on overflow.
    pub const fn checked_mul(self, times: i64) -> Option<Self> {
        match self.0.checked_mul(times) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// One of `parts` equal parts, rounded; `None` where `parts` is zero, and on overflow.
    ///
    /// ```
    /// # use gaelp_core::{Micros, Rounding};
    /// let day = Micros::new(10_000_000);
    /// assert_eq!(day.checked_div(24, Rounding::Down), Some(Micros::new(416_666)));
    /// assert_eq!(day.checked_div(0, Rounding::Down), None);
    /// ```
    pub fn checked_div(self, parts: i64, rounding: Rounding) -> Option<Self> {
        divide(i128::from(self.0), i128::from(parts), rounding)
    }

    /// The amount times a ratio, rounded; `None` on overflow.
    ///
    /// ```
    /// # use gaelp_core::{Micros, Ratio, Rounding};
    /// let budget = Micros::new(1_000_001);
    /// let half = Ratio::from_ppm(500_000);
    /// assert_eq!(budget.checked_scale(half, Rounding::Down), Some(Micros::new(500_000)));
    /// assert_eq!(budget.checked_scale(half, Rounding::Up), Some(Micros::new(500_001)));
    /// ```
    pub fn checked_scale(self, ratio: Ratio, rounding: Rounding) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(ratio.ppm());
        divide(product, i128::from(PER_UNIT), rounding)
    }

    /// The largest multiple of `quantum` that is not above the amount; `None` where the quantum
    /// is not positive, and on overflow.
    ///
    /// ```
    /// # use gaelp_core::Micros;
    /// let cent = Micros::new(10_000);
    /// assert_eq!(Micros::new(1_239_999).floor_to(cent), Some(Micros::new(1_230_000)));
    /// ```
    pub fn floor_to(self, quantum: Self) -> Option<Self> {
        if quantum.0 <= 0 {
            return None;
        }
        self.0.checked_sub(self.0.rem_euclid(quantum.0)).map(Self)
    }

    /// The sum of many amounts, or `None` on overflow.
    pub fn checked_sum<I: IntoIterator<Item = Self>>(amounts: I) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// The amount in major units as a float: for statistics and charts, never for money.
    #[expect(
        clippy::cast_precision_loss,
        reason = "statistics; exact below 9 billion units"
    )]
    pub fn to_major_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Reads a decimal amount in major units and rounds what micros cannot hold, half to even.
    ///
    /// For sources that print binary floats (`1.429999948`). Where digits past the sixth mean a
    /// mistake, use [`str::parse`], which refuses them.
    ///
    /// ```
    /// # use gaelp_core::{Micros, ParseMoneyError};
    /// assert_eq!(Micros::parse_rounded("1.429999948")?, Micros::new(1_430_000));
    /// assert_eq!("1.429999948".parse::<Micros>(), Err(ParseMoneyError::TooPrecise));
    /// # Ok::<(), ParseMoneyError>(())
    /// ```
    ///
    /// # Errors
    /// As [`str::parse`], without [`ParseMoneyError::TooPrecise`].
    pub fn parse_rounded(text: &str) -> Result<Self, ParseMoneyError> {
        parse(text, true)
    }
}

fn divide(numerator: i128, denominator: i128, rounding: Rounding) -> Option<Micros> {
    if denominator == 0 {
        return None;
    }
    let floor = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator);
    // `div_euclid` rounds down only for a positive denominator.
    let (floor, rest, size) = if denominator > 0 {
        (floor, rest, denominator)
    } else if rest == 0 {
        (floor, 0, -denominator)
    } else {
        (floor - 1, -denominator - rest, -denominator)
    };
    let up = match rounding {
        Rounding::Down => false,
        Rounding::Up => rest != 0,
        Rounding::HalfEven => rest * 2 > size || (rest * 2 == size && floor % 2 != 0),
    };
    i64::try_from(floor + i128::from(up)).ok().map(Micros)
}

impl fmt::Display for Micros {
    /// Prints major units with at least two decimals and no more than needed: `12.34`, `0.000001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.unsigned_abs() / PER_UNIT.unsigned_abs();
        let fraction = self.0.unsigned_abs() % PER_UNIT.unsigned_abs();
        let digits = format!("{fraction:06}");
        let kept = digits.trim_end_matches('0').len().max(2);
        let text = format!("{whole}.{}", &digits[..kept]);
        f.pad_integral(self.0 >= 0, "", &text)
    }
}

impl FromStr for Micros {
    type Err = ParseMoneyError;

    /// Reads a decimal amount in major units: digits, one `.`, an optional sign, nothing else.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text, false)
    }
}

/// Why a text is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseMoneyError {
    /// There was no digit.
    #[error("no digits")]
    Empty,
    /// `NaN` or an infinity, written out.
    #[error("not a finite number")]
    NotFinite,
    /// A character that does not belong into a plain decimal number.
    #[error("unexpected {found:?} at character {position}")]
    UnexpectedCharacter {
        /// The character.
        found: char,
        /// Its place, counted from 1.
        position: usize,
    },
    /// More than six decimal places that are not zero.
    #[error("more than six decimal places")]
    TooPrecise,
    /// Outside of what 64-bit micros hold.
    #[error("amount out of range")]
    OutOfRange,
}

fn parse(text: &str, round: bool) -> Result<Micros, ParseMoneyError> {
    let bytes = text.as_bytes();
    let (negative, start) = match bytes.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let mut micros: i64 = 0;
    let mut places: Option<usize> = None;
    let mut digits = 0_usize;
    // What follows the sixth place, as a number compared with one half.
    let (mut next_digit, mut tail) = (0_u8, false);
    for (index, &byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                let digit = byte - b'0';
                match &mut places {
                    Some(place) if *place >= PLACES => {
                        if *place == PLACES {
                            next_digit = digit;
                        } else {
                            tail |= digit != 0;
                        }
                        *place += 1;
                        continue;
                    }
                    Some(place) => *place += 1,
                    None => {}
                }
                // Counted downwards, so that the most negative amount can be read.
                micros = micros
                    .checked_mul(10)
                    .and_then(|m| m.checked_sub(i64::from(digit)))
                    .ok_or(ParseMoneyError::OutOfRange)?;
            }
            b'.' if places.is_none() => places = Some(0),
            _ => return Err(unexpected(text, index)),
        }
    }
    if digits == 0 {
        return Err(ParseMoneyError::Empty);
    }
    let missing = PLACES.saturating_sub(places.unwrap_or(0));
    for _ in 0..missing {
        micros = micros.checked_mul(10).ok_or(ParseMoneyError::OutOfRange)?;
    }
    if next_digit != 0 || tail {
        if !round {
            return Err(ParseMoneyError::TooPrecise);
        }
        let above_half = next_digit > 5 || (next_digit == 5 && (tail || micros % 2 != 0));
        if above_half {
            micros = micros.checked_sub(1).ok_or(ParseMoneyError::OutOfRange)?;
        }
    }
    let micros = if negative {
        Some(micros)
    } else {
        micros.checked_neg()
    };
    micros.map(Micros).ok_or(ParseMoneyError::OutOfRange)
}

#[cold]
fn unexpected(text: &str, index: usize) -> ParseMoneyError {
    let body = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if matches!(body.as_str(), "nan" | "inf" | "infinity" | "∞") {
        return ParseMoneyError::NotFinite;
    }
    let found = text[index..].chars().next().unwrap_or('\u{fffd}');
    ParseMoneyError::UnexpectedCharacter {
        found,
        position: text[..index].chars().count() + 1,
    }
}

#[cfg(test)]
mod tests;
