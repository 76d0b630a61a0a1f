//! Each rule once, with the words it uses.

use gaelp_core::{AccountZone, HourSpan, Micros, Ratio, UtcHour};
use gaelp_guardrails::{GuardrailConfig, LastKnownGood};

use crate::support::{Case, EVENING, money};

#[expect(clippy::unnecessary_wraps, reason = "facts are optional")]
fn some(text: &str) -> Option<Micros> {
    Some(money(text))
}

fn config() -> GuardrailConfig {
    GuardrailConfig::default()
}

#[test]
fn what_nobody_objects_to_is_allowed() {
    let case = Case::healthy();
    assert_eq!(case.verdict(&config(), "1.05"), "1.05 allow by nothing");
    assert_eq!(case.verdict(&config(), "0.95"), "0.95 allow by nothing");
}

#[test]
fn changes_are_bounded_both_ways() {
    let mut case = Case::healthy();
    assert_eq!(
        case.verdict(&config(), "1.50"),
        "1.10 clamp by delta_max; delta_max clamp at 1.10/h (1.50 against 1.00); \
         delta_max_24h clamp at 1.30/h (1.50 against 1.00)"
    );
    assert_eq!(case.verdict(&config(), "0.10"), "0.90 allow by nothing");

    // Yesterday's rate bounds as well, and forces no change by itself.
    case.day_ago = Some(money("0.80"));
    assert_eq!(
        case.verdict(&config(), "1.10"),
        "1.04 clamp by delta_max_24h; delta_max_24h clamp at 1.04/h (1.10 against 0.80)"
    );
    case.day_ago = Some(money("0.50"));
    assert_eq!(
        case.verdict(&config(), "1.10"),
        "1.00 clamp by delta_max_24h; delta_max_24h clamp at 1.00/h (1.10 against 0.50)"
    );
    case.day_ago = Some(money("2.00"));
    assert_eq!(case.verdict(&config(), "0.50"), "1.00 allow by nothing");
    case.day_ago = Some(money("1.40"));
    assert_eq!(case.verdict(&config(), "0.50"), "0.98 allow by nothing");
    case.day_ago = None;
    assert_eq!(case.verdict(&config(), "0.50"), "0.90 allow by nothing");
}

#[test]
fn from_nothing_one_starts_at_the_floor() {
    let mut case = Case::healthy();
    case.current = Micros::ZERO;
    case.day_ago = Some(Micros::ZERO);
    assert_eq!(case.verdict(&config(), "0.00"), "0.50 allow by nothing");
    assert_eq!(
        case.verdict(&config(), "0.80"),
        "0.50 clamp by delta_max; delta_max clamp at 0.50/h (0.80 against 0.00); \
         delta_max_24h clamp at 0.50/h (0.80 against 0.00)"
    );
}

#[test]
fn caps_cut_whatever_runs_and_beat_the_floor() {
    let mut case = Case::healthy();
    case.share = some("0.20");
    assert_eq!(
        case.verdict(&config(), "1.00"),
        "0.20 clamp by account_share; account_share clamp at 0.20/h (1.00 against 0.20); \
         overrules DeltaMax 0.90"
    );
    case.current = money("0.40");
    assert_eq!(
        case.verdict(&config(), "0.30"),
        "0.20 clamp by account_share; account_share clamp at 0.20/h (0.40 against 0.20); \
         overrules HourlyFloor 0.40"
    );

    let mut case = Case::healthy();
    case.spent.account = some("9.60");
    assert_eq!(
        case.verdict(&config(), "1.00"),
        "0.40 clamp by daily_cap; daily_cap clamp at 0.40/h (9.60 against 10.00); \
         overrules DeltaMax 0.90"
    );
    case.spent.account = some("12.00");
    assert_eq!(
        case.verdict(&config(), "1.00"),
        "0.00 clamp by daily_cap; daily_cap clamp at 0.00/h (12.00 against 10.00); \
         overrules DeltaMax 0.90"
    );

    let case = Case::healthy();
    let own = GuardrailConfig {
        ad_set_daily_cap: Some(money("2.75")),
        ..config()
    };
    assert_eq!(
        case.verdict(&own, "1.00"),
        "0.75 clamp by ad_set_daily_cap; ad_set_daily_cap clamp at 0.75/h (2.00 against 2.75); \
         overrules DeltaMax 0.90"
    );

    let mut case = Case::healthy();
    case.current = money("3.00");
    case.day_ago = None;
    assert_eq!(
        case.verdict(&config(), "2.80"),
        "2.00 clamp by hourly_ceiling; hourly_ceiling clamp at 2.00/h (2.80 against 2.00); \
         overrules DeltaMax 2.70"
    );
}

#[test]
fn a_credit_raises_no_cap() {
    let mut case = Case::healthy();
    case.spent.account = some("-50.00");
    case.share = some("100.00");
    let wide = GuardrailConfig {
        daily_cap: money("1.02"),
        hourly_ceiling: money("9.00"),
        ..config()
    };
    assert_eq!(
        case.verdict(&wide, "1.05"),
        "1.02 clamp by daily_cap; daily_cap clamp at 1.02/h (-50.00 against 1.02)"
    );
}

#[test]
fn raises_wait_for_the_peak() {
    let mut case = Case::healthy();
    for (hour, in_peak) in [(17, false), (18, true), (21, true), (22, false)] {
        case.local.hour = hour;
        let expected = if in_peak {
            "1.05 allow by nothing".to_owned()
        } else {
            format!(
                "1.00 freeze by peak_hours; peak_hours freeze at 1.00/h ({hour} h against 18 h)"
            )
        };
        assert_eq!(case.verdict(&config(), "1.05"), expected);
    }
    assert_eq!(
        case.verdict(&config(), "0.95"),
        "0.95 freeze by nothing; peak_hours freeze at 1.00/h (22 h against 18 h)"
    );
}

#[test]
fn a_local_day_is_decided_as_a_whole() {
    let zone: AccountZone = "Europe/Berlin".parse().unwrap();
    for (date, hours, rate) in [
        ("2026-03-29", 23, "0.347826"),
        ("2026-07-01", 24, "0.333333"),
        ("2026-10-25", 25, "0.32"),
    ] {
        let day = zone.day(date.parse().unwrap()).unwrap();
        assert_eq!(day.len(), hours);
        let before = zone.day(zone.local(day.from.plus(-1)).date).unwrap();
        let mut case = Case::without_data();
        case.report_span(before, "8.00", "20.00", 4);
        case.spent.account = Some(Micros::ZERO);
        case.span = day;
        case.now = day.from;
        case.local = zone.local(day.from);
        case.current = money("0.30");
        case.day_ago = Some(money("0.30"));
        let daily = GuardrailConfig {
            hourly_floor: Micros::ZERO,
            ..config()
        };
        // Neither the hours of the peak nor the bound per hour apply. What is left of the day
        // is rounded down per hour.
        assert_eq!(
            case.verdict(&daily, "0.38"),
            format!(
                "{rate} clamp by account_share; \
                 account_share clamp at {rate}/h ({} against 8.00)",
                Micros::new(380_000 * i64::from(hours))
            )
        );
        assert_eq!(case.verdict(&daily, "0.10"), "0.21 allow by nothing");
    }
}

#[test]
fn without_reports_nothing_is_raised() {
    let case = Case::without_data();
    assert_eq!(
        case.verdict(&config(), "1.05"),
        "1.00 freeze by stale_data; stale_data freeze at 1.00/h (undefined against 3 h); \
         thin_data freeze at 1.00/h (0.00 against 0.75)"
    );
    let mut case = Case::healthy();
    case.advance(3);
    assert_eq!(case.verdict(&config(), "1.05"), "1.05 allow by nothing");
    case.advance(1);
    case.local.hour = 20;
    assert_eq!(
        case.verdict(&config(), "1.05"),
        "1.00 freeze by stale_data; stale_data freeze at 1.00/h (4 h against 3 h); \
         thin_data freeze at 1.00/h (0.666666 against 0.75)"
    );
}

#[test]
fn the_age_of_daily_reports_is_counted_in_days() {
    let mut case = Case::without_data();
    let day = HourSpan::new(EVENING.plus(-24), EVENING);
    case.report_span(day, "8.00", "20.00", 4);
    let loose = GuardrailConfig {
        min_coverage: Ratio::ZERO,
        peak_hours: None,
        ..config()
    };
    case.advance(72);
    assert_eq!(case.verdict(&loose, "1.05"), "1.05 allow by nothing");
    case.advance(1);
    assert_eq!(
        case.verdict(&loose, "1.05"),
        "1.00 freeze by stale_data; stale_data freeze at 1.00/h (73 h against 72 h)"
    );
}

#[test]
fn off_the_list_nothing_changes_but_what_a_cap_lowers() {
    let mut case = Case::healthy();
    let canary = |id: &str| GuardrailConfig {
        canary: Some([id.into()].into()),
        ..config()
    };
    assert_eq!(
        case.verdict(&canary("23851"), "0.95"),
        "0.95 allow by nothing"
    );
    assert_eq!(
        case.verdict(&canary("1"), "0.95"),
        "1.00 deny by canary; canary deny at 1.00/h"
    );
    assert_eq!(
        case.verdict(&canary("1"), "1.05"),
        "1.00 deny by canary; canary deny at 1.00/h"
    );
    case.share = some("0.92");
    assert_eq!(
        case.verdict(&canary("1"), "0.90"),
        "0.92 deny by account_share; canary deny at 1.00/h; \
         account_share clamp at 0.92/h (0.90 against 0.92)"
    );
}

#[test]
fn the_kill_switch_goes_back_to_what_was_good() {
    let mut case = Case::healthy();
    case.operator.kill = Some(LastKnownGood {
        rate: money("0.40"),
    });
    let expected = "0.40 kill by kill_switch; kill_switch kill at 0.40/h (1.00 against 0.40)";
    for proposed in ["0.00", "1.00", "5.00"] {
        let verdict = case.verdict(&config(), proposed);
        assert!(verdict.starts_with(expected), "{verdict}");
    }
    // Never a raise, never above a cap.
    case.operator.kill = Some(LastKnownGood {
        rate: money("1.80"),
    });
    assert_eq!(
        case.verdict(&config(), "1.05"),
        "1.00 kill by kill_switch; kill_switch kill at 1.00/h (1.00 against 1.80)"
    );
    case.share = some("0.30");
    assert_eq!(
        case.verdict(&config(), "1.00"),
        "0.30 kill by account_share; kill_switch kill at 1.00/h (1.00 against 1.80); \
         account_share clamp at 0.30/h (1.00 against 0.30); overrules DeltaMax 0.90"
    );
}

#[test]
fn what_cannot_be_computed_with_is_denied() {
    let case = Case::healthy();
    let check = |case: Case, proposed: Micros, expected: &str| {
        let guardrails = config().validate().unwrap();
        let verdict = case.evaluate(&guardrails, proposed);
        let reason = verdict
            .reasons
            .iter()
            .find(|r| r.rule.as_str() == "arithmetic");
        assert_eq!(reason.unwrap().to_string(), expected);
        verdict.allowed
    };
    let one = money("1.00");
    let negative = "arithmetic deny at 1.00/h (-0.000001 against 0.00)";
    assert_eq!(check(case.clone(), Micros::new(-1), negative), one);
    let mut changed = case.clone();
    changed.day_ago = Some(Micros::new(-1));
    assert_eq!(check(changed, one, negative), one);
    let mut changed = case.clone();
    changed.span = HourSpan::new(EVENING, UtcHour::new(0));
    assert_eq!(
        check(changed, one, "arithmetic deny at 1.00/h (0 h against 1 h)"),
        one
    );
    let mut changed = case.clone();
    changed.spent.account = Some(Micros::new(i64::MIN));
    let huge = "arithmetic deny at 1.00/h (-9223372036854.775808 against 1000000000.00)";
    assert_eq!(check(changed, one, huge), one);
    // A negative rate is no rate.
    let mut changed = case.clone();
    changed.current = Micros::new(-5);
    let negative = "arithmetic deny at 0.00/h (-0.000005 against 0.00)";
    assert_eq!(check(changed, one, negative), Micros::ZERO);
    // An absurd one is cut by the caps all the same.
    let mut changed = case;
    changed.current = Micros::MAX;
    let huge = "arithmetic deny at 9223372036854.775807/h \
                (9223372036854.775807 against 1000000000.00)";
    assert_eq!(check(changed, one, huge), money("2.00"));
}
