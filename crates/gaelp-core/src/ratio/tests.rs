use super::*;

#[test]
fn decimals_become_parts_per_million() {
    let table = [
        (0.0, 0),
        (-0.0, 0),
        (1.0, 1_000_000),
        (0.1, 100_000),
        (-0.1, -100_000),
        (1.5, 1_500_000),
        (0.000_001, 1),
        (0.333_333, 333_333),
        (9e6, 9_000_000_000_000),
        // What a few additions make of decimals.
        (0.1 + 0.2, 300_000),
        (1.0 - 0.9, 100_000),
        (0.1 + 0.2 - 0.3, 0),
    ];
    for (number, ppm) in table {
        assert_eq!(
            Ratio::try_from(number),
            Ok(Ratio::from_ppm(ppm)),
            "{number}"
        );
    }
}

#[test]
fn what_is_no_ratio_is_refused() {
    let third = 1.0 / 3.0;
    for number in [
        third,
        0.123_456_7,
        1e-7,
        1e-10,
        0.999_999_9,
        1e13,
        -1e13,
        f64::MAX,
    ] {
        assert_eq!(Ratio::try_from(number), Err(RatioError(number)));
    }
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(Ratio::try_from(number).is_err(), "{number}");
    }
    let error = Ratio::try_from(third).unwrap_err().to_string();
    assert!(
        error.starts_with("0.3333333333333333 is not a ratio"),
        "{error}"
    );
}

#[test]
fn even_the_largest_can_be_read_back() {
    // A logged operand may be absurd, such as the ROAS of a millionth of a cent; its log must load.
    for ppm in [
        i64::MAX,
        i64::MIN,
        i64::MAX - 1_000,
        100_000_000_000_000_001,
    ] {
        let json = serde_json::to_string(&Ratio::from_ppm(ppm)).unwrap();
        let back: Ratio = serde_json::from_str(&json).unwrap();
        // 53 bits of 63: within 2⁻⁵² of itself.
        assert!(
            back.ppm().abs_diff(ppm) <= 2_048,
            "{ppm} came back as {}",
            back.ppm()
        );
        assert_eq!(serde_json::to_string(&back).unwrap(), json);
    }
}

#[test]
fn quotients_without_a_denominator_are_undefined() {
    let one = Micros::new(1);
    assert_eq!(Ratio::ONE.compare(one, Micros::ZERO), None);
    assert_eq!(Ratio::ONE.compare(Micros::ZERO, Micros::ZERO), None);
    assert_eq!(Ratio::ONE.compare(one, Micros::new(-1)), None);
    assert_eq!(Ratio::ONE.compare(one, one), Some(Ordering::Equal));
    let largest = Ratio::from_ppm(i64::MAX);
    assert_eq!(
        largest.compare(Micros::MAX, Micros::MAX),
        Some(Ordering::Less)
    );
    assert_eq!(
        Ratio::from_ppm(i64::MIN).compare(Micros::new(i64::MIN), Micros::MAX),
        Some(Ordering::Greater)
    );
}

#[test]
fn sums_are_checked() {
    let (max, one) = (Ratio::from_ppm(i64::MAX), Ratio::from_ppm(1));
    assert_eq!(max.checked_add(one), None);
    assert_eq!(Ratio::from_ppm(i64::MIN).checked_sub(one), None);
    assert_eq!(Ratio::ONE.checked_sub(one), Some(Ratio::from_ppm(999_999)));
    assert!(Ratio::from_ppm(-1).is_negative() && !Ratio::ZERO.is_negative());
}

#[test]
fn ratios_print_as_decimals() {
    assert_eq!(Ratio::from_ppm(1_500_000).to_string(), "1.50");
    assert_eq!(format!("{:>8}", Ratio::from_ppm(-100_000)), "   -0.10");
}
