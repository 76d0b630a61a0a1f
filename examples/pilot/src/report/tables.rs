//! The tables: every figure as text that is ready to be printed.

use std::collections::{BTreeMap, BTreeSet};

use gaelp::core::{AdSetKey, Currency, Micros, Ratio, RuleId};

use super::charts;
use super::number;
use super::span::Timeline;
use super::svg::Markup;
use super::words::{self, Name};
use crate::summary::{AdSetStory, Arm, Day, Example, Guardrails, Kpi, Summary};

/// How many ad sets get a chart and a line in the table of arms.
pub(super) const MOST_CHARTS: usize = 20;
/// How many days the table of days lists.
const MOST_DAYS: usize = 400;
/// How many ad sets the table of key figures lists.
const MOST_ROWS: usize = 100;

/// Rows, and how many there would be more.
#[derive(Clone, Debug)]
pub(super) struct Cut<T> {
    pub(super) rows: Vec<T>,
    pub(super) hidden: usize,
}

impl<T> Cut<T> {
    /// The first `most` of them, each made ready.
    pub(super) fn of<S>(all: &[S], most: usize, ready: impl FnMut(&S) -> T) -> Self {
        let rows = all.iter().take(most).map(ready).collect();
        Self {
            rows,
            hidden: all.len().saturating_sub(most),
        }
    }
}

/// Key figures of a platform or an ad set.
#[derive(Clone, Debug)]
pub(super) struct KpiRow {
    pub(super) name: Name,
    /// In the order of [`KPI_COLUMNS`].
    pub(super) cells: Vec<String>,
}

/// The columns of the tables of key figures.
pub(super) static KPI_COLUMNS: [&str; 10] = [
    "Spend",
    "Revenue",
    "Profit",
    "ROAS",
    "Conversions",
    "CPA",
    "Impressions",
    "Clicks",
    "CTR",
    "CVR",
];

/// The whole account, then each platform.
pub(super) fn platforms(summary: &Summary) -> Vec<KpiRow> {
    let plain = |name: &str| Name {
        platform: String::new(),
        short: name.into(),
        full: name.into(),
    };
    let whole = KpiRow {
        name: plain("All"),
        cells: cells(&summary.kpis.account),
    };
    let each = summary.kpis.platforms.iter().map(|(platform, kpi)| KpiRow {
        name: plain(words::platform(platform)),
        cells: cells(kpi),
    });
    std::iter::once(whole).chain(each).collect()
}

/// The ad sets, those that spent most first.
pub(super) fn ad_sets(summary: &Summary) -> Cut<KpiRow> {
    let mut rows: Vec<_> = summary.kpis.ad_sets.iter().collect();
    rows.sort_by_key(|(_, kpi)| std::cmp::Reverse(kpi.metrics.spend));
    Cut::of(&rows, MOST_ROWS, |(key, kpi)| KpiRow {
        name: Name::of(key),
        cells: cells(kpi),
    })
}

fn cells(kpi: &Kpi) -> Vec<String> {
    let metrics = &kpi.metrics;
    vec![
        number::money(metrics.spend),
        number::money(metrics.revenue),
        number::optional_money(kpi.profit),
        number::statistic(kpi.roas),
        number::quantity(metrics.conversions),
        number::statistic(kpi.cpa),
        number::count(metrics.impressions),
        number::count(metrics.clicks),
        number::percentage(kpi.ctr),
        number::percentage(kpi.cvr),
    ]
}

/// An ad set with its own chart.
#[derive(Clone, Debug)]
pub(super) struct AdSetCard {
    pub(super) name: Name,
    pub(super) picture: Markup,
    pub(super) actual: String,
    /// The suggestion and how far it is from the actual spend; `None` where none can be compared.
    pub(super) suggested: Option<(String, String)>,
    pub(super) raised: String,
    pub(super) lowered: String,
    pub(super) held: String,
    pub(super) frozen: String,
    /// The rule that bound it most often, in words.
    pub(super) rule: String,
}

/// The stories of the ad sets, those with the most spend first.
pub(super) fn by_spend(summary: &Summary) -> Vec<(&AdSetStory, Micros)> {
    let spend: BTreeMap<&AdSetKey, Micros> = summary
        .kpis
        .ad_sets
        .iter()
        .map(|(key, kpi)| (key, kpi.metrics.spend))
        .collect();
    let mut stories: Vec<_> = summary
        .ad_sets
        .iter()
        .map(|story| {
            (
                story,
                spend.get(&story.key).copied().unwrap_or(Micros::ZERO),
            )
        })
        .collect();
    stories.sort_by_key(|(_, spend)| std::cmp::Reverse(*spend));
    stories
}

/// A card for each of the top ad sets.
pub(super) fn cards(
    stories: &[(&AdSetStory, Micros)],
    timeline: &Timeline,
    summary: &Summary,
) -> Cut<AdSetCard> {
    Cut::of(stories, MOST_CHARTS, |(story, spend)| {
        let name = Name::of(&story.key);
        // Days before the first suggestion would make it look smaller than it is.
        let compared = charts::suggested_points(&story.series);
        let actual = sum(compared.iter().map(|point| point.actual));
        let change = number::relative(actual.to_major_f64(), story.suggested_spend.to_major_f64())
            .unwrap_or_else(|| number::difference(actual, story.suggested_spend));
        let suggested = number::money_in(story.suggested_spend, summary.currency);
        let bound = story.main_rule.as_ref().filter(|(_, count)| *count > 0);
        AdSetCard {
            picture: charts::ad_set(&name.short, &story.series, timeline),
            actual: number::money(if compared.is_empty() { *spend } else { actual }),
            suggested: (!compared.is_empty()).then_some((suggested, change)),
            raised: number::count(story.raised),
            lowered: number::count(story.lowered),
            held: number::count(story.held),
            frozen: number::count(story.frozen),
            rule: bound.map_or_else(
                || "No rule bound it.".to_owned(),
                |(rule, count)| {
                    let title = words::rule(rule.as_str()).title;
                    format!("Bound most often by “{title}”, {}.", words::times(*count))
                },
            ),
            name,
        }
    })
}

fn sum(amounts: impl Iterator<Item = Micros>) -> Micros {
    amounts.fold(Micros::ZERO, |sum, amount| {
        sum.checked_add(amount).unwrap_or(sum)
    })
}

/// A rule, what it did, and an example.
#[derive(Clone, Debug)]
pub(super) struct RuleRow {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) meaning: &'static str,
    pub(super) bound: String,
    pub(super) objected: String,
    /// An example in plain words; empty where there is none.
    pub(super) example: String,
    /// The same as the log has it.
    pub(super) log: String,
}

/// The rules that had something to say, those that bound most often first.
pub(super) fn rules(summary: &Summary) -> Vec<RuleRow> {
    let Guardrails {
        binding,
        objections,
        examples,
        ..
    } = &summary.guardrails;
    let count_in = |list: &[(RuleId, u64)], rule: &RuleId| {
        list.iter()
            .find(|(other, _)| other == rule)
            .map_or(0, |(_, count)| *count)
    };
    let named: BTreeSet<&RuleId> = binding
        .iter()
        .chain(objections)
        .map(|(rule, _)| rule)
        .collect();
    let mut named: Vec<_> = named
        .into_iter()
        .map(|rule| (count_in(binding, rule), count_in(objections, rule), rule))
        .collect();
    named.sort_by_key(|&(bound, objected, _)| std::cmp::Reverse((bound, objected)));
    let row = |(bound, objected, rule): (u64, u64, &RuleId)| {
        let words = words::rule(rule.as_str());
        let example = examples.iter().find(|example| example.rule == *rule);
        RuleRow {
            code: rule.to_string(),
            title: words.title.to_owned(),
            meaning: words.meaning,
            bound: number::count(bound),
            objected: number::count(objected),
            example: example
                .map(|example| in_words(example, summary.currency))
                .unwrap_or_default(),
            log: example.map_or_else(String::new, |example| example.reason.clone()),
        }
    };
    named.into_iter().map(row).collect()
}

fn in_words(example: &Example, currency: Currency) -> String {
    let name = Name::of(&example.ad_set);
    let mut words = format!(
        "{}, {} on {}: {} an hour was proposed, {} was allowed.",
        example.at,
        name.short,
        name.platform,
        number::rate(example.proposed, currency),
        number::rate(example.allowed, currency),
    );
    if example.allowed > example.proposed {
        words.push_str(" A rate falls only so far at once, and not below the floor.");
    }
    words
}

/// A day in figures.
#[derive(Clone, Debug)]
pub(super) struct DayRow {
    pub(super) date: String,
    pub(super) cells: Vec<String>,
    pub(super) levels: Vec<String>,
    /// The rule that bound most often.
    pub(super) rule: String,
}

/// The days, the latest where there are too many.
pub(super) fn days(summary: &Summary) -> Cut<DayRow> {
    let hidden = summary.days.len().saturating_sub(MOST_DAYS);
    let rows = summary.days.iter().skip(hidden).map(day).collect();
    Cut { rows, hidden }
}

fn day(day: &Day) -> DayRow {
    let decided = charts::is_decided(day);
    DayRow {
        date: day.date.clone(),
        cells: vec![
            number::money(day.target),
            number::money(day.actual),
            if decided {
                number::money(day.suggested)
            } else {
                number::NOTHING.to_owned()
            },
            if decided {
                number::difference(day.actual, day.suggested)
            } else {
                number::NOTHING.to_owned()
            },
            number::money(day.revenue),
            day.lambda
                .map_or_else(|| number::NOTHING.to_owned(), number::lambda),
        ],
        levels: day
            .levels
            .iter()
            .map(|&count| number::count(count))
            .collect(),
        rule: day
            .binding
            .first()
            .map_or_else(String::new, |(rule, count)| {
                format!(
                    "{} ({})",
                    words::rule(rule.as_str()).title,
                    number::count(*count)
                )
            }),
    }
}

/// What was chosen, over all ad sets.
#[derive(Clone, Debug)]
pub(super) struct ArmRow {
    pub(super) multiplier: String,
    pub(super) chosen: String,
    pub(super) share: String,
    pub(super) propensity: String,
}

/// What was chosen for one ad set: a cell for each multiplier.
#[derive(Clone, Debug)]
pub(super) struct ArmsOf {
    pub(super) name: Name,
    pub(super) cells: Vec<String>,
}

/// The arms over all ad sets, and by ad set.
#[derive(Clone, Debug)]
pub(super) struct Arms {
    pub(super) all: Vec<ArmRow>,
    pub(super) by_ad_set: Cut<ArmsOf>,
}

/// The arms that were chosen.
pub(super) fn arms(stories: &[(&AdSetStory, Micros)]) -> Arms {
    let mut sums: BTreeMap<Ratio, (u64, f64, u64)> = BTreeMap::new();
    for arm in stories.iter().flat_map(|(story, _)| &story.arms) {
        let (chosen, weighted, known) = sums.entry(arm.multiplier).or_default();
        *chosen = chosen.saturating_add(arm.chosen);
        if let Some(propensity) = arm.mean_propensity.filter(|_| arm.chosen > 0) {
            *weighted += propensity * float(arm.chosen);
            *known = known.saturating_add(arm.chosen);
        }
    }
    let total = sums
        .values()
        .fold(0_u64, |total, (chosen, ..)| total.saturating_add(*chosen));
    let all = sums
        .iter()
        .map(|(&multiplier, &(chosen, weighted, known))| ArmRow {
            multiplier: multiplied(multiplier),
            chosen: number::count(chosen),
            share: number::percentage((total > 0).then(|| float(chosen) / float(total))),
            propensity: mean((known > 0).then(|| weighted / float(known))),
        });
    let columns: Vec<Ratio> = sums.keys().copied().collect();
    let by_ad_set = Cut::of(stories, MOST_CHARTS, |(story, _)| ArmsOf {
        name: Name::of(&story.key),
        cells: columns
            .iter()
            .map(|&multiplier| arm_cell(&story.arms, multiplier))
            .collect(),
    });
    Arms {
        all: all.collect(),
        by_ad_set,
    }
}

fn arm_cell(arms: &[Arm], multiplier: Ratio) -> String {
    match arms.iter().find(|arm| arm.multiplier == multiplier) {
        Some(arm) if arm.chosen > 0 => {
            format!(
                "{} at {}",
                number::count(arm.chosen),
                mean(arm.mean_propensity)
            )
        }
        Some(_) => "0".to_owned(),
        None => number::NOTHING.to_owned(),
    }
}

fn mean(propensity: Option<f64>) -> String {
    propensity.map_or_else(|| number::NOTHING.to_owned(), number::probability)
}

fn multiplied(multiplier: Ratio) -> String {
    format!("×\u{a0}{}", number::ratio(multiplier))
}

#[expect(clippy::cast_precision_loss, reason = "a weight of a mean")]
fn float(count: u64) -> f64 {
    count as f64
}
