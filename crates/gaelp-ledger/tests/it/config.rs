//! The settings.

use gaelp_core::{AccountZone, Micros, Platform, Ratio};
use gaelp_ledger::{
    LedgerConfig, LedgerViolation, MAX_AMOUNT, MAX_CLOCK_SKEW_SECS, MAX_GONE_AFTER_SECS,
    MAX_OVERDELIVERY, MAX_READ_BACKS, MAX_SECONDS,
};

use crate::support::{money, plain};

fn violations(change: impl FnOnce(&mut LedgerConfig)) -> Vec<LedgerViolation> {
    let mut config = plain(10);
    change(&mut config);
    config
        .validate()
        .map_or_else(|error| error.violations, |_| Vec::new())
}

/// Sets a setting in seconds.
type Set = fn(&mut LedgerConfig, u32);

#[test]
fn each_bound_is_where_it_is_said_to_be() {
    for (value, fits) in [
        (Micros::ZERO, true),
        (MAX_AMOUNT, true),
        (money(-1), false),
        (money(MAX_AMOUNT.get() + 1), false),
    ] {
        let found = violations(|config| config.daily_cap = value);
        let expected = if fits {
            vec![]
        } else {
            vec![LedgerViolation::DailyCap { value }]
        };
        assert_eq!(found, expected);
    }
    for (ppm, fits) in [
        (1_000_000, true),
        (10_000_000, true),
        (999_999, false),
        (10_000_001, false),
    ] {
        let (platform, value) = (Platform::Meta, Ratio::from_ppm(ppm));
        let found = violations(|config| {
            config.overdelivery.insert(platform.clone(), value);
        });
        let wrong = LedgerViolation::Overdelivery { platform, value };
        assert_eq!(found, if fits { vec![] } else { vec![wrong] });
    }
    let settings: [(&'static str, u32, Set); 3] = [
        ("request_lifetime_secs", MAX_SECONDS, |config, value| {
            config.request_lifetime_secs = value;
        }),
        ("clock_skew_secs", MAX_CLOCK_SKEW_SECS, |config, value| {
            config.clock_skew_secs = value;
        }),
        ("gone_after_secs", MAX_GONE_AFTER_SECS, |config, value| {
            config.gone_after_secs = value;
        }),
    ];
    for (setting, most, set) in settings {
        for (value, fits) in [(0, true), (most, true), (most + 1, false)] {
            let wrong = LedgerViolation::Seconds {
                setting,
                value,
                most,
            };
            let found = violations(|config| set(config, value));
            assert_eq!(found, if fits { vec![] } else { vec![wrong] });
        }
    }
    for (value, fits) in [
        (0, false),
        (1, true),
        (MAX_READ_BACKS, true),
        (MAX_READ_BACKS + 1, false),
    ] {
        let found = violations(|config| config.read_backs = value);
        let wrong = LedgerViolation::ReadBacks { value };
        assert_eq!(found, if fits { vec![] } else { vec![wrong] });
    }
    assert_eq!((MAX_SECONDS, MAX_READ_BACKS), (86_400, 100));
    assert_eq!(
        (MAX_CLOCK_SKEW_SECS, MAX_GONE_AFTER_SECS),
        (3_600, 2_592_000)
    );
    assert_eq!(
        (MAX_AMOUNT.get(), MAX_OVERDELIVERY.ppm()),
        (1_000_000_000_000_000, 10_000_000)
    );
}

#[test]
fn all_violations_are_reported_at_once() {
    let mut config = LedgerConfig::new(AccountZone::UTC, money(-1));
    config.request_lifetime_secs = MAX_SECONDS + 1;
    config.clock_skew_secs = MAX_SECONDS + 1;
    config.read_backs = 0;
    let error = config.validate().unwrap_err();
    assert_eq!(error.violations.len(), 5);
    let text = error.to_string();
    assert!(
        text.contains("names no platform; request_lifetime_secs is 86401"),
        "{text}"
    );
}

#[test]
fn settings_are_read_with_their_defaults() {
    let json = r#"{"zone":"Europe/Berlin","daily_cap":10,"overdelivery":{"meta":1.75}}"#;
    let config: LedgerConfig = serde_json::from_str(json).unwrap();
    let defaults = (
        config.request_lifetime_secs,
        config.clock_skew_secs,
        config.read_backs,
        config.gone_after_secs,
    );
    assert_eq!(defaults, (900, 30, 2, 3 * 86_400));
    let new = LedgerConfig::new(AccountZone::UTC, money(1));
    assert_eq!(new.gone_after_secs, 3 * 86_400);
    assert_eq!(
        config.overdelivery[&Platform::Meta],
        Ratio::from_ppm(1_750_000)
    );
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<LedgerConfig>(&text).unwrap(), config);
    let unknown = json.replace("daily_cap", "daily_cup");
    assert!(serde_json::from_str::<LedgerConfig>(&unknown).is_err());
}
