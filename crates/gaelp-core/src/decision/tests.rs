use super::*;
use crate::{Platform, UtcHour};

#[test]
fn levels_run_from_mild_to_harsh() {
    let levels = [
        Level::Allow,
        Level::Clamp,
        Level::Freeze,
        Level::Deny,
        Level::Kill,
    ];
    assert!(levels.is_sorted_by(|a, b| a < b));
    assert_eq!(Level::default(), Level::Allow);
    for level in levels {
        // Printed and stored under one name.
        assert_eq!(
            serde_json::to_string(&level).unwrap(),
            format!("\"{level}\"")
        );
    }
    assert_eq!(format!("[{:>6}]", Level::Deny), "[  deny]");
    assert!(serde_json::from_str::<Level>(r#""Allow""#).is_err());
}

#[test]
fn propensities_lie_above_zero_and_up_to_one() {
    for probability in [
        5e-324,
        f64::MIN_POSITIVE,
        0.25,
        1.0 - f64::EPSILON / 2.0,
        1.0,
    ] {
        let propensity = Propensity::new(probability).unwrap();
        assert_eq!(propensity.get().to_bits(), probability.to_bits());
        let json = serde_json::to_string(&propensity).unwrap();
        assert_eq!(
            serde_json::from_str::<Propensity>(&json).unwrap(),
            propensity
        );
    }
    let bad = [
        0.0,
        -0.0,
        -0.25,
        1.0 + f64::EPSILON,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    for probability in bad {
        assert!(Propensity::new(probability).is_err(), "{probability}");
        assert!(Propensity::try_from(probability).is_err());
    }
    assert_eq!(Propensity::new(1.5), Err(PropensityError(1.5)));
    assert!(serde_json::from_str::<Propensity>("0.0").is_err());
    assert!(serde_json::from_str::<Propensity>("1.01").is_err());
    assert!(serde_json::from_str::<Propensity>("null").is_err());
}

#[test]
fn operands_print_with_their_unit_and_keep_it_in_json() {
    let table = [
        (
            Operand::Money(Micros::new(1_500_000)),
            "1.50",
            r#"{"money":1500000}"#,
        ),
        (
            Operand::Ratio(Ratio::from_ppm(1_500_000)),
            "1.50",
            r#"{"ratio":1.5}"#,
        ),
        (Operand::Hours(-3), "-3 h", r#"{"hours":-3}"#),
        (Operand::Count(12), "12", r#"{"count":12}"#),
        (Operand::Undefined, "undefined", r#""undefined""#),
        (Operand::None, "-", r#""none""#),
    ];
    for (operand, text, json) in table {
        assert_eq!(operand.to_string(), text);
        assert_eq!(serde_json::to_string(&operand).unwrap(), json);
        assert_eq!(serde_json::from_str::<Operand>(json).unwrap(), operand);
    }
}

#[test]
fn reasons_read_as_sentences() {
    let mut reason = Reason {
        rule: RuleId::new("freeze_roas"),
        level: Level::Freeze,
        ceiling: Some(Micros::new(420_000)),
        observed: Operand::Ratio(Ratio::from_ppm(1_200_000)),
        threshold: Operand::Ratio(Ratio::from_ppm(1_500_000)),
    };
    assert_eq!(
        reason.to_string(),
        "freeze_roas freeze at 0.42/h (1.20 against 1.50)"
    );
    reason.observed = Operand::Undefined;
    assert_eq!(
        reason.to_string(),
        "freeze_roas freeze at 0.42/h (undefined against 1.50)"
    );
    (reason.ceiling, reason.observed, reason.threshold) = (None, Operand::None, Operand::None);
    assert_eq!(reason.to_string(), "freeze_roas freeze");
}

/// What is stored today must be readable by every later version.
#[test]
fn the_json_of_a_decision_is_pinned() {
    let decision = Decision {
        id: DecisionId::derive(&[b"run 7", b"meta/prospecting", b"2026-11-20T10Z"]),
        key: AdSetKey::new(Platform::Meta, "prospecting"),
        span: HourSpan::hour(UtcHour::new(498_658)),
        choice: Choice {
            arm: ArmId::new(3),
            propensity: Propensity::new(0.1).unwrap(),
            method: PropensityMethod::Quadrature { error: 1e-12 },
            policy: PolicyVersion::new(7),
        },
        current: Micros::new(400_000),
        proposed: Micros::new(500_000),
        normalised: Micros::new(500_000),
        allowed: Micros::new(440_000),
        level: Level::Clamp,
        binding: Some(RuleId::new("delta_hour")),
        reasons: vec![Reason {
            rule: RuleId::new("delta_hour"),
            level: Level::Clamp,
            ceiling: Some(Micros::new(440_000)),
            observed: Operand::Money(Micros::new(500_000)),
            threshold: Operand::Money(Micros::new(440_000)),
        }],
    };
    let json = concat!(
        r#"{"id":"df8bd5dee58a8cc9d0610f59a2037415","#,
        r#""key":{"platform":"meta","ad_set":"prospecting"},"#,
        r#""span":{"from":498658,"to":498659},"#,
        r#""choice":{"arm":3,"propensity":0.1,"#,
        r#""method":{"method":"quadrature","error":1e-12},"policy":7},"#,
        r#""current":400000,"proposed":500000,"normalised":500000,"allowed":440000,"#,
        r#""level":"clamp","binding":"delta_hour","#,
        r#""reasons":[{"rule":"delta_hour","level":"clamp","ceiling":440000,"#,
        r#""observed":{"money":500000},"threshold":{"money":440000}}]}"#,
    );
    assert_eq!(serde_json::to_string(&decision).unwrap(), json);
    assert_eq!(serde_json::from_str::<Decision>(json).unwrap(), decision);
    assert_eq!(decision.span.from.to_string(), "2026-11-20T10Z");
    let impossible = json.replace(r#""propensity":0.1"#, r#""propensity":0"#);
    assert!(serde_json::from_str::<Decision>(&impossible).is_err());
}

#[test]
fn every_method_is_read_back() {
    let table = [
        (PropensityMethod::Exact, r#"{"method":"exact"}"#),
        (
            PropensityMethod::Quadrature { error: 0.5 },
            r#"{"method":"quadrature","error":0.5}"#,
        ),
        (
            PropensityMethod::MonteCarlo { draws: 1000 },
            r#"{"method":"monte_carlo","draws":1000}"#,
        ),
    ];
    for (method, json) in table {
        assert_eq!(serde_json::to_string(&method).unwrap(), json);
        assert_eq!(
            serde_json::from_str::<PropensityMethod>(json).unwrap(),
            method
        );
    }
}
