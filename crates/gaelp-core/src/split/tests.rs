use super::*;

fn micros(parts: &[i64]) -> Vec<Micros> {
    parts.iter().copied().map(Micros::new).collect()
}

#[test]
fn what_is_left_over_goes_to_the_largest_remainders() {
    // Total, weights, parts; the shares by hand.
    let table: [(i64, &[u64], &[i64]); 12] = [
        (100, &[1, 1, 1], &[34, 33, 33]),
        (-100, &[1, 1, 1], &[-34, -33, -33]),
        (101, &[1, 1, 1], &[34, 34, 33]),
        // 1.43, 2.86, 5.71: two are left, for 0.86 and 0.71.
        (10, &[1, 2, 4], &[1, 3, 6]),
        // 0.5 each: the earlier of equals.
        (1, &[1, 1], &[1, 0]),
        (1, &[0, 1], &[0, 1]),
        (0, &[3, 5], &[0, 0]),
        (7, &[9], &[7]),
        (2, &[1, 1, 1, 1, 1], &[1, 1, 0, 0, 0]),
        (i64::MAX, &[u64::MAX, 0], &[i64::MAX, 0]),
        (i64::MIN, &[1], &[i64::MIN]),
        (
            i64::MIN,
            &[u64::MAX, u64::MAX],
            &[i64::MIN / 2, i64::MIN / 2],
        ),
    ];
    for (total, weights, parts) in table {
        let got = split(Micros::new(total), weights);
        assert_eq!(got, Ok(micros(parts)), "{total} over {weights:?}");
    }
}

#[test]
fn nothing_to_split_over_or_by_is_an_error() {
    let one = Micros::new(1);
    assert_eq!(split(one, &[]), Err(SplitError::NoWeights));
    assert_eq!(split(one, &[0, 0]), Err(SplitError::ZeroWeights));
    assert_eq!(split(Micros::ZERO, &[0]), Err(SplitError::ZeroWeights));
    assert_eq!(split_by(one, &[]), Err(SplitError::NoWeights));
    assert_eq!(split_by(one, &[0.0, -0.0]), Err(SplitError::ZeroWeights));
}

#[test]
fn floats_that_are_no_weights_are_named() {
    for (index, weight) in [
        (0, -1.0),
        (1, f64::INFINITY),
        (2, -5e-324),
        (3, f64::NEG_INFINITY),
    ] {
        let mut weights = [1.0; 4];
        weights[index] = weight;
        let error = split_by(Micros::new(1), &weights);
        assert_eq!(error, Err(SplitError::InvalidWeight { index, weight }));
    }
    let error = split_by(Micros::new(1), &[1.0, f64::NAN]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "weight 1 is NaN: weights are finite and not negative"
    );
}

#[test]
fn floats_of_any_magnitude_are_split() {
    let table: [(i64, &[f64], &[i64]); 8] = [
        (10, &[0.4, 0.2, 0.4], &[4, 2, 4]),
        (10, &[f64::MAX, f64::MAX], &[5, 5]),
        (10, &[5e-324, 5e-324], &[5, 5]),
        (9, &[1e-323, 5e-324], &[6, 3]),
        (10, &[1.0, 5e-324], &[10, 0]),
        (10, &[f64::MIN_POSITIVE, f64::MIN_POSITIVE / 4.0], &[8, 2]),
        (-3, &[-0.0, 3.0], &[0, -3]),
        (i64::MIN, &[0.5, 0.5], &[i64::MIN / 2, i64::MIN / 2]),
    ];
    for (total, weights, parts) in table {
        let got = split_by(Micros::new(total), weights);
        assert_eq!(got, Ok(micros(parts)), "{total} over {weights:?}");
    }
}

#[test]
fn neighbouring_floats_are_told_apart() {
    // Dividing by the largest weight would round these two to the same quotient.
    let (less, more) = (1.6, 1.600_000_000_000_000_3_f64);
    assert!(less < more);
    // A total so large that even a part in 2⁵² is many micros.
    let parts = split_by(Micros::MAX, &[less, more, 3.0]).unwrap();
    assert!(parts[0] < parts[1]);
    let gap = parts[1].get() - parts[0].get();
    assert!(
        (300..400).contains(&gap),
        "2⁶³ · 2⁻⁵² / 6.2 is about 330, found {gap}"
    );
}
