//! What is valid, and how everything that is not is said at once.

use gaelp_core::{Micros, Platform, Quantity, Ratio, RuleId};
use gaelp_guardrails::{ConfigViolation, GuardrailConfig, OnFreeze, RaiseCaps, Taper, rules};

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
    let now = r#"{"daily_cap":10000000,"ad_set_daily_cap":null,"campaign_daily_cap":null,"platform_daily_caps":{},"hourly_raise_caps":{"account":null,"platform":null,"campaign":null,"ad_set":null},"taper":null,"exploration_daily_cap":null,"hourly_floor":500000,"hourly_ceiling":2000000,"bid_floor":null,"bid_ceiling":null,"delta_max":0.1,"delta_max_24h":0.3,"delta_max_normalised":null,"delta_max_24h_normalised":null,"peak_hours":"18-22","restricted_hours":null,"restricted_ceiling":null,"freeze_roas_below":1.5,"unfreeze_roas_at":null,"roas_window_hours":12,"freeze_cpa_above":null,"unfreeze_cpa_at":null,"max_cpa_multiplier":null,"freeze_without_conversion_hours":null,"expected_conversions_per_hour":null,"min_expected_conversions":6907756,"minimum_window_spend":2000000,"freeze_after_evaluations":2,"dwell_hours":6,"max_spike":null,"spike_minimum_spend":1000000,"spike_min_weeks":3,"max_data_age_hours":3,"min_coverage":0.75,"external_edit_freeze_hours":6,"max_edits_per_hour":null,"canary":null,"blocked":[],"canary_audiences":null,"blocked_audiences":[],"on_freeze":"hold","on_missing_data":"hold","on_spike":"pause","observe":[],"require":[]}"#;
    assert_eq!(serde_json::to_string(&config).unwrap(), now);
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
    // Where few conversions are expected, as many hours as mean anything.
    let rare = GuardrailConfig {
        freeze_without_conversion_hours: Some(70),
        expected_conversions_per_hour: Some(Quantity::from_millionths(100_000)),
        ..GuardrailConfig::default()
    };
    assert_eq!(hours(rare), 70 + 25);
}

#[test]
fn every_later_setting_is_checked_too() {
    let negative = || Some(Micros::new(-1));
    let above = Some(Ratio::from_ppm(1_000_001));
    let wrong = GuardrailConfig {
        campaign_daily_cap: Some(Micros::ZERO),
        platform_daily_caps: [
            (Platform::Meta, money("10.01")),
            (Platform::TikTok, Micros::MAX),
        ]
        .into(),
        hourly_raise_caps: RaiseCaps {
            account: negative(),
            platform: negative(),
            campaign: negative(),
            ad_set: negative(),
        },
        taper: Some(Taper {
            from: Ratio::ONE,
            least: Ratio::from_ppm(1_000_001),
        }),
        exploration_daily_cap: negative(),
        bid_floor: negative(),
        bid_ceiling: Some(Micros::new(-2)),
        delta_max_normalised: Some(Ratio::ZERO),
        delta_max_24h_normalised: above,
        restricted_ceiling: negative(),
        max_cpa_multiplier: Some(Ratio::from_ppm(999_999)),
        freeze_without_conversion_hours: Some(6),
        expected_conversions_per_hour: Some(Quantity::from_millionths(1_000_000)),
        min_expected_conversions: Quantity::from_millionths(6_000_001),
        max_spike: Some(Ratio::from_ppm(1_000_000_001)),
        spike_minimum_spend: Micros::new(-1),
        spike_min_weeks: 0,
        external_edit_freeze_hours: 8785,
        max_edits_per_hour: Some(1),
        on_freeze: OnFreeze::StepDown(Ratio::ZERO),
        on_missing_data: OnFreeze::StepDown(Ratio::from_ppm(1_000_001)),
        on_spike: OnFreeze::StepDown(Ratio::from_ppm(-1)),
        observe: [rules::STALE_DATA, RuleId::new("daily_cup"), rules::CANARY].into(),
        require: [rules::CANARY, RuleId::new("luck"), rules::BREAKER].into(),
        ..GuardrailConfig::default()
    };
    let billion = "1000000000.00 is allowed";
    let raise = format!("hourly_raise_caps is -0.000001: from 0.00 to {billion}");
    assert_eq!(
        complaints(wrong),
        [
            format!("campaign_daily_cap is 0.00: from 0.000001 to {billion}"),
            "platform_daily_caps is 10.01: at most 10.00 is allowed, the value of daily_cap"
                .to_owned(),
            format!("platform_daily_caps is 9223372036854.775807: from 0.000001 to {billion}"),
            "platform_daily_caps is 9223372036854.775807: at most 10.00 is allowed, \
             the value of daily_cap"
                .to_owned(),
            raise.clone(),
            raise.clone(),
            raise.clone(),
            raise,
            "taper is 1.00: from 0.00 to 0.999999 is allowed".to_owned(),
            "taper is 1.000001: from 0.00 to 1.00 is allowed".to_owned(),
            format!("exploration_daily_cap is -0.000001: from 0.00 to {billion}"),
            format!("bid_floor is -0.000001: from 0.00 to {billion}"),
            format!("bid_ceiling is -0.000002: from 0.00 to {billion}"),
            "bid_ceiling is -0.000002: at least -0.000001 is needed, the value of bid_floor"
                .to_owned(),
            "delta_max_normalised is 0.00: from 0.000001 to 1.00 is allowed".to_owned(),
            "delta_max_24h_normalised is 1.000001: from 0.000001 to 1.00 is allowed".to_owned(),
            format!("restricted_ceiling is -0.000001: from 0.00 to {billion}"),
            "max_cpa_multiplier is 0.999999: from 1.00 to 1000.00 is allowed".to_owned(),
            "freeze_without_conversion_hours is 6 h: at least 7 h is needed, \
             the value of expected_conversions_per_hour"
                .to_owned(),
            "max_spike is 1000.000001: from 1.00 to 1000.00 is allowed".to_owned(),
            format!("spike_minimum_spend is -0.000001: from 0.00 to {billion}"),
            "spike_min_weeks is 0: from 1 to 1000 is allowed".to_owned(),
            "external_edit_freeze_hours is 8785 h: from 0 h to 8784 h is allowed".to_owned(),
            "max_edits_per_hour is 1: from 2 to 1000 is allowed".to_owned(),
            "on_freeze is 0.00: from 0.000001 to 1.00 is allowed".to_owned(),
            "on_missing_data is 1.000001: from 0.000001 to 1.00 is allowed".to_owned(),
            "on_spike is -0.000001: from 0.000001 to 1.00 is allowed".to_owned(),
            "observe names daily_cup, which is no rule".to_owned(),
            "observe names stale_data, which is always enforced".to_owned(),
            "require names canary, which needs no fact that could be required".to_owned(),
            "require names luck, which is no rule".to_owned(),
        ]
    );
    let none = GuardrailConfig {
        expected_conversions_per_hour: Some(Quantity::ZERO),
        min_expected_conversions: Quantity::from_millionths(1_000_000_000_001),
        ..GuardrailConfig::default()
    };
    assert_eq!(
        complaints(none),
        [
            "expected_conversions_per_hour is 0.00: from 0.000001 to 1000000.00 is allowed",
            "min_expected_conversions is 1000000.000001: from 0.000001 to 1000000.00 is allowed",
        ]
    );
}

#[test]
fn later_settings_are_valid_up_to_their_edges() {
    let everything = || Some(Micros::ZERO);
    let edge = GuardrailConfig {
        campaign_daily_cap: Some(money("10.00")),
        platform_daily_caps: [
            (Platform::Meta, money("10.00")),
            (Platform::TikTok, Micros::new(1)),
        ]
        .into(),
        hourly_raise_caps: RaiseCaps {
            account: everything(),
            platform: everything(),
            campaign: everything(),
            ad_set: Some(Micros::new(1_000_000_000_000_000)),
        },
        taper: Some(Taper {
            from: Ratio::from_ppm(999_999),
            least: Ratio::ONE,
        }),
        exploration_daily_cap: everything(),
        bid_floor: everything(),
        bid_ceiling: everything(),
        delta_max_normalised: Some(Ratio::ONE),
        delta_max_24h_normalised: Some(Ratio::from_ppm(1)),
        restricted_hours: "0-24".parse().ok(),
        restricted_ceiling: everything(),
        max_cpa_multiplier: Some(Ratio::ONE),
        freeze_without_conversion_hours: Some(7),
        expected_conversions_per_hour: Some(Quantity::from_millionths(1_000_000)),
        max_spike: Some(Ratio::from_ppm(1_000_000_000)),
        spike_minimum_spend: Micros::ZERO,
        spike_min_weeks: 1000,
        external_edit_freeze_hours: 8784,
        max_edits_per_hour: Some(2),
        on_freeze: OnFreeze::StepDown(Ratio::ONE),
        on_missing_data: OnFreeze::StepDown(Ratio::from_ppm(1)),
        observe: [rules::CANARY].into(),
        require: rules::requirable().cloned().collect(),
        ..GuardrailConfig::default()
    };
    assert_eq!(complaints(edge.clone()), [""; 0]);
    // It survives its text.
    let text = serde_json::to_string(&edge).unwrap();
    assert_eq!(
        serde_json::from_str::<GuardrailConfig>(&text).unwrap(),
        edge
    );
    assert!(text.contains(r#""on_freeze":{"step_down":1.0}"#), "{text}");
    // The most conversions, and the most that can be expected.
    let most = GuardrailConfig {
        expected_conversions_per_hour: Some(Quantity::from_millionths(1_000_000_000_000)),
        min_expected_conversions: Quantity::from_millionths(1_000_000_000_000),
        ..GuardrailConfig::default()
    };
    assert_eq!(complaints(most), [""; 0]);
    let least = GuardrailConfig {
        expected_conversions_per_hour: Some(Quantity::from_millionths(1)),
        min_expected_conversions: Quantity::from_millionths(1),
        ..GuardrailConfig::default()
    };
    assert_eq!(complaints(least), [""; 0]);
    for edits in [1000, 1001] {
        let config = GuardrailConfig {
            max_edits_per_hour: Some(edits),
            ..GuardrailConfig::default()
        };
        assert_eq!(complaints(config).is_empty(), edits == 1000);
    }
}

#[test]
fn the_lists_of_rules_are_the_documented_ones() {
    let requirable: Vec<_> = rules::requirable().map(RuleId::as_str).collect();
    assert_eq!(
        requirable,
        [
            "unreconciled",
            "breaker",
            "account_share",
            "ledger_headroom",
            "bid_bounds",
            "spend_spike"
        ]
    );
    for rule in &rules::ALWAYS_ENFORCED {
        assert!(rules::ALL.contains(rule));
        let config = GuardrailConfig {
            observe: [rule.clone()].into(),
            ..GuardrailConfig::default()
        };
        assert_eq!(
            complaints(config),
            [format!("observe names {rule}, which is always enforced")]
        );
    }
    // The others can be watched.
    let others = rules::ALL
        .iter()
        .filter(|rule| !rules::ALWAYS_ENFORCED.contains(rule));
    let config = GuardrailConfig {
        observe: others.cloned().collect(),
        ..GuardrailConfig::default()
    };
    assert_eq!(complaints(config), [""; 0]);
}
