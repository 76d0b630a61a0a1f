//! Freezes over hours: when they start, and when they end.

use gaelp_core::{Level, Ratio};
use gaelp_guardrails::{FreezeState, GuardrailConfig, Guardrails, Memory, Verdict};

use crate::support::{Case, EVENING, money, show};

/// Judges each hour alone, so that a sequence says exactly what is seen when.
fn hour_by_hour() -> GuardrailConfig {
    GuardrailConfig {
        roas_window_hours: 1,
        minimum_window_spend: money("0.10"),
        peak_hours: None,
        dwell_hours: 3,
        ..GuardrailConfig::default()
    }
}

/// One hour passes with these figures; then a raise is asked for.
fn hour(
    case: &mut Case,
    rules: &Guardrails,
    (spend, revenue, conversions): (&str, &str, u64),
) -> Verdict {
    case.report_span(case.span, spend, revenue, conversions);
    case.advance(1);
    let verdict = case.evaluate(rules, money("1.05"));
    case.memory = verdict.memory;
    assert_eq!(
        verdict.allowed,
        if verdict.level == Level::Freeze {
            money("1.00")
        } else {
            money("1.05")
        }
    );
    verdict
}

/// One letter per hour: `.` where the raise passes, `F` where it is frozen.
fn run(config: GuardrailConfig, hours: &[(&str, &str, u64)]) -> String {
    let rules = config.validate().unwrap();
    let mut case = Case::without_data();
    let frozen =
        |figures: &(&str, &str, u64)| hour(&mut case, &rules, *figures).level == Level::Freeze;
    hours
        .iter()
        .map(frozen)
        .map(|frozen| if frozen { 'F' } else { '.' })
        .collect()
}

const GOOD: (&str, &str, u64) = ("1.00", "1.65", 1);
const BETWEEN: (&str, &str, u64) = ("1.00", "1.50", 1);
const BAD: (&str, &str, u64) = ("1.00", "1.499999", 1);
const IDLE: (&str, &str, u64) = ("0.099999", "0.00", 0);

#[test]
fn roas_freezes_at_the_second_bad_look_and_thaws_above_the_bound_after_its_time() {
    let config = hour_by_hour();
    assert_eq!(run(config.clone(), &[BAD, BAD]), ".F");
    assert_eq!(
        run(config.clone(), &[BAD, BETWEEN, BAD, GOOD, BAD, BAD]),
        ".....F"
    );
    // Three hours at least, then only at the better bound.
    assert_eq!(
        run(config.clone(), &[BAD, BAD, GOOD, GOOD, GOOD, BAD]),
        ".FFF.."
    );
    assert_eq!(
        run(config.clone(), &[BAD, BAD, GOOD, GOOD, BETWEEN, GOOD]),
        ".FFFF."
    );
    // What cannot be judged neither adds to the count nor clears it.
    assert_eq!(run(config.clone(), &[BAD, IDLE, BAD, IDLE]), "..FF");
    // Nothing bad is left in the window: a new start.
    assert_eq!(
        run(config.clone(), &[BAD, BAD, IDLE, IDLE, IDLE, BAD]),
        ".FFF.."
    );
    // Without spend there is no ROAS, and that is no freeze.
    assert_eq!(run(config.clone(), &[("0.00", "0.00", 0); 4]), "....");
    let no_minimum = GuardrailConfig {
        minimum_window_spend: money("0.00"),
        ..config.clone()
    };
    assert_eq!(run(no_minimum, &[("0.00", "0.00", 0); 4]), "....");

    let strict = GuardrailConfig {
        freeze_after_evaluations: 1,
        dwell_hours: 0,
        ..config.clone()
    };
    assert_eq!(run(strict, &[BAD, GOOD, BAD, BETWEEN, GOOD]), "F.FF.");
    let off = GuardrailConfig {
        freeze_roas_below: None,
        ..config.clone()
    };
    assert_eq!(run(off, &[BAD; 5]), ".....");
    let eager = GuardrailConfig {
        unfreeze_roas_at: Some(Ratio::from_ppm(1_500_000)),
        ..config
    };
    assert_eq!(run(eager, &[BAD, BAD, BAD, BAD, BETWEEN]), ".FFF.");
}

#[test]
fn cpa_freezes_too_and_counts_spend_without_a_conversion() {
    let config = GuardrailConfig {
        freeze_roas_below: None,
        freeze_cpa_above: Some(money("2.00")),
        ..hour_by_hour()
    };
    let good = ("1.80", "0.00", 1);
    let between = ("2.00", "0.00", 1);
    let bad = ("2.000001", "0.00", 1);
    let hopeless = ("2.10", "0.00", 0);
    let open = ("2.00", "0.00", 0);
    assert_eq!(run(config.clone(), &[bad, bad]), ".F");
    assert_eq!(run(config.clone(), &[hopeless, hopeless]), ".F");
    assert_eq!(run(config.clone(), &[between; 4]), "....");
    assert_eq!(run(config.clone(), &[bad, open, bad]), "..F");
    assert_eq!(run(config.clone(), &[bad, bad, good, good, good]), ".FFF.");
    assert_eq!(
        run(config, &[bad, bad, good, good, between, open, good]),
        ".FFFFF."
    );
}

#[test]
fn hours_without_a_conversion_freeze_at_once() {
    let config = GuardrailConfig {
        freeze_roas_below: None,
        freeze_without_conversion_hours: Some(4),
        ..hour_by_hour()
    };
    let none = ("0.50", "0.00", 0);
    let some = ("0.50", "0.00", 1);
    assert_eq!(
        run(config.clone(), &[none, none, none, none, none]),
        "...FF"
    );
    assert_eq!(
        run(config.clone(), &[some, none, none, none, none, some, some]),
        "....FFF"
    );
    assert_eq!(
        run(config.clone(), &[none, none, none, none, some, some, some]),
        "...FFF."
    );
    // Who spends nothing needs no conversion.
    assert_eq!(run(config, &[("0.00", "0.00", 0); 8]), "........");
}

#[test]
fn hours_that_nobody_reported_are_not_hours_without_a_conversion() {
    let config = GuardrailConfig {
        freeze_roas_below: None,
        freeze_without_conversion_hours: Some(4),
        min_coverage: Ratio::ZERO,
        max_data_age_hours: 100,
        ..hour_by_hour()
    };
    let rules = config.validate().unwrap();
    let mut case = Case::without_data();
    for gap in 0..3 {
        let verdict = hour(&mut case, &rules, ("0.50", "0.00", 0));
        assert_eq!(verdict.level, Level::Allow, "{gap}");
        case.advance(5);
    }
    let verdict = hour(&mut case, &rules, ("0.50", "0.00", 0));
    assert_eq!(
        show(&verdict),
        "1.00 freeze by freeze_conversions; freeze_conversions freeze at 1.00/h (4 h against 4 h)"
    );
}

#[test]
fn a_freeze_says_what_it_compared() {
    let config = GuardrailConfig {
        freeze_cpa_above: Some(money("0.80")),
        ..hour_by_hour()
    };
    let rules = config.validate().unwrap();
    let mut case = Case::without_data();
    let _ = hour(&mut case, &rules, BAD);
    let frozen = "1.00 freeze by freeze_roas; freeze_roas freeze at 1.00/h ";
    let bad = hour(&mut case, &rules, BAD);
    assert_eq!(
        show(&bad),
        format!("{frozen}(1.499999 against 1.50); freeze_cpa freeze at 1.00/h (1.00 against 0.80)")
    );
    let between = hour(&mut case, &rules, ("0.70", "1.12", 1));
    assert_eq!(
        show(&between),
        format!("{frozen}(1.60 against 1.65); freeze_cpa freeze at 1.00/h (1 h against 3 h)")
    );
    let between = hour(&mut case, &rules, ("0.75", "1.20", 1));
    assert_eq!(
        show(&between),
        format!("{frozen}(1.60 against 1.65); freeze_cpa freeze at 1.00/h (0.75 against 0.72)")
    );
    case.advance(1);
    let unknown = case.evaluate(&rules, money("1.05"));
    assert_eq!(
        show(&unknown),
        "1.00 freeze by thin_data; thin_data freeze at 1.00/h (0.00 against 0.75); \
         freeze_roas freeze at 1.00/h (undefined against 1.65); \
         freeze_cpa freeze at 1.00/h (undefined against 0.72)"
    );
}

#[test]
fn looking_twice_in_an_hour_counts_once() {
    let rules = hour_by_hour().validate().unwrap();
    let mut case = Case::without_data();
    case.report(1, "1.00", "1.00", 1);
    for _ in 0..5 {
        let verdict = case.evaluate(&rules, money("1.05"));
        assert_eq!(verdict.level, Level::Allow);
        assert_eq!(
            verdict.memory.roas,
            FreezeState {
                bad: 1,
                since: None
            }
        );
        case.memory = verdict.memory;
    }
    // A clock that goes back counts nothing either, and shortens no freeze.
    case.advance(-1);
    case.report(1, "1.00", "1.00", 1);
    let verdict = case.evaluate(&rules, money("1.05"));
    assert_eq!(verdict.memory.roas.bad, 1);
    assert_eq!(verdict.memory.evaluated, Some(EVENING));
    case.memory.roas = FreezeState {
        bad: 0,
        since: Some(EVENING.plus(5)),
    };
    assert_eq!(
        case.evaluate(&rules, money("1.05")).memory.roas,
        case.memory.roas
    );
}

#[test]
fn a_frozen_ad_set_still_goes_down() {
    let rules = hour_by_hour().validate().unwrap();
    let mut case = Case::healthy();
    case.memory.roas.since = Some(EVENING);
    assert_eq!(
        show(&case.evaluate(&rules, money("0.95"))),
        "0.95 freeze by nothing; freeze_roas freeze at 1.00/h (0 h against 3 h)"
    );
    assert!(!rules.may_raise(&case.context()));
    case.memory.roas.since = Some(EVENING.plus(-3));
    assert!(rules.may_raise(&case.context()));
}

#[test]
fn an_ad_set_that_was_frozen_and_cut_to_nothing_starts_again_at_the_floor() {
    let rules = GuardrailConfig {
        peak_hours: None,
        ..GuardrailConfig::default()
    };
    let rules = rules.validate().unwrap();
    let mut case = Case::without_data();
    case.report(12, "1.00", "0.00", 0);
    case.memory.roas.since = Some(EVENING);
    case.current = money("0.00");
    case.day_ago = None;
    let mut started = None;
    for hour in 1..=14 {
        case.report_span(case.span, "0.00", "0.00", 0);
        case.advance(1);
        let verdict = case.evaluate(&rules, money("0.50"));
        case.memory = verdict.memory;
        if !verdict.allowed.is_zero() {
            started = Some((hour, verdict.allowed));
            break;
        }
    }
    // Eleven hours later one bad hour, of 1.00, is left in the window: less than is judged.
    assert_eq!(started, Some((11, money("0.50"))));
}

#[test]
fn memory_survives_its_text_and_refuses_what_it_does_not_know() {
    let memory = Memory {
        roas: FreezeState {
            bad: 1,
            since: None,
        },
        conversions: FreezeState {
            bad: 0,
            since: Some(EVENING),
        },
        evaluated: Some(EVENING),
        ..Memory::default()
    };
    let json = serde_json::to_string(&memory).unwrap();
    assert_eq!(
        json,
        r#"{"roas":{"bad":1,"since":null},"cpa":{"bad":0,"since":null},"conversions":{"bad":0,"since":498666},"spike":{"bad":0,"since":null},"evaluated":498666}"#
    );
    assert_eq!(serde_json::from_str::<Memory>(&json).unwrap(), memory);
    // What a later version remembers besides is nothing to an older snapshot.
    let older = r#"{"roas":{"since":498666}}"#;
    let since = Some(EVENING);
    assert_eq!(
        serde_json::from_str::<Memory>(older).unwrap().roas,
        FreezeState { bad: 0, since }
    );
    let unknown = json.replace("evaluated", "forgotten");
    assert!(serde_json::from_str::<Memory>(&unknown).is_err());
}
