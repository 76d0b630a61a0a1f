//! Which changes of a setting narrow, and which widen.

use gaelp_core::{Micros, Platform, Ratio};
use gaelp_guardrails::policy::Direction;
use gaelp_guardrails::{GuardrailConfig, Policies, Policy, RaiseCaps, Taper};

use super::MONDAY;
use super::settings::both_ways;

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
    // So does the cap of each platform.
    let platform = |micros: i64| GuardrailConfig {
        platform_daily_caps: [(Platform::Meta, Micros::new(micros))].into(),
        ..default()
    };
    assert_eq!(
        directions(&platform(5), &platform(6)).0,
        [("platform_daily_caps", Direction::Wider)]
    );
    assert_eq!(
        directions(&platform(6), &platform(5)).0,
        [("platform_daily_caps", Direction::Narrower)]
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
