//! Caps: what may be spent, raised and put at risk, to the micro.

use gaelp_core::{HourSpan, Micros, Platform};
use gaelp_guardrails::{Exploration, GuardrailConfig, RaiseCaps, Taper, rules};

use super::{PASSES, quiet, ratio};
use crate::support::{Case, EVENING, money};

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
