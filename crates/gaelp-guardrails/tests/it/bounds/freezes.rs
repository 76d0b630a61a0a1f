//! What freezes on results do, and when they begin and end.

use gaelp_core::{Level, Micros, Quantity};
use gaelp_guardrails::{FreezeState, GuardrailConfig, OnFreeze, UsualSpend, rules};

use super::{PASSES, quiet, ratio};
use crate::support::{Case, EVENING, money};

#[test]
fn a_freeze_holds_steps_down_or_pauses() {
    let (mut case, mut config) = quiet();
    config.delta_max = ratio(300_000);
    case.operator.paused = true;
    let paused = |config: &GuardrailConfig, case: &Case, proposed| case.verdict(config, proposed);
    assert_eq!(
        paused(&config, &case, "1.20"),
        "1.00 freeze by paused; paused freeze at 1.00/h"
    );
    assert_eq!(
        paused(&config, &case, "0.80"),
        "0.80 freeze by nothing; paused freeze at 1.00/h"
    );
    config.on_freeze = OnFreeze::StepDown(ratio(200_000));
    assert_eq!(
        paused(&config, &case, "1.20"),
        "0.80 freeze by paused; paused freeze at 0.80/h"
    );
    // Not below the bound on decreases, and not below the floor.
    config.on_freeze = OnFreeze::StepDown(ratio(900_000));
    assert_eq!(
        paused(&config, &case, "1.20"),
        "0.70 freeze by paused; paused freeze at 0.70/h"
    );
    config.hourly_floor = money("0.85");
    assert_eq!(
        paused(&config, &case, "1.20"),
        "0.85 freeze by paused; paused freeze at 0.85/h"
    );
    config.on_freeze = OnFreeze::Pause;
    assert_eq!(
        paused(&config, &case, "1.20"),
        "0.00 freeze by paused; paused freeze at 0.00/h; overrules HourlyFloor 0.85"
    );
    // From nothing, a step down goes nowhere, and starts nothing.
    config.on_freeze = OnFreeze::StepDown(ratio(200_000));
    case.current = Micros::ZERO;
    assert_eq!(
        paused(&config, &case, "1.20"),
        "0.00 freeze by paused; paused freeze at 0.00/h; \
         delta_max clamp at 0.85/h (1.20 against 0.00); overrules HourlyFloor 0.85"
    );
    // An emergency is such a freeze.
    let (mut case, mut config) = quiet();
    config.on_freeze = OnFreeze::Pause;
    case.operator.emergency = Some(EVENING.plus(-2));
    assert_eq!(
        case.verdict(&config, "1.50"),
        "0.00 freeze by emergency; emergency freeze at 0.00/h (2 h against 0 h)"
    );
    // Missing data are none, unless they are said to be.
    case.operator.emergency = None;
    case.trailing = gaelp_guardrails::Trailing::new(48);
    assert!(
        case.verdict(&config, "1.50")
            .starts_with("1.00 freeze by stale_data")
    );
    config.on_missing_data = OnFreeze::StepDown(ratio(100_000));
    assert_eq!(
        case.verdict(&config, "1.50"),
        "0.90 freeze by stale_data; stale_data freeze at 0.90/h (undefined against 3 h); \
         thin_data freeze at 0.90/h (0.00 against 0.75)"
    );
}

#[test]
fn too_dear_a_conversion_stops_raises_at_once() {
    let (mut case, mut config) = quiet();
    case.trailing = gaelp_guardrails::Trailing::new(48);
    case.report(12, "1.50", "0.00", 1);
    config.max_cpa_multiplier = Some(ratio(1_500_000));
    case.expected.cpa = Some(money("1.00"));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.expected.cpa = Some(money("0.999999"));
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by cpa_multiplier; cpa_multiplier freeze at 1.00/h (1.50 against 1.499998)"
    );
    case.expected.cpa = None;
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by cpa_multiplier; cpa_multiplier freeze at 1.00/h (undefined against -)"
    );
    // Without any, the first one has cost what was spent: 18.00.
    let (mut case, _) = quiet();
    case.trailing = gaelp_guardrails::Trailing::new(48);
    case.report(12, "1.50", "0.00", 0);
    case.expected.cpa = Some(money("12.00"));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.expected.cpa = Some(money("11.99"));
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by cpa_multiplier; cpa_multiplier freeze at 1.00/h (undefined against 17.985)"
    );
    // Enough was spent for that, and too little.
    config.minimum_window_spend = money("18.00");
    assert!(case.verdict(&config, "1.50").starts_with("1.00 freeze"));
    config.minimum_window_spend = money("18.000001");
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
}

#[test]
fn as_many_hours_without_a_conversion_are_waited_for_as_mean_anything() {
    let (mut case, mut config) = quiet();
    case.trailing = gaelp_guardrails::Trailing::new(100);
    case.report(20, "0.50", "0.00", 0);
    config.freeze_without_conversion_hours = Some(7);
    let frozen = |hours: u32| {
        format!(
            "1.00 freeze by freeze_conversions; \
             freeze_conversions freeze at 1.00/h ({hours} h against {hours} h)"
        )
    };
    assert_eq!(case.verdict(&config, "1.50"), frozen(7));
    // At one an hour, 6.9 hours mean something, at a half 13.8, at a third 20.7.
    for (rate, hours) in [(2_000_000, 7), (1_000_000, 7), (500_000, 14), (345_388, 20)] {
        case.expected.conversions_per_hour = Some(Quantity::from_millionths(rate));
        assert_eq!(case.verdict(&config, "1.50"), frozen(hours), "{rate}");
    }
    for rate in [345_387, 333_333, 1, 0] {
        case.expected.conversions_per_hour = Some(Quantity::from_millionths(rate));
        assert_eq!(case.verdict(&config, "1.50"), PASSES, "{rate}");
    }
    // What the settings expect counts where the context knows nothing better.
    config.freeze_without_conversion_hours = Some(14);
    config.expected_conversions_per_hour = Some(Quantity::from_millionths(500_000));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.expected.conversions_per_hour = None;
    assert_eq!(case.verdict(&config, "1.50"), frozen(14));
}

#[test]
fn a_spike_pauses_for_its_time() {
    let (mut case, mut config) = quiet();
    config.max_spike = Some(ratio(3_000_000));
    config.dwell_hours = 2;
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    let usual = |last_hour: &str, weeks| {
        let (last_hour, usual) = (money(last_hour), money("0.40"));
        Some(UsualSpend {
            last_hour,
            usual,
            weeks,
        })
    };
    case.usual = usual("1.20", 3);
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.usual = usual("1.200001", 2);
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.usual = usual("1.200001", 3);
    let paused = "0.00 freeze by spend_spike; spend_spike freeze at 0.00/h ";
    assert_eq!(
        case.verdict(&config, "1.50"),
        format!("{paused}(1.200001 against 1.20)")
    );
    // Less than a unit is no spike, whatever is usual.
    config.spike_minimum_spend = money("1.200002");
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    config.spike_minimum_spend = money("1.200001");
    let rules = config.clone().validate().unwrap();
    let verdict = case.evaluate(&rules, money("1.50"));
    assert_eq!(verdict.level, Level::Freeze);
    assert_eq!(
        verdict.memory.spike,
        FreezeState {
            bad: 0,
            since: Some(EVENING)
        }
    );

    // It lasts, although the next hour spends nothing, and then it is over.
    case.memory = verdict.memory;
    case.usual = usual("0.00", 3);
    case.advance(1);
    assert_eq!(
        case.verdict(&config, "1.50"),
        format!("{paused}(1 h against 2 h)")
    );
    case.advance(1);
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    // Not while nobody knows what was spent.
    case.usual = None;
    assert_eq!(
        case.verdict(&config, "1.50"),
        format!("{paused}(undefined against -)")
    );
    case.memory.spike = FreezeState::default();
    config.require.insert(rules::SPEND_SPIKE);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by spend_spike; spend_spike freeze at 1.00/h (undefined against -)"
    );
}
