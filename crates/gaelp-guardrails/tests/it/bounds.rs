//! Each bound exactly: what passes at it, and what the next micro, hour or count does.

mod changes;
mod freezes;
mod money;
mod stops;

use gaelp_core::{Micros, Ratio};
use gaelp_guardrails::{Bid, GuardrailConfig, rules};

use crate::support::{Case, money, show};

/// An ad set at 1.00, and settings with nothing to say about it.
fn quiet() -> (Case, GuardrailConfig) {
    let mut case = Case::healthy();
    case.share = None;
    let config = GuardrailConfig {
        daily_cap: money("1000.00"),
        hourly_floor: Micros::ZERO,
        hourly_ceiling: money("50.00"),
        delta_max: Ratio::ONE,
        delta_max_24h: Ratio::ONE,
        peak_hours: None,
        freeze_roas_below: None,
        ..GuardrailConfig::default()
    };
    (case, config)
}

fn ratio(ppm: i64) -> Ratio {
    Ratio::from_ppm(ppm)
}

const PASSES: &str = "1.50 allow by nothing";

#[test]
fn without_a_word_from_any_rule_a_proposal_passes() {
    let (case, config) = quiet();
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    assert_eq!(case.verdict(&config, "0.00"), "0.00 allow by nothing");
}

#[test]
fn bids_keep_to_their_bounds_and_are_not_raised_in_a_freeze() {
    let (mut case, mut config) = quiet();
    let bid = |case: &Case, config: &GuardrailConfig| {
        let verdict = case.evaluate(&config.clone().validate().unwrap(), money("1.50"));
        (verdict.bid.unwrap().to_string(), show(&verdict))
    };
    let set = |case: &mut Case, proposed: &str| {
        let (current, proposed) = (money("0.50"), money(proposed));
        case.bid = Some(Bid { current, proposed });
    };
    set(&mut case, "0.90");
    assert_eq!(bid(&case, &config), ("0.90".into(), PASSES.into()));
    config.bid_floor = Some(money("0.20"));
    config.bid_ceiling = Some(money("0.90"));
    assert_eq!(bid(&case, &config), ("0.90".into(), PASSES.into()));
    set(&mut case, "0.900001");
    let clamped = |with: &str| format!("1.50 clamp by nothing; bid_bounds clamp ({with})");
    let high = clamped("0.900001 against 0.90");
    assert_eq!(bid(&case, &config), ("0.90".into(), high));
    set(&mut case, "0.20");
    assert_eq!(bid(&case, &config), ("0.20".into(), PASSES.into()));
    set(&mut case, "0.199999");
    assert_eq!(
        bid(&case, &config),
        ("0.20".into(), clamped("0.199999 against 0.20"))
    );
    // A freeze lets it fall and not rise; a denial keeps it, below the highest.
    case.health.clock_trouble = true;
    assert_eq!(bid(&case, &config).0, "0.20");
    set(&mut case, "0.70");
    assert_eq!(bid(&case, &config).0, "0.50");
    config.blocked.insert("23851".into());
    set(&mut case, "0.30");
    assert_eq!(bid(&case, &config).0, "0.50");
    config.bid_ceiling = Some(money("0.40"));
    assert_eq!(bid(&case, &config).0, "0.40");
    // A floor raises nothing that a denial keeps.
    config.bid_ceiling = None;
    config.bid_floor = Some(money("0.60"));
    assert_eq!(bid(&case, &config).0, "0.50");
    // Bounds that are only observed bound nothing.
    let (mut case, mut config) = quiet();
    config.bid_ceiling = Some(money("0.40"));
    config.observe.insert(rules::BID_BOUNDS);
    set(&mut case, "0.70");
    assert_eq!(
        bid(&case, &config),
        (
            "0.70".into(),
            "1.50 allow by nothing; observed bid_bounds clamp (0.70 against 0.40)".into()
        )
    );
    case.bid = None;
    assert_eq!(
        case.evaluate(&config.clone().validate().unwrap(), money("1.50"))
            .bid,
        None
    );
    config.observe.clear();
    config.require.insert(rules::BID_BOUNDS);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by bid_bounds; bid_bounds freeze at 1.00/h (undefined against -)"
    );
}

#[test]
fn what_is_only_observed_is_said_and_decides_nothing() {
    let (mut case, mut config) = quiet();
    config.hourly_ceiling = money("1.20");
    config.observe.insert(rules::HOURLY_CEILING);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.50 allow by nothing; observed hourly_ceiling clamp at 1.20/h (1.50 against 1.20)"
    );
    assert!(
        case.evaluate(&config.clone().validate().unwrap(), money("1.10"))
            .observed
            .is_empty()
    );
    config.delta_max = ratio(400_000);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.40 clamp by delta_max; delta_max clamp at 1.40/h (1.50 against 1.00); \
         observed hourly_ceiling clamp at 1.20/h (1.50 against 1.20)"
    );
    // Neither does an observed denial keep what runs.
    config.delta_max = Ratio::ONE;
    config.blocked.insert("23851".into());
    config.observe = [rules::BLOCKED].into();
    assert_eq!(
        case.verdict(&config, "0.70"),
        "0.70 allow by nothing; observed blocked deny at 1.00/h"
    );
    case.current = money("0.60");
    assert!(config.validate().unwrap().may_raise(&case.context()));
}
