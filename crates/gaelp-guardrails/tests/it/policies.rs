//! Policies: their names, what takes effect when, and what is tried beside what is in force.

use gaelp_core::{Micros, Platform, Quantity, Ratio, UtcHour};
use gaelp_guardrails::policy::{ApprovalError, Direction, ProposalError};
use gaelp_guardrails::{
    GuardrailConfig, Memory, OnFreeze, Policies, Policy, PolicyHash, RaiseCaps, Taper, rules,
};

use crate::support::{Case, money, show};

const MONDAY: UtcHour = UtcHour::new(500_000);

fn policies() -> Policies {
    Policies::new(Policy::new(GuardrailConfig::default()).unwrap(), 24)
}

#[test]
fn the_name_of_a_policy_is_the_digest_of_its_settings() {
    let policy = Policy::new(GuardrailConfig::default()).unwrap();
    // Computed by another BLAKE3, from the text that a service would store.
    assert_eq!(
        policy.hash().to_string(),
        "ee5c9349696b9ef959062747debb2c600604afb30a471e443aa8e7211abcd8a6"
    );
    let parsed: PolicyHash = policy.hash().to_string().parse().unwrap();
    assert_eq!(parsed, policy.hash());
    assert_eq!(
        parsed.as_bytes()[0],
        u8::from_str_radix(&policy.hash().to_string()[..2], 16).unwrap()
    );
    assert_eq!(format!("{parsed:?}"), parsed.to_string());
    for wrong in ["", "00", &"g".repeat(64), &"0".repeat(65)] {
        assert!(wrong.parse::<PolicyHash>().is_err(), "{wrong}");
    }
    let json = serde_json::to_string(&parsed).unwrap();
    assert_eq!(json, format!("\"{parsed}\""));
    assert_eq!(serde_json::from_str::<PolicyHash>(&json).unwrap(), parsed);
    // The order in which a list was written down does not matter.
    let listed = |names: [&str; 2]| GuardrailConfig {
        canary: Some(names.into_iter().map(Into::into).collect()),
        ..GuardrailConfig::default()
    };
    let (one, other) = (
        Policy::new(listed(["1", "2"])),
        Policy::new(listed(["2", "1"])),
    );
    assert_eq!(one.unwrap().hash(), other.unwrap().hash());
    // It is stored as its settings, and checked when restored.
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    assert!(serde_json::from_str::<Policy>(r#"{"daily_cap":0}"#).is_err());
}

#[test]
fn each_setting_changes_the_name() {
    let default = Policy::new(GuardrailConfig::default()).unwrap();
    let mut seen = std::collections::BTreeSet::from([default.hash()]);
    let both = both_ways();
    for (_, _, wider) in &both {
        let hash = Policy::new(wider.clone()).unwrap().hash();
        assert!(seen.insert(hash));
    }
}

/// Each setting with a value and one that is wider, which allows raises that the first forbids.
fn both_ways() -> Vec<(&'static str, GuardrailConfig, GuardrailConfig)> {
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

/// Proposes `new` where `old` is in force: what changes, and whether it waits.
fn directions(
    old: &GuardrailConfig,
    new: &GuardrailConfig,
) -> (Vec<(&'static str, Direction)>, bool) {
    let mut policies = Policies::new(Policy::new(old.clone()).unwrap(), 24);
    let proposed = policies.propose(new.clone(), "ada".into(), MONDAY).unwrap();
    let changes = proposed
        .changes
        .iter()
        .map(|change| (change.field, change.direction));
    let waits = proposed.waits.is_some();
    let in_force = policies.live().config();
    assert_eq!(in_force, if waits { old } else { new });
    assert_eq!(proposed.live, policies.live().hash());
    (changes.collect(), waits)
}

#[test]
fn each_setting_narrows_at_once_and_widens_later() {
    let json = serde_json::to_value(GuardrailConfig::default()).unwrap();
    let all: std::collections::BTreeSet<_> = json.as_object().unwrap().keys().cloned().collect();
    let mut named = std::collections::BTreeSet::from(["roas_window_hours".to_owned()]);
    for (name, narrow, wide) in both_ways() {
        assert_eq!(
            directions(&narrow, &wide),
            (vec![(name, Direction::Wider)], true),
            "{name}"
        );
        // Two lists of which neither holds the other, and another platform's cap, are wider both
        // ways.
        let unordered = [
            "platform_daily_caps",
            "canary_audiences",
            "blocked_audiences",
        ];
        if !unordered.contains(&name) {
            let back = (vec![(name, Direction::Narrower)], false);
            assert_eq!(directions(&wide, &narrow), back, "{name}");
        }
        assert_eq!(directions(&wide, &wide), (vec![], false));
        named.insert(name.to_owned());
    }
    assert_eq!(named, all);
    // Whether a longer window is stricter depends on what happened in it.
    for hours in [11, 13] {
        let other = GuardrailConfig {
            roas_window_hours: hours,
            ..GuardrailConfig::default()
        };
        let changes = vec![("roas_window_hours", Direction::Wider)];
        assert_eq!(
            directions(&GuardrailConfig::default(), &other),
            (changes, true)
        );
    }
}

#[test]
fn what_is_absent_is_the_widest_or_the_narrowest() {
    let default = GuardrailConfig::default;
    // Absent here, so setting it narrows, and taking it away widens.
    let narrows = [
        "ad_set_daily_cap",
        "campaign_daily_cap",
        "platform_daily_caps",
        "hourly_raise_caps",
        "taper",
        "exploration_daily_cap",
        "bid_ceiling",
        "delta_max_normalised",
        "delta_max_24h_normalised",
        "restricted_hours",
        "restricted_ceiling",
        "freeze_cpa_above",
        "max_cpa_multiplier",
        "freeze_without_conversion_hours",
        "max_spike",
        "max_edits_per_hour",
        "canary",
        "blocked",
        "canary_audiences",
        "blocked_audiences",
        "require",
    ];
    // Absent here, and setting it is what widens.
    let widens = ["bid_floor", "expected_conversions_per_hour", "observe"];
    for (name, config, _) in both_ways() {
        let change = |direction| vec![(name, direction)];
        if narrows.contains(&name) {
            assert_eq!(
                directions(&default(), &config),
                (change(Direction::Narrower), false),
                "{name}"
            );
            assert_eq!(
                directions(&config, &default()),
                (change(Direction::Wider), true),
                "{name}"
            );
        }
        if widens.contains(&name) {
            assert_eq!(
                directions(&default(), &config),
                (change(Direction::Wider), true),
                "{name}"
            );
            assert_eq!(
                directions(&config, &default()),
                (change(Direction::Narrower), false),
                "{name}"
            );
        }
    }
    // A bound that follows from another is not compared, and no hours of the peak means all.
    let exit = GuardrailConfig {
        unfreeze_roas_at: Some(Ratio::from_ppm(9_000_000)),
        ..default()
    };
    assert_eq!(
        directions(&default(), &exit).0,
        [("unfreeze_roas_at", Direction::Wider)]
    );
    let cpa = GuardrailConfig {
        unfreeze_cpa_at: Some(Micros::new(1)),
        ..default()
    };
    assert_eq!(
        directions(&default(), &cpa).0,
        [("unfreeze_cpa_at", Direction::Wider)]
    );
    let all_day = GuardrailConfig {
        peak_hours: None,
        ..default()
    };
    assert_eq!(
        directions(&default(), &all_day).0,
        [("peak_hours", Direction::Wider)]
    );
    assert_eq!(
        directions(&all_day, &default()).0,
        [("peak_hours", Direction::Narrower)]
    );
    let no_freeze = GuardrailConfig {
        freeze_roas_below: None,
        ..default()
    };
    assert_eq!(
        directions(&default(), &no_freeze).0,
        [("freeze_roas_below", Direction::Wider)]
    );
    assert_eq!(
        directions(&no_freeze, &default()).0,
        [("freeze_roas_below", Direction::Narrower)]
    );
    // Each raise cap counts, and both ends of a taper.
    let caps = |account, platform, campaign, ad_set| {
        let cap = |micros: i64| Some(Micros::new(micros));
        let hourly_raise_caps = RaiseCaps {
            account: cap(account),
            platform: cap(platform),
            campaign: cap(campaign),
            ad_set: cap(ad_set),
        };
        GuardrailConfig {
            hourly_raise_caps,
            ..default()
        }
    };
    let old = caps(5, 5, 5, 5);
    for new in [
        caps(6, 4, 4, 4),
        caps(4, 6, 4, 4),
        caps(4, 4, 6, 4),
        caps(4, 4, 4, 6),
    ] {
        assert_eq!(
            directions(&old, &new).0,
            [("hourly_raise_caps", Direction::Wider)]
        );
    }
    assert_eq!(
        directions(&old, &caps(4, 5, 5, 4)).0,
        [("hourly_raise_caps", Direction::Narrower)]
    );
    let taper = |from, least| {
        let taper = Taper {
            from: Ratio::from_ppm(from),
            least: Ratio::from_ppm(least),
        };
        GuardrailConfig {
            taper: Some(taper),
            ..default()
        }
    };
    assert_eq!(
        directions(&taper(5, 5), &taper(4, 6)).0,
        [("taper", Direction::Wider)]
    );
    assert_eq!(
        directions(&taper(5, 5), &taper(6, 4)).0,
        [("taper", Direction::Wider)]
    );
    assert_eq!(
        directions(&taper(5, 5), &taper(5, 4)).0,
        [("taper", Direction::Narrower)]
    );
}

#[test]
fn widening_needs_its_time_and_a_second_person() {
    let wide = GuardrailConfig {
        daily_cap: money("20.00"),
        ..GuardrailConfig::default()
    };
    let mut policies = policies();
    let hash = policies
        .propose(wide.clone(), "ada".into(), MONDAY)
        .unwrap()
        .waits
        .unwrap();
    assert_eq!(
        policies.pending().map(|pending| pending.policy.hash()),
        Some(hash)
    );
    // Time alone is not enough.
    assert_eq!(policies.advance(MONDAY.plus(1_000)), None);
    assert_eq!(
        policies.approve(hash, "ada".into(), MONDAY),
        Err(ApprovalError::SamePerson)
    );
    let other = policies.live().hash();
    assert_eq!(
        policies.approve(other, "bob".into(), MONDAY),
        Err(ApprovalError::NotWaiting(other))
    );
    assert_eq!(policies.approve(hash, "bob".into(), MONDAY.plus(2)), Ok(()));
    assert_eq!(policies.approve(hash, "eve".into(), MONDAY.plus(3)), Ok(()));
    let approval = policies.pending().unwrap().approval.clone().unwrap();
    assert_eq!((approval.by.as_str(), approval.at), ("bob", MONDAY.plus(2)));
    // Neither is the approval.
    assert_eq!(policies.advance(MONDAY.plus(23)), None);
    // It is kept as it is.
    let stored = serde_json::to_string(&policies).unwrap();
    let mut policies: Policies = serde_json::from_str(&stored).unwrap();
    assert_eq!(policies.advance(MONDAY.plus(24)), Some(hash));
    assert_eq!(policies.live().config(), &wide);
    assert_eq!(policies.pending(), None);
    assert_eq!(policies.advance(MONDAY.plus(25)), None);
    assert_eq!(
        policies.approve(hash, "bob".into(), MONDAY),
        Err(ApprovalError::NotWaiting(hash))
    );
}

#[test]
fn a_new_proposal_replaces_one_that_waits() {
    let mut policies = policies();
    let propose = |policies: &mut Policies, cap: &str| {
        let config = GuardrailConfig {
            daily_cap: money(cap),
            ..GuardrailConfig::default()
        };
        policies
            .propose(config, "ada".into(), MONDAY)
            .unwrap()
            .waits
    };
    let first = propose(&mut policies, "20.00").unwrap();
    policies.approve(first, "bob".into(), MONDAY).unwrap();
    let second = propose(&mut policies, "30.00").unwrap();
    // The approval was of another content.
    assert_eq!(policies.advance(MONDAY.plus(24)), None);
    assert!(policies.approve(first, "bob".into(), MONDAY).is_err());
    assert!(policies.approve(second, "bob".into(), MONDAY).is_ok());
    // A narrower one takes effect, and nothing waits any more.
    assert_eq!(propose(&mut policies, "5.00"), None);
    assert_eq!(policies.advance(MONDAY.plus(24)), None);
    assert_eq!(policies.live().config().daily_cap, money("5.00"));
    propose(&mut policies, "6.00").unwrap();
    assert!(policies.withdraw().is_some());
    assert!(policies.withdraw().is_none());
}

#[test]
fn what_cannot_stand_alone_is_proposed_in_two_steps() {
    let mut policies = policies();
    let before = policies.clone();
    // The floor would rise to 0.60, which waits, and the ceiling fall to 0.60 at once: below 0.50
    // it could not.
    let config = GuardrailConfig {
        hourly_floor: money("0.30"),
        hourly_ceiling: money("0.40"),
        ..GuardrailConfig::default()
    };
    let proposed = policies.propose(config, "ada".into(), MONDAY).unwrap();
    assert_eq!(proposed.waits, None);
    let mut policies = before.clone();
    let config = GuardrailConfig {
        daily_cap: money("5.00"),
        campaign_daily_cap: None,
        ..GuardrailConfig::default()
    };
    policies.live_with(|live| live.campaign_daily_cap = Some(money("8.00")));
    let before = policies.clone();
    let error = policies.propose(config, "ada".into(), MONDAY).unwrap_err();
    assert!(matches!(error, ProposalError::InvalidAlone(_)));
    assert_eq!(
        error.to_string(),
        "what it narrows is not valid by itself: campaign_daily_cap is 8.00: \
         at most 5.00 is allowed, the value of daily_cap"
    );
    assert_eq!(policies, before);
    let wrong = GuardrailConfig {
        daily_cap: Micros::ZERO,
        ..GuardrailConfig::default()
    };
    let error = policies.propose(wrong, "ada".into(), MONDAY).unwrap_err();
    assert!(matches!(error, ProposalError::Invalid(_)));
    assert_eq!(policies, before);
}

trait LiveWith {
    fn live_with(&mut self, change: impl FnOnce(&mut GuardrailConfig));
}

impl LiveWith for Policies {
    fn live_with(&mut self, change: impl FnOnce(&mut GuardrailConfig)) {
        let mut config = self.live().config().clone();
        change(&mut config);
        *self = Policies::new(Policy::new(config).unwrap(), 24);
    }
}

#[test]
fn a_candidate_is_evaluated_on_the_same_facts_and_decides_nothing() {
    let mut policies = policies();
    let case = Case::healthy();
    let both = policies.evaluate(&case.context(), Memory::default(), money("1.50"));
    assert_eq!(both.candidate, None);
    let tight = GuardrailConfig {
        delta_max: Ratio::from_ppm(50_000),
        ..GuardrailConfig::default()
    };
    policies.try_out(Some(Policy::new(tight).unwrap()));
    let frozen = Memory {
        roas: gaelp_guardrails::FreezeState {
            bad: 0,
            since: Some(case.now),
        },
        ..Memory::default()
    };
    let both = policies.evaluate(&case.context(), frozen, money("1.08"));
    assert_eq!(show(&both.live), "1.08 allow by nothing");
    // The candidate remembers for itself.
    assert_eq!(
        show(&both.candidate.unwrap()),
        "1.00 freeze by freeze_roas; delta_max clamp at 1.05/h (1.08 against 1.00); \
         freeze_roas freeze at 1.00/h (0 h against 6 h)"
    );
    assert_eq!(
        policies.candidate().unwrap().config().delta_max,
        Ratio::from_ppm(50_000)
    );
    policies.try_out(None);
    assert_eq!(policies.candidate(), None);
}
