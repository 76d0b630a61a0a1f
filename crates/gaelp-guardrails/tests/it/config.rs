//! What is valid, and how everything that is not is said at once.

use gaelp_core::{Micros, Ratio};
use gaelp_guardrails::{ConfigViolation, GuardrailConfig};

use crate::support::money;

fn complaints(config: GuardrailConfig) -> Vec<String> {
    match config.validate() {
        Ok(_) => Vec::new(),
        Err(violations) => {
            let texts: Vec<_> = violations
                .as_slice()
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(violations.to_string(), texts.join("; "));
            texts
        }
    }
}

#[test]
fn the_defaults_are_valid_and_are_the_documented_ones() {
    let config = GuardrailConfig::default();
    assert_eq!(complaints(config.clone()), [""; 0]);
    // What an earlier version stored is still read, and means the same.
    let stored = r#"{"daily_cap":10000000,"ad_set_daily_cap":null,"hourly_floor":500000,"hourly_ceiling":2000000,"delta_max":0.1,"delta_max_24h":0.3,"peak_hours":"18-22","freeze_roas_below":1.5,"unfreeze_roas_at":null,"roas_window_hours":12,"freeze_cpa_above":null,"unfreeze_cpa_at":null,"freeze_without_conversion_hours":null,"minimum_window_spend":2000000,"freeze_after_evaluations":2,"dwell_hours":6,"max_data_age_hours":3,"min_coverage":0.75,"canary":null}"#;
    assert_eq!(
        serde_json::from_str::<GuardrailConfig>(stored).unwrap(),
        config
    );
    assert_eq!(
        serde_json::from_str::<GuardrailConfig>("{}").unwrap(),
        config
    );
}

#[test]
fn unknown_settings_are_refused() {
    let error = serde_json::from_str::<GuardrailConfig>(r#"{"daily_cup": 1}"#).unwrap_err();
    assert!(error.to_string().contains("daily_cup"), "{error}");
}

#[test]
fn everything_wrong_is_said_at_once() {
    let wrong = GuardrailConfig {
        daily_cap: Micros::ZERO,
        ad_set_daily_cap: Some(Micros::new(i64::MIN)),
        hourly_floor: Micros::new(-1),
        hourly_ceiling: Micros::MAX,
        delta_max: Ratio::ZERO,
        delta_max_24h: Ratio::from_ppm(1_000_001),
        peak_hours: None,
        freeze_roas_below: Some(Ratio::from_ppm(-1)),
        unfreeze_roas_at: Some(Ratio::from_ppm(i64::MAX)),
        roas_window_hours: 0,
        freeze_cpa_above: Some(Micros::ZERO),
        unfreeze_cpa_at: Some(Micros::new(-7)),
        freeze_without_conversion_hours: Some(0),
        minimum_window_spend: Micros::new(-1),
        freeze_after_evaluations: 0,
        dwell_hours: u32::MAX,
        max_data_age_hours: 8785,
        min_coverage: Ratio::from_ppm(-1),
        ..GuardrailConfig::default()
    };
    let billion = "1000000000.00 is allowed";
    assert_eq!(
        complaints(wrong),
        [
            format!("daily_cap is 0.00: from 0.000001 to {billion}"),
            format!("ad_set_daily_cap is -9223372036854.775808: from 0.000001 to {billion}"),
            format!("hourly_floor is -0.000001: from 0.00 to {billion}"),
            format!("hourly_ceiling is 9223372036854.775807: from 0.000001 to {billion}"),
            "delta_max is 0.00: from 0.000001 to 1.00 is allowed".to_owned(),
            "delta_max_24h is 1.000001: from 0.000001 to 1.00 is allowed".to_owned(),
            "freeze_roas_below is -0.000001: from 0.000001 to 1000000.00 is allowed".to_owned(),
            "unfreeze_roas_at is 9223372036854.775807: from 0.000001 to 1000000.00 is allowed"
                .to_owned(),
            "roas_window_hours is 0 h: from 1 h to 8784 h is allowed".to_owned(),
            format!("freeze_cpa_above is 0.00: from 0.000001 to {billion}"),
            format!("unfreeze_cpa_at is -0.000007: from 0.000001 to {billion}"),
            "freeze_without_conversion_hours is 0 h: from 1 h to 8784 h is allowed".to_owned(),
            format!("minimum_window_spend is -0.000001: from 0.00 to {billion}"),
            "freeze_after_evaluations is 0: from 1 to 168 is allowed".to_owned(),
            "dwell_hours is 4294967295 h: from 0 h to 8784 h is allowed".to_owned(),
            "max_data_age_hours is 8785 h: from 0 h to 8784 h is allowed".to_owned(),
            "min_coverage is -0.000001: from 0.00 to 1.00 is allowed".to_owned(),
        ]
    );
}

#[test]
fn settings_agree_with_each_other() {
    let wrong = GuardrailConfig {
        ad_set_daily_cap: Some(money("10.01")),
        hourly_ceiling: money("0.49"),
        unfreeze_roas_at: Some(Ratio::from_ppm(1_499_999)),
        freeze_cpa_above: Some(money("5.00")),
        unfreeze_cpa_at: Some(money("5.01")),
        ..GuardrailConfig::default()
    };
    assert_eq!(
        complaints(wrong.clone()),
        [
            "ad_set_daily_cap is 10.01: at most 10.00 is allowed, the value of daily_cap",
            "hourly_ceiling is 0.49: at least 0.50 is needed, the value of hourly_floor",
            "unfreeze_roas_at is 1.499999: at least 1.50 is needed, the value of freeze_roas_below",
            "unfreeze_cpa_at is 5.01: at most 5.00 is allowed, the value of freeze_cpa_above",
        ]
    );
    let error = wrong.validate().unwrap_err();
    let first = &error.as_slice()[0];
    assert_eq!(first.field(), "ad_set_daily_cap");
    assert!(matches!(
        first,
        ConfigViolation::AboveOther {
            other: "daily_cap",
            ..
        }
    ));

    // At the edge they agree; and what bounds nothing is not compared.
    let edge = GuardrailConfig {
        ad_set_daily_cap: Some(money("10.00")),
        hourly_ceiling: money("0.50"),
        unfreeze_roas_at: Some(Ratio::from_ppm(1)),
        freeze_roas_below: None,
        freeze_cpa_above: Some(money("5.00")),
        unfreeze_cpa_at: Some(money("5.00")),
        delta_max: Ratio::ONE,
        delta_max_24h: Ratio::from_ppm(1),
        dwell_hours: 0,
        max_data_age_hours: 0,
        min_coverage: Ratio::ZERO,
        minimum_window_spend: Micros::ZERO,
        hourly_floor: Micros::ZERO,
        canary: Some([].into()),
        ..GuardrailConfig::default()
    };
    assert_eq!(complaints(edge), [""; 0]);
}

#[test]
fn the_record_fits_the_rules() {
    let hours = |config: GuardrailConfig| config.validate().unwrap().trailing().retain_hours();
    assert_eq!(hours(GuardrailConfig::default()), 12 + 25);
    let long = GuardrailConfig {
        freeze_without_conversion_hours: Some(48),
        ..GuardrailConfig::default()
    };
    assert_eq!(hours(long), 48 + 25);
}
