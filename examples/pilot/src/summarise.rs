//! From sums to a summary.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use gaelp::core::{AdSetKey, HourSpan, Metrics, Micros, Platform, Ratio, Rounding, RuleId};
use gaelp::rollout::{PlanOutcome, PlannedArm, RevenueFrom, RolloutConfig};
use gaelp_store::RunId;

use crate::import::{Stated, Taken};
use crate::observe::{DaySums, Observer, PlannedDay, Seen, micros, profit};
use crate::settings::Settings;
use crate::summary::{
    AdSetStory, AlertCount, Arm, Candidate, Day, Effect, Granularity, Guardrails, Kpi, Kpis,
    LastPlan, Learning, Period, PlanDay, PlannedAdSet, Planning, Point, Summary, Trailing,
};

/// The layout's version.
const FORMAT: u32 = 1;
/// What turns sums into KPIs.
#[derive(Clone, Copy)]
struct Reckoning {
    margin: Ratio,
    stated: Stated,
}

/// How many ad sets are told day by day.
const STORIES_WITH_DAYS: usize = 20;

/// The summary of lifetime totals: no dates, so no decisions.
pub(crate) fn totals(
    settings: &Settings,
    config: &RolloutConfig,
    run: RunId,
    taken: Taken,
) -> Summary {
    let mut sums: BTreeMap<AdSetKey, Metrics> = BTreeMap::new();
    for (key, metrics) in &taken.totals {
        let sum = sums.entry(key.clone()).or_default();
        *sum = sum.merge(metrics).unwrap_or(*sum);
    }
    let reckoning = Reckoning {
        margin: config.margin,
        stated: taken.stated,
    };
    let kpis = kpis(sums.iter().map(|(key, metrics)| (key, *metrics)), reckoning);
    let mut limits = vec![
        "The file has no dates: it holds one lifetime total per ad set. Sums and ratios can be \
         shown; nothing can be replayed hour by hour, so there are no suggestions, no pacing, no \
         heat map and no trailing windows."
            .to_owned(),
        "Export the report again with a breakdown by day, or better by day and hour, to see what \
         gaelp would have done."
            .to_owned(),
    ];
    limits.extend(unstated(taken.stated));
    Summary {
        kpis,
        limits,
        ..bare(settings, config, run, taken)
    }
}

/// The summary of a replay.
pub(crate) fn run(
    settings: &Settings,
    config: &RolloutConfig,
    run: RunId,
    taken: Taken,
    observer: &Observer,
    steps: &[HourSpan],
) -> Summary {
    let hourly = taken.granularity == Granularity::Hourly;
    let reckoning = Reckoning {
        margin: config.margin,
        stated: taken.stated,
    };
    let sums = observer
        .ad_sets
        .iter()
        .map(|(key, seen)| (key, seen.metrics));
    Summary {
        period: period(config, steps),
        kpis: kpis(sums, reckoning),
        trailing: [7, 14, 30]
            .map(|days| trailing(observer, days, reckoning))
            .into(),
        effect: effect(config, observer),
        guardrails: guardrails(observer),
        days: observer
            .days
            .iter()
            .map(|(date, sums)| day(*date, sums, config))
            .collect(),
        heatmap: if hourly {
            observer.week.clone()
        } else {
            Vec::new()
        },
        ad_sets: stories(config, observer),
        alerts: alerts(observer),
        learning: learning(config, observer),
        plan: planning(config, observer),
        candidate: candidate(observer),
        limits: limits(config, observer, &taken, hourly),
        ..bare(settings, config, run, taken)
    }
}

fn bare(settings: &Settings, config: &RolloutConfig, run: RunId, taken: Taken) -> Summary {
    Summary {
        format: FORMAT,
        gaelp: env!("CARGO_PKG_VERSION"),
        run: run.to_string(),
        mode: config.mode,
        currency: config.currency,
        zone: config.zone,
        seed: config.seed,
        granularity: taken.granularity,
        period: None,
        inputs: taken.inputs,
        settings: settings.shown(),
        kpis: Kpis::default(),
        trailing: Vec::new(),
        effect: Effect {
            elasticity: config.response_elasticity,
            ..Effect::default()
        },
        guardrails: Guardrails::default(),
        days: Vec::new(),
        heatmap: Vec::new(),
        ad_sets: Vec::new(),
        alerts: Vec::new(),
        learning: Learning::default(),
        plan: None,
        candidate: None,
        limits: Vec::new(),
    }
}

fn period(config: &RolloutConfig, steps: &[HourSpan]) -> Option<Period> {
    let (first, last) = (steps.first()?, steps.last()?);
    let local = |hour| config.zone.local(hour);
    Some(Period {
        from: first.from.to_string(),
        to: last.to.to_string(),
        first_day: local(first.from).date.to_string(),
        last_day: local(last.to.plus(-1)).date.to_string(),
        hours: HourSpan::new(first.from, last.to).len(),
    })
}

/// What no file states has no ratio: missing is not zero.
fn kpi(metrics: Metrics, Reckoning { margin, stated }: Reckoning) -> Kpi {
    Kpi {
        metrics,
        profit: metrics.profit(margin).filter(|_| stated.revenue),
        roas: metrics.roas().filter(|_| stated.revenue),
        cpa: metrics.cpa().filter(|_| stated.conversions),
        ctr: metrics.ctr(),
        cvr: metrics.cvr().filter(|_| stated.conversions),
    }
}

fn kpis<'a>(sums: impl Iterator<Item = (&'a AdSetKey, Metrics)>, reckoning: Reckoning) -> Kpis {
    let mut account = Metrics::default();
    let mut platforms: BTreeMap<Platform, Metrics> = BTreeMap::new();
    let mut ad_sets = Vec::new();
    for (key, metrics) in sums {
        account = account.merge(&metrics).unwrap_or(account);
        let platform = platforms.entry(key.platform.clone()).or_default();
        *platform = platform.merge(&metrics).unwrap_or(*platform);
        ad_sets.push((key.clone(), kpi(metrics, reckoning)));
    }
    // Those that cost most come first.
    ad_sets.sort_by(|a, b| {
        b.1.metrics
            .spend
            .cmp(&a.1.metrics.spend)
            .then(a.0.cmp(&b.0))
    });
    Kpis {
        account: kpi(account, reckoning),
        platforms: platforms
            .into_iter()
            .map(|(p, metrics)| (p, kpi(metrics, reckoning)))
            .collect(),
        ad_sets,
    }
}

fn trailing(observer: &Observer, days: u32, reckoning: Reckoning) -> Trailing {
    let last = observer.days.keys().next_back().copied();
    let first = observer.days.keys().next().copied();
    let window = |from: u32, to: u32| {
        let last = last?;
        let begin = last.checked_sub_days(chrono::Days::new(u64::from(to) - 1))?;
        let end = last.checked_sub_days(chrono::Days::new(u64::from(from)))?;
        let mut sum = Metrics::default();
        let mut covered = 0;
        for (_, sums) in observer.days.range(begin..=end) {
            let reported = sums.metrics != Metrics::default();
            covered += u32::from(reported);
            sum = sum.merge(&sums.metrics).unwrap_or(sum);
        }
        let whole = first.is_some_and(|first| first <= begin);
        Some((kpi(sum, reckoning), covered, whole))
    };
    let (current, covered, _) = window(0, days).unwrap_or_default();
    let previous = window(days, 2 * days)
        .filter(|(_, _, whole)| *whole)
        .map(|(kpi, ..)| kpi);
    Trailing {
        days,
        covered,
        current,
        previous,
    }
}

fn effect(config: &RolloutConfig, observer: &Observer) -> Effect {
    let decisions = &observer.decisions;
    let suggested_spend = micros(decisions.suggested_spend);
    let suggested_revenue = micros(decisions.suggested_revenue);
    let earned = |revenue, spend| profit(revenue, spend, config.margin).unwrap_or_default();
    Effect {
        elasticity: config.response_elasticity,
        decisions: decisions.all,
        raised: decisions.raised,
        lowered: decisions.lowered,
        held: decisions.held,
        compared: decisions.compared,
        actual_spend: decisions.actual.spend,
        suggested_spend,
        actual_revenue: decisions.actual.revenue,
        suggested_revenue,
        actual_profit: earned(decisions.actual.revenue, decisions.actual.spend),
        suggested_profit: earned(suggested_revenue, suggested_spend),
        statuses: observer.statuses.clone(),
    }
}

/// Counts, largest first.
fn ranked(counts: &BTreeMap<RuleId, u64>) -> Vec<(RuleId, u64)> {
    let mut ranked: Vec<_> = counts
        .iter()
        .map(|(rule, count)| (rule.clone(), *count))
        .collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked
}

fn guardrails(observer: &Observer) -> Guardrails {
    let binding = ranked(&observer.binding);
    let examples = binding
        .iter()
        .filter_map(|(rule, _)| observer.examples.get(rule).cloned())
        .collect();
    Guardrails {
        objections: ranked(&observer.objections),
        levels: observer
            .levels
            .iter()
            .map(|(level, count)| (*level, *count))
            .collect(),
        binding,
        examples,
        observed: ranked(&observer.trial.observed),
    }
}

fn candidate(observer: &Observer) -> Option<Candidate> {
    let trial = &observer.trial;
    let number = i64::try_from(trial.decisions).ok()?;
    let mean = |sum: Micros| sum.checked_div(number, Rounding::HalfEven);
    let (live, tried) = (&observer.objections, &trial.objections);
    let rules: BTreeSet<&RuleId> = live.keys().chain(tried.keys()).collect();
    let count = |counts: &BTreeMap<RuleId, u64>, rule| counts.get(rule).copied().unwrap_or(0);
    let mut objections: Vec<_> = rules
        .into_iter()
        .map(|rule| (rule.clone(), count(live, rule), count(tried, rule)))
        .collect();
    // Where the two differ most comes first.
    objections.sort_by_key(|(_, live, tried)| std::cmp::Reverse(live.abs_diff(*tried)));
    Some(Candidate {
        policy: trial.policy.clone()?,
        decisions: trial.decisions,
        more: trial.more,
        less: trial.less,
        allowed: mean(trial.allowed)?,
        would_allow: mean(trial.would_allow)?,
        objections,
    })
}

fn day(date: NaiveDate, sums: &DaySums, config: &RolloutConfig) -> Day {
    Day {
        date: date.to_string(),
        target: config.daily_budget_target,
        actual: sums.metrics.spend,
        suggested: micros(sums.suggested),
        revenue: sums.metrics.revenue,
        lambda: sums.state.as_ref().map(|state| state.lambda_spend),
        levels: sums.levels,
        binding: ranked(&sums.binding),
    }
}

fn stories(config: &RolloutConfig, observer: &Observer) -> Vec<AdSetStory> {
    let mut seen: Vec<(&AdSetKey, &Seen)> = observer.ad_sets.iter().collect();
    seen.sort_by(|a, b| b.1.metrics.spend.cmp(&a.1.metrics.spend).then(a.0.cmp(b.0)));
    let story = |(index, (key, seen)): (usize, (&AdSetKey, &Seen))| AdSetStory {
        key: key.clone(),
        decisions: seen.decisions,
        raised: seen.raised,
        lowered: seen.lowered,
        held: seen.held,
        frozen: seen.frozen,
        suggested_spend: micros(seen.suggested_spend),
        main_rule: ranked(&seen.binding).into_iter().next(),
        arms: (0_u32..)
            .zip(&config.multipliers)
            .map(|(a, m)| arm(*m, seen.arms.get(&a)))
            .collect(),
        series: if index < STORIES_WITH_DAYS {
            series(seen)
        } else {
            Vec::new()
        },
    };
    seen.into_iter().enumerate().map(story).collect()
}

fn arm(multiplier: Ratio, seen: Option<&(u64, f64)>) -> Arm {
    let (chosen, sum) = seen.copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a mean is a statistic")]
    let mean_propensity = (chosen > 0).then(|| sum / chosen as f64);
    Arm {
        multiplier,
        chosen,
        mean_propensity,
    }
}

fn series(seen: &Seen) -> Vec<Point> {
    let point = |(date, day): (&NaiveDate, &crate::observe::SeenDay)| Point {
        date: date.to_string(),
        actual: day.spend,
        suggested: micros(day.suggested),
        revenue: day.revenue,
    };
    seen.days.iter().map(point).collect()
}

fn alerts(observer: &Observer) -> Vec<AlertCount> {
    let count = |(kind, (count, first, example)): (&_, &(u64, _, String))| AlertCount {
        kind: *kind,
        count: *count,
        first_at: gaelp::core::UtcHour::to_string(first),
        example: example.clone(),
    };
    observer.alerts.iter().map(count).collect()
}

fn learning(config: &RolloutConfig, observer: &Observer) -> Learning {
    let last = observer
        .days
        .values()
        .rev()
        .find_map(|day| day.state.as_ref());
    Learning {
        experiences: observer.experiences,
        truncated: observer.truncated,
        least_propensity: observer.least_propensity,
        lambda_start: config.lambda_spend,
        lambda_end: last.map_or(config.lambda_spend, |state| state.lambda_spend),
    }
}

fn planning(config: &RolloutConfig, observer: &Observer) -> Option<Planning> {
    let plans = &observer.plans;
    let last = plans.last.as_ref()?;
    let day = |(date, day): (&NaiveDate, &PlannedDay)| {
        let mean = day.sum / i128::from(day.steps.max(1));
        PlanDay {
            date: date.to_string(),
            steps: day.steps,
            allowance: day.allowance,
            least_lambda: day.least,
            mean_lambda: Ratio::from_ppm(i64::try_from(mean).unwrap_or(i64::MAX)),
            most_lambda: day.most,
        }
    };
    let ad_set = |arm: &PlannedArm| PlannedAdSet {
        key: arm.key.clone(),
        current: arm.current,
        least: arm.least,
        most: arm.most,
        proposed: arm.proposed,
        allowed: plans.allowed.get(&arm.key).copied(),
        marginal_profit: arm.marginal_profit,
        binding: arm.binding,
        reason: arm.reason(),
    };
    let (proof, why_not) = match &last.outcome {
        PlanOutcome::Planned(proof) => (Some(*proof), None),
        PlanOutcome::Infeasible { why } => (None, Some(why.clone())),
        _ => (None, None),
    };
    Some(Planning {
        planned: plans.planned,
        infeasible: plans.infeasible,
        fixed: plans.fixed,
        days: plans.days.iter().map(day).collect(),
        last: LastPlan {
            at: config.zone.local(last.span.from).to_string(),
            lambda: last.pace.lambda,
            allowance: last.pace.allowance,
            binds: last.pace.binds,
            daily: last.daily,
            reserve: last.pace.reserve,
            fixed: last.fixed,
            proof,
            why_not,
            ad_sets: last.arms.iter().map(ad_set).collect(),
        },
    })
}

/// What cannot be said because no file states it.
fn unstated(stated: Stated) -> Vec<String> {
    let mut limits = Vec::new();
    if !stated.revenue {
        limits.push(
            "No file states revenue: it is missing, not zero, so ROAS and profit are undefined. \
             Give the shop's orders with --orders, or a column of revenue."
                .to_owned(),
        );
    }
    if !stated.conversions {
        limits.push("No file states conversions: CPA and CVR are undefined.".to_owned());
    }
    limits
}

fn limits(config: &RolloutConfig, observer: &Observer, taken: &Taken, hourly: bool) -> Vec<String> {
    let mut limits = Vec::new();
    if !hourly {
        limits.push(
            "The data are daily: one decision per day, no peak hours, no hour-by-weekday heat map."
                .to_owned(),
        );
    }
    if taken.restated > 0 {
        limits.push(format!(
            "Files overlap. Rows that a file given later replaced, for the same ad set and hours: \
             {}. Give the newest export last.",
            crate::table::grouped(taken.restated),
        ));
    }
    let all = Metrics::default();
    let sum = observer
        .ad_sets
        .values()
        .fold(all, |sum, s| sum.merge(&s.metrics).unwrap_or(sum));
    limits.extend(unstated(taken.stated));
    if sum.revenue == Micros::ZERO {
        limits.push(
            "No revenue is known to have come in: suggestions lean to spending less.".to_owned(),
        );
    }
    if config.revenue == RevenueFrom::Shop {
        limits.push(
            "Orders are credited to ad sets in proportion to what each spent in the 24 hours up to \
             the order, because no export says which ad led to which order. Differences between ad \
             sets are therefore smaller here than in truth."
                .to_owned(),
        );
        let left = taken
            .order_revenue
            .checked_sub(observer.credited)
            .unwrap_or_default();
        if !left.is_zero() {
            limits.push(format!(
                "Of the orders' {} {}, {} could not be credited: they lie outside of the reported \
                 period, or nothing was spent in the 24 hours before them.",
                crate::table::money(taken.order_revenue),
                taken.currency,
                crate::table::money(left),
            ));
        }
    }
    if sum.spend == Micros::ZERO {
        limits.push("Nothing was spent in this period: there was nothing to decide.".to_owned());
    }
    if observer.plans.last.is_some() && config.mode == gaelp::rollout::Mode::Shadow {
        limits.push(
            "λ follows what was really spent, every hour. In shadow mode no suggestion changes that, \
             so λ is further away here than where it would settle."
                .to_owned(),
        );
    }
    if config.mode == gaelp::rollout::Mode::Pilot {
        limits.push(
            "This is a rehearsal: budgets were written to a platform in memory, whose reports are \
             the recorded ones and do not react to the budgets."
                .to_owned(),
        );
    }
    for name in config.guardrails.canary.iter().flatten() {
        if !observer.ad_sets.keys().any(|key| key.ad_set == *name) {
            limits.push(format!(
                "The canary list names {name}, which is in no report."
            ));
        }
    }
    limits
}
