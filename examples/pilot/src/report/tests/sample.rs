//! Summaries as a run would make them, of any size.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use gaelp::budget::{Binding, Binds, Ends};
use gaelp::core::{
    AdSetKey, Currency, Level, Metrics, Micros, Platform, Quantity, Ratio, RuleId, Seed,
};
use gaelp::rollout::{AlertKind, Mode, Proof};

use crate::summary::{
    AdSetStory, AlertCount, Arm, Cell, Day, Effect, Example, Granularity, Guardrails, Input, Kpi,
    Kpis, LastPlan, Learning, Period, PlanDay, PlannedAdSet, Planning, Point, Summary, Trailing,
};

/// The size of a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) days: u32,
    pub(super) ad_sets: u32,
    /// The local day it begins on.
    pub(super) first_day: NaiveDate,
}

impl Default for Shape {
    /// Four weeks of four ad sets.
    fn default() -> Self {
        let first_day = NaiveDate::from_ymd_opt(2026, 10, 12).expect("a date");
        Self {
            days: 28,
            ad_sets: 4,
            first_day,
        }
    }
}

/// Numbers that look like chance and are the same every time (`SplitMix64`).
struct Noise(u64);

impl Noise {
    /// Within 0 and 1,000.
    fn next(&mut self) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % 1001).expect("at most 1,000")
    }
}

/// Names as marketers give them.
const NAMES: [(&str, Platform); 4] = [
    ("Prospecting – Lookalike 1% – US", Platform::Meta),
    ("Retargeting 30d", Platform::Meta),
    ("Brand Search", Platform::Google),
    ("Spark Ads Test", Platform::TikTok),
];
/// How much of the day's money each of four gets, in thousandths, and its return.
const PARTS: [(i64, i64); 4] = [(380, 1_300), (270, 2_900), (210, 1_900), (140, 700)];
/// How the hours of a day differ, in thousandths of the average.
const HOURS: [i64; 24] = [
    350, 250, 180, 150, 150, 220, 420, 700, 950, 1050, 1100, 1150, 1200, 1150, 1100, 1100, 1200,
    1400, 1750, 2000, 2050, 1850, 1400, 780,
];

/// A run over hourly data in shadow mode, $10 a day.
pub(super) fn summary(shape: Shape) -> Summary {
    let mut noise = Noise(7);
    let stories: Vec<AdSetStory> = (0..shape.ad_sets)
        .map(|index| story(index, shape, &mut noise))
        .collect();
    let kpis = kpis(&stories, &mut noise);
    let days = days(&stories, shape);
    let effect = effect(&stories);
    let last_day = shape.first_day + Days::new(u64::from(shape.days.max(1)) - 1);
    Summary {
        format: 1,
        gaelp: "0.1.0",
        run: "6f1c2a9be04d7715".to_owned(),
        mode: Mode::Shadow,
        currency: Currency::USD,
        zone: "America/New_York".parse().expect("a zone"),
        seed: Seed::new(42),
        granularity: Granularity::Hourly,
        period: Some(Period {
            from: format!("{}T04:00:00Z", shape.first_day),
            to: format!("{}T05:00:00Z", last_day + Days::new(1)),
            first_day: shape.first_day.to_string(),
            last_day: last_day.to_string(),
            hours: shape.days * 24,
        }),
        inputs: inputs(),
        settings: settings(),
        trailing: [7, 14, 30]
            .map(|days| trailing(days, shape, &kpis.account))
            .into(),
        kpis,
        effect,
        guardrails: guardrails(&days),
        heatmap: heatmap(&mut noise),
        ad_sets: stories,
        alerts: vec![AlertCount {
            kind: AlertKind::Unattributed,
            count: 3,
            first_at: "2026-10-14 03:00".to_owned(),
            example: "shop".to_owned(),
        }],
        learning: Learning {
            experiences: effect_decisions(&days),
            truncated: 4,
            least_propensity: Some(0.0312),
            lambda_start: Ratio::from_ppm(200_000),
            lambda_end: days
                .iter()
                .rev()
                .find_map(|day| day.lambda)
                .unwrap_or_default(),
        },
        days,
        plan: None,
        candidate: None,
        limits: Vec::new(),
    }
}

/// The plans of a run that paces its budgets.
pub(super) fn planning(summary: &Summary) -> Planning {
    let day = |day: &Day| PlanDay {
        date: day.date.clone(),
        steps: 24,
        allowance: cents(980),
        least_lambda: Ratio::from_ppm(100_000),
        mean_lambda: Ratio::from_ppm(200_000),
        most_lambda: Ratio::from_ppm(400_000),
    };
    let ad_set = |(place, story): (usize, &AdSetStory)| PlannedAdSet {
        key: story.key.clone(),
        current: cents(10),
        least: cents(9),
        most: cents(10),
        proposed: cents(9),
        allowed: (place > 0).then(|| cents(9)),
        marginal_profit: if place == 0 { -0.31 } else { 0.52 },
        binding: Some(Binding::TooLittle),
        reason: "its first dollar would bring less than others' next",
    };
    Planning {
        planned: 1_300,
        infeasible: 40,
        fixed: 4,
        days: summary.days.iter().map(day).collect(),
        last: LastPlan {
            at: "2026-10-31 23:00".to_owned(),
            lambda: Ratio::from_ppm(250_000),
            allowance: cents(44),
            binds: Binds::Plan,
            daily: cents(1_012),
            reserve: Micros::ZERO,
            fixed: cents(200),
            proof: Some(Proof {
                total: cents(812),
                level: 1.25,
                ends: Ends::Goal,
                value: 17.0,
                bound: 17.0,
                gap: 2.5e-13,
                best_move: -1e-9,
                falls_freed: true,
            }),
            why_not: None,
            ad_sets: summary.ad_sets.iter().enumerate().map(ad_set).collect(),
        },
    }
}

/// The same without dates.
pub(super) fn totals_only() -> Summary {
    let whole = summary(Shape::default());
    Summary {
        granularity: Granularity::Total,
        period: None,
        trailing: Vec::new(),
        effect: Effect {
            elasticity: Ratio::from_ppm(700_000),
            ..Effect::default()
        },
        guardrails: Guardrails::default(),
        days: Vec::new(),
        heatmap: Vec::new(),
        ad_sets: Vec::new(),
        alerts: Vec::new(),
        learning: Learning::default(),
        limits: vec!["KAG_conversion_data.csv has no dates: only totals can be shown.".to_owned()],
        ..whole
    }
}

fn story(index: u32, shape: Shape, noise: &mut Noise) -> AdSetStory {
    let kind = index as usize % 4;
    let (name, platform) = &NAMES[kind];
    let name = if index < 4 {
        (*name).to_owned()
    } else {
        format!("{name} #{index}")
    };
    let (part, roas) = PARTS[kind];
    let series: Vec<Point> = (0..shape.days)
        .map(|day| {
            let date = shape.first_day + Days::new(day.into());
            // Cents: ten units a day, more at first, with a spike and a lull.
            let trend = match day {
                0..=6 => 1_120,
                9 => 1_650,
                15 | 16 => 620,
                _ => 960,
            };
            let actual = 1_000 * part * (trend - 120 + noise.next() * 240 / 1000) / 1_000_000;
            let multiplier = 880 + noise.next() * 160 / 1000 + if roas > 1_500 { 60 } else { -60 };
            let luck = 400 + noise.next() * 6 / 5;
            Point {
                date: date.to_string(),
                actual: cents(actual),
                suggested: cents(actual * multiplier / 1000),
                revenue: cents(actual * roas * luck / 1_000_000),
            }
        })
        .collect();
    let decisions = u64::from(shape.days) * 24;
    let (raised, lowered) = (decisions * 11 / 100, decisions * 31 / 100);
    AdSetStory {
        key: AdSetKey::new(platform.clone(), name),
        decisions,
        raised,
        lowered,
        held: decisions - raised - lowered,
        frozen: decisions * 4 / 10,
        suggested_spend: total(series.iter().map(|point| point.suggested)),
        main_rule: Some((RuleId::new("peak_hours"), decisions / 3)),
        arms: [
            (500_000, 3),
            (750_000, 17),
            (1_000_000, 69),
            (1_250_000, 11),
        ]
        .into_iter()
        .map(|(ppm, share)| Arm {
            multiplier: Ratio::from_ppm(ppm),
            chosen: decisions * share / 100,
            mean_propensity: Some(f64::from(u32::try_from(share).expect("small")) / 110.0),
        })
        .collect(),
        series,
    }
}

fn kpis(stories: &[AdSetStory], noise: &mut Noise) -> Kpis {
    let ad_sets: Vec<(AdSetKey, Kpi)> = stories
        .iter()
        .map(|story| {
            let spend = total(story.series.iter().map(|point| point.actual));
            let clicks = spend.get().unsigned_abs() / 420_000;
            let metrics = Metrics {
                spend,
                impressions: clicks * 61 + noise.next().unsigned_abs(),
                clicks,
                conversions: Quantity::from_millionths(clicks * 41_000),
                revenue: total(story.series.iter().map(|point| point.revenue)),
            };
            (story.key.clone(), kpi(metrics))
        })
        .collect();
    let mut platforms: BTreeMap<Platform, Metrics> = BTreeMap::new();
    let mut account = Metrics::default();
    for (key, kpi) in &ad_sets {
        let sum = platforms.entry(key.platform.clone()).or_default();
        *sum = sum.merge(&kpi.metrics).expect("small sums");
        account = account.merge(&kpi.metrics).expect("small sums");
    }
    let platforms = platforms
        .into_iter()
        .map(|(platform, sum)| (platform, kpi(sum)))
        .collect();
    Kpis {
        account: kpi(account),
        platforms,
        ad_sets,
    }
}

/// What follows from sums, at a margin of one.
pub(super) fn kpi(metrics: Metrics) -> Kpi {
    Kpi {
        metrics,
        profit: metrics.profit(Ratio::ONE),
        roas: metrics.roas(),
        cpa: metrics.cpa(),
        ctr: metrics.ctr(),
        cvr: metrics.cvr(),
    }
}

fn days(stories: &[AdSetStory], shape: Shape) -> Vec<Day> {
    let target = cents(1_000);
    let mut lambda = 200_000_i64;
    let day = |index: u32| {
        let at = index as usize;
        let points = || stories.iter().filter_map(|story| story.series.get(at));
        let actual = total(points().map(|point| point.actual));
        lambda = (lambda + (actual.get() - target.get()) * 50_000 / target.get()).max(0);
        let all = stories.len() as u64 * 24;
        let deny = if index == 20 { all / 4 } else { 0 };
        let freeze = all * u64::from(30 + index * 7 % 25) / 100;
        let clamp = all * u64::from(20 + index * 5 % 15) / 100;
        let bound = |rule, count| (RuleId::new(rule), count);
        Day {
            date: (shape.first_day + Days::new(index.into())).to_string(),
            target,
            actual,
            suggested: total(points().map(|point| point.suggested)),
            revenue: total(points().map(|point| point.revenue)),
            lambda: Some(Ratio::from_ppm(lambda)),
            levels: [all - deny - freeze - clamp, clamp, freeze, deny, 0],
            binding: vec![
                bound("peak_hours", freeze * 2 / 3),
                bound("delta_max", clamp * 2 / 3),
                bound("freeze_roas", freeze / 3),
                bound("daily_cap", clamp / 3),
                bound("stale_data", deny),
            ]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect(),
        }
    };
    (0..shape.days).map(day).collect()
}

fn effect(stories: &[AdSetStory]) -> Effect {
    let actual_spend = total(
        stories
            .iter()
            .flat_map(|s| &s.series)
            .map(|point| point.actual),
    );
    let actual_revenue = total(
        stories
            .iter()
            .flat_map(|s| &s.series)
            .map(|point| point.revenue),
    );
    let suggested_spend = total(stories.iter().map(|story| story.suggested_spend));
    let suggested_revenue = Micros::new(actual_revenue.get() / 1000 * 986);
    let decisions = stories.iter().map(|story| story.decisions).sum();
    Effect {
        elasticity: Ratio::from_ppm(700_000),
        decisions,
        raised: stories.iter().map(|story| story.raised).sum(),
        lowered: stories.iter().map(|story| story.lowered).sum(),
        held: stories.iter().map(|story| story.held).sum(),
        compared: decisions - decisions / 60,
        actual_spend,
        suggested_spend,
        actual_revenue,
        suggested_revenue,
        actual_profit: Micros::new(actual_revenue.get() - actual_spend.get()),
        suggested_profit: Micros::new(suggested_revenue.get() - suggested_spend.get()),
        statuses: BTreeMap::from([("shadow", decisions)]),
    }
}

fn guardrails(days: &[Day]) -> Guardrails {
    let mut binding: BTreeMap<RuleId, u64> = BTreeMap::new();
    let mut levels = [0_u64; 5];
    for day in days {
        for (rule, count) in &day.binding {
            *binding.entry(rule.clone()).or_default() += count;
        }
        for (sum, count) in levels.iter_mut().zip(day.levels) {
            *sum += count;
        }
    }
    let mut binding: Vec<_> = binding.into_iter().collect();
    binding.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let names = [
        Level::Allow,
        Level::Clamp,
        Level::Freeze,
        Level::Deny,
        Level::Kill,
    ];
    let example = |rule, reason: &str, proposed, allowed| Example {
        rule: RuleId::new(rule),
        ad_set: AdSetKey::new(Platform::Meta, NAMES[0].0),
        at: "2026-10-18 19:00".to_owned(),
        proposed: cents(proposed),
        allowed: cents(allowed),
        reason: reason.to_owned(),
    };
    Guardrails {
        objections: binding
            .iter()
            .map(|(rule, count)| (rule.clone(), count * 2))
            .collect(),
        observed: Vec::new(),
        levels: names.into_iter().zip(levels).collect(),
        examples: vec![
            example(
                "peak_hours",
                "peak_hours freeze at 0.42/h (9 h against 18 h)",
                52,
                42,
            ),
            example(
                "delta_max",
                "delta_max clamp at 0.46/h (0.52 against 0.42)",
                52,
                46,
            ),
            example(
                "freeze_roas",
                "freeze_roas freeze at 0.42/h (1.12 against 1.50)",
                52,
                42,
            ),
        ],
        binding,
    }
}

fn heatmap(noise: &mut Noise) -> Vec<Vec<Cell>> {
    let mut cell = |day: usize, hour: usize| {
        let spend = HOURS[hour] * (360 + noise.next() / 5) / 1000 * if day > 4 { 6 } else { 5 };
        let spend = Micros::new(spend * 800);
        Cell {
            hours: u32::from(!(day == 6 && (2..4).contains(&hour))) * 4,
            spend,
            revenue: Micros::new(spend.get() * (600 + noise.next() * 2) / 1000),
            conversions: f64::from(u32::try_from(noise.next() / 300).expect("small")),
        }
    };
    (0..7)
        .map(|day| (0..24).map(|hour| cell(day, hour)).collect())
        .collect()
}

fn trailing(days: u32, shape: Shape, account: &Kpi) -> Trailing {
    let part = |weight: i64| {
        let share = |amount: Micros| {
            let whole = i64::from(shape.days.max(1)) * 1000;
            Micros::new(amount.get() * i64::from(days.min(shape.days)) / whole * weight)
        };
        let metrics = account.metrics;
        kpi(Metrics {
            spend: share(metrics.spend),
            revenue: share(metrics.revenue),
            conversions: Quantity::from_millionths(
                metrics.conversions.millionths() / 1000
                    * weight.unsigned_abs()
                    * u64::from(days.min(shape.days))
                    / u64::from(shape.days.max(1)),
            ),
            ..metrics
        })
    };
    Trailing {
        days,
        covered: days.min(shape.days),
        current: part(930),
        previous: (days * 2 <= shape.days).then(|| part(1070)),
    }
}

fn inputs() -> Vec<Input> {
    let input = |name: &str, kind: &str, reason: &str, rows, notes: &[&str]| Input {
        name: name.to_owned(),
        kind: kind.to_owned(),
        reason: reason.to_owned(),
        rows,
        notes: notes.iter().map(|note| (*note).to_owned()).collect(),
    };
    vec![
        input(
            "meta_hourly.csv",
            "Meta Ads Manager, hourly",
            "it has the columns “Time of day (ad account time zone)” and “Amount spent (USD)”",
            1_344,
            &[
                "One hour is shown twice, when summer time ended on 2026-11-01; it was counted once.",
            ],
        ),
        input(
            "google_hourly.csv",
            "Google Ads API, hourly",
            "it has segments.hour",
            672,
            &[],
        ),
        input(
            "shopify_orders.csv",
            "Shopify orders",
            "it has “Financial Status” and “Lineitem quantity”",
            214,
            &["5 orders were left out: 2 voided, 1 cancelled, 2 pending."],
        ),
    ]
}

fn settings() -> BTreeMap<&'static str, String> {
    [
        ("daily_budget_target", "10.00"),
        ("daily_cap_total", "10.00"),
        ("adset_min_hourly", "0.50"),
        ("adset_max_hourly", "2.00"),
        ("budget_delta_max", "0.10"),
        ("peak_hours", "18-22"),
        ("freeze_if_roas_lt", "1.50"),
        ("lambda_spend", "0.20"),
        ("lagrange_step", "0.05"),
        ("margin", "1.00"),
        ("multipliers", "0.5, 0.75, 1, 1.25"),
        ("response_elasticity", "0.70"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .collect()
}

fn effect_decisions(days: &[Day]) -> u64 {
    days.iter().flat_map(|day| day.levels).sum()
}

/// An amount of so many hundredths.
pub(super) fn cents(cents: i64) -> Micros {
    Micros::new(cents * 10_000)
}

fn total(amounts: impl Iterator<Item = Micros>) -> Micros {
    Micros::checked_sum(amounts).expect("small sums")
}
