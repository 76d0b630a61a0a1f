//! The answer at the top of the page, and the key figures below it.

use std::cmp::Ordering;

use gaelp::core::{Level, Micros};
use gaelp::rollout::Mode;

use super::number;
use super::words;
use crate::summary::{Granularity, Kpi, Summary, Trailing};

/// How many rules the answer names as the reasons.
const MOST_REASONS: usize = 3;

/// What the reader came for.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// One sentence with the figures.
    pub(super) headline: String,
    /// What the figures are worth.
    pub(super) caveat: String,
    /// That the settings do not fit the account; mostly empty.
    pub(super) misfit: Option<String>,
    /// Why, in a few sentences; empty without decisions.
    pub(super) why: Vec<String>,
    /// Actual beside suggested; empty where nothing can be compared.
    pub(super) tiles: Vec<Tile>,
}

/// A figure as it was and as it would have been.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) name: &'static str,
    pub(super) suggested: String,
    pub(super) actual: String,
    pub(super) change: String,
}

/// The answer.
pub(super) fn answer(summary: &Summary) -> Answer {
    let effect = &summary.effect;
    let compared = effect.decisions > 0 && effect.compared > 0;
    Answer {
        headline: if compared {
            compared_headline(summary)
        } else {
            bare_headline(summary)
        },
        caveat: if compared {
            caveat(summary)
        } else {
            untried(summary)
        },
        misfit: misfit(summary),
        why: if effect.decisions > 0 {
            why(summary)
        } else {
            Vec::new()
        },
        tiles: if compared { tiles(summary) } else { Vec::new() },
    }
}

fn compared_headline(summary: &Summary) -> String {
    let (effect, currency) = (&summary.effect, summary.currency);
    let spend = match number::compare(effect.suggested_spend, effect.actual_spend) {
        Ordering::Equal => {
            format!(
                "as much as was spent, {}",
                number::money_in(effect.actual_spend, currency)
            )
        }
        _ => format!(
            "{} instead of {}{}",
            number::money_in(effect.suggested_spend, currency),
            number::money_in(effect.actual_spend, currency),
            in_brackets(relative(effect.actual_spend, effect.suggested_spend)),
        ),
    };
    let difference = number::difference(effect.actual_profit, effect.suggested_profit);
    let size = difference.trim_start_matches(['+', '−']);
    let profit = match number::compare(effect.suggested_profit, effect.actual_profit) {
        Ordering::Equal => "and made the same profit".to_owned(),
        Ordering::Greater => format!("and made {size}\u{a0}{currency} more profit"),
        Ordering::Less => format!("and made {size}\u{a0}{currency} less profit"),
    };
    format!(
        "Over {}, gaelp would have spent {spend}, {profit}: an estimated {} instead of {}.",
        days(summary),
        number::money_in(effect.suggested_profit, currency),
        number::money_in(effect.actual_profit, currency),
    )
}

fn bare_headline(summary: &Summary) -> String {
    let Kpi { metrics, roas, .. } = &summary.kpis.account;
    let totals = format!(
        "{} spent, {} revenue, ROAS {}",
        number::money_in(metrics.spend, summary.currency),
        number::money_in(metrics.revenue, summary.currency),
        number::statistic(*roas),
    );
    match (summary.effect.decisions, summary.granularity) {
        (0, Granularity::Total) => format!(
            "These files hold totals without dates, so gaelp could suggest nothing. The totals: \
             {totals}."
        ),
        (0, _) => format!("gaelp found nothing to decide in these files. The totals: {totals}."),
        (decisions, _) => format!(
            "gaelp decided {}, but for none of these hours is there a report, so nothing can be \
             compared. The totals: {totals}.",
            words::times(decisions)
        ),
    }
}

fn caveat(summary: &Summary) -> String {
    let effect = &summary.effect;
    let counted = if effect.compared < effect.decisions {
        format!(
            " Counted are the {} of {} decisions in whose hours something was reported.",
            number::count(effect.compared),
            number::count(effect.decisions)
        )
    } else {
        String::new()
    };
    format!(
        "An estimate, not a result: spend × m is taken to bring revenue × m^{}. {}{counted}",
        number::ratio(effect.elasticity),
        untried(summary)
    )
}

fn untried(summary: &Summary) -> String {
    match summary.mode {
        Mode::Shadow => "Nothing was tried, and no budget was changed.",
        Mode::Pilot => {
            "Budgets were changed only on a platform simulated in memory; no real account was \
             touched."
        }
    }
    .to_owned()
}

/// A target that is far from what is spent: the first thing that goes wrong with a first run.
fn misfit(summary: &Summary) -> Option<String> {
    let spending = summary.days.iter().filter(|day| day.actual > Micros::ZERO);
    let spent: Vec<f64> = spending.map(|day| day.actual.to_major_f64()).collect();
    let target = summary.days.last()?.target;
    #[expect(clippy::cast_precision_loss, reason = "a mean is a statistic")]
    let mean = spent.iter().sum::<f64>() / spent.len() as f64;
    let times = mean / target.to_major_f64();
    if summary.effect.decisions == 0 || !times.is_finite() || (0.5..=2.0).contains(&times) {
        return None;
    }
    Some(format!(
        "On days with spend, {} {currency} was spent on average; the target in the settings is {}. \
         With a target and caps that do not fit the account, the suggestions say little: set \
         DAILY_BUDGET_TARGET and DAILY_CAP_TOTAL to what it may spend.",
        number::statistic(Some(mean)),
        number::money_in(target, summary.currency),
        currency = summary.currency,
    ))
}

fn why(summary: &Summary) -> Vec<String> {
    let effect = &summary.effect;
    let mut why = vec![format!(
        "In {} gaelp raised the rate {}, lowered it {} and held it {}.",
        number::counted(effect.decisions, "decision", "decisions"),
        words::times(effect.raised),
        words::times(effect.lowered),
        words::times(effect.held),
    )];
    let frozen = summary
        .guardrails
        .levels
        .iter()
        .filter(|(level, _)| *level >= Level::Freeze);
    let frozen = frozen.fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
    if frozen > 0 {
        why.push(format!(
            "In {} of these decisions a rule forbade any raise, so the rate could only be held or \
             lowered.",
            number::count(frozen)
        ));
    }
    let rules: Vec<_> = summary
        .guardrails
        .binding
        .iter()
        .take(MOST_REASONS)
        .map(|(rule, count)| {
            format!(
                "“{}” ({})",
                words::rule(rule.as_str()).title,
                number::count(*count)
            )
        })
        .collect();
    why.push(if rules.is_empty() {
        "No rule had to step in.".to_owned()
    } else {
        format!(
            "The rules that most often set the result: {}.",
            rules.join(", ")
        )
    });
    let (start, end) = (summary.learning.lambda_start, summary.learning.lambda_end);
    why.push(format!(
        "The price of money λ went from {} to {}: {}.",
        number::lambda(start),
        number::lambda(end),
        match end.cmp(&start) {
            Ordering::Less => "less was spent than the target, so spending got cheaper",
            Ordering::Equal => "spend kept to the target, or no day was closed",
            Ordering::Greater => "more was spent than the target, so spending got dearer",
        }
    ));
    why
}

fn tiles(summary: &Summary) -> Vec<Tile> {
    let effect = &summary.effect;
    let money = |name, actual, suggested| Tile {
        name,
        suggested: number::money_in(suggested, summary.currency),
        actual: number::money_in(actual, summary.currency),
        change: format!(
            "{}{}",
            number::difference(actual, suggested),
            in_brackets(relative(actual, suggested))
        ),
    };
    let roas = |revenue: Micros, spend: Micros| {
        (spend > Micros::ZERO).then(|| revenue.to_major_f64() / spend.to_major_f64())
    };
    let actual = roas(effect.actual_revenue, effect.actual_spend);
    let suggested = roas(effect.suggested_revenue, effect.suggested_spend);
    let change = actual
        .zip(suggested)
        .and_then(|(from, to)| number::relative(from, to));
    vec![
        money("Spend", effect.actual_spend, effect.suggested_spend),
        money("Revenue", effect.actual_revenue, effect.suggested_revenue),
        money("Profit", effect.actual_profit, effect.suggested_profit),
        Tile {
            name: "ROAS",
            suggested: number::statistic(suggested),
            actual: number::statistic(actual),
            change: change.unwrap_or_else(|| number::NOTHING.to_owned()),
        },
    ]
}

fn days(summary: &Summary) -> String {
    number::counted(summary.days.len() as u64, "day", "days")
}

fn relative(from: Micros, to: Micros) -> Option<String> {
    number::relative(from.to_major_f64(), to.to_major_f64())
}

fn in_brackets(text: Option<String>) -> String {
    text.map_or_else(String::new, |text| format!(" ({text})"))
}

/// The key figures of the last so many days.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) title: String,
    /// How the days before them can be compared, or that they cannot.
    pub(super) note: String,
    /// Days without data, in words; empty where there are none.
    pub(super) uncovered: String,
    pub(super) figures: Vec<Figure>,
}

/// One figure beside what it was before.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) before: String,
    pub(super) change: String,
    /// Whether the change is welcome, as the style sheet and a screen reader say it.
    pub(super) verdict: &'static str,
}

/// Which direction of a figure is welcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    More,
    Less,
    /// It depends.
    Either,
}

/// One card for each trailing window.
pub(super) fn card(trailing: &Trailing) -> Card {
    let days = number::counted(trailing.days.into(), "day", "days");
    let missing = trailing.days.saturating_sub(trailing.covered);
    let note = match trailing.previous {
        Some(_) => format!("beside the {days} before"),
        None => "no days before to compare with".to_owned(),
    };
    let uncovered = match missing {
        0 => String::new(),
        _ => format!(
            "Only {} of {days} have data; the rest is not counted.",
            number::count(trailing.covered.into())
        ),
    };
    Card {
        title: format!("Last {days}"),
        note,
        uncovered,
        figures: figures(trailing),
    }
}

fn figures(trailing: &Trailing) -> Vec<Figure> {
    let (now, before) = (&trailing.current, trailing.previous.as_ref());
    let amount = |name, wanted: Wanted, of: fn(&Kpi) -> Option<Micros>| {
        let (new, old) = (of(now), before.map(of));
        let pair = old.flatten().zip(new);
        let change = pair
            .map(|(old, new)| relative(old, new).unwrap_or_else(|| number::difference(old, new)));
        let risen = pair.map(|(old, new)| new.cmp(&old));
        let before = old.map(number::optional_money);
        figure(
            name,
            number::optional_money(new),
            before,
            change,
            wanted.verdict(risen),
        )
    };
    let statistic =
        |name, wanted: Wanted, print: fn(Option<f64>) -> String, of: fn(&Kpi) -> Option<f64>| {
            let (new, old) = (of(now), before.map(of));
            let pair = old.flatten().zip(new);
            let change = pair.and_then(|(old, new)| number::relative(old, new));
            let risen = pair.map(|(old, new)| new.total_cmp(&old));
            figure(
                name,
                print(new),
                old.map(print),
                change,
                wanted.verdict(risen),
            )
        };
    vec![
        amount("Spend", Wanted::Either, |kpi| Some(kpi.metrics.spend)),
        amount("Revenue", Wanted::More, |kpi| Some(kpi.metrics.revenue)),
        amount("Profit", Wanted::More, |kpi| kpi.profit),
        statistic("ROAS", Wanted::More, number::statistic, |kpi| kpi.roas),
        statistic("Conversions", Wanted::More, conversions, |kpi| {
            Some(kpi.metrics.conversions.to_f64())
        }),
        statistic("CPA", Wanted::Less, number::statistic, |kpi| kpi.cpa),
    ]
}

fn conversions(count: Option<f64>) -> String {
    count.map_or_else(|| number::UNDEFINED.to_owned(), number::fractional)
}

/// A figure; a change that is too small to be printed is neither welcome nor not.
fn figure(
    name: &'static str,
    value: String,
    before: Option<String>,
    change: Option<String>,
    verdict: &'static str,
) -> Figure {
    let nothing = || number::NOTHING.to_owned();
    let shown = change
        .as_deref()
        .is_some_and(|change| change.contains(|c| ('1'..='9').contains(&c)));
    Figure {
        name,
        value,
        before: before.unwrap_or_else(nothing),
        change: change.unwrap_or_else(nothing),
        verdict: if shown { verdict } else { "" },
    }
}

impl Wanted {
    /// What is to be thought of a figure that has risen, fallen, or cannot be compared.
    fn verdict(self, risen: Option<Ordering>) -> &'static str {
        match (self, risen) {
            (Self::Either, _) | (_, None | Some(Ordering::Equal)) => "",
            (Self::More, Some(Ordering::Greater)) | (Self::Less, Some(Ordering::Less)) => "better",
            _ => "worse",
        }
    }
}
