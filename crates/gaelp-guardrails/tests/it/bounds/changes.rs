//! How fast a rate may change, and in which hours.

use gaelp_core::{HourSpan, Micros, Ratio};
use gaelp_guardrails::{GuardrailConfig, LowerBoundKind, Traffic};

use super::{PASSES, quiet, ratio};
use crate::support::{EVENING, money};

#[test]
fn changes_are_exact_both_ways() {
    let (mut case, mut config) = quiet();
    config.delta_max = ratio(500_000);
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    assert_eq!(case.verdict(&config, "0.499999"), "0.50 allow by nothing");
    assert_eq!(
        case.verdict(&config, "1.500001"),
        "1.50 clamp by delta_max; delta_max clamp at 1.50/h (1.500001 against 1.00)"
    );
    config.delta_max = Ratio::ONE;
    config.delta_max_24h = ratio(250_000);
    case.day_ago = Some(money("1.20"));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    assert_eq!(case.verdict(&config, "0.80"), "0.90 allow by nothing");
    assert_eq!(
        case.verdict(&config, "1.500001"),
        "1.50 clamp by delta_max_24h; delta_max_24h clamp at 1.50/h (1.500001 against 1.20)"
    );
}

#[test]
fn of_equal_lower_bounds_the_first_is_named() {
    let (case, mut config) = quiet();
    let overruled = |config: &GuardrailConfig| {
        let rules = config.clone().validate().unwrap();
        let bound = case.evaluate(&rules, money("1.00")).overruled.unwrap();
        (bound.kind, bound.rate)
    };
    config.hourly_floor = money("0.80");
    config.delta_max = ratio(200_000);
    config.delta_max_24h = ratio(200_000);
    config.hourly_ceiling = money("0.80");
    config.daily_cap = money("2.50"); // of which 2.00 are spent
    let floor = (LowerBoundKind::HourlyFloor, money("0.80"));
    assert_eq!(overruled(&config), floor);
    config.hourly_floor = money("0.799999");
    let delta = (LowerBoundKind::DeltaMax, money("0.80"));
    assert_eq!(overruled(&config), delta);
    config.delta_max = ratio(200_001);
    let day = (LowerBoundKind::DeltaMax24h, money("0.80"));
    assert_eq!(overruled(&config), day);
}

#[test]
fn normalised_changes_follow_the_traffic() {
    let (mut case, mut config) = quiet();
    config.delta_max_normalised = Some(ratio(100_000));
    let traffic = |before, next, day_ago: Option<i64>| {
        let (before, next) = (ratio(before), ratio(next));
        Some(Traffic {
            before,
            next,
            day_ago: day_ago.map(ratio),
        })
    };
    // Half as much traffic again: 1.00 is worth 1.50 there, and may become 1.65.
    case.traffic = traffic(40_000, 60_000, None);
    assert_eq!(case.verdict(&config, "1.65"), "1.65 allow by nothing");
    assert_eq!(
        case.verdict(&config, "1.650001"),
        "1.65 clamp by delta_normalised; delta_normalised clamp at 1.65/h (1.650001 against 1.50)"
    );
    // Below, what runs is held: the bound would be 1.35, and is no reason to raise.
    assert_eq!(case.verdict(&config, "0.20"), "1.00 allow by nothing");
    // Half the traffic: 0.50, which may become 0.55 or 0.45; what runs may go on.
    case.traffic = traffic(40_000, 20_000, None);
    assert_eq!(case.verdict(&config, "1.00"), "1.00 allow by nothing");
    assert_eq!(case.verdict(&config, "0.20"), "0.45 allow by nothing");
    assert_eq!(
        case.verdict(&config, "1.000001"),
        "1.00 clamp by delta_normalised; delta_normalised clamp at 1.00/h (1.000001 against 0.50)"
    );
    // No traffic before: no daily budget that the rate stands for. None next: nothing is worth it.
    case.traffic = traffic(0, 20_000, None);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by delta_normalised; \
         delta_normalised freeze at 1.00/h (undefined against 0.10)"
    );
    case.traffic = traffic(20_000, 0, None);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 clamp by delta_normalised; delta_normalised clamp at 1.00/h (1.50 against 0.00)"
    );
    case.traffic = None;
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by delta_normalised; \
         delta_normalised freeze at 1.00/h (undefined against 0.10)"
    );
    // It is a bound per hour.
    case.span = HourSpan::new(EVENING, EVENING.plus(2));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);

    let (mut case, mut config) = quiet();
    config.delta_max_24h_normalised = Some(ratio(250_000));
    case.day_ago = Some(money("0.80"));
    case.traffic = traffic(1, 60_000, Some(40_000));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    assert_eq!(
        case.verdict(&config, "1.500001"),
        "1.50 clamp by delta_normalised_24h; \
         delta_normalised_24h clamp at 1.50/h (1.500001 against 1.20)"
    );
    assert_eq!(case.verdict(&config, "0.10"), "0.90 allow by nothing");
    // The same hour has the same share where nothing else is known.
    case.traffic = traffic(1, 60_000, None);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 clamp by delta_normalised_24h; \
         delta_normalised_24h clamp at 1.00/h (1.50 against 0.80)"
    );
    case.traffic = None;
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by delta_normalised_24h; \
         delta_normalised_24h freeze at 1.00/h (undefined against 0.25)"
    );
    // The largest amounts still fit, and only the day's cap bounds them.
    config.daily_cap = money("1000000000.00");
    config.hourly_ceiling = money("1000000000.00");
    case.current = money("1000000000.00");
    case.day_ago = None;
    case.traffic = traffic(1, 1_000_000, Some(1));
    assert_eq!(
        case.verdict(&config, "1000000000.00"),
        "999999998.00 clamp by daily_cap; \
         daily_cap clamp at 999999998.00/h (2.00 against 1000000000.00); \
         overrules DeltaNormalised24h 1000000000.00"
    );
    // Past 64 bits on the way, the result is exact.
    case.current = money("200000000.00");
    case.traffic = traffic(1, 60_000, Some(40_000));
    assert_eq!(
        case.verdict(&config, "375000000.000001"),
        "375000000.00 clamp by delta_normalised_24h; delta_normalised_24h clamp at \
         375000000.00/h (375000000.000001 against 300000000.00)"
    );
}

#[test]
fn starting_from_nothing_is_bounded_by_the_floor_only() {
    let (mut case, mut config) = quiet();
    config.delta_max_normalised = Some(ratio(100_000));
    config.hourly_floor = money("0.50");
    case.current = Micros::ZERO;
    case.day_ago = None;
    case.traffic = Some(Traffic {
        before: ratio(40_000),
        next: ratio(40_000),
        day_ago: None,
    });
    assert_eq!(
        case.verdict(&config, "0.90"),
        "0.50 clamp by delta_max; delta_max clamp at 0.50/h (0.90 against 0.00); \
         delta_max_24h clamp at 0.50/h (0.90 against 0.00); \
         delta_normalised clamp at 0.50/h (0.90 against 0.00)"
    );
}

#[test]
fn restricted_hours_stop_raises_and_may_lower() {
    let (mut case, mut config) = quiet();
    config.restricted_hours = Some("22-6".parse().unwrap());
    for (hour, restricted) in [
        (21, false),
        (22, true),
        (23, true),
        (0, true),
        (5, true),
        (6, false),
    ] {
        case.local.hour = hour;
        let expected = if restricted {
            format!(
                "1.00 freeze by restricted_hours; \
                 restricted_hours freeze at 1.00/h ({hour} h against 22 h)"
            )
        } else {
            PASSES.to_owned()
        };
        assert_eq!(case.verdict(&config, "1.50"), expected);
    }
    case.local.hour = 22;
    config.restricted_ceiling = Some(money("0.30"));
    assert_eq!(
        case.verdict(&config, "1.00"),
        "0.30 freeze by restricted_hours; restricted_hours freeze at 0.30/h (22 h against 22 h)"
    );
    // It is no reason to raise.
    config.restricted_ceiling = Some(money("1.30"));
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by restricted_hours; restricted_hours freeze at 1.00/h (22 h against 22 h)"
    );
    case.span = HourSpan::new(EVENING, EVENING.plus(2));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
}
