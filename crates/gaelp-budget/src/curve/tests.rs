use proptest::prelude::*;

use super::*;

fn any_curve() -> impl Strategy<Value = ResponseCurve> {
    let spend = 0.01..500.0_f64;
    let form = prop_oneof![
        (
            0.0..1e4_f64,
            spend.clone(),
            prop_oneof![Just(1.0), 0.3..6.0_f64]
        )
            .prop_map(|(top, half, exponent)| CurveForm::Hill {
                top,
                half,
                exponent
            }),
        (0.0..1e4_f64, spend.clone()).prop_map(|(factor, scale)| CurveForm::Log { factor, scale }),
        (0.0..1e4_f64, spend.clone())
            .prop_map(|(top, scale)| CurveForm::Exponential { top, scale }),
        (0.0..1e4_f64, 0.1..0.9_f64, spend).prop_map(|(factor, exponent, shift)| {
            CurveForm::Power {
                factor,
                exponent,
                shift,
            }
        }),
    ];
    let pieces = prop::collection::vec((0.1..300.0_f64, 0.0..900.0_f64), 1..9)
        .prop_map(|points| concave_envelope(&points).unwrap());
    prop_oneof![form.prop_map(|form| form.try_into().unwrap()), pieces]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// What the trait promises: against slopes taken numerically, not against the code's own.
    #[test]
    fn curves_keep_the_contract(
        curve in any_curve(),
        spend in 0.001..1e4_f64,
        step in 0.01..1e3_f64,
        level in 1e-6..1e5_f64,
    ) {
        let (low, middle, high) = (spend, spend + step, spend + 2.0 * step);
        let values = [low, middle, high].map(|x| curve.value(x));
        let close = 1e-9 * values[2] + 1e-12;
        prop_assert!(curve.value(0.0).abs() <= 0.0);
        prop_assert!(values[0] <= values[1] + close && values[1] <= values[2] + close);
        prop_assert!(values[1] + close >= 0.5 * (values[0] + values[2]), "it bends upwards");
        // The slope to the right bounds every chord to the right, and is bounded by those to the left.
        let right = (values[1] - values[0]) / step;
        prop_assert!(curve.marginal(low) >= right * (1.0 - 1e-7) - close / step);
        prop_assert!(curve.marginal(middle) <= right * (1.0 + 1e-7) + close / step);
        // Nothing after the inverse brings the level, and everything before it does.
        let most = curve.inverse(level);
        if most.is_finite() && most < 1e9 {
            prop_assert!(curve.marginal(most * (1.0 + 1e-9) + 1e-12) <= level * (1.0 + 1e-6));
        }
        if most > 1e-9 {
            prop_assert!(curve.marginal(most.min(1e9) * (1.0 - 1e-9)) >= level * (1.0 - 1e-6));
        }
        prop_assert!(curve.actual(spend) <= curve.value(spend) * (1.0 + 1e-12) + 1e-12);
        let text = serde_json::to_string(&curve).unwrap();
        prop_assert_eq!(serde_json::from_str::<ResponseCurve>(&text).unwrap(), curve);
    }
}

/// Slopes against differences of the value over a small step, for smooth curves.
#[test]
fn marginals_are_derivatives() {
    let forms = [
        CurveForm::Hill {
            top: 90.0,
            half: 12.0,
            exponent: 1.0,
        },
        CurveForm::Hill {
            top: 90.0,
            half: 12.0,
            exponent: 0.6,
        },
        CurveForm::Hill {
            top: 90.0,
            half: 12.0,
            exponent: 2.5,
        },
        CurveForm::Log {
            factor: 30.0,
            scale: 7.0,
        },
        CurveForm::Exponential {
            top: 50.0,
            scale: 9.0,
        },
        CurveForm::Power {
            factor: 8.0,
            exponent: 0.4,
            shift: 0.5,
        },
    ];
    for form in forms {
        let curve = ResponseCurve::try_from(form).unwrap();
        for spend in [15.0, 17.0, 33.0, 120.0] {
            let step = 1e-4;
            let slope = (curve.value(spend + step) - curve.value(spend - step)) / (2.0 * step);
            let found = curve.marginal(spend);
            assert!(
                (found - slope).abs() < 1e-7 * found + 1e-9,
                "{curve:?} at {spend}: {found} {slope}"
            );
            assert!(
                (curve.inverse(found) / spend - 1.0).abs() < 1e-9,
                "{curve:?} at {spend}"
            );
        }
    }
}

/// The envelope of an S-shaped curve against the upper hull of ten thousand of its points.
#[test]
fn the_envelope_is_the_hull() {
    for exponent in [1.3, 2.0, 4.0] {
        let form = CurveForm::Hill {
            top: 60.0,
            half: 10.0,
            exponent,
        };
        let curve = ResponseCurve::try_from(form).unwrap();
        let points: Vec<_> = (1..=10_000)
            .map(|step| f64::from(step) * 0.01)
            .map(|spend| (spend, curve.actual(spend)))
            .collect();
        let hull = concave_envelope(&points).unwrap();
        for spend in [0.5, 3.0, 9.0, 12.0, 40.0, 99.0] {
            let (ours, theirs) = (curve.value(spend), hull.value(spend));
            assert!(
                (ours / theirs - 1.0).abs() < 1e-5,
                "{exponent} at {spend}: {ours} {theirs}"
            );
        }
    }
}

#[test]
fn what_is_no_curve_is_refused() {
    let refused = |form: CurveForm| ResponseCurve::try_from(form).unwrap_err();
    let hill = CurveForm::Hill {
        top: f64::NAN,
        half: 0.0,
        exponent: 9.0,
    };
    let CurveError::Parameters(all) = refused(hill) else {
        panic!("three parameters are wrong")
    };
    assert_eq!(all.as_slice().len(), 3);
    assert_eq!(
        refused(CurveForm::Piecewise { points: vec![] }),
        CurveError::NoPoints
    );
    let bent = vec![(1.0, 1.0), (2.0, 3.0)];
    assert!(matches!(
        refused(CurveForm::Piecewise { points: bent }),
        CurveError::NotConcave { place: 1, .. }
    ));
    assert!(serde_json::from_str::<ResponseCurve>(r#"{"form":"hill","top":-1,"half":1}"#).is_err());
}
