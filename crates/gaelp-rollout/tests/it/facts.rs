//! What platforms know besides budgets reaches the rules that ask for it, and what they do not say
//! is not known.

mod campaigns;

use std::collections::{BTreeMap, BTreeSet};

use gaelp_core::{
    AudienceId, HourSpan, MetricRow, Micros, Operand, Platform, Quantity, Ratio, Reason, RuleId,
};
use gaelp_guardrails::{GuardrailConfig, rules};
use gaelp_platform::{AdSetDetails, BudgetReading, CampaignId, Delivery, Report};
use gaelp_rollout::{
    ActionRecord, AlertKind, Checkpoint, Command, Event, Record, Rollout, RolloutConfig,
};

use crate::support::{START, actions, alerts, key, meta, micros, open_rules, row};

/// An ad set of a little world.
#[derive(Clone, Debug)]
struct Set {
    name: String,
    budget: Micros,
    details: AdSetDetails,
}

fn set(name: &str, budget: &str, details: AdSetDetails) -> Set {
    Set {
        name: name.to_owned(),
        budget: micros(budget),
        details,
    }
}

fn in_campaign(name: Option<&str>) -> AdSetDetails {
    AdSetDetails {
        campaign: name.map(CampaignId::from),
        ..AdSetDetails::default()
    }
}

fn shown_to(audiences: &[&str]) -> AdSetDetails {
    AdSetDetails {
        audiences: audiences
            .iter()
            .map(|name| AudienceId::from(*name))
            .collect(),
        ..AdSetDetails::default()
    }
}

fn config(guardrails: GuardrailConfig) -> RolloutConfig {
    RolloutConfig {
        guardrails,
        ..RolloutConfig::default()
    }
}

/// One step in shadow mode, with these answers.
fn hour(rollout: &mut Rollout, hour: i32, rows: Vec<MetricRow>, sets: &[Set]) -> Vec<Record> {
    let at = START.plus(hour);
    let now = at.start();
    let span = HourSpan::hour(at);
    rollout.handle(now, Event::StepBegins { span }).unwrap();
    let platform = Platform::Meta;
    let report = Report {
        rows,
        complete_before: at,
    };
    let asked = at > START;
    if asked || rollout.decided_to().is_none() {
        let event = Event::Reported {
            platform: platform.clone(),
            report,
        };
        rollout.handle(now, event).unwrap();
    }
    let readings = sets
        .iter()
        .map(|set| BudgetReading {
            key: key(&set.name),
            daily_budget: set.budget,
            delivery: Delivery::Active,
            details: set.details.clone(),
        })
        .collect();
    let commands = rollout
        .handle(now, Event::Budgets { platform, readings })
        .unwrap();
    let records = commands.into_iter().filter_map(|command| match command {
        Command::Record(records) => Some(records),
        _ => None,
    });
    records.flatten().collect()
}

fn new(config: RolloutConfig) -> Rollout {
    Rollout::new(config, vec![meta()]).unwrap()
}

fn reason<'a>(action: &'a ActionRecord, rule: &RuleId) -> Option<&'a Reason> {
    action
        .decision
        .reasons
        .iter()
        .find(|reason| reason.rule == *rule)
}

fn of<'a>(actions: &[&'a ActionRecord], name: &str) -> &'a ActionRecord {
    let mut all = actions.iter();
    all.find(|action| action.decision.key == key(name)).unwrap()
}

/// Reports of the last hour, the same for all.
fn reported(sets: &[Set], hour: i32, spend: &str) -> Vec<MetricRow> {
    let last = START.plus(hour - 1);
    sets.iter()
        .map(|set| row(&set.name, last, spend, "1"))
        .collect()
}

#[test]
fn every_audience_of_an_ad_set_counts() {
    let list = |names: &[&str]| -> BTreeSet<AudienceId> {
        names.iter().map(|name| AudienceId::from(*name)).collect()
    };
    let canary = |names: &[&str]| GuardrailConfig {
        canary_audiences: Some(list(names)),
        ..open_rules()
    };
    let blocked = |names: &[&str]| GuardrailConfig {
        blocked_audiences: list(names),
        ..open_rules()
    };
    let both = GuardrailConfig {
        blocked_audiences: list(&["b"]),
        ..canary(&["a", "b"])
    };
    let half_observed = GuardrailConfig {
        observe: [rules::BLOCKED_AUDIENCE].into(),
        ..both.clone()
    };
    let (c, b) = (rules::CANARY_AUDIENCE, rules::BLOCKED_AUDIENCE);
    for (rules, audiences, expected) in [
        (open_rules(), &[][..], None),
        (canary(&["a"]), &["a"], None),
        (canary(&["a"]), &["a", "b"], Some(&c)),
        (canary(&["b"]), &["a", "b"], Some(&c)),
        (canary(&["a", "b"]), &["a", "b"], None),
        (canary(&["a"]), &[], Some(&c)),
        (blocked(&["x"]), &["a", "b"], None),
        (blocked(&["a"]), &["a", "b"], Some(&b)),
        (blocked(&["b"]), &["a", "b"], Some(&b)),
        (blocked(&["b"]), &[], Some(&b)),
        (both.clone(), &["a"], None),
        (both.clone(), &["a", "b"], Some(&b)),
        (both, &["a", "z"], Some(&c)),
        // What counts is looked for first.
        (half_observed.clone(), &["b", "z"], Some(&c)),
        (half_observed, &["a", "b"], None),
    ] {
        let sets = [set("s", "9.60", shown_to(audiences))];
        let mut rollout = new(config(rules));
        let records = hour(&mut rollout, 0, vec![], &sets);
        let decided = actions(&records);
        let action = of(&decided, "s");
        for rule in [&c, &b] {
            let said = reason(action, rule).is_some();
            assert_eq!(said, expected == Some(rule), "{rule} of {audiences:?}");
        }
        if expected.is_some() {
            let decision = &action.decision;
            assert!(decision.allowed <= decision.current);
        }
    }
}

#[test]
fn bids_are_told_and_bound_no_budget() {
    let bounds = GuardrailConfig {
        bid_floor: Some(micros("0.30")),
        bid_ceiling: Some(micros("1.50")),
        ..open_rules()
    };
    for (bid, expected) in [
        (None, None),
        (Some("0.30"), None),
        (Some("1.50"), None),
        (Some("0.10"), Some("0.30")),
        (Some("2"), Some("1.50")),
    ] {
        let details = AdSetDetails {
            bid: bid.map(micros),
            ..AdSetDetails::default()
        };
        let sets = [set("s", "9.60", details)];
        let (mut bounded, mut free) = (new(config(bounds.clone())), new(config(open_rules())));
        for number in 0..20 {
            let rows = reported(&sets, number, "0.40");
            let records = hour(&mut bounded, number, rows.clone(), &sets);
            let others = hour(&mut free, number, rows, &sets);
            let (decided, others) = (actions(&records), actions(&others));
            let said = reason(of(&decided, "s"), &rules::BID_BOUNDS);
            assert_eq!(
                said.map(|said| said.threshold),
                expected.map(|b| Operand::Money(micros(b)))
            );
            assert_eq!(
                of(&decided, "s").decision.allowed,
                of(&others, "s").decision.allowed
            );
        }
    }
    // A bid that cannot be is nothing to compute with.
    let details = AdSetDetails {
        bid: Some(Micros::new(-1)),
        ..AdSetDetails::default()
    };
    let mut rollout = new(config(open_rules()));
    let records = hour(&mut rollout, 0, vec![], &[set("s", "9.60", details)]);
    let decided = actions(&records);
    assert!(reason(of(&decided, "s"), &rules::ARITHMETIC).is_some());
}

/// The share of each hour of a day, where its weight is its number and one.
fn worth(current: Micros, before: i64, next: i64) -> f64 {
    let float = |number: i64| f64::from(i32::try_from(number).unwrap());
    float(current.get()) * float(next + 1) / float(before + 1)
}

#[test]
fn a_configured_week_normalises_changes() {
    let week: Vec<f64> = (0..168).map(|hour| f64::from(hour % 24 + 1)).collect();
    let traffic = gaelp_budget::TrafficProfile::with_prior(&week, 1.0).unwrap();
    let rules = GuardrailConfig {
        delta_max: Ratio::ONE,
        delta_max_24h: Ratio::ONE,
        delta_max_normalised: Some(Ratio::from_ppm(10_000)),
        min_coverage: Ratio::from_ppm(1),
        ..open_rules()
    };
    let mut rollout = new(RolloutConfig {
        traffic: Some(traffic),
        ..config(rules)
    });
    let sets = [set("s", "9.60", AdSetDetails::default())];
    let mut bound = 0;
    for number in 0..72 {
        let rows = reported(&sets, number, "0.40");
        let records = hour(&mut rollout, number, rows, &sets);
        let decided = actions(&records);
        let decision = &of(&decided, "s").decision;
        let (next, before) = (i64::from(number % 24), i64::from((number + 23) % 24));
        if let Some(said) = reason(of(&decided, "s"), &rules::DELTA_NORMALISED) {
            let Operand::Money(from) = said.threshold else {
                panic!("{said:?}");
            };
            let expected = worth(decision.current, before, next);
            let found = f64::from(i32::try_from(from.get()).unwrap());
            // Shares are rounded to millionths; the smallest is 1/300.
            assert!(
                (found / expected - 1.0).abs() < 4e-4,
                "{found} is not {expected}"
            );
            let most =
                (expected * 1.01).max(f64::from(i32::try_from(decision.current.get()).unwrap()));
            assert!(f64::from(i32::try_from(decision.allowed.get()).unwrap()) <= most * 1.000_4);
            bound += 1;
        }
    }
    assert!(bound > 10, "it bound {bound} times");
}

/// Learnt from impressions: two a week ago at the same hour count with a prior of two weeks.
#[test]
fn a_week_is_learnt_from_impressions_and_restated() {
    let rules = GuardrailConfig {
        delta_max: Ratio::ONE,
        delta_max_24h: Ratio::ONE,
        delta_max_normalised: Some(Ratio::from_ppm(1)),
        min_coverage: Ratio::from_ppm(1),
        ..open_rules()
    };
    let sets = [set("s", "9.60", AdSetDetails::default())];
    let mut rollout = new(config(rules.clone()));
    let mut seen: BTreeMap<i32, f64> = BTreeMap::new();
    let mut compared = 0;
    for number in 0..60 {
        let mut rows = reported(&sets, number, "0.40");
        let last = number - 1;
        rows[0].metrics.impressions =
            u64::from(u32::try_from(100 + 7 * (last.rem_euclid(24))).unwrap());
        seen.insert(last, f64::from(100 + 7 * (last.rem_euclid(24))));
        if number % 5 == 0 {
            // An hour before is restated: what it had counts no more.
            let mut again = rows[0].clone();
            again.span = HourSpan::hour(START.plus(number - 3));
            again.revision = gaelp_core::Revision::new(1);
            again.metrics.impressions = 1_000;
            if let Some(known) = seen.get_mut(&(number - 3)) {
                *known = 1_000.0;
                rows.push(again);
            }
        }
        let records = hour(&mut rollout, number, rows, &sets);
        let decided = actions(&records);
        let decision = &of(&decided, "s").decision;
        // No hour of the week was seen twice in so few days.
        let level = seen.values().sum::<f64>() / f64::from(u32::try_from(seen.len()).unwrap());
        let rate = |hour: i32| {
            let counted = seen.get(&hour);
            counted.map_or(level, |count| (2.0 * level + count) / 3.0)
        };
        // Shares are of the hour's own day.
        let day = |hour: i32| hour.div_euclid(24) * 24;
        let share = |hour: i32| {
            let all: f64 = (day(hour)..day(hour) + 24).map(rate).sum();
            rate(hour) / all
        };
        if let Some(said) = reason(of(&decided, "s"), &rules::DELTA_NORMALISED) {
            let Operand::Money(from) = said.threshold else {
                panic!("{said:?}");
            };
            let current = f64::from(i32::try_from(decision.current.get()).unwrap());
            let expected = current * share(number) / share(number - 1);
            let found = f64::from(i32::try_from(from.get()).unwrap());
            assert!(
                (found / expected - 1.0).abs() < 1e-4,
                "{number}: {found} is not {expected}"
            );
            compared += 1;
        }
        // Going on from a checkpoint, nothing learnt is lost.
        let now = START.plus(number);
        let kept = serde_json::to_string(&rollout.checkpoint()).unwrap();
        let kept: Checkpoint = serde_json::from_str(&kept).unwrap();
        rollout = Rollout::restore(config(rules.clone()), vec![meta()], kept, now).unwrap();
    }
    assert!(compared >= 8, "compared {compared} times");
}

#[test]
fn what_a_conversion_is_meant_to_cost_is_told() {
    let rules = GuardrailConfig {
        max_cpa_multiplier: Some(Ratio::from_ppm(1_500_000)),
        minimum_window_spend: micros("0.10"),
        min_coverage: Ratio::from_ppm(1),
        ..open_rules()
    };
    let sets = [set("s", "9.60", AdSetDetails::default())];
    // A conversion an hour at 0.40.
    for (target, expected) in [
        (Some("0.27"), None),
        (Some("0.26"), Some(Operand::Money(micros("0.40")))),
        (None, Some(Operand::Undefined)),
    ] {
        let mut rollout = new(RolloutConfig {
            target_cpa: target.map(micros),
            ..config(rules.clone())
        });
        for number in 0..6 {
            let mut rows = reported(&sets, number, "0.40");
            rows[0].metrics.conversions = Quantity::from_whole(1).unwrap();
            let records = hour(&mut rollout, number, rows, &sets);
            let decided = actions(&records);
            let said = reason(of(&decided, "s"), &rules::CPA_MULTIPLIER);
            assert_eq!(said.map(|said| said.observed), expected, "{target:?}");
        }
    }
    let wrong = RolloutConfig {
        target_cpa: Some(Micros::ZERO),
        ..RolloutConfig::default()
    };
    let refused = Rollout::new(wrong, vec![meta()]).unwrap_err();
    assert!(refused.to_string().contains("target_cpa"));
}

/// Found by the simulator: rows of hours to come pushed out what was known of today, so that
/// nothing seemed to be spent.
#[test]
fn rows_of_hours_to_come_are_refused() {
    let rules = GuardrailConfig {
        ad_set_daily_cap: Some(micros("2")),
        ..open_rules()
    };
    let mut rollout = new(config(rules));
    let sets = [set("s", "9.60", AdSetDetails::default())];
    for number in 0..10 {
        let mut rows = reported(&sets, number, "0.40");
        rows.push(row("s", START.plus(number + 700), "0", "0"));
        rows.push(row("s", START.plus(number), "0", "0"));
        let records = hour(&mut rollout, number, rows, &sets);
        assert_eq!(alerts(&records, AlertKind::Refused).len(), 2);
        let left = micros("2").get() - 400_000 * i64::from(number);
        let decided = actions(&records);
        assert!(
            of(&decided, "s").decision.allowed.get() <= left.max(0),
            "hour {number}"
        );
    }
}

/// Found by the simulator: an hour with two figures under one revision is not believed, and then
/// counted as if nothing had been spent in it.
#[test]
fn a_contradicted_hour_counts_at_its_worst() {
    let rules = GuardrailConfig {
        ad_set_daily_cap: Some(micros("2")),
        min_coverage: Ratio::from_ppm(1),
        ..open_rules()
    };
    let spent = |rollout: &mut Rollout, number, rows: Vec<MetricRow>| {
        let sets = [set("s", "9.60", AdSetDetails::default())];
        let records = hour(rollout, number, rows, &sets);
        let decided = actions(&records);
        let said = reason(of(&decided, "s"), &rules::AD_SET_DAILY_CAP);
        said.map(|said| said.observed)
    };
    let mut rollout = new(config(rules));
    let at = |hour: i32, spend: &str| row("s", START.plus(hour), spend, "1");
    assert_eq!(spent(&mut rollout, 0, vec![]), None);
    let contradicted = vec![at(0, "1.50"), at(0, "1.95"), at(0, "0.10")];
    let money = |text: &str| Some(Operand::Money(micros(text)));
    assert_eq!(spent(&mut rollout, 1, contradicted), money("1.95"));
    assert_eq!(spent(&mut rollout, 2, vec![at(1, "0")]), money("1.95"));
    // A later revision is believed again.
    let mut last_word = at(0, "1.70");
    last_word.revision = gaelp_core::Revision::new(1);
    assert_eq!(
        spent(&mut rollout, 3, vec![at(2, "0"), last_word]),
        money("1.70")
    );
}

/// A checkpoint of an earlier version knows nothing of all this; one of this version keeps it.
#[test]
fn details_are_kept_and_older_checkpoints_are_read() {
    let rules = GuardrailConfig {
        blocked_audiences: ["b".into()].into(),
        ..open_rules()
    };
    let sets = [set("s", "9.60", shown_to(&["a"]))];
    let mut rollout = new(config(rules.clone()));
    hour(&mut rollout, 0, vec![], &sets);
    let text = serde_json::to_string(&rollout.checkpoint()).unwrap();
    let kept = r#""details":{"audiences":["a"]},"#;
    assert!(text.contains(kept), "{text}");
    let older = text.replace(kept, "");
    assert!(!older.contains("details") && !older.contains("trial") && !older.contains("doubted"));
    for (text, objects) in [(text, false), (older, true)] {
        let checkpoint: Checkpoint = serde_json::from_str(&text).unwrap();
        let now = START.plus(1);
        let mut restored =
            Rollout::restore(config(rules.clone()), vec![meta()], checkpoint, now).unwrap();
        let span = HourSpan::hour(now);
        restored
            .handle(now.start(), Event::StepBegins { span })
            .unwrap();
        let (platform, complete_before) = (Platform::Meta, now);
        let rows = reported(&sets, 1, "0.40");
        let report = Report {
            rows,
            complete_before,
        };
        let reported = Event::Reported { platform, report };
        restored.handle(now.start(), reported).unwrap();
        // The budgets cannot be read in this hour.
        let failed = Event::BudgetsFailed {
            platform: Platform::Meta,
            kind: gaelp_platform::ErrorKind::Retryable,
        };
        let commands = restored.handle(now.start(), failed).unwrap();
        let Some(Command::Record(records)) = commands.first() else {
            panic!("nothing was recorded");
        };
        let decided = actions(records);
        let said = reason(of(&decided, "s"), &rules::BLOCKED_AUDIENCE);
        assert_eq!(said.is_some(), objects);
    }
}
