//! Each setting twice: as it is, and wider.

use gaelp_core::{Platform, Quantity, Ratio};
use gaelp_guardrails::{GuardrailConfig, OnFreeze, RaiseCaps, Taper, rules};

use crate::support::money;

/// Each setting with a value and one that is wider, which allows raises that the first forbids.
pub(super) fn both_ways() -> Vec<(&'static str, GuardrailConfig, GuardrailConfig)> {
    type Set = fn(&mut GuardrailConfig);
    let settings: Vec<(&'static str, Set, Set)> = vec![
        (
            "daily_cap",
            |c| c.daily_cap = money("20.00"),
            |c| c.daily_cap = money("20.01"),
        ),
        (
            "ad_set_daily_cap",
            |c| c.ad_set_daily_cap = Some(money("2.00")),
            |c| c.ad_set_daily_cap = Some(money("3.00")),
        ),
        (
            "campaign_daily_cap",
            |c| c.campaign_daily_cap = Some(money("2.00")),
            |c| c.campaign_daily_cap = Some(money("3.00")),
        ),
        (
            "platform_daily_caps",
            |c| c.platform_daily_caps = [(Platform::Meta, money("1.00"))].into(),
            |c| c.platform_daily_caps = [(Platform::Google, money("1.00"))].into(),
        ),
        (
            "hourly_raise_caps",
            |c| {
                c.hourly_raise_caps = RaiseCaps {
                    account: Some(money("1.00")),
                    ..RaiseCaps::default()
                }
            },
            |c| {
                c.hourly_raise_caps = RaiseCaps {
                    account: Some(money("1.01")),
                    ..RaiseCaps::default()
                }
            },
        ),
        (
            "taper",
            |c| {
                c.taper = Some(Taper {
                    from: Ratio::ZERO,
                    least: Ratio::ZERO,
                })
            },
            |c| {
                c.taper = Some(Taper {
                    from: Ratio::from_ppm(1),
                    least: Ratio::ZERO,
                })
            },
        ),
        (
            "exploration_daily_cap",
            |c| c.exploration_daily_cap = Some(money("1.00")),
            |c| c.exploration_daily_cap = Some(money("1.01")),
        ),
        (
            "hourly_floor",
            |c| c.hourly_floor = money("0.10"),
            |c| c.hourly_floor = money("0.20"),
        ),
        (
            "hourly_ceiling",
            |c| c.hourly_ceiling = money("1.00"),
            |c| c.hourly_ceiling = money("1.01"),
        ),
        (
            "bid_floor",
            |c| c.bid_floor = Some(money("0.10")),
            |c| c.bid_floor = Some(money("0.11")),
        ),
        (
            "bid_ceiling",
            |c| c.bid_ceiling = Some(money("0.20")),
            |c| c.bid_ceiling = Some(money("0.21")),
        ),
        (
            "delta_max",
            |c| c.delta_max = Ratio::from_ppm(1),
            |c| c.delta_max = Ratio::from_ppm(2),
        ),
        (
            "delta_max_24h",
            |c| c.delta_max_24h = Ratio::from_ppm(1),
            |c| c.delta_max_24h = Ratio::from_ppm(2),
        ),
        (
            "delta_max_normalised",
            |c| c.delta_max_normalised = Some(Ratio::from_ppm(1)),
            |c| c.delta_max_normalised = Some(Ratio::from_ppm(2)),
        ),
        (
            "delta_max_24h_normalised",
            |c| c.delta_max_24h_normalised = Some(Ratio::from_ppm(1)),
            |c| c.delta_max_24h_normalised = Some(Ratio::from_ppm(2)),
        ),
        (
            "peak_hours",
            |c| c.peak_hours = "18-20".parse().ok(),
            |c| c.peak_hours = "17-20".parse().ok(),
        ),
        (
            "restricted_hours",
            |c| c.restricted_hours = "1-5".parse().ok(),
            |c| c.restricted_hours = "1-4".parse().ok(),
        ),
        (
            "restricted_ceiling",
            |c| c.restricted_ceiling = Some(money("0.10")),
            |c| c.restricted_ceiling = Some(money("0.20")),
        ),
        (
            "freeze_roas_below",
            |c| c.freeze_roas_below = Some(Ratio::from_ppm(3)),
            |c| c.freeze_roas_below = Some(Ratio::from_ppm(2)),
        ),
        (
            "unfreeze_roas_at",
            |c| c.unfreeze_roas_at = Some(Ratio::from_ppm(3_000_000)),
            |c| c.unfreeze_roas_at = Some(Ratio::from_ppm(2_000_000)),
        ),
        (
            "freeze_cpa_above",
            |c| c.freeze_cpa_above = Some(money("5.00")),
            |c| c.freeze_cpa_above = Some(money("5.01")),
        ),
        (
            "unfreeze_cpa_at",
            |c| c.unfreeze_cpa_at = Some(money("1.00")),
            |c| c.unfreeze_cpa_at = Some(money("2.00")),
        ),
        (
            "max_cpa_multiplier",
            |c| c.max_cpa_multiplier = Some(Ratio::from_ppm(1_000_001)),
            |c| c.max_cpa_multiplier = Some(Ratio::from_ppm(1_000_002)),
        ),
        (
            "freeze_without_conversion_hours",
            |c| c.freeze_without_conversion_hours = Some(7),
            |c| c.freeze_without_conversion_hours = Some(8),
        ),
        (
            "expected_conversions_per_hour",
            |c| c.expected_conversions_per_hour = Some(Quantity::from_millionths(2)),
            |c| c.expected_conversions_per_hour = Some(Quantity::from_millionths(1)),
        ),
        (
            "min_expected_conversions",
            |c| c.min_expected_conversions = Quantity::from_millionths(1),
            |c| c.min_expected_conversions = Quantity::from_millionths(2),
        ),
        (
            "minimum_window_spend",
            |c| c.minimum_window_spend = money("1.00"),
            |c| c.minimum_window_spend = money("1.01"),
        ),
        (
            "freeze_after_evaluations",
            |c| c.freeze_after_evaluations = 3,
            |c| c.freeze_after_evaluations = 4,
        ),
        ("dwell_hours", |c| c.dwell_hours = 4, |c| c.dwell_hours = 3),
        (
            "max_spike",
            |c| c.max_spike = Some(Ratio::from_ppm(1_000_001)),
            |c| c.max_spike = Some(Ratio::from_ppm(1_000_002)),
        ),
        (
            "spike_minimum_spend",
            |c| c.spike_minimum_spend = money("2.00"),
            |c| c.spike_minimum_spend = money("2.01"),
        ),
        (
            "spike_min_weeks",
            |c| c.spike_min_weeks = 4,
            |c| c.spike_min_weeks = 5,
        ),
        (
            "max_data_age_hours",
            |c| c.max_data_age_hours = 4,
            |c| c.max_data_age_hours = 5,
        ),
        (
            "min_coverage",
            |c| c.min_coverage = Ratio::from_ppm(2),
            |c| c.min_coverage = Ratio::from_ppm(1),
        ),
        (
            "external_edit_freeze_hours",
            |c| c.external_edit_freeze_hours = 2,
            |c| c.external_edit_freeze_hours = 1,
        ),
        (
            "max_edits_per_hour",
            |c| c.max_edits_per_hour = Some(4),
            |c| c.max_edits_per_hour = Some(5),
        ),
        (
            "canary",
            |c| c.canary = Some(["1".into()].into()),
            |c| c.canary = Some(["1".into(), "2".into()].into()),
        ),
        (
            "blocked",
            |c| c.blocked = ["1".into(), "2".into()].into(),
            |c| c.blocked = ["1".into()].into(),
        ),
        (
            "canary_audiences",
            |c| c.canary_audiences = Some(["1".into()].into()),
            |c| c.canary_audiences = Some(["2".into()].into()),
        ),
        (
            "blocked_audiences",
            |c| c.blocked_audiences = ["1".into()].into(),
            |c| c.blocked_audiences = ["2".into()].into(),
        ),
        (
            "on_freeze",
            |c| c.on_freeze = OnFreeze::Pause,
            |c| c.on_freeze = OnFreeze::StepDown(Ratio::ONE),
        ),
        (
            "on_missing_data",
            |c| c.on_missing_data = OnFreeze::StepDown(Ratio::from_ppm(2)),
            |c| c.on_missing_data = OnFreeze::StepDown(Ratio::from_ppm(1)),
        ),
        (
            "on_spike",
            |c| c.on_spike = OnFreeze::StepDown(Ratio::from_ppm(1)),
            |c| c.on_spike = OnFreeze::Hold,
        ),
        (
            "observe",
            |c| c.observe = [rules::CANARY].into(),
            |c| c.observe = [rules::CANARY, rules::EDITS].into(),
        ),
        (
            "require",
            |c| c.require = [rules::BREAKER, rules::BID_BOUNDS].into(),
            |c| c.require = [rules::BREAKER].into(),
        ),
    ];
    let with = |set: Set| {
        let mut config = GuardrailConfig::default();
        set(&mut config);
        config
    };
    settings
        .into_iter()
        .map(|(name, narrow, wide)| (name, with(narrow), with(wide)))
        .collect()
}
