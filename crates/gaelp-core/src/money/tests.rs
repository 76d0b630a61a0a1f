use super::*;
use ParseMoneyError::{Empty, NotFinite, OutOfRange, TooPrecise};

fn unexpected_at(found: char, position: usize) -> ParseMoneyError {
    ParseMoneyError::UnexpectedCharacter { found, position }
}

#[test]
fn plain_decimals_are_read_exactly() {
    let table: [(&str, i64); 24] = [
        ("0", 0),
        ("-0", 0),
        ("+0.000000", 0),
        ("12", 12_000_000),
        ("12.34", 12_340_000),
        ("0.01", 10_000),
        ("0.000001", 1),
        ("-0.000001", -1),
        ("-0.5", -500_000),
        ("+3", 3_000_000),
        (".5", 500_000),
        ("-.5", -500_000),
        ("5.", 5_000_000),
        ("+5.", 5_000_000),
        ("007.50", 7_500_000),
        ("00000000000000000000000000001", 1_000_000),
        ("1.000000", 1_000_000),
        // Zeros past the sixth place say nothing more.
        ("1.0000000000000000000000000000", 1_000_000),
        ("-1.2345670", -1_234_567),
        ("999999999999.999999", 999_999_999_999_999_999),
        ("9223372036854.775807", i64::MAX),
        ("9223372036854.7758070", i64::MAX),
        ("-9223372036854.775807", -i64::MAX),
        ("-9223372036854.775808", i64::MIN),
    ];
    for (text, micros) in table {
        assert_eq!(text.parse(), Ok(Micros::new(micros)), "{text:?}");
        assert_eq!(
            Micros::parse_rounded(text),
            Ok(Micros::new(micros)),
            "{text:?}"
        );
    }
}

#[test]
fn what_is_no_plain_decimal_is_refused() {
    let table = [
        ("", Empty),
        ("-", Empty),
        ("+", Empty),
        (".", Empty),
        ("-.", Empty),
        ("NaN", NotFinite),
        ("nan", NotFinite),
        ("-NaN", NotFinite),
        ("inf", NotFinite),
        ("-Infinity", NotFinite),
        ("∞", NotFinite),
        (" 1", unexpected_at(' ', 1)),
        ("1 ", unexpected_at(' ', 2)),
        ("1\n", unexpected_at('\n', 2)),
        ("--1", unexpected_at('-', 2)),
        ("+-1", unexpected_at('-', 2)),
        ("1-", unexpected_at('-', 2)),
        ("1e5", unexpected_at('e', 2)),
        ("1,000", unexpected_at(',', 2)),
        ("1,5", unexpected_at(',', 2)),
        ("1.2.3", unexpected_at('.', 4)),
        ("1..2", unexpected_at('.', 3)),
        ("0x10", unexpected_at('x', 2)),
        ("1_000", unexpected_at('_', 2)),
        ("$5", unexpected_at('$', 1)),
        ("5 €", unexpected_at(' ', 2)),
        ("5€", unexpected_at('€', 2)),
        // A digit in another script, a minus sign of typography, a full-width digit.
        ("९", unexpected_at('९', 1)),
        ("−1", unexpected_at('−', 1)),
        ("1５", unexpected_at('５', 2)),
        ("infinite", unexpected_at('i', 1)),
        ("\u{feff}1", unexpected_at('\u{feff}', 1)),
        ("1\0", unexpected_at('\0', 2)),
        ("9223372036854.775808", OutOfRange),
        ("-9223372036854.775809", OutOfRange),
        ("9223372036855", OutOfRange),
        ("-9223372036855", OutOfRange),
        ("99999999999999999999999999999999", OutOfRange),
    ];
    for (text, error) in table {
        assert_eq!(text.parse::<Micros>(), Err(error), "{text:?}");
        assert_eq!(Micros::parse_rounded(text), Err(error), "{text:?}");
    }
}

#[test]
fn digits_past_the_sixth_are_refused_or_rounded_half_to_even() {
    let table = [
        ("0.0000001", 0),
        ("0.0000005", 0),
        ("-0.0000005", 0),
        ("0.0000005000000000000000000000000001", 1),
        ("0.00000051", 1),
        ("-0.00000051", -1),
        ("0.0000015", 2),
        ("0.0000025", 2),
        ("-0.0000015", -2),
        ("-0.0000025", -2),
        ("0.0000024999999999999999999999999999", 2),
        ("0.9999995", 1_000_000),
        ("0.9999994", 999_999),
        ("1.429999948", 1_430_000),
        ("19.99000072479248", 19_990_001),
        ("9223372036854.7758069", i64::MAX),
        ("9223372036854.77580749999", i64::MAX),
        ("-9223372036854.7758075", i64::MIN),
        ("-9223372036854.7758085", i64::MIN),
    ];
    for (text, micros) in table {
        assert_eq!(text.parse::<Micros>(), Err(TooPrecise), "{text:?}");
        assert_eq!(
            Micros::parse_rounded(text),
            Ok(Micros::new(micros)),
            "{text:?}"
        );
    }
    for text in ["9223372036854.7758075", "-9223372036854.77580851"] {
        assert_eq!(Micros::parse_rounded(text), Err(OutOfRange), "{text:?}");
    }
}

#[test]
fn amounts_print_with_two_to_six_decimals() {
    let table = [
        (0, "0.00"),
        (1, "0.000001"),
        (-1, "-0.000001"),
        (10_000, "0.01"),
        (100_000, "0.10"),
        (-500_000, "-0.50"),
        (12_345_600, "12.3456"),
        (1_000_000_000, "1000.00"),
        (i64::MAX, "9223372036854.775807"),
        (i64::MIN, "-9223372036854.775808"),
    ];
    for (micros, text) in table {
        assert_eq!(Micros::new(micros).to_string(), text);
    }
}

#[test]
fn amounts_print_as_numbers_do() {
    let (plus, minus) = (Micros::new(1_500_000), Micros::new(-1_500_000));
    assert_eq!(format!("[{plus:8}]"), "[    1.50]");
    assert_eq!(format!("[{plus:<8}]"), "[1.50    ]");
    assert_eq!(format!("[{plus:^8}]"), "[  1.50  ]");
    assert_eq!(format!("[{plus:*>8}]"), "[****1.50]");
    assert_eq!(format!("[{minus:08}]"), "[-0001.50]");
    assert_eq!(format!("[{plus:+}]"), "[+1.50]");
    assert_eq!(format!("[{minus:+}]"), "[-1.50]");
    assert_eq!(format!("[{plus:2}]"), "[1.50]");
}

#[test]
fn arithmetic_stops_at_the_ends() {
    let (min, one) = (Micros::new(i64::MIN), Micros::new(1));
    assert_eq!(Micros::MAX.checked_add(one), None);
    assert_eq!(min.checked_sub(one), None);
    assert_eq!(min.checked_neg(), None);
    assert_eq!(min.checked_add(Micros::MAX), Some(Micros::new(-1)));
    assert_eq!(Micros::MAX.checked_mul(2), None);
    assert_eq!(min.checked_mul(-1), None);
    assert_eq!(min.checked_div(-1, Rounding::Down), None);
    assert_eq!(min.checked_div(1, Rounding::Up), Some(min));
    assert_eq!(one.checked_div(0, Rounding::HalfEven), None);
    assert_eq!(
        Micros::MAX.checked_scale(Ratio::from_ppm(1_000_001), Rounding::Down),
        None
    );
    assert_eq!(
        Micros::MAX.checked_scale(Ratio::ONE, Rounding::Up),
        Some(Micros::MAX)
    );
    assert_eq!(Micros::from_major(i64::MAX), None);
    assert_eq!(Micros::from_major(-2), Some(Micros::new(-2_000_000)));
    assert_eq!(Micros::checked_sum([Micros::MAX, one]), None);
    assert_eq!(Micros::checked_sum([]), Some(Micros::ZERO));
}

#[test]
fn quotients_are_rounded_as_asked() {
    // Numerator, parts, down, up, half to even.
    let table = [
        (7, 2, 3, 4, 4),
        (5, 2, 2, 3, 2),
        (-7, 2, -4, -3, -4),
        (-5, 2, -3, -2, -2),
        (7, -2, -4, -3, -4),
        (-7, -2, 3, 4, 4),
        (6, 3, 2, 2, 2),
        (-6, 3, -2, -2, -2),
        (1, 3, 0, 1, 0),
        (2, 3, 0, 1, 1),
        (-1, 3, -1, 0, 0),
        (-2, 3, -1, 0, -1),
    ];
    for (amount, parts, down, up, even) in table {
        let by = |rounding| Micros::new(amount).checked_div(parts, rounding);
        assert_eq!(
            by(Rounding::Down),
            Some(Micros::new(down)),
            "{amount} / {parts}"
        );
        assert_eq!(
            by(Rounding::Up),
            Some(Micros::new(up)),
            "{amount} / {parts}"
        );
        assert_eq!(
            by(Rounding::HalfEven),
            Some(Micros::new(even)),
            "{amount} / {parts}"
        );
    }
}

#[test]
fn a_quantum_is_never_exceeded() {
    let floor = |amount, quantum| Micros::new(amount).floor_to(Micros::new(quantum));
    assert_eq!(floor(1_239_999, 10_000), Some(Micros::new(1_230_000)));
    assert_eq!(floor(1_230_000, 10_000), Some(Micros::new(1_230_000)));
    assert_eq!(floor(-1, 10_000), Some(Micros::new(-10_000)));
    assert_eq!(floor(i64::MIN, 1), Some(Micros::new(i64::MIN)));
    assert_eq!(floor(i64::MIN, 3), None);
    assert_eq!(floor(5, 0), None);
    assert_eq!(floor(5, -1), None);
}

#[test]
fn json_holds_the_count_of_micros() {
    let json = serde_json::to_string(&Micros::new(-1_500_000)).unwrap();
    assert_eq!(json, "-1500000");
    assert_eq!(
        serde_json::from_str::<Micros>(&json).unwrap(),
        Micros::new(-1_500_000)
    );
    assert!(serde_json::from_str::<Micros>("1.5").is_err());
    assert!(serde_json::from_str::<Micros>("9223372036854775808").is_err());
}
