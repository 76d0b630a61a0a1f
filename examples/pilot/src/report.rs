//! The report: one HTML file that a person reads, offline, on any screen or on paper.
//!
//! It says what the [`Summary`] says and computes nothing that is not there, except sums, shares
//! and places in pictures. There is no script and no resource from elsewhere, and the same summary
//! gives the same bytes.
//!
//! Everything that came from a file is escaped: by the template in its text, by [`svg`]
//! in the pictures.

mod answer;
mod axis;
mod charts;
mod credits;
mod heatmap;
mod number;
pub(crate) mod plan;
mod plot;
mod span;
mod svg;
mod tables;
mod timeline;
mod trial;
mod words;

use askama::Template;
use gaelp::rollout::Mode;

use self::answer::{Answer, Card};
use self::charts::Pace;
use self::heatmap::Heatmap;
use self::span::Timeline;
use self::svg::Markup;
use self::tables::{AdSetCard, Arms, Cut, DayRow, KpiRow, RuleRow};
use self::words::Term;
use crate::summary::{Granularity, Summary};

pub(crate) use self::credits::render as credits;

/// How many files are listed.
const MOST_INPUTS: usize = 30;
/// How many notes of each.
const MOST_NOTES: usize = 10;
/// The classes of the legend of the pacing chart, with their words.
const PACES: [(Pace, &str, &str); 3] = [
    (Pace::Under, "under", "under 90%"),
    (Pace::On, "on", "within 10% of the target"),
    (Pace::Over, "over", "over 110%"),
];

/// The report of a run as an HTML page.
///
/// # Errors
/// Where the template cannot be filled; with a string to write to, it always can.
pub(crate) fn render(summary: &Summary) -> Result<String, askama::Error> {
    Page::new(summary)
        .render()
        .map(|page| words::printable(&page))
}

/// What the template is filled with.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    summary: &'a Summary,
    granularity: &'static str,
    mode: &'static str,
    currency: &'a str,
    period: String,
    answer: Answer,
    cards: Vec<Card>,
    /// The charts over days; `None` without days.
    days: Option<Days>,
    heatmap: Option<Heatmap>,
    rules: Vec<RuleRow>,
    levels: Vec<(String, String)>,
    kpi_columns: &'static [&'static str],
    platforms: Vec<KpiRow>,
    ad_sets: Cut<KpiRow>,
    ad_set_cards: Cut<AdSetCard>,
    arms: Arms,
    learning: Vec<String>,
    plan: Option<plan::Section>,
    candidate: Option<trial::Section>,
    /// Rules that decide nothing: title, code, objections.
    observed: Vec<(String, String, String)>,
    inputs: Cut<Input>,
    alerts: Vec<Alert>,
    statuses: Vec<(&'static str, String, &'static str)>,
    glossary: &'static [Term],
}

/// What is drawn over days.
struct Days {
    account: Markup,
    pacing: Markup,
    guardrails: Markup,
    /// How far the spend kept to the target, in words.
    pace: String,
    legend: Vec<(&'static str, String)>,
    table: Cut<DayRow>,
    /// `a day`, or `a week` where there are too many days.
    each: String,
    /// Whether days are drawn together.
    is_condensed: bool,
}

/// A file that was read.
struct Input {
    name: String,
    kind: String,
    reason: String,
    rows: String,
    notes: Cut<String>,
}

/// Something a person should know.
struct Alert {
    code: &'static str,
    words: &'static str,
    count: String,
    first_at: String,
    example: String,
}

impl<'a> Page<'a> {
    fn new(summary: &'a Summary) -> Self {
        let dates = summary.days.iter().map(|day| day.date.as_str());
        let timeline = Timeline::new(dates);
        let stories = tables::by_spend(summary);
        Self {
            summary,
            granularity: match summary.granularity {
                Granularity::Hourly => "hourly figures",
                Granularity::Daily => "daily figures",
                Granularity::Total => "totals without dates",
            },
            mode: match summary.mode {
                Mode::Shadow => "shadow mode",
                Mode::Pilot => "pilot mode",
            },
            currency: summary.currency.as_str(),
            period: period(summary),
            answer: answer::answer(summary),
            cards: summary.trailing.iter().map(answer::card).collect(),
            days: (timeline.len() > 0).then(|| days(summary, &timeline)),
            heatmap: heatmap::draw(summary),
            rules: tables::rules(summary),
            levels: levels(summary),
            kpi_columns: &tables::KPI_COLUMNS,
            platforms: tables::platforms(summary),
            ad_sets: tables::ad_sets(summary),
            ad_set_cards: tables::cards(&stories, &timeline, summary),
            arms: tables::arms(&stories),
            learning: learning(summary),
            plan: plan::section(summary),
            candidate: trial::section(summary),
            observed: trial::observed(summary),
            inputs: inputs(summary),
            alerts: alerts(summary),
            statuses: statuses(summary),
            glossary: &words::GLOSSARY,
        }
    }
}

fn period(summary: &Summary) -> String {
    match &summary.period {
        Some(period) if period.first_day == period.last_day => period.first_day.clone(),
        Some(period) => format!("{} to {}", period.first_day, period.last_day),
        None => "no dates".to_owned(),
    }
}

fn days(summary: &Summary, timeline: &Timeline) -> Days {
    let paces: Vec<_> = timeline
        .days(&summary.days)
        .iter()
        .filter_map(Pace::of)
        .collect();
    let legend = PACES.into_iter().map(|(pace, class, words)| {
        let count = paces.iter().filter(|&&other| other == pace).count() as u64;
        (class, format!("{words}: {}", timeline.counted(count)))
    });
    Days {
        account: charts::account(summary, timeline),
        pacing: charts::pacing(summary, timeline),
        guardrails: timeline::guardrails(summary, timeline),
        pace: pace(summary),
        legend: if paces.is_empty() {
            Vec::new()
        } else {
            legend.collect()
        },
        table: tables::days(summary),
        each: timeline.each(),
        is_condensed: timeline.step() > 1,
    }
}

fn pace(summary: &Summary) -> String {
    let spent: f64 = summary
        .days
        .iter()
        .map(|day| day.actual.to_major_f64())
        .sum();
    let target: f64 = summary
        .days
        .iter()
        .map(|day| day.target.to_major_f64())
        .sum();
    let share = number::percentage((target > 0.0).then(|| spent / target));
    let days = number::counted(summary.days.len() as u64, "day", "days");
    let daily = summary
        .days
        .last()
        .map(|day| number::money_in(day.target, summary.currency));
    format!(
        "The target is {} a day. Over {days}, {share} of it was spent.",
        daily.unwrap_or_else(|| number::UNDEFINED.to_owned())
    )
}

fn levels(summary: &Summary) -> Vec<(String, String)> {
    let levels = summary.guardrails.levels.iter();
    levels
        .map(|(level, count)| (level.to_string(), number::count(*count)))
        .collect()
}

fn learning(summary: &Summary) -> Vec<String> {
    let learning = &summary.learning;
    let mut sentences = vec![format!(
        "{} kept for learning, {} of them cut short by the end of the data.",
        number::counted(learning.experiences, "experience was", "experiences were"),
        number::count(learning.truncated),
    )];
    if let Some(least) = learning.least_propensity {
        sentences.push(format!(
            "The smallest propensity that was logged is {}: the smaller it is, the less can be \
             said later about such choices.",
            number::probability(least)
        ));
    }
    sentences
}

fn inputs(summary: &Summary) -> Cut<Input> {
    Cut::of(&summary.inputs, MOST_INPUTS, |input| Input {
        name: input.name.clone(),
        kind: input.kind.clone(),
        reason: input.reason.clone(),
        rows: number::count(input.rows),
        notes: Cut::of(&input.notes, MOST_NOTES, Clone::clone),
    })
}

fn alerts(summary: &Summary) -> Vec<Alert> {
    let alerts = summary.alerts.iter().map(|alert| Alert {
        code: alert.kind.as_str(),
        words: words::alert(alert.kind),
        count: number::count(alert.count),
        first_at: alert.first_at.clone(),
        example: alert.example.clone(),
    });
    alerts.collect()
}

fn statuses(summary: &Summary) -> Vec<(&'static str, String, &'static str)> {
    let statuses = summary.effect.statuses.iter();
    statuses
        .map(|(&name, &count)| (name, number::count(count), words::status(name)))
        .collect()
}

#[cfg(test)]
mod tests;
