//! What holds for any settings, any ad set and any proposal: millions of cases, each invariant by
//! its number.

use std::collections::BTreeMap;

use gaelp_core::{Level, MetricRow, Metrics, Micros, Quantity, Ratio, Revision, RuleId};
use gaelp_guardrails::{FreezeState, GuardrailConfig, LowerBoundKind, Trailing, Verdict, rules};

use crate::cases::{Asked, Random, at_hand, cases, for_each};
use crate::model::{Model, big};

fn judge(asked: &Asked) -> Verdict {
    asked.case.evaluate(&asked.guardrails, asked.proposed)
}

/// How often each thing that can happen did.
#[derive(Default)]
struct Seen(BTreeMap<String, u64>);

impl Seen {
    fn note(&mut self, what: &str) {
        if let Some(times) = self.0.get_mut(what) {
            *times += 1;
        } else {
            self.0.insert(what.to_owned(), 1);
        }
    }

    fn verdict(&mut self, asked: &Asked, verdict: &Verdict) {
        for reason in &verdict.reasons {
            self.note(reason.rule.as_str());
        }
        for reason in &verdict.observed {
            self.note("observed");
            assert!(asked.config().observe.contains(&reason.rule));
        }
        if let Some(rule) = &verdict.binding {
            let lowers = verdict.allowed < asked.case.current;
            self.note(if lowers {
                "bound below current"
            } else {
                "bound at or above current"
            });
            self.bound(rule);
        }
        self.note(match verdict.level {
            Level::Allow => "level allow",
            Level::Clamp => "level clamp",
            Level::Freeze => "level freeze",
            Level::Deny => "level deny",
            Level::Kill => "level kill",
        });
        if let Some(bound) = verdict.overruled {
            self.note(match bound.kind {
                LowerBoundKind::HourlyFloor => "overruled hourly floor",
                LowerBoundKind::DeltaMax => "overruled delta",
                LowerBoundKind::DeltaMax24h => "overruled delta of 24 h",
                LowerBoundKind::DeltaNormalised => "overruled normalised delta",
                LowerBoundKind::DeltaNormalised24h => "overruled normalised delta of 24 h",
                _ => "overruled something new",
            });
        }
        let (before, after) = (&asked.case.memory, &verdict.memory);
        self.transition("roas", before.roas, after.roas);
        self.transition("cpa", before.cpa, after.cpa);
        self.transition("conversions", before.conversions, after.conversions);
        self.transition("spike", before.spike, after.spike);
    }

    fn bound(&mut self, rule: &RuleId) {
        let name = rule.as_str();
        if let Some(times) = self.0.get_mut(&format!("binding {name}")) {
            *times += 1;
        } else {
            self.note(&format!("binding {name}"));
        }
    }

    fn transition(&mut self, measure: &str, before: FreezeState, after: FreezeState) {
        let step = match (before.since, after.since) {
            (None, None) if after.bad > before.bad => "counts",
            (None, None) if after.bad < before.bad => "forgets",
            (None, None) => return,
            (None, Some(_)) => "freezes",
            (Some(_), None) => "thaws",
            (Some(_), Some(_)) => "stays frozen",
        };
        self.note(&format!("{measure} {step}"));
    }

    /// Fails where something never happened.
    fn expect(&self, what: &str) {
        assert!(
            self.0.contains_key(what),
            "{what} never happened: {:?}",
            self.0
        );
    }
}

#[test]
fn the_crate_agrees_with_the_model_and_everything_occurs() {
    let mut seen = Seen::default();
    for_each(1, cases(2_000_000), |asked| {
        let verdict = judge(asked);
        Model::new(asked).agrees(asked, &verdict);
        assert_eq!(verdict.proposed, asked.proposed, "{}", at_hand());
        seen.verdict(asked, &verdict);
    });
    for rule in &rules::ALL {
        seen.expect(rule.as_str());
        // A bid has no rate, so it never binds one.
        if *rule != rules::BID_BOUNDS {
            seen.expect(&format!("binding {rule}"));
        }
    }
    for level in ["allow", "clamp", "freeze", "deny", "kill"] {
        seen.expect(&format!("level {level}"));
    }
    for measure in ["roas", "cpa"] {
        for step in ["counts", "forgets", "freezes", "thaws", "stays frozen"] {
            seen.expect(&format!("{measure} {step}"));
        }
    }
    // These freeze at once, so they never count.
    for measure in ["conversions", "spike"] {
        for step in ["forgets", "freezes", "thaws", "stays frozen"] {
            seen.expect(&format!("{measure} {step}"));
        }
    }
    for bound in [
        "hourly floor",
        "delta",
        "delta of 24 h",
        "normalised delta",
        "normalised delta of 24 h",
    ] {
        seen.expect(&format!("overruled {bound}"));
    }
    seen.expect("observed");
    seen.expect("bound below current");
    seen.expect("bound at or above current");
}

#[test]
fn i4_what_is_applied_is_never_above_a_ceiling_and_one_more_rule_never_raises_it() {
    let mut compared = 0_u64;
    let mut random = Random::new(404);
    for_each(4, cases(1_000_000), |asked| {
        let verdict = judge(asked);
        let current = asked.case.current.max(Micros::ZERO);
        assert!(!verdict.allowed.is_negative(), "{}", at_hand());
        for reason in &verdict.reasons {
            assert!(reason.level > Level::Allow, "{}", at_hand());
            assert!(reason.level <= verdict.level, "{}", at_hand());
            let below = reason
                .ceiling
                .is_none_or(|ceiling| verdict.allowed <= ceiling);
            assert!(below, "{}", at_hand());
        }
        if verdict.level < Level::Deny {
            assert!(verdict.allowed <= verdict.normalised, "{}", at_hand());
        }
        // A rule less: one that is on no longer counts, or its fact is not there.
        if random.chance(50) {
            let Some(fewer) = with_one_less(asked, &mut random) else {
                return;
            };
            compared += 1;
            let more = judge(&fewer);
            assert!(verdict.level >= more.level, "{}", at_hand());
            if verdict.level < Level::Deny || more.level >= Level::Deny {
                assert!(verdict.allowed <= more.allowed, "{}", at_hand());
            } else {
                // A denial may keep what runs where less was proposed.
                assert!(
                    verdict.allowed <= more.allowed.max(current),
                    "{}",
                    at_hand()
                );
            }
        }
    });
    assert!(compared * 20 > cases(1_000_000), "{compared}");
}

/// The same case with one rule that objected only observed.
fn with_one_less(asked: &Asked, random: &mut Random) -> Option<Asked> {
    let verdict = judge(asked);
    let reasons: Vec<_> = verdict
        .reasons
        .iter()
        .map(|reason| &reason.rule)
        .filter(|rule| !rules::ALWAYS_ENFORCED.contains(rule))
        .collect();
    let number = u64::try_from(reasons.len())
        .ok()
        .filter(|&number| number > 0)?;
    let rule = reasons[usize::try_from(random.below(number)).ok()?];
    let mut config = asked.config().clone();
    config.observe.insert(rule.clone());
    Some(Asked {
        guardrails: config.validate().unwrap(),
        case: asked.case.clone(),
        rows: Vec::new(),
        proposed: asked.proposed,
    })
}

#[test]
fn i6_nothing_is_raised_while_anything_is_stale_invalid_frozen_killed_or_unreconciled() {
    let mut raised = 0_u64;
    for_each(6, cases(1_000_000), |asked| {
        let verdict = judge(asked);
        let (case, model) = (&asked.case, Model::new(asked));
        let current = case.current.max(Micros::ZERO);
        let frozen = model.states().iter().any(|state| state.since.is_some());
        let observes = asked.config().observe.iter().next().is_some();
        let stop = model.stale()
            || model.thin()
            || model.impossible(big(asked.proposed))
            || (frozen && !observes)
            || case.operator.kill.is_some()
            || case.operator.paused
            || case.operator.emergency.is_some()
            || case.writes.reconciled == Some(false)
            || case.writes.unresolved.is_some()
            || case.health.clock_trouble;
        if stop {
            assert!(verdict.allowed <= current, "{}", at_hand());
            assert!(verdict.level >= Level::Freeze, "{}", at_hand());
        }
        raised += u64::from(verdict.allowed > current);
        if verdict.level >= Level::Freeze {
            assert!(verdict.allowed <= current, "{}", at_hand());
        }
        // Asked or not, a raise passes exactly where one would be said to.
        let little_more = Micros::new(current.get().saturating_add(1));
        if case.current == current && current < Micros::new(1_000_000_000_000_000) {
            let verdict = case.evaluate(&asked.guardrails, little_more);
            let may = asked.guardrails.may_raise(&case.context());
            assert_eq!(may, verdict.allowed > current, "{}", at_hand());
        }
    });
    assert!(
        raised * 50 > cases(1_000_000),
        "only {raised} raises passed"
    );
}

#[test]
fn i7_killed_is_never_above_the_current_the_last_known_good_or_a_cap() {
    let mut killed = 0_u64;
    for_each(7, cases(500_000), |asked| {
        let Some(good) = asked.case.operator.kill else {
            return;
        };
        killed += 1;
        let verdict = judge(asked);
        assert_eq!(verdict.level, Level::Kill, "{}", at_hand());
        assert!(
            verdict.allowed <= good.rate.max(Micros::ZERO),
            "{}",
            at_hand()
        );
        assert!(
            verdict.allowed <= asked.case.current.max(Micros::ZERO),
            "{}",
            at_hand()
        );
        assert!(
            verdict.allowed <= asked.config().hourly_ceiling
                || asked.config().observe.contains(&rules::HOURLY_CEILING),
            "{}",
            at_hand()
        );
        // Whatever is proposed.
        let other = asked.case.evaluate(&asked.guardrails, Micros::new(700_000));
        if asked.config().observe.is_empty() && !Model::new(asked).impossible(700_000) {
            assert!(
                other.allowed <= good.rate.max(Micros::ZERO),
                "{}",
                at_hand()
            );
        }
    });
    assert!(killed * 100 > cases(500_000), "{killed}");
}

#[test]
fn i8_money_is_exact_and_no_cap_is_exceeded_by_a_micro() {
    for_each(8, cases(500_000), |asked| {
        let verdict = judge(asked);
        let (case, config) = (&asked.case, asked.config());
        let hours = i128::from(case.span.len().max(1));
        let spent = big(verdict.allowed) * hours;
        let left = |cap: Micros, spent: Micros| (big(cap) - big(spent).max(0)).max(0);
        if let Some(share) = case.share {
            assert!(spent <= big(share).max(0), "{}", at_hand());
        }
        if let Some(used) = case.spent.account {
            assert!(spent <= left(config.daily_cap, used), "{}", at_hand());
        }
        let observed = |rule: &RuleId| config.observe.contains(rule);
        let caps = [
            (
                &rules::AD_SET_DAILY_CAP,
                config.ad_set_daily_cap,
                case.spent.ad_set,
            ),
            (
                &rules::CAMPAIGN_DAILY_CAP,
                config.campaign_daily_cap,
                case.spent.campaign,
            ),
        ];
        for (rule, cap, used) in caps {
            if let Some((cap, used)) = cap.zip(used)
                && !observed(rule)
            {
                assert!(spent <= left(cap, used), "{}", at_hand());
            }
        }
        // No more than what does not divide is lost: an hour's ceiling times the hours is less
        // than one micro per hour below the amount.
        let share = verdict
            .reasons
            .iter()
            .find(|reason| reason.rule == rules::ACCOUNT_SHARE);
        if let Some((ceiling, share)) = share.and_then(|reason| reason.ceiling).zip(case.share)
            && share > Micros::ZERO
            && !case.span.is_empty()
        {
            let lost = big(share) - big(ceiling) * hours;
            assert!((0..hours).contains(&lost), "{}", at_hand());
        }
    });
}

#[test]
fn i11_changes_are_bounded_but_for_decreases_that_safety_asks_for() {
    let lowers = [
        rules::KILL_SWITCH,
        rules::EMERGENCY,
        rules::PAUSED,
        rules::UNRESOLVED_WRITE,
        rules::DAILY_CAP,
        rules::ACCOUNT_SHARE,
        rules::PLATFORM_DAILY_CAP,
        rules::CAMPAIGN_DAILY_CAP,
        rules::AD_SET_DAILY_CAP,
        rules::HOURLY_CEILING,
        rules::TAPER,
        rules::RESTRICTED_HOURS,
        rules::STALE_DATA,
        rules::THIN_DATA,
        rules::FREEZE_ROAS,
        rules::FREEZE_CPA,
        rules::FREEZE_CONVERSIONS,
        rules::CPA_MULTIPLIER,
        rules::SPEND_SPIKE,
    ];
    let (mut fell, mut rose) = (0_u64, 0_u64);
    for_each(11, cases(500_000), |asked| {
        let verdict = judge(asked);
        let (case, config) = (&asked.case, asked.config());
        let current = case.current.max(Micros::ZERO);
        let start = if current == Micros::ZERO {
            config.hourly_floor
        } else {
            Micros::ZERO
        };
        let grown = |from: Micros, delta: Ratio| {
            big(from) * (1_000_000 + i128::from(delta.ppm())) / 1_000_000
        };
        let observed = |rule: &RuleId| config.observe.contains(rule);
        if verdict.allowed > current.max(start) {
            rose += 1;
            let day_ago = case.day_ago.unwrap_or(current);
            if !observed(&rules::DELTA_MAX_24H) {
                assert!(
                    big(verdict.allowed) <= grown(day_ago, config.delta_max_24h),
                    "{}",
                    at_hand()
                );
            }
            if case.span.len() == 1 && !observed(&rules::DELTA_MAX) {
                assert!(
                    big(verdict.allowed) <= grown(current, config.delta_max),
                    "{}",
                    at_hand()
                );
            }
        }
        // Below the lower bound goes only what a rule of safety asks for.
        if verdict.allowed < current && big(verdict.allowed) < Model::new(asked).lower_bound() {
            fell += 1;
            let bound = verdict.binding.as_ref();
            assert!(
                bound.is_some_and(|rule| lowers.contains(rule)),
                "{bound:?} {}",
                at_hand()
            );
        }
        // Normalising twice changes nothing.
        let again = asked
            .guardrails
            .normalise(&case.context(), verdict.normalised);
        assert_eq!(again, verdict.normalised, "{}", at_hand());
    });
    assert!(
        fell * 100 > cases(500_000) && rose * 100 > cases(500_000),
        "{fell} {rose}"
    );
}

#[test]
fn i12_verdicts_do_not_depend_on_the_order_or_the_number_of_deliveries() {
    let mut random = Random::new(1212);
    for_each(12, cases(500_000), |asked| {
        let mut deliveries: Vec<MetricRow> = Vec::with_capacity(48);
        for &(span, spend, revenue, conversions) in &asked.rows {
            let metrics = Metrics {
                spend: Micros::new(spend),
                revenue: Micros::new(revenue),
                conversions: Quantity::from_millionths(conversions),
                ..Metrics::default()
            };
            let row = MetricRow {
                key: asked.case.key.clone(),
                span,
                revision: Revision::new(1),
                metrics,
            };
            if random.chance(30) {
                // An earlier figure that was restated since.
                let metrics = Metrics {
                    clicks: 7,
                    revenue: Micros::ZERO,
                    ..metrics
                };
                deliveries.push(MetricRow {
                    revision: Revision::new(0),
                    metrics,
                    ..row.clone()
                });
            }
            if random.chance(20) {
                deliveries.push(row.clone());
            }
            deliveries.push(row);
        }
        let mut in_order = Trailing::new(600);
        for row in &deliveries {
            in_order.record(row).unwrap();
        }
        for place in (1..deliveries.len()).rev() {
            let other = random.below(u64::try_from(place + 1).unwrap());
            deliveries.swap(place, usize::try_from(other).unwrap());
        }
        let mut shuffled = Trailing::new(600);
        for row in &deliveries {
            shuffled.record(row).unwrap();
        }
        assert_eq!(in_order, shuffled, "{}", at_hand());
        let rules = &asked.guardrails;
        let judge = |trailing: &Trailing| {
            let context = gaelp_guardrails::Context {
                trailing,
                ..asked.case.context()
            };
            rules.evaluate(&context, asked.proposed)
        };
        let (one, other) = (judge(&in_order), judge(&shuffled));
        assert_eq!(one, other, "{}", at_hand());
        // The figures are those of the case, whose rows came once; only the revision differs.
        let plain = judge(&asked.case.trailing);
        assert_eq!(
            (one.allowed, one.level),
            (plain.allowed, plain.level),
            "{}",
            at_hand()
        );
        let rows = asked
            .case
            .trailing
            .window(asked.case.now, rules.config().roas_window_hours)
            .rows;
        assert_eq!(one.revisions == plain.revisions, rows == 0, "{}", at_hand());
    });
}

/// Handing the window over, or one of another length, changes nothing.
#[test]
fn a_window_that_is_known_changes_no_verdict() {
    let mut random = Random::new(78);
    for_each(78, cases(100_000), |asked| {
        let rules = &asked.guardrails;
        let context = asked.case.context();
        let window = |hours| Some(context.trailing.window(context.now, hours));
        let other = u32::try_from(random.below(100)).unwrap();
        for hours in [rules.config().roas_window_hours, other] {
            let known = gaelp_guardrails::Context {
                window: window(hours),
                ..context
            };
            let verdict = rules.evaluate(&known, asked.proposed);
            assert_eq!(verdict, judge(asked), "{}", at_hand());
            assert_eq!(rules.may_raise(&known), rules.may_raise(&context));
        }
    });
}

#[test]
fn proposing_more_never_gives_less() {
    let mut random = Random::new(77);
    for_each(77, cases(250_000), |asked| {
        let other = Micros::new(i64::try_from(random.below(5_000_000)).unwrap());
        if asked.proposed.is_negative() || big(asked.proposed) > 1_000_000_000_000_000 {
            return;
        }
        let (low, high) = (other.min(asked.proposed), other.max(asked.proposed));
        let less = asked.case.evaluate(&asked.guardrails, low);
        let more = asked.case.evaluate(&asked.guardrails, high);
        assert!(less.allowed <= more.allowed, "{}", at_hand());
        assert_eq!(less.memory, more.memory, "{}", at_hand());
    });
}

/// What a setting is said to narrow allows no raise that was not allowed before.
#[test]
fn narrower_settings_allow_no_raise_that_wider_ones_forbid() {
    use gaelp_core::UtcHour;
    use gaelp_guardrails::{Policies, Policy};
    let mut random = Random::new(99);
    let (mut narrowed, mut raised) = (0_u64, 0_u64);
    for_each(99, cases(250_000), |asked| {
        let wide: GuardrailConfig = asked.config().clone();
        let now = UtcHour::new(0);
        let mut policies = Policies::new(Policy::new(wide.clone()).unwrap(), 24);
        // Another policy, of which whatever is narrower takes effect at once.
        if policies
            .propose(random.config(), "ada".into(), now)
            .is_err()
        {
            return;
        }
        narrowed += u64::from(policies.live().config() != &wide);
        let before = judge(asked);
        let after = policies
            .live()
            .evaluate(&asked.case.context(), asked.proposed);
        let current = asked.case.current.max(Micros::ZERO);
        raised += u64::from(after.allowed > current);
        if after.allowed > current {
            assert!(after.allowed <= before.allowed, "{}", at_hand());
        }
    });
    assert!(narrowed * 2 > cases(250_000), "{narrowed}");
    assert!(raised > 0);
}
