//! Numbers as exports write them.

use gaelp_core::{Micros, ParseMoneyError, Quantity};

use crate::{Decimals, NumberFormat, ValueProblem};

/// What a kind of file is known about its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Decimal points, and commas only where they can mean nothing but thousands.
    Evident,
    /// One format.
    Format(NumberFormat),
}

impl Numbers {
    pub(crate) const PLAIN: Self = Self::Format(NumberFormat::Plain);

    fn format(self) -> NumberFormat {
        match self {
            Self::Evident => NumberFormat::CommaDot,
            Self::Format(format) => format,
        }
    }

    fn decimal_sign(self) -> char {
        match self.format() {
            NumberFormat::DotComma | NumberFormat::SpaceComma => ',',
            _ => '.',
        }
    }

    fn separates(self, found: char) -> bool {
        match self.format() {
            NumberFormat::Plain => false,
            NumberFormat::CommaDot | NumberFormat::Indian => found == ',',
            NumberFormat::DotComma => found == '.',
            NumberFormat::SpaceComma => matches!(found, ' ' | '\u{a0}' | '\u{202f}'),
            NumberFormat::ApostropheDot => matches!(found, '\'' | '’'),
        }
    }
}

/// Whether the column holds whole numbers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Decimal,
}

/// Reads numbers; keeps a buffer for those that are not plain.
#[derive(Debug, Default)]
pub(crate) struct NumberReader {
    plain: String,
}

impl NumberReader {
    /// An amount in major units, of either sign.
    pub(crate) fn amount(
        &mut self,
        text: &str,
        numbers: Numbers,
        decimals: Decimals,
    ) -> Result<Micros, ValueProblem> {
        let plain = self.plain(text, numbers, Wanted::Decimal)?;
        parse(plain, decimals).map_err(|error| problem(text, numbers, error))
    }

    /// An amount that is not below zero.
    pub(crate) fn money(
        &mut self,
        text: &str,
        numbers: Numbers,
        decimals: Decimals,
    ) -> Result<Micros, ValueProblem> {
        let amount = self.amount(text, numbers, decimals)?;
        if amount.is_negative() {
            return Err(ValueProblem::Negative);
        }
        Ok(amount)
    }

    /// A count that may be fractional.
    pub(crate) fn quantity(
        &mut self,
        text: &str,
        numbers: Numbers,
        decimals: Decimals,
    ) -> Result<Quantity, ValueProblem> {
        let amount = self.amount(text, numbers, decimals)?;
        let millionths = u64::try_from(amount.get()).map_err(|_| ValueProblem::Negative)?;
        Ok(Quantity::from_millionths(millionths))
    }

    /// A whole count; decimals that are zero (`12.0`) are taken.
    pub(crate) fn count(&mut self, text: &str, numbers: Numbers) -> Result<u64, ValueProblem> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().map_err(|_| ValueProblem::OutOfRange);
        }
        let plain = self.plain(text, numbers, Wanted::Whole)?;
        let parsed = parse(plain, Decimals::Exact);
        let amount = match parsed {
            Err(ParseMoneyError::TooPrecise) => return Err(ValueProblem::NotWhole),
            other => other.map_err(|error| problem(text, numbers, error))?,
        };
        let millionths = u64::try_from(amount.get()).map_err(|_| ValueProblem::Negative)?;
        if millionths % 1_000_000 != 0 {
            return Err(ValueProblem::NotWhole);
        }
        Ok(millionths / 1_000_000)
    }

    /// An amount in whole micros, as the Google Ads API gives it.
    pub(crate) fn micros(&mut self, text: &str, numbers: Numbers) -> Result<Micros, ValueProblem> {
        let count = self.count(text, numbers)?;
        let micros = i64::try_from(count).map_err(|_| ValueProblem::OutOfRange)?;
        Ok(Micros::new(micros))
    }

    /// The number as digits with a decimal point.
    fn plain<'a>(
        &'a mut self,
        text: &'a str,
        numbers: Numbers,
        wanted: Wanted,
    ) -> Result<&'a str, ValueProblem> {
        let sign = numbers.decimal_sign();
        let is_plain = |b: u8| b.is_ascii_digit() || b == b'.';
        let body = text.strip_prefix(['-', '+']).unwrap_or(text);
        if body.bytes().all(is_plain) && sign == '.' {
            return Ok(text);
        }
        let (whole, fraction) = match body.split_once(sign) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (body, None),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let known = |c: char| c.is_ascii_digit() || numbers.separates(c);
        if !whole.chars().all(known) || !fraction.is_none_or(digits) {
            return Err(unexpected(text, numbers));
        }
        if !digits(whole) {
            let separators = whole.chars().filter(|&c| numbers.separates(c)).count();
            if !makes_thousands(whole, numbers) {
                let format = numbers.format();
                return Err(ValueProblem::Grouping { format });
            }
            let one_meaning = separators > 1 || fraction.is_some() || wanted == Wanted::Whole;
            if numbers == Numbers::Evident && !one_meaning {
                return Err(ValueProblem::Ambiguous);
            }
        }
        self.plain.clear();
        self.plain
            .extend(text.chars().take_while(|c| matches!(c, '-' | '+')));
        self.plain
            .extend(whole.chars().filter(char::is_ascii_digit));
        if let Some(fraction) = fraction {
            self.plain.push('.');
            self.plain.push_str(fraction);
        }
        Ok(&self.plain)
    }
}

fn parse(plain: &str, decimals: Decimals) -> Result<Micros, ParseMoneyError> {
    match decimals {
        Decimals::Exact => plain.parse(),
        Decimals::Round => Micros::parse_rounded(plain),
    }
}

/// Whether the separators stand where the format puts them.
fn makes_thousands(whole: &str, numbers: Numbers) -> bool {
    let mut groups: Vec<usize> = whole
        .split(|c| numbers.separates(c))
        .map(str::len)
        .collect();
    let inner = if numbers.format() == NumberFormat::Indian {
        2
    } else {
        3
    };
    let last = groups.pop();
    let first = (!groups.is_empty()).then(|| groups.remove(0));
    last == Some(3)
        && first.is_none_or(|first| (1..=inner).contains(&first))
        && groups.iter().all(|&group| group == inner)
}

#[cold]
fn problem(text: &str, numbers: Numbers, error: ParseMoneyError) -> ValueProblem {
    match error {
        ParseMoneyError::TooPrecise => ValueProblem::TooPrecise,
        ParseMoneyError::OutOfRange => ValueProblem::OutOfRange,
        ParseMoneyError::NotFinite => ValueProblem::NotFinite,
        _ => unexpected(text, numbers),
    }
}

/// What is wrong with a text that is no number, in terms of the text as it stands in the file.
#[cold]
fn unexpected(text: &str, numbers: Numbers) -> ValueProblem {
    let body = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if matches!(body.as_str(), "nan" | "inf" | "infinity" | "∞") {
        return ValueProblem::NotFinite;
    }
    if is_exponent(&body) {
        return ValueProblem::Exponent;
    }
    let sign = numbers.decimal_sign();
    let mut signs = 0;
    let wrong = text.chars().enumerate().find(|&(index, c)| {
        signs += usize::from(c == sign);
        let fits = c.is_ascii_digit()
            || (c == sign && signs == 1)
            || (numbers.separates(c) && signs == 0)
            || (matches!(c, '+' | '-') && index == 0);
        !fits
    });
    // Where each character fits, digits are missing: its last one is where they should be.
    let last = || text.chars().enumerate().last();
    let (index, found) = wrong.or_else(last).unwrap_or((0, ' '));
    ValueProblem::NotANumber {
        format: numbers.format(),
        found,
        position: index + 1,
    }
}

fn is_exponent(body: &str) -> bool {
    let Some((mantissa, exponent)) = body.split_once('e') else {
        return false;
    };
    let exponent = exponent.trim_start_matches(['+', '-']);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    mantissa.starts_with(|c: char| c.is_ascii_digit() || c == '.') && digits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, numbers: Numbers) -> Result<String, ValueProblem> {
        let amount = NumberReader::default().amount(text, numbers, Decimals::Exact)?;
        Ok(amount.to_string())
    }

    #[test]
    fn each_format_reads_its_own_way_of_writing() {
        for (format, text) in [
            (NumberFormat::Plain, "1234567.89"),
            (NumberFormat::CommaDot, "1,234,567.89"),
            (NumberFormat::DotComma, "1.234.567,89"),
            (NumberFormat::SpaceComma, "1 234\u{a0}567,89"),
            (NumberFormat::SpaceComma, "1\u{202f}234\u{202f}567,89"),
            (NumberFormat::ApostropheDot, "1'234’567.89"),
            (NumberFormat::Indian, "12,34,567.89"),
        ] {
            let numbers = Numbers::Format(format);
            assert_eq!(read(text, numbers).as_deref(), Ok("1234567.89"), "{format}");
            let negative = format!("-{text}");
            assert_eq!(
                read(&negative, numbers).as_deref(),
                Ok("-1234567.89"),
                "{format}"
            );
            assert_eq!(read("7", numbers).as_deref(), Ok("7.00"), "{format}");
        }
    }

    #[test]
    fn what_is_evident_and_what_is_not() {
        let read = |text| read(text, Numbers::Evident);
        assert_eq!(read("1,250.50").as_deref(), Ok("1250.50"));
        assert_eq!(read("1,234,567").as_deref(), Ok("1234567.00"));
        assert_eq!(read("1,234"), Err(ValueProblem::Ambiguous));
        let format = NumberFormat::CommaDot;
        assert_eq!(read("12,5"), Err(ValueProblem::Grouping { format }));
        assert_eq!(read("1,25,0.5"), Err(ValueProblem::Grouping { format }));
        assert_eq!(
            read("1.234,56"),
            Err(ValueProblem::NotANumber {
                format,
                found: ',',
                position: 6
            })
        );
        let count = NumberReader::default().count("1,234", Numbers::Evident);
        assert_eq!(count, Ok(1234));
    }

    #[test]
    fn what_is_no_number_is_named() {
        let read = |text| read(text, Numbers::PLAIN);
        let at = |found, position| {
            let format = NumberFormat::Plain;
            Err(ValueProblem::NotANumber {
                format,
                found,
                position,
            })
        };
        assert_eq!(read("1,250.50"), at(',', 2));
        assert_eq!(read("$12"), at('$', 1));
        assert_eq!(read("1.2.3"), at('.', 4));
        assert_eq!(read("-"), at('-', 1));
        assert_eq!(read("."), at('.', 1));
        assert_eq!(read("--5"), at('-', 2));
        assert_eq!(read("12 €"), at(' ', 3));
        assert_eq!(read("e5"), at('e', 1));
        assert_eq!(read("-NaN"), Err(ValueProblem::NotFinite));
        assert_eq!(read("Infinity"), Err(ValueProblem::NotFinite));
        assert_eq!(read("1.5E-7"), Err(ValueProblem::Exponent));
        assert_eq!(read("0.0000001"), Err(ValueProblem::TooPrecise));
        assert_eq!(read("9300000000000"), Err(ValueProblem::OutOfRange));
    }

    #[test]
    fn counts_are_whole() {
        let mut reader = NumberReader::default();
        assert_eq!(reader.count("12.000", Numbers::PLAIN), Ok(12));
        assert_eq!(
            reader.count("12.5", Numbers::PLAIN),
            Err(ValueProblem::NotWhole)
        );
        assert_eq!(
            reader.count("1.0000001", Numbers::PLAIN),
            Err(ValueProblem::NotWhole)
        );
        assert_eq!(
            reader.count("-1", Numbers::PLAIN),
            Err(ValueProblem::Negative)
        );
        assert_eq!(
            reader.count("18446744073709551615", Numbers::PLAIN),
            Ok(u64::MAX)
        );
        let past = reader.count("18446744073709551616", Numbers::PLAIN);
        assert_eq!(past, Err(ValueProblem::OutOfRange));
    }
}
