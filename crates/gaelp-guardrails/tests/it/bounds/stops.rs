//! What denies a change or stops raises, whatever the money.

use gaelp_core::Micros;
use gaelp_guardrails::{Bid, BreakerPhase, Exploration, LastKnownGood, Traffic, UsualSpend, rules};

use super::{PASSES, quiet, ratio};
use crate::support::{Case, EVENING, money, show};

#[test]
fn lists_deny_and_an_unknown_audience_freezes() {
    let (mut case, mut config) = quiet();
    config.blocked.insert("1".into());
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    config.blocked.insert("23851".into());
    let denied = |rule: &str| format!("1.00 deny by {rule}; {rule} deny at 1.00/h");
    assert_eq!(case.verdict(&config, "1.50"), denied("blocked"));
    assert_eq!(case.verdict(&config, "0.50"), denied("blocked"));

    let (_, mut config) = quiet();
    config.canary_audiences = Some(["new".into()].into());
    let missing = |rule: &str| {
        format!("1.00 freeze by {rule}; {rule} freeze at 1.00/h (undefined against -)")
    };
    assert_eq!(case.verdict(&config, "1.50"), missing("canary_audience"));
    case.audience = Some("new".into());
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.audience = Some("known".into());
    assert_eq!(case.verdict(&config, "1.50"), denied("canary_audience"));

    let (_, mut config) = quiet();
    config.blocked_audiences.insert("new".into());
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.audience = Some("new".into());
    assert_eq!(case.verdict(&config, "1.50"), denied("blocked_audience"));
    case.audience = None;
    assert_eq!(case.verdict(&config, "1.50"), missing("blocked_audience"));
}

#[test]
fn what_is_not_settled_is_not_raised() {
    let (mut case, mut config) = quiet();
    case.writes.reconciled = Some(true);
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.writes.reconciled = Some(false);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by unreconciled; unreconciled freeze at 1.00/h"
    );
    case.writes.reconciled = None;
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    config.require.insert(rules::UNRECONCILED);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by unreconciled; unreconciled freeze at 1.00/h (undefined against -)"
    );

    let (mut case, config) = quiet();
    for (sent, allowed) in [("0.40", "0.40"), ("1.00", "1.00"), ("1.70", "1.00")] {
        case.writes.unresolved = Some(money(sent));
        assert_eq!(
            case.verdict(&config, "1.50"),
            format!(
                "{allowed} freeze by unresolved_write; \
                 unresolved_write freeze at {allowed}/h ({sent} against 1.00)"
            )
        );
    }
    case.writes.unresolved = Some(money("0.90"));
    assert_eq!(
        case.verdict(&config, "0.80"),
        "0.80 freeze by nothing; unresolved_write freeze at 0.90/h (0.90 against 1.00)"
    );
}

#[test]
fn a_strangers_edit_freezes_for_its_hours() {
    let (mut case, mut config) = quiet();
    config.external_edit_freeze_hours = 6;
    case.writes.external_edit = Some(EVENING.plus(-6));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    // One in the future has no known time.
    for (edit, hours) in [(-5, 5), (0, 0), (3, -3)] {
        case.writes.external_edit = Some(EVENING.plus(edit));
        assert_eq!(
            case.verdict(&config, "1.50"),
            format!(
                "1.00 freeze by external_edit; external_edit freeze at 1.00/h ({hours} h against 6 h)"
            )
        );
    }
    config.external_edit_freeze_hours = 0;
    case.writes.external_edit = Some(EVENING);
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
}

#[test]
fn the_last_edit_of_an_hour_is_kept_for_a_decrease() {
    let (mut case, mut config) = quiet();
    config.max_edits_per_hour = Some(4);
    case.writes.edits_last_hour = Some(2);
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.writes.edits_last_hour = Some(3);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by edits; edits freeze at 1.00/h (3 against 3)"
    );
    assert_eq!(
        case.verdict(&config, "0.80"),
        "0.80 freeze by nothing; edits freeze at 1.00/h (3 against 3)"
    );
    for edits in [4, 5] {
        case.writes.edits_last_hour = Some(edits);
        assert_eq!(
            case.verdict(&config, "0.80"),
            format!("1.00 deny by edits; edits deny at 1.00/h ({edits} against 4)")
        );
    }
    case.writes.edits_last_hour = None;
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by edits; edits freeze at 1.00/h (undefined against 3)"
    );
}

#[test]
fn trouble_with_the_clock_or_the_platform_stops_raises() {
    let (mut case, mut config) = quiet();
    case.health.clock_trouble = true;
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by clock; clock freeze at 1.00/h"
    );
    case.health.clock_trouble = false;
    let frozen = "1.00 freeze by breaker; breaker freeze at 1.00/h";
    for (phase, expected) in [
        (BreakerPhase::Closed, PASSES),
        (BreakerPhase::Open, frozen),
        (BreakerPhase::HalfOpen, frozen),
    ] {
        case.health.breaker = Some(phase);
        assert_eq!(case.verdict(&config, "1.50"), expected);
    }
    case.health.breaker = None;
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    config.require.insert(rules::BREAKER);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by breaker; breaker freeze at 1.00/h (undefined against -)"
    );
    // Nor is a share taken for granted that nobody supplied.
    config.require = [rules::ACCOUNT_SHARE].into();
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by account_share; account_share freeze at 1.00/h (undefined against -)"
    );
}

#[test]
fn impossible_facts_are_denied_wherever_they_stand() {
    type Break = fn(&mut Case, Micros);
    let rates: [(&str, Break); 10] = [
        ("target", |case, amount| case.target_today = Some(amount)),
        ("raised by the account", |case, amount| {
            case.raised.account = Some(amount)
        }),
        ("raised on the platform", |case, amount| {
            case.raised.platform = Some(amount)
        }),
        ("raised in the campaign", |case, amount| {
            case.raised.campaign = Some(amount)
        }),
        ("raised of the ad set", |case, amount| {
            case.raised.ad_set = Some(amount)
        }),
        ("unresolved", |case, amount| {
            case.writes.unresolved = Some(amount)
        }),
        ("expected", |case, amount| case.expected.cpa = Some(amount)),
        ("day ago", |case, amount| case.day_ago = Some(amount)),
        ("kill", |case, rate| {
            case.operator.kill = Some(LastKnownGood { rate })
        }),
        ("bid", |case, amount| {
            case.bid = Some(Bid {
                current: amount,
                proposed: money("0.10"),
            });
        }),
    ];
    let also: [(&str, Break); 3] = [
        ("proposed bid", |case, amount| {
            case.bid = Some(Bid {
                current: money("0.10"),
                proposed: amount,
            });
        }),
        ("last hour", |case, last_hour| {
            case.usual = Some(UsualSpend {
                last_hour,
                usual: money("0.10"),
                weeks: 3,
            });
        }),
        ("usual", |case, usual| {
            case.usual = Some(UsualSpend {
                last_hour: money("0.10"),
                usual,
                weeks: 3,
            });
        }),
    ];
    let amounts: [(&str, Break); 7] = [
        ("account", |case, amount| case.spent.account = Some(amount)),
        ("platform", |case, amount| {
            case.spent.platform = Some(amount)
        }),
        ("campaign", |case, amount| {
            case.spent.campaign = Some(amount)
        }),
        ("ad set", |case, amount| case.spent.ad_set = Some(amount)),
        ("share", |case, amount| case.share = Some(amount)),
        ("headroom", |case, amount| {
            case.writes.headroom = Some(amount)
        }),
        ("at risk", |case, at_risk_today| {
            case.exploration = Some(Exploration { at_risk_today })
        }),
    ];
    let denied = |spoil: Break, amount: Micros| {
        let (mut case, config) = quiet();
        spoil(&mut case, amount);
        let verdict = case.evaluate(&config.validate().unwrap(), money("1.00"));
        verdict
            .reasons
            .iter()
            .any(|reason| reason.rule == rules::ARITHMETIC)
    };
    let most = Micros::new(1_000_000_000_000_000);
    let above = Micros::new(1_000_000_000_000_001);
    let (below, least) = (Micros::new(-1), Micros::new(-1_000_000_000_000_000));
    for (name, spoil) in rates.into_iter().chain(also) {
        assert!(
            !denied(spoil, most) && !denied(spoil, Micros::ZERO),
            "{name}"
        );
        assert!(denied(spoil, above) && denied(spoil, below), "{name}");
    }
    for (name, spoil) in amounts {
        assert!(!denied(spoil, most) && !denied(spoil, least), "{name}");
        assert!(denied(spoil, above), "{name}");
        assert!(denied(spoil, Micros::new(least.get() - 1)), "{name}");
    }
    // Two of them do not make up for each other.
    let twice = |case: &Case| {
        let (_, config) = quiet();
        let verdict = case.evaluate(&config.validate().unwrap(), money("1.00"));
        show(&verdict)
    };
    let (mut case, _) = quiet();
    (case.raised.account, case.raised.ad_set) = (Some(below), Some(below));
    assert_eq!(
        twice(&case),
        "1.00 deny by nothing; arithmetic deny at 1.00/h (-0.000001 against 0.00)"
    );
    let (mut case, _) = quiet();
    (case.share, case.writes.headroom) = (Some(above), Some(above));
    assert_eq!(
        twice(&case),
        "1.00 deny by nothing; \
         arithmetic deny at 1.00/h (1000000000.000001 against 1000000000.00)"
    );
    // Shares of the traffic are shares.
    let traffic = |before, next, day_ago| {
        let (mut case, config) = quiet();
        let day_ago = Some(ratio(day_ago));
        case.traffic = Some(Traffic {
            before: ratio(before),
            next: ratio(next),
            day_ago,
        });
        case.verdict(&config, "1.00")
    };
    assert_eq!(traffic(0, 1_000_000, 1), "1.00 allow by nothing");
    let denied = "1.00 deny by nothing; arithmetic deny at 1.00/h ";
    assert_eq!(
        traffic(-1, 0, 0),
        format!("{denied}(-0.000001 against 0.00)")
    );
    assert_eq!(
        traffic(1, 1_000_001, 0),
        format!("{denied}(1.000001 against 1.00)")
    );
    assert_eq!(
        traffic(1, 1, 1_000_001),
        format!("{denied}(1.000001 against 1.00)")
    );
}
