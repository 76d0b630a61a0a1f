//! The charts over days: suggested against actual, spend against target, and λ.

use gaelp::core::{Micros, Ratio};

use super::axis::Scale;
use super::number;
use super::plot::Plot;
use super::span::Timeline;
use super::svg::{Canvas, Markup, Path, Svg, responsive};
use crate::summary::{Day, Point, Summary};

/// Spend and suggestion by day, and the revenue below.
pub(super) fn account(summary: &Summary, timeline: &Timeline) -> Markup {
    let days = timeline.days(&summary.days);
    let decided: Vec<Day> = days.iter().filter(|day| is_decided(day)).cloned().collect();
    let actual = series(timeline, &days, |day| day.actual);
    let suggested = series(timeline, &decided, |day| day.suggested);
    let revenue = series(timeline, &days, |day| day.revenue);
    let currency = summary.currency;
    let hints = timeline.fill(days.iter().map(|day| {
        let suggestion = if is_decided(day) {
            format!(
                "suggested {} ({})",
                number::money_in(day.suggested, currency),
                number::difference(day.actual, day.suggested)
            )
        } else {
            "no suggestion".to_owned()
        };
        let hint = format!(
            "{}: actual {}, {suggestion}, revenue {}",
            timeline.named(&day.date),
            number::money_in(day.actual, currency),
            number::money_in(day.revenue, currency),
        );
        (day.date.as_str(), hint)
    }));
    let each = timeline.each();
    let label = format!(
        "Two charts over {}. The first shows the account's actual spend {each} as a solid line and \
         the suggested spend as a dashed line. The second shows revenue {each} as bars. The \
         figures are in the table of days.",
        timeline.counted(timeline.len() as u64)
    );
    responsive(|canvas| {
        let (top, height, below) = heights(canvas, 210.0, 90.0);
        let spend = Scale::over(values(&actual).chain(values(&suggested)), 4);
        let income = Scale::over(values(&revenue), 2);
        let mut svg = Svg::new(canvas, top + height + 44.0 + below + 26.0, &label);
        let upper = Plot::new(canvas, top, height, timeline, spend);
        let lower = Plot::new(canvas, top + height + 44.0, below, timeline, income);
        upper.heading(&mut svg, &format!("Spend {each}, {currency}"));
        upper.values(&mut svg);
        upper.line(&mut svg, &actual, "actual");
        upper.line(&mut svg, &suggested, "suggested");
        lower.heading(&mut svg, &format!("Revenue {each}, {currency}"));
        lower.values(&mut svg);
        let mut bars = Path::default();
        for (slot, value) in revenue.iter().enumerate() {
            lower.bar(&mut bars, slot, 0.0, value.unwrap_or(0.0));
        }
        svg.path(&bars, "revenue");
        lower.days(&mut svg);
        upper.hints(&mut svg, height + 44.0 + below, &hints);
        svg
    })
}

/// Whether anything was decided that day.
pub(super) fn is_decided(day: &Day) -> bool {
    day.levels.iter().any(|&count| count > 0)
}

/// The points of an ad set from its first suggestion on: before, there was no rate to change.
pub(super) fn suggested_points(series: &[Point]) -> &[Point] {
    let first = series.iter().position(|point| !point.suggested.is_zero());
    first
        .and_then(|first| series.get(first..))
        .unwrap_or_default()
}

/// How a day's spend stands to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// More than a tenth below the target.
    Under,
    /// Within a tenth of it.
    On,
    /// More than a tenth above it.
    Over,
}

impl Pace {
    /// The pace of a day; `None` without a target.
    pub(super) fn of(day: &Day) -> Option<Self> {
        let target = i128::from(day.target.get());
        let spent = i128::from(day.actual.get()) * 10;
        match () {
            () if target <= 0 => None,
            () if spent < target * 9 => Some(Self::Under),
            () if spent > target * 11 => Some(Self::Over),
            () => Some(Self::On),
        }
    }
}

/// Spend against the target, and how λ answered.
pub(super) fn pacing(summary: &Summary, timeline: &Timeline) -> Markup {
    let sums = timeline.days(&summary.days);
    let days = timeline.fill(sums.iter().map(|day| (day.date.as_str(), day)));
    let actual = series(timeline, &sums, |day| day.actual);
    let lambda: Vec<_> = days
        .iter()
        .map(|day| day.and_then(|day| day.lambda).map(Ratio::to_f64))
        .collect();
    let target = target(summary, timeline);
    let currency = summary.currency;
    let each = timeline.each();
    let hints: Vec<_> = days
        .iter()
        .map(|day| day.map(|day| pacing_hint(summary, timeline, day)))
        .collect();
    let label = format!(
        "Two charts over {}. The first shows the actual spend {each} as bars beside the target of \
         {target:.2} {currency}. The second shows λ at the end of each. The figures are in the \
         table of days.",
        timeline.counted(timeline.len() as u64)
    );
    responsive(|canvas| {
        let (top, height, below) = heights(canvas, 180.0, 100.0);
        let spend = Scale::over(values(&actual).chain([target * 1.1]), 4);
        let price = Scale::over(values(&lambda), 3);
        let mut svg = Svg::new(canvas, top + height + 44.0 + below + 26.0, &label);
        let upper = Plot::new(canvas, top, height, timeline, spend);
        let lower = Plot::new(canvas, top + height + 44.0, below, timeline, price);
        upper.heading(&mut svg, &format!("Actual spend {each}, {currency}"));
        upper.values(&mut svg);
        if target > 0.0 {
            upper.band(&mut svg, target * 0.9, target * 1.1, "band");
        }
        let classes = [
            (None, "unpaced"),
            (Some(Pace::Under), "under"),
            (Some(Pace::On), "on"),
            (Some(Pace::Over), "over"),
        ];
        for (pace, class) in classes {
            let mut bars = Path::default();
            for (slot, day) in days.iter().enumerate() {
                if let Some(day) = day.filter(|day| Pace::of(day) == pace) {
                    upper.bar(&mut bars, slot, 0.0, day.actual.to_major_f64());
                }
            }
            svg.path(&bars, class);
        }
        if target > 0.0 {
            // The line crosses bars of any shade.
            upper.rule(&mut svg, target, "halo");
            upper.rule(&mut svg, target, "target");
        }
        lower.heading(
            &mut svg,
            if timeline.step() == 1 {
                "λ after each day"
            } else {
                "λ at the end of each"
            },
        );
        lower.values(&mut svg);
        lower.steps(&mut svg, &lambda, "lambda");
        lower.days(&mut svg);
        upper.hints(&mut svg, height + 44.0 + below, &hints);
        svg
    })
}

/// The target of a whole place.
fn target(summary: &Summary, timeline: &Timeline) -> f64 {
    let daily = summary
        .days
        .last()
        .map_or(0.0, |day| day.target.to_major_f64());
    daily * f64::from(u32::try_from(timeline.step()).unwrap_or(u32::MAX))
}

fn pacing_hint(summary: &Summary, timeline: &Timeline, day: &Day) -> String {
    let lambda = day
        .lambda
        .map_or_else(|| "not closed".to_owned(), number::lambda);
    format!(
        "{}: spent {} of {}, λ {lambda}",
        timeline.named(&day.date),
        number::money_in(day.actual, summary.currency),
        number::money_in(day.target, summary.currency),
    )
}

/// A small chart of one ad set.
pub(super) fn ad_set(name: &str, series: &[Point], timeline: &Timeline) -> Markup {
    let of = |points: &[Point], amount: fn(&Point) -> Micros| -> Vec<Option<f64>> {
        let points = points.iter();
        timeline.fill(points.map(|point| (point.date.as_str(), amount(point).to_major_f64())))
    };
    let series = timeline.points(series);
    let actual = of(&series, |point| point.actual);
    let suggested = of(suggested_points(&series), |point| point.suggested);
    let label = format!("{name}: actual and suggested spend {}", timeline.each());
    let canvas = Canvas::Small;
    let mut svg = Svg::new(canvas, 112.0, &label);
    let scale = Scale::over(values(&actual).chain(values(&suggested)), 2);
    let plot = Plot::new(canvas, 8.0, 78.0, timeline, scale);
    plot.values(&mut svg);
    plot.line(&mut svg, &actual, "actual");
    plot.line(&mut svg, &suggested, "suggested");
    plot.days(&mut svg);
    svg.finish()
}

/// The top of the first chart, its height, and that of the one below.
fn heights(canvas: Canvas, upper: f64, lower: f64) -> (f64, f64, f64) {
    if canvas == Canvas::Wide {
        (28.0, upper, lower)
    } else {
        (28.0, upper * 0.8, lower * 0.8)
    }
}

fn series(timeline: &Timeline, days: &[Day], of: fn(&Day) -> Micros) -> Vec<Option<f64>> {
    timeline.fill(
        days.iter()
            .map(|day| (day.date.as_str(), of(day).to_major_f64())),
    )
}

fn values(series: &[Option<f64>]) -> impl Iterator<Item = f64> {
    series.iter().copied().flatten()
}
