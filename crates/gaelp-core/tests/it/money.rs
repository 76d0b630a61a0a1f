//! Amounts: reading, printing, rounding.

use gaelp_core::{Micros, ParseMoneyError, Ratio, Rounding};
use proptest::prelude::*;

/// Any amount, the ends of the range more often than chance would have it.
pub(crate) fn any_micros() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => any::<i64>(),
        4 => -10_000_000_000..10_000_000_000_i64,
        1 => i64::MIN..i64::MIN + 1_000,
        1 => i64::MAX - 1_000..=i64::MAX,
        1 => -3..3_i64,
    ]
}

/// What a decimal of these digits is in micros, rounded half to even; `None` past the range.
fn decimal(negative: bool, whole: &str, fraction: &str) -> Option<i64> {
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = u32::try_from(fraction.len()).ok()?;
    let (numerator, denominator) = (digits * 1_000_000, 10_i128.pow(places));
    let twice = 2 * (numerator % denominator);
    let floor = numerator / denominator;
    let up = twice > denominator || (twice == denominator && floor % 2 == 1);
    let size = floor + i128::from(up);
    i64::try_from(if negative { -size } else { size }).ok()
}

/// Whether `rounded` is `numerator ÷ denominator` under the rule, told by the defining
/// inequalities rather than by dividing.
fn is_rounded(rounded: i64, numerator: i128, denominator: i128, rule: Rounding) -> bool {
    let (numerator, denominator) = if denominator < 0 {
        (-numerator, -denominator)
    } else {
        (numerator, denominator)
    };
    let rest = numerator - i128::from(rounded) * denominator;
    match rule {
        Rounding::Down => (0..denominator).contains(&rest),
        Rounding::Up => (0..denominator).contains(&-rest),
        Rounding::HalfEven => {
            let twice = 2 * rest.abs();
            twice < denominator || (twice == denominator && rounded % 2 == 0)
        }
    }
}

fn any_rounding() -> impl Strategy<Value = Rounding> {
    prop_oneof![
        Just(Rounding::Down),
        Just(Rounding::Up),
        Just(Rounding::HalfEven)
    ]
}

/// Nothing rounds into the range from more than a unit outside of it.
fn surely_outside(numerator: i128, denominator: i128) -> bool {
    (numerator / denominator).abs() >= i128::from(i64::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_is_printed_is_read_back(micros in any_micros()) {
        let amount = Micros::new(micros);
        let text = amount.to_string();
        prop_assert_eq!(text.parse(), Ok(amount));
        prop_assert_eq!(Micros::parse_rounded(&text), Ok(amount));
        prop_assert_eq!(format!("{amount:+}").parse(), Ok(amount));
        prop_assert_eq!(format!("{amount:030}").parse(), Ok(amount));
    }

    #[test]
    fn decimals_are_read_as_the_oracle_reads_them(
        sign in "[+-]?",
        whole in "[0-9]{1,14}",
        fraction in "[0-9]{0,12}|[0-9]{6}50{0,6}|[0-9]{6}0{0,6}",
        pointed in any::<bool>(),
    ) {
        let point = if pointed || !fraction.is_empty() { "." } else { "" };
        let text = format!("{sign}{whole}{point}{fraction}");
        let expected = decimal(sign == "-", &whole, &fraction).ok_or(ParseMoneyError::OutOfRange);
        prop_assert_eq!(Micros::parse_rounded(&text), expected.map(Micros::new));
        let exact = fraction.bytes().skip(6).all(|digit| digit == b'0');
        match text.parse::<Micros>() {
            Ok(amount) => prop_assert!(exact && Ok(amount) == expected.map(Micros::new)),
            Err(ParseMoneyError::TooPrecise) => prop_assert!(!exact),
            Err(error) => prop_assert_eq!(Err(error), expected),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,12}|[-+.0-9eE, ]{0,12}") {
        let plain = text.strip_prefix(['+', '-']).unwrap_or(&text);
        let points = plain.matches('.').count();
        let decimal = points <= 1
            && plain.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && plain.bytes().any(|b| b.is_ascii_digit());
        // Twelve characters are never past the range.
        prop_assert_eq!(Micros::parse_rounded(&text).is_ok(), decimal, "{:?}", text);
    }

    #[test]
    fn quotients_obey_their_rounding(
        amount in any_micros(),
        parts in prop_oneof![any::<i64>(), -100..100_i64],
        rule in any_rounding(),
    ) {
        let (numerator, denominator) = (i128::from(amount), i128::from(parts));
        match Micros::new(amount).checked_div(parts, rule) {
            Some(part) => prop_assert!(is_rounded(part.get(), numerator, denominator, rule)),
            None => prop_assert!(parts == 0 || surely_outside(numerator, denominator)),
        }
    }

    #[test]
    fn products_obey_their_rounding(
        amount in any_micros(),
        ppm in prop_oneof![any::<i64>(), -3_000_000..3_000_000_i64],
        rule in any_rounding(),
    ) {
        let product = i128::from(amount) * i128::from(ppm);
        match Micros::new(amount).checked_scale(Ratio::from_ppm(ppm), rule) {
            Some(scaled) => prop_assert!(is_rounded(scaled.get(), product, 1_000_000, rule)),
            None => prop_assert!(surely_outside(product, 1_000_000)),
        }
    }

    #[test]
    fn a_floor_is_the_multiple_below(
        amount in any_micros(),
        quantum in prop_oneof![1..=i64::MAX, 1..100_000_i64],
    ) {
        match Micros::new(amount).floor_to(Micros::new(quantum)) {
            Some(floor) => {
                prop_assert_eq!(floor.get() % quantum, 0);
                prop_assert!(floor.get() <= amount);
                prop_assert!(i128::from(amount) - i128::from(floor.get()) < i128::from(quantum));
            }
            None => prop_assert!(i128::from(amount) - i128::from(quantum) < i128::from(i64::MIN)),
        }
    }

    #[test]
    fn sums_and_differences_undo_each_other(a in any_micros(), b in any_micros()) {
        let (a, b) = (Micros::new(a), Micros::new(b));
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        if let Some(sum) = a.checked_add(b) {
            prop_assert_eq!(sum.checked_sub(b), Some(a));
        }
        if let Some(negative) = b.checked_neg() {
            prop_assert_eq!(a.checked_sub(b), a.checked_add(negative));
        }
    }
}
