//! Each bound exactly: what passes at it, and what the next micro, hour or count does.

use gaelp_core::{HourSpan, Level, Micros, Platform, Quantity, Ratio};
use gaelp_guardrails::{
    Bid, BreakerPhase, Exploration, FreezeState, GuardrailConfig, LastKnownGood, OnFreeze,
    RaiseCaps, Taper, Traffic, UsualSpend, rules,
};

use crate::support::{Case, EVENING, money, show};

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

/// A cap of a day: what is left is allowed to the micro.
#[test]
fn caps_of_a_day_are_exact() {
    type Set = fn(&mut GuardrailConfig, Micros);
    type Spend = fn(&mut Case, Option<Micros>);
    let caps: [(&str, Set, Spend); 4] = [
        (
            "daily_cap",
            |config, cap| config.daily_cap = cap,
            |case, spent| case.spent.account = spent,
        ),
        (
            "platform_daily_cap",
            |config, cap| {
                config.platform_daily_caps.insert(Platform::Meta, cap);
            },
            |case, spent| case.spent.platform = spent,
        ),
        (
            "campaign_daily_cap",
            |config, cap| config.campaign_daily_cap = Some(cap),
            |case, spent| case.spent.campaign = spent,
        ),
        (
            "ad_set_daily_cap",
            |config, cap| config.ad_set_daily_cap = Some(cap),
            |case, spent| case.spent.ad_set = spent,
        ),
    ];
    for (name, set, spend) in caps {
        let (mut case, mut config) = quiet();
        set(&mut config, money("10.00"));
        spend(&mut case, Some(money("8.50")));
        assert_eq!(case.verdict(&config, "1.50"), PASSES, "{name}");
        spend(&mut case, Some(money("8.500001")));
        assert_eq!(
            case.verdict(&config, "1.50"),
            format!(
                "1.499999 clamp by {name}; {name} clamp at 1.499999/h (8.500001 against 10.00)"
            )
        );
        // All of it, and more than all of it.
        for spent in ["10.00", "11.00"] {
            spend(&mut case, Some(money(spent)));
            assert_eq!(
                case.verdict(&config, "1.50"),
                format!("0.00 clamp by {name}; {name} clamp at 0.00/h ({spent} against 10.00)")
            );
        }
        spend(&mut case, Some(money("-3.00")));
        assert_eq!(case.verdict(&config, "1.50"), PASSES, "{name}");
        // A cap without its fact is one that nobody can keep.
        spend(&mut case, None);
        assert_eq!(
            case.verdict(&config, "1.50"),
            format!("1.00 freeze by {name}; {name} freeze at 1.00/h (undefined against 10.00)")
        );
    }
    // A cap of another platform is none.
    let (case, mut config) = quiet();
    config
        .platform_daily_caps
        .insert(Platform::Google, money("1.00"));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
}

#[test]
fn a_share_and_the_ceiling_are_exact() {
    let (mut case, mut config) = quiet();
    case.share = Some(money("1.50"));
    config.hourly_ceiling = money("1.50");
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.share = Some(money("1.499999"));
    config.hourly_ceiling = money("1.499998");
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.499998 clamp by hourly_ceiling; \
         account_share clamp at 1.499999/h (1.50 against 1.499999); \
         hourly_ceiling clamp at 1.499998/h (1.50 against 1.499998)"
    );
    // Over two hours, an odd micro is left over.
    config.hourly_ceiling = money("50.00");
    case.span = HourSpan::new(EVENING, EVENING.plus(2));
    case.share = Some(money("2.999999"));
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.499999 clamp by account_share; \
         account_share clamp at 1.499999/h (3.00 against 2.999999)"
    );
}

#[test]
fn raises_of_an_hour_are_added_up_and_never_lower_what_runs() {
    type Set = fn(&mut RaiseCaps, &mut Case, Option<Micros>);
    let half = || Some(money("0.60"));
    let caps: [(&str, RaiseCaps, Set); 4] = [
        (
            "account_raises",
            RaiseCaps {
                account: half(),
                ..RaiseCaps::default()
            },
            |_, case, raised| case.raised.account = raised,
        ),
        (
            "platform_raises",
            RaiseCaps {
                platform: half(),
                ..RaiseCaps::default()
            },
            |_, case, raised| case.raised.platform = raised,
        ),
        (
            "campaign_raises",
            RaiseCaps {
                campaign: half(),
                ..RaiseCaps::default()
            },
            |_, case, raised| case.raised.campaign = raised,
        ),
        (
            "ad_set_raises",
            RaiseCaps {
                ad_set: half(),
                ..RaiseCaps::default()
            },
            |_, case, raised| case.raised.ad_set = raised,
        ),
    ];
    for (name, mut caps, set) in caps {
        let (mut case, mut config) = quiet();
        config.hourly_raise_caps = caps;
        set(&mut caps, &mut case, Some(money("0.10")));
        assert_eq!(case.verdict(&config, "1.50"), PASSES, "{name}");
        set(&mut caps, &mut case, Some(money("0.100001")));
        assert_eq!(
            case.verdict(&config, "1.50"),
            format!("1.499999 clamp by {name}; {name} clamp at 1.499999/h (0.100001 against 0.60)")
        );
        for spent in ["0.60", "0.90"] {
            set(&mut caps, &mut case, Some(money(spent)));
            assert_eq!(
                case.verdict(&config, "1.50"),
                format!("1.00 clamp by {name}; {name} clamp at 1.00/h ({spent} against 0.60)")
            );
            assert_eq!(case.verdict(&config, "1.00"), "1.00 allow by nothing");
        }
        set(&mut caps, &mut case, None);
        assert_eq!(
            case.verdict(&config, "1.50"),
            format!("1.00 freeze by {name}; {name} freeze at 1.00/h (undefined against 0.60)")
        );
    }
}

#[test]
fn the_ledger_admits_what_it_admits_and_what_runs() {
    let (mut case, mut config) = quiet();
    case.writes.headroom = Some(money("1.50"));
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.writes.headroom = Some(money("1.499999"));
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.499999 clamp by ledger_headroom; \
         ledger_headroom clamp at 1.499999/h (1.50 against 1.499999)"
    );
    for headroom in ["0.40", "-5.00"] {
        case.writes.headroom = Some(money(headroom));
        assert_eq!(
            case.verdict(&config, "1.50"),
            format!(
                "1.00 clamp by ledger_headroom; \
                 ledger_headroom clamp at 1.00/h (1.50 against {headroom})"
            )
        );
        assert_eq!(case.verdict(&config, "1.00"), "1.00 allow by nothing");
    }
    case.writes.headroom = None;
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    config.require.insert(rules::LEDGER_HEADROOM);
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 freeze by ledger_headroom; ledger_headroom freeze at 1.00/h (undefined against -)"
    );
}

#[test]
fn explorations_put_so_much_at_risk_in_a_day() {
    let (mut case, mut config) = quiet();
    config.exploration_daily_cap = Some(money("2.00"));
    // What is no exploration is not bounded.
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    let at = |at_risk: &str| {
        Some(Exploration {
            at_risk_today: money(at_risk),
        })
    };
    case.exploration = at("1.50");
    assert_eq!(case.verdict(&config, "1.50"), PASSES);
    case.exploration = at("1.500001");
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.499999 clamp by exploration_risk; \
         exploration_risk clamp at 1.499999/h (1.500001 against 2.00)"
    );
    case.exploration = at("2.00");
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.00 clamp by exploration_risk; exploration_risk clamp at 1.00/h (2.00 against 2.00)"
    );
    // A day is put at risk for all of its hours.
    case.span = HourSpan::new(EVENING, EVENING.plus(24));
    case.exploration = at("0.80");
    assert_eq!(
        case.verdict(&config, "1.50"),
        "1.05 clamp by exploration_risk; exploration_risk clamp at 1.05/h (0.80 against 2.00)"
    );
}

#[test]
fn the_ceiling_tapers_in_a_straight_line() {
    let (mut case, mut config) = quiet();
    case.current = money("2.50");
    case.day_ago = None;
    config.hourly_ceiling = money("3.00");
    config.taper = Some(Taper {
        from: ratio(800_000),
        least: ratio(250_000),
    });
    case.target_today = Some(money("100.00"));
    let mut left = |spent: &str| {
        case.spent.account = Some(money(spent));
        let rules = config.clone().validate().unwrap();
        case.evaluate(&rules, money("2.999999")).allowed.to_string()
    };
    // 3.00 whole up to 80.00, then down to 0.75 at 100.00: 0.1125 for each unit.
    assert_eq!(left("80.00"), "2.999999");
    // A millionth of the ceiling's share is three micros.
    assert_eq!(left("80.000001"), "2.999997");
    assert_eq!(left("84.00"), "2.55");
    assert_eq!(left("90.00"), "1.875");
    assert_eq!(left("99.999999"), "0.75");
    assert_eq!(left("100.00"), "0.75");
    assert_eq!(left("500.00"), "0.75");
    assert_eq!(left("-10.00"), "2.999999");
    case.spent.account = Some(money("90.00"));
    assert_eq!(
        case.verdict(&config, "2.00"),
        "1.875 clamp by taper; taper clamp at 1.875/h (90.00 against 100.00)"
    );
    case.current = money("1.00");
    // A target of nothing is reached, also after a credit.
    case.target_today = Some(Micros::ZERO);
    for spent in ["0.00", "-1.00"] {
        case.spent.account = Some(money(spent));
        assert_eq!(
            case.verdict(&config, "2.00"),
            format!("0.75 clamp by taper; taper clamp at 0.75/h ({spent} against 0.00)")
        );
    }
    case.target_today = None;
    assert_eq!(
        case.verdict(&config, "2.00"),
        "1.00 freeze by taper; taper freeze at 1.00/h (undefined against -)"
    );
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
    // Too little was spent for that.
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

#[test]
fn a_cap_that_is_exceeded_is_named() {
    let (mut case, mut config) = quiet();
    config.daily_cap = money("10.00");
    config
        .platform_daily_caps
        .insert(Platform::Meta, money("5.00"));
    config.campaign_daily_cap = Some(money("4.00"));
    config.ad_set_daily_cap = Some(money("3.00"));
    let rules = config.validate().unwrap();
    case.spent.account = Some(money("10.00"));
    case.spent.platform = Some(money("5.00"));
    case.spent.campaign = Some(money("4.00"));
    case.spent.ad_set = Some(money("3.00"));
    assert_eq!(rules.exceeded(&case.context()), None);
    let exceeded = |case: &Case| rules.exceeded(&case.context()).map(|rule| rule.to_string());
    case.spent.ad_set = Some(money("3.000001"));
    assert_eq!(exceeded(&case).as_deref(), Some("ad_set_daily_cap"));
    case.spent.campaign = Some(money("4.000001"));
    assert_eq!(exceeded(&case).as_deref(), Some("campaign_daily_cap"));
    case.spent.platform = Some(money("5.000001"));
    assert_eq!(exceeded(&case).as_deref(), Some("platform_daily_cap"));
    case.spent.account = Some(money("10.000001"));
    assert_eq!(exceeded(&case).as_deref(), Some("daily_cap"));
}
